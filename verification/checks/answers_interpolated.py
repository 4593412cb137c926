"""Least squares with more columns than rows: its answers are many, and what is asked for is the fit.

N is 0 there but for rounding (docs/maths.md, N), and no method is held to a share of that: y is the unit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from solvers import Problem

from .check import Failure, Subject, check
from .draws import Kind
from .held import TIER, Answer, trial


def interpolated() -> list[Problem]:
    """Dense and sparse, with an intercept and without."""
    kinds = [Kind(4, 8, "ols", intercept=intercept) for intercept in (False, True)]
    return [kind.problem() for kind in (*kinds, Kind(4, 24, "ols", intercept=True, layout="csr"))]


@check("least squares with more columns than rows fits y exactly", on=interpolated)
def wide_least_squares(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """Up to the tier that is asked of one without a claim, as a share of the spread of y."""
    found = trial(subject, problem)
    if isinstance(found, Failure):
        yield found
    if not isinstance(found, Answer):
        return
    spread = problem.y - problem.y.mean() * problem.intercept
    left = float(np.sum((problem.y - found.fitted) ** 2) / np.sum(spread**2))
    if left > TIER:
        yield Failure(problem, f"{found.status.name}, and {left:.1e} of the spread of y is left")
