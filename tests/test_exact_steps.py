"""The steps of the exact proof and of a certificate file: intervals, objective, start, dual point."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from flint import arb, ctx, fmpq

from solvers import Problem
from verification.proofs import checker, exact, export
from verification.proofs.exact import RationalProblem, objective_range
from verification.proofs.export import describe, dual_point, exactly, point_of
from verification.proofs.integers import Integers, dyadic, fraction, integral, rational, row_matrix
from verification.proofs.reduced import Outside, Point, Reduced
from verification.proofs.search import Search

A = np.array([[1.0, -2.0, 0.5], [0.25, 1.0, 1.0], [-1.0, 0.0, 2.0], [3.0, 1.0, -0.5]])
Y = np.array([1.0, -2.0, 0.75, 3.0])
S = np.array([0.5, 0.0, 2.0, 0.75])


# ---- the exact proof ---------------------------------------------------------------------------------------


def test_one_coefficient_whose_rounding_is_open_leaves_the_proof_open() -> None:
    data = Integers(RationalProblem([[1, 0], [0, 1]], [1, 1]))
    sharp, blunt = 2**80 + 1, 2**80 + 2**27  # the second lies on the middle between two floats
    for mid, rad, rounds in (((sharp, sharp), (1, 1), True), ((sharp, blunt), (1, 1), False),
                             ((blunt, sharp), (1, 1), False), ((blunt, blunt), (0, 0), True)):  # fmt: skip
        assert exact._rounds(data, Point((0, 1), mid, rad, 2**80)) == rounds
    assert exact._rounds(data, Point((), (), (), 1))


def test_coefficients_in_the_units_of_the_problem() -> None:
    data = Integers(RationalProblem([["1/6", "1/3"], [4, 2]], ["1/5", "2/5"]))
    assert (data.c_y, data.column(0)[1]) == (fmpq(1, 5), fmpq(1, 6))
    low, middle, high = exact._unscaled(data, Point((1, 0), (3, 10), (1, 2), 4), 1)
    assert (low, middle, high) == (
        Fraction(12, 5),
        Fraction(3),
        Fraction(18, 5),
    )  # 6 / 5 times 8/4, 10/4, 12/4


@pytest.mark.parametrize("l2", [0, "1/3"])
def test_the_objective_at_an_optimum_and_its_range(l2: Any) -> None:
    """From its definition, at the exact solution; and for every point within the radii."""
    options: dict[str, Any] = {"l1": "1/7", "l2": l2, "sample_weight": [1, 2, 3, 1], "intercept": True}
    columns = [[3, -1, 2, 1], [1, 2, -2, 2]]
    data = Integers(RationalProblem(columns, [4, -1, "7/2", 2], **options))
    it = Reduced(data)
    at = it.solve_rationals((0, 1, 2), (1, 1, 0))
    sign = {0: at.sign(0) or 0, 1: at.sign(1) or 0, 2: 0}
    at = it.solve_rationals((0, 1, 2), [sign[j] for j in (0, 1, 2)])
    assert [at.sign(k) for k in (0, 1)] == [sign[0], sign[1]]
    low, value, high = objective_range(it, at, sign)
    w = [exact._unscaled(data, at, k)[1] for k in range(3)]
    r = [Fraction(y) - x0 * w[0] - x1 * w[1] - w[2]
         for y, x0, x1 in zip([4, -1, Fraction(7, 2), 2], *columns, strict=True)]  # fmt: skip
    loss = sum(s * x * x for s, x in zip([1, 2, 3, 1], r, strict=True)) / 14
    penalty = sum(abs(x) / 7 + Fraction(l2) * x * x / 2 for x in w[:2])
    assert low == value == high == loss + penalty
    wider = Point(at.support, at.mid, (1, 0, 5), at.denominator)
    low, middle, high = objective_range(it, wider, sign)
    right = [Fraction(int(x)) for x in it.right((0, 1, 2))]
    weights = [abs(right[0] - fraction(data.penalties(0)[0]) * sign[0]), abs(right[2])]
    slack = fraction(data.c_y) ** 2 / (2 * data.total) * (weights[0] + 5 * weights[1]) / at.denominator
    assert middle == value
    assert (middle - low, high - middle) == (slack, slack)


def uniqueness(columns: Any, support: tuple[int, ...], tied: list[tuple[int, int]], **options: Any) -> str:
    search = Search(Reduced(Integers(RationalProblem(columns, [1] * len(columns[0]), **options))), {})
    at = Point(support, (1,) * len(support), (0,) * len(support), 1)
    return exact._uniqueness(search, at, Outside([], tied, []))


def test_uniqueness_is_by_the_ways_that_move_no_fitted_value() -> None:
    twins, apart = [[1, 0], [1, 0], [0, 1]], [[1, 0], [0, 1], [1, 1]]
    assert uniqueness(twins, (0,), [], l1=1) == "unique"
    assert uniqueness(twins, (0,), [(1, 1)], l1=1) == "not unique"
    assert uniqueness(twins, (0,), [(2, 1)], l1=1) == "unique"  # regular together
    assert uniqueness(twins, (0,), [(1, -1)], l1=1) == "not unique"  # the other way round
    assert uniqueness(twins, (), [(0, 1), (1, 1)], l1=1) == "unique"  # sum u_j d_j = 0 rules it out
    assert uniqueness(twins, (2,), [(0, 1), (1, 1)], l1=1) == "undecided"  # one up, one down: no way
    assert uniqueness(twins, (2,), [(0, 1), (1, -1)], l1=1) == "not unique"
    assert uniqueness(apart, (0, 1), [(2, 1)], l1=1) == "not unique"
    assert uniqueness(twins, (3,), [(0, 1), (1, 1)], l1=1, intercept=True) == "unique"
    assert uniqueness(twins, (), [(0, 1), (1, 1)], l1=0, positive=True) == "undecided"
    assert uniqueness(twins, (), [(0, 1), (1, 1)], l1=1, l2=1) == "unique"


def test_a_start_is_in_integer_units_and_leaves_out_what_is_no_number() -> None:
    problem = Problem(A * 2.0, Y, l1=0.1, intercept=True, penalty_weights=[1.0, np.inf, 1.0])
    data = Integers(problem)
    start = exact._start(data, np.array([3.0, 5.0, np.nan]), 0.5)
    assert start == {0: 3 * fraction(data.column(0)[1]) / fraction(data.c_y), 3: 1 / (2 * fraction(data.c_y))}
    assert exact._start(data, np.array([np.inf, 1.0, 0.0]), math.inf) == {}
    without = Integers(problem.replace(intercept=False))
    assert set(exact._start(without, np.array([3.0, 0.0, -1.0]), 0.5)) == {0, 2}


def test_of_a_start_five_for_each_row_are_kept_and_no_fewer() -> None:
    data = Integers(Problem(np.ones((1, 6)), [1.0], l1=0.1))
    five, six = np.array([1.0, -6.0, 3.0, 0.0, 5.0, 2.0]), np.array([1.0, -6.0, 3.0, 4.0, 5.0, 2.0])
    assert set(exact._start(data, five, 0.0)) == {0, 1, 2, 4, 5}
    assert set(exact._start(data, six, 0.0)) == {1, 2, 3, 4, 5}


def test_more_bits_are_tried_before_rationals_where_these_would_be_dear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A support of two; the tie leaves it open at whatever precision."""
    tie = RationalProblem([[3, 0, 0], [1, 1, 0], [0, 0, 1]], [4, 1, 9], l1="1/2", sample_weight=[1, 1, 1])
    seen: list[int] = []
    honest = Search.in_balls

    def spied(self: Search, bits: int) -> Any:
        seen.append(bits)
        return honest(self, bits)

    monkeypatch.setattr(Search, "in_balls", spied)
    for rational_limit, tried in ((2, [256]), (1, [256, 512, 1024, 2048]), (150, [256])):
        seen.clear()
        monkeypatch.setattr(exact, "RATIONAL", rational_limit)
        found = exact.optimum(tie)
        assert (found.arithmetic, found.tied, len(found.point.support)) == ("rationals", 1, 2)
        assert seen == tried


