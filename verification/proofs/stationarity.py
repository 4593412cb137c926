"""How far a point is from stationarity, free of units, docs/maths.md (KKT)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .design import Vector
from .rounding import length
from .scaled import Scaled


def violation(scaled: Scaled, w: Vector, u: Vector, r: Vector) -> Any:
    """Largest distance of u_j from the subdifferential over max(||x_j|| ||y - c|| / S, l1_j).

    Parameters
    ----------
    scaled : Scaled
    w, u : (q,) array
        Scaled coefficients, and the correlations of the columns with r.
    r : (n,) array
        Weighted residual.

    Each of them may be as many rows, for as many points: (k,) violations then.
    """
    penalty, S = scaled.penalty, scaled.S
    excess = np.maximum(penalty.towards(u) - penalty.l1, 0.0)
    distance = np.where(w == 0, excess, np.abs(u - np.sign(w) * penalty.l1 - penalty.l2 * w))
    longest = length(scaled.y)
    size = np.maximum(scaled.design.norm * longest / S, penalty.l1)
    with np.errstate(divide="ignore", over="ignore"):
        ratios = np.divide(distance, size, out=np.zeros_like(distance), where=distance != 0)
    worst = np.max(ratios, axis=-1, initial=0.0)
    if scaled.problem.intercept:
        lean, size = np.abs(r @ scaled.design.root) / S, longest / math.sqrt(S)
        with np.errstate(over="ignore"):
            worst = np.maximum(worst, lean / size if size > 0 else np.where(lean == 0, 0.0, np.inf))
    return worst


def ratio(value: float, scale: float) -> float:
    """Return value / scale, with 0 / 0 = 0 and positive / 0 = inf."""
    if scale > 0:
        return value / scale
    return 0.0 if value == 0 else math.inf
