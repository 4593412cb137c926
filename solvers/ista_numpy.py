"""Proximal gradient, the plain one: no momentum. [daubechies2004], [combettes2005].

An iteration is two products with A, 4 n k (4 nnz if sparse); the gap comes with it. The step is 1/L in the
metric of the columns' norms. Slow by design: it is what fista_numpy is measured against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ._progress import Progress, trivial
from ._proximal import largest_curvature, prox
from ._standard_form import StandardForm, refuse_least_squares, standard_form
from ._warm import warm
from .problem import Problem, Vector
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "ols", "positive", "sparse"}
CITES = ("daubechies2004", "combettes2005")
PACKAGE = None


def refuses(problem: Problem) -> str | None:
    """Plain least squares: its certificate is a factorisation, which has already solved it."""
    return refuse_least_squares(problem)


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form, as X lies in memory."""
    form = standard_form(problem)
    return lambda: minimise(form, stop, np.zeros(form.k))


def minimise(form: StandardForm, stop: Stop, w: Vector) -> Solution:
    """Run from w, (k,)."""
    settled = trivial(form, stop)
    if settled is not None:
        return settled
    progress = Progress(form, stop)
    metric = form.norms_sq
    L = largest_curvature(form)
    r = form.z - form.matvec(w)
    u = form.rmatvec(r)
    n_iter = 0
    while not progress.done(w, r, n_iter, u):
        while True:
            new = prox(form, u + L * metric * w, L * metric)
            r_new = form.z - form.matvec(new)
            bound = L * float(metric @ (new - w) ** 2)
            if form.k <= L or float(np.sum((r_new - r) ** 2)) <= bound * (1 + 1e-12):
                break
            L = min(2 * L, float(form.k))  # k is an upper bound in this metric: the trace
        w, r = new, r_new
        u = form.rmatvec(r)
        n_iter += 1
    return progress.solution(n_iter)


def path(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solve for each l1 in turn, each from the solution before."""
    return warm(problem, l1s, stop, minimise)
