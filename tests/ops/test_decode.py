"""`decode`: random numbers, by hand, against the reference, rules, and its promises of equality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ngae import _native
from ngae.errors import UsageError
from ngae.ops import DagGruParameters, Decoded, DecoderParameters, decode, reference_decode
from ngae.ops.decode import rule_choices, rule_tensors
from ngae.ops.philox import edge_uniforms, philox, type_uniforms
from ngae.rules import DecodeRules

MakeParameters = Callable[..., DagGruParameters]

HIDDEN, LATENT, TYPE_DIM, EDGE_DIM = 19, 5, 21, 23
START, END = 0, 1

# Key and counter of Random123's known answers: zeros, ones, digits of pi.
VECTORS = [
    ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((2**32 - 1,) * 4, (2**32 - 1,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def rules(
    max_nodes: int = 6, least: int = 0, most: int = 99, loose_ends: bool = False
) -> DecodeRules:
    """Four types: start, end and two between, which may have any free edge; 2 -> 3 forbidden."""
    allowed = np.zeros((max_nodes, 4), dtype=bool)
    allowed[0, START] = True
    allowed[1:, END] = True
    allowed[1:-1, 2:] = True
    allowed[1, END] = False
    edge = np.triu(np.ones((max_nodes, max_nodes), dtype=np.uint8), k=1)
    edge[0, 1] = 2
    edge[2, 3] = 0
    return DecodeRules(
        start_type=START,
        end_type=END,
        type_allowed=allowed,
        edge_rule=edge,
        min_in_degree=np.array([0, least, least, least], dtype=np.int32),
        max_in_degree=np.array([0, most, most, most], dtype=np.int32),
        loose_ends="only" if loose_ends else "free",
    )


@pytest.fixture
def make_decoder(make_parameters: MakeParameters) -> Callable[..., DecoderParameters]:
    """Return a function that makes random weights of a decoder."""

    def make(
        dtype: torch.dtype = torch.float32, latent: bool = True, nodes: int = 6
    ) -> DecoderParameters:
        generator = torch.Generator().manual_seed(1)

        def draw(*shape: int) -> Tensor:
            values = torch.randn(*shape, generator=generator, dtype=torch.float64)
            return (values * 1.5 / shape[-1] ** 0.5).to(dtype)

        return DecoderParameters(
            gru=make_parameters(HIDDEN, dtype),
            type_h=draw(TYPE_DIM, HIDDEN),
            type_z=draw(nodes, TYPE_DIM, LATENT) if latent else None,
            type_term=draw(nodes, TYPE_DIM),
            type_out=draw(4, TYPE_DIM),
            type_out_bias=draw(4),
            edge_u=draw(EDGE_DIM, HIDDEN),
            edge_v=draw(EDGE_DIM, HIDDEN),
            edge_z=draw(nodes, EDGE_DIM, LATENT) if latent else None,
            edge_term=draw(nodes, EDGE_DIM),
            source_z=draw(nodes, EDGE_DIM, LATENT) if latent else None,
            source_term=draw(nodes, EDGE_DIM),
            edge_out=3 * draw(EDGE_DIM),
            edge_out_bias=draw(1),
        )

    return make


MakeDecoder = Callable[..., DecoderParameters]


def inputs(samples: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    z = torch.randn(samples, LATENT, generator=generator, dtype=torch.float64)
    initial = torch.randn(samples, HIDDEN, generator=generator, dtype=torch.float64)
    return z.to(dtype), initial.to(dtype)


def assert_same(one: Decoded, other: Decoded) -> None:
    for found, expected in zip(one, other, strict=True):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)


@pytest.mark.parametrize(("counter", "key", "words"), VECTORS)
def test_philox_gives_the_published_words(
    counter: tuple[int, ...], key: tuple[int, int], words: str
) -> None:
    expected = [int(word, 16) for word in words.split()]
    assert philox(np.array(counter, dtype=np.uint32), key).tolist() == expected
    assert _native.load().philox(counter, key) == expected


def test_uniforms_are_words_of_philox() -> None:
    ids = np.array([7, -1, 2**40 + 5])
    seed = 2**63 + 3
    types, edges = type_uniforms(seed, ids, 6), edge_uniforms(seed, ids, 6)
    assert edges.shape == (3, 6)
    for row, sample in enumerate(int(i) % 2**64 for i in ids):
        head, key = (sample % 2**32, sample // 2**32, 6), (3, 2**31)
        words = _native.load().philox((*head, 2**32 - 1), key)
        assert types[row] == (words[0] >> 8) / 2**24
        for u in range(6):
            words = _native.load().philox((*head, u // 4), key)
            assert edges[row, u] == (words[u % 4] >> 8) / 2**24


# Of 200 samples with about 15 decisions each, none stands within rounding of its threshold.
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("loose_ends", [False, True])
@pytest.mark.usefixtures("native")
def test_equals_reference(
    dtype: torch.dtype, stochastic: bool, loose_ends: bool, make_decoder: MakeDecoder
) -> None:
    z, initial = inputs(200, dtype)
    parameters = make_decoder(dtype, latent=loose_ends)
    allowed = rules(least=1, most=2, loose_ends=loose_ends)
    found = decode(z, initial, parameters, allowed, seed=3, stochastic=stochastic)
    expected = reference_decode.decode(
        z, initial, parameters, allowed, seed=3, stochastic=stochastic
    )
    assert_same(found, expected)
    assert len(found.node_type.unique(dim=0)) > (10 if stochastic else 1)


@pytest.mark.usefixtures("backend")
class TestPromises:
    def test_same_for_any_batch_size(self, make_decoder: MakeDecoder) -> None:
        z, initial = inputs(30)
        ids = torch.arange(100, 130)
        whole = decode(z, initial, make_decoder(), rules(), seed=3, sample_ids=ids)
        for size in (1, 7):
            parts = [
                decode(
                    z[i : i + size],
                    initial[i : i + size],
                    make_decoder(),
                    rules(),
                    seed=3,
                    sample_ids=ids[i : i + size],
                )
                for i in range(0, 30, size)
            ]
            joined = Decoded(*(torch.cat(fields) for fields in zip(*parts, strict=True)))
            assert_same(joined, whole)

    def test_same_for_any_number_of_threads(
        self, threads: Callable[[int], None], make_decoder: MakeDecoder
    ) -> None:
        z, initial = inputs(600)
        results = []
        for count in (1, 2, 3):
            threads(count)
            results.append(decode(z, initial, make_decoder(), rules(), seed=3))
        assert_same(results[1], results[0])
        assert_same(results[2], results[0])

    def test_seed_and_ids_matter_only_when_stochastic(self, make_decoder: MakeDecoder) -> None:
        z, initial = inputs(50)

        def draw(seed: int, first: int, stochastic: bool) -> Decoded:
            ids = torch.arange(first, first + 50)
            return decode(
                z,
                initial,
                make_decoder(),
                rules(),
                seed=seed,
                sample_ids=ids,
                stochastic=stochastic,
            )

        assert_same(draw(1, 0, True), draw(1, 0, True))
        assert_same(draw(1, 0, False), draw(2**64 - 1, 7, False))
        for other in (draw(2, 0, True), draw(1, 50, True), draw(1 + 2**32, 0, True)):
            assert not torch.equal(other.adjacency, draw(1, 0, True).adjacency)

    @pytest.mark.parametrize("loose_ends", [False, True])
    def test_rules_are_obeyed(self, loose_ends: bool, make_decoder: MakeDecoder) -> None:
        allowed = rules(least=2, most=3, loose_ends=loose_ends)
        z, initial = inputs(300)
        decoded = decode(z, initial, make_decoder(), allowed, seed=5)
        for types, edges, count in zip(*(field.numpy() for field in decoded), strict=True):
            assert types[0] == START
            assert (types[count:] == -1).all()
            assert (types[:count] == END).sum() == 1
            assert types[count - 1] == END
            for v in range(1, count):
                assert allowed.type_allowed[v, types[v]]
                if loose_ends and v == count - 1:
                    expected = ~edges[:v, :v].any(axis=1)
                    assert (edges[:v, v] == expected).all()
                    continue
                rule = allowed.edge_rule[:v, v]
                assert not edges[:v, v][rule == 0].any()
                assert edges[:v, v][rule == 2].all()
                possible = int((rule > 0).sum())
                assert min(2, possible) <= edges[:, v].sum() <= 3
            assert not np.tril(edges).any()
            assert not edges[:, count:].any()

    def test_no_samples(self, make_decoder: MakeDecoder) -> None:
        decoded = decode(*inputs(0), make_decoder(), rules(), seed=0)
        assert [tuple(field.shape) for field in decoded] == [(0, 6), (0, 6, 6), (0,)]

    def test_rows_and_weights_that_are_not_contiguous(self, make_decoder: MakeDecoder) -> None:
        z, initial = inputs(40)
        parameters = make_decoder()
        heads = [None if t is None else torch.stack([t, t], -1)[..., 0] for t in parameters[1:]]
        scattered = DecoderParameters(parameters.gru, *heads)
        found = decode(z.t().clone().t(), initial.t().clone().t(), scattered, rules(), seed=3)
        assert_same(found, decode(z, initial, parameters, rules(), seed=3))

    def test_rules_in_columns(self, make_decoder: MakeDecoder) -> None:
        rows = rules(loose_ends=True)
        columns = replace(
            rows,
            type_allowed=np.asfortranarray(rows.type_allowed),
            edge_rule=np.asfortranarray(rows.edge_rule),
        )
        found, expected = (decode(*inputs(40), make_decoder(), r, seed=3) for r in (columns, rows))
        assert_same(found, expected)


@pytest.mark.usefixtures("backend")
class TestByHand:
    """Heads whose last layer sees nothing but its bias, so that all probabilities are known."""

    def flat(
        self, make_decoder: MakeDecoder, edge_bias: float, type_bias: tuple[float, ...]
    ) -> DecoderParameters:
        parameters = make_decoder()
        return parameters._replace(
            type_out=torch.zeros_like(parameters.type_out),
            type_out_bias=torch.tensor(type_bias),
            edge_out=torch.zeros_like(parameters.edge_out),
            edge_out_bias=torch.tensor([edge_bias]),
        )

    def test_likeliest_type_and_lowest_among_equals(self, make_decoder: MakeDecoder) -> None:
        z, initial = inputs(3)
        for bias, expected in [((9, 1, 2, 3), 3), ((9, 1, 3, 3), 2), ((9, 5, 3, 3), 2)]:
            parameters = self.flat(make_decoder, -9.0, tuple(map(float, bias)))
            decoded = decode(z, initial, parameters, rules(), seed=0, stochastic=False)
            assert decoded.node_type[:, 1].tolist() == [expected] * 3
        assert decoded.node_type[0].tolist() == [0, 2, 1, -1, -1, -1]

    @pytest.mark.parametrize("stochastic", [False, True])
    def test_least_in_degree_takes_later_nodes_first(
        self, stochastic: bool, make_decoder: MakeDecoder
    ) -> None:
        parameters = self.flat(make_decoder, -200.0, (0.0, -200.0, 0.0, 0.0))
        decoded = decode(*inputs(2), parameters, rules(least=2), seed=0, stochastic=stochastic)
        fed_by = [decoded.adjacency[0, :, v].nonzero().flatten().tolist() for v in range(6)]
        assert fed_by == [[], [0], [0, 1], [0, 1], [2, 3], [3, 4]]

    @pytest.mark.parametrize("stochastic", [False, True])
    def test_greatest_in_degree_drops_earlier_nodes_first(
        self, stochastic: bool, make_decoder: MakeDecoder
    ) -> None:
        parameters = self.flat(make_decoder, 200.0, (0.0, -200.0, 0.0, 0.0))
        decoded = decode(*inputs(2), parameters, rules(most=2), seed=0, stochastic=stochastic)
        fed_by = [decoded.adjacency[0, :, v].nonzero().flatten().tolist() for v in range(6)]
        assert fed_by == [[], [0], [0, 1], [0, 1], [2, 3], [3, 4]]

    def test_loose_ends(self, make_decoder: MakeDecoder) -> None:
        parameters = self.flat(make_decoder, -200.0, (0.0, -200.0, 0.0, 0.0))
        decoded = decode(*inputs(2), parameters, rules(loose_ends=True), seed=0)
        assert decoded.adjacency[0, :, 5].tolist() == [False, True, True, True, True, False]
        assert decoded.num_nodes.tolist() == [6, 6]

    def test_frequencies(self, make_decoder: MakeDecoder) -> None:
        parameters = self.flat(make_decoder, 0.4, (0.0, -0.5, 0.3, 0.8))
        samples = 4000
        decoded = decode(*inputs(samples), parameters, rules(), seed=11)
        weights = np.exp([-0.5, 0.3, 0.8])
        third = decoded.node_type[:, 2].numpy()
        for node_type, share in zip((1, 2, 3), weights / weights.sum(), strict=True):
            deviation = (share * (1 - share) / samples) ** 0.5
            assert abs((third == node_type).mean() - share) < 4 * deviation
        share = 1 / (1 + np.exp(-0.4))
        for u in (0, 1):
            deviation = (share * (1 - share) / samples) ** 0.5
            assert abs(float(decoded.adjacency[:, u, 2].float().mean()) - share) < 4 * deviation
        both = decoded.adjacency[:, 0, 2] & decoded.adjacency[:, 1, 2]
        assert abs(float(both.float().mean()) - share**2) < 0.032  # 4 deviations


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_opcheck(dtype: torch.dtype, make_decoder: MakeDecoder) -> None:
    z, initial = inputs(4, dtype)
    parameters = make_decoder(dtype)
    weights = [None if t is None else t.detach() for t in (*parameters.gru, *parameters[1:])]
    ids = torch.arange(4)
    tables = rule_tensors(rules())
    torch.library.opcheck(
        torch.ops.ngae.decode.default,
        (z, initial, ids, weights, tables, rule_choices(rules()), 3, True, False),
    )


@pytest.mark.usefixtures("native")
def test_long_graphs_and_many_samples(make_decoder: MakeDecoder) -> None:
    parameters = make_decoder(torch.float64, nodes=19)
    parameters = parameters._replace(
        gru=parameters.gru._replace(gate_index=None, map_index=None),
        type_out_bias=torch.tensor([0.0, -1.5, 0.0, 0.0], dtype=torch.float64),
    )
    z, initial = inputs(250, torch.float64)
    found = decode(z, initial, parameters, rules(max_nodes=19), seed=4)
    assert found.num_nodes.max() > 12
    assert_same(found, reference_decode.decode(z, initial, parameters, rules(max_nodes=19), seed=4))


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"type_h": torch.zeros(21, 2)}, r"decode: type_h: expected shape \(21, 19\)"),
            (
                {"edge_z": torch.zeros(6, 23, 9)},
                r"edge_z: expected shape \(6, 23, 5\), found \(6, 23",
            ),
            ({"edge_out": torch.zeros(23).double()}, "edge_out: expected dtype torch.float32"),
            ({"edge_term": torch.zeros(5, 23)}, r"edge_term: expected shape \(6, 23\)"),
            ({"source_z": torch.zeros(5, 23, 5)}, r"source_z: expected shape \(6, 23, 5\)"),
            ({"type_out": torch.zeros(5, 21)}, r"type_out: expected shape \(4, 21\)"),
        ],
    )
    def test_weights(
        self, change: dict[str, Tensor], message: str, make_decoder: MakeDecoder
    ) -> None:
        with pytest.raises(UsageError, match=message):
            decode(*inputs(2), make_decoder()._replace(**change), rules(), seed=0)

    def test_inputs(self, make_decoder: MakeDecoder) -> None:
        z, initial = inputs(2)
        with pytest.raises(UsageError, match="decode: z: expected dimensions 2, found 1"):
            decode(z[0], initial, make_decoder(), rules(), seed=0)
        with pytest.raises(UsageError, match=r"initial: expected shape \(2, 19\), found \(1, 19\)"):
            decode(z, initial[:1], make_decoder(), rules(), seed=0)
        with pytest.raises(UsageError, match=r"sample_ids: expected dtype torch.int64"):
            decode(z, initial, make_decoder(), rules(), seed=0, sample_ids=torch.zeros(2))

    @pytest.mark.parametrize("seed", [-1, 2**64])
    def test_seed(self, seed: int, make_decoder: MakeDecoder) -> None:
        with pytest.raises(UsageError, match=r"decode: seed: expected 0 .. 2\^64 - 1"):
            decode(*inputs(2), make_decoder(), rules(), seed=seed)

    def test_more_nodes_than_places(self, make_decoder: MakeDecoder) -> None:
        with pytest.raises(UsageError, match="gate_index: expected 9 rows, found 7"):
            decode(*inputs(2), make_decoder(nodes=9), rules(max_nodes=9), seed=0)


@pytest.mark.end_to_end
def test_captured_whole_by_torch_compile(
    make_decoder: MakeDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGAE_OPS", "cpp")
    parameters, (z, initial), allowed = make_decoder(), inputs(20), rules()

    def draw(z: Tensor, initial: Tensor) -> Decoded:
        return decode(z, initial, parameters, allowed, seed=2**64 - 1)

    compiled = torch.compile(draw, backend="aot_eager", fullgraph=True)
    for rows in (20, 7):
        assert_same(compiled(z[:rows], initial[:rows]), draw(z[:rows], initial[:rows]))