def test_where_a_rounding_is_open_rationals_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(A, Y, l1=0.125)
    first = exact.optimum(problem, np.zeros(3), cached=False)
    monkeypatch.setattr(exact, "_rounds", lambda data, at: False)
    second = exact.optimum(problem, np.zeros(3), cached=False)
    assert (first.arithmetic, second.arithmetic) == ("balls of 256 bits", "rationals")
    assert np.array_equal(first.coef, second.coef)


def test_a_screen_lets_ties_pass_though_they_are_next_to_inside() -> None:
    """One row, where hardly any rounding is charged."""
    data = Integers(Problem(np.array([[1.0, -1.0, 0.5]]), [1.0], l1=1.0))
    found = Reduced(data).outside(Point((), (), (), 1))
    assert (found.beyond, found.tied, found.open) == ([], [(0, 1), (1, -1)], [])


@pytest.mark.parametrize(("beyond", "found"), [(2.0**-38, [0]), (2.0**-34, [])])
def test_a_screen_charges_the_rounding_of_a_long_sum(beyond: float, found: list[int]) -> None:
    """X't is 2^-10, a sum of 512 terms of about 1: its rounding may be 2^-35, that of t 2^-41 in all."""
    column = np.resize([0.75, -0.75], 512)
    column[0] += 2.0**-10
    data = Integers(Problem(column[:, None], np.ones(512), l1=(2.0**-10 + beyond) / 512))
    assert data.screen is not None
    assert data.screen.undecided([1] * 512, 1, Fraction(0)) == found


