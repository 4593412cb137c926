"""How far a sum of n rounded terms may be off, docs/maths.md (ROUND), [higham2019]."""

from __future__ import annotations

import math

UNIT = 2.0**-53  # unit roundoff of float64, round to nearest
FAILURE = 1e-6  # probability, under the model of [higham2019], that a certificate's estimate is exceeded


def gamma(n: int, sums: int = 1) -> float:
    """Relative bound on the rounding of `sums` sums (or inner products) of n terms each.

    Parameters
    ----------
    n : int
        Operations that one term can pass through, >= 1.
    sums : int
        How many such sums share the failure probability, >= 1.

    Returns
    -------
    float
        The smaller of the classical n u / (1 - n u) and of
        exp(lambda sqrt(n) u + n u^2 / (1 - u)) - 1, Theorem 3.1 of [higham2019]; lambda follows from FAILURE.
        Multiply by the sum of the absolute values of the terms.
    """
    worst = n * UNIT / (1 - n * UNIT)
    confidence = math.sqrt(2 * math.log(2 * n * sums / FAILURE)) / (1 - UNIT)
    likely = math.expm1(confidence * math.sqrt(n) * UNIT + n * UNIT**2 / (1 - UNIT))
    return min(worst, likely)
