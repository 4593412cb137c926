"""Cyclic coordinate descent with residual updates and active-set sweeps, compiled by numba. [friedman2010], [wright2015].

A sweep over all columns costs 2 n p (2 nnz if sparse); sweeps over the columns in use cost 2 n |active|.
The duality gap, one product A'r, is taken after each sweep over all columns. Dense and CSC.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ._standard_form import standard_form
from .problem import Problem
from .solution import Solution, Status, Stop

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("friedman2010", "wright2015")
PACKAGE = None


def refuses(problem: Problem) -> str | None:
    """Nothing beyond SUPPORTS: least squares without a penalty has no unique limit for descent."""
    return None


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form in column-major order; one copy of a row-major, weighted or centred X."""
    from ._kernels import sweeper

    form = standard_form(problem, order="F")
    sweep = sweeper(form)
    everything = np.arange(form.k)

    def run() -> Solution:
        began = time.perf_counter()
        w, r = np.zeros(form.k), form.z.copy()
        n_iter, gap = 0, np.inf
        status = Status.MAX_ITER
        while n_iter < stop.max_iter:
            moved = sweep(everything, w, r)
            n_iter += 1
            r = form.z - form.matvec(w)  # afresh: updates accumulate rounding
            gap = form.relative_gap(w, r)
            if gap <= stop.tol:
                status = Status.CONVERGED
                break
            if moved <= 2.0**-104 * form.scale:  # no coordinate moves the fit by more than rounding
                status = Status.STALLED
                break
            if stop.time_limit is not None and time.perf_counter() - began > stop.time_limit:
                status = Status.TIME_LIMIT
                break
            # Then only the columns in use, until their moves are small against those of the full sweep
            active = np.flatnonzero(w)
            first = 0.0
            while active.size and n_iter < stop.max_iter:
                largest = sweep(active, w, r)
                n_iter += 1
                first = max(first, largest)
                if largest <= 1e-2 * first or largest <= 2.0**-104 * form.scale:
                    break
                if stop.time_limit is not None and time.perf_counter() - began > stop.time_limit:
                    break
        return form.solution(w, status, n_iter, float(gap))

    return run