def test_a_true_coefficient_may_be_as_small_as_its_interval_touches_zero() -> None:
    best = exact.optimum(Problem(A, Y, l1=0.125), np.zeros(3), cached=False)
    for low, high in ((0.0, 5e-324), (-5e-324, 0.0)):
        near = replace(best, low=np.array([low, 0.0, 1.0]), high=np.array([high, 0.0, 1.0]))
        assert exact.features([0.0, 0.0, 1.0], near) == exact.Features(0, 1)
        assert exact.features([1.0, 1.0, 0.0], near) == exact.Features(1, 1)


# ---- what the checker makes of an inverse that is rough ----------------------------------------------------


@pytest.mark.parametrize(
    ("l1", "w", "interval", "words"),
    [
        ("0", "3/4", ("1/2", "1"), ""),
        ("0", "3/4", ("513/1024", "1"), "interval 0"),
        ("0", "3/4", ("1/2", "1023/1024"), "interval 0"),
        ("15/16", "1/8", ("0", "1/4"), ""),
        ("15/16", "1/32", ("0", "1/4"), "a sign on the support is not proven"),
    ],
)
def test_half_an_inverse_doubles_the_error(l1: str, w: str, interval: tuple[str, str], words: str) -> None:
    """One column of one row: w* = 1 - l1. With 1/2 for the inverse of 1, I - M H is 1/2 too."""
    described = describe(Problem(np.eye(1), [1.0], l1=1.0)) | {"l1": l1}
    optimum = (("support", [0]), ("coef", [w]), ("scale", [0]), ("inverse", [["1/2"]]))
    if words:
        with pytest.raises(checker.Rejected, match=words):
            checker.check_intervals(exactly(described), [list(interval)], optimum)
    else:
        checker.check_intervals(exactly(described), [list(interval)], optimum)


# ---- integers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [[0.75, -3.0, 0.0], [2.0**-1074, 1.0], [2.0**1000, -(2.0**900)], [5.0],
                                    [1 / 3, -1e300, 1e-300], [6.0, 12.0, -20.0], [-0.0, 0.0]])  # fmt: skip
