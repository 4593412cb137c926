"""How far rounded sums may be off, docs/maths.md (ROUND), [higham2019].

Two bounds: the worst case, and one under the model that rounding errors are independent with mean zero. In
the model the errors of many sums add like random numbers, so the two combine differently.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .design import Vector

UNIT = 2.0**-53  # unit roundoff of float64, round to nearest
FAILURE = 1e-6  # probability, under the model, that an estimate is exceeded


def length(v: Vector) -> Any:
    """Euclidean norm of v, (n,); of each row of v, (k, n): (k,)."""
    return math.sqrt(v @ v) if v.ndim == 1 else np.sqrt(np.einsum("ki,ki->k", v, v))


@dataclass(frozen=True)
class Rounding:
    """Relative rounding of sums (or inner products) whose terms pass through n operations each.

    Parameters
    ----------
    n : int
        Operations, >= 1.
    sums : int
        How many sums share the probability FAILURE, >= 1.
    """

    n: int
    sums: int = 1

    @property
    def confidence(self) -> float:
        """Lambda: how many standard deviations FAILURE allows, Theorem 3.1 of [higham2019]."""
        return math.sqrt(2 * math.log(2 * self.n * self.sums / FAILURE)) / (1 - UNIT)

    @property
    def worst(self) -> float:
        """The classical n u / (1 - n u), to be multiplied by the sum of the absolute values of the terms."""
        return self.n * UNIT / (1 - self.n * UNIT)

    @property
    def likely(self) -> float:
        """exp(lambda sqrt(n) u + n u^2 / (1 - u)) - 1, likewise."""
        exponent = self.confidence * math.sqrt(self.n) * UNIT + self.n * UNIT**2 / (1 - UNIT)
        return math.expm1(exponent)

    @cached_property
    def one(self) -> float:
        """The smaller of the two: for each single sum."""
        return min(self.worst, self.likely)

    def total(self, sizes: Vector) -> Any:
        """Bound the error of a sum of independent sums of the given sizes, (m,): linear or quadratic.

        Of each row of sizes, (k, m): (k,).
        """
        return np.minimum(self.worst * np.sum(sizes, axis=-1), self.likely * length(sizes))
