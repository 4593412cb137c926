"""Features that the optimum is proven to use, and not to: against optima that are known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from bench.best import BestAnswers
from solvers import Problem, Stop, solve
from verification import Judge, certified_features, certify, held_out_reach
from verification.problems.cells import Cell
from verification.proofs import features as module
from verification.proofs import held_out


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


# ---- which columns are near enough to dependent to prove nothing -------------------------------------------


def nearly(gap: float, n: int = 400) -> np.ndarray:
    """Two columns; what is left of the second without the first is about gap of it."""
    x = np.where(np.arange(n) % 2 == 0, 0.75, -0.5)
    return np.column_stack([x, x + gap * np.where(np.arange(n) % 3 == 0, 1.0, -0.5)])


@pytest.mark.parametrize(("gap", "told"), [(1e-12, True), (5e-14, False)])
def test_nearly_dependent_is_by_size_times_eps(gap: float, told: bool) -> None:
    """400 eps is 9e-14."""
    A = nearly(gap)
    problem = Problem(A, A[:, 0], l1=2.0**-4)
    w = np.array([0.5, 0.5])
    features = proven(problem, w)
    assert features.used is not None
    assert not features.used.any()
    certificate = Judge(problem).certify(w)
    reach = held_out_reach(problem, A[:7], np.ones(7), w, 0.0, certificate)
    assert np.isfinite(reach) == told
    R = module.qr(Judge(problem).scaled.design.columns(np.arange(2)), mode="r")[0]
    assert (abs(R[1, 1]) > 400 * 2.0**-52 * abs(R[0, 0])) == told


def test_a_dependent_column_is_refused_by_what_is_left_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The threshold is max(n, k) eps of the longest column, however it is made."""
    problem = Problem(nearly(2.0**-10), nearly(0.0)[:, 0], l1=2.0**-9)
    judge = Judge(problem)
    found = judge.certify(np.array([0.99, 0.0]))
    R = module.qr(judge.scaled.design.columns(np.arange(2)), mode="r")[0]
    ratio = abs(R[1, 1] / R[0, 0]) / 400

    def reached(eps: float) -> bool:
        monkeypatch.setattr(module, "EPS", eps)
        asked: list[object] = []
        original = np.linalg.norm
        with monkeypatch.context() as there:
            there.setattr(module.np.linalg, "norm", lambda *a, **k: asked.append(1) or original(*a, **k))
            certified_features(judge, np.array([0.99, 0.0]), found)
        return bool(asked)

    assert reached(ratio * 0.999)
    assert not reached(ratio * 1.001)


def soft(gap: float = 0.0) -> tuple[Problem, np.ndarray]:
    """Orthogonal columns: the optimum is soft thresholding, and the reach of a coefficient is known."""
    A = np.vstack([2 * np.eye(3), np.zeros((1, 3))])
    return Problem(A, [4.0, 2.0, 0.25, 1.0], l1=0.25), np.array([1.75, 0.75 + gap, 0.0])


@pytest.mark.parametrize(("gap", "used"), [(0.0, [True, True]), (0.7, [True, True]), (0.8, [True, False])])
def test_a_feature_is_used_where_it_is_beyond_its_reach(gap: float, used: list[bool]) -> None:
    """P is (w - w*)^2 / 2 above the optimum, so its reach is |w - w*| itself, the gap's excess aside."""
    problem, w = soft(gap)
    features = proven(problem, w)
    found = certify(problem, w)
    assert found.gap is not None
    assert features.used is not None
    reach = np.sqrt(2 * found.gap)
    assert features.used.tolist() == [*(np.abs(w[:2]) > reach).tolist(), False]
    assert reach >= gap * (1 - 1e-12)


