"""Cyclic coordinate descent with covariance updates, compiled by numba. [friedman2010].

What is kept up to date is A'r, not r: a coordinate that stays costs O(1), one that moves O(k), whatever n is.
A row of the Gram matrix costs n k (nnz if sparse) and is computed when its coefficient first moves. Made for
n much larger than k; memory 8 k bytes for each coefficient that ever moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ._progress import Progress, trivial
from ._standard_form import StandardForm, refuse_least_squares, standard_form
from ._warm import warm
from .problem import Problem, Vector
from .solution import Solution, Stop

if TYPE_CHECKING:
    from ._covariance import Covariances

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
    return lambda: _minimise(form, stop, np.zeros(form.k), Covariances(form))


def _minimise(form: StandardForm, stop: Stop, w: Vector, covariances: Covariances) -> Solution:
    settled = trivial(form, stop)
    if settled is not None:
        return settled
    progress = Progress(form, stop)
    everything, w = np.arange(form.k), w.copy()
    r = form.z - form.matvec(w)
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


def path(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solve for each l1 in turn, each from the solution before; the covariances are carried along."""
    from ._covariance import Covariances

    covariances: Covariances | None = None

    def minimise(form: StandardForm, stop: Stop, w: Vector) -> Solution:
        nonlocal covariances
        if covariances is None:
            covariances = Covariances(form)
        covariances.form = form
        return _minimise(form, stop, w, covariances)

    return warm(problem, l1s, stop, minimise, order="F")
