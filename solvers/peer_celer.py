"""celer: coordinate descent on working sets, with an extrapolated dual point. [massias2018].

Its tol is a duality gap over ||y - mean||^2 / n, held in 32 bits. max_iter counts working sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._foreign import Centred, along, centred, falling, fitted, heard, relative, writable
from .conventions import from_celer, lost, null_loss, to_celer, to_celer_tol
from .problem import Problem
from .registry import Run
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("massias2018",)
PACKAGE = "celer"
CLAIMS_GAP = True
CONFIGURATIONS = {"prune": {}, "prune_p0_100": {"p0": 100}, "grow": {"prune": 0}}
CONFIGURATIONS["grow_p0_100"] = {"prune": 0, "p0": 100}


def refuses(problem: Problem) -> str | None:
    """Sample weights, unpenalised columns, l1 = 0, and y on a scale where it would not stop."""
    if problem.sample_weight is not None:
        return "has no sample weights"
    if problem.penalty_weights is not None and (problem.penalty_weights == 0).any():
        return "its weights must be > 0"
    if 0 < null_loss(problem.y, problem.intercept) < 1e-20 or null_loss(problem.y, False) > 1e30:
        return "its tol is held in 32 bits, and ||y||^2 does not fit there: rescale y"
    if problem.l1 == 0:
        return "does not do l1 = 0"
    return lost(problem.l1, problem.l2, from_celer(*to_celer(problem.l1, problem.l2)))


def setup(problem: Problem, stop: Stop, **configuration: Any) -> Run:
    """One copy of a dense X to centre it, none without intercept."""
    data = centred(problem)
    return lambda: _path(problem, data, [problem.l1], stop, **configuration)[0]


def path(problem: Problem, l1s: Sequence[float], stop: Stop, **configuration: Any) -> list[Solution]:
    """Its own path with warm starts, from the largest l1 down."""
    return _path(problem, centred(problem), falling(problem, l1s), stop, **configuration)


def defaults(problem: Problem) -> Run:
    """As its documentation shows: no settings but the problem's own."""
    from celer import ElasticNet, Lasso

    alpha, l1_ratio = to_celer(problem.l1, problem.l2)
    model = ElasticNet(alpha, l1_ratio=l1_ratio) if problem.l2 > 0 else Lasso(alpha)
    model.set_params(fit_intercept=problem.intercept, positive=problem.positive)
    if problem.penalty_weights is not None:
        model.set_params(weights=problem.penalty_weights.astype(problem.X.dtype))
    return lambda: fitted(model, problem, writable(problem.X))


def _path(
    problem: Problem, data: Centred, l1s: Any, stop: Stop, p0: int = 10, prune: int = 1
) -> list[Solution]:
    from celer import celer_path
    from sklearn import config_context

    alphas, ratios = zip(*(to_celer(l1, problem.l2) for l1 in l1s), strict=True)
    sparse = {"X_offset": data.means, "X_scale": np.ones(problem.p)} if problem.is_sparse else {}
    v = None if problem.penalty_weights is None else problem.penalty_weights.copy()
    with config_context(assume_finite=True):  # the problem has checked it
        (_, coefs, gaps, n_iter), trouble = heard(lambda: celer_path(
            writable(data.X), data.y, "lasso", alphas=alphas, l1_ratio=ratios[0], p0=p0, prune=prune,
            max_iter=stop.max_iter, tol=to_celer_tol(stop.tol), weights=v, positive=problem.positive,
            return_n_iter=True, **sparse,
        ))  # fmt: skip
    b, claims = data.intercepts(coefs.T), relative(problem, gaps)
    return along(coefs.T, b, claims <= stop.tol * (1 + 1e-6), n_iter, claims, trouble)
