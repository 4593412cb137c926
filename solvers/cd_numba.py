"""Cyclic coordinate descent with residual updates and active sets, by numba. [friedman2010], [wright2015].

A sweep over all columns costs 2 n p (2 nnz if sparse); sweeps over the columns in use cost 2 n |active|.
The duality gap, one product A'r, is taken after each such round. Dense and CSC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ._progress import Progress, trivial
from ._standard_form import StandardForm, refuse_least_squares, standard_form
from ._warm import warm
from .problem import Problem, Vector
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "ols", "positive", "sparse"}
CITES = ("friedman2010", "wright2015")
PACKAGE = None

MOST = 100  # sweeps over the columns in use between gaps, each of which costs about one full sweep


def refuses(problem: Problem) -> str | None:
    """Plain least squares: its certificate is a factorisation, which has already solved it."""
    return refuse_least_squares(problem)


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form in column-major order; one copy of a row-major, weighted or centred X."""
    from . import _kernels  # noqa: F401  compiled, or read from its cache, here and not in run

    form = standard_form(problem, order="F")
    return lambda: minimise(form, stop, np.zeros(form.k))


def minimise(form: StandardForm, stop: Stop, w: Vector) -> Solution:
    """Run from w, (k,), which is not changed."""
    from ._kernels import sweeper

    settled = trivial(form, stop)
    if settled is not None:
        return settled
    progress = Progress(form, stop)
    sweep, everything = sweeper(form), np.arange(form.k)
    w = w.copy()
    r = form.z - form.matvec(w)
    n_iter = 0
    while n_iter == 0 or not progress.done(w, r, n_iter):
        sweep(everything, w, r)
        n_iter += 1
        # Then only the columns in use, until their moves are small against the first ones
        active, first = np.flatnonzero(w), 0.0
        for _ in range(min(MOST, stop.max_iter - n_iter) if active.size else 0):
            largest = sweep(active, w, r)
            n_iter += 1
            first = max(first, largest)
            if largest <= 1e-2 * first or progress.late:
                break
        r = form.z - form.matvec(w)  # afresh: updates accumulate rounding
    return progress.solution(n_iter)


def path(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solve for each l1 in turn, each from the solution before."""
    return warm(problem, l1s, stop, minimise, order="F")
