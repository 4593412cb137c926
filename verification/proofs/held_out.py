"""How far predictions on rows left out may be from the optimum's, by a certificate; docs/maths.md (HELD)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr, solve_triangular

from solvers import Problem

from .certificate import Certificate

LARGEST = 500  # features that may be in use: a QR of n rows and as many columns for each point
EPS = float(np.finfo(np.float64).eps)

Known = tuple[NDArray[np.float64], float]


def held_out_reach(
    problem: Problem,
    X: Any,
    s: NDArray[np.float64],
    coef: ArrayLike,
    intercept: float,
    certificate: Certificate,
    known: dict[bytes, Known] | None = None,
) -> float:
    """Bound the root mean square difference of an answer's predictions from the optimum's on other rows.

    Parameters
    ----------
    problem : Problem
        That the answer was computed for.
    X : (m, p) array or sparse array
        The rows left out.
    s : (m,) array
        Their weights.
    coef, intercept
        The answer.
    certificate : Certificate
        Of the answer, for `problem`.
    known : dict, optional
        Kept by the caller from point to point of the same data: what depends on the columns in use alone.

    Returns
    -------
    float
        In units of y; inf where the columns that may be in use are dependent, or too many.
    """
    if certificate.gap is None or certificate.radius is None or not s.any():
        return math.inf if s.any() else 0.0
    w = np.asarray(coef, dtype=np.float64)
    F = np.flatnonzero((~certificate.certified_zeros | (w != 0)) & np.isfinite(problem.v))
    if F.size > min(problem.n - 1, LARGEST):
        return math.inf
    known = {} if known is None else known
    key = F.tobytes()
    if key not in known:
        known[key] = _of_columns(problem, X, s, F)
    mean, spread = known[key]
    if math.isinf(spread):
        return math.inf
    S, lean = problem.S, 0.0
    if problem.intercept:
        lean = abs(float(problem.s @ (problem.y - intercept)) / S - float(mean @ w[F]))
    return lean + spread * math.sqrt(2 * S * (certificate.gap + certificate.radius))


def _of_columns(problem: Problem, X: Any, s: NDArray[np.float64], F: NDArray[np.intp]) -> Known:
    """Return the means of the columns F, zero without an intercept, and the spread of those left out."""
    A, M = _columns(problem.X, F), _columns(X, F)
    mean = problem.s @ A / problem.S if problem.intercept else np.zeros(F.size)
    if not F.size:
        return mean, 0.0
    A, M = np.sqrt(problem.s)[:, None] * (A - mean), np.sqrt(s / s.sum())[:, None] * (M - mean)
    return mean, _spread(A, M)


def _spread(A: NDArray[np.float64], M: NDArray[np.float64]) -> float:
    """Return the largest ||M w|| over ||A w|| = 1; inf where the columns of A (n, k) are dependent."""
    norm = np.linalg.norm(A, axis=0)
    if not norm.all():
        return math.inf
    R = qr(A / norm, mode="r")[0][: A.shape[1]]
    diagonal = np.abs(np.diag(R))
    if diagonal.min() <= max(A.shape) * EPS * diagonal.max():
        return math.inf
    return float(np.linalg.norm(solve_triangular(R, (M / norm).T, trans="T"), 2))


def _columns(X: Any, F: NDArray[np.intp]) -> NDArray[np.float64]:
    chosen: Any = X[:, F]
    sparse: bool = sp.issparse(chosen)
    return np.asarray(chosen.toarray() if sparse else chosen, dtype=np.float64)
