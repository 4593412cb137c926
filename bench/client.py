"""One solver as the orchestrator sees it: hand it a cell, get back the measured part of a row."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from bench import payload
from bench.decoy import kind
from bench.jobs import SOLVE, Task, unpacked, unpacked_one
from bench.process import Worker, WorkerDied, WorkerKilled, WorkerTooLarge
from bench.residents import Residents
from solvers import Problem, Status

__all__ = ["Client", "Handle", "Limits", "hard"]

FAULTED = (signal.SIGSEGV, signal.SIGBUS)  # what a process dies of that writes where it may not
# What an answer holds that is no status: anything else was written into the protocol by somebody else.
EXPECTED = {
    "hello": ("package", "package_version", "configurations"),
    "load": ("refuses",),
    "warm_up": ("warm",),
    "run": ("status",),
}


@dataclass(frozen=True)
class Limits:
    """Seconds after which a worker is killed, for what is not a timed run."""

    hello: float = 60.0
    load: float = 60.0
    warm_up: float = 60.0  # compilation takes its time


def hard(limit: float) -> float:
    """Seconds until a run is killed that was asked to stop after `limit`; setup has no limit of its own."""
    return 1.5 * limit + 1.0


@dataclass
class Handle:
    """A problem as it is handed to workers.

    Attributes
    ----------
    problem : Problem
    digest : str
        Of the problem, computed once here; the workers compare.
    data : str
        Path of the scratch .npz with its arrays, shared by the problems of the same data.
    task : Task
        What they are to do with it.
    """

    problem: Problem
    digest: str
    data: str
    task: Task = SOLVE
    kind: str = field(init=False)

    def __post_init__(self) -> None:
        self.kind = kind(self.problem)


class Store:
    """The scratch folder: each set of arrays is written once, whichever cells use it."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def handle(self, problem: Problem, task: Task = SOLVE) -> Handle:
        """Write the problem's arrays if they are not there yet."""
        bare = problem.replace(l1=0.0, l2=0.0, intercept=False, positive=False).digest
        path = self.folder / f"{bare[:32]}.npz"
        if not path.exists():
            payload.save(path, problem)
        return Handle(problem, problem.digest, str(path), task)


