"""The search for the optimal support, step by step, on problems small enough to follow by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from solvers import Problem
from verification.proofs import search as module
from verification.proofs.exact import RationalProblem, optimum
from verification.proofs.integers import Integers, fraction
from verification.proofs.reduced import Point, Reduced, SingularError
from verification.proofs.search import Search, Unproven

EYE = np.eye(4, dtype=int).tolist()


def of(columns: Any, y: Any, start: dict[int, Any] | None = None, **options: Any) -> Search:
    """A search on rational data; the start in the units of the integer form, which here are those of (P)."""
    data = Integers(RationalProblem(columns, y, **options))
    return Search(Reduced(data), {j: Fraction(x) for j, x in (start or {}).items()})


def objective(search: Search) -> Fraction:
    """1/2 sum T (Y - X W)^2 + sum L1 |W| + L2 / 2 W^2 at the search's point."""
    data = search.data
    W = search.w
    fit = [sum(w * data.column(j)[0][i] for j, w in W.items()) for i in range(data.n)]
    loss = sum(t * (y - z) ** 2 for t, y, z in zip(data.T, data.Y, fit, strict=True)) / Fraction(2)
    parts = {j: [fraction(x) for x in data.penalties(j)] for j in W}
    return loss + sum(parts[j][0] * abs(w) + parts[j][1] * w * w / 2 for j, w in W.items())


# ---- where it starts ---------------------------------------------------------------------------------------


def test_a_start_keeps_what_counts_with_its_signs() -> None:
    v = [1, 1, 0, None, 1, 1]
    columns = [[1, 0], [0, 1], [1, 1], [1, 2], [2, 1], [1, 3]]
    start = {0: 2, 1: -3, 3: 5, 4: 0, 5: Fraction(1, 10**9)}
    search = of(columns, [1, 2], start, l1=1, l2=1, penalty_weights=v, intercept=True)
    assert search.w == {2: 0, 6: 0, 0: 2, 1: -3}  # without a sign: always; 3 is fixed, 4 zero, 5 negligible
    assert search.sign == {2: 0, 6: 0, 0: 1, 1: -1}
    assert (search.support, search.signs(), search.steps) == ((0, 1, 2, 6), [1, -1, 0, 0], 0)
    given = of(columns, [1, 2], {2: 7, 6: -4}, l1=1, penalty_weights=v, intercept=True)
    assert (given.w, given.sign) == ({2: 7, 6: -4}, {2: 0, 6: 0})
    ridge = of(columns, [1, 2], {0: 7}, l2=1, penalty_weights=v)
    assert (ridge.w, ridge.sign) == (
        {0: 7, 1: 0, 2: 0, 4: 0, 5: 0},
        dict.fromkeys((0, 1, 2, 4, 5), 0),
    )
    positive = of(columns, [1, 2], {0: 2, 1: -3}, l1=1, positive=True)
    assert (positive.w, positive.sign) == ({0: 2}, {0: 1})


@pytest.mark.parametrize(("size", "kept"), [(Fraction(9, 10**8), False), (Fraction(11, 10**8), True)])
def test_negligible_is_by_what_a_coefficient_moves(size: Fraction, kept: bool) -> None:
    """A ten-millionth of the largest, times the largest entry of its column, of either sign."""
    search = of([[-4, 1], [0, -1], [1, 1]], [1, 2], {0: -Fraction(1, 4), 1: -size, 2: 0}, l1=1)
    assert search.w == ({0: -Fraction(1, 4), 1: -size} if kept else {0: -Fraction(1, 4)})


def test_of_too_many_the_largest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [[1, 0], [0, 1], [1, 1], [2, 1]]
    start = {0: 3, 1: -5, 2: 1, 3: 2}
    assert of(columns, [1, 2], start, l1=1).w == {1: -5, 3: 2}  # sizes 3, 5, 1, 4: no more than rows
    assert of(columns, [1, 2], start, l1=1, l2=1).w == start
    monkeypatch.setattr(module, "LARGEST", 3)
    assert of(columns, [1, 2], start, l1=1, l2=1).w == {1: -5, 3: 2, 0: 3}