def test_floats_become_the_smallest_integers(values: list[float]) -> None:
    numbers, unit = dyadic(np.array(values))
    assert [x * fraction(unit) for x in numbers] == values
    assert any(x % 2 for x in numbers) or not any(values)
    assert all(type(x) is int for x in numbers)
    assert unit == 1 or {abs(fraction(unit).numerator), fraction(unit).denominator} & {1}


def test_decimals_and_fractions_become_integers() -> None:
    assert integral(["0.1", "1/4", 3]) == ([2, 5, 60], fmpq(1, 20))
    assert integral([0.5, Fraction(-1, 3)]) == ([3, -2], fmpq(1, 6))
    assert rational("0.30") == fmpq(3, 10)
    assert fraction(fmpq(-6, 4)) == Fraction(-3, 2)
    assert [[int(x) for x in row] for row in row_matrix([[1, 2, 3], [4, 5, 6]]).tolist()] == [
        [1, 2, 3],
        [4, 5, 6],
    ]


def test_the_integer_form_is_the_problem_itself() -> None:
    """Loss and penalty at any coefficients, c_y^2 / T' times."""
    v = [1.0, np.inf, 0.5]
    problem = Problem(A, Y, l1=0.25, l2=0.5, intercept=True, sample_weight=S, penalty_weights=v)
    data = Integers(problem)
    assert (data.live, data.rows.tolist(), data.n, data.p) == ([0, 2, 3], [0, 2, 3], 3, 3)
    assert (data.T, data.total) == ([2, 8, 3], 13)
    w = {0: Fraction(3), 2: Fraction(-1, 2), 3: Fraction(1, 3)}
    W = {j: fraction(data.column(j)[1]) * x / fraction(data.c_y) for j, x in w.items()}
    fit = [sum(data.column(j)[0][i] * x for j, x in W.items()) for i in range(3)]
    value = sum(t * (y - z) ** 2 for t, y, z in zip(data.T, data.Y, fit, strict=True)) / Fraction(2)
    for j, x in W.items():
        l1, l2 = map(fraction, data.penalties(j))
        value += l1 * abs(x) + l2 / 2 * x * x
    assert value * fraction(data.c_y) ** 2 / data.total == exactly(describe(problem)).primal(w)
    assert [data.free(j) for j in data.live] == [False, False, True]
    assert [data.signed(j) for j in data.live] == [True, True, False]
    ridge = Integers(problem.replace(l1=0.0))
    assert [ridge.signed(j) for j in ridge.live] == [False, False, False]
    positive = Integers(problem.replace(l1=0.0, positive=True))
    assert [positive.signed(j) for j in positive.live] == [True, True, False]


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_a_screen_lets_nothing_pass_that_is_not_inside(layout: str, positive: bool) -> None:
    for seed in range(10):
        rng = np.random.default_rng([seed, 7])
        X = rng.standard_normal((6, 30)) * 2.0 ** rng.integers(-20, 20, 30)
        s, v = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 3.0]), np.r_[0.0, np.inf, rng.random(28) + 0.5]
        problem = Problem(sp.csc_array(X) if layout == "sparse" else X, rng.standard_normal(6),
                          l1=1.0, sample_weight=s, penalty_weights=v * np.abs(X).max(axis=0) * 0.3,
                          positive=positive)  # fmt: skip
        data = Integers(problem)
        residual, _ = Reduced(data).weighted_residual(Point((), (), (), 1))
        assert data.screen is not None
        for slop in (Fraction(0), Fraction(max(map(abs, residual)), 10**3)):
            found = set(data.screen.undecided(residual, 1, slop))
            inside = 0
            for j in data.live:
                row = data.column(j)[0]
                u = sum(x * t for x, t in zip(row, residual, strict=True))
                most = (u if positive else abs(u)) + slop * sum(map(abs, row))
                bound = fraction(data.penalties(j)[0])
                inside += most < bound
                assert j in found or most < bound
                if most < bound * (1 - Fraction(1, 2**30)) and slop == 0:
                    assert j not in found  # and what is clearly inside is let pass
            assert inside > 0
            assert 1 not in found  # v_j = inf


