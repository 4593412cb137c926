"""scikit-learn's ElasticNet: coordinate descent with gap-safe screening. [friedman2010], [fercoq2015].

Its tol is a duality gap over ||y - mean||_s^2 / S, and ``dual_gap_`` is the gap of (P) itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ._foreign import along, centred, column_major, falling, fitted, heard, relative, too_wide
from .conventions import to_sklearn_elastic_net, to_sklearn_tol, unheld
from .problem import Problem
from .registry import Run, SolverRefused
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("friedman2010", "fercoq2015")
PACKAGE = "scikit-learn"
CLAIMS_GAP = True
CONFIGURATIONS = {"cyclic": {}, "gram": {"precompute": True}, "random": {"selection": "random"}}


def refuses(problem: Problem) -> str | None:
    """Penalty weights; l1 = 0, where its documentation sends one to Ridge; penalties that a ratio loses."""
    if problem.penalty_weights is not None:
        return "has no penalty weights"
    return "l1 = 0: its documentation advises against it" if problem.l1 == 0 else unheld(problem)


def setup(problem: Problem, stop: Stop, **configuration: Any) -> Run:
    """One copy of X where the library has to centre or weight it, none otherwise."""
    from sklearn.linear_model import ElasticNet

    if configuration.get("precompute"):
        too_wide(problem)
    X = column_major(problem.X)
    alpha, l1_ratio = to_sklearn_elastic_net(problem.l1, problem.l2)
    model = ElasticNet(
        alpha=alpha, l1_ratio=l1_ratio, fit_intercept=problem.intercept, positive=problem.positive,
        tol=to_sklearn_tol(stop.tol), max_iter=stop.max_iter, random_state=0, **configuration,
        copy_X=X is problem.X and (problem.intercept or problem.sample_weight is not None),
    )  # fmt: skip
    return lambda: _fit(model, problem, X, check_input=False)


def path(problem: Problem, l1s: Sequence[float], stop: Stop, **configuration: Any) -> list[Solution]:
    """Its own path with warm starts, from the largest l1 down; the intercept taken out beforehand."""
    from sklearn.linear_model import lasso_path

    if problem.sample_weight is not None:
        raise SolverRefused("its path function has no sample weights")
    data = centred(problem)
    how = {"precompute": False, "positive": problem.positive, "return_n_iter": True} | configuration
    if problem.is_sparse:
        how |= {"X_offset": data.means, "X_scale": np.ones(problem.p)}
    how |= {"alphas": falling(problem, l1s), "tol": to_sklearn_tol(stop.tol), "max_iter": stop.max_iter}
    (_, coefs, gaps, n_iter), trouble = heard(lambda: lasso_path(data.X, data.y, **how))
    b, claims = data.intercepts(coefs.T), relative(problem, gaps)
    return along(coefs.T, b, not trouble, n_iter, claims, trouble)


def defaults(problem: Problem) -> Run:
    """As its documentation shows: no settings but the problem's own."""
    from sklearn.linear_model import ElasticNet, Lasso

    alpha, l1_ratio = to_sklearn_elastic_net(problem.l1, problem.l2)
    model = ElasticNet(alpha=alpha, l1_ratio=l1_ratio) if problem.l2 > 0 else Lasso(alpha=alpha)
    model.set_params(fit_intercept=problem.intercept, positive=problem.positive)
    return lambda: _fit(model, problem)


def _fit(model: Any, problem: Problem, X: Any = None, **how: Any) -> Solution:
    solution = fitted(model, problem, X, **how)
    return replace(solution, claimed_gap=float(relative(problem, model.dual_gap_)))