def test_too_many_without_a_sign_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    few, many = rng.integers(-2, 3, (5, 4)).tolist(), rng.integers(-2, 3, (12, 3)).tolist()
    monkeypatch.setattr(module, "LARGEST", 5)
    assert len(of(few, [1, 2, 3, 4], l2=1).w) == 5
    monkeypatch.setattr(module, "LARGEST", 4)
    with pytest.raises(Unproven, match="5 coefficients are without a sign; the limit is 4"):
        of(few, [1, 2, 3, 4], l2=1)
    assert len(of(many, [1, 2, 3], l2=1).w) == 12  # wide, so that their number does not count
    monkeypatch.setattr(module, "WIDEST", 36)
    of(many, [1, 2, 3], l2=1)
    monkeypatch.setattr(module, "WIDEST", 35)
    with pytest.raises(Unproven, match="12 x 3 entries without a sign; the limit is 35"):
        of(many, [1, 2, 3], l2=1)
    monkeypatch.setattr(module, "WIDEST", 1)
    monkeypatch.setattr(module, "LARGEST", 9)
    of(few, [1, 2, 3, 4], l2=1)  # not wide: entries do not count


# ---- moves -------------------------------------------------------------------------------------------------


def test_a_move_stops_where_the_first_coefficient_reaches_zero() -> None:
    search = of(EYE, [1, 1, 1, 1], {0: 4, 1: -3, 2: 2, 3: 1}, l1=1)
    assert not search.advance([Fraction(x) for x in (-4, 5, 1, 2)])  # at 1/2, and 3/8 of the way
    assert search.w == {0: 1, 2: 2 - Fraction(3, 8), 3: 1 + Fraction(3, 8)}
    assert search.sign == {0: 1, 2: 1, 3: 1}
    assert search._batch == 64
    assert search.advance([Fraction(x) for x in (1, 2, 3)])
    assert search.w == {0: 1, 2: 2, 3: 3}


def test_coefficients_that_reach_zero_together_leave_together() -> None:
    search = of(EYE, [1, 1, 1, 1], {0: 4, 1: -2, 2: 2, 3: 1}, l1=1)
    assert not search.advance([Fraction(x) for x in (-4, 2, 1, -1)])  # all three at 1/2
    assert search.w == {2: Fraction(3, 2)}
    later = of(EYE, [1, 1, 1, 1], {0: 1, 1: 1, 2: 3}, l1=1)
    assert not later.advance([Fraction(x) for x in (-1, -3, -3)])  # at 1/2, at 1/4, at 1/2
    assert later.w == {0: Fraction(1, 2), 2: Fraction(3, 2)}


def test_a_coefficient_without_a_sign_passes_zero() -> None:
    search = of(EYE, [1, 1, 1, 1], {0: 4, 1: 1}, l1=1, penalty_weights=[0, 1, 1, 1])
    assert search.advance([Fraction(-4), Fraction(2)])
    assert search.w == {0: -4, 1: 2}
    assert search.advance([Fraction(1), Fraction(0)])  # to zero is not past it
    assert search.w == {0: 1, 1: 0}


def test_one_that_has_just_entered_may_not_go_the_wrong_way() -> None:
    search = of(EYE, [1, 1, 1, 1], {0: 4}, l1=1)
    search.w[1], search.sign[1] = Fraction(0), 1
    assert not search.advance([Fraction(2), Fraction(-1)])
    assert search.w == {0: 4}
    assert search._batch == 1  # from now on they enter one by one


def test_points_on_the_way_are_rounded_and_reached_ones_are_not() -> None:
    search = of(EYE, [1, 1, 1, 1], {0: 1, 1: 1, 2: 1}, l1=1)
    assert not search.advance([Fraction(-2), Fraction(2), Fraction(1, 2**900)])  # a third of the way
    assert search.w[1] == module._short(Fraction(4, 3)) != Fraction(4, 3)
    assert search.advance([Fraction(4, 3), Fraction(1, 7)])
    assert search.w == {1: Fraction(4, 3), 2: Fraction(1, 7)}


