"""Cyclic coordinate descent with covariance updates, compiled by numba. [friedman2010].

What is kept up to date is A'r, not r: a coordinate that stays costs O(1), one that moves O(k), whatever n is.
A row of the Gram matrix costs n k (nnz if sparse) and is computed when its coefficient first moves. Made for
n much larger than k; memory 8 k bytes for each coefficient that ever moved.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._progress import Progress, trivial
from ._standard_form import refuse_least_squares, standard_form
from .problem import Problem
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "ols", "positive", "sparse"}
CITES = ("friedman2010",)
PACKAGE = None

# Beyond this many entries (200 MB) the covariances are computed and walked through for longer than they save.
ENTRIES = 2.5e7

MOST = 100  # sweeps over the columns in use between gaps, each of which costs about one full sweep


def refuses(problem: Problem) -> str | None:
    """Refuse plain least squares, and a Gram matrix that would cost more than it saves."""
    # The lasso has a solution with at most min(n, p) coefficients; with an L2 penalty all may move
    rows = problem.p if problem.l2 > 0 else min(problem.n, problem.p)
    if rows * problem.p > ENTRIES:
        return (
            f"the Gram matrix may need {rows} x {problem.p} entries, over {ENTRIES:.0e}: use residual updates"
        )
    return refuse_least_squares(problem)


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form in column-major order."""
    from ._covariance import Covariances

    form = standard_form(problem, order="F")
    everything = np.arange(form.k)

    def run() -> Solution:
        settled = trivial(form, stop)
        if settled is not None:
            return settled
        progress = Progress(form, stop)
        covariances = Covariances(form)
        w, r = np.zeros(form.k), form.z
        n_iter = 0
        while not progress.done(w, r, n_iter):
            g = form.rmatvec(r)  # afresh: updates accumulate rounding
            covariances.sweep(everything, w, g)
            n_iter += 1
            active, first = np.flatnonzero(w), 0.0
            for _ in range(min(MOST, stop.max_iter - n_iter) if active.size else 0):
                largest = covariances.sweep(active, w, g)
                n_iter += 1
                first = max(first, largest)
                if largest <= 1e-2 * first or progress.late:
                    break
            r = form.z - form.matvec(w)
        return progress.solution(n_iter)

    return run
