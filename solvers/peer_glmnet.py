"""glmnet's Fortran: coordinate descent, residual ("naive") or covariance updates. [friedman2010]."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ._foreign import Fits, along, column_major, descent, falling, has_constant_column, last, too_wide
from .conventions import from_glmnet, glmnet_factors, glmnet_y_sd, lost, to_glmnet, to_glmnet_thresh
from .problem import Problem
from .registry import Run
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("friedman2010",)
PACKAGE = "python-glmnet"
CLAIMS_GAP = False
UPDATES = {"naive": {"ka": 2}, "covariance": {"ka": 1}}
CONFIGURATIONS = UPDATES | {f"{name}_path": how | {"points": 10} for name, how in UPDATES.items()}


def refuses(problem: Problem) -> str | None:
    """Constant y (its sd divides), constant columns without intercept (dropped), what a ratio loses."""
    sd = glmnet_y_sd(problem.y, problem.s)
    if sd <= 1e-15 * np.abs(problem.y).max():
        return "y is constant, and it divides by the sd of y"
    if not problem.intercept and has_constant_column(problem.X):
        return "it drops constant columns, also without intercept"
    l1, l2 = problem.l1, problem.l2
    return None if l1 == 0 else lost(l1, l2, from_glmnet(*to_glmnet(l1, l2, sd), sd))


def setup(problem: Problem, stop: Stop, *, ka: int = 2, points: int = 1) -> Run:
    """Copies: the Fortran writes to its arguments. ``points``: warm starts from l1_max down, as advised."""
    lam, alpha = _convert(problem, problem.l1)
    return last(_prepare(problem, lam * descent(problem, points), alpha, stop, ka))


def path(problem: Problem, l1s: Sequence[float], stop: Stop, *, ka: int = 2) -> list[Solution]:
    """Its own path with warm starts, from the largest l1 down."""
    lam, _ = _convert(problem, 1.0)
    return _prepare(problem, lam * falling(problem, l1s), 1.0, stop, ka)()


def defaults(problem: Problem) -> Run:
    """As its estimator does: thresh 1e-7, 100,000 passes, covariance updates unless p > n."""
    return setup(problem, Stop(1e-7, 100_000), ka=2 if problem.p > problem.n else 1)


def _convert(problem: Problem, l1: float) -> tuple[float, float]:
    return to_glmnet(l1, problem.l2, glmnet_y_sd(problem.y, problem.s), glmnet_factors(problem.v).mean())


def _prepare(problem: Problem, lams: Any, alpha: float, stop: Stop, ka: int) -> Fits:
    from glmnet._glmnet import elnet, solns, spelnet

    if ka == 1:
        too_wide(problem, sparse_ok=True)
    n, p, X, out = problem.n, problem.p, column_major(problem.X, copy=True), np.isinf(problem.v)
    excluded = np.concatenate([[out.sum()], np.flatnonzero(out) + 1]).astype(np.int32)
    limits = np.tile([[0.0 if problem.positive else -np.inf], [np.inf]], p)
    rows = problem.y.copy(), problem.s.copy(), excluded, glmnet_factors(problem.v), limits
    end = p, 1.0, lams, to_glmnet_thresh(stop.tol)
    how = {"isd": 0, "intr": int(problem.intercept), "maxit": stop.max_iter}
    if problem.is_sparse:
        entries = n, p, X.data, X.indptr + 1, X.indices + 1
        call = partial(spelnet, ka, alpha, *entries, *rows, p + 1, *end, **how)
    else:
        call = partial(elnet, ka, alpha, X, *rows, *end, ne=p + 1, **how)

    def fit() -> list[Solution]:
        k, b, ca, ia, nin, _, _, passes, error = call()
        if error > 0:
            raise RuntimeError(f"glmnet error {error}")
        return along(solns(p, ca, ia, nin).T, b, np.arange(len(lams)) < k, passes)

    return fit
