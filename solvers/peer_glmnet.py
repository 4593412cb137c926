"""glmnet's Fortran: coordinate descent, residual ("naive") or covariance updates. [friedman2010].

Called below python-glmnet's estimator, which fixes the algorithm and adds cross-validation. It writes to
its arguments, read-only or not, so each is a copy. Its thresh is the move of one coordinate: no claim.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._foreign import column_major, descent, falling, has_constant_column, too_wide
from .conventions import glmnet_y_sd, to_glmnet, to_glmnet_thresh
from .problem import Problem
from .solution import Solution, Status, Stop

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("friedman2010",)
PACKAGE = "python-glmnet"
CLAIMS_GAP = False
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "naive": {},
    "covariance": {"covariance": True},
    "naive_path": {"points": 10},
    "covariance_path": {"covariance": True, "points": 10},
}


def refuses(problem: Problem) -> str | None:
    """Constant y (its sd divides), and constant columns without intercept (they are dropped)."""
    if glmnet_y_sd(problem.y, problem.s) == 0:
        return "y is constant, and it divides by the sd of y"
    if not problem.intercept and has_constant_column(problem.X):
        return "it drops constant columns, also without intercept"
    return None


def setup(
    problem: Problem, stop: Stop, *, covariance: bool = False, points: int = 1
) -> Callable[[], Solution]:
    """Copies of everything. ``points``: as many warm starts from l1_max down, as its authors advise."""
    lam, alpha = _convert(problem, problem.l1)
    fit = _prepare(problem, lam * descent(problem, points), alpha, stop, covariance)
    return lambda: fit()[-1]


def path(problem: Problem, l1s: Sequence[float], stop: Stop, *, covariance: bool = False) -> list[Solution]:
    """Its own path with warm starts, from the largest l1 down."""
    lams = np.array([_convert(problem, l1)[0] for l1 in falling(problem, l1s)])
    return _prepare(problem, lams, 1.0, stop, covariance)()


def defaults(problem: Problem) -> Callable[[], Solution]:
    """As its estimator does by itself: thresh 1e-7, 100,000 passes, covariance updates unless p > n."""
    return setup(problem, Stop(1e-7, 100_000), covariance=problem.p <= problem.n)


def _convert(problem: Problem, l1: float) -> tuple[float, float]:
    v_mean = np.where(np.isinf(problem.v), 1.0, problem.v).mean()
    return to_glmnet(l1, problem.l2, glmnet_y_sd(problem.y, problem.s), float(v_mean))


def _prepare(problem: Problem, lams: Any, alpha: float, stop: Stop, covariance: bool) -> Callable[[], list[Solution]]:
    from glmnet._glmnet import elnet, solns, spelnet

    if covariance:
        too_wide(problem, sparse_ok=True)
    n, p, X, v = problem.n, problem.p, column_major(problem.X), problem.v
    out = np.flatnonzero(np.isinf(v))
    jd = np.concatenate([[out.size], out + 1]).astype(np.int32)
    limits = np.array([[0.0 if problem.positive else -np.inf] * p, [np.inf] * p], order="F")
    rows = problem.y.copy(), problem.s.copy(), jd, np.where(np.isinf(v), 1.0, v), limits
    end = 1.0, lams, to_glmnet_thresh(stop.tol)
    how = {"isd": 0, "intr": int(problem.intercept), "maxit": stop.max_iter, "nlam": len(lams)}
    ka = 1 if covariance else 2
    if problem.is_sparse:
        entries = n, p, X.data.copy(), X.indptr + 1, X.indices + 1
        call = lambda: spelnet(ka, alpha, *entries, *rows, p + 1, p, *end, **how)
    else:
        dense = X.copy(order="F") if X is problem.X else X
        call = lambda: elnet(ka, alpha, dense, *rows, p, *end, ne=p + 1, **how)

    def fit() -> list[Solution]:
        k, b, ca, ia, nin, _, _, passes, error = call()
        if error > 0:
            raise RuntimeError(f"glmnet error {error}")
        coefs = solns(p, ca, ia, nin).T
        done = [Status.CONVERGED if i < k else Status.MAX_ITER for i in range(len(lams))]
        return [Solution(w.copy(), float(b0), st, int(passes)) for w, b0, st in zip(coefs, b, done, strict=True)]

    return fit
