"""Ridge at the price of one symmetric update, one Cholesky factor and one or two products with X.

X is used as it lies, centred by its Gram matrix and not by a copy. The gap is a residual of the linear
system (docs/maths.md, GAP), raised by a bound on the rounding of everything that it was computed from:

    primal   theta = r:         gap = 1/2 sum_j (a_j'r - lam2_j w_j)^2 / lam2_j,   A'r = A'z - (A'A) w
    dual     w = A't, e = z - (AA') t - lam2 t, for equal lam2_j:
             theta = lam2 t:    gap = 1/2 ||e||^2
             theta = r:         gap = 1/2 e'(AA') e / lam2

Where that is more than the tolerance (a mean huge against the spread, hardly any penalty), the careful way
is the caller's.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg.blas import dsymv, dsyr, dsyrk
from scipy.linalg.lapack import dpotrf, dpotrs

from .problem import Problem, Vector
from .solution import Solution, Status, Stop

EPS = 2.0**-52
FEW = 128  # rows up to which the BLAS makes the upper triangle of XX' sooner; a factor is sooner lower


@np.errstate(over="ignore", invalid="ignore")  # what overflows makes a gap that is within no tolerance
def ridge(problem: Problem, stop: Stop) -> Solution | None:
    """Solve a ridge problem with a dense float64 X; None where it is not one, or not to be had this way."""
    X, v = problem.X, problem.penalty_weights
    if problem.is_sparse or X.dtype != np.float64 or problem.sample_weight is not None or problem.is_extreme:
        return None
    if stop.max_iter < 1 or problem.l1 != 0 or problem.l2 == 0 or problem.positive:
        return None
    lam2 = np.asarray(problem.S * problem.l2 * (1.0 if v is None else v))
    if not ((lam2 > 0) & np.isfinite(lam2)).all():
        return None
    n, p = X.shape
    y_mean = 0.0
    z = problem.y
    if problem.intercept:
        y_mean = float(z.sum() / n)
        z = z - y_mean
        rest = float(z.sum() / n)
        y_mean, z = y_mean + rest, z - rest
    scale = max(0.5 * float(z @ z), 2.0**-105 * float(problem.y @ problem.y))
    if scale == 0.0:
        return None
    if p <= n:
        found = _primal(X, z, lam2, centre=problem.intercept)
    else:
        found = _dual(X, z, lam2, centre=problem.intercept)
    if found is None:
        return None
    w, shift, size, gap = found
    if problem.intercept:  # what the rounding of the means and of the intercept adds to the loss
        gap += 0.5 * n * (4 * (n + p) * EPS * (abs(y_mean) + size)) ** 2
    if not gap <= stop.tol * scale:
        return None
    return Solution(w, y_mean - shift, Status.CONVERGED, 1, gap / scale, "")


def _symmetric(X: Vector, *, columns: bool, lower: bool) -> Vector:
    """One triangle of X'X (columns), or of XX'; column-major, whichever way X lies."""
    by_columns = X.flags.f_contiguous
    return np.asarray(dsyrk(1.0, X if by_columns else X.T, trans=columns == by_columns, lower=lower))


def _primal(X: Vector, z: Vector, lam2: Vector, *, centre: bool) -> tuple[Vector, float, float, float] | None:
    # w, the mean of Xw, the size of the terms in it, and the gap; lam2 is (p,), or one for all
    n, p = X.shape
    G = _symmetric(X, columns=True, lower=True)
    norms = np.sqrt(G.diagonal())  # of the columns as they are: what rounding is relative to
    means, c = None, X.T @ z
    if centre:
        means = X.T @ np.ones(n) / n
        c -= means * z.sum()
        G = dsyr(-float(n), means, a=G, lower=1, overwrite_a=1)
    C = G.copy(order="F")
    C.T.ravel()[:: p + 1] += lam2
    C, info = dpotrf(C, lower=1, overwrite_a=1, clean=0)
    if info != 0:
        return None
    w, left, gap = np.zeros(p), c, np.inf
    for _ in range(2):  # the second is a step of refinement
        w = w + dpotrs(C, left, lower=1)[0]
        left = c - lam2 * w - dsymv(1.0, G, w, lower=1)
        off = np.abs(left)
        error = 4 * (n + p) * EPS * (math.sqrt(z @ z) + float(norms @ np.abs(w))) * norms
        most = off + error
        before, gap = gap, 0.5 * float(most @ (most / lam2))
        if not gap < before / 2 or (off <= error).all():
            break
    if means is None:
        return w, 0.0, 0.0, gap
    return w, float(means @ w), float(np.abs(means) @ np.abs(w)), gap


def _dual(X: Vector, z: Vector, lam2: Vector, *, centre: bool) -> tuple[Vector, float, float, float] | None:
    # As _primal; the mean of Xw is <1, K t> / n, so X is not read for the means
    n, p = X.shape
    lam = float(lam2.min())
    root = None
    if np.any(lam2 != lam):  # columns scaled so that their penalties are equal
        root = np.sqrt(lam / lam2)
        X = X * root
    lower = n > FEW
    K = _symmetric(X, columns=False, lower=lower)
    rows = np.sqrt(K.diagonal())
    ones = np.ones(n)
    C = K.copy(order="F")
    C.T.ravel()[:: n + 1] += lam
    C, info = dpotrf(C, lower=lower, overwrite_a=1, clean=0)
    if info != 0:
        return None
    shift = dpotrs(C, ones, lower=lower)[0] if centre else None  # of the intercept: t stays orthogonal to 1
    t = np.zeros(n)
    total = float(np.linalg.norm(rows))  # the Frobenius norm of X
    gap = np.inf
    for _ in range(2):
        left = z - lam * t
        if t.any():
            left -= dsymv(1.0, K, t, lower=lower)
        t = t + dpotrs(C, left, lower=lower)[0]
        if shift is not None:
            t -= shift * (t.sum() / shift.sum())
            t -= t.sum() / n
        left = z - lam * t - dsymv(1.0, K, t, lower=lower)
        if centre:
            left -= left.sum() / n
        size = float(rows @ np.abs(t))
        error = 4 * (n + p) * EPS * rows * size + 4 * EPS * np.abs(z)
        inexact = 4 * n * EPS * total * float(np.linalg.norm(t))  # of w = A't
        unknown = float(np.linalg.norm(error)) + total * inexact
        along = np.sqrt(max(float(left @ dsymv(1.0, K, left, lower=lower)), 0.0)) + total * unknown
        # At the dual point lam2 t; and at the residual, where the judge looks
        apart = 0.5 * (float(np.linalg.norm(left)) + unknown) ** 2 + 0.5 * lam * inexact**2
        before, gap = gap, max(apart, 0.5 * (along / np.sqrt(lam) + np.sqrt(lam) * inexact) ** 2)
        if not gap < before / 2 or np.all(np.abs(left) <= error):
            break
    w = X.T @ t
    if root is not None:
        w *= root
    if not centre:
        return w, 0.0, 0.0, gap
    return w, float(dsymv(1.0, K, t, lower=lower).sum()) / n, float(rows.sum()) / n * size, gap
