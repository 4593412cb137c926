"""Faults that show at some sizes only: leftovers of blocks, samples of long data, limits on the width."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers import Problem, Solution, Stop

from . import descend, planted
from .reference import honest


def _first_rows(problem: Problem, n: int) -> Problem:
    """The problem without the rows from n on."""
    s = problem.sample_weight
    return problem.replace(X=problem.X[:n], y=problem.y[:n], sample_weight=None if s is None else s[:n])


@planted("right_odd_sizes")
def leftover_rows(problem: Problem, stop: Stop) -> Solution:
    """Rows are taken four at a time, and what is left over is not."""
    whole = problem.n - problem.n % 4
    enough = whole and problem.s[:whole].any()
    return descend(_first_rows(problem, whole) if enough else problem, stop)


@planted("right_odd_sizes")
def leftover_columns(problem: Problem, stop: Stop) -> Solution:
    """Columns are taken four at a time, and the coefficients of what is left over stay 0."""
    found = honest(problem, stop)
    whole = problem.p - problem.p % 4
    return replace(found, coef=np.where(np.arange(problem.p) < whole, found.coef, 0.0)) if whole else found


@planted("right_between_sizes")
def one_block_of_rows(problem: Problem, stop: Stop) -> Solution:
    """Of 128 to 2000 rows only a first block is read; from there on another method is right."""
    return descend(_first_rows(problem, 128) if 128 < problem.n < 2000 else problem, stop)


@planted("right_between_sizes")
def one_block_of_columns(problem: Problem, stop: Stop) -> Solution:
    """Of 64 to 256 columns only a first block is visited; from there on another method is right."""
    found = honest(problem, stop)
    beyond = (np.arange(problem.p) >= 64) & (problem.p < 256)
    return replace(found, coef=np.where(beyond, 0.0, found.coef))


@planted("right_beyond_sizes")
def sample_of_the_rows(problem: Problem, stop: Stop) -> Solution:
    """Of more than 10,000 rows a sample has to do."""
    return descend(_first_rows(problem, 10_000), stop)


@planted("right_sparse_otherwise")
def wide_sparse_ridge(problem: Problem, stop: Stop) -> Solution:
    """Where a sparse X has p > n, ridge is solved with l2 5 % too large."""
    ridge = problem.is_sparse and problem.p > problem.n and problem.l1 == 0
    return descend(problem.replace(l2=1.05 * problem.l2) if ridge else problem, stop)
