"""Cyclic coordinate descent with residual updates and active-set sweeps, by numba. [friedman2010], [wright2015].

A sweep over all columns costs 2 n p (2 nnz if sparse); sweeps over the columns in use cost 2 n |active|.
The duality gap, one product A'r, is taken after each such round. Dense and CSC.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._progress import Progress, trivial
from ._standard_form import refuse_least_squares, standard_form
from .problem import Problem
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "ols", "positive", "sparse"}
CITES = ("friedman2010", "wright2015")
PACKAGE = None


def refuses(problem: Problem) -> str | None:
    """Plain least squares: its certificate is a factorisation, which has already solved it."""
    return refuse_least_squares(problem)


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form in column-major order; one copy of a row-major, weighted or centred X."""
    from ._kernels import sweeper

    form = standard_form(problem, order="F")
    sweep = sweeper(form)
    everything = np.arange(form.k)

    def run() -> Solution:
        settled = trivial(form, stop)
        if settled is not None:
            return settled
        progress = Progress(form, stop)
        w, r = np.zeros(form.k), form.z.copy()
        n_iter = 0
        while n_iter == 0 or not progress.done(w, r, n_iter):
            sweep(everything, w, r)
            n_iter += 1
            # Then only the columns in use, until their moves are small against the first ones
            active, first = np.flatnonzero(w), 0.0
            while active.size and n_iter < stop.max_iter and not progress.late:
                largest = sweep(active, w, r)
                n_iter += 1
                first = max(first, largest)
                if largest <= 1e-2 * first:
                    break
            r = form.z - form.matvec(w)  # afresh: updates accumulate rounding
        return progress.solution(n_iter)

    return run
