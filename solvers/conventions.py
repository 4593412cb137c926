"""How other libraries write (P): every translation of penalties and tolerances, both ways, in one place.

Each pair is proven by a test that solves through the library and compares with (P). Everywhere ``l1``
and ``l2`` are those of (P), with its 1/(2S) in front of the loss; S is the sum of the sample weights
(n without any), y (n,) the response, s (n,) the sample weights, v (p,) the penalty weights, and

    N = ||y - mean||_s^2 / (2S)     the mean is left out without intercept

the unit of relative gaps (docs/maths.md, N) where every column is penalised.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


HELD = 1e-4  # share of a penalty that may be lost: beyond it (IMPLIED) calls it another one


def null_loss(y: Vector, intercept: bool, s: Vector | None = None) -> float:
    """N where every column is penalised: the loss of the intercept alone, with its rounding floor."""
    s = np.ones(y.size) if s is None else s
    S = float(s.sum())
    r = y - float(s @ y) / S if intercept else y
    return max(float(s @ (r * r)), 2.0**-104 * float(s @ (y * y))) / (2 * S)


# ---------------------------------------------------------------------- scikit-learn


def lost(l1: float, l2: float, back: tuple[float, float]) -> str | None:
    """Say which penalty a library's strength and ratio do not hold, or None.

    Parameters
    ----------
    l1, l2 : float
    back : (float, float)
        What they come back as. A ratio has 53 bits: beside an l1 that is 1e16 times as large nothing is
        left of l2, however much it weighs beside the columns.
    """
    if not (l1 > 0 and l2 > 0):
        return None
    for name, penalty, found in (("l1", l1, back[0]), ("l2", l2, back[1])):
        if not abs(found - penalty) <= HELD * penalty:
            return f"its strength and ratio do not hold {name} = {penalty:.0e} beside the other: rescale X, y"
    return None


def unheld(problem: Any) -> str | None:
    """Say which penalty of a problem a strength and a ratio in scikit-learn's manner do not hold, or None."""
    l1, l2 = problem.l1, problem.l2
    return lost(l1, l2, from_sklearn_elastic_net(*to_sklearn_elastic_net(l1, l2))) if l1 > 0 else None


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


# ---------------------------------------------------------------------- celer


def to_celer(l1: float, l2: float) -> tuple[float, float]:
    """(alpha, l1_ratio) of celer: scikit-learn's convention, with v on the whole penalty as in (P).

    (The docstring of ``celer_path`` leaves out the 1/2 of the L2 term; its code has it.)
    """
    return to_sklearn_elastic_net(l1, l2)


def from_celer(alpha: float, l1_ratio: float) -> tuple[float, float]:
    """(l1, l2) from celer."""
    return from_sklearn_elastic_net(alpha, l1_ratio)


def to_celer_tol(tol: float) -> float:
    """Their tol for a relative gap of (P): gap <= tol ||y - mean||^2 / n, with tol kept in 32 bits."""
    return tol / 2


def from_celer_tol(tol: float) -> float:
    """Relative gap of (P) from their tol."""
    return 2 * tol


# ---------------------------------------------------------------------- skglm


def to_skglm(l1: float, l2: float) -> tuple[float, float]:
    """(alpha, l1_ratio) of skglm's L1_plus_L2; alpha alone is l1 for its L1 and WeightedL1."""
    return to_sklearn_elastic_net(l1, l2)


def from_skglm(alpha: float, l1_ratio: float) -> tuple[float, float]:
    """(l1, l2) from skglm's L1_plus_L2."""
    return from_sklearn_elastic_net(alpha, l1_ratio)


def to_skglm_tol(tol: float, l1_max: float, curvature: float = 1.0) -> float:
    """Their tol: the largest distance of a gradient entry to the subdifferential, absolute, in units of l1.

    It bounds no gap. tol is taken as a fraction of l1_max, the largest gradient entry at w = 0. With
    ``ws_strategy="fixpoint"`` they measure the move of a coefficient by one step instead: the gradient
    over the curvature ||x_j||_s^2 / S of its column, the largest of which is to be passed.
    """
    return tol * (l1_max or 1.0) / curvature


