"""What is timed: cases that the pytest files and the report share. Nothing here takes a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from ngae.ops._library import forced

Answer = Sequence[Tensor]
Call = Callable[[], Answer]
Precision = Literal["float32", "bf16"]

HIDDEN_DIMS = (128, 256, 501, 512)
BATCH_SIZES = (1, 32, 256, 4096)


@dataclass(frozen=True)
class Variant:
    """One way to do the same work.

    Attributes:
        ops: Backend of the ops, as NGAE_OPS has it; "" is the device's own.
        precision: "float32" or "bf16".
    """

    ops: str
    precision: Precision

    @property
    def name(self) -> str:
        """Its name in tables."""
        if self.ops != "torch":
            return self.precision
        return "torch" if self.precision == "float32" else f"torch, {self.precision}"


NATIVE, BF16, PLAIN = Variant("cpp", "float32"), Variant("cpp", "bf16"), Variant("torch", "float32")
VARIANTS = (NATIVE, BF16, PLAIN)


@dataclass(frozen=True)
class Case:
    """One thing to time.

    Attributes:
        name: What is done, at which size.
        unit: Of the rate.
        amount: How many of what the unit counts one call does.
        make: `make(ops, precision)` prepares everything; the result does the work once and gives
            its answer. First calls of different variants give the same answer.
        flops: Counts the operations of a call, see `bench.flops`.
        variants: Plain PyTorch in float32 is what the others' speed is compared with.
        gradients: The answer has gradients, see `check_answer`.
    """

    name: str
    unit: str
    amount: int
    make: Callable[[str, Precision], Call]
    flops: Callable[[], int]
    variants: tuple[Variant, ...] = VARIANTS
    gradients: bool = False

    def expected(self, precision: Precision) -> Answer:
        """What plain PyTorch answers, with the same operands rounded."""
        return self.call(Variant(PLAIN.ops, precision))()

    def call(self, variant: Variant) -> Call:
        """Prepare one variant; its backend is active during each call only."""
        with forced(variant.ops):
            work = self.make(variant.ops, variant.precision)

        def once() -> Answer:
            with forced(variant.ops):
                return work()

        return once


def check_answer(case: Case, variant: Variant, found: Answer, expected: Answer) -> None:
    """Compare with plain PyTorch in the same precision.

    Numbers in float32 agree within `assert_close`'s tolerances, relative to the largest of each
    tensor; those in bf16 within 1 % of their length, since a last bit of float32 may round to the
    next bfloat16; so do gradients, since a ReLU's input near 0 may round to either side. Decisions
    (integers) agree to 99.9 %.

    Raises:
        AssertionError: They do not.
    """
    exact = variant.precision == "float32" and not case.gradients
    for number, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        what = f"{case.name}, {variant.name}: part {number} of the answer"
        if not ours.dtype.is_floating_point:
            share = float((ours == theirs).double().mean())
            assert share > 0.999, f"{what}: {share:.2%} as plain PyTorch"
        elif exact:
            scale = theirs.abs().max().clamp_min(1e-30)
            torch.testing.assert_close(
                ours / scale, theirs / scale, msg=partial("{}: {}".format, what)
            )
        else:
            distance = float((ours - theirs).norm() / theirs.norm().clamp_min(1e-30))
            assert distance < 0.01, f"{what}: {distance:.2g} of its length from plain PyTorch"
