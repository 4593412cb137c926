"""The path of (P): solutions for falling l1 at the same l2, each from the one before where the method can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from .problem import Problem
from .registry import Entry, entry
from .solution import Solution, Stop


def grid(problem: Problem, n_l1: int = 100, ratio: float = 1e-2) -> list[float]:
    """``n_l1`` values from l1_max down to ratio * l1_max, evenly spaced in their logarithm.

    Raises
    ------
    ValueError
        If n_l1 < 1, if ratio is not in (0, 1), or if l1_max is 0 (nothing penalised, or y fitted without).
    """
    if n_l1 < 1:
        raise ValueError(f"n_l1 is {n_l1}: it must be at least 1")
    if not 0 < ratio < 1:
        raise ValueError(f"ratio is {ratio}: it must be between 0 and 1")
    top = problem.l1_max()
    if top == 0:
        raise ValueError("l1_max is 0: every penalised coefficient is 0 whatever l1 is, so there is no path")
    return [float(l1) for l1 in top * np.geomspace(1.0, ratio, n_l1)]


def solve_path(
    problem: Problem,
    l1s: Sequence[float] | None = None,
    n_l1: int = 100,
    ratio: float = 1e-2,
    solver: str = "active_set_numba",
    stop: Stop | None = None,
    *,
    threads: int = 1,
    **configuration: Any,
) -> list[Solution]:
    """Solve (P) for each of several l1.

    Parameters
    ----------
    problem : Problem
        Its own l1 plays no part; its l2 is kept.
    l1s : sequence of float, optional
        Values > 0, in any order. Default: ``grid(problem, n_l1, ratio)``.
    n_l1, ratio : int, float
        The grid, if l1s is not given.
    solver : str
        A name of the catalogue. A file with a function ``path(problem, l1s, stop)`` (falling l1s, one
        Solution for each) starts each point from the one before; for any other every point is a cold
        start, and its message says so.
    stop : Stop, optional
        For each point; ``time_limit`` too.
    threads : int
        As in ``solve``.
    **configuration
        Keyword arguments of the solver's ``path`` (or ``setup``).

    Returns
    -------
    list of Solution
        In the order of l1s.

    Raises
    ------
    SolverRefused, SolverMissing
        With the reason.
    ValueError
        If an l1 is not > 0, or threads < 1.
    """
    chosen, stop = entry(solver), stop or Stop()
    values = np.asarray(grid(problem, n_l1, ratio) if l1s is None else l1s, dtype=np.float64)
    if values.ndim != 1 or not np.all((values > 0) & np.isfinite(values)):
        raise ValueError("l1s must be finite numbers > 0 in one dimension")
    if values.size == 0:
        return []
    order = np.argsort(-values, kind="stable")
    falling = [float(l1) for l1 in values[order]]
    with chosen.on_threads(threads) as divided:
        points = _points(chosen, problem, falling, stop, divided | configuration)
        found = list(islice(points, len(falling)))
    solutions = dict(zip(order.tolist(), found, strict=True))
    return [solutions[i] for i in range(values.size)]


def _points(
    chosen: Entry, problem: Problem, l1s: list[float], stop: Stop, configuration: dict[str, Any]
) -> Iterator[Solution]:
    if hasattr(chosen.module, "path"):
        yield from chosen.path(problem, l1s, stop, **configuration)
        return
    for l1 in l1s:
        one = chosen.setup(problem.replace(l1=l1), stop, **configuration)()
        yield replace(one, message="; ".join(filter(None, (one.message, "cold start"))))
