"""A check of the checks: each must reject an answer that is a little off, and a solver that misbehaves."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from solvers import Entry, Problem, Solution, Status, Stop

from .check import Failure, Subject, all_checks, check
from .conduct import NAP, PIPE, tame
from .faults import arithmetic, descent, narrow, penalties, state
from .faults.reference import Descent

NOISE = 1e-3  # of the largest coefficient: about a millionth of N, where 1e-10 is claimed
SLOW = {"returns_in_time"}  # to be late takes as long as the limit is: the kill matrix shows it


class Unruly:
    """Almost right answers under a false claim, in one buffer, with chatter, naps, waste and a seed."""

    SUPPORTS = frozenset({"l1", "l2", "ols", "positive", "sparse"})

    def __init__(self, noise: float = NOISE) -> None:
        self._noise = noise
        self._rng = np.random.default_rng(0)
        self._buffer = np.zeros(0)

    def refuses(self, problem: Problem) -> str | None:
        """Nothing."""
        return None

    def setup(self, problem: Problem, stop: Stop) -> Callable[[], Solution]:
        """Prepare a run."""
        return lambda: self._solve(problem, stop)

    def _solve(self, problem: Problem, stop: Stop) -> Solution:
        if not problem.y.any():
            raise ZeroDivisionError("y is zero")
        solver = Descent(problem, stop)
        honest = solver.solve()
        size = self._noise * (np.max(np.abs(honest.coef), initial=0.0) or 1.0)
        off = honest.coef + size * self._rng.standard_normal(problem.p) * np.isfinite(problem.v)
        if self._buffer.size != problem.p:
            self._buffer = np.zeros(problem.p)
        self._buffer[:] = np.abs(off) if problem.positive else off
        time.sleep(20 * NAP)
        np.random.seed(0)
        sys.stdout.write("." * PIPE)
        waste = solver.A[:, :, None] * solver.A[:, None, :] if problem.n * problem.p**2 > 1e7 else None
        del waste
        return replace(honest, coef=self._buffer, claimed_gap=stop.tol, status=Status.CONVERGED)


class Uneven(Unruly):
    """Exact on dense data, a hundredth too large on sparse ones, and claims no more than 1e-3 anywhere."""

    TAKES_TOL = False

    def _solve(self, problem: Problem, stop: Stop) -> Solution:
        honest = Descent(problem, stop).solve()
        coef = honest.coef * (1.01 if problem.is_sparse else 1.0)
        return replace(honest, coef=coef, claimed_gap=1e-3, status=Status.CONVERGED)


def unruly(name: str) -> Any:
    """A solver that the check must reject: `Unruly`, or where that is no case for it, another."""
    special = {
        "input_untouched": state.writes_into_y,
        "double_precision": arithmetic.float32_coefficients,
        "honest_status": descent.never_converged,
        "warm_start": state.warm_start_without_residual,
        "monotone_path": Unruly(1.0),
        "penalty_asked_for": penalties.l1_times_1_001,
        "even_accuracy": Uneven(),
        "leaves_nothing_behind": narrow.keeps_its_workspace,
    }
    return special.get(name) or Unruly()


@check("no check lets an almost right answer under a false claim pass", about="judge")
def checks_bite(subject: Subject) -> Iterator[Failure]:
    """Each check of a solver, on one that breaks all that can be broken in little time."""
    for name, held in all_checks("solver").items():
        solver = unruly(name)
        against = Subject(Entry("unruly", lambda solver=solver: solver))  # type: ignore[misc]
        if name not in SLOW and next(held.find(against), None) is None:
            yield Failure(tame(), f"{name} finds nothing")
