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
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any

from solvers import Problem, Stop, entry

from .checks.check import Failure, Subject, all_checks
from .plain import from_plain, to_plain
from .process import Died, Killed, Process, die_with_parent

__all__ = ["Isolated", "Report", "Spec"]

MOST = 5  # failures of one check that are reported with their problems


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
        The first few.
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
    def holds(self) -> bool:
        """Whether the check was gone through and found nothing."""
        return self.status == "DONE" and not self.count


class Isolated:
    """The parent's side.

    Parameters
    ----------
    spec : Spec
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._process = Process("verification.isolate", [json.dumps(asdict(spec))])

    def check(self, name: str, limit: float = 60.0, *, fresh: bool = False) -> Report:
        """Hold the solver to one check.

        Parameters
        ----------
        name : str
        limit : float
            Seconds until the process is killed.
        fresh : bool
            Whether to start a new process for it.
        """
        if fresh:
            self._process.kill()
        start = monotonic()
        answer = self._ask("check", limit, name=name)
        answer["failures"] = [
            Failure(from_plain(f["problem"]), f["words"]) for f in answer.get("failures", ())
        ]
        return Report(name, **answer, seconds=monotonic() - start)

    def try_on(self, name: str, problem: Problem, limit: float = 60.0) -> Report:
        """Hold the solver to one check on one problem (a check with `find_on`)."""
        start = monotonic()
        answer = self._ask("try_on", limit, name=name, problem=to_plain(problem))
        answer["failures"] = [
            Failure(from_plain(f["problem"]), f["words"]) for f in answer.get("failures", ())
        ]
        return Report(name, **answer, seconds=monotonic() - start)

    def _ask(self, op: str, limit: float, **request: Any) -> dict[str, Any]:
        try:
            return self._process.ask(op, limit, **request)
        except Killed as error:
            return {"status": "KILLED", "words": str(error)}
        except Died as error:
            return {"status": "CRASHED", "words": str(error)}

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def __enter__(self) -> Isolated:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def hold(subject: Subject, find: Callable[[], Iterator[Failure]]) -> dict[str, Any]:
    """Go through a check in this process; return what a Report is made of, as JSON."""
    before = subject.runs.copy()
    found: list[Failure] = []
    count = 0
    try:
        for failure in find():
            count += 1
            if len(found) < MOST:
                found.append(failure)
    except Exception as error:  # a check that raises on foreign code is a row, not the end of the others
        traceback.print_exc()
        where = traceback.extract_tb(error.__traceback__)[-1]
        words = f"{type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})"
        return {"status": "FAILED", "words": words, "runs": dict(subject.runs - before)}
    failures = [{"problem": to_plain(f.problem), "words": f.words} for f in found]
    runs = dict(subject.runs - before)
    return {"status": "DONE", "failures": failures, "count": count, "runs": runs}


def answer(subject: Subject, request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request asks."""
    check = all_checks()[request["name"]]
    if request["op"] == "check":
        return hold(subject, lambda: check.find(subject))
    if check.find_on is None:
        raise ValueError(f"{check.name} takes no single problem")
    on, problem = check.find_on, from_plain(request["problem"])
    return hold(subject, lambda: on(subject, problem))


def main(spec: str) -> None:
    """Answer requests until the parent closes the pipe."""
    die_with_parent()
    given = json.loads(spec)
    subject: Subject | None = None
    with os.fdopen(REQUESTS, "rb") as requests, os.fdopen(ANSWERS, "wb") as answers:
        for line in requests:
            try:
                subject = subject or Spec(**given | {"arguments": tuple(given["arguments"])}).subject()
                reply = answer(subject, json.loads(line))
            except Exception as error:  # the solver's module cannot be read
                traceback.print_exc()
                reply = {"status": "FAILED", "words": f"{type(error).__name__}: {error}"}
            answers.write(json.dumps(reply).encode() + b"\n")
            answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
