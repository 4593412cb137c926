"""The steps of level "rigorous", one by one: when it works in floats, and each bound against rationals."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from solvers import Problem
from verification import certify
from verification.proofs import checker, rigorous
from verification.proofs.export import describe, exactly
from verification.proofs.integers import downward, nearest, upward
from verification.proofs.rigorous import RigorousJudge

X = np.asfortranarray([[1.0, 2.0, 0.0], [-1.0, 0.5, 3.0], [2.0, 0.0, 1.0], [0.0, -1.0, 4.0]])
Y = np.array([1.0, 0.0, -2.0, 5.0])
PLAIN = Problem(X, Y, l1=0.25)

IN_FLOATS = {
    "lasso": PLAIN,
    "elastic net with l1 = l2": PLAIN.replace(l2=0.25),
    "ridge": PLAIN.replace(l1=0.0, l2=0.25),
    "a penalty that is infinite": PLAIN.replace(penalty_weights=[1.0, np.inf, 1.0]),
    "all penalties infinite": PLAIN.replace(penalty_weights=np.full(3, np.inf)),
    "small, not too small": PLAIN.replace(l1=2.0**-290, y=Y * 2.0**-100),
}
IN_RATIONALS = {
    "data beyond 2^200": PLAIN.replace(X=X * 2.0**201),
    "l1 too small": PLAIN.replace(l1=2.0**-310),
    "l1 negligible in all columns": PLAIN.replace(l1=2.0**-600, l2=0.25),
    "l1 negligible in one": PLAIN.replace(l2=0.25, penalty_weights=[1.0, 2.0**-700, 1.0]),
    "l2 negligible in one": PLAIN.replace(l1=2.0**250, l2=2.0**-300, penalty_weights=[1.0, 2.0**-250, 1.0]),
    "l2 negligible in all columns": PLAIN.replace(l2=2.0**-600),
    "l2 too small": PLAIN.replace(l2=2.0**-310),
    "l2 too large": PLAIN.replace(l1=0.0, l2=2.0**310),
    "a weight too small": PLAIN.replace(sample_weight=[1.0, 2.0**-310, 1.0, 1.0]),
    "a column without a penalty": PLAIN.replace(penalty_weights=[1.0, 0.0, 1.0]),
    "least squares": PLAIN.replace(l1=0.0),
    "least squares, no column left": PLAIN.replace(l1=0.0, penalty_weights=np.full(3, np.inf)),
    "a response of zeros": PLAIN.replace(y=np.zeros(4)),
}


@pytest.mark.parametrize("name", IN_FLOATS)
def test_floats_do_where_all_is_of_moderate_size(name: str) -> None:
    assert RigorousJudge(IN_FLOATS[name])._in_range
    assert certify(IN_FLOATS[name], np.zeros(3), level="rigorous").alpha is not None


@pytest.mark.parametrize("name", IN_RATIONALS)
def test_elsewhere_rationals_do(name: str) -> None:
    problem = IN_RATIONALS[name]
    judge = RigorousJudge(problem)
    assert not judge._in_range
    found = judge.certify(np.zeros(3))
    exact = exactly(describe(problem))
    value, dual = exact.primal({}), exact.dual(checker.Row(judge.theta(np.zeros(3))))
    assert found.alpha is None
    assert (found.primal, found.dual) == (nearest(value), downward(dual))
    assert found.gap == upward(value - dual)
    assert found.radius == upward(abs(value - Fraction(found.primal)))
    assert found.certified_zeros.tolist() == np.isinf(problem.v).tolist()
    assert found.false_features == 0


@pytest.mark.parametrize("b", [0.0, 1.0, 2.0**-310, 2.0**-299])  # the last, in units of y, is too small
@pytest.mark.parametrize("size", [0.0, 1.0, 2.0**-310, 2.0**310])
def test_coefficients_beyond_moderate_go_through_rationals_too(size: float, b: float) -> None:
    w = np.array([1.0, size, 0.0])
    problem = PLAIN.replace(intercept=True)
    with np.errstate(over="ignore"):  # the float estimate of the radius squares what is 2^620
        found = RigorousJudge(problem).certify(w, b)
        theta = RigorousJudge(problem).theta(w, b)
    assert (found.alpha is None) == (size not in (0.0, 1.0) or b not in (0.0, 1.0))
    assert found.gap is not None
    exact = exactly(describe(problem))
    value = exact.primal({j: Fraction(x) for j, x in enumerate([*w.tolist(), b]) if x})
    dual = exact.dual(checker.Row(theta))
    assert Fraction(found.gap) >= value - dual
    if found.alpha is None:
        assert (found.gap, found.dual) == (upward(value - dual), downward(dual))


def test_moderate_is_from_the_narrowest_to_the_widest() -> None:
    for x in (2.0**-300, 2.0**300, -(2.0**-300), 0.0):
        assert rigorous._moderate(np.array([1.0, x]))
    for x in (2.0**-301, -(2.0**-301), 1.5 * 2.0**300, -(2.0**301)):
        assert not rigorous._moderate(np.array([1.0, x]))
    assert rigorous._moderate(np.zeros(0))


def test_the_intercept_is_zero_unless_given() -> None:
    judge, w = RigorousJudge(PLAIN), np.array([0.5, 0.0, -0.25])
    assert judge.certify(w).gap == judge.certify(w, 0.0).gap is not None
    assert judge.theta(w) == judge.theta(w, 0.0) != [0] * 4


def test_at_an_optimum_without_rounding_only_the_last_step_outwards_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rigorous, "U", 0.0)
    monkeypatch.setattr(rigorous, "TINY", 0.0)
    problem = Problem(2 * np.eye(4), [4.0, 2.0, -1.0, 0.0], l1=0.25)  # soft thresholding of y / 2
    found = RigorousJudge(problem).certify([1.75, 0.75, -0.25, 0.0])
    assert (found.alpha, found.primal) == (1.0, 0.09375 + 0.6875)
    assert found.gap == found.radius == math.ulp(0.0)
    assert found.dual == math.nextafter(found.primal, 0.0)
    off = RigorousJudge(problem).certify([1.75, 0.75, -0.5, 0.0])  # 1/2 x'x / S (1/4)^2 above
    assert (off.primal, off.radius) == (0.8125, math.ulp(0.0))


def test_centring_twice_leaves_next_to_nothing_far_from_zero() -> None:
    for seed in range(8):
        problem = random_problem(seed, intercept=True)
        judge = RigorousJudge(problem.replace(y=problem.y + 2.0**20))
        hi, lo, _ = judge._residual(np.zeros(4), 0.0)
        _, q, _, _, mean = judge._dual(hi + lo, np.zeros(4), 1.0)
        assert mean <= 4 * rigorous.U * np.max(np.abs(q))


EXACTLY = {
    "lasso": PLAIN,
    "weights": PLAIN.replace(sample_weight=[9.0, 2.0, 0.0, 5.0], intercept=True),
    "positive": PLAIN.replace(positive=True),
    "C order": PLAIN.replace(X=np.ascontiguousarray(X), intercept=True),
    "ridge": PLAIN.replace(l1=0.0, l2=0.5, intercept=True),
    "elastic net": PLAIN.replace(l2=0.5, penalty_weights=[1.0, np.inf, 2.0]),
    "elastic net, positive": PLAIN.replace(l2=0.25, positive=True),
    "csc": PLAIN.replace(X=sp.csc_array(X), intercept=True, sample_weight=[9.0, 2.0, 0.0, 5.0]),
    "csr": PLAIN.replace(X=sp.csr_array(X), l2=0.5),
}


@pytest.mark.parametrize("name", EXACTLY)
def test_without_rounding_it_is_the_gap_itself(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data with so few bits that float64 rounds nothing but alpha: with u = 0 no bound adds anything."""
    monkeypatch.setattr(rigorous, "U", 0.0)
    monkeypatch.setattr(rigorous, "TINY", 0.0)
    problem = EXACTLY[name]
    judge, exact = RigorousJudge(problem), exactly(describe(problem))
    w = np.where(np.isinf(problem.v), 0.0, [0.5, 0.25, 0.0])
    for sign in (1.0,) if problem.positive else (1.0, -1.0):
        b = 0.5 * problem.intercept
        found = judge.certify(sign * w, b)
        value = exact.primal({j: Fraction(x) for j, x in enumerate([*(sign * w).tolist(), b]) if x})
        theta = judge.theta(sign * w, b)
        assert [theta[i] for i in np.flatnonzero(problem.s == 0)] == [0] * np.sum(problem.s == 0)
        gap = value - exact.dual(_feasible(exact, theta))
        assert found.primal == pytest.approx(float(value), rel=1e-15)
        assert found.gap == pytest.approx(float(gap), rel=1e-14)
        assert found.dual == pytest.approx(float(value - gap), rel=1e-14)
        assert found.radius is not None
        assert 0 < found.radius <= 2 * math.ulp(found.primal)  # never none: it is given outwards
        assert math.nextafter(found.gap, -1) != found.gap