class Client:
    """A solver's worker, with what it has loaded and compiled.

    Parameters
    ----------
    solver : str
    scratch : path-like
        Folder of its worker's log.
    limits : Limits, optional
    threads : int
    started : int
        Processes that the solver has had in earlier starts of the run.
    memory : int, optional
        Bytes that its process may hold.
    residents : Residents, optional
        The workers of the run that hold data.
    """

    def __init__(
        self,
        solver: str,
        scratch: str | os.PathLike[str],
        limits: Limits | None = None,
        threads: int = 1,
        started: int = 0,
        memory: int | None = None,
        residents: Residents | None = None,
    ) -> None:
        self.solver = solver
        self._residents = residents or Residents()
        self.worker = Worker(solver, threads, memory, scratch)
        self.limits = limits or Limits()
        self._started = started
        self.about: dict[str, Any] = {}
        # The answer to everything, once the solver cannot even be read.
        self.dead: dict[str, Any] | None = None
        self.guarded = True  # whether its input is where nobody can write
        self._loaded: tuple[int, str] | None = None
        # What its worker was told to take ahead of time, as in _loaded, and when
        self._sent: tuple[tuple[int, str], float] | None = None
        self._generation = 0
        self._refuses: str | None = None
        self.calls = 0  # warm-ups of this process
        self.waited: dict[str, float] = defaultdict(float)  # seconds by what was asked for
        self.timed = 0.0  # seconds of runs, as they were timed
        self.around = 0.0  # seconds of answered runs that are not in their times
        self.lost = 0.0  # seconds of runs that gave no time: killed, crashed, failed
        self.spent = 0.0  # seconds of runs, and of what a kill made necessary again
        self.invested = 0.0  # seconds that this process has spent on them, lost when it is killed
        self._unfit: set[tuple[str, str, str]] = set()  # kinds whose warm-up failed: not tried again
        self._warm: set[tuple[str, str, str]] = set()  # kinds that this process has been warmed up for

    def hello(self) -> dict[str, Any]:
        """Ask the solver who it is; afterwards `dead` says whether it can be used at all."""
        answer = self._ask("hello", self.limits.hello)
        if answer.get("again"):
            answer = self._ask("hello", self.limits.hello)
        if "status" in answer:
            self.dead = answer
        else:
            self.about = answer
            if answer["package_version"] is None:
                message = f"the package {answer['package']} is not installed"
                self.dead = {"status": Status.MISSING.name, "message": message}
        return answer

    def wake(self) -> None:
        """Wait until a worker that was started again is there; if it is not, the next request will tell."""
        if self.dead is None:
            self._ask("hello", self.limits.hello)

    @property
    def configurations(self) -> list[str]:
        """Names of the solver's configurations."""
        return list(self.about.get("configurations", {"default": ""}))

    @property
    def process(self) -> int | None:
        """Which of the solver's processes this is, from 1; None before the first has started."""
        return self._started + self.worker.generation or None

    def settings(self, task: Task) -> list[str]:
        """Names of the configurations that a job has; one at least, that a refusal may be heard."""
        if not task.many:
            return self.configurations
        return list(self.about.get("path_configurations", [])) or self.configurations[:1]

    def _ask(self, op: str, limit: float, **request: Any) -> dict[str, Any]:
        """Ask the worker; a death is an answer too."""
        self.settle()
        return self._heard(op, lambda: self.worker.ask(op, limit, **request))

    def _heard(self, op: str, answered: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Wait for the worker's answer."""
        start = monotonic()
        try:
            answer = answered()
            if not _understood(op, answer):
                raise self.worker.garbled()
            if answer.pop("spoilt", False):
                self.worker.kill()
            return answer
        except WorkerTooLarge as error:
            return {"status": Status.MEMORY.name, "message": str(error)}
        except WorkerKilled as error:
            return {"status": Status.KILLED.name, "message": str(error)}
        except WorkerDied as error:
            again = error.slain
            if op == "run" and error.signal in FAULTED and self.guarded:
                # It may have written into its input, and even have put back what was there: that is seen, and
                # named, where it can write.
                self.guarded, again = False, True
            return {"status": Status.CRASHED.name, "message": str(error), "again": again}
        finally:
            lasted = monotonic() - start
            self.waited[op] += lasted
            if op == "run" or self.worker.generation > 1:
                self.spent += lasted

    def ahead(self, handle: Handle) -> None:
        """Have the worker take a problem while this process does something else; then `settle`."""
        self.settle()
        if self.dead is not None or not self.worker.alive or self._holds(handle):
            return
        start, self._loaded = monotonic(), None
        try:
            self.worker.send("load", **self._request(handle))
        except WorkerDied:
            return  # `prepare` starts it again
        self._sent = (self.worker.generation, handle.digest), monotonic()
        self.waited["load"] += self._sent[1] - start

    def settle(self) -> float:
        """Wait until the worker has done what it was told ahead of time.

        Whatever went wrong with it is heard of when the problem is asked for again.

        Returns
        -------
        float
            Seconds of its work so far, in which this process did something else.
        """
        if self._sent is None:
            return 0.0
        ((generation, digest), at), self._sent = self._sent, None
        if generation != self.worker.generation or not self.worker.alive:
            return 0.0
        elapsed = monotonic() - at
        answer = self._heard("load", lambda: self.worker.answer(self.limits.load))
        self._take(digest, answer)
        took = answer.get("took")
        return max(0.0, min(elapsed, took)) if isinstance(took, float) else 0.0  # whoever has written it

    def _holds(self, handle: Handle) -> bool:
        """Whether the worker has the problem."""
        return self.worker.alive and self._loaded == (self.worker.generation, handle.digest)

    def _request(self, handle: Handle) -> dict[str, Any]:
        """Make room for a problem, and return the request to take it."""
        size = os.path.getsize(handle.data)
        self._residents.admit(self, size if self.guarded else 2 * size)
        return {
            "data": handle.data,
            "scalars": payload.parameters(handle.problem),
            "digest": handle.digest,
            "guarded": self.guarded,
        }

    def _take(self, digest: str, answer: dict[str, Any]) -> None:
        """Note what came of a request to take a problem."""
        self._loaded = None
        if "status" in answer:
            return
        if self._generation != self.worker.generation:
            self._generation, self.calls, self.invested = self.worker.generation, 0, 0.0
            self._warm.clear()
        self._loaded = (self.worker.generation, digest)
        self._refuses = answer["refuses"]

    def prepare(self, handle: Handle) -> dict[str, Any] | None:
        """Load a problem; return the answer that ends the matter (dead, refused, failed), or None."""
        if self.dead is not None:
            return self.dead
        self.settle()
        if not self._holds(handle):
            answer = self._ask("load", self.limits.load, **self._request(handle))
            self._take(handle.digest, answer)
            if "status" in answer:
                return answer
        if self._refuses is not None:
            return {"status": Status.REFUSED.name, "message": self._refuses}
        return None

    def warm_up(self, handle: Handle, configuration: str) -> dict[str, Any] | None:
        """Compile on a decoy if this process has not yet; return the first call's answer, or None if warm."""
        key = (handle.kind, configuration, handle.task.job)
        if key in self._unfit or key in self._warm:
            return None
        answer = self._ask(
            "warm_up",
            self.limits.warm_up,
            configuration=configuration,
            time_limit=self.limits.warm_up / 20,
            task=handle.task.to_dict(),
        )
        if "kind" in answer:
            self._warm.add(key)
        self.calls += 1
        self.invested += answer.get("setup_seconds", 0.0) + answer.get("run_seconds", 0.0)
        if "kind" not in answer:
            self._loaded = None
            if not answer.get("again"):  # failed on the decoy: the real problem will tell
                self._unfit.add(key)
        return answer

    def run(self, handle: Handle, configuration: str, tol: float | None, limit: float) -> dict[str, Any]:
        """Time one cold start.

        Returns
        -------
        dict
            status, message, n_iter, claimed_gap, setup_seconds, run_seconds, compiled, and, if there is an
            answer to judge, coef (p,) and intercept; of a path, coefs (k, p) and intercepts (k,), statuses,
            claimed_gaps and scores.
        """
        # A kill throws away what was compiled: waiting as long as compiling again would take costs no more.
        patience = hard(limit) + min(self.invested, limit)
        before = self.waited["run"]
        answer = self._ask(
            "run",
            patience,
            tol=tol,
            time_limit=limit,
            configuration=configuration,
            digest=handle.digest,
            task=handle.task.to_dict(),
        )
        lasted = self.waited["run"] - before
        if answer.get("run_seconds") is None:
            self.lost += lasted
        else:
            timed = answer["setup_seconds"] + answer["run_seconds"]
            self.timed += timed
            self.around += lasted - timed
        # The kernel's peak is of one process, what was seen while waiting of its children too.
        answer["memory_peak"] = max(answer.get("memory_peak") or 0, self.worker.peak) or None
        body = answer.pop("body", b"")
        try:
            if "statuses" in answer:
                answer["coefs"], answer["intercepts"] = unpacked(body, handle.task.answers, handle.problem.p)
            elif body:
                answer["coef"], answer["intercept"] = unpacked_one(body, handle.problem.p)
        except ValueError as error:  # somebody else has written it
            self.worker.kill()
            return {"status": Status.FAILED.name, "message": f"its answer cannot be read: {error}: killed"}
        if answer["status"] == Status.FAILED.name:
            self._loaded = None  # a spoilt problem was dropped by the worker
        return answer

    def floor(self, handle: Handle) -> dict[str, Any]:
        """Time the floor of a problem in this solver's process; empty if it does not solve it."""
        if self.prepare(handle) is not None:
            return {}
        answer = self._ask("floor", self.limits.warm_up)
        return {} if "status" in answer else answer

    def environment(self) -> dict[str, Any]:
        """Describe the libraries loaded in the worker, if it is alive."""
        if self.dead is not None or not self.worker.alive:
            return {}
        answer = self._ask("environment", self.limits.load)
        return {} if "status" in answer else answer

    def release(self) -> None:
        """Have the worker drop what it has loaded."""
        if self.dead is None and self.worker.alive:
            self._ask("release", self.limits.load)
        self._loaded = None

    def close(self) -> None:
        """End the worker."""
        self.worker.close()


def _understood(op: str, answer: dict[str, Any]) -> bool:
    """Whether a worker of ours may have written this."""
    if "status" in answer:
        return answer["status"] in Status.__members__
    return all(name in answer for name in EXPECTED.get(op, ()))
