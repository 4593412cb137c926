"""Planted faults: small realistic bugs, each with the check that must kill it.

    @planted("penalty_as_asked")
    def l1_times_1_05(problem: Problem, stop: Stop) -> Solution:
        '''l1 is 5 % too large.'''
        return descend(problem.replace(l1=1.05 * problem.l1), stop)

    @planted_in_judge("weak_duality_holds")
    def radius_forgotten(wrong: Wrong) -> None:
        '''The rounding of the gap is given as 0.'''

A fault of a solver is a complete solver: what a file of solvers/ holds, and callable as a user's function, so
``--solver verification.checks.faults.penalties:l1_times_1_05`` runs it. A fault of the judge is applied in a
process of its own, in which the solver under test is honest. The decorators are the register.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from solvers import Problem, Solution, Stop

from .reference import Descent, honest, honest_path, refuses

__all__ = [
    "Fault",
    "Faulty",
    "Wrong",
    "descend",
    "faults",
    "honest_solver",
    "planted",
    "planted_in_judge",
    "planted_in_path",
]

Solve = Callable[[Problem, Stop], Solution]
SolvePath = Callable[[Problem, Sequence[float], Stop], Iterable[Solution]]


class Faulty:
    """What the registry of solvers asks of a file, and a user's function: both at once.

    Parameters
    ----------
    solve : callable
        (problem, stop) -> Solution.
    path : callable, optional
        (problem, falling l1s, stop) -> Solutions.
    takes_tol : bool
        Whether it minds what it is asked for.
    """

    SUPPORTS = frozenset({"l1", "l2", "ols", "positive", "sparse"})
    CLAIMS_GAP = True

    def __init__(self, solve: Solve, path: SolvePath | None = None, takes_tol: bool = True) -> None:
        self.solve = solve
        self.TAKES_TOL = takes_tol
        self.path = path
        self.__doc__ = solve.__doc__
        self.__name__ = solve.__name__

    @staticmethod
    def refuses(problem: Problem) -> str | None:
        """Say why a problem is not for the solver that the fault is planted in, or None."""
        return refuses(problem)

    def setup(self, problem: Problem, stop: Stop) -> Callable[[], Solution]:
        """Prepare a run."""
        return lambda: self.solve(problem, stop)

    def __call__(
        self, X: Any, y: Any, l1: float, l2: float, tol: float = 1e-9, intercept: bool = False
    ) -> tuple[Any, float]:
        """As a user's function: (coef, intercept)."""
        problem = Problem(X, y, l1=l1, l2=l2, intercept=intercept)
        reason = refuses(problem)
        if reason is not None:
            raise NotImplementedError(reason)
        found = self.solve(problem, Stop(tol=tol))
        return found.coef, found.intercept


@dataclass(frozen=True)
class Fault:
    """One planted fault.

    Attributes
    ----------
    name : str
        Of its function.
    theme : str
        Of its file.
    summary : str
        What is wrong, in one line.
    killed_by : str
        The check that must kill it.
    plant : callable or None
        For a fault of the judge: puts it into this process.
    """

    name: str
    theme: str
    summary: str
    killed_by: str
    plant: Callable[[Wrong], None] | None = None

    @property
    def solver(self) -> str:
        """The solver under test, ``module:function``: the faulty one, or the honest one if the judge errs."""
        return f"{__name__}.{self.theme}:{self.name}" if self.plant is None else honest_solver()


Wrong = Callable[[Any, str, Callable[[Any], Any]], None]  # (owner, name, make): owner.name = make(owner.name)

_REGISTER: dict[str, Fault] = {}


def planted(killed_by: str, takes_tol: bool = True) -> Callable[[Solve], Faulty]:
    """Register a function as a faulty solver, under its own name."""

    def register(solve: Solve) -> Faulty:
        _add(solve, killed_by)
        return Faulty(solve, takes_tol=takes_tol)

    return register


def planted_in_path(killed_by: str) -> Callable[[SolvePath], Faulty]:
    """Register a function as the faulty path of a solver that is honest at single points."""

    def register(path: SolvePath) -> Faulty:
        _add(path, killed_by)
        faulty = Faulty(honest, path)
        faulty.__doc__, faulty.__name__ = path.__doc__, path.__name__
        return faulty

    return register


def planted_in_judge(killed_by: str) -> Callable[[Callable[[Wrong], None]], Callable[[Wrong], None]]:
    """Register a function that makes the judge err, under its own name."""

    def register(plant: Callable[[Wrong], None]) -> Callable[[Wrong], None]:
        _add(plant, killed_by, plant)
        return plant

    return register


def _add(function: Callable[..., Any], killed_by: str, plant: Callable[[Wrong], None] | None = None) -> None:
    name = function.__name__
    if name in _REGISTER:
        raise ValueError(f"two faults are called {name}")
    if not function.__doc__:
        raise ValueError(f"fault {name} has no docstring: it says what is wrong")
    theme = function.__module__.rpartition(".")[2]
    _REGISTER[name] = Fault(name, theme, function.__doc__.strip().split("\n")[0], killed_by, plant)


def descend(problem: Problem, stop: Stop, **wrong: Callable[..., Any]) -> Solution:
    """Solve by `Descent` with some of its methods replaced."""
    return type("Faulty", (Descent,), wrong)(problem, stop).solve()


_honest = Faulty(honest, honest_path)


def honest_solver() -> str:
    """``module:function`` of the solver without a fault."""
    return f"{__name__}:_honest"


@cache
def faults() -> dict[str, Fault]:
    """Return every fault by name, theme by theme."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_REGISTER.items(), key=lambda item: (item[1].plant is not None, item[1].theme)))
