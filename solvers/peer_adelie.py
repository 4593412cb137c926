"""adelie: coordinate descent on screened sets, residual ("naive") or covariance updates. [yang2024].

Its tol is the move of one coordinate: no claim. Importing it sets OpenMP variables and a root log handler.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp

from ._foreign import Fits, along, centred, column_major, descent, falling, last, too_wide
from .conventions import null_loss, to_adelie, to_adelie_tol, unheld
from .problem import Problem
from .registry import Run, SolverRefused
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("yang2024",)
PACKAGE = "adelie"
CLAIMS_GAP = False
UPDATES = {"naive": {"covariance": False}, "covariance": {"covariance": True}}
CONFIGURATIONS = UPDATES | {f"{name}_path": how | {"points": 10} for name, how in UPDATES.items()}


def refuses(problem: Problem) -> str | None:
    """Infinite penalty weights, and penalties that a ratio loses."""
    return "takes no infinite penalty weights" if np.isinf(problem.v).any() else unheld(problem)


def setup(problem: Problem, stop: Stop, *, covariance: bool = False, points: int = 1) -> Run:
    """X itself if column-major, or its covariance matrix. ``points``: warm starts from l1_max down."""
    lam, alpha = to_adelie(problem.l1, problem.l2)
    return last(_prepare(problem, lam * descent(problem, points), alpha, stop, covariance))


def path(problem: Problem, l1s: Sequence[float], stop: Stop, *, covariance: bool = False) -> list[Solution]:
    """Its own path with warm starts, from the largest l1 down."""
    return _prepare(problem, falling(problem, l1s), 1.0, stop, covariance)()


def defaults(problem: Problem) -> Run:
    """As its documentation shows, one lambda: tol 1e-7 and 100,000 passes are its own."""
    return setup(problem, Stop(1e-7, 100_000))


def _prepare(problem: Problem, lams: Any, alpha: float, stop: Stop, covariance: bool) -> Fits:
    import adelie

    data, s = centred(problem) if covariance else None, problem.s / problem.S
    tol = to_adelie_tol(stop.tol, null_loss(problem.y, problem.intercept, problem.s), covariance)
    how = {"penalty": problem.v, "alpha": alpha, "lmda_path": lams, "tol": tol, "max_iters": stop.max_iter}
    how |= {"early_exit": False, "progress_bar": False}
    if problem.positive:
        how["constraints"] = [adelie.constraint.lower(np.zeros(1)) for _ in range(problem.p)]
    if data is not None:
        too_wide(problem)
        if alpha == 0 or (problem.v == 0).any():
            raise SolverRefused("its covariance solver raises on columns without an L1 penalty")
        A = ((data.X.T * s) @ data.X).T  # symmetric: transposed to be column-major
        call = partial(adelie.gaussian_cov, A, data.X.T @ (s * data.y), **how)
    else:
        X = column_major(problem.X)
        X = adelie.matrix.sparse(sp.csc_matrix(X)) if problem.is_sparse else X
        how["glm"] = adelie.glm.gaussian(problem.y, weights=s)
        call = partial(adelie.grpnet, X, intercept=problem.intercept, **how)

    def fit() -> list[Solution]:
        with adelie.logger.logger_level(logging.CRITICAL):  # its errors are kept in the state
            state = call()
        coefs, k = np.zeros((len(lams), problem.p)), len(state.lmdas)
        coefs[:k] = state.betas.toarray()
        b = np.append(state.intercepts, np.zeros(len(lams) - k)) if data is None else data.intercepts(coefs)
        return along(coefs, b, np.arange(len(lams)) < k, 0, None, state.error)

    return fit
