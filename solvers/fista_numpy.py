"""Accelerated proximal gradient with adaptive restart. [beck2009], [odonoghue2015].

An iteration is two products with A, 4 n k (4 nnz if sparse). The step is 1/L in the metric of the columns'
norms; L is estimated from below by power iteration and doubled, up to the number of columns, whenever a step
breaks the quadratic bound that it must satisfy. Momentum starts anew when it points uphill, which gives
linear convergence where the problem allows it, without knowing its strong convexity.
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
CITES = ("beck2009", "odonoghue2015")
PACKAGE = None

CHECK_EVERY = 10  # iterations between gaps, each of which costs as much as one iteration


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
    Aw = form.matvec(w)
    v, Av, t = w, Aw, 1.0
    n_iter = 0
    while not progress.done(w, form.z - Aw, n_iter):
        for _ in range(min(CHECK_EVERY, stop.max_iter - n_iter)):
            g = form.rmatvec(form.z - Av)
            n_iter += 1
            while True:
                new = prox(form, g + L * metric * v, L * metric)
                Anew = form.matvec(new)
                bound = L * float(metric @ (new - v) ** 2)
                if form.k <= L or float(np.sum((Anew - Av) ** 2)) <= bound * (1 + 1e-12):
                    break
                L = min(2 * L, float(form.k))  # k is an upper bound in this metric: the trace
            if float(metric @ ((v - new) * (new - w))) > 0:  # momentum points uphill
                t = 1.0
            t_next = (1 + np.sqrt(1 + 4 * t * t)) / 2
            beta = (t - 1) / t_next
            v, Av = new + beta * (new - w), Anew + beta * (Anew - Aw)
            w, Aw, t = new, Anew, t_next
    return progress.solution(n_iter)


def path(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solve for each l1 in turn, each from the solution before."""
    return warm(problem, l1s, stop, minimise)
