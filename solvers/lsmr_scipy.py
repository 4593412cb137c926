"""LSMR of scipy: Golub-Kahan bidiagonalisation for ridge and least squares, dense or sparse. [fong2011].

An iteration is two products with A, 4 n k (4 nnz if sparse); memory n + k. It works on A with sqrt(lam2)
below it, columns equilibrated (for least squares only if it does not converge without: from zero it finds the
solution of minimum norm). Each call corrects the last answer from its true residual, until the gap is met.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._progress import Progress, trivial
from ._standard_form import StandardForm, standard_form
from .problem import Problem, Vector
from .solution import Solution, Stop

SUPPORTS = {"l2", "ols", "sparse"}
CITES = ("fong2011",)
PACKAGE = "scipy"

IDLE = 3  # corrections that do not halve the gap, after which rounding is reached
REDUCTION = 1e-6  # of the residual of the normal equations, asked of one call


class _OutOfTimeError(Exception):
    """Raised from within a product, the only place where scipy lets us in."""


def refuses(problem: Problem) -> str | None:
    """Nothing beyond SUPPORTS."""
    return None


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form, as X lies in memory."""
    form = standard_form(problem)
    return lambda: trivial(form, stop) or _minimise(form, stop)


def _minimise(form: StandardForm, stop: Stop) -> Solution:
    from scipy.sparse.linalg import LinearOperator, lsmr

    progress = Progress(form, stop)
    n, k = form.z.size, form.k
    root = np.sqrt(form.lam2)
    ridge = bool(root.any())
    total = np.sqrt(form.norms_sq + form.lam2)
    equilibrated = np.divide(1.0, total, out=np.zeros(k), where=total > 0)
    scale = equilibrated if ridge else np.ones(k)

    def stacked(x: Vector) -> Vector:
        if progress.late:
            raise _OutOfTimeError
        x = scale * x.ravel()
        return np.concatenate([form.matvec(x), root * x])

    def transposed(x: Vector) -> Vector:
        x = x.ravel()
        return scale * (form.rmatvec(x[:n]) + root * x[n:])

    operator = LinearOperator((n + k, k), matvec=stacked, rmatvec=transposed, dtype=np.float64)
    message = "" if ridge else "where it is not unique, this is the solution of minimum norm"
    w, n_iter = np.zeros(k), 0
    best, idle, r = np.inf, 0, form.z
    while not progress.done(w, r, n_iter):
        idle = 0 if progress.gap < 0.5 * best else idle + 1
        if idle == IDLE:
            if ridge or scale is equilibrated:
                return progress.solution(n_iter, message)
            scale, idle = equilibrated, 0
            message = "columns equilibrated: where it is not unique, minimum norm is in their scale"
        best = progress.gap
        right = np.concatenate([r, -root * w])
        slope = transposed(right)
        size = float(np.linalg.norm(scale * total) * np.linalg.norm(right))
        atol = REDUCTION * float(np.linalg.norm(slope)) / size if size > 0 else REDUCTION
        try:
            found = lsmr(operator, right, atol=atol, btol=0.0, conlim=0.0, maxiter=stop.max_iter - n_iter)
        except _OutOfTimeError:
            continue  # the clock is read again, and w is the last complete answer
        w = w + scale * found[0]
        n_iter += max(int(found[2]), 1)
        r = form.z - form.matvec(w)
    return progress.solution(n_iter, message)
