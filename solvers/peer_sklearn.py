"""scikit-learn's ElasticNet: coordinate descent with gap-safe screening. [friedman2010], [fercoq2015].

Its tol is a duality gap over ||y - mean||_s^2 / S, and ``dual_gap_`` is the gap of (P) itself.
No time limit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._foreign import column_major, heard
from .conventions import null_loss, to_sklearn_elastic_net, to_sklearn_tol
from .problem import Problem
from .registry import SolverRefused
from .solution import Solution, Status, Stop

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("friedman2010", "fercoq2015")
PACKAGE = "scikit-learn"
CLAIMS_GAP = True
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "cyclic": {},
    "gram": {"precompute": True},
    "random": {"selection": "random"},
}


def refuses(problem: Problem) -> str | None:
    """Penalty weights; and l1 = 0, where its documentation sends one to Ridge."""
    if problem.penalty_weights is not None:
        return "has no penalty weights"
    return "l1 = 0: its documentation advises against it" if problem.l1 == 0 else None


def setup(
    problem: Problem, stop: Stop, *, precompute: bool = False, selection: str = "cyclic"
) -> Callable[[], Solution]:
    """One copy of X where the library has to centre or weight it, none otherwise."""
    from sklearn.linear_model import ElasticNet

    if precompute and (problem.is_sparse or problem.p > 10_000):
        raise SolverRefused("a Gram matrix of a sparse X, or of more than 10000 columns")
    X = column_major(problem.X)
    alpha, l1_ratio = to_sklearn_elastic_net(problem.l1, problem.l2)
    model = ElasticNet(
        alpha=alpha, l1_ratio=l1_ratio, fit_intercept=problem.intercept, positive=problem.positive,
        tol=to_sklearn_tol(stop.tol), max_iter=stop.max_iter, precompute=precompute, selection=selection,
        random_state=0, copy_X=X is problem.X and (problem.intercept or problem.sample_weight is not None),
    )  # fmt: skip
    return lambda: _fit(model, problem, X, check_input=False)


def defaults(problem: Problem) -> Callable[[], Solution]:
    """As its documentation shows: no settings but the problem's own."""
    from sklearn.linear_model import ElasticNet, Lasso

    alpha, l1_ratio = to_sklearn_elastic_net(problem.l1, problem.l2)
    own = {"alpha": alpha, "fit_intercept": problem.intercept, "positive": problem.positive}
    model = Lasso(**own) if problem.l2 == 0 else ElasticNet(l1_ratio=l1_ratio, **own)
    return lambda: _fit(model, problem, problem.X)


def _fit(model: Any, problem: Problem, X: Any, **how: Any) -> Solution:
    from sklearn.exceptions import ConvergenceWarning

    _, trouble = heard(lambda: model.fit(X, problem.y, problem.sample_weight, **how), ConvergenceWarning)
    status = Status.MAX_ITER if trouble else Status.CONVERGED
    N = null_loss(problem.y, problem.intercept, problem.sample_weight)
    claim = float(model.dual_gap_) / N if N > 0 else 0.0
    coef = np.asarray(model.coef_, dtype=np.float64)
    return Solution(coef, float(model.intercept_), status, int(model.n_iter_), claim, trouble)
