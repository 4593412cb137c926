"""Counted shares with exact intervals: false alarms of so many decisions, slowdowns found of so many."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.stats import beta

__all__ = ["Share"]


@dataclass(frozen=True)
class Share:
    """So many of so many, with the exact interval of Clopper and Pearson [clopper1934].

    Attributes
    ----------
    count, of : int
    """

    count: int
    of: int

    @property
    def value(self) -> float:
        """In [0, 1]; nan of nothing."""
        return self.count / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds of the 95 % interval, in [0, 1]; (0, 1) of nothing."""
        tail, missed = 0.025, self.of - self.count
        low = float(beta.ppf(tail, self.count, missed + 1)) if self.count else 0.0
        high = float(beta.ppf(1 - tail, self.count + 1, missed)) if missed else 1.0
        return low, high

    @property
    def percent(self) -> str:
        """In words: 3 of 120: 2.5 (0.5 to 7.1), in per cent."""
        if not self.of:
            return "-"
        low, high = self.interval
        return f"{self.count} of {self.of}: {100 * self.value:.1f} ({100 * low:.1f} to {100 * high:.1f})"
