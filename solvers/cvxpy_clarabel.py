"""Interior point by Clarabel, through cvxpy, written from (P) itself. [goulart2024], [diamond2016].

An iteration factors a sparse system holding X once, about nnz(X) min(n, p) operations; some ten to thirty
iterations. Its tolerances are on its own objective, so it claims no gap of ours.
"""

from __future__ import annotations

from collections.abc import Callable

from ._cvxpy_model import refuse_conic, solver_run
from .problem import Problem
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "ols", "positive", "sparse"}
CITES = ("goulart2024", "diamond2016")
PACKAGE = "clarabel"
CLAIMS_GAP = False


def refuses(problem: Problem) -> str | None:
    """Refuse what one factorisation would take seconds for, and penalties far beyond the data."""
    return refuse_conic(problem)


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Write the cvxpy problem; tol becomes Clarabel's gap, absolute in units of the null loss."""
    options = {
        "tol_gap_abs": stop.tol,
        "tol_gap_rel": stop.tol,
        "tol_feas": stop.tol,
        "max_iter": min(stop.max_iter, 1000),
    }
    if stop.time_limit is not None:
        options["time_limit"] = stop.time_limit
    return solver_run(problem, stop, "CLARABEL", options)
