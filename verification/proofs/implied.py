"""Which penalty do these coefficients solve? Docs: docs/maths.md (IMPLIED)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .design import Vector

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
    largest = np.max(np.abs(regressors), axis=0, initial=0.0)
    with np.errstate(invalid="ignore"):  # infinite ones are refused below
        length = largest * np.linalg.norm(regressors / np.where(largest > 0, largest, 1.0), axis=0)
    if k < FEWEST or not np.all(np.isfinite(length)):
        return None
    expected = regressors @ np.array(nominal)
    if not np.any(expected):
        return None
    kept = [c for c in (0, 1) if length[c] > 0]
    if len(kept) == 2:
        cosine = (regressors[:, 0] / length[0]) @ (regressors[:, 1] / length[1])
        if 1 - cosine**2 <= k * EPS:
            kept = [0 if nominal[0] > 0 else 1]  # all |w_j| alike: one penalty explains what the other does
    A = regressors[:, kept] / length[kept]
    fitted = np.zeros(2)
    with np.errstate(over="ignore"):
        fitted[kept] = np.linalg.lstsq(A, u, rcond=None)[0] / length[kept]
    if not np.all(np.isfinite(fitted)):
        return None  # no penalty that float64 knows
    predicted = regressors @ fitted
    floor = float(np.linalg.norm(rounding))
    before = float(np.linalg.norm(u - expected))
    after = max(float(np.linalg.norm(u - predicted)), floor)
    length_expected = float(np.linalg.norm(expected))
    if length_expected == 0:
        return None  # it underflows
    off = float(np.linalg.norm(predicted - expected)) / length_expected
    return Implied(float(fitted[0]), float(fitted[1]), off, before / after if after > 0 else 1.0)
