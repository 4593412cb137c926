"""Faults about b: penalised, of the wrong sign, from the wrong means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from solvers import Problem, Solution, Stop

from . import descend, planted
from .reference import Descent, Vector


@planted("response_shift")
def intercept_penalised(problem: Problem, stop: Stop) -> Solution:
    """The intercept is one more column, and penalised like the others."""
    if not problem.intercept:
        return descend(problem, stop)
    one: Any = np.ones((problem.n, 1))
    X = sp.hstack([problem.X, one], format="csc") if problem.is_sparse else np.hstack([problem.X, one])
    wider = problem.replace(X=X, intercept=False, penalty_weights=np.append(problem.v, 1.0))
    found = descend(wider, stop)
    return replace(found, coef=found.coef[:-1].copy(), intercept=float(found.coef[-1]))


@planted("right_intercept")
def intercept_sign(problem: Problem, stop: Stop) -> Solution:
    """The sign of b is wrong."""
    return descend(problem, stop, intercept=lambda self: float(self.m @ self.w) - self.c)


@planted("column_shift")
def intercept_of_uncentred_columns(problem: Problem, stop: Stop) -> Solution:
    """As b it returns the mean of y: the means of the columns are forgotten."""
    return descend(problem, stop, intercept=lambda self: self.c)


@planted("response_shift")
def intercept_never_negative(problem: Problem, stop: Stop) -> Solution:
    """With w >= 0 the intercept is held to b >= 0 too."""

    def intercept(self: Descent) -> float:
        b = Descent.intercept(self)
        return max(b, 0.0) if problem.positive else b

    return descend(problem, stop, intercept=intercept)


@planted("right_sample_weights")
def unweighted_means(problem: Problem, stop: Stop) -> Solution:
    """Columns and y are centred with their plain means, whatever the sample weights."""

    def means(self: Descent) -> tuple[Vector, float]:
        return np.mean(self.X, axis=0), float(np.mean(self.y))

    return descend(problem, stop, means=means)


@planted("right_through_the_origin")
def centred_without_intercept(problem: Problem, stop: Stop) -> Solution:
    """Data are centred although there is no intercept."""
    return replace(descend(problem.replace(intercept=True), stop), intercept=0.0)


@planted("dense_as_sparse")
def sparse_not_centred(problem: Problem, stop: Stop) -> Solution:
    """A sparse X is left as it is, and its means are taken for 0."""

    def means(self: Descent) -> tuple[Vector, float]:
        m, c = Descent.means(self)
        return (np.zeros_like(m) if problem.is_sparse else m), c

    return descend(problem, stop, means=means)


@planted("doubled_rows")
def degrees_of_freedom(problem: Problem, stop: Stop) -> Solution:
    """With an intercept the loss is divided by S - 1."""

    def penalties(self: Descent) -> tuple[Vector, Vector]:
        share = max(self.S - 1, 0.5) / self.S if problem.intercept else 1.0
        l1, l2 = Descent.penalties(self)
        return share * l1, share * l2

    return descend(problem, stop, penalties=penalties)
