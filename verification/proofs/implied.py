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
    a, c = (_Regressor.of(column) for column in regressors.T)
    if not (math.isfinite(a.length) and math.isfinite(c.length)):
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


@dataclass(frozen=True)
class _Regressor:
    """A column and its length, which neither overflows nor underflows on the way."""

    unit: Vector  # (k,) of length 1, or zero
    length: float

    @staticmethod
    def of(column: Vector) -> _Regressor:
        largest = float(np.max(np.abs(column)))
        if largest == 0 or math.isinf(largest):
            return _Regressor(column, largest)
        scaled = column / largest
        size = length(scaled)
        return _Regressor(scaled / size, largest * size)


def _fit(a: _Regressor, c: _Regressor, u: Vector, k: int, prefer_a: bool) -> tuple[float, float]:
    """Least squares of u on the two columns by Gram and Schmidt, twice: the multiples of them, (IMPLIED)."""
    cosine = float(a.unit @ c.unit)
    if a.length > 0 and c.length > 0 and 1 - cosine**2 > k * EPS:
        rest = c.unit - cosine * a.unit
        again = float(a.unit @ rest)
        rest = rest - again * a.unit
        along_a = float(a.unit @ u)
        along_c = float(rest @ (u - along_a * a.unit)) / float(rest @ rest)
        return _over(along_a - (cosine + again) * along_c, a.length), _over(along_c, c.length)
    # all |w_j| alike: one penalty explains what the other does
    if c.length == 0 or (a.length > 0 and prefer_a):
        return _over(float(a.unit @ u), a.length), 0.0
    return 0.0, _over(float(c.unit @ u), c.length)


def _over(multiple: float, size: float) -> float:
    """Return multiple / size; 0 where there is no column."""
    return multiple / size if size > 0 else 0.0
