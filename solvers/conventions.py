"""How other libraries write (P): every translation of penalties and tolerances, both ways, in one place.

Each pair is proven by a test that solves through the library and compares with (P). Everywhere ``l1``
and ``l2`` are those of (P), with its 1/(2S) in front of the loss; S is the sum of the sample weights
(n without any), y (n,) the response, s (n,) the sample weights, v (p,) the penalty weights, and

    N = ||y - mean||_s^2 / (2S)     the mean is left out without intercept

the unit of relative gaps (docs/maths.md, N) where every column is penalised.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


def null_loss(y: Vector, intercept: bool, s: Vector | None = None) -> float:
    """N where every column is penalised: the loss of the intercept alone, with its rounding floor."""
    s = np.ones(y.size) if s is None else s
    S = float(s.sum())
    r = y - float(s @ y) / S if intercept else y
    return max(float(s @ (r * r)), 2.0**-104 * float(s @ (y * y))) / (2 * S)


# ---------------------------------------------------------------------- scikit-learn


def to_sklearn_elastic_net(l1: float, l2: float) -> tuple[float, float]:
    """(alpha, l1_ratio) of scikit-learn's ElasticNet, whose loss also has 1/(2n); alpha > 0 needed.

    Sample weights are rescaled there to sum to n, so that nothing else changes with them.
    """
    alpha = l1 + l2
    return alpha, l1 / alpha


def from_sklearn_elastic_net(alpha: float, l1_ratio: float) -> tuple[float, float]:
    """(l1, l2) from scikit-learn's ElasticNet."""
    return alpha * l1_ratio, alpha * (1 - l1_ratio)


def to_sklearn_tol(tol: float) -> float:
    """Their tol for a relative gap of (P): they compare the gap with tol ||y - mean||_s^2 / S, twice N."""
    return tol / 2


def from_sklearn_tol(tol: float) -> float:
    """Relative gap of (P) from their tol."""
    return 2 * tol


def to_sklearn_ridge(l2: float, S: float) -> float:
    """Alpha of scikit-learn's Ridge, whose loss has no 1/(2n): S l2, S the sum of the weights."""
    return S * l2


def from_sklearn_ridge(alpha: float, S: float) -> float:
    """l2 from scikit-learn's Ridge."""
    return alpha / S
