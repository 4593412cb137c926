from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import nnls

from solvers import Problem
from verification import Certificate, Judge, certify
from verification.campaigns import Tally
from verification.campaigns.exact_reference import ExactProblem
from verification.campaigns.random_problems import combinations, points, problem_of
from verification.campaigns.weak_duality import check_point, weak_duality
from verification.proofs import dual, judge, projection, rounding, scaled
from verification.proofs.implied import implied_penalty

Vector = NDArray[np.float64]


def test_weak_duality_on_ten_thousand_points() -> None:
    tally = weak_duality(combinations())
    assert tally.counts["points"] >= 10_000
    assert tally.failures == []
    assert tally.worst["(suboptimality - gap) / radius"] <= 1
    moderate = tally.counts["optima of moderate data"]
    assert moderate > 100
    assert 2 * tally.counts["of them with a radius below 1e-13 N"] > moderate  # their median


def test_a_residual_that_is_nothing_but_rounding_is_not_blown_up() -> None:
    """A multiple of 1e30 of a residual of 1e-32 once looked like a dual point."""
    combination = ("yes", "yes", "real", "zero and inf", "F", "neither")
    problem = problem_of(combination, 3)
    exact = ExactProblem(problem)
    best, tally = exact.optimum(), Tally()
    for w, b in points(problem, best, np.random.default_rng(3)):
        check_point(tally, "", certify(problem, w, b), exact, best, w, b)
    assert tally.failures == []


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("penalty", ["lasso", "ridge", "enet", "ols"])
def test_the_gap_of_a_larger_problem_is_tight_at_its_exact_optimum(penalty: str, positive: bool) -> None:
    rng = np.random.default_rng(1)
    X = np.abs(rng.standard_normal((60, 8))) + 3
    y = X @ rng.standard_normal(8) + rng.standard_normal(60) + 1e8
    problem = Problem(X, y, intercept=True, positive=positive)
    l1, l2 = problem.l1_max() / 20, problem.l2_ref() / 20
    problem = problem.replace(l1=l1 * (penalty in ("lasso", "enet")), l2=l2 * (penalty in ("ridge", "enet")))
    exact = ExactProblem(problem)
    best, tally = exact.optimum(), Tally()
    for k, (w, b) in enumerate(points(problem, best, rng)):
        certificate = certify(problem, w, b)
        check_point(tally, f"point {k}", certificate, exact, best, w, b, at_optimum=k == 0)
        if k == 0:
            assert certificate.gap_rel is not None
            assert certificate.gap_rel < 1e-13  # although |y| is 1e8 times its spread
            assert certificate.radius is not None
            assert certificate.radius < 1e-11 * certificate.scale
    assert tally.failures == []


@pytest.mark.parametrize("intercept", [False, True])
def test_non_negative_least_squares_has_a_tight_dual_point(intercept: bool) -> None:
    """No multiple of the residual is feasible here; near the optimum the face gives all but the exact gap."""
    rng = np.random.default_rng(2)
    X = np.abs(rng.standard_normal((80, 20)))
    y = X @ np.maximum(rng.standard_normal(20), 0) + rng.standard_normal(80)
    A = np.column_stack([X, np.ones(80), -np.ones(80)])
    w = nnls(A if intercept else X, y)[0]
    b, w = (float(w[20] - w[21]) if intercept else 0.0), w[:20]
    problem = Problem(X, y, intercept=intercept, positive=True)
    best = certify(problem, w, b)
    assert best.gap is not None
    for size in (1e-6, 1e-4, 1e-3):
        moved = w + size * rng.random(20)  # an interior point: no coefficient is zero
        certificate = certify(problem, moved, b)
        true = certificate.primal - best.primal
        assert certificate.gap is not None
        assert certificate.radius is not None
        assert true - certificate.radius <= certificate.gap <= (1 + 100 * size) * true + certificate.radius


@pytest.mark.parametrize("repeat", range(3))
def test_the_memory_layout_does_not_matter(repeat: int) -> None:
    rng = np.random.default_rng(repeat)
    X = rng.standard_normal((30, 12)) * (rng.random((30, 12)) < 0.5)
    y, w, b = rng.standard_normal(30), rng.standard_normal(12) * (rng.random(12) < 0.5), 0.3
    layouts = [X, np.asfortranarray(X), sp.csc_array(X), sp.csr_array(X)]
    gaps = [certify(Problem(A, y, l1=0.1, l2=0.1, intercept=True), w, b).gap for A in layouts]
    np.testing.assert_allclose(gaps, gaps[0], rtol=1e-12)


