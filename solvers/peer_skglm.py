"""skglm: Anderson-accelerated coordinate descent on working sets, or by Gram updates. [bertrand2022].

Its tol is a distance to the subdifferential: no claim. No w_init: without Xw_init it reports what is not so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._foreign import along, column_major, falling, fitted, has_zero_norm, largest_curvature, too_wide
from .conventions import to_skglm, to_skglm_tol, unheld
from .problem import Problem
from .registry import Run, SolverRefused
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("bertrand2022",)
PACKAGE = "skglm"
CLAIMS_GAP = False
CONFIGURATIONS = {"subdiff": {}, "p0_100": {"p0": 100}, "gram": {"gram": True}}
CONFIGURATIONS["fixpoint"] = {"ws_strategy": "fixpoint"}


def refuses(problem: Problem) -> str | None:
    """Sample weights with a sparse X (raises), v with l2 (no such penalty), v_j = inf, what a ratio loses."""
    if problem.sample_weight is not None and problem.is_sparse:
        return "its weighted datafit does not initialise on a sparse X"
    bad = problem.penalty_weights is not None and (problem.l2 > 0 or np.isinf(problem.v).any())
    return "takes no penalty weights with an L2 penalty, and no infinite ones" if bad else unheld(problem)


def setup(problem: Problem, stop: Stop, *, gram: bool = False, **configuration: Any) -> Run:
    """X itself if it is column-major. tol is taken in units of the largest gradient entry at w = 0."""
    if gram:
        too_wide(problem)
    if gram and (problem.intercept or problem.sample_weight is not None):
        raise SolverRefused("its Gram solver fits no intercept and takes no sample weights")
    X, (solver, *model) = column_major(problem.X), _model(problem, stop, gram, **configuration)
    return lambda: _answer(problem, solver, *solver.solve(X, problem.y, *model))[0]


def path(
    problem: Problem, l1s: Any, stop: Stop, p0: int = 10, ws_strategy: str = "subdiff"
) -> list[Solution]:
    """Its own path with warm starts, from the largest l1 down."""
    solver, *model = _model(problem, stop, p0=p0, ws_strategy=ws_strategy)
    _, coefs, distances = solver.path(column_major(problem.X), problem.y, *model, falling(problem, l1s))
    return _answer(problem, solver, coefs.T, (), distances)


def defaults(problem: Problem) -> Run:
    """As its documentation shows: no settings but the problem's own."""
    from skglm import GeneralizedLinearEstimator, solvers

    solver, model = solvers.AndersonCD(fit_intercept=problem.intercept), _model(problem, Stop())[1:]
    estimator = GeneralizedLinearEstimator(*model, solver)
    return lambda: fitted(estimator, problem.replace(sample_weight=None))


def _model(problem: Problem, stop: Stop, gram: bool = False, **configuration: Any) -> tuple[Any, Any, Any]:
    from skglm import datafits, penalties, solvers

    s, v, positive, l1 = problem.sample_weight, problem.penalty_weights, problem.positive, problem.l1
    curvature = largest_curvature(problem) if configuration.get("ws_strategy") == "fixpoint" else 1.0
    how = configuration | {"tol": to_skglm_tol(stop.tol, problem.l1_max(), curvature)}
    penalty = penalties.L1(l1, positive) if v is None else penalties.WeightedL1(l1, v, positive)
    if problem.l2 > 0:
        penalty = penalties.L1_plus_L2(*to_skglm(l1, problem.l2), positive)
    if gram:
        greedy = has_zero_norm(problem.X)  # whole epochs divide by each column's norm
        return solvers.GramCD(stop.max_iter, not greedy, greedy, fit_intercept=False, **how), None, penalty
    datafit = datafits.Quadratic() if s is None else datafits.WeightedQuadratic(s.copy())
    return solvers.AndersonCD(stop.max_iter, fit_intercept=problem.intercept, **how), datafit, penalty


def _answer(problem: Problem, solver: Any, w: Any, objectives: Any, distance: Any) -> list[Solution]:
    coefs, b = np.split(np.atleast_2d(w), [problem.p], axis=1)
    return along(coefs, b[:, 0] if problem.intercept else 0.0, distance <= solver.tol, len(objectives))
