"""Answers from a process of their own: one that hangs is killed, one that dies takes nothing with it.

    with Remote() as remote:
        found = remote.solve("diabetes/ridge/l2_ref_x0.01/intercept", "cd_numba", Stop(tol=1e-10))

The process reads the problem itself, by the name of its cell. Its environment is pinned: one thread, and the
machine's own BLAS kernel or, where digits are compared from machine to machine, the same one on all of them.
"""

from __future__ import annotations

import os

if __name__ == "__main__":  # before anything is imported: what a library prints goes to the log
    REQUESTS, REPLIES = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)

import json
import math
import signal
from functools import cache
from time import process_time
from types import TracebackType
from typing import Any

import numpy as np

from solvers import Problem, Solution, Status, Stop, entry

from .environment import portable_environment
from .problems.suites import quick, regression
from .process import Died, Killed, Process, die_with_parent
from .trials import Attempt, attempt, configurations_of

__all__ = ["Remote"]

LIMIT = 60.0  # seconds of processor time until a run is killed
WAIT = 10.0  # times as many by the clock, for one that computes nothing or has to share its processor
OUT_OF_TIME = "SIGPROF"  # what the timer of processor time ends a process by


class Remote:
    """The parent's side; the process is started when first asked, and again after its death.

    Parameters
    ----------
    limit : float
        Seconds of processor time until a run is killed; a run ends at the same point whatever else the
        machine has to do, but one that computes nothing has WAIT times as many by the clock.
    portable : bool
        Whether the digits are to be the same on every machine (`portable_environment`).

    Attributes
    ----------
    seconds : float
        Processor time of the last run, inf if it gave no answer: to tell what is slow, not to compare.
    """

    def __init__(self, limit: float = LIMIT, *, portable: bool = False) -> None:
        self.limit = limit
        self.seconds = math.inf
        self._process = Process(
            "verification.remote", environment=portable_environment() if portable else None
        )

    def solve(self, cell: str, solver: str, stop: Stop) -> Attempt:
        """Return what the solver's first configuration answers on a cell of the regression or quick."""
        self.seconds = math.inf
        stops = {"tol": stop.tol, "max_iter": stop.max_iter, "time_limit": stop.time_limit}
        try:
            reply = self._process.ask(
                "solve", WAIT * self.limit, cell=cell, solver=solver, stop=stops, seconds=self.limit
            )
        except Killed as error:
            return Attempt(Status.KILLED, str(error))
        except Died as error:
            if OUT_OF_TIME in str(error):
                words = f"no answer within {self.limit:.3g} s of processor time: killed"
                return Attempt(Status.KILLED, words)
            return Attempt(Status.CRASHED, str(error))
        self.seconds = reply["seconds"]
        return _attempt(reply)

    def __enter__(self) -> Remote:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.close()


def _attempt(reply: dict[str, Any]) -> Attempt:
    status, message = Status[reply["status"]], reply["message"]
    if "p" not in reply:
        return Attempt(status, message)
    coef = np.zeros(reply["p"])
    coef[reply["at"]] = reply["values"]
    return Attempt(
        status,
        message,
        Solution(coef, reply["intercept"], status, reply["n_iter"], reply["claimed_gap"], message),
    )


def _reply(found: Attempt) -> dict[str, Any]:
    reply: dict[str, Any] = {"status": found.status.name, "message": found.message}
    if found.solution is None:
        return reply
    solution = found.solution
    coef = np.asarray(solution.coef, dtype=np.float64)
    at = np.flatnonzero(coef)  # nan is not zero
    claimed = solution.claimed_gap
    return reply | {
        "p": coef.size,
        "at": at.tolist(),
        "values": coef[at].tolist(),
        "intercept": float(solution.intercept),
        "n_iter": int(solution.n_iter),
        "claimed_gap": None if claimed is None else float(claimed),
    }


@cache
def _cells() -> dict[str, Any]:
    return {cell.name: cell for cell in [*regression(), *quick()]}


_last: list[tuple[str, Problem]] = []  # the problem that was asked for last


def _problem(name: str) -> Problem:
    if not _last or _last[0][0] != name:
        _last[:] = [(name, _cells()[name].problem())]
    return _last[0][1]


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    die_with_parent()
    with os.fdopen(REQUESTS, "rb") as requests, os.fdopen(REPLIES, "wb") as replies:
        for line in requests:
            asked = json.loads(line)
            chosen = entry(asked["solver"])
            configuration = next(iter(configurations_of(chosen, every=False).values()))
            problem, start = _problem(asked["cell"]), process_time()
            signal.setitimer(signal.ITIMER_PROF, asked["seconds"])
            found = attempt(chosen, problem, Stop(**asked["stop"]), configuration)
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            reply = _reply(found) | {"seconds": process_time() - start}
            replies.write(json.dumps(reply).encode() + b"\n")
            replies.flush()


if __name__ == "__main__":
    main()
