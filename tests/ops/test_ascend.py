"""`ascend`: by hand, against the reference, and its promises of equality."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ngae.errors import UsageError
from ngae.ops import PredictorParameters, ascend, reference

LATENT, HIDDEN = 5, 19


def predictor(
    hidden: int = HIDDEN,
    outputs: int = 1,
    dtype: torch.dtype = torch.float32,
    latent: int = LATENT,
    seed: int = 1,
) -> PredictorParameters:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        values = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return (values / shape[-1] ** 0.5).to(dtype)

    return PredictorParameters(
        first=draw(hidden, latent),
        first_bias=draw(hidden),
        second=draw(hidden, hidden),
        second_bias=draw(hidden),
        output=draw(outputs, hidden),
        output_bias=draw(outputs),
        coefficient=draw(outputs),
    )


def points(count: int, dtype: torch.dtype = torch.float32, latent: int = LATENT) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(count, latent, generator=generator, dtype=torch.float64).to(dtype)


def linear(dtype: torch.dtype = torch.float64, sign: float = 1.0) -> PredictorParameters:
    """A predictor of two latent dimensions whose gradient points along sign * (3, 4)."""
    return PredictorParameters(
        *(
            torch.tensor(values, dtype=dtype)
            for values in (
                [[3.0, 4.0]], [100.0], [[1.0]], [0.0], [[0.01]], [-1.0], [sign],
            )
        )
    )  # fmt: skip


@pytest.mark.usefixtures("backend")
class TestByHand:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_steps_along_the_gradient(self, dtype: torch.dtype, sign: float) -> None:
        starts = torch.tensor([[0.0, 0.0], [1.0, -0.5]], dtype=dtype)
        found = ascend(starts, [linear(dtype, sign)], step_size=0.1, keep=[0, 1, 3])
        step = sign * 0.1 * math.sqrt(2) * torch.tensor([0.6, 0.8], dtype=dtype)
        expected = torch.stack([starts, starts + step, starts + 3 * step])
        torch.testing.assert_close(found, expected)

    def test_points_are_drawn_back_to_the_radius(self) -> None:
        starts = torch.tensor([[2.0, 2.5]], dtype=torch.float64)
        found = ascend(starts, [linear()], step_size=1.0, keep=[1])
        moved = starts + math.sqrt(2) * torch.tensor([[0.6, 0.8]], dtype=torch.float64)
        expected = moved * 1.5 * math.sqrt(2) / moved.norm()
        torch.testing.assert_close(found, expected[None])

    def test_opposite_predictors_cancel(self) -> None:
        starts = torch.tensor([[0.25, -0.5]], dtype=torch.float64)
        found = ascend(starts, [linear(), linear(sign=-1.0)], step_size=0.5, keep=[2])
        assert torch.equal(found, starts[None])

    def test_a_flat_score_moves_nothing(self) -> None:
        flat = linear()._replace(output=torch.zeros(1, 1, dtype=torch.float64))
        dead = linear()._replace(first_bias=torch.tensor([-1e3], dtype=torch.float64))
        starts = torch.tensor([[0.25, -0.5], [0.0, 0.0]], dtype=torch.float64)
        for one in (flat, dead):
            assert torch.equal(ascend(starts, [one], step_size=1.0, keep=[5])[0], starts)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("latent", "sizes"),
    [(5, [(19, 1)]), (56, [(64, 1), (40, 3)]), (1, [(1, 2)]), (33, [(7, 2), (300, 1), (5, 1)])],
)
@pytest.mark.usefixtures("native")
def test_equals_reference(dtype: torch.dtype, latent: int, sizes: list[tuple[int, int]]) -> None:
    predictors = [
        predictor(hidden, outputs, dtype, latent, seed)
        for seed, (hidden, outputs) in enumerate(sizes)
    ]
    for count in (1, 61):
        starts = points(count, dtype, latent)
        found = ascend(starts, predictors, step_size=0.05, keep=[4, 0, 2, 2])
        expected = reference.ascend(starts, predictors, step_size=0.05, keep=[4, 0, 2, 2])
        torch.testing.assert_close(found, expected)
        assert torch.equal(found[1], starts)
        assert torch.equal(found[2], found[3])


@pytest.mark.usefixtures("native")
def test_long_ascents_equal_the_reference() -> None:
    predictors = [predictor(64, 1, torch.float64), predictor(64, 2, torch.float64, seed=4)]
    starts = points(30, torch.float64)
    keep = [50, 10]
    found = ascend(starts, predictors, step_size=0.02, keep=keep)
    torch.testing.assert_close(
        found, reference.ascend(starts, predictors, step_size=0.02, keep=keep)
    )


@pytest.mark.usefixtures("native")
def test_bf16_rounds_the_operands_of_products() -> None:
    """A last bit of float32 may round to the next bfloat16: compare whole steps."""
    predictors, starts = (
        [predictor(64, 1, latent=33), predictor(40, 2, latent=33)],
        points(61, latent=33),
    )
    arguments = {"step_size": 0.05, "keep": [1]}
    found, expected, exact = (
        op(starts, predictors, precision=precision, **arguments)[0] - starts
        for op, precision in ((ascend, "bf16"), (reference.ascend, "bf16"), (ascend, "float32"))
    )
    assert (found - expected).norm() < 1e-3 * expected.norm()
    assert 1e-3 * exact.norm() < (found - exact).norm() < 5e-2 * exact.norm()


@pytest.mark.usefixtures("native")
class TestPromises:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_same_for_any_number_of_threads(
        self, threads: Callable[[int], None], dtype: torch.dtype
    ) -> None:
        predictors = [predictor(150, 2, dtype), predictor(64, 1, dtype)]
        results = []
        for count in (1, 2, 3):
            threads(count)
            results.append(ascend(points(300, dtype), predictors, step_size=0.1, keep=[7, 3]))
        assert torch.equal(results[1], results[0])
        assert torch.equal(results[2], results[0])

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_same_for_any_points_beside(self, dtype: torch.dtype) -> None:
        predictors, starts = [predictor(dtype=dtype)], points(140, dtype)
        whole = ascend(starts, predictors, step_size=0.1, keep=[9])
        for size in (1, 9, 77):
            parts = [
                ascend(part, predictors, step_size=0.1, keep=[9]) for part in starts.split(size)
            ]
            assert torch.equal(torch.cat(parts, dim=1), whole)


@pytest.mark.usefixtures("backend")
class TestEdges:
    def test_no_points_and_nothing_kept(self) -> None:
        assert ascend(points(0), [predictor()], step_size=0.1, keep=[3, 1]).shape == (2, 0, LATENT)
        assert ascend(points(4), [predictor()], step_size=0.1, keep=[]).shape == (0, 4, LATENT)

    def test_what_is_not_contiguous(self) -> None:
        starts, one = points(20), predictor(outputs=2)
        scattered = PredictorParameters(*(torch.stack([t, t], -1)[..., 0] for t in one))
        found = ascend(starts.t().clone().t(), [scattered], step_size=0.1, keep=[3])
        expected = ascend(starts, [one], step_size=0.1, keep=[3])
        torch.testing.assert_close(found, expected)

    def test_inputs_stay_and_nothing_has_a_gradient(self) -> None:
        starts = points(6).requires_grad_()
        before = starts.detach().clone()
        one = PredictorParameters(*(t.requires_grad_() for t in predictor()))
        found = ascend(starts, [one], step_size=0.1, keep=[0, 2])
        assert not found.requires_grad
        assert torch.equal(starts, before)

    def test_a_point_that_is_not_a_number_stays_alone(self) -> None:
        starts = points(3)
        starts[1, 2] = math.nan
        found = ascend(starts, [predictor()], step_size=0.1, keep=[2])[0]
        assert found.isnan().any(dim=1).tolist() == [False, True, False]

    @pytest.mark.parametrize("name", ["first", "first_bias", "second", "second_bias", "output"])
    def test_a_weight_that_is_not_a_number_is_not_hidden(self, name: str) -> None:
        one = predictor()
        getattr(one, name).view(-1)[0] = math.nan
        assert ascend(points(3), [one], step_size=0.1, keep=[1]).isnan().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_opcheck(dtype: torch.dtype) -> None:
    weights = [*predictor(dtype=dtype), *predictor(7, 3, dtype)]
    torch.library.opcheck(
        torch.ops.ngae.ascend.default, (points(4, dtype), weights, 0.1, [2, 0], False)
    )


def test_compiles() -> None:
    one = predictor()

    def climb(z: Tensor) -> Tensor:
        return ascend(2 * z, [one], step_size=0.1, keep=[3]) + 1

    compiled = torch.compile(climb, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(points(4)), climb(points(4)))


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"first": torch.zeros(19, 4)}, r"first: expected shape \(19, 5\), found \(19, 4\)"),
            ({"second": torch.zeros(19, 5)}, r"second: expected shape \(19, 19\)"),
            ({"second_bias": torch.zeros(4)}, r"second_bias: expected shape \(19,\)"),
            ({"output": torch.zeros(19)}, r"output: expected shape \(1, 19\), found \(19,\)"),
            ({"coefficient": torch.zeros(2)}, r"coefficient: expected shape \(1,\)"),
            ({"output": torch.zeros(1, 19).double()}, "output: expected dtype torch.float32"),
            ({"output_bias": torch.zeros(0)}, "output_bias: expected at least one number"),
            ({"first_bias": torch.zeros(0)}, "first_bias: expected at least one number"),
        ],
    )
    def test_weights(self, change: dict[str, Tensor], message: str) -> None:
        with pytest.raises(UsageError, match=f"ascend: {message}"):
            ascend(points(2), [predictor()._replace(**change)], step_size=0.1, keep=[1])

    @pytest.mark.parametrize(
        ("starts", "message"),
        [
            (torch.zeros(5), "starts: expected dimensions 2, found 1"),
            (torch.zeros(2, 0), "starts: expected at least one column, found none"),
            (torch.zeros(2, 5).half(), "starts: expected float32 or float64, found torch.float16"),
        ],
    )
    def test_starts(self, starts: Tensor, message: str) -> None:
        with pytest.raises(UsageError, match=f"ascend: {message}"):
            ascend(starts, [predictor()], step_size=0.1, keep=[1])

    def test_steps_and_predictors(self) -> None:
        with pytest.raises(
            UsageError, match="ascend: keep: expected step numbers from 0, found -1"
        ):
            ascend(points(2), [predictor()], step_size=0.1, keep=[3, -1])
        with pytest.raises(UsageError, match="predictors: expected at least one, found none"):
            ascend(points(2), [], step_size=0.1, keep=[1])

    def test_precision(self) -> None:
        message = "ascend: precision: expected float32 or bf16 for torch.float32, found 'half'"
        with pytest.raises(UsageError, match=message):
            ascend(points(2), [predictor()], step_size=0.1, keep=[1], precision="half")
