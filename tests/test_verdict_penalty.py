"""Another penalty on a path: a point that is left as the one before is none, whatever it fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from bench.certify_jobs import certified
from bench.jobs import Task
from solvers import Problem, Solution, Status, Stop, solve
from verification import certify
from verification.verdict_points import judge_points

L1_RATIO, POINTS = 100.0, 40


def wide() -> tuple[Problem, tuple[float, ...]]:
    """p > n, where the residual, and so the gap, falls quickly with l1."""
    rng = np.random.default_rng(3)
    X = np.asfortranarray(rng.standard_normal((30, 80)))
    problem = Problem(X, X[:, :6].sum(axis=1) + rng.standard_normal(30), l1=1.0, intercept=True)
    l1s = np.geomspace(problem.l1_max(), problem.l1_max() / L1_RATIO, POINTS)
    return problem.replace(l1=l1s[-1]), tuple(l1s.tolist())


def lazy_path(problem: Problem, l1s: tuple[float, ...], tol: float, factor: float = 1.0) -> list[Solution]:
    """Stay where one is as long as the gap is within tol; else solve, to 1e-13, for l1 * factor."""
    found: list[Solution] = []
    for l1 in l1s:
        here = problem.replace(l1=l1 * factor)
        if found:
            gap = certify(here, found[-1].coef, found[-1].intercept).gap_rel
            if gap is not None and gap <= tol:
                found.append(replace(found[-1], claimed_gap=gap))
                continue
        answer = solve(here, "active_set_numba", Stop(tol=1e-13))
        found.append(replace(answer, status=Status.CONVERGED, claimed_gap=tol))
    return found


def row(problem: Problem, l1s: tuple[float, ...], found: list[Solution], tol: float, asked: float) -> Any:
    coefs = sp.csr_array(np.array([solution.coef for solution in found]))
    columns = certified(problem, Task("path", l1s), coefs, np.array([s.intercept for s in found]))
    return {
        "kind": "path", "cell": "c", "digest": problem.digest, "solver": "s", "configuration": "default",
        "claims_gap": True, "own": True, "dtype": "float64", "l2": 0.0, "status": "CONVERGED",
        "answer": f"{tol:g}", "statuses": ["CONVERGED"] * len(found), "tol": asked,
        "claimed_gaps": [asked] * len(found), **columns,
    }  # fmt: skip


@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-7])
def test_a_path_that_stops_at_once_where_it_may_is_not_accused(tol: float) -> None:
    """Also if its better dual point proves four times less than the answer does by itself."""
    problem, l1s = wide()
    tight = lazy_path(problem, l1s, 1e-13)
    found = lazy_path(problem, l1s, tol)
    stale = [k for k in range(1, POINTS) if np.array_equal(found[k].coef, found[k - 1].coef)]
    assert stale or tol == 1e-7
    reference = row(problem, l1s, tight, 1e-13, 1e-13) | {"solver": "right"}
    for asked in (tol, tol / 4):
        mine = row(problem, l1s, found, tol, asked)
        for rows in ([mine], [mine, reference]):
            assert "solves" not in str(judge_points(rows).wrong)
    if stale:  # it fits another penalty all the same: that of an earlier point
        lists = row(problem, l1s, found, tol, tol)["points"]
        clear = [k for k in stale if (lists["implied_off"][k] or 0) > 1e-3 and lists["implied_gain"][k] > 100]
        assert clear or tol == 1e-2


@pytest.mark.parametrize("factor", [1.05, 1.001])
def test_a_path_at_another_penalty_is_accused(factor: float) -> None:
    problem, l1s = wide()
    rows = [row(problem, l1s, lazy_path(problem, l1s, tol, factor), tol, tol) for tol in (1e-4, 1e-7, 1e-10)]
    [wrong] = judge_points(rows).wrong["s"]
    assert f"solves l1 x {factor:.4f}" in wrong.reason