def test_integer_weights_are_repeated_rows() -> None:
    rng = np.random.default_rng(3)
    X, y, w = rng.standard_normal((10, 3)), rng.standard_normal(10), rng.standard_normal(3)
    s = rng.integers(0, 4, size=10)
    weighted = certify(Problem(X, y, l1=0.1, intercept=True, sample_weight=s.astype(float)), w, 0.1)
    repeated = certify(Problem(np.repeat(X, s, axis=0), np.repeat(y, s), l1=0.1, intercept=True), w, 0.1)
    for name in ("primal", "dual", "gap", "scale", "kkt"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=1e-12)


@pytest.mark.parametrize("exponent", [-480, 480])
def test_powers_of_two_change_nothing_but_the_units(exponent: int) -> None:
    rng = np.random.default_rng(4)
    X, y, w = rng.standard_normal((20, 5)), rng.standard_normal(20), rng.standard_normal(5)
    plain = certify(Problem(X, y, l1=0.1, l2=0.2, intercept=True), w, 0.1)
    k = 2.0**exponent
    columns = certify(Problem(X * k, y, l1=0.1 * k, l2=0.2 * k**2, intercept=True), w / k, 0.1)
    response = certify(Problem(X, y * k, l1=0.1 * k, l2=0.2, intercept=True), w * k, 0.1 * k)
    assert columns.gap == plain.gap
    assert columns.radius == plain.radius
    assert response.gap_rel == plain.gap_rel
    assert response.gap == pytest.approx((plain.gap or 0) * k * k)


def test_what_breaks_a_constraint_has_no_gap() -> None:
    X, y = np.eye(3), np.ones(3)
    positive = Problem(X, y, l1=0.1, positive=True)
    fixed = Problem(X, y, l1=0.1, penalty_weights=[1.0, np.inf, 1.0])
    plain = Problem(X, y, l1=0.1)
    for problem, coef, b, words in (
        (positive, [0.0, -1e-300, 0.0], 0.0, "coef[1] is -1e-300, but the problem is positive"),
        (fixed, [0.0, 2.0, 0.0], 0.0, "coef[1] is 2.0, but its penalty weight is inf"),
        (plain, [0.0, np.nan, 0.0], 0.0, "coef[1] is nan"),
        (plain, [0.0, 0.0, 0.0], 0.5, "the intercept is 0.5, but the problem has none"),
        (plain, [1e300, 0.0, 0.0], 0.0, "the objective overflows float64 at these coefficients"),
    ):
        certificate = certify(problem, coef, b)
        assert certificate.kind == "NONE"
        assert certificate.reason == words
        assert certificate.gap is certificate.gap_rel is certificate.dual is certificate.radius is None
        assert certificate.primal == np.inf
    with pytest.raises(ValueError, match=r"coef has shape \(2,\), expected \(3,\)"):
        certify(plain, [0.0, 0.0])
    with pytest.raises(ValueError, match="level is 'rough'"):
        certify(plain, np.zeros(3), level="rough")


def test_a_response_of_zero() -> None:
    problem = Problem(np.eye(3), np.zeros(3), l1=0.1, intercept=True)
    assert certify(problem, np.zeros(3)).gap_rel == 0
    assert certify(problem, np.full(3, 1e-9)).gap_rel == np.inf


def test_kkt_is_zero_at_the_optimum_and_free_of_units() -> None:
    rng = np.random.default_rng(5)
    Q = np.linalg.qr(rng.standard_normal((30, 4)))[0] * np.sqrt(30)
    y = rng.standard_normal(30)
    z = Q.T @ y / 30
    problem = Problem(Q, y, l1=0.05)
    w = np.sign(z) * np.maximum(np.abs(z) - 0.05, 0)  # the columns are orthogonal
    moved = w + 0.01 * np.sign(w)
    best, off = certify(problem, w), certify(problem, moved)
    assert best.kkt is not None
    assert best.kkt < 1e-15
    scaled_problem = Problem(Q * 1e3, y * 7, l1=0.05 * 7e3)
    assert certify(scaled_problem, moved * 7 / 1e3).kkt == pytest.approx(off.kkt)
    assert off.kkt == pytest.approx(0.01 / (np.linalg.norm(Q[:, 0]) * np.linalg.norm(y) / 30))