def test_the_point_is_what_it_is_in_integers() -> None:
    search = of(EYE, [1, 1, 1, 1], {0: Fraction(3, 4), 2: Fraction(-5, 2)}, l1=1)
    assert search.at() == Point((0, 2), (3, -10), (0, 0), 4)
    search = of(EYE, [1, 1, 1, 1], {0: Fraction(1, 3), 1: Fraction(1, 4), 2: Fraction(-5, 6)}, l1=1)
    assert search.at() == Point((0, 1, 2), (4, 3, -10), (0, 0, 0), 12)
    assert of(EYE, [1, 1, 1, 1], l1=1).at() == Point((), (), (), 1)


def test_the_worst_enter_first_and_more_with_every_time() -> None:
    columns = np.ones((300, 200), dtype=int).tolist()
    beyond = [(float(j % 7), j, 1 if j % 2 else -1) for j in range(150)]
    worst = [j for _, j, _ in sorted(beyond, reverse=True)]
    search = of(columns, [1] * 200, l1=1, l2=1)
    for batch, entered in ((1, 1), (2, 2), (4, 4), (64, 64)):
        search.w, search.sign, search._batch = {}, {}, batch
        assert search.enter(beyond)
        assert list(search.w) == worst[:entered]
        assert search.sign == {j: 1 if j % 2 else -1 for j in worst[:entered]}
        assert set(search.w.values()) == {Fraction(0)}
        assert search._batch == min(2 * batch, 64)
    assert not search.enter([])
    assert len(search.w) == 64


def test_without_l2_no_more_than_half_of_the_room_is_filled() -> None:
    columns = np.ones((30, 10), dtype=int).tolist()
    beyond = [(float(j), j, 1) for j in range(20, 30)]
    for used, entered in ((0, 5), (3, 3), (8, 1), (10, 1)):
        search = of(columns, [1] * 10, l1=1)
        search.w, search.sign = dict.fromkeys(range(used), Fraction(1)), dict.fromkeys(range(used), 1)
        assert search.enter(beyond)
        assert len(search.w) == used + entered
    both = of(columns, [1] * 10, l1=1, l2=1)
    assert both.enter(beyond)
    assert len(both.w) == 10


def test_a_support_that_grows_too_large_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 2)
    search = of(EYE, [1, 1, 1, 1], l1=1, l2=1)
    search.enter([(1.0, 0, 1), (1.0, 1, 1)])
    with pytest.raises(Unproven, match="beyond 2"):
        search.enter([(1.0, 2, 1)])
    wide = of([[1], [2], [3], [4]], [1], l1=1, l2=1)
    wide.enter([(1.0, j, 1) for j in range(4)])
    assert len(wide.w) == 4


def test_steps_are_counted_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEPS", 3)
    search = of(EYE, [1, 1, 1, 1], l1=1)
    for steps in (1, 2, 3):
        search._count()
        assert search.steps == steps
    with pytest.raises(Unproven, match="within 3 steps"):
        search._count()


# ---- columns that depend on each other ---------------------------------------------------------------------

TWINS = [[1, 0, 2], [1, 0, 2], [0, 1, 1], [2, 0, 4]]


def test_of_twins_one_leaves_and_the_objective_does_not_rise() -> None:
    for w in ({0: 2, 1: 1, 2: 1}, {0: 1, 1: 3, 2: -1}, {0: 2, 3: 1}, {0: 1, 1: 1, 2: 1, 3: 2}, {0: 2, 1: -1},
              {0: -1, 3: 2}, {0: 5, 3: -1}, {1: -2, 3: -1}):  # fmt: skip
        for v in ([1, 1, 1, 1], [1, 2, 1, 1], [2, 1, 1, 3]):
            search = of(TWINS, [1, 2, 3], l1=1, penalty_weights=v)
            search.w = {j: Fraction(x) for j, x in w.items()}
            search.sign = {j: 1 if x > 0 else -1 for j, x in w.items()}
            before, signs = objective(search), dict(search.sign)
            assert search.make_regular()
            assert len(search.w) == len(w) - 1
            assert search.w.keys() == search.sign.keys()
            assert objective(search) <= before
            assert all(x * signs[j] >= 0 for j, x in search.w.items())
            assert search.steps == 1


