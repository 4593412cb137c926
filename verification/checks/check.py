"""A check is one function: it takes a solver under test and yields every failure that it finds.

    @check("a permutation of the rows changes nothing")
    def row_permutation(subject: Subject) -> Iterator[Failure]: ...

The decorator is the register; nobody edits a list. Checks only look: what comes of their failures (a kill in
the fault matrix, an exit code, a smallest example) is for whoever runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from solvers import Entry, Problem, Stop

from ..trials import Attempt, attempt

__all__ = ["CHECKS", "Check", "Failure", "Subject", "check"]


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
    """

    entry: Entry
    configuration: Mapping[str, Any] = field(default_factory=dict)
    stop: Stop = field(default_factory=lambda: Stop(tol=1e-10, time_limit=20.0))

    def solve(self, problem: Problem) -> Attempt:
        """Return an answer, or the status that explains its absence; never raises for the solver does."""
        return attempt(self.entry, problem, self.stop, self.configuration)


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


@dataclass(frozen=True)
class Check:
    """One check: its name is its function's, its summary what it holds a solver to."""

    name: str
    summary: str
    find: Callable[[Subject], Iterator[Failure]]


CHECKS: dict[str, Check] = {}


def check(
    summary: str,
) -> Callable[[Callable[[Subject], Iterator[Failure]]], Callable[[Subject], Iterator[Failure]]]:
    """Register a function as a check, under its own name."""

    def register(find: Callable[[Subject], Iterator[Failure]]) -> Callable[[Subject], Iterator[Failure]]:
        name = getattr(find, "__name__", "")
        if name in CHECKS:
            raise ValueError(f"two checks are called {name}")
        CHECKS[name] = Check(name, summary, find)
        return find

    return register
