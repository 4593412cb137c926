"""Ridge by Krylov subspaces, no matrix formed. [hestenes1952], [stiefel1955], [bjorck1996].

Of the two systems the smaller is solved, scaled by its diagonal: A'A + diag(lam2) by conjugate gradients,
or, of wide data, A diag(lam2)^-1 A' + I by conjugate residuals, so that the objective falls as fast. An
iteration is two products with A, 4 n k (4 nnz if sparse); memory n + k. Stops by the duality gap, which is
then taken again from the true residual.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._progress import Progress, trivial
from ._standard_form import StandardForm, standard_form
from .problem import Problem, Vector
from .solution import Solution, Stop

SUPPORTS = {"l2", "sparse"}
CITES = ("hestenes1952", "stiefel1955", "bjorck1996")
PACKAGE = None

CHECK_EVERY = 5  # iterations between gaps of conjugate gradients, by recurrence
UNCHECKED = 20  # iterations of conjugate residuals, at most, for which the last gap foretells the next
EXHAUSTED = 2.0**-104  # of the first squared residual: what is left is rounding


def refuses(problem: Problem) -> str | None:
    """Nothing beyond SUPPORTS."""
    return None


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form, as X lies in memory."""
    form = standard_form(problem)
    return lambda: trivial(form, stop) or _minimise(form, stop)


def _minimise(form: StandardForm, stop: Stop) -> Solution:
    progress = Progress(form, stop)
    rows = _squared_rows(form) if form.k > form.z.size else None
    w, rho, n_iter = np.zeros(form.k), np.zeros(form.z.size), 0
    while True:
        r = form.z - form.matvec(w)  # true, at each restart
        if progress.done(w, r, n_iter):
            return progress.solution(n_iter)
        if rows is None:
            w, n_iter = _by_columns(progress, w, r, n_iter)
        else:
            rho, n_iter = _by_rows(progress, 1.0 / (rows + 1.0), rho, r, n_iter)
            w = form.rmatvec(rho) / form.lam2


def _squared_rows(form: StandardForm) -> Vector | None:
    """Squared norms of the rows of A diag(lam2)^-1/2, (n,); None if a column is not penalised."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        inverse = 1.0 / form.lam2
        out = np.asarray((form.B * form.B) @ inverse)
        if form.m is not None:
            out = out - 2 * form.q * (form.B @ (form.m * inverse))
            out = np.maximum(out + form.q**2 * float(form.m @ (form.m * inverse)), 0.0)
    return out if np.all(np.isfinite(out)) else None


def _by_columns(progress: Progress, w: Vector, r: Vector, n_iter: int) -> tuple[Vector, int]:
    """Conjugate gradients on (A'A + diag(lam2)) w = A'z, from w with residual r."""
    form, stop = progress.form, progress.stop
    total = form.norms_sq + form.lam2
    jacobi = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    s = form.rmatvec(r) - form.lam2 * w  # minus the gradient
    g = jacobi * s
    direction, energy = g, float(s @ g)
    first = energy
    for step in range(1, 2 * form.k + 100):  # in exact arithmetic k steps suffice
        if energy <= EXHAUSTED * first or n_iter >= stop.max_iter or progress.late:
            break
        image = form.matvec(direction)
        alpha = energy / (float(image @ image) + float(form.lam2 @ direction**2))
        w = w + alpha * direction
        r = r - alpha * image
        s = form.rmatvec(r) - form.lam2 * w
        n_iter += 1
        if step % CHECK_EVERY == 0 and form.relative_gap(w, r, s + form.lam2 * w) <= 0.5 * stop.tol:
            break
        g = jacobi * s
        previous, energy = energy, float(s @ g)
        direction = g + (energy / previous) * direction
    return w, n_iter


def _by_rows(progress: Progress, jacobi: Vector, rho: Vector, r: Vector, n_iter: int) -> tuple[Vector, int]:
    """Conjugate residuals on (A diag(lam2)^-1 A' + I) rho = z, whose solution is the residual sought.

    Parameters
    ----------
    progress : Progress
    jacobi : (n,) array
        One over the diagonal.
    rho, r : (n,) arrays
        Where to start, and z - A w there, w = diag(lam2)^-1 A'rho.
    n_iter : int
        Iterations so far.
    """
    form, stop = progress.form, progress.stop

    def times(x: Vector) -> Vector:
        return form.matvec(form.rmatvec(x) / form.lam2) + x

    e = r - rho  # what is left of the equations
    v = jacobi * e
    direction, image = v, times(v)
    along = float(v @ image)
    size = first = float(e @ v)
    ratio, checked = np.inf, 0
    for step in range(1, 2 * form.z.size + 100):
        if size <= EXHAUSTED * first or n_iter >= stop.max_iter or progress.late:
            break
        scaled = jacobi * image
        alpha = along / float(image @ scaled)
        rho = rho + alpha * direction
        e = e - alpha * image
        v = v - alpha * scaled
        n_iter += 1
        size = float(e @ v)
        if ratio * size <= 0.5 * stop.tol * form.scale or step - checked >= UNCHECKED or step == 1:
            s = form.rmatvec(e)  # A'r - diag(lam2) w
            gap = 0.5 * float(s @ (s / form.lam2))
            if gap <= 0.5 * stop.tol * form.scale:
                break
            ratio, checked = gap / size if size > 0 else np.inf, step
        product = times(v)
        previous, along = along, float(v @ product)
        direction = v + (along / previous) * direction
        image = product + (along / previous) * image
    return rho, n_iter