@pytest.mark.parametrize("factors", [(1, -1), (-1, 1), (1, -2), (-2, 1)])
def test_where_one_way_meets_no_zero_the_other_does(factors: tuple[int, int]) -> None:
    """Opposite columns under positivity, without a penalty: both may grow for ever, but not shrink."""
    columns = [[f, 0, 0] for f in factors] + [[0, 1, 0]]
    for w in ({0: 2, 1: 3, 2: 1}, {0: 3, 1: 2, 2: 1}, {0: 4, 1: 4, 2: 1}, {0: 1, 1: 5, 2: 7}):
        search = of(columns, [1, 2, 3], w, positive=True)
        before = objective(search)
        assert search.make_regular()
        assert objective(search) == before
        assert len(search.w) == 2
        assert search.w[2] == w[2]
        assert all(x >= 0 for x in search.w.values())


def test_the_slope_is_weighed_however_small() -> None:
    """Twins of unequal penalties: the dearer one shrinks, by less than one a unit."""
    for v, left in ((["1/9", "1/8", 1, 1], 0), (["1/8", "1/9", 1, 1], 1)):
        search = of(TWINS, [1, 2, 3], {0: 2, 1: 2}, l1="1/3", penalty_weights=v)
        assert search.make_regular()
        assert search.w == {left: 4}


def test_independent_columns_are_left_alone() -> None:
    search = of(TWINS, [1, 2, 3], {0: 1, 2: 1}, l1=1)
    assert not search.make_regular()
    assert (search.w, search.steps) == ({0: 1, 2: 1}, 0)
    ridge = of(TWINS, [1, 2, 3], {0: 1, 1: 1}, l1=1, l2=1)
    assert not ridge.make_regular()


def test_of_dependent_columns_without_a_sign_as_many_stay_as_are_independent() -> None:
    search = of(TWINS, [1, 2, 3], {2: 1}, l1=1, penalty_weights=[0, 0, 1, 0])
    assert search.make_regular()
    assert len(set(search.w) & {0, 1, 3}) == 1
    assert search.w[2] == 1
    assert search.w.keys() == search.sign.keys()
    constant = of([[2, 2, 2], [1, 2, 3], [3, 4, 5]], [1, 2, 4], intercept=True)
    assert constant.make_regular()
    assert 3 in constant.w  # the constant is kept before others
    assert len(constant.w) == 2
    assert 0 not in constant.w
    assert constant.steps == 0


def test_weights_are_part_of_independence() -> None:
    """Weighted, the second column is far from the first, the third is next to it; without, the other way."""
    columns = [[1, 0, 0, 1], [1, 100, 0, 1], [1, 0, 300, 1]]
    search = of(columns, [1, 2, 3, 4], sample_weight=[1, 10**12, "1/1000000000000", 1])
    search.keep_independent([0, 1, 2], 2)
    assert 1 in search.w
    assert len(search.w) == 2


def test_the_constant_is_projected_off_with_the_weights() -> None:
    """Without them the first column, a constant too, would seem to have something of its own."""
    columns = [[2, 2, 2], [1, 2, 3], [3, 4, 5]]
    search = of(columns, [1, 2, 4], intercept=True, sample_weight=[1, 100, 1])
    assert search.make_regular()
    assert set(search.w) in ({3, 1}, {3, 2})


def test_what_float64_cannot_see_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "qr", lambda *_, **__: (None, np.array([0, 1, 2, 3])))  # twins first
    search = of(TWINS, [1, 2, 3])
    with pytest.raises(Unproven, match="not visible in float64"):
        search.keep_independent([0, 1, 2, 3], 2)
    monkeypatch.setattr(module, "qr", lambda *_, **__: (None, np.array([0, 2, 1, 3])))
    search.keep_independent([0, 1, 2, 3], 2)
    assert set(search.w) == {0, 2}


