"""Faults where there are more columns than rows, and nothing to choose between them by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers import Problem, Solution, Stop

from . import planted
from .reference import honest


@planted("wide_least_squares")
def gives_up_where_singular(problem: Problem, stop: Stop) -> Solution:
    """Where the Gram matrix is singular without a penalty it returns zeros, and says that it converged."""
    found = honest(problem, stop)
    singular = problem.l1 == problem.l2 == 0 and problem.p > problem.n
    return replace(found, coef=np.zeros(problem.p)) if singular else found
