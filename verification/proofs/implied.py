"""Which penalty do these coefficients solve? Docs: docs/maths.md (IMPLIED)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .design import Vector
from .rounding import length

EPS = float(np.finfo(np.float64).eps)
FEWEST = 4  # penalised coefficients needed: two are fitted, two must remain to contradict them


@dataclass(frozen=True)
class Implied:
    """The penalty (l1, l2) that fits the stationarity conditions best, and by how much.

    Attributes
    ----------
    l1, l2 : float
        Fitted penalties, in the units of the problem's.
    off : float
        Relative change of the predicted u over the support, from the nominal penalties to the fitted.
    gain : float
        Residual of the stationarity at the nominal penalties over that at the fitted ones (>= rounding).
    """

    l1: float
    l2: float
    off: float
    gain: float


def implied_penalty(
    u: Vector, rounding: Vector, regressors: Vector, nominal: tuple[float, float]
) -> Implied | None:
    """Least squares of u on the two regressors over the support.

    Parameters
    ----------
    u : (k,) array
        Correlations of the projected residual with the columns of the support, scaled columns.
    rounding : (k,) array
        Rounding of u.
    regressors : (k, 2) array
        d u / d l1 = v_j sign w_j and d u / d l2 = v_j w_j, in the scale of u.
    nominal : (float, float)
        l1, l2 of the problem.

    Returns
    -------
    Implied or None
        None if the support is below FEWEST, nothing is penalised, or what fits is beyond float64.
    """
    k = u.size
    if k < FEWEST:
        return None
    a, c = _unit(regressors[:, 0]), _unit(regressors[:, 1])
    if not (math.isfinite(a[1]) and math.isfinite(c[1])):
        return None
    expected = regressors @ np.array(nominal)
    if not np.any(expected):
        return None
    with np.errstate(over="ignore"):
        l1, l2 = _fit(a, c, u, k, nominal[0] > 0)
    if not (math.isfinite(l1) and math.isfinite(l2)):
        return None  # no penalty that float64 knows
    predicted = regressors @ np.array([l1, l2])
    after = max(length(u - predicted), length(rounding))
    length_expected = length(expected)
    if length_expected == 0:
        return None  # it underflows
    off = length(predicted - expected) / length_expected
    return Implied(l1, l2, off, length(u - expected) / after if after > 0 else 1.0)


def _unit(column: Vector) -> tuple[Vector, float]:
    """Return a column divided by its length, and that: neither overflows nor underflows on the way."""
    largest = float(np.abs(column).max())
    if largest == 0 or math.isinf(largest):
        return column, largest
    scaled = column / largest
    size = length(scaled)
    return scaled / size, largest * size


def _fit(
    a: tuple[Vector, float], c: tuple[Vector, float], u: Vector, k: int, prefer_a: bool
) -> tuple[float, float]:
    """Least squares of u on two columns, given as `_unit` does, by Gram and Schmidt, twice."""
    (unit_a, size_a), (unit_c, size_c) = a, c
    cosine = float(unit_a @ unit_c)
    if size_a > 0 and size_c > 0 and 1 - cosine**2 > k * EPS:
        rest = unit_c - cosine * unit_a
        again = float(unit_a @ rest)
        rest = rest - again * unit_a
        along_a = float(unit_a @ u)
        along_c = float(rest @ (u - along_a * unit_a)) / float(rest @ rest)
        return _over(along_a - (cosine + again) * along_c, size_a), _over(along_c, size_c)
    # all |w_j| alike: one penalty explains what the other does
    if size_c == 0 or (size_a > 0 and prefer_a):
        return _over(float(unit_a @ u), size_a), 0.0
    return 0.0, _over(float(unit_c @ u), size_c)


def _over(multiple: float, size: float) -> float:
    """Return multiple / size; 0 where there is no column."""
    return multiple / size if size > 0 else 0.0
