"""Sums of the objective's terms over an epoch, kept on the device and read when it is time.

Reading makes the host wait for the device, so a GPU would idle after every step that is read.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ngae.models.loss import TERM_NAMES, Terms

NAMES = ("objective", *TERM_NAMES)
_STEPS_BETWEEN_READINGS = 50


def steps_between_readings(device: torch.device) -> int:
    """Return after how many steps the host reads the terms: on the CPU, where it is free, each."""
    return 1 if device.type == "cpu" else _STEPS_BETWEEN_READINGS


def values_of(total: Tensor, terms: Terms) -> Tensor:
    """Return the objective and its terms without gradient, (len(NAMES),)."""
    return torch.stack([total.detach(), *terms.as_dict().values()])


class TermSums:
    """The objective and its terms, summed over steps.

    A sum is finite only where all its terms are, so a term that is not is found at the next
    reading, however many steps later.

    Args:
        device: Where the terms are computed.
        every: Steps between two readings.

    Attributes:
        sums: float64 (len(NAMES),) on the device.
        unread: Numbers of the steps that were added since the last reading.
    """

    def __init__(self, device: torch.device, every: int) -> None:
        self.every = every
        self.sums = torch.zeros(len(NAMES), dtype=torch.float64, device=device)
        self.unread = range(0)

    @property
    def is_due(self) -> bool:
        """Whether it is time to read."""
        return len(self.unread) >= self.every

    def add(self, step: int, values: Tensor) -> None:
        """Add `values_of` the step with this number, the one after the last."""
        self.unread = range(self.unread.start if self.unread else step, step + 1)
        self.sums = self.sums + values.double()

    def read(self) -> list[float]:
        """Return the sums, in the order of NAMES; waits for the device."""
        self.unread = range(0)
        return self.sums.tolist()

    def restore(self, sums: Tensor) -> None:
        """Go on from sums that were saved, on any device; terms that did not exist then are 0."""
        known = sums.to(self.sums)
        self.sums = torch.cat([known, self.sums.new_zeros(len(NAMES) - len(known))])

    def clear(self) -> None:
        """Begin again from 0."""
        self.sums = torch.zeros_like(self.sums)
        self.unread = range(0)
