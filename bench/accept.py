"""What a worker accepts as an answer, and how it hands it back; everything else is a failure, with words."""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from solvers import Problem, Solution, Status

__all__ = [
    "ANSWERED", "MESSAGE_KEPT", "NotASolution", "NotHandedBack", "ProcessSpoilt", "checked", "handing_back",
    "last_line",
]  # fmt: skip

# What a solver may say of its own run; anything else in a Solution carries no coefficients to judge.
ANSWERED = {Status.CONVERGED, Status.MAX_ITER, Status.TIME_LIMIT, Status.STALLED}
MESSAGE_KEPT = 1000  # letters of what a solver says
THE_DISKS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}  # faults that no solver has a part in


class NotASolution(Exception):
    """What the solver returned cannot be judged; the text says why."""


class NotHandedBack(Exception):
    """The answer is there and could not be written for the orchestrator; the text says why."""


class ProcessSpoilt(Exception):
    """The solver has left its process in a state in which it is of no use; the text says which.

    It has used up the file descriptors, for one.
    """


@contextmanager
def handing_back(out: str) -> Iterator[BinaryIO]:
    """Open `out` for an answer, whatever umask a solver has set: a full disk is nobody's failure."""
    try:
        with open(out, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            yield file
    except OSError as error:
        words = f"cannot write answers to {out}: {error.strerror or error}"
        if error.errno in THE_DISKS:
            raise NotHandedBack(words) from error
        raise ProcessSpoilt(words) from error


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
