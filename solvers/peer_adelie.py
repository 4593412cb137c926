"""adelie: coordinate descent on screened sets, residual ("naive") or covariance updates. [yang2024].

Its tol is the move of one coordinate: no claim. It sets OpenMP's environment variables, and a handler on
the root logger, when imported: hence a process for each solver.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp

from ._foreign import centred, column_major, descent, falling, too_wide
from .conventions import null_loss, to_adelie, to_adelie_tol
from .problem import Problem
from .registry import SolverRefused
from .solution import Solution, Status, Stop

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("yang2024",)
PACKAGE = "adelie"
CLAIMS_GAP = False
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "naive": {},
    "covariance": {"covariance": True},
    "naive_path": {"points": 10},
    "covariance_path": {"covariance": True, "points": 10},
}


def refuses(problem: Problem) -> str | None:
    """Infinite penalty weights."""
    return "takes no infinite penalty weights" if np.isinf(problem.v).any() else None


def setup(problem: Problem, stop: Stop, *, points: int = 1, **configuration: Any) -> Callable[[], Solution]:
    """X itself if column-major, or its covariance matrix. ``points``: warm starts from l1_max down."""
    lam, alpha = to_adelie(problem.l1, problem.l2)
    fit = _prepare(problem, lam * descent(problem, points), alpha, stop, **configuration)
    return lambda: fit()[-1]


def path(problem: Problem, l1s: Sequence[float], stop: Stop, **configuration: Any) -> list[Solution]:
    """Its own path with warm starts, from the largest l1 down."""
    return _prepare(problem, falling(problem, l1s), 1.0, stop, **configuration)()


def defaults(problem: Problem) -> Callable[[], Solution]:
    """As its documentation shows, one lambda: tol 1e-7 and 100,000 passes are its own."""
    return setup(problem, Stop(1e-7, 100_000))


def _prepare(
    problem: Problem, lams: Any, alpha: float, stop: Stop, covariance: bool = False
) -> Callable[[], list[Solution]]:
    import adelie

    data, s, X = centred(problem) if covariance else None, problem.s / problem.S, column_major(problem.X)
    y_var = 2 * null_loss(problem.y, problem.intercept, problem.sample_weight)
    how = {"tol": to_adelie_tol(stop.tol, y_var, covariance), "max_iters": stop.max_iter, "penalty": problem.v}
    how |= {"alpha": alpha, "lmda_path": lams, "early_exit": False, "progress_bar": False}
    if problem.positive:
        how["constraints"] = [adelie.constraint.lower(np.zeros(1)) for _ in range(problem.p)]
    if data is not None:
        too_wide(problem)
        if alpha == 0 or (problem.v == 0).any():
            raise SolverRefused("its covariance solver raises on columns without an L1 penalty")
        A = (data.X.T * s) @ data.X  # symmetric, so its transpose is it column-major
        call = partial(adelie.gaussian_cov, A.T, data.X.T @ (s * data.y), **how)
    else:
        X = adelie.matrix.sparse(sp.csc_matrix(X)) if problem.is_sparse else X
        call = partial(adelie.grpnet, X, adelie.glm.gaussian(problem.y, weights=s), intercept=problem.intercept, **how)

    def fit() -> list[Solution]:
        with adelie.logger.logger_level(logging.CRITICAL):  # its errors are kept in the state
            state = call()
        coefs = [*state.betas.toarray()] + [np.zeros(problem.p)] * (len(lams) - len(state.lmdas))
        out = []
        for k, w in enumerate(coefs):
            status = Status.CONVERGED if k < len(state.lmdas) else Status.MAX_ITER
            b = state.intercepts[k] if data is None and k < len(state.lmdas) else (data.intercept(w) if data else 0.0)
            out.append(Solution(w, float(b), status, 0, None, state.error))
        return out

    return fit
