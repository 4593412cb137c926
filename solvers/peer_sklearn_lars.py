"""scikit-learn's LassoLars: the homotopy from l1_max down to l1, exact up to rounding. [efron2004].

It has no tol: one answer, whatever is asked. It stops early, with a warning, where rounding takes over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._foreign import column_major, falling, fitted, too_wide
from .conventions import to_sklearn_elastic_net
from .problem import Problem
from .solution import Solution, Stop

SUPPORTS = {"l1"}  # its positive=True is documented not to reach the optimum for every l1
CITES = ("efron2004",)
PACKAGE = "scikit-learn"
CLAIMS_GAP = False
CONFIGURATIONS: dict[str, dict[str, Any]] = {"residual": {}, "gram": {"precompute": True}}


def refuses(problem: Problem) -> str | None:
    """Weights of either kind."""
    weighted = problem.sample_weight is not None or problem.penalty_weights is not None
    return "has no weights" if weighted else None


def setup(problem: Problem, stop: Stop, *, precompute: bool = False) -> Callable[[], Solution]:
    """The library copies X once, to centre or to permute it: it does not write to read-only memory."""
    if precompute:
        too_wide(problem)
    X = column_major(problem.X)
    model = _model(problem, problem.l1).set_params(
        fit_path=False, precompute=precompute, max_iter=stop.max_iter, copy_X=False
    )
    return lambda: _fit(model, problem, X)


def path(problem: Problem, l1s: Sequence[float], stop: Stop, *, precompute: bool = False) -> list[Solution]:
    """One homotopy to the smallest l1; between its knots the path is linear."""
    l1s = falling(problem, l1s)
    model = _model(problem, l1s[-1]).set_params(precompute=precompute, max_iter=stop.max_iter)
    last = _fit(model, problem, column_major(problem.X))
    knots, coefs = model.alphas_[::-1], model.coef_path_[:, ::-1]
    means = problem.X.mean(axis=0)
    out = []
    for l1 in l1s:
        w = np.array([np.interp(l1, knots, row) for row in coefs])
        b = problem.y.mean() - float(means @ w) if problem.intercept else 0.0
        out.append(Solution(w, b, last.status, last.n_iter, None, last.message))
    return out


def defaults(problem: Problem) -> Callable[[], Solution]:
    """As its documentation shows: no settings but the problem's own."""
    return lambda: _fit(_model(problem, problem.l1), problem, problem.X)


def _model(problem: Problem, l1: float) -> Any:
    from sklearn.linear_model import LassoLars

    alpha, _ = to_sklearn_elastic_net(l1, 0.0)
    return LassoLars(alpha=alpha, fit_intercept=problem.intercept)


def _fit(model: Any, problem: Problem, X: Any) -> Solution:
    from sklearn.exceptions import ConvergenceWarning

    return fitted(model, problem, ConvergenceWarning, X)
