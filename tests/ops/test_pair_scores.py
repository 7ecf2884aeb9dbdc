"""`pair_scores`: by hand, against the reference, gradients, corners, and its promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from ngae.errors import UsageError
from ngae.ops import active_backend, pair_scores, reference

Arguments = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def draw(
    columns: int,
    num_pairs: int = 40,
    dtype: torch.dtype = torch.float64,
    rows: tuple[int, int] = (9, 6),
) -> Arguments:
    generator = torch.Generator().manual_seed(columns)

    def numbers(*shape: int) -> Tensor:
        values = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return values.to(dtype).requires_grad_()

    sources, targets = rows
    pair_source = torch.randint(sources, (num_pairs,), generator=generator)
    pair_target = torch.randint(targets, (num_pairs,), generator=generator).sort().values
    tables = numbers(sources, columns), numbers(targets, columns), numbers(columns)
    return *tables, pair_source, pair_target


def score_and_gradients(op: Callable[..., Tensor], arguments: Arguments) -> list[Tensor]:
    score = op(*arguments)
    # Sums over the pairs stay of order one: where terms of 300 cancel, single precision leaves what
    # the order of additions makes of it, and the reference's is that of the CPU's BLAS.
    dscore = torch.linspace(-1, 2, len(score), dtype=score.dtype) / max(1, len(score))
    return [score, *torch.autograd.grad(score, arguments[:3], dscore)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("backend")
def test_by_hand(dtype: torch.dtype) -> None:
    source = torch.tensor([[1.0, 2.0], [-1.0, 0.0]], dtype=dtype, requires_grad=True)
    target = torch.tensor([[0.0, 1.0], [1.0, 5.0]], dtype=dtype, requires_grad=True)
    weight = torch.tensor([1.0, 10.0], dtype=dtype, requires_grad=True)
    pairs = torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1])
    score = pair_scores(source, target, weight, *pairs)
    # sums (1, 3), (-1, 1), (0, 5): no gradient through what is not above 0
    assert_close(score, torch.tensor([31.0, 10.0, 50.0], dtype=dtype))
    gradients = torch.autograd.grad(
        score, (source, target, weight), torch.tensor([1.0, 2.0, 3.0], dtype=dtype)
    )
    assert_close(gradients[0], torch.tensor([[1.0, 10.0], [0.0, 50.0]], dtype=dtype))
    assert_close(gradients[1], torch.tensor([[1.0, 30.0], [0.0, 30.0]], dtype=dtype))
    assert_close(gradients[2], torch.tensor([1.0, 20.0], dtype=dtype))


@pytest.mark.parametrize("columns", [1, 3, 17, 32, 33, 130, 256])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("native")
def test_equals_reference(columns: int, dtype: torch.dtype) -> None:
    arguments = draw(columns, 300, dtype)
    found = score_and_gradients(pair_scores, arguments)
    expected = score_and_gradients(reference.pair_scores, arguments)
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("rows", [(9, 6), (1, 1)])
@pytest.mark.parametrize("num_pairs", [0, 1, 300])
def test_composed_as_on_cuda(
    num_pairs: int, rows: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = draw(17, num_pairs, rows=rows)
    expected = score_and_gradients(reference.pair_scores, arguments)
    monkeypatch.setattr("ngae.ops._library.backend", lambda function, device: "cuda")
    found = score_and_gradients(pair_scores, arguments)
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other)
    if num_pairs == 1:
        assert torch.autograd.gradcheck(pair_scores, arguments)


@pytest.mark.usefixtures("backend")
def test_gradcheck() -> None:
    arguments = draw(5, 12)
    assert torch.autograd.gradcheck(pair_scores, arguments)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_opcheck(dtype: torch.dtype) -> None:
    arguments = draw(5, 12, dtype)
    torch.library.opcheck(torch.ops.ngae.pair_scores.default, arguments)
    detached = [tensor.detach() for tensor in arguments]
    torch.library.opcheck(
        torch.ops.ngae.pair_scores_backward.default, (torch.ones(12, dtype=dtype), *detached)
    )


@pytest.mark.usefixtures("backend")
class TestCorners:
    @pytest.mark.parametrize("rows", [(3, 2), (0, 0)])
    def test_no_pairs(self, rows: tuple[int, int]) -> None:
        arguments = (*draw(5, 0, rows=(3, 2))[:3], *draw(5, 0)[3:])
        arguments = (arguments[0][: rows[0]], arguments[1][: rows[1]], *arguments[2:])
        score, *gradients = score_and_gradients(pair_scores, arguments)
        assert score.shape == (0,)
        for gradient, tensor in zip(gradients, arguments, strict=False):
            assert_close(gradient, torch.zeros_like(tensor))

    def test_not_contiguous(self) -> None:
        arguments = draw(5)
        expected = score_and_gradients(pair_scores, arguments)
        scattered = [torch.stack([t, t], dim=-1)[..., 0].detach() for t in arguments]
        assert not any(t.is_contiguous() for t in scattered)
        for tensor in scattered[:3]:
            tensor.requires_grad_()
        found = score_and_gradients(pair_scores, tuple(scattered))
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)

    def test_nan_is_not_hidden(self) -> None:
        source, target, weight, *_ = draw(5)
        source = source.detach().clone()
        source[1, 4] = torch.nan
        pairs = torch.tensor([0, 1]), torch.tensor([0, 0])
        score = pair_scores(source.requires_grad_(), target, weight, *pairs)
        assert score.isnan().tolist() == [False, True]
        assert torch.autograd.grad(score.sum(), weight)[0].isnan().any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("columns", [70, 256])
@pytest.mark.usefixtures("native")
class TestSameBits:
    def test_any_number_of_threads(
        self, columns: int, dtype: torch.dtype, threads: Callable[[int], None]
    ) -> None:
        arguments = draw(columns, 60_000, dtype, rows=(50, 50))
        threads(1)
        expected = score_and_gradients(pair_scores, arguments)
        for count in (2, 3):
            threads(count)
            found = score_and_gradients(pair_scores, arguments)
            assert all(torch.equal(one, two) for one, two in zip(found, expected, strict=True))

    def test_any_pairs_beside_a_pair(self, columns: int, dtype: torch.dtype) -> None:
        source, target, weight, pair_source, pair_target = draw(columns, 40, dtype)
        score = pair_scores(source, target, weight, pair_source, pair_target)
        part = pair_scores(source, target, weight, pair_source[7:19], pair_target[7:19])
        assert torch.equal(part, score[7:19])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": torch.zeros(3, 4)}, r"source: expected shape \(3, 5\), found \(3, 4\)"),
        ({"target": torch.zeros(2, 5).double()}, r"target: expected dtype torch.float32, found"),
        ({"weight": torch.zeros(5).int()}, r"weight: expected float32 or float64, found"),
        ({"weight": torch.zeros(5, 1)}, r"weight: expected shape \(5,\), found \(5, 1\)"),
        ({"pair_source": torch.zeros(2)}, r"pair_source: expected dtype torch.int64, found"),
        ({"pair_target": torch.zeros(3).long()}, r"pair_target: expected shape \(2,\), found"),
        ({"target": torch.zeros(2, 5, device="meta")}, r"target: expected device cpu, found meta"),
    ],
)
@pytest.mark.usefixtures("backend")
def test_refuses(change: dict[str, Tensor], message: str) -> None:
    arguments = {
        "source": torch.zeros(3, 5),
        "target": torch.zeros(2, 5),
        "weight": torch.zeros(5),
        "pair_source": torch.tensor([0, 2]),
        "pair_target": torch.tensor([1, 1]),
    }
    with pytest.raises(UsageError, match=f"pair_scores: {message}"):
        pair_scores(**{**arguments, **change})


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("number", [-1, 6])
def test_refuses_a_pair_without_a_row(number: int) -> None:
    arguments = draw(5)
    arguments[4][3] = number
    assert active_backend() == "cpp"
    with pytest.raises(IndexError, match=rf"pair_target\[3\]: expected 0..5, found {number}"):
        pair_scores(*arguments)


@pytest.mark.gpu
@pytest.mark.parametrize("num_pairs", [0, 1, 300])
def test_on_a_device(num_pairs: int, cuda_device: torch.device) -> None:
    arguments = draw(33, num_pairs, torch.float32)
    expected = score_and_gradients(reference.pair_scores, arguments)
    there = [t.detach().to(cuda_device) for t in arguments]
    for tensor in there[:3]:
        tensor.requires_grad_()
    score = pair_scores(*there)
    dscore = torch.linspace(-1, 2, num_pairs, device=cuda_device)
    found = [score, *torch.autograd.grad(score, there[:3], dscore)]
    for one, other in zip(found, expected, strict=True):
        assert_close(one.cpu(), other)