def from_skglm_tol(tol: float, l1_max: float, curvature: float = 1.0) -> float:
    """Fraction of l1_max from their tol."""
    return tol * curvature / (l1_max or 1.0)


# ---------------------------------------------------------------------- glmnet


def to_glmnet(l1: float, l2: float, y_sd: float, v_mean: float = 1.0) -> tuple[float, float]:
    """(lambda, alpha) of glmnet, which divides y by its sd and the penalty factors by their mean.

    Parameters
    ----------
    y_sd : float
        Population sd of y, weighted by s, about its mean *also without intercept*: see ``glmnet_y_sd``.
    v_mean : float
        Mean of the penalty factors as they are passed, those of excluded columns included.

    Notes
    -----
    With y/sd the coefficients become w/sd, so the L1 term scales as the loss does times 1/sd, and the
    L2 term does not: lambda alpha = l1 and lambda (1 - alpha) = l2 sd. The factors scale both terms.
    """
    lam = l1 + l2 * y_sd
    return lam * v_mean, l1 / lam


def from_glmnet(lam: float, alpha: float, y_sd: float, v_mean: float = 1.0) -> tuple[float, float]:
    """(l1, l2) from glmnet's (lambda, alpha)."""
    lam /= v_mean
    return lam * alpha, lam * (1 - alpha) / y_sd


def glmnet_y_sd(y: Vector, s: Vector) -> float:
    """Population sd of y about its mean, weighted by s: what glmnet divides y by, intercept or not."""
    r = y - float(s @ y) / float(s.sum())
    return math.sqrt(float(s @ (r * r)) / float(s.sum()))


def glmnet_factors(v: Vector) -> Vector:
    """Penalty factors to pass: 1 where v is inf, since such columns are excluded by their index."""
    return np.where(np.isinf(v), 1.0, v)


def to_glmnet_thresh(tol: float) -> float:
    """Their thresh: the largest ||x_j||_s^2 dw_j^2 / (S var y) of a sweep, twice one coordinate's gain."""
    return tol


def from_glmnet_thresh(thresh: float) -> float:
    """Largest gain of one coordinate over N, from their thresh."""
    return thresh


# ---------------------------------------------------------------------- adelie


def to_adelie(l1: float, l2: float) -> tuple[float, float]:
    """(lmda, alpha) of adelie: as scikit-learn's, neither y nor the penalty factors are rescaled."""
    return to_sklearn_elastic_net(l1, l2)


def from_adelie(lmda: float, alpha: float) -> tuple[float, float]:
    """(l1, l2) from adelie."""
    return from_sklearn_elastic_net(lmda, alpha)


def to_adelie_tol(tol: float, N: float, covariance: bool) -> float:
    """Their tol: the largest ||x_j||_s^2 dw_j^2 / S of a sweep; over 2 N, but absolute if by covariance."""
    return 2 * N * tol if covariance else tol


def from_adelie_tol(tol: float, N: float, covariance: bool) -> float:
    """Gain of one coordinate over N, from their tol."""
    return tol / (2 * N) if covariance else tol


# ---------------------------------------------------------------------- others, for the record


def to_benchopt_lasso(l1: float, n: int) -> float:
    """Lmbd of benchopt's benchmark_lasso, 1/2 ||y - Xw||^2 + lmbd |w|_1: no 1/n."""
    return n * l1


def from_benchopt_lasso(lmbd: float, n: int) -> float:
    """l1 from benchopt's benchmark_lasso."""
    return lmbd / n


def to_statsmodels(l1: float, l2: float) -> tuple[float, float]:
    """(alpha, L1_wt) of statsmodels' OLS.fit_regularized("elastic_net"): 1/(2n), as scikit-learn's."""
    return to_sklearn_elastic_net(l1, l2)


def from_statsmodels(alpha: float, L1_wt: float) -> tuple[float, float]:
    """(l1, l2) from statsmodels."""
    return from_sklearn_elastic_net(alpha, L1_wt)


def to_lars(l1: float, n: int) -> float:
    """Lambda of R's lars: the largest absolute correlation X_j'r, no 1/n (its columns have norm 1)."""
    return n * l1


def from_lars(lam: float, n: int) -> float:
    """l1 from R's lars, for the columns as they were passed to it."""
    return lam / n
