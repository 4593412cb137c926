"""What goes into a solver besides the problem, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray


class Status(Enum):
    """How a run ended. The value is the help text."""

    CONVERGED = "the solver's own stopping rule was met"
    MAX_ITER = "stopped at max_iter: try a larger max_iter"
    TIME_LIMIT = "stopped at the time limit: try a larger time_limit"
    STALLED = "no further progress in floating point: the tolerance is below what this method can reach"
    REFUSED = "the solver does not do this kind of problem: the message says why"
    MISSING = "the package is not installed: run make install, or see docs/install.md"
    FAILED = "the solver raised an error or returned something that is no solution: the message says what"
    CRASHED = "the solver's process died: the message says how"
    KILLED = "the solver did not return within the hard time limit and was killed"
    MEMORY = "the solver ran out of memory"


@dataclass(frozen=True)
class Stop:
    """When to stop.

    Parameters
    ----------
    tol : float
        Relative duality gap, docs/maths.md (N): gap <= tol * N. The same meaning for every solver of ours.
    max_iter : int
        Iterations of the method's own kind (sweeps, gradient steps, ...).
    time_limit : float, optional
        Seconds of run(); checked between iterations, so it is soft.
    """

    tol: float = 1e-9
    max_iter: int = 1_000_000
    time_limit: float | None = None

    def __post_init__(self) -> None:
        if not self.tol > 0:
            raise ValueError(f"tol is {self.tol}: it must be > 0")
        if self.max_iter < 1:
            raise ValueError(f"max_iter is {self.max_iter}: it must be at least 1")
        if self.time_limit is not None and not self.time_limit > 0:
            raise ValueError(f"time_limit is {self.time_limit}: it must be > 0 seconds, or None")


@dataclass(frozen=True)
class Solution:
    """A solver's answer and its own claim about it (the verifier judges).

    Attributes
    ----------
    coef : (p,) float64 array
    intercept : float
        0.0 without intercept.
    status : Status
    n_iter : int
    claimed_gap : float or None
        Relative duality gap (docs/maths.md, N) that the solver claims; None if it claims none.
    message : str
    """

    coef: NDArray[np.float64]
    intercept: float
    status: Status
    n_iter: int = 0
    claimed_gap: float | None = None
    message: str = ""