# ---- certificate files -------------------------------------------------------------------------------------


def test_numbers_are_shortened_to_300_bits() -> None:
    for x in (Fraction(1, 3), Fraction(-(2**700) - 1, 7), Fraction(1, 3 * 2**900)):
        short = export._shortened(x)
        assert abs(short / x - 1) <= Fraction(1, 2**298)
        odd = short.numerator // (short.numerator & -short.numerator)
        assert 298 < odd.bit_length() <= 301
    assert export._shortened(Fraction(0)) == 0
    assert export._shortened(Fraction(5, 8)) == Fraction(5, 8)


def test_half_logarithms_and_exact_midpoints() -> None:
    halves = [export._half_log(Fraction(2) ** e) for e in (0, 1, 2, 3, -1, -2, -4)]
    assert halves == [0, 0, 1, 1, -1, -1, -2]
    assert export._exactly(arb(-0.75)) == Fraction(-3, 4)
    assert export._exactly(arb(6)) == 6
    with ctx.workprec(100):
        third = export._ball(Fraction(1, 3))
        assert abs(export._exactly(third) - Fraction(1, 3)) < Fraction(1, 2**99)
        assert third.rad() > 0


def test_the_unit_of_the_weights_is_that_of_the_first_row_that_counts() -> None:
    assert export._weight_unit(Integers(Problem(A, Y, sample_weight=[0.0, 0.5, 0.75, 2.0]))) == Fraction(1, 4)
    assert export._weight_unit(Integers(Problem(A, Y))) == 1


def test_a_point_in_integer_form_is_that_point() -> None:
    data = Integers(Problem(A, Y, l1=0.1, intercept=True, penalty_weights=[1.0, np.inf, 1.0]))
    at = point_of(data, [0.375, 7.0, 0.0, -2.5])
    assert at.support == (0, 3)
    assert at.rad == (0, 0)
    assert [exact._unscaled(data, at, k)[1] for k in (0, 1)] == [Fraction(3, 8), Fraction(-5, 2)]
    assert point_of(data, [0.0] * 4) == Point((), (), (), 1)


def residual_of(problem: Problem, w: list[float]) -> list[Fraction]:
    fit = [
        sum(Fraction(x) * Fraction(z) for x, z in zip(row, w[: problem.p], strict=True)) for row in problem.X
    ]
    b = Fraction(w[problem.p]) if problem.intercept else Fraction(0)
    return [Fraction(y) - z - b for y, z in zip(problem.y.tolist(), fit, strict=True)]


def along(problem: Problem, theta: list[Fraction]) -> list[Fraction]:
    s = [Fraction(float(x)) for x in problem.s]
    columns = [*problem.X.T.tolist(), *([[1.0] * problem.n] if problem.intercept else [])]
    return [sum((z * Fraction(x) * t for z, x, t in zip(s, c, theta, strict=True)), Fraction(0)) / sum(s)
            for c in columns]  # fmt: skip


def theta_of(problem: Problem, w: list[float]) -> list[Fraction]:
    reduced = Reduced(Integers(problem))
    return dual_point(reduced, point_of(reduced.data, w))


def test_a_feasible_residual_is_the_dual_point_on_its_grid() -> None:
    problem = Problem(A, Y / 3, l1=8.0, sample_weight=S)
    w = [0.1, -0.3, 0.0]
    theta, residual = theta_of(problem, w), residual_of(problem, w)
    top = max(abs(r) for r, s in zip(residual, S, strict=True) if s)
    for t, r, s in zip(theta, residual, S, strict=True):
        assert t == 0 if s == 0 else abs(t - r) < top / 2**119
        assert (t * 2**180).denominator == 1


