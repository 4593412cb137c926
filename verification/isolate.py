"""A solver held to checks in a process of its own, so that one that hangs or dies takes nothing down.

    with Isolated(Spec("mymodule:solve")) as held:
        report = held.check("row_permutation", limit=60.0)

The process is used again from check to check, so that a solver which compiles does so once, and one which
keeps something from call to call is seen to; it is started anew where it was killed or died.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":  # before anything is imported: what a library prints goes to the log
    REQUESTS, ANSWERS = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)

import importlib
import json
import math
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from time import monotonic
from typing import Any

from solvers import Problem, Stop, entry

from .checks.check import Check, Failure, Subject, all_checks
from .checks.shrink import smaller
from .plain import from_plain, to_plain
from .process import Died, Killed, Process, die_with_parent
from .trials import Attempt

__all__ = ["Isolated", "Report", "Spec"]

MOST = 5  # failures of one check that are kept with their problems, the smallest
TOLD = 4096  # entries of the largest problem that is told before each run
START = 60.0  # seconds more until the first sign of life: the process starts, and may compile


@dataclass(frozen=True)
class Spec:
    """How the process is to make its subject.

    Attributes
    ----------
    solver : str
        A name of the catalogue, or ``module:function`` for a user's own.
    configuration : str
        Name of one of its configurations; the first one by default.
    factory : str
        In place of both: ``module:function`` that returns a Subject, called with `arguments`. It may change
        the process as it likes.
    arguments : tuple of str
    tol, time_limit : float
        What is asked of the solver.
    """

    solver: str = ""
    configuration: str = ""
    factory: str = ""
    arguments: tuple[str, ...] = ()
    tol: float = 1e-10
    time_limit: float = 20.0

    def subject(self) -> Subject:
        """Make the subject, in this process."""
        if self.factory:
            module, _, function = self.factory.partition(":")
            made: Subject = getattr(importlib.import_module(module), function)(*self.arguments)
            return made
        chosen = entry(self.solver)
        options = chosen.configurations
        name = self.configuration or next(iter(options))
        return Subject(chosen, options[name], Stop(tol=self.tol, time_limit=self.time_limit))


@dataclass(frozen=True)
class Report:
    """What came of one check.

    Attributes
    ----------
    check : str
    status : str
        DONE; KILLED: no end within the limit; CRASHED: the process died; FAILED: the check, or reading the
        solver's module, raised.
    words : str
        Why it is not DONE.
    failures : list of Failure
        The smallest few; where the process was killed or died, the problem that it was at.
    count : int
        All failures.
    runs : dict of str to int
        How the solver's runs in this check ended.
    seconds : float
    """

    check: str
    status: str
    words: str = ""
    failures: list[Failure] = field(default_factory=list)
    count: int = 0
    runs: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def answers(self) -> int:
        """Runs that the solver did not refuse."""
        return sum(self.runs.values()) - self.runs.get("REFUSED", 0) - self.runs.get("MISSING", 0)

    @property
    def holds(self) -> bool:
        """Whether the check was gone through and found nothing."""
        return self.status == "DONE" and not self.count


class Isolated:
    """The parent's side.

    Parameters
    ----------
    spec : Spec
    patience : float, optional
        Seconds that one run of the solver may take before the process is killed; by default well after its
        soft limit.
    """

    def __init__(self, spec: Spec, patience: float | None = None) -> None:
        self.spec = spec
        self.patience = 1.5 * spec.time_limit + 1.0 if patience is None else patience
        self._process = Process("verification.isolate", [json.dumps(asdict(spec))])

    def reason(self) -> str:
        """Say why the subject cannot be made, its module not be read; empty if it can."""
        try:
            answer = self._process.ask("begin", START)
        except (Killed, Died) as error:
            return str(error)
        return "" if answer["status"] == "DONE" else str(answer["words"])

    def check(self, name: str, limit: float = math.inf, *, fresh: bool = False) -> Report:
        """Hold the solver to one check.

        Parameters
        ----------
        name : str
        limit : float
            Seconds until the process is killed, however it goes on.
        fresh : bool
            Whether to start a new process for it.
        """
        if fresh:
            self._process.kill()
        return self._report(name, limit, "check")

    def try_on(self, name: str, problem: Problem, limit: float = math.inf) -> Report:
        """Hold the solver to one check on one problem (a check with `find_on`)."""
        return self._report(name, limit, "try_on", problem=to_plain(problem))

    def shrink(self, name: str, failure: Failure, seconds: float) -> Failure:
        """Return the smallest failure of a check that is found from this one in so many seconds."""
        request = {"problem": to_plain(failure.problem), "words": failure.words, "seconds": seconds}
        report = self._report(name, 2 * seconds + self.patience, "shrink", **request)
        return min([failure, *report.failures], key=lambda f: f.size)  # the first of equals

    def _report(self, name: str, limit: float, op: str, **request: Any) -> Report:
        """Ask, and listen to the process until it has answered or its time is up."""
        start = monotonic()
        running: dict[str, Any] | None = None
        failures: list[Failure] = []
        runs: Counter[str] = Counter()
        answer: dict[str, Any] = {}
        try:
            answer = self._process.ask(op, min(limit, START + self.patience), name=name, **request)
            while "status" not in answer:
                running = answer.get("running", running)
                runs.update([answer["ended"]] if "ended" in answer else [])
                failures += [_failure(answer["failure"])] if "failure" in answer else []
                left = limit - (monotonic() - start)
                answer = self._process.receive(max(0.0, min(left, self.patience)))
        except Killed as error:
            answer = {"status": "KILLED", "words": str(error)}
        except Died as error:
            answer = {"status": "CRASHED", "words": str(error)}
        if answer["status"] in ("KILLED", "CRASHED") and running is not None:
            failures.append(_failure({"problem": running, "words": f"{answer['status']}: {answer['words']}"}))
        count = len(failures)
        failures = sorted(failures, key=lambda f: f.size)[:MOST]
        return Report(
            name, answer["status"], answer.get("words", ""), failures, count, dict(runs), monotonic() - start
        )

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def __enter__(self) -> Isolated:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _failure(told: dict[str, Any]) -> Failure:
    return Failure(from_plain(told["problem"]), told["words"])


class Held:
    """The child's side: a subject, and what there is to tell of it.

    Parameters
    ----------
    subject : Subject
    tell : callable
        Sends one line.
    """

    def __init__(self, subject: Subject, tell: Callable[[dict[str, Any]], None]) -> None:
        self.subject = replace(subject, watch=self._watch)
        self.tell = tell

    def _watch(self, problem: Problem, found: Attempt | None) -> None:
        if found is not None:
            self.tell({"ended": found.status.name})
        elif problem.n * problem.p <= TOLD:
            self.tell({"running": to_plain(problem)})
        else:
            self.tell({})  # it goes on

    def answer(self, op: str, name: str = "", **request: Any) -> dict[str, Any]:
        """Do what is asked; what a check raises on foreign code is no end to the others."""
        try:
            if op == "begin":
                assert self.subject.entry.module  # which reads it
                return {"status": "DONE"}
            for failure in self._failures(op, all_checks()[name], **request):
                self.tell({"failure": {"problem": to_plain(failure.problem), "words": failure.words}})
        except Exception as error:
            traceback.print_exc()
            where = traceback.extract_tb(error.__traceback__)[-1]
            words = f"{type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})"
            return {"status": "FAILED", "words": words}
        return {"status": "DONE"}

    def _failures(self, op: str, check: Check, **request: Any) -> Iterator[Failure]:
        if op == "check":
            return check.find(self.subject)
        if check.find_on is None:
            raise ValueError(f"{check.name} takes no single problem")
        problem = from_plain(request["problem"])
        if op == "try_on":
            return check.find_on(self.subject, problem)
        find = partial(check.find_on, self.subject)
        return smaller(find, Failure(problem, request["words"]), request["seconds"])


def main(spec: str) -> None:
    """Answer requests until the parent closes the pipe."""
    die_with_parent()
    given = json.loads(spec)
    held: Held | None = None
    with os.fdopen(REQUESTS, "rb") as requests, os.fdopen(ANSWERS, "wb") as answers:

        def tell(line: dict[str, Any]) -> None:
            answers.write(json.dumps(line).encode() + b"\n")
            answers.flush()

        for line in requests:
            try:
                held = held or Held(Spec(**given | {"arguments": tuple(given["arguments"])}).subject(), tell)
                reply = held.answer(**json.loads(line))
            except Exception as error:  # the solver's module cannot be read
                traceback.print_exc()
                reply = {"status": "FAILED", "words": f"{type(error).__name__}: {error}"}
            tell(reply)


if __name__ == "__main__":
    main(sys.argv[1])
