"""The catalogue: one file per solver of (P), and the types that go in and out of them."""

from __future__ import annotations

from typing import Any

import scipy.linalg  # noqa: F401  nearly every solver needs it: its import is no part of a first solve

from .path import solve_path
from .problem import Problem, ProblemError
from .registry import Entry, SolverMissing, SolverRefused, catalogue, entry
from .solution import Solution, Status, Stop

__all__ = [
    "Entry",
    "Problem",
    "ProblemError",
    "Solution",
    "SolverMissing",
    "SolverRefused",
    "Status",
    "Stop",
    "catalogue",
    "entry",
    "solve",
    "solve_path",
]

# Without being told, the first of these that does not refuse.
DEFAULTS = ("active_set_numba", "ridge_numpy", "cd_numba")


def solve(
    problem: Problem,
    solver: str | None = None,
    stop: Stop | None = None,
    *,
    threads: int = 1,
    **configuration: Any,
) -> Solution:
    """Solve (P).

    Parameters
    ----------
    problem : Problem
    solver : str, optional
        A name of the catalogue, or ``module:function``; by default the fastest suitable one.
    stop : Stop, optional
        Default: a relative gap of 1e-9.
    threads : int
        For the solver, and for the libraries under it while it runs. With one, the answer is the same bit
        for bit whatever the environment gives them; with more it is the same on a rerun.
    **configuration
        Keyword arguments of the solver's ``setup``.

    Returns
    -------
    Solution

    Raises
    ------
    SolverRefused, SolverMissing
        With the reason; never a substitute solver.
    KeyError
        If there is no solver of that name.
    ValueError
        If threads < 1.
    """
    chosen = entry(solver or _default(problem))
    with chosen.on_threads(threads) as divided:
        return chosen.setup(problem, stop or Stop(), **divided, **configuration)()


def _default(problem: Problem) -> str:
    """Name of the fastest suitable solver: working sets with an L1 penalty, a factorisation without one."""
    suitable = (name for name in DEFAULTS if entry(name).refuses(problem) is None)
    return next(suitable, DEFAULTS[-1])  # which then says why it refuses
