"""`dag_gru`: by hand, against the reference, gradients, corners, and its promises of equality."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.errors import UsageError
from ngae.ops import DagGruParameters, _library, active_backend, dag_gru, reference

MakeBatch = Callable[..., GraphBatch]
MakeParameters = Callable[..., DagGruParameters]

DIAMOND = Dag((0, 0, 0, 0), ((0, 1), (0, 2), (0, 3), (1, 2), (2, 3)))
LONE = Dag((0,), ())


def by_hand(dtype: torch.dtype) -> DagGruParameters:
    """Weights of one hidden unit with r = z = 1/2, n = 0, m(u) = h_u: h_v = a_v / 2."""
    zeros = [torch.zeros(3, 1, dtype=dtype), torch.zeros(3, dtype=dtype)]
    gate = [torch.zeros(1, 1, dtype=dtype), torch.zeros(1, dtype=dtype)]
    return DagGruParameters(*zeros, *zeros, *gate, torch.full((1, 1), 2.0, dtype=dtype))


def loss_and_gradients(
    op: Callable[..., Tensor], batch: GraphBatch, parameters: DagGruParameters, initial: object
) -> tuple[Tensor, list[Tensor]]:
    h = op(batch, parameters, initial)
    weight = torch.linspace(-1, 1, max(h.numel(), 1), dtype=h.dtype)[: h.numel()].view_as(h)
    inputs = [t for t in (*parameters, initial) if t is not None]
    return h, list(torch.autograd.grad((h * weight).sum() / max(len(h), 1), inputs))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("backend")
class TestByHand:
    def test_states(self, dtype: torch.dtype) -> None:
        batch = GraphBatch.pack([DIAMOND, LONE])
        initial = torch.tensor([[8.0], [2.0]], dtype=dtype)
        h = dag_gru(batch, by_hand(dtype), initial)
        expected = torch.tensor([[4.0], [2.0], [3.0], [3.5], [1.0]], dtype=dtype)
        assert_close(h, expected)

    def test_gradient_of_initial(self, dtype: torch.dtype) -> None:
        batch = GraphBatch.pack([DIAMOND, LONE])
        initial = torch.tensor([[8.0], [2.0]], dtype=dtype, requires_grad=True)
        h = dag_gru(batch, by_hand(dtype), initial)
        (gradient,) = torch.autograd.grad(h[3] + 10 * h[4], initial)
        # h_3 = (h_0 + h_2) / 2, h_2 = (h_0 + h_1) / 2, h_1 = h_0 / 2, h_0 = initial / 2
        assert_close(gradient, torch.tensor([[0.4375], [5.0]], dtype=dtype))

    def test_reversed(self, dtype: torch.dtype) -> None:
        batch = GraphBatch.pack([DIAMOND]).reverse()
        h = dag_gru(batch, by_hand(dtype), torch.tensor([[8.0]], dtype=dtype))
        assert_close(h, torch.tensor([[3.5], [1.0], [2.0], [4.0]], dtype=dtype))

    def test_index_tables(self, dtype: torch.dtype) -> None:
        tables = {
            "gate_index": torch.tensor([[0.0], [100.0]], dtype=dtype),
            "map_index": torch.tensor([[6.0], [-1.0]], dtype=dtype),
        }
        batch = GraphBatch.pack([Dag((0, 0), ((0, 1),))])
        chain = by_hand(dtype)._replace(**tables)
        h = dag_gru(batch, chain, torch.tensor([[8.0]], dtype=dtype))
        # node 0: h = 4, m = 1/2 * (2 * 4 + 6) = 7
        assert_close(h, torch.tensor([[4.0], [3.5]], dtype=dtype))


# One row, tails of every vector width, more columns than one pass takes, the paper's own size.
@pytest.mark.parametrize("hidden", [1, 3, 17, 24, 33, 96, 501, 530])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("has_initial", [False, True])
@pytest.mark.usefixtures("native")
def test_equals_reference(
    hidden: int,
    dtype: torch.dtype,
    has_initial: bool,
    make_batch: MakeBatch,
    make_parameters: MakeParameters,
) -> None:
    batch = make_batch(12)
    batch = batch if has_initial else batch.reverse()
    parameters = make_parameters(hidden, dtype, index=has_initial)
    initial = torch.ones(12, hidden, dtype=dtype, requires_grad=True) if has_initial else None
    h, gradients = loss_and_gradients(dag_gru, batch, parameters, initial)
    expected, expected_gradients = loss_and_gradients(reference.dag_gru, batch, parameters, initial)
    assert_close(h, expected)
    for gradient, other in zip(gradients, expected_gradients, strict=True):
        assert_close(gradient, other)


@pytest.mark.usefixtures("native")
def test_more_rows_than_one_pass_takes(make_parameters: MakeParameters) -> None:
    batch = GraphBatch.pack([Dag((i % 4, 3), ((0, 1),)) for i in range(700)])
    parameters = make_parameters(20)
    initial = torch.randn(700, 20, dtype=torch.float64, requires_grad=True)
    h, gradients = loss_and_gradients(dag_gru, batch, parameters, initial)
    expected, expected_gradients = loss_and_gradients(reference.dag_gru, batch, parameters, initial)
    assert_close(h, expected)
    for gradient, other in zip(gradients, expected_gradients, strict=True):
        assert_close(gradient, other)


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.usefixtures("backend")
def test_gradcheck(
    index: bool, backward: bool, make_batch: MakeBatch, make_parameters: MakeParameters
) -> None:
    batch = make_batch(3, max_nodes=4)
    batch = batch.reverse() if backward else batch
    parameters = make_parameters(3, index=index)
    initial = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    tensors = [t for t in parameters if t is not None]

    def function(*inputs: Tensor) -> Tensor:
        return dag_gru(batch, DagGruParameters(*inputs[:-1]), inputs[-1])

    assert torch.autograd.gradcheck(function, (*tensors, initial))


@pytest.mark.parametrize("has_initial", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_opcheck(
    dtype: torch.dtype, has_initial: bool, make_batch: MakeBatch, make_parameters: MakeParameters
) -> None:
    graph = _library.graph_tensors(make_batch(3))
    parameters = make_parameters(5, dtype, index=has_initial)
    initial = torch.ones(3, 5, dtype=dtype, requires_grad=True) if has_initial else None
    torch.library.opcheck(torch.ops.ngae.dag_gru.default, (*graph, *parameters, initial, False))
    h, saved = torch.ops.ngae.dag_gru(*graph, *parameters, initial, False)
    weights = [None if weight is None else weight.detach() for weight in parameters]
    torch.library.opcheck(
        torch.ops.ngae.dag_gru_backward.default,
        (torch.ones_like(h), *graph, *weights, saved.detach(), has_initial, False),
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rows_kept_for_backward_have_the_native_stride(dtype: torch.dtype) -> None:
    from ngae import _native
    from ngae.ops.dag_gru import saved_size

    for hidden in range(1, 300):
        stride = _native.load().row_stride(hidden, dtype.itemsize)
        node_type, w_hh = torch.empty(2), torch.empty(3 * hidden, hidden, dtype=dtype)
        assert saved_size(node_type, w_hh) == 2 * 7 * stride
        assert stride >= hidden
        assert stride * dtype.itemsize // 64 % 2 == 1


@pytest.mark.usefixtures("backend")
class TestCorners:
    def test_no_graphs(self, make_parameters: MakeParameters) -> None:
        batch = GraphBatch.pack([])
        parameters = make_parameters(5)
        h = dag_gru(batch, parameters, torch.zeros(0, 5, dtype=torch.float64))
        assert h.shape == (0, 5)
        if active_backend() == "cpp":
            for gradient in torch.autograd.grad(h.sum(), parameters):
                assert_close(gradient, torch.zeros_like(gradient))

    def test_one_node_without_initial_is_a_gru_cell(self, make_parameters: MakeParameters) -> None:
        parameters = make_parameters(5)
        cell = torch.nn.GRUCell(4, 5, dtype=torch.float64)
        names = ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        cell.load_state_dict(dict(zip(names, parameters[:4], strict=False)))
        batch = GraphBatch.pack([Dag((t,), ()) for t in range(4)])
        assert_close(dag_gru(batch, parameters), cell(torch.eye(4, dtype=torch.float64)))

    def test_weights_that_are_not_contiguous(
        self, make_batch: MakeBatch, make_parameters: MakeParameters
    ) -> None:
        batch, parameters = make_batch(5), make_parameters(6)
        initial = torch.randn(5, 6, dtype=torch.float64, requires_grad=True)
        scattered = [
            torch.stack([t, t], dim=-1)[..., 0].detach().requires_grad_() for t in parameters
        ]
        assert not any(t.is_contiguous() for t in scattered)
        h, gradients = loss_and_gradients(
            dag_gru, batch, DagGruParameters(*scattered), initial.t().clone().t()
        )
        expected, expected_gradients = loss_and_gradients(dag_gru, batch, parameters, initial)
        assert_close(h, expected)
        for gradient, other in zip(gradients, expected_gradients, strict=True):
            assert_close(gradient, other)

    def test_gradient_that_is_not_contiguous(
        self, make_batch: MakeBatch, make_parameters: MakeParameters
    ) -> None:
        batch, parameters = make_batch(5), make_parameters(6)
        h = dag_gru(batch, parameters)
        expanded = torch.autograd.grad(h.sum(), parameters.w_hh, retain_graph=True)
        given = torch.autograd.grad(h, parameters.w_hh, grad_outputs=torch.ones_like(h))
        assert_close(expanded, given)

    def test_one_index_table_without_the_other(
        self, make_batch: MakeBatch, make_parameters: MakeParameters
    ) -> None:
        batch = make_batch(5)
        for absent in ("gate_index", "map_index"):
            parameters = make_parameters(6)._replace(**{absent: None})
            _, gradients = loss_and_gradients(dag_gru, batch, parameters, None)
            _, expected = loss_and_gradients(reference.dag_gru, batch, parameters, None)
            for gradient, other in zip(gradients, expected, strict=True):
                assert_close(gradient, other)

    def test_nan_is_not_hidden(self, make_parameters: MakeParameters) -> None:
        initial = torch.full((1, 6), torch.nan, dtype=torch.float64)
        assert dag_gru(GraphBatch.pack([DIAMOND]), make_parameters(6), initial).isnan().all()

    def test_merged_batch_gives_the_same_states(
        self, make_batch: MakeBatch, make_parameters: MakeParameters
    ) -> None:
        batch = make_batch(40)
        for index in (False, True):
            parameters = make_parameters(6, index=index)
            for graphs in (batch, batch.reverse()):
                merged, place = graphs.merge(2, use_index=index)
                assert merged.num_nodes < batch.num_nodes
                assert_close(dag_gru(merged, parameters)[place], dag_gru(graphs, parameters))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("native")
class TestSameBits:
    def test_any_number_of_threads(
        self,
        dtype: torch.dtype,
        threads: Callable[[int], None],
        make_batch: MakeBatch,
        make_parameters: MakeParameters,
    ) -> None:
        batch, parameters = make_batch(60), make_parameters(70, dtype)
        initial = torch.ones(60, 70, dtype=dtype, requires_grad=True)
        results = []
        for count in (1, 2, 3):
            threads(count)
            results.append(loss_and_gradients(dag_gru, batch, parameters, initial))
        for h, gradients in results[1:]:
            assert torch.equal(h, results[0][0])
            for gradient, other in zip(gradients, results[0][1], strict=True):
                assert torch.equal(gradient, other)

    def test_levels_that_threads_share(
        self, dtype: torch.dtype, threads: Callable[[int], None], make_parameters: MakeParameters
    ) -> None:
        """One wide graph, and merged groups that are fewer than the threads."""
        wide = Dag(
            tuple(i % 4 for i in range(242)),
            tuple((u, v) for v in range(1, 242) for u in range(max(0, v // 3 - 1), v // 3 + 1)),
        )
        parameters = make_parameters(65, dtype, index=False)
        for batch in (GraphBatch.pack([wide]), GraphBatch.pack([wide] * 4).reverse()):
            results = []
            for count in (1, 2, 3):
                threads(count)
                results.append(loss_and_gradients(dag_gru, batch, parameters, None))
            expected = loss_and_gradients(reference.dag_gru, batch, parameters, None)
            assert_close(results[0], expected)
            assert_close(results[1], results[0], rtol=0, atol=0)
            assert_close(results[2], results[0], rtol=0, atol=0)

    def test_any_batch_around_a_graph(
        self, dtype: torch.dtype, make_batch: MakeBatch, make_parameters: MakeParameters
    ) -> None:
        parameters = make_parameters(33, dtype)
        alone = dag_gru(GraphBatch.pack([DIAMOND]), parameters)
        dags = [LONE] * 20 + [DIAMOND] + [Dag((1, 2), ((0, 1),))] * 9
        assert torch.equal(dag_gru(GraphBatch.pack(dags), parameters)[20:24], alone)


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"b_hh": torch.zeros(5)}, r"dag_gru: b_hh: expected shape \(18,\), found \(5,\)"),
            ({"w_map": torch.zeros(6, 6)}, r"w_map: expected dtype torch.float64, found"),
            ({"w_hh": torch.zeros(18, 6).int()}, r"w_hh: expected float32 or float64, found"),
            (
                dict.fromkeys(("gate_index", "map_index"), torch.zeros(1, 6).double()),
                r"gate_index: .* index 3, found 1 rows",
            ),
            (
                {"gate_index": torch.zeros(9, 6).double()},
                r"map_index: expected shape \(9, 6\), found \(7, 6\)",
            ),
            ({"w_ih": torch.zeros(18, 0).double()}, r"node_type: expected below 0, found 0"),
        ],
    )
    def test_weights(
        self, change: dict[str, Tensor], message: str, make_parameters: MakeParameters
    ) -> None:
        parameters = make_parameters(6)._replace(**change)
        with pytest.raises(UsageError, match=message):
            dag_gru(GraphBatch.pack([DIAMOND]), parameters)

    def test_initial(self, make_parameters: MakeParameters) -> None:
        with pytest.raises(UsageError, match=r"initial: expected shape \(1, 6\), found \(2, 6\)"):
            dag_gru(GraphBatch.pack([DIAMOND]), make_parameters(6), torch.zeros(2, 6).double())

    def test_device(self, make_parameters: MakeParameters) -> None:
        on_meta = [None if t is None else t.to("meta") for t in make_parameters(6)]
        with pytest.raises(UsageError, match="batch: expected device meta, found cpu"):
            dag_gru(GraphBatch.pack([DIAMOND]), DagGruParameters(*on_meta))

    def test_backend(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NGAE_OPS", "fortran")
        message = "NGAE_OPS: expected one of cpp, cuda, torch, found fortran"
        with pytest.raises(UsageError, match=message):
            active_backend()

    def test_instruction_set(
        self, monkeypatch: pytest.MonkeyPatch, make_parameters: MakeParameters
    ) -> None:
        monkeypatch.setenv("NGAE_OPS", "cpp")
        monkeypatch.setenv("NGAE_CPU", "z80")
        with pytest.raises(UsageError, match=r"NGAE_CPU: expected one of baseline.*, found z80"):
            dag_gru(GraphBatch.pack([DIAMOND]), make_parameters(6))

    @pytest.mark.parametrize(
        ("place", "values", "message"),
        [
            (0, [0, 0, 0, 9], r"node_type\[3\]: expected 0..3, found 9"),
            (6, [0, 0, 1, 0, 7], r"pred_src\[4\]: expected 0..3, found 7"),
            (5, [0, 2, 1, 3, 5], r"pred_ptr: expected rising from 0 to 5"),
            (
                10,
                [0, 1, 2],
                r"level_node: expected a contiguous int32 tensor on cpu of shape",
            ),
        ],
    )
    def test_native_op_checks_indices(
        self, place: int, values: list[int], message: str, make_parameters: MakeParameters
    ) -> None:
        graph = _library.graph_tensors(GraphBatch.pack([DIAMOND]))
        graph[place] = torch.tensor(values, dtype=torch.int32)
        with pytest.raises(ValueError, match=message):
            torch.ops.ngae.dag_gru(*graph, *make_parameters(6), None, False)