@pytest.mark.parametrize("positive", [False, True])
def test_an_infeasible_residual_is_scaled_to_the_bound_and_no_further(positive: bool) -> None:
    problem = Problem(A, Y, l1=0.125, sample_weight=S, penalty_weights=[1.0, np.inf, 2.0], positive=positive)
    theta = theta_of(problem, [0.0, 0.0, 0.0])
    u = along(problem, theta)
    loads = [(x if positive else abs(x)) / (problem.l1 * Fraction(v)) for x, v in ((u[0], 1), (u[2], 2))]
    assert 1 - Fraction(1, 2**190) < max(loads) <= 1
    assert exactly(describe(problem)).dual(export.checker.Row(theta)) > 0
    ridge = theta_of(problem.replace(l2=1.0), [0.0, 0.0, 0.0])
    assert max(map(abs, along(problem, ridge))) > 1  # with l2 there is no bound to keep to


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
def test_a_dual_point_is_orthogonal_to_what_is_free(intercept: bool, positive: bool) -> None:
    problem = Problem(np.c_[A, A[:, 0] * 2], Y, l1=0.25, sample_weight=S + 0.25, intercept=intercept,
                      penalty_weights=[0.0, 1.0, 0.0, 0.0], positive=positive)  # fmt: skip
    w = [0.5, 0.0, 0.0, 0.0, *([0.25] if intercept else [])]
    theta = theta_of(problem, w)
    u = along(problem, theta)
    free = [u[0], u[2], u[3]]
    if positive:
        assert u[0] == u[3] == 0  # in use, and its multiple
        assert all(x <= 0 for x in free)
    else:
        assert free == [0, 0, 0]
    assert not intercept or u[4] == 0
    assert any(theta)


def test_where_all_is_in_the_span_nothing_is_left() -> None:
    problem = Problem(A[:3], Y[:3])
    assert theta_of(problem, [0.0, 0.0, 0.0]) == [0, 0, 0]
    assert theta_of(Problem(A, np.zeros(4), l1=1.0), [0.0, 0.0, 0.0]) == [0, 0, 0, 0]


@pytest.mark.parametrize("weights", [None, [1.0, 0.5, 0.25, 4.0]])
def test_what_proves_the_optimum_is_an_inverse_and_has_intervals_around_it(weights: Any) -> None:
    """In the checker's units: rows and columns times powers of two, so that the diagonal is about 1."""
    problem = Problem(A * [1.0, 1024.0, 2.0**-9], Y, l1=2.0**-14, l2=2.0**-9, sample_weight=weights)
    best = exact.optimum(problem, np.zeros(3), cached=False)
    reduced = Reduced(Integers(problem))
    intervals, proof = export._optimum(reduced, best.point)
    support, scale = proof["support"], proof["scale"]
    s, X = problem.s, problem.X
    assert support == np.flatnonzero(best.coef).tolist() == list(best.point.support)
    k = len(support)
    H = (X.T * s) @ X + np.diag(problem.S * problem.l2 * np.ones(3))
    H = H[np.ix_(support, support)] * np.outer(2.0 ** np.array(scale), 2.0 ** np.array(scale))
    assert 0.2 < np.diag(H).min() <= np.diag(H).max() < 5
    inverse = np.array([[float(Fraction(x)) for x in row] for row in proof["inverse"]])
    assert np.abs(inverse @ H - np.eye(k)).max() < 0.25 / k
    assert all(
        2 ** (2 * k.bit_length() + 10) % Fraction(x).denominator == 0 for row in proof["inverse"] for x in row
    )
    largest = max(abs(best.coef[j]) / 2.0**e for j, e in zip(support, scale, strict=True))
    for j in range(3):
        low, high = map(float.fromhex, intervals[j])
        if j not in support:
            assert low == high == 0
            continue
        x = Fraction(proof["coef"][support.index(j)])
        reach = Fraction(largest) * Fraction(2) ** (scale[support.index(j)] - 120)
        assert Fraction(low) <= x - reach * Fraction(9, 10)
        assert x + reach * Fraction(9, 10) <= Fraction(high)
        assert high - low <= 2 * np.spacing(abs(best.coef[j])) + 3 * float(reach)
