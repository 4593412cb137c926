"""Operator splitting by OSQP, through cvxpy, written from (P) itself. [stellato2020], [diamond2016].

One sparse factorisation holding X, about nnz(X) min(n, p), and again whenever its step size adapts; an
iteration is two triangular solves. Its tolerances are on residuals, so it claims no gap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._cvxpy_model import refuse_conic, solver_run
from .problem import Problem
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "ols", "positive", "sparse"}
CITES = ("stellato2020", "diamond2016")
PACKAGE = "osqp"
CLAIMS_GAP = False


def refuses(problem: Problem) -> str | None:
    """Refuse what one factorisation would take seconds for, and penalties far beyond the data."""
    return refuse_conic(problem)


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Write the cvxpy problem; tol becomes OSQP's absolute and relative residual."""
    options: dict[str, Any] = {"eps_abs": stop.tol, "eps_rel": stop.tol, "max_iter": stop.max_iter}
    options |= {"polishing": True, "warm_starting": False}
    if stop.time_limit is not None:
        options["time_limit"] = stop.time_limit
    return solver_run(problem, stop, "OSQP", options)
