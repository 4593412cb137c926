"""scikit-learn's LassoLars: the homotopy from l1_max down to l1, exact up to rounding. [efron2004].

It has no tol: one answer, whatever is asked. It stops early, with a warning, where rounding takes over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._foreign import along, column_major, falling, fitted, too_wide
from .conventions import to_sklearn_elastic_net
from .problem import Problem
from .registry import Run
from .solution import Solution, Status, Stop

SUPPORTS = {"l1"}  # its positive=True is documented not to reach the optimum for every l1
CITES = ("efron2004",)
PACKAGE = "scikit-learn"
CLAIMS_GAP = False
CONFIGURATIONS = {"residual": {}, "gram": {"precompute": True}}


def refuses(problem: Problem) -> str | None:
    """Weights of either kind."""
    weighted = problem.sample_weight is not None or problem.penalty_weights is not None
    return "has no weights" if weighted else None


def setup(problem: Problem, stop: Stop, *, precompute: bool = False) -> Run:
    """The library copies X once, to centre or to permute it: it does not write to read-only memory."""
    if precompute:
        too_wide(problem)
    X = column_major(problem.X)
    model = _model(problem, problem.l1).set_params(
        fit_path=False, precompute=precompute, max_iter=stop.max_iter, copy_X=False
    )
    return lambda: fitted(model, problem, X)


def path(problem: Problem, l1s: Sequence[float], stop: Stop, *, precompute: bool = False) -> list[Solution]:
    """One homotopy to the smallest l1; between its knots the path is linear."""
    points = falling(problem, l1s)
    model = _model(problem, points[-1]).set_params(precompute=precompute, max_iter=stop.max_iter)
    last = fitted(model, problem, column_major(problem.X))
    knots = model.alphas_[::-1]
    coefs = np.array([np.interp(points, knots, row[::-1]) for row in model.coef_path_]).T
    b = problem.y.mean() - coefs @ problem.X.mean(axis=0) if problem.intercept else 0.0
    return along(coefs, b, last.status is Status.CONVERGED, last.n_iter, None, last.message)


def defaults(problem: Problem) -> Run:
    """As its documentation shows: no settings but the problem's own."""
    return lambda: fitted(_model(problem, problem.l1), problem)


def _model(problem: Problem, l1: float) -> Any:
    from sklearn.linear_model import LassoLars

    alpha, _ = to_sklearn_elastic_net(l1, 0.0)
    return LassoLars(alpha=alpha, fit_intercept=problem.intercept)