def _feasible(exact: checker.Problem, theta: list[Fraction]) -> checker.Row:
    """Theta, shrunk by the rounding of alpha where a constraint is active."""
    row = checker.Row(theta)
    try:
        exact.dual(row)
    except checker.Rejected:
        return checker.Row([x * (1 - Fraction(2) ** -50) for x in theta])
    return row


def random_problem(seed: int, **options: Any) -> Problem:
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((7, 4)) + rng.integers(0, 3)
    return Problem(A, rng.standard_normal(7), **{"l1": 0.1, "sample_weight": rng.random(7) + 0.1} | options)


@pytest.mark.parametrize("options", [{}, {"intercept": True}, {"positive": True}], ids=str)
@pytest.mark.parametrize("layout", ["F", "C", "csc"])
def test_each_step_is_within_the_error_that_it_states(layout: str, options: dict[str, bool]) -> None:
    """Above the true error, by Fractions; and far below what plain float64 would have to charge."""
    worst = 0.0
    for seed in range(12):
        problem = random_problem(seed, **options)
        A = problem.X
        problem = problem.replace(
            X=sp.csc_array(A) if layout == "csc" else np.array(A, order=layout)  # type: ignore[call-overload]
        )
        judge = RigorousJudge(problem)
        scaled = judge._scaled
        rng = np.random.default_rng([seed, 1])
        problem_w = np.abs(rng.standard_normal(4)) / 8
        problem_b = float(rng.standard_normal()) * problem.intercept
        w, b = scaled.coefficients(problem_w), problem_b / 2.0**scaled.y_exponent
        columns = [[Fraction(x) / 2 ** int(e) for x in A[:, j].tolist()]
                   for j, e in enumerate(scaled.design.exponent)]  # fmt: skip
        s = [Fraction(x) for x in scaled.design._s.tolist()]
        total = sum(s, Fraction(0))

        hi, lo, error = judge._residual(w, b)
        for i in range(7):
            exact = Fraction(problem.y[i]) / 2**scaled.y_exponent - Fraction(b)
            exact -= sum(c[i] * Fraction(x) for c, x in zip(columns, w.tolist(), strict=True))
            off = abs(exact - Fraction(hi[i]) - Fraction(lo[i]))
            assert off <= Fraction(error[i]) <= Fraction(2) ** -90
        alpha, q, u, error, mean = judge._dual(hi + lo, w, 1.0)
        exact_q = [Fraction(x) for x in q.tolist()]
        tilt = sum(exact_q, Fraction(0)) / total * problem.intercept
        assert abs(tilt) <= Fraction(mean)
        worst = max(worst, float(abs(tilt)))
        centred = [x - z * tilt for x, z in zip(exact_q, s, strict=True)]
        sharp, its = judge._sharp(np.arange(4), q)
        for j, c in enumerate(columns):
            true = sum((x * z for x, z in zip(c, centred, strict=True)), Fraction(0)) / total
            shift = Fraction(float(scaled.design.shift[j]))  # the centred column, on which sharp works
            shifted = sum(((x - shift) * z for x, z in zip(c, exact_q, strict=True)), Fraction(0)) / total
            assert abs(true - Fraction(u[j])) <= Fraction(error[j]) <= Fraction(2) ** -46
            assert abs(shifted - Fraction(sharp[j])) <= Fraction(its[j])
            assert Fraction(its[j]) <= Fraction(2) ** -49 * abs(shifted) + Fraction(2) ** -90
            most = true if problem.positive else abs(true)
            assert Fraction(alpha) * most <= Fraction(problem.l1) * Fraction(float(scaled.l1_unit[j]))
        theta = judge.theta(problem_w, problem_b)
        weighted = [Fraction(float(z)) * x for z, x in zip(problem.s, theta, strict=True)]
        assert not problem.intercept or sum(weighted) == 0  # by its definition
        at = judge.certify(problem_w, problem_b)
        value = exactly(describe(problem)).dual(checker.Row(theta))
        assert Fraction(at.dual) <= value <= Fraction(at.dual) + Fraction(at.primal) / 2**44
    assert (worst > 0) == problem.intercept  # what centring leaves is seen at all


