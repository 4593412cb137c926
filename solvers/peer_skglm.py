"""skglm: Anderson-accelerated coordinate descent on working sets, or by Gram updates. [bertrand2022].

Its tol is an absolute distance to the subdifferential: no gap, so no claim. max_iter counts working sets.
It is never given a starting point: w_init without Xw_init makes it report what is not so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._foreign import column_major, falling, fitted, too_wide
from .conventions import to_skglm, to_skglm_tol
from .problem import Problem
from .registry import SolverRefused
from .solution import Solution, Status, Stop

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("bertrand2022",)
PACKAGE = "skglm"
CLAIMS_GAP = False
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "subdiff": {},
    "subdiff_p0_100": {"p0": 100},
    "fixpoint": {"ws_strategy": "fixpoint"},
    "fixpoint_p0_100": {"ws_strategy": "fixpoint", "p0": 100},
    "gram": {"gram": True},
}


def refuses(problem: Problem) -> str | None:
    """Sample weights with a sparse X (it raises), v with l2 (it has no such penalty), v_j = inf (NaN)."""
    if problem.sample_weight is not None and problem.is_sparse:
        return "its weighted datafit does not initialise on a sparse X"
    if problem.penalty_weights is None:
        return None
    if problem.l2 > 0:
        return "has no penalty weights with an L2 penalty"
    return "takes no infinite penalty weights" if np.isinf(problem.penalty_weights).any() else None


def setup(problem: Problem, stop: Stop, *, gram: bool = False, **configuration: Any) -> Callable[[], Solution]:
    """X itself if it is column-major. tol is taken in units of the largest gradient entry at w = 0."""
    from skglm.solvers import AndersonCD, GramCD

    X, y = column_major(problem.X), problem.y
    datafit, penalty = _model(problem)
    own = {"tol": to_skglm_tol(stop.tol, problem.l1_max()), "max_iter": stop.max_iter}
    solver: Any = AndersonCD(fit_intercept=problem.intercept, **own, **configuration)
    if gram:
        too_wide(problem)
        if problem.intercept or problem.sample_weight is not None:
            raise SolverRefused("its Gram solver fits no intercept and takes no sample weights")
        solver, datafit = GramCD(fit_intercept=False, **own), None

    def run() -> Solution:
        w, objectives, distance = solver.solve(X, y, datafit, penalty)
        return _solution(problem, w, distance <= own["tol"], len(objectives))

    return run


def path(problem: Problem, l1s: Sequence[float], stop: Stop, **configuration: Any) -> list[Solution]:
    """Its own path with warm starts, from the largest l1 down."""
    from skglm.solvers import AndersonCD

    tol = to_skglm_tol(stop.tol, problem.l1_max())
    solver = AndersonCD(tol=tol, max_iter=stop.max_iter, fit_intercept=problem.intercept, **configuration)
    X, alphas = column_major(problem.X), falling(problem, l1s)
    _, coefs, distances, n_iter = solver.path(X, problem.y, *_model(problem), alphas, return_n_iter=True)
    return [_solution(problem, *row) for row in zip(coefs.T, distances <= tol, n_iter, strict=True)]


def defaults(problem: Problem) -> Callable[[], Solution]:
    """As its documentation shows: no settings but the problem's own."""
    from skglm import GeneralizedLinearEstimator
    from skglm.solvers import AndersonCD

    model = GeneralizedLinearEstimator(*_model(problem), AndersonCD(fit_intercept=problem.intercept))
    return lambda: fitted(model, problem.replace(sample_weight=None), UserWarning)


def _model(problem: Problem) -> tuple[Any, Any]:
    from skglm.datafits import Quadratic, WeightedQuadratic
    from skglm.penalties import L1, L1_plus_L2, WeightedL1

    s, v, positive = problem.sample_weight, problem.penalty_weights, problem.positive
    datafit = Quadratic() if s is None else WeightedQuadratic(s.copy())
    if problem.l2 > 0:
        return datafit, L1_plus_L2(*to_skglm(problem.l1, problem.l2), positive)
    return datafit, L1(problem.l1, positive) if v is None else WeightedL1(problem.l1, v, positive)


def _solution(problem: Problem, w: Any, converged: bool, n_iter: int) -> Solution:
    status = Status.CONVERGED if converged else Status.MAX_ITER
    return Solution(w[: problem.p].copy(), float(w[-1]) if problem.intercept else 0.0, status, int(n_iter))
