"""Ridge by conjugate gradients on the normal equations, never formed. [hestenes1952], [bjorck1996].

An iteration is two products with A, 4 n k (4 nnz if sparse); memory n + k. Jacobi scaling. Stops by the
duality gap, which comes with the recurrences and is then taken again from the true residual.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._progress import Progress, trivial
from ._standard_form import StandardForm, standard_form
from .problem import Problem
from .solution import Solution, Stop

SUPPORTS = {"l2", "sparse"}
CITES = ("hestenes1952", "bjorck1996")
PACKAGE = None

CHECK_EVERY = 5  # iterations between gaps by recurrence


def refuses(problem: Problem) -> str | None:
    """Nothing beyond SUPPORTS."""
    return None


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form, as X lies in memory."""
    form = standard_form(problem)
    return lambda: trivial(form, stop) or _minimise(form, stop)


def _minimise(form: StandardForm, stop: Stop) -> Solution:
    progress = Progress(form, stop)
    total = form.norms_sq + form.lam2
    jacobi = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    w = np.zeros(form.k)
    n_iter = 0
    while True:
        r = form.z - form.matvec(w)  # true, at each restart
        if progress.done(w, r, n_iter):
            return progress.solution(n_iter)
        s = form.rmatvec(r) - form.lam2 * w  # minus the gradient
        g = jacobi * s
        direction, energy = g, float(s @ g)
        first = energy
        for step in range(1, 2 * form.k + 100):  # in exact arithmetic k steps suffice
            if energy <= 2.0**-104 * first or n_iter >= stop.max_iter or progress.late:
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
