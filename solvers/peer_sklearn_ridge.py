"""scikit-learn's Ridge: Cholesky, SVD, LSQR, conjugate gradients, or L-BFGS-B if positive. [hoerl1970].

The direct methods have no tol; that of the iterative ones is a relative residual, not a duality gap.
"""

from __future__ import annotations

from typing import Any

from ._foreign import column_major, fitted, writable
from .conventions import to_sklearn_ridge
from .problem import Problem
from .registry import Run, SolverRefused
from .solution import Stop

SUPPORTS = {"l2", "positive", "sparse"}
CITES = ("hoerl1970",)
PACKAGE = "scikit-learn"
CLAIMS_GAP = False
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "auto": {},
    "svd": {"method": "svd"},
    "lsqr": {"method": "lsqr"},
    "sparse_cg": {"method": "sparse_cg"},
}


def refuses(problem: Problem) -> str | None:
    """Penalty weights."""
    return None if problem.penalty_weights is None else "has no penalty weights"


def setup(problem: Problem, stop: Stop, *, method: str = "auto") -> Run:
    """Copied once, by the library, where it has to be centred: it does not write to read-only memory."""
    if (problem.is_sparse and method == "svd") or (problem.positive and method != "auto"):
        raise SolverRefused(f"solver {method!r} takes no sparse X or no positive=True: auto does")
    X = column_major(problem.X) if problem.is_sparse else problem.X.astype("float64", copy=False)
    if not problem.intercept or problem.is_sparse:
        X = writable(X)  # only read
    model = _model(problem).set_params(solver=method, tol=stop.tol, max_iter=stop.max_iter, copy_X=False)
    return lambda: fitted(model, problem, X)


def defaults(problem: Problem) -> Run:
    """As its documentation shows: no settings but the problem's own."""
    return lambda: fitted(_model(problem), problem)


def _model(problem: Problem) -> Any:
    from sklearn.linear_model import Ridge

    alpha = to_sklearn_ridge(problem.l2, problem.S)
    return Ridge(alpha=alpha, fit_intercept=problem.intercept, positive=problem.positive)