def test_as_many_features_as_rows_less_one_may_be_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, w = soft()
    assert proven(problem, w).used is not None  # three of four rows
    square = Problem(problem.X[:3], problem.y[:3], l1=0.25)
    moved = w + 2.0  # far away: no zero is proven
    assert proven(square, moved).used is None
    assert proven(problem, moved).used is not None
    certificate = certify(problem, moved)
    rows, weights = problem.X[:2], np.ones(2)
    assert np.isfinite(held_out_reach(problem, rows, weights, moved, 0.0, certificate))
    assert held_out_reach(square, rows, weights, moved, 0.0, certify(square, moved)) == np.inf
    monkeypatch.setattr(module, "LARGEST", 2)
    monkeypatch.setattr(held_out, "LARGEST", 2)
    assert proven(problem, moved).used is None
    assert held_out_reach(problem, rows, weights, moved, 0.0, certificate) == np.inf
    monkeypatch.setattr(module, "LARGEST", 3)
    monkeypatch.setattr(held_out, "LARGEST", 3)
    assert proven(problem, moved).used is not None
    assert np.isfinite(held_out_reach(problem, rows, weights, moved, 0.0, certificate))


def test_nothing_in_use_is_nothing_to_reach() -> None:
    problem = Problem(np.eye(4), np.full(4, 0.125), l1=8.0)
    found = certify(problem, np.zeros(4))
    assert found.certified_zeros.all()
    features = certified_features(Judge(problem), np.zeros(4), found)
    assert features.used is not None
    assert not features.used.any()
    assert held_out_reach(problem, np.eye(4), np.ones(4), np.zeros(4), 0.0, found) == 0
    centred = problem.replace(intercept=True, y=np.array([1.0, 2.0, 3.0, 6.0]))
    at = certify(centred, np.zeros(4), 3.0)
    assert at.certified_zeros.all()
    assert held_out_reach(centred, np.eye(4), np.ones(4), np.zeros(4), 3.0, at) == 0
    assert held_out_reach(centred, np.eye(4), np.ones(4), np.zeros(4), 2.5, at) == 0.5  # b is off by it


def test_what_is_held_out_with_no_weight_or_no_gap() -> None:
    problem, w = soft()
    found, none = certify(problem, w), certify(problem, np.full(3, np.nan))
    assert held_out_reach(problem, problem.X, np.zeros(4), w, 0.0, found) == 0
    assert held_out_reach(problem, problem.X, np.zeros(4), w, 0.0, none) == 0
    assert held_out_reach(problem, problem.X, np.array([0.0, 1.0, 0.0, 0.0]), w, 0.0, none) == np.inf


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_reach_of_predictions_is_the_largest_there_is(intercept: bool, weighted: bool) -> None:
    """Over all w with ||A w||^2 <= 2 S gap: by the largest generalised eigenvalue, and b's own distance."""
    rng = np.random.default_rng(5)
    A, M = rng.standard_normal((12, 3)), rng.standard_normal((5, 3))
    s = rng.random(12) + 0.5 if weighted else np.ones(12)
    m = rng.random(5) + 0.1
    problem = Problem(A, rng.standard_normal(12), l1=2.0**-6, intercept=intercept, sample_weight=s)
    w, b = np.array([0.5, -1.0, 0.25]), 0.3 * intercept
    found = certify(problem, w, b)
    assert not found.certified_zeros.any()
    mean = s @ A / s.sum() if intercept else np.zeros(3)
    G, H = (A - mean).T @ (s[:, None] * (A - mean)), (M - mean).T @ ((m / m.sum())[:, None] * (M - mean))
    largest = np.linalg.eigvals(np.linalg.solve(G, H)).real.max()
    lean = abs(s @ (problem.y - A @ w - b)) / s.sum() if intercept else 0.0
    assert found.gap is not None
    assert found.radius is not None
    right = lean + np.sqrt(2 * s.sum() * (found.gap + found.radius) * largest)
    known: dict[bytes, tuple[np.ndarray, float]] = {}
    for _ in range(2):
        assert held_out_reach(problem, M, m, w, b, found, known) == pytest.approx(right, rel=1e-10)
    assert len(known) == 1
    key = next(iter(known))
    known[key] = (mean, 0.0)
    assert held_out_reach(problem, M, m, w, b, found, known) == pytest.approx(lean, rel=1e-12, abs=1e-15)
    known[key] = (mean, np.inf)
    assert held_out_reach(problem, M, m, w, b, found, known) == np.inf
