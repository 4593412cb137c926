"""Faults of shortcuts that hold nearly always: rules that discard columns, an early end, a forgotten type."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solvers import Problem, Solution, Status, Stop

from . import descend, planted
from .reference import Descent, Vector, honest


def _only(problem: Problem, stop: Stop, kept: NDArray[np.bool_]) -> Solution:
    """Solve without the columns that are not kept."""
    return descend(problem.replace(penalty_weights=np.where(kept, problem.v, np.inf)), stop)


def _correlations(problem: Problem, stop: Stop) -> Vector:
    """|u_j| at w = 0, (p,); 0 where v = inf."""
    start = Descent(problem, stop)
    u = np.zeros(problem.p)
    u[start.kept] = np.abs(start.A.T @ start.z) / start.S
    return u


@planted("right_below_l1_max")
def zero_near_l1_max(problem: Problem, stop: Stop) -> Solution:
    """From 0.95 l1_max on the answer is taken to be zero."""
    if problem.l1 > 0 and problem.l1 > 0.95 * problem.l1_max():
        return descend(problem.replace(l1=problem.l1 / 0.95), stop)
    return honest(problem, stop)


@planted("right_below_l1_max")
def strong_rule_not_checked(problem: Problem, stop: Stop) -> Solution:
    """Columns with |u_j| < 2 l1 - l1_max are discarded, and not looked at again."""
    u = _correlations(problem, stop)
    bound = (2 * problem.l1 - problem.l1_max()) * problem.v
    return _only(problem, stop, (u >= bound) | (problem.v == 0) | (problem.l1 == 0))


@planted("right_suppressed")
def screened_one_by_one(problem: Problem, stop: Stop) -> Solution:
    """Of more than a hundred columns those are discarded that correlate too little with y by themselves."""
    u = _correlations(problem, stop)
    return _only(problem, stop, (u >= problem.l1 * problem.v) | (problem.p <= 100))


@planted("right_single_entries")
def rare_words_dropped(problem: Problem, stop: Stop) -> Solution:
    """Columns of a sparse X with a single entry are discarded, as too rare to matter."""
    if not problem.is_sparse:
        return honest(problem, stop)
    counts = np.diff(problem.X.tocsc().indptr)
    return _only(problem, stop, (counts != 1) | (problem.v == 0))


@planted("right_correlated")
def stops_when_steps_are_small(problem: Problem, stop: Stop) -> Solution:
    """Converged, by its own account, when no coefficient moves by more than 1e-4 of the largest."""

    def gap(self: Descent) -> float:
        moved = np.max(np.abs(self.w - self.before), initial=0.0)  # nan at first
        return 0.0 if moved <= 1e-4 * np.max(np.abs(self.w), initial=0.0) else np.inf

    found = descend(problem, stop, gap=gap, leap=lambda self: None)
    return replace(found, claimed_gap=stop.tol if found.status is Status.CONVERGED else None)


@planted("penalty_asked_for")
def sparse_float32_penalty(problem: Problem, stop: Stop) -> Solution:
    """Where a sparse X is in single precision, l1 and l2 are 5 % too large."""
    wrong = problem.is_sparse and problem.X.dtype == np.float32
    factor = 1.05 if wrong else 1.0
    return descend(problem.replace(l1=factor * problem.l1, l2=factor * problem.l2), stop)


@planted("does_not_sleep")
def naps(problem: Problem, stop: Stop) -> Solution:
    """Waits 5 ms for nothing."""
    time.sleep(0.005)
    return honest(problem, stop)
