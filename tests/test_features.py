"""Features that the optimum is proven to use, and not to: against optima that are known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from bench.best import BestAnswers
from solvers import Problem, Stop, solve
from verification import Judge, certified_features, certify
from verification.problems.cells import Cell


def proven(problem: Problem, coef: np.ndarray, intercept: float = 0.0):
    judge = Judge(problem)
    return certified_features(judge, coef, judge.certify(coef, intercept))


@pytest.mark.parametrize("tol", [1e-2, 1e-5, 1e-11])
@pytest.mark.parametrize(
    "cell",
    [
        Cell("diabetes", "lasso", l1_ratio=10.0, intercept=True),
        Cell("small_sparse", "lasso", l1_ratio=5.0, intercept=True, weighted=True, v=True),
        Cell("small_wide", "enet", l1_ratio=5.0, l2_ratio=0.1),
        Cell("small_tall", "lasso", l1_ratio=20.0, positive=True),
    ],
    ids=lambda cell: cell.name,
)
def test_what_is_proven_from_any_answer_holds_of_the_optimum(cell: Cell, tol: float) -> None:
    problem = cell.problem()
    rough = solve(problem, "cd_numba", Stop(tol))
    best = solve(problem, "active_set_numba", Stop(1e-15))
    features = proven(problem, rough.coef, rough.intercept)
    assert features.used is not None
    assert not (features.zero & features.used).any()
    assert np.all(best.coef[features.used] != 0)
    free = problem.v == 0
    assert np.all(best.coef[features.zero & ~free] == 0)
    if tol < 1e-10:  # near the optimum everything is settled
        assert np.array_equal(features.used | (free & (best.coef != 0)), best.coef != 0)


def test_false_and_missed_features_are_counted() -> None:
    X, y = np.eye(4), np.array([4.0, 2.0, 0.25, 0.0])  # soft thresholding: w = (3, 1, 0, 0) at l1 = 1/4
    problem = Problem(X, y, l1=0.25)
    features = proven(Problem(X[:, :3], y, l1=0.25), np.array([3.0, 1.0, 0.0]))
    assert features.zero.tolist() == [False, False, True]
    assert features.used is not None
    assert features.used.tolist() == [True, True, False]
    assert (features.false([3.0, 0.0, 1.0]), features.missed([3.0, 0.0, 1.0])) == (1, 1)
    assert certify(problem, np.array([3.0, 1.0, 0.0, 0.0])).gap_rel == 0


def test_nothing_is_claimed_where_columns_depend_or_nothing_is_proven() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 1))
    problem = Problem(np.hstack([x, x, rng.standard_normal((20, 2))]), 3 * x[:, 0], l1=0.1)
    coef = solve(problem, "cd_numba", Stop(1e-12)).coef
    features = proven(problem, coef)
    assert features.used is not None
    assert not features.used.any(), "either of the twins may be zero"
    assert proven(problem, np.full(4, np.nan)).used is None


def test_features_are_proven_anew_where_a_much_better_answer_has_come() -> None:
    problem = Cell("diabetes", "lasso", l1_ratio=10.0, intercept=True).problem()
    judge, best = Judge(problem), BestAnswers()
    found = []
    for tol in (1e-1, 1e-11):
        answer = solve(problem, "cd_numba", Stop(tol))
        for _ in range(2):
            best.offer("it", answer.coef, answer.intercept, judge.certify(answer.coef, answer.intercept))
            found.append(best.features("it", lambda: judge))
    rough, again, fine, last = found
    assert again is rough
    assert fine is last is not rough
    assert rough is not None
    assert fine is not None
    assert fine.zero.sum() > rough.zero.sum()
    nearly = solve(problem, "cd_numba", Stop(1e-11)).coef * (1 + 1e-16)
    best.offer("it", nearly, answer.intercept, judge.certify(nearly, answer.intercept))
    assert best.features("it", lambda: judge) is fine