# ---- the three stages --------------------------------------------------------------------------------------


def random_data(seed: int, n: int = 8, p: int = 14, **options: Any) -> Problem:
    rng = np.random.default_rng([seed, 9])
    X = rng.integers(-8, 9, (n, p)) / 4.0
    y = rng.integers(-20, 21, n) / 4.0
    return Problem(X, y, **({"l1": 1.0} | options))


STAGES = ("in_floats", "in_balls", "in_rationals")


@pytest.mark.parametrize("options", [{}, {"l2": 0.5}, {"intercept": True}, {"positive": True}], ids=str)
@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_finds_the_support_by_itself(stage: str, options: dict[str, Any]) -> None:
    for seed in range(6):
        problem = random_data(seed, **options)
        best = optimum(problem, np.zeros(problem.p), cached=False)
        data = Integers(problem)
        for start in ({}, {j: Fraction((-1) ** j) for j in range(0, 14, 2)}):
            search = Search(Reduced(data), start)
            before = objective(search)
            if stage == "in_balls":
                at, outside = search.in_balls(256)
                assert outside.beyond == []
                assert at.support == search.support
            elif stage == "in_rationals":
                at, outside = search.in_rationals()
                assert at.exact
                assert (outside.beyond, outside.open) == ([], [])
            else:
                search.in_floats()
            assert set(search.w) == set(best.point.support)
            assert search.sign == {
                j: 0 if j == problem.p else 1 if best.coef[j] > 0 else -1 for j in search.support
            }
            assert objective(search) <= before
            assert 0 < search.steps < 40
            there = Search(Reduced(data), dict(search.w))
            there.in_floats()
            assert there.steps == 1  # where it starts right


def test_floats_leave_small_excesses_to_the_others() -> None:
    """A column beyond its bound by 1e-12 of the response, and one by 1e-9."""
    for excess, entered in ((Fraction(1, 10**12), False), (Fraction(1, 10**9), True)):
        search = of([[1, 0], [0, 1]], [1, Fraction(1, 4) + excess], l1="1/8")
        search.in_floats()
        assert set(search.w) == ({0, 1} if entered else {0})
        search.in_balls(256)
        assert set(search.w) == {0, 1}


def test_floats_stop_where_they_have_no_digit() -> None:
    search = of(TWINS, [1, 2, 3], {0: 1, 1: 1}, l1=1)
    search.in_floats()
    assert (search.w, search.steps) == ({0: 1, 1: 1}, 1)
    with pytest.raises(SingularError):
        search.reduced.solve_float(search.support, search.signs())


def test_twins_that_entered_together_enter_one_by_one() -> None:
    search = of(TWINS, [1, 2, 3], l1="1/9")
    search.in_floats()
    assert len(set(search.w) & {0, 1, 3}) == 1
    best = optimum(RationalProblem(TWINS, [1, 2, 3], l1="1/9"))
    assert set(search.w) - {0, 1, 3} == set(best.point.support) - {0, 1, 3}


def test_one_that_entered_alone_and_depends_is_left_to_balls() -> None:
    """Beyond its bound by 2^-30, and next to the same as the first."""
    near = [[2**30, 0], [2**30, 1]]
    search = of(near, [1, 1], {0: Fraction(1, 2**31)}, l1=2**28)
    search.in_floats()
    assert (set(search.w), search.w[1], search.steps) == ({0, 1}, 0, 2)
    at, outside = search.in_balls(256)
    assert outside.beyond == []
    assert at.support == search.support


@pytest.mark.parametrize("stage", ["in_floats", "in_balls", "in_rationals"])
def test_a_constant_that_is_zero_stays(stage: str) -> None:
    """Twins that enter together make the system singular; the constant is not one of those that entered."""
    columns = [[1, 0, -1, 0], [1, 0, -1, 0], [0, 1, 0, -1], [2, 0, -2, 0]]
    search = of(columns, [3, 2, -3, -2], l1="1/9", intercept=True)
    getattr(search, stage)(*[256] * (stage == "in_balls"))
    assert search.w[4] == 0
    assert search.sign[4] == 0
    assert len(set(search.w) & {0, 1, 3}) == 1


