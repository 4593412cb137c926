"""Homogeneous self-dual splitting by SCS, through cvxpy, from (P) itself. [odonoghue2016], [diamond2016].

One sparse factorisation holding X, about nnz(X) min(n, p); an iteration is two triangular solves. Its
tolerances are on residuals and its own gap, so it claims no gap of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._cvxpy_model import refuse_conic, solver_run
from .problem import Problem
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "ols", "positive", "sparse"}
CITES = ("odonoghue2016", "diamond2016")
PACKAGE = "scs"
CLAIMS_GAP = False


def refuses(problem: Problem) -> str | None:
    """Refuse what one factorisation would take seconds for, and penalties far beyond the data."""
    return refuse_conic(problem)


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Write the cvxpy problem; tol becomes SCS's absolute and relative tolerance."""
    options: dict[str, Any] = {"eps_abs": stop.tol, "eps_rel": stop.tol, "max_iters": stop.max_iter}
    if stop.time_limit is not None:
        options["time_limit_secs"] = stop.time_limit
    return solver_run(problem, stop, "SCS", options)
