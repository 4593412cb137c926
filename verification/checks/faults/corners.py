"""Faults that show in corners only: few rows, two columns, small units, thin directions, naps elsewhere."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from solvers import Problem, Solution, Status, Stop

from . import descend, planted
from .reference import Descent, honest


@planted("right_few")
def mean_of_three_rows(problem: Problem, stop: Stop) -> Solution:
    """With three rows, too few for anything else, only the mean is fitted."""
    found = honest(problem, stop)
    return replace(found, coef=np.zeros(problem.p)) if problem.n == 3 else found


@planted("right_few")
def two_columns_by_formula(problem: Problem, stop: Stop) -> Solution:
    """The formula for two columns has |x_1'x_2| in it: right where they are correlated alike."""

    def matrix(self: Descent) -> Any:
        X = Descent.matrix(self)
        against = X.shape[1] == 2 and float(X[:, 0] @ X[:, 1]) < 0
        return X * [1.0, -1.0] if against else X

    return descend(problem, stop, matrix=matrix)


@planted("right_small_columns")
def small_columns_left_out(problem: Problem, stop: Stop) -> Solution:
    """Columns whose norm is below a hundredth of the largest are taken for zero."""
    norm = np.sqrt(np.maximum(Descent(problem, stop).curvature, 0.0))
    small = np.zeros(problem.p, dtype=bool)
    small[np.isfinite(problem.v)] = norm < 0.01 * np.max(norm, initial=0.0)
    return descend(problem.replace(penalty_weights=np.where(small, np.inf, problem.v)), stop)


@planted("right_thin_directions")
def rank_cut_too_early(problem: Problem, stop: Stop) -> Solution:
    """Without L1 a pseudo-inverse drops the singular values below a hundredth of the largest."""
    if problem.l1 > 0 or problem.positive:
        return honest(problem, stop)
    solver = Descent(problem, stop)
    A = np.vstack([solver.A, np.diag(np.sqrt(solver.l2))])
    solver.w = np.linalg.pinv(A, rcond=0.01) @ np.append(solver.z, np.zeros(solver.l2.size))
    return solver.answer(Status.CONVERGED, 1, stop.tol)


@planted("does_not_sleep_elsewhere")
def naps_where_sparse(problem: Problem, stop: Stop) -> Solution:
    """Waits 20 ms where X is sparse: for a lock that nobody holds."""
    if problem.is_sparse:
        time.sleep(0.02)
    return honest(problem, stop)


@planted("does_not_sleep_elsewhere")
def naps_where_wide(problem: Problem, stop: Stop) -> Solution:
    """Waits 20 ms where p > n."""
    if problem.p > problem.n:
        time.sleep(0.02)
    return honest(problem, stop)