@pytest.mark.parametrize("stage", ["in_balls", "in_rationals"])
def test_dependent_columns_of_a_start_are_taken_out_on_the_way(stage: str) -> None:
    search = of(TWINS, [1, 2, 3], {0: 1, 1: 1, 2: 1}, l1="1/9")
    at, outside = getattr(search, stage)(*[256] * (stage == "in_balls"))
    best = optimum(RationalProblem(TWINS, [1, 2, 3], l1="1/9"))
    assert outside.beyond == []
    assert at.support == search.support
    assert len(set(at.support) & {0, 1, 3}) == 1
    low, high = Fraction(best.value_low), Fraction(best.value_high)
    assert low <= objective(search) / 3 * fraction(search.data.c_y) ** 2 <= high


def test_a_wide_support_is_left_to_balls() -> None:
    search = of([[1], [2], [3], [4]], [1], l2=1)
    search.in_floats()
    assert search.steps == 0
    at, outside = search.in_balls(128)
    assert (search.steps, outside.beyond) == (1, [])
    assert [round(float(at.value(k)) * 31) for k in range(4)] == [1, 2, 3, 4]  # x_j / (1 + sum x^2)


def test_balls_raise_where_they_cannot_decide_and_rationals_can() -> None:
    third = Fraction(1, 3)
    near = [[1, 0, 2], [1 + third * Fraction(1, 2**300), 0, 2], [0, 1, 1]]
    search = of(near, [1, 2, 3], {0: 1, 1: Fraction(1, 3 * 2**300)}, l1="1/9")
    with pytest.raises(SingularError):
        search.in_balls(128)
    at, outside = search.in_rationals()
    assert outside.beyond == outside.open == []
    assert at.exact


def test_a_coefficient_that_is_zero_is_tied_and_not_of_the_support() -> None:
    tie = of([[3, 0], [1, 1]], [4, 1], {0: 1, 1: 1}, l1="3/4")
    at, outside = tie.in_rationals()
    assert at.support == (0,)
    assert at.value(0) == Fraction(7, 6)
    assert outside.tied == [(1, 1)]
    assert tie._batch == 2


# ---- numbers -----------------------------------------------------------------------------------------------


def test_moderate_brings_the_largest_to_about_one() -> None:
    for unit in (Fraction(2) ** 2000, Fraction(1, 3) ** 900, Fraction(1), -Fraction(5, 7)):
        found = module._moderate({3: unit, 5: unit / 3, 7: -unit / 4})
        assert 0.5 <= abs(float(found[3])) <= 2
        assert found[5] * 3 == found[3] == -4 * found[7]
    assert module._moderate({}) == {}


def test_unit_is_the_same_over_the_largest() -> None:
    assert module._unit([1, -4, 2]).tolist() == [0.25, -1.0, 0.5]
    assert module._unit([0, 0]).tolist() == [0.0, 0.0]
    assert module._unit([]).tolist() == []
    assert module._unit([10**400, 10**399]).tolist() == [1.0, 0.1]


def test_short_rounds_to_400_bits_and_small_numbers_to_as_many() -> None:
    assert module._short(Fraction(5, 8)) == Fraction(5, 8)
    third = module._short(Fraction(1, 3))
    assert third.denominator == 2**400
    assert abs(third - Fraction(1, 3)) <= Fraction(1, 2**401)
    for k in (0, 1, 600, 5000):
        x = Fraction(-7, 3) / 2**k
        assert abs(module._short(x) / x - 1) <= Fraction(1, 2**399)
        assert module._short(x).denominator <= 2 ** (403 + k)
    assert module._short(Fraction(1, 3 * 2**600)).denominator == 2**1000  # 400 bits of its own
    large = Fraction(2**900 + 1, 3)
    assert abs(module._short(large) - large) <= Fraction(1, 2**401)
    assert module._short(Fraction(3, 2**401)) == Fraction(3, 2**401)
