"""What a worker accepts as an answer; everything else is a failure, with words."""

from __future__ import annotations

import errno
import os
import traceback
from typing import Any

import numpy as np

from solvers import Problem, Solution, Status

__all__ = ["ANSWERED", "MESSAGE_KEPT", "NotASolution", "checked", "last_line", "spoils"]

# What a solver may say of its own run; anything else in a Solution carries no coefficients to judge.
ANSWERED = {Status.CONVERGED, Status.MAX_ITER, Status.TIME_LIMIT, Status.STALLED}
MESSAGE_KEPT = 1000  # letters of what a solver says


class NotASolution(Exception):
    """What the solver returned cannot be judged; the text says why."""


def checked(solution: Any, problem: Problem) -> Solution:
    """Return the solution if it can be judged; raise :class:`NotASolution` with words if it cannot."""
    if not isinstance(solution, Solution):
        kind = type(solution)
        raise NotASolution(f"returned a {kind.__module__}.{kind.__qualname__}, not a solvers.Solution")
    if solution.status not in ANSWERED:
        return solution
    coef = np.asarray(solution.coef)
    if coef.shape != (problem.p,):
        raise NotASolution(f"returned coefficients of shape {coef.shape}, expected ({problem.p},)")
    if coef.dtype.kind != "f":
        raise NotASolution(f"returned coefficients of dtype {coef.dtype}, expected float64")
    bad = np.flatnonzero(~np.isfinite(coef))
    if bad.size:
        raise NotASolution(f"returned {coef[bad[0]]} as coefficient {bad[0]} ({bad.size} not finite in all)")
    if not np.isfinite(solution.intercept):
        raise NotASolution(f"returned {solution.intercept} as intercept")
    if not problem.intercept and solution.intercept != 0:
        raise NotASolution(f"returned the intercept {solution.intercept} for a problem without one")
    return solution


def last_line(error: BaseException) -> str:
    """Return the last line of a traceback, with the place the error was raised."""
    words = traceback.format_exception_only(error)[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    return f"{words} ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else words


def spoils(error: BaseException) -> bool:
    """Whether an error says that the process is of no use any more: its file descriptors are used up."""
    return isinstance(error, OSError) and error.errno == errno.EMFILE