def test_a_false_feature_is_found() -> None:
    rng = np.random.default_rng(6)
    X = rng.standard_normal((100, 3))
    y = X[:, 0] + 0.01 * rng.standard_normal(100)
    certificate = certify(Problem(X, y, l1=0.5), [0.5, 1e-6, 0.0])
    assert certificate.certified_zeros.tolist() == [False, True, True]
    assert certificate.false_features == 1


@pytest.mark.parametrize("positive", [False, True])
def test_a_prox_point_is_the_minimiser_over_one_coordinate(positive: bool) -> None:
    """Of curvature/2 (x - w)^2 - u (x - w) + l1 |x| + l2/2 x^2: no neighbour is lower, on either side."""
    rng = np.random.default_rng(7)
    l1, l2 = rng.choice([0.0, 0.5], 60), rng.choice([0.0, 0.3], 60)
    w, u, curvature = np.abs(rng.standard_normal(60)), rng.standard_normal(60), rng.choice([0.5, 2.0], 60)
    w = w if positive else w * rng.choice([-1.0, 1.0], 60)

    def value(x: Vector) -> Vector:
        return curvature / 2 * (x - w) ** 2 - u * (x - w) + l1 * np.abs(x) + l2 / 2 * x * x

    x = dual.Penalty(l1, l2, positive).prox_point(w, u, curvature)
    assert x.min() >= 0 or not positive
    for step in (1e-4, -1e-4):
        beside = np.maximum(x + step, 0.0) if positive else x + step
        assert np.all(value(beside) >= value(x))
    nothing = dual.Penalty(np.zeros(1), np.zeros(1), positive).prox_point(np.ones(1), np.ones(1), np.zeros(1))
    assert nothing.tolist() == [1.0]  # no curvature and no penalty: left where it is


def test_coefficients_of_one_size_fit_the_penalty_that_there_is() -> None:
    """l1 and l2 cannot be told apart then: the one that the problem has explains it all."""
    sign = np.array([1.0, -1.0, 1.0, 1.0, -1.0])
    regressors = np.column_stack([sign, 0.5 * sign])
    lasso = implied_penalty(0.105 * sign, np.full(5, 1e-16), regressors, (0.1, 0.0))
    ridge = implied_penalty(0.105 * sign, np.full(5, 1e-16), regressors, (0.0, 0.2))
    assert lasso is not None
    assert ridge is not None
    assert (lasso.l1, lasso.l2) == (pytest.approx(0.105), 0.0)
    assert (ridge.l1, ridge.l2) == (0.0, pytest.approx(0.21))
    assert lasso.off == ridge.off == pytest.approx(0.05)
    assert lasso.gain > 1e12


def test_the_implied_penalty_is_the_least_squares_fit() -> None:
    rng = np.random.default_rng(8)
    w = rng.standard_normal(9)
    regressors = np.column_stack([np.sign(w), w])
    u = regressors @ [0.3, 0.7] + 1e-3 * rng.standard_normal(9)
    found = implied_penalty(u, np.full(9, 1e-16), regressors, (0.25, 0.75))
    fitted = np.linalg.lstsq(regressors, u, rcond=None)[0]
    assert found is not None
    np.testing.assert_allclose([found.l1, found.l2], fitted, rtol=1e-12)
    expected = regressors @ [0.25, 0.75]
    off = np.linalg.norm(regressors @ fitted - expected) / np.linalg.norm(expected)
    gain = np.linalg.norm(u - expected) / np.linalg.norm(u - regressors @ fitted)
    assert (found.off, found.gain) == (pytest.approx(off), pytest.approx(gain))
    exact = implied_penalty(regressors @ [0.3, 0.7], np.full(9, 1e-6), regressors, (0.25, 0.75))
    assert exact is not None
    assert exact.gain == pytest.approx(np.linalg.norm(regressors @ [0.05, -0.05]) / 3e-6)  # over rounding
    assert implied_penalty(u[:3], np.ones(3), regressors[:3], (0.25, 0.75)) is None  # two are fitted
    assert implied_penalty(u[:4], np.ones(4), regressors[:4], (0.25, 0.75)) is not None
    assert implied_penalty(u, np.ones(9), regressors, (0.0, 0.0)) is None