def test_bounds_on_norms_and_sums_are_from_above() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        s, x = rng.random(5), rng.standard_normal(5)
        square = sum(Fraction(a) * Fraction(z) ** 2 for a, z in zip(s.tolist(), x.tolist(), strict=True))
        bound = rigorous._norm_up(s, x)
        assert square <= Fraction(bound) ** 2 <= square * (1 + Fraction(2) ** -46)
    assert 0 < rigorous._norm_up(np.ones(3), np.zeros(3)) == rigorous.TINY
    assert rigorous._up(1.0, 3) == 1 + 10 * rigorous.U
    assert rigorous._outward(1.0) == 1 + 2 * rigorous.U
    assert rigorous._outward(-1.0) == -(1 - rigorous.U)


@pytest.mark.parametrize("positive", [False, True])
def test_a_bracket_is_no_less_than_in_rationals(positive: bool) -> None:
    rng = np.random.default_rng(4)
    a = np.abs(rng.standard_normal(400)) * (rng.random(400) < 0.7)
    along = rng.standard_normal(400)
    along[:40] = a[:40] + 0.5  # at the optimum: the bracket is nothing
    l1, l2 = np.full(400, 0.5), np.where(np.arange(400) < 40, 1.0, rng.random(400) + 0.1)
    found = rigorous._bracket(a, along, l1, l2, positive)
    for k in range(400):
        x, u, c, d = (Fraction(float(z[k])) for z in (a, along, l1, l2))
        conjugate = max(u - c, Fraction(0)) ** 2 / (2 * d)
        if not positive:
            conjugate += max(-u - c, Fraction(0)) ** 2 / (2 * d)
        exact = c * x + d * x * x / 2 + conjugate - u * x
        assert exact <= Fraction(found[k]) <= exact + Fraction(2) ** -43 * (1 + exact)
    assert 0 <= found[:40].max() < 1e-25
