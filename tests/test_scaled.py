"""What a judge is made of: the scaled problem, projections, rounding, and the words of a certificate."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import nnls

from solvers import Problem
from verification import Judge, certify, certify_path
from verification.proofs import design as design_module
from verification.proofs import judge as judge_module
from verification.proofs import path, projection, scaled
from verification.proofs.design import Design
from verification.proofs.faces import face_span
from verification.proofs.implied import _fit, implied_penalty
from verification.proofs.levels import LEVEL
from verification.proofs.points import Point
from verification.proofs.projection import Span
from verification.proofs.rounding import FAILURE, UNIT, Rounding
from verification.proofs.scaled import Scaled

X = np.array([[0.5, 1.0, -2.0], [1.0, 0.0, 4.0], [0.25, 3.0, 1.0], [-1.0, 2.0, 0.5], [0.75, -1.0, -1.0]])
Y = np.array([1.0, -2.0, 0.5, 3.0, -1.5])
S = np.array([1.0, 4.0, 2.0, 0.5, 1.0])


# ---- the scaled problem ------------------------------------------------------------------------------------


@pytest.mark.parametrize("y", [3.0, 0.375, 2.0**-90])
def test_a_constant_response_is_measured_against_its_own_rounding(y: float) -> None:
    """P_null is 0 there: N = eps^2 sum s y^2 / (2 S)."""
    at = Scaled(Problem(X, np.full(5, y), l1=0.1, intercept=True, sample_weight=S))
    assert at.null == 0
    assert at.absolute(at.scale) == 2.0**-104 * y * y / 2
    without = Scaled(Problem(X, Y, l1=0.1, sample_weight=S))
    assert without.scale == without.null == pytest.approx(S @ Y**2 / (2 * S.sum()) / 2.0**4, rel=1e-14)


def test_underflow_is_charged_unless_there_is_nothing() -> None:
    for y, ulps in ((Y, 3), (np.array([0.0, 0.0, 1.0, 0.0, 0.0]), 3), (np.zeros(5), 0)):
        problem = Problem(X, y, l1=0.1)
        assert Scaled(problem).underflow == ulps * 2.0**-1074
        radius = certify(problem, np.zeros(3)).radius
        assert radius is not None
        assert (radius == 0) == (ulps == 0)
    # where the radius itself is far below the smallest normal number, the charge is seen in it
    large = certify(Problem(X, Y, l1=2.0**105), np.zeros(3)).radius
    small = certify(Problem(X, Y * 2.0**-505, l1=2.0**-400), np.zeros(3)).radius
    assert small is not None
    assert small == math.ldexp(large or 0.0, -1010) + 3 * 2.0**-1074
    assert 3 * 2.0**-1074 < small < 2.0**-1050


def test_a_penalty_is_none_below_what_has_an_effect() -> None:
    edge = 2.0**-511
    for factor, lost in ((1.0, False), (0.5, True)):
        half = Problem(np.full((2, 1), 0.5), [0.5, 0.25], l1=edge * factor)
        assert (Scaled(half).penalty.l1[0] == 0) == lost
        half = Problem(np.full((2, 1), 0.5), [0.5, 0.25], l2=edge * factor)
        assert (Scaled(half).penalty.l2[0] == 0) == lost


def test_at_another_l1_what_the_data_decide_is_shared() -> None:
    first = Scaled(Problem(X, Y, l1=0.5, penalty_weights=[1.0, 0.0, 2.0], intercept=True))
    other = first.at(0.25)
    assert other.design is first.design
    assert other.span is first.span
    assert (other.problem.l1, first.problem.l1) == (0.25, 0.5)
    assert np.array_equal(other.penalty.l1, first.penalty.l1 / 2)
    nothing = first.at(0.0)  # then every column is free
    assert nothing.free.all()
    assert nothing.span.members.size == 3
    assert nothing.null < first.null
    judge = Judge(first.problem)
    judge.at(0.25)
    assert judge.problem.l1 == 0.5
    assert judge.at(0.25).certify([1.0, 0.5, 0.0], 0.1).gap == pytest.approx(
        certify(first.problem.replace(l1=0.25), [1.0, 0.5, 0.0], 0.1).gap, rel=1e-14
    )


@pytest.mark.parametrize("b", [0.0, 1.0, -3.5])
def test_the_intercept_in_centred_units_is_exact(b: float) -> None:
    """Also where a term is exactly one: nothing is left out but zeros."""
    at = Scaled(Problem(X[:4], Y[:4], l1=0.1, intercept=True))
    shift = at.design.shift
    for w in (np.array([1 / shift[0], 0.0, 0.0]), np.array([0.5, -0.25, 2.0])):
        offset, size = at.intercept(b, w)
        terms = [Fraction(b) / 2**at.y_exponent, -Fraction(at.mean), *map(Fraction, (shift * w).tolist())]
        assert offset == float(sum(terms))
        assert size == pytest.approx(abs(offset) + np.abs(shift * w).sum(), rel=1e-15)
    assert Scaled(Problem(X, Y, l1=0.1)).intercept(0.0, np.ones(3)) == (0.0, 0.0)


FREE = np.array([0.0, 1.0, 0.0, 0.0])
MORE = np.c_[X, [0.0, 0.0, 2.0, 1.0, 0.0]]


def positive(layout: Any = sp.csc_array, **options: Any) -> Problem:
    chosen: dict[str, Any] = {"sample_weight": S, "l1": 0.1, "penalty_weights": FREE, "positive": True}
    return Problem(layout(MORE), Y, **chosen | options)


@pytest.mark.parametrize("intercept", [False, True])
def test_the_null_of_a_positive_problem_is_the_non_negative_fit(
    intercept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    A, y = np.sqrt(S)[:, None] * MORE[:, FREE == 0], np.sqrt(S) * Y
    A = np.c_[A, np.sqrt(S), -np.sqrt(S)] if intercept else A
    for sign in (1.0, -1.0):
        right = nnls(A, sign * y)[1] ** 2 / (2 * S.sum())
        for limit in (2**24, 0):
            monkeypatch.setattr(scaled, "DENSE", limit)
            at = Scaled(positive(intercept=intercept).replace(y=sign * Y))
            assert at.absolute(at.null) == pytest.approx(right, rel=1e-9)


def test_columns_are_made_dense_where_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five rows of three columns are 15 entries."""

    def refuse(*_: Any, **__: Any) -> None:
        raise LookupError

    for limit, forbidden in ((15, "lsq_linear"), (14, "nnls")):
        monkeypatch.setattr(scaled, "DENSE", limit)
        monkeypatch.setattr(projection, "DENSE", limit)
        with monkeypatch.context() as there:
            there.setattr(scaled, forbidden, refuse)
            Scaled(positive())
            Scaled(positive(sp.csr_array))
        with monkeypatch.context() as there:
            there.setattr(scaled, "nnls" if forbidden == "lsq_linear" else "lsq_linear", refuse)
            with pytest.raises(LookupError):
                Scaled(positive())
        with monkeypatch.context() as there:
            there.setattr(scaled, "lsq_linear", refuse)
            Scaled(positive(np.asarray))


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("centre", [False, True])
def test_columns_a_block_at_a_time_are_the_same_columns(
    layout: Any, centre: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of two columns, of five and of all, and a support that leaves some out."""
    rng = np.random.default_rng(2)
    wide = np.array(rng.integers(-8, 9, (5, 9)) / 4.0, order=layout)
    weights, w, T = S / 8, np.array([1.0, 0, -2, 3, 0.5, 0, -1, 2, 0.25]), rng.standard_normal((5, 2))
    mean = weights @ wide / weights.sum() if centre else np.zeros(9)
    exponent = np.frexp(np.abs(wide).max(axis=0))[1]
    right = (wide - mean) * 2.0**-exponent
    for block in (5, 10, 25, 1000):
        monkeypatch.setattr(design_module, "BLOCK", block)
        design = Design(wide, weights, centre)
        assert np.array_equal(design.exponent, exponent)
        np.testing.assert_allclose(design.norm, np.sqrt(weights @ right**2), rtol=1e-14)
        np.testing.assert_allclose(design.product(w), right @ w, atol=1e-13)
        z, sizes = design.products(w)
        np.testing.assert_allclose(z, right @ w, atol=1e-13)
        np.testing.assert_allclose(sizes, np.abs(right) @ np.abs(w), atol=1e-13)
        root = np.sqrt(weights)[:, None]
        np.testing.assert_allclose(design.correlate(T), (root * right).T @ T / weights.sum(), atol=1e-13)
        np.testing.assert_allclose(design.columns(np.array([7, 2])), root * right[:, [7, 2]], atol=1e-14)


# ---- projections -------------------------------------------------------------------------------------------


def lsmr_calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    original = projection.lsmr

    def spied(A: Any, r: Any, **options: Any) -> Any:
        seen.append(options | {"shape": A.shape})
        return original(A, r, **options)

    monkeypatch.setattr(projection, "lsmr", spied)
    return seen


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("columns", [[0], [2, 0], [0, 1, 2, 3]])
def test_a_projection_is_least_squares(
    columns: list[int], constant: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By QR and by LSMR; the coefficients are those of the fit, and what is left is orthogonal to all."""
    weights = S / 8
    calls = lsmr_calls(monkeypatch)
    rng = np.random.default_rng(1)
    for layout, limit in ((np.asarray, 0), (sp.csc_array, 2**24), (sp.csr_array, 0)):
        monkeypatch.setattr(projection, "DENSE", limit)
        design = Design(layout(MORE), weights, constant)
        span = Span(design, np.array(columns), constant)
        for _ in range(3):
            r = rng.standard_normal(5)
            beta, rest = span.split(r)
            A = design.root[:, None] * MORE[:, columns] * 2.0 ** -design.exponent[columns]
            whole = np.c_[A, design.root] if constant else A
            fit = np.linalg.lstsq(whole, r, rcond=None)[0]
            np.testing.assert_allclose(beta, fit[: len(columns)], rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(rest, r - whole @ fit, atol=1e-13)
            assert np.abs(whole.T @ rest).max() < 1e-14
    assert all(call["maxiter"] == 4 * len(columns) + 100 for call in calls)
    assert len(calls) == 6  # twice for each split


def test_columns_that_do_not_fit_are_not_made_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five rows of two columns and the constant are 15 entries."""
    calls = lsmr_calls(monkeypatch)
    for limit, layout, iterated in ((15, sp.csc_array, 0), (14, sp.csc_array, 2), (0, np.asarray, 0)):
        monkeypatch.setattr(projection, "DENSE", limit)
        calls.clear()
        span = Span(Design(layout(MORE), S / 8, True), np.array([0, 2]), True)
        span.split(np.ones(5) * Y)
        assert hasattr(span, "_Q") == (iterated == 0)
        assert len(calls) == iterated


def test_dependent_and_constant_columns_are_dropped() -> None:
    twice = np.c_[X, X[:, 0] * 3, np.full(5, 0.1), np.zeros(5)]
    for constant, members, rank in ((False, [0, 1, 2, 3, 4], 4), (True, [0, 1, 2, 3], 3)):
        span = Span(Design(twice, S / 8, constant), np.arange(6), constant)
        assert span.members.tolist() == members
        assert span.rank == rank
        beta, rest = span.split(np.sqrt(S / 8) * Y)
        assert np.count_nonzero(beta[[0, 3]]) <= 1
        sparse = Span(Design(sp.csc_array(twice), S / 8, constant), np.arange(6), constant)
        assert (sparse.members.tolist(), sparse.rank) == (members, rank)
        A = np.sqrt(S / 8)[:, None] * np.c_[X, np.ones(5)]
        assert np.abs(A.T @ rest).max() < 1e-14


@pytest.mark.parametrize(("gap", "rank"), [(1e-12, 2), (4e-16, 1)])
def test_nearly_dependent_is_by_size_times_eps(gap: float, rank: int) -> None:
    """What is left of the second column is about gap: beyond 5 eps it counts."""
    near = np.c_[np.ones(5), np.ones(5) + gap * np.array([1.0, -1.0, 1.0, -1.0, 1.0])]
    assert Span(Design(near, np.full(5, 0.5), False), np.arange(2), False).rank == rank


def test_a_span_of_nothing_leaves_all_but_the_mean() -> None:
    design = Design(X, S / 8, True)
    beta, rest = Span(design, np.zeros(0, dtype=np.intp), True).split(Y)
    assert beta.size == 0
    root = design.root / np.linalg.norm(design.root)
    np.testing.assert_allclose(rest, Y - root * (root @ Y), atol=1e-15)
    assert Span(design, np.zeros(0, dtype=np.intp), False).split(Y)[1] is Y


def test_the_constant_is_removed_twice() -> None:
    """Far from zero once is not enough."""
    design = Design(X, S / 8, True)
    span = Span(design, np.zeros(0, dtype=np.intp), True)
    for k in range(20):
        r = design.root * 2.0**30 + np.random.default_rng(k).standard_normal(5)
        assert abs(design.root @ span.split(r)[1]) < 2e-15


# ---- rounding ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "sums"), [(1, 1), (9, 1), (9, 40), (10**6, 3)])
def test_rounding_is_by_its_formulas(n: int, sums: int) -> None:
    it = Rounding(n, sums)
    assert UNIT == 2.0**-53
    assert it.confidence == math.sqrt(2 * math.log(2 * n * sums / FAILURE)) / (1 - UNIT)
    assert it.worst == n * UNIT / (1 - n * UNIT)
    exponent = it.confidence * math.sqrt(n) * UNIT + n * UNIT**2 / (1 - UNIT)
    assert it.likely == math.expm1(exponent)
    assert it.one == min(it.worst, it.likely) == (it.worst if n < 50 else it.likely)
    sizes = np.array([3.0, 4.0])
    assert it.total(sizes) == min(7 * it.worst, 5 * it.likely)
    assert Rounding(n) == Rounding(n, 1)


def test_rounding_by_its_formulas_where_u_is_coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """With u = 1/64 every term counts."""
    monkeypatch.setattr("verification.proofs.rounding.UNIT", 1 / 64)
    it = Rounding(16, 2)
    assert it.confidence == pytest.approx(math.sqrt(2 * math.log(64e6)) * 64 / 63, rel=1e-14)
    assert it.worst == pytest.approx(1 / 3, rel=1e-15)
    assert it.likely == pytest.approx(math.expm1(it.confidence / 16 + (1 / 256) * 64 / 63), rel=1e-14)


# ---- the certificate's words, and its edges ----------------------------------------------------------------


def test_the_kind_says_which_dual_point_it_was() -> None:
    plain = Problem(X, Y, l1=0.5)
    w = np.zeros(3)
    tall = Problem(X, Y / 64, l1=0.5)  # l1 is beyond l1_max: the residual itself, times 1 or more
    assert certify(plain, w).kind == "residual, scaled"
    assert certify(plain.replace(intercept=True), w).kind == "centred residual, scaled"
    free = plain.replace(penalty_weights=[0.0, 1.0, 0.0], intercept=True)
    assert certify(free, w).kind.startswith("residual projected off 2 unpenalised columns")
    judge = Judge(tall)
    assert judge._kind(judge.scaled.span, 1.0) == "residual"
    assert judge._kind(judge.scaled.span, 2.0) == "residual, scaled"
    judge = Judge(free)
    assert judge._kind(judge.scaled.span, 1.0) == "residual projected off 2 unpenalised columns"


@pytest.mark.parametrize("where", [0, 1, 2])
def test_one_coefficient_that_breaks_a_constraint_is_enough(where: int) -> None:
    w = np.where(np.arange(3) == where, -1.0, 2.0)
    assert certify(Problem(X, Y, l1=0.5, positive=True), w).reason.startswith(f"coef[{where}] is -1.0, but")
    v = np.where(np.arange(3) == where, np.inf, 1.0)
    assert certify(Problem(X, Y, l1=0.5, penalty_weights=v), w).reason.startswith(f"coef[{where}] is -1.0")
    w[where] = np.inf
    assert certify(Problem(X, Y, l1=0.5), w).reason == f"coef[{where}] is inf"
    assert (
        certify(Problem(X, Y, l1=0.5, intercept=True), np.ones(3), math.nan).reason == "the intercept is nan"
    )


def test_the_level_and_the_intercept_have_defaults() -> None:
    problem, w = Problem(X, Y, l1=0.5), np.array([0.5, 0.0, 0.25])
    assert certify(problem, w).level == "float"
    assert (
        certify(problem, w).gap == Judge(problem).certify(w).gap == certify(problem, w, 0.0).gap is not None
    )
    for level in ("rigorous", "exact"):
        assert certify(problem, w, level=level).level == level
        assert certify(problem, w, level=level).gap is not None
    with pytest.raises(ValueError, match="choose one of float, rigorous, exact"):
        certify(problem, w, level="exactly")
    with pytest.raises(ValueError, match="shape"):
        Judge(problem).certify(np.zeros(4))


def test_of_candidates_the_one_of_the_smallest_bound_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its gap and its radius together."""
    problem = Problem(X, Y, l1=0.5)
    w = np.array([0.5, 0.0, 0.25])
    judge = Judge(problem)
    for gaps, chosen in (({1.0: (4.0, 3.0), 0.5: (5.0, 1.0)}, 0.5), ({1.0: (4.0, 1.0), 0.5: (3.0, 3.0)}, 1.0),
                         ({1.0: (5.0, 1.0), 0.5: (3.0, 4.0)}, 1.0)):  # fmt: skip
        monkeypatch.setattr(judge_module, "best_multiple", lambda *_, gaps=gaps: list(gaps))
        point = judge._point(w, np.array(0.0))
        assert isinstance(point, Point)
        u0, u_fit = judge.scaled.design.correlate(point.directions).T
        monkeypatch.setattr(
            judge, "_penalty_side", lambda w, u, *_, gaps=gaps, u0=u0: gaps[float(u[0] / u0[0])]
        )
        step = {
            alpha: (1 - alpha) ** 2 * float(point.theta @ point.theta) / (2 * judge.scaled.S)
            for alpha in gaps
        }
        found = judge._smallest_gap(w, point.at, point.span, (point.beta, point.theta), u0, u0 + u_fit)
        sums = {alpha: gaps[alpha][0] + gaps[alpha][1] + step[alpha] for alpha in gaps}
        assert found.alpha == min(sums, key=sums.__getitem__) == chosen


# ---- paths -------------------------------------------------------------------------------------------------


def test_every_point_of_a_path_is_proven_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path, "TOGETHER", 2 * max(X.shape))
    problem = Problem(X, Y, l1=1.0, intercept=True)
    l1s = [1.0, 0.5, 0.25, 0.125, 0.0625]
    points = [(np.array([0.1, 0.0, 0.2]) * k, 0.25 * k) for k in range(5)]
    points[2] = (np.array([np.nan, 0.0, 0.0]), 0.0)
    proven, products = [], []
    honest = Judge.certify_all, Design.correlate

    def certify_all(self: Judge, *given: Any) -> Any:
        proven.append(np.ravel(self._l1).tolist())
        return honest[0](self, *given)

    def correlate(self: Design, directions: Any) -> Any:
        products.append(directions.shape[1])
        return honest[1](self, directions)

    monkeypatch.setattr(Judge, "certify_all", certify_all)
    monkeypatch.setattr(Design, "correlate", correlate)
    found = certify_path(problem, l1s, points)
    assert proven == [[1.0, 0.5], [0.25, 0.125], [0.0625]]
    assert products == [4, 4, 2]
    assert [one.kind == "NONE" for one in found] == [False, False, True, False, False]
    for l1, point, one in zip(l1s, points, found, strict=True):
        alone = certify(problem.replace(l1=l1), *point)
        assert one.primal == pytest.approx(alone.primal, rel=1e-14)
        assert one.gap == (None if alone.gap is None else pytest.approx(alone.gap, rel=1e-12))
    with pytest.raises(ValueError, match="argument 2 is"):
        certify_path(problem, l1s, points[:4])
    judge = Judge(problem)
    monkeypatch.setattr(path, "Judge", None)  # no other is made where one is given
    assert [one.gap for one in certify_path(problem, l1s, points, judge)] == [one.gap for one in found]
    assert certify_path(problem, [], [], judge) == []


def test_the_levels_beyond_float_take_no_intercept_for_zero() -> None:
    problem, w = Problem(X, Y, l1=0.5), np.array([0.5, 0.0, 0.25])
    for level, function in LEVEL.items():
        assert function(problem, w).gap == certify(problem, w, level=level).gap is not None  # type: ignore[call-arg]


def test_a_penalty_that_no_coefficient_feels_is_fitted_as_none() -> None:
    """A column of zeros among the regressors is left out, and nothing is divided by its length."""
    sign = np.array([1.0, -1.0, 1.0, 1.0, -1.0])
    for regressors, fitted in ((np.c_[sign, 0 * sign], (0.25, 0.0)), (np.c_[0 * sign, sign], (0.0, 0.25))):
        found = implied_penalty(0.25 * sign, np.full(5, 1e-16), regressors, (0.5, 0.5))
        assert found is not None
        assert (found.l1, found.l2) == pytest.approx(fitted)


def test_coefficients_of_nearly_one_size_are_told_apart_beyond_rounding_only() -> None:
    """Two penalties are fitted where 1 - cosine^2 is beyond k eps, and one where it is not."""
    k = 400
    sign, apart = np.resize([1.0, 1.0, -1.0], k), np.resize([1.0, -1.0], k)
    for share, two in ((0.8, False), (1.3, True)):  # 1 - cosine^2 is the square of the spread
        w = sign * (1 + math.sqrt(share * k * 2.0**-52) * apart)
        found = implied_penalty(0.25 * w, np.full(k, 1e-16), np.c_[sign, w], (0.5, 0.5))
        assert found is not None
        assert (found.l2 != 0) == two
        assert found.l1 + found.l2 == pytest.approx(0.25, rel=1e-6)


def test_the_cosine_of_two_regressors_is_right_to_its_last_place() -> None:
    """A second pass of Gram and Schmidt adds what the first has lost; u is orthogonal to the first column."""
    k, lost = 2**14, []
    ones, u = np.full(k, 1 / 128), np.zeros(k)
    u[:2] = 1.0, -1.0
    for seed in range(20):
        column = np.random.default_rng(seed).uniform(0.75, 1.25, k)
        column /= np.linalg.norm(column)
        l1, l2 = _fit((ones, 1.0), (column, 1.0), u, k, True)
        cosine = Fraction(sum(map(int, np.ldexp(column, 64).tolist())), 2**64 * 128)
        assert abs(Fraction(l1) / Fraction(l2) + cosine) <= 1.5 * UNIT  # one sum and one product
        lost.append(float(abs(Fraction(float(ones @ column)) - cosine)))
    assert max(lost) > 1.5 * UNIT  # once would not do


@pytest.mark.parametrize("y", [0.0, 3.0])
def test_where_the_response_is_constant_the_intercept_is_right_or_infinitely_wrong(y: float) -> None:
    """There is no y - c to measure the mean of the residual by."""
    problem = Problem(X, np.full(5, y), l1=0.5, intercept=True)
    assert certify(problem, np.zeros(3), y).kkt == 0
    assert certify(problem, np.zeros(3), y + 0.5).kkt == math.inf


def test_a_penalty_beyond_float64_is_no_penalty() -> None:
    """Of the two one is enough: where its regressor overflows, or what fits does."""
    sign, w = np.array([1.0, -1.0, 1.0, 1.0, -1.0]), np.array([1.0, -2.0, 3.0, 4.0, -5.0])
    rounding = np.full(5, 1e-16)
    for infinite, nominal in ((np.c_[np.inf * sign, w], (0.0, 0.5)), (np.c_[sign, np.inf * w], (0.5, 0.0))):
        assert implied_penalty(0.25 * sign, rounding, infinite, nominal) is None
    tiny = 2.0**-1060
    for faint in (np.c_[tiny * sign, w], np.c_[sign, tiny * w]):
        assert implied_penalty(0.25 * sign + 0.5 * w, rounding, faint, (0.5, 0.5)) is None


def test_products_read_the_columns_of_the_support_where_they_can_be_had() -> None:
    """Those of csr cannot without a pass over all of it."""
    w = np.array([0.0, 1.0, 0.0])
    for layout, read in ((sp.csc_array, 1), (sp.csr_array, 3)):
        ((block, part),) = Design(layout(X), S / 8, False)._terms(w)
        assert block.shape == (5, read)
        assert part.shape == (read,)


@pytest.mark.parametrize(("share", "members"), [(0.9, 0), (1.1, 1)])
def test_a_free_column_is_removed_beyond_rounding_by_its_own_length(
    share: float, members: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under positivity u_j <= 0 is wanted, up to the rounding of x_j'r: of ||x_j|| ||r||."""
    monkeypatch.setattr("verification.proofs.rounding.UNIT", 2.0**-16)
    at = Scaled(Problem(np.full((8, 1), 0.75), np.ones(8), l1=0.5, penalty_weights=[0.0], positive=True))
    column = at.design.root * 0.75
    size = Rounding(8 + scaled.EXTRA, 1).one * np.linalg.norm(column)  # of x'r, at r of length 1
    assert np.linalg.norm(column) == pytest.approx(1.5)
    r = np.repeat([1.0, -1.0], 4) / math.sqrt(8) + share * size * column / (column @ column)
    assert face_span(at, np.zeros(1), r).members.size == members


@pytest.mark.parametrize("intercept", [False, True])
def test_the_operator_of_the_non_negative_fit_has_its_own_adjoint(
    intercept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its columns are those of X over their lengths; with another adjoint LSMR converges, but to what?"""
    seen = []

    def lsq_linear(operator: Any, *given: Any, **options: Any) -> Any:
        seen.append(operator)
        return honest(operator, *given, **options)

    honest = scaled.lsq_linear
    monkeypatch.setattr(scaled, "lsq_linear", lsq_linear)
    monkeypatch.setattr(scaled, "DENSE", 0)
    monkeypatch.setattr(projection, "DENSE", 0)
    at = Scaled(positive(intercept=intercept))
    (operator,) = seen
    forward, adjoint = operator @ np.eye(3), operator.rmatmat(np.eye(5))
    np.testing.assert_allclose(adjoint, forward.T, atol=1e-15)
    columns = np.array([at.constant.split(a)[1] for a in at.design.columns(np.flatnonzero(at.free)).T]).T
    np.testing.assert_allclose(forward, columns / at.design.norm[at.free], atol=1e-15)
