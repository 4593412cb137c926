"""A check is one function: it takes a solver under test and yields every failure that it finds.

    @check("a permutation of the rows changes nothing")
    def row_permutation(subject: Subject) -> Iterator[Failure]: ...

The decorator is the register; nobody edits a list. One that looks at each problem by itself is a function of
both, and can then be tried on other problems too, smaller ones or drawn ones:

    @check("every answer is finite", on=BASES)
    def finite(subject: Subject, problem: Problem) -> Iterator[Failure]: ...

Checks only look: what comes of their failures (a kill in the fault matrix, an exit code, a smallest example)
is for whoever runs them.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from solvers import Entry, Problem, Stop

from ..trials import Attempt, asked, attempt, attempt_path

__all__ = ["CHECKS", "Check", "Failure", "Subject", "all_checks", "check"]


@dataclass(frozen=True)
class Subject:
    """A solver under test.

    Attributes
    ----------
    entry : Entry
        Of the catalogue, or the user's own ``module:function``.
    configuration : mapping
        Keyword arguments of its setup.
    stop : Stop
        What is asked of it.
    watch : callable, optional
        Told of each run, the problem and None before it, the problem and what came of it afterwards.
    """

    entry: Entry
    configuration: Mapping[str, Any] = field(default_factory=dict)
    stop: Stop = field(default_factory=lambda: Stop(tol=1e-10, time_limit=20.0))
    watch: Callable[[Problem, Attempt | None], None] | None = field(default=None, compare=False)

    def tol(self, problem: Problem) -> float:
        """Return the relative gap that it is held to: what is asked or, where it takes no tol, its claim."""
        return max(asked(self.stop, problem).tol, self.entry.least_tol)

    def solve(self, problem: Problem) -> Attempt:
        """Return an answer, or the status that explains its absence; never raises for the solver does."""
        self._tell(problem, None)
        found = attempt(self.entry, problem, asked(self.stop, problem), self.configuration)
        self._tell(problem, found)
        return found

    def path(self, problem: Problem, l1s: Sequence[float]) -> list[Attempt]:
        """Return the answers of the solver's own path, l1s falling; none if it has none."""
        self._tell(problem, None)
        found = attempt_path(self.entry, problem, l1s, asked(self.stop, problem), self.configuration)
        for each in found:
            self._tell(problem, each)
        return found

    def _tell(self, problem: Problem, found: Attempt | None) -> None:
        if self.watch is not None:
            self.watch(problem, found)


@dataclass(frozen=True)
class Failure:
    """What a check found.

    Attributes
    ----------
    problem : Problem
        The problem on which it fails.
    words : str
        What is wrong, with the figure and the bound that it exceeds.
    """

    problem: Problem
    words: str

    @property
    def size(self) -> int:
        """Number of entries, n p: the smallest failing example is the one to look at."""
        return self.problem.n * self.problem.p


Find = Callable[[Subject], Iterator[Failure]]
FindOn = Callable[[Subject, Problem], Iterator[Failure]]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    name : str
        Its function's.
    summary : str
        What it holds a solver to.
    find : callable
        Every failure of a subject, on the check's own problems.
    find_on : callable, optional
        The failures on one problem of any kind, for a check that looks at each problem by itself.
    about : {"solver", "judge"}
        What it holds to account; a check of the judge does not look at the subject.
    module : str
        Where it is written.
    """

    name: str
    summary: str
    find: Find
    find_on: FindOn | None = None
    about: str = "solver"
    module: str = ""


CHECKS: dict[str, Check] = {}


def check(
    summary: str, on: Callable[[], Iterable[Problem]] | None = None, about: str = "solver"
) -> Callable[[Callable[..., Iterator[Failure]]], Callable[..., Iterator[Failure]]]:
    """Register a function as a check, under its own name.

    Parameters
    ----------
    summary : str
        What it holds a solver to, in one line.
    on : callable, optional
        Returns the problems; the function is then one of a subject and a problem.
    about : {"solver", "judge"}
        What it holds to account.
    """

    def register(function: Callable[..., Iterator[Failure]]) -> Callable[..., Iterator[Failure]]:
        name = getattr(function, "__name__", "")
        if name in CHECKS:
            raise ValueError(f"two checks are called {name}")

        def on_each(subject: Subject) -> Iterator[Failure]:
            for problem in on() if on is not None else ():
                yield from function(subject, problem)

        find, find_on = (function, None) if on is None else (on_each, function)
        CHECKS[name] = Check(name, summary, find, find_on, about, function.__module__)
        return function

    return register


@cache
def _scan() -> None:
    """Import every module of this folder: those that hold checks register them."""
    for module in pkgutil.iter_modules(importlib.import_module(__package__).__path__):
        if not module.ispkg:  # claims/ is about data, not about a solver
            importlib.import_module(f"{__package__}.{module.name}")


def all_checks(about: str | None = None) -> dict[str, Check]:
    """Return every check of this folder by name, module by module; or those about "solver" or "judge"."""
    _scan()
    return {name: found for name, found in CHECKS.items() if about in (None, found.about)}
