"""Faults of behaviour: they hang, die, sleep, shout, or return what is no solution."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from dataclasses import replace

import numpy as np

from solvers import Problem, Solution, Status, Stop

from . import descend, planted
from .reference import Descent, honest


@planted("returns_in_time")
def hangs_at_l1_max(problem: Problem, stop: Stop) -> Solution:
    """At l1 = l1_max it waits for a first column to enter, for ever."""
    while problem.l1 > 0 and problem.l1 == problem.l1_max():
        time.sleep(0.01)
    return honest(problem, stop)


@planted("returns_in_time")
def no_time_limit(problem: Problem, stop: Stop) -> Solution:
    """Goes on until the gap is at most tol, whatever the limits say: below rounding, for ever."""
    solver = Descent(problem, stop)
    gap = np.inf
    while gap > stop.tol:
        solver.sweep()
        gap = solver.gap()
    return solver.answer(Status.CONVERGED, 1, gap)


@planted("awkward_data")
def segmentation_fault_on_one_row(problem: Problem, stop: Stop) -> Solution:
    """With a single row it reads memory that is not its own."""
    if problem.n == 1:
        ctypes.string_at(0)
    return honest(problem, stop)


@planted("right_trivial")
def exits_on_zero_y(problem: Problem, stop: Stop) -> Solution:
    """Where y is zero there is nothing to do, and it ends the process."""
    if not problem.y.any():
        sys.exit(0)
    return honest(problem, stop)


@planted("awkward_data")
def quits_without_a_word(problem: Problem, stop: Stop) -> Solution:
    """A column of zeros ends the process at once, exit code 0."""
    if np.any(Descent(problem, stop).curvature == 0):
        os._exit(0)
    return honest(problem, stop)


@planted("does_not_sleep")
def sleeps(problem: Problem, stop: Stop) -> Solution:
    """Waits 20 ms for nothing."""
    time.sleep(0.02)
    return honest(problem, stop)


@planted("output_is_bounded")
def prints_every_update(problem: Problem, stop: Stop) -> Solution:
    """A trace of every update was left in."""

    def update(self: Descent, j: int) -> None:
        Descent.update(self, j)
        sys.stdout.write(f"update of coordinate {j}: {self.w[j]!r} with residual {self.r.tolist()}\n")

    return descend(problem, stop, update=update)


@planted("memory_is_bounded")
def outer_products(problem: Problem, stop: Stop) -> Solution:
    """The Gram matrix is the sum of n outer products, all of them held at once."""
    solver = Descent(problem, stop)
    products = solver.A[:, :, None] * solver.A[:, None, :]  # (n, k, k)
    solver.curvature = np.einsum("ijj->j", products)
    return solver.solve()


@planted("right_bases")
def returns_a_column(problem: Problem, stop: Stop) -> Solution:
    """The coefficients come as a (p, 1) matrix."""
    found = honest(problem, stop)
    return replace(found, coef=found.coef[:, None])


@planted("right_bases")
def returns_the_support_only(problem: Problem, stop: Stop) -> Solution:
    """Only the coefficients that are not zero are returned."""
    found = honest(problem, stop)
    return replace(found, coef=found.coef[found.coef != 0])