def test_a_sparse_matrix_too_large_for_qr_is_projected_by_lsmr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "DENSE", 0)
    monkeypatch.setattr(scaled, "DENSE", 0)
    chosen = [c for c in combinations() if c[4] in ("csc", "csr") and c[2] != "real"]
    tally = weak_duality(chosen)
    assert tally.failures == []


# ---- break it before trusting it ---------------------------------------------------------------------------


def without_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alpha is not limited by the constraints |u_j| <= l1_j."""

    def best_multiple(linear: float, square: float, *_: object) -> list[float]:
        return [linear / square if square else 0.0]

    monkeypatch.setattr(judge, "best_multiple", best_multiple)
    monkeypatch.setattr(judge.Judge, "_penalty_side", _uncharged)


def _uncharged(
    self: Judge, w: Vector, u: Vector, size: Vector, inherited: Vector, move: Vector
) -> tuple[float, float]:
    """The side of the penalty without a charge for infeasible u_j."""
    penalty = self._scaled.penalty
    bound = self._capped | self._scaled.free
    with np.errstate(invalid="ignore"):
        terms = penalty.fenchel_young(w, np.where(bound, np.clip(u, -penalty.l1, penalty.l1), u), penalty.l1)
    return float(np.sum(terms)), self._dots.total(size * np.abs(w))


def without_projection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpenalised columns are treated as if they were not there."""
    original = projection.Span.__init__

    def init(self: projection.Span, design: object, members: Vector, constant: bool) -> None:
        original(self, design, members[:0], constant)  # type: ignore[arg-type]

    monkeypatch.setattr(projection.Span, "__init__", init)
    monkeypatch.setattr(judge.Judge, "_penalty_side", _uncharged)
    monkeypatch.setattr(judge, "face_span", lambda scaled, w, r: scaled.span)


def textbook_gap(problem: Problem, coef: Vector, intercept: float, centred: bool) -> float:
    """Primal minus dual from the data as they come; for lasso."""
    s, y = problem.s, problem.y
    r = y - problem.X @ coef - intercept
    theta = r - s @ r / problem.S if problem.intercept and centred else r
    u = np.abs(problem.X.T @ (s * theta)) / problem.S
    theta = theta * min(1.0, problem.l1 / max(float(u.max()), 1e-300))
    primal = s @ r**2 / (2 * problem.S) + problem.l1 * np.abs(coef).sum()
    return float(primal - (s @ (theta * y) - s @ theta**2 / 2) / problem.S)


def lasso_by_the_textbook(monkeypatch: pytest.MonkeyPatch, centred: bool) -> None:
    honestly = Judge.certify

    def certify_textbook(self: Judge, coef: Vector, intercept: float = 0.0) -> Certificate:
        honest, problem = honestly(self, coef, intercept), self.problem
        if problem.l2 > 0 or problem.l1 == 0 or problem.positive or problem.penalty_weights is not None:
            return honest
        return replace(honest, gap=textbook_gap(problem, coef, intercept, centred))

    monkeypatch.setattr(Judge, "certify", certify_textbook)


def textbook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Primal minus dual: right in exact arithmetic."""
    lasso_by_the_textbook(monkeypatch, centred=True)


def without_centring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dual point is not orthogonal to the constant."""
    lasso_by_the_textbook(monkeypatch, centred=False)


def without_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding is forgotten."""
    monkeypatch.setattr(rounding.Rounding, "worst", 0.0)


def swapped_conjugate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The conjugate of the elastic net forgets its l1."""
    original = dual.Penalty.fenchel_young

    def wrong(self: dual.Penalty, w: Vector, u: Vector, l1: Vector) -> Vector:
        return np.where(self.l2 > 0, original(self, w, u, l1 + 0.5 * np.abs(u)), original(self, w, u, l1))

    monkeypatch.setattr(dual.Penalty, "fenchel_young", wrong)


def weights_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows with weight zero count."""
    original = scaled.Scaled.__init__

    def init(self: scaled.Scaled, problem: Problem) -> None:
        original(self, problem.replace(sample_weight=None))

    monkeypatch.setattr(scaled.Scaled, "__init__", init)


FAULTS = [
    without_centring,
    without_cap,
    without_projection,
    textbook,
    without_rounding,
    swapped_conjugate,
    weights_ignored,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(
    fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    assert weak_duality(combinations()[::7]).failures


def test_the_planted_faults_sit_on_combinations_that_pass_without_them() -> None:
    assert weak_duality(combinations()[::7]).failures == []
