"""Reduced systems, and what lies outside a support, against the same in a few lines of Fractions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx, fmpz

from solvers import Problem
from verification.proofs import exact, export
from verification.proofs import reduced as module
from verification.proofs.exact import RationalProblem
from verification.proofs.integers import Integers, fraction
from verification.proofs.reduced import Point, Reduced, SingularError
from verification.proofs.search import Search
from verification.proofs.wide import WIDER, is_wide, solve_wide

ROWS = [[3, -1, 2, 0, 1], [1, 2, -2, 1, 1], [0, 1, 1, -3, 2], [2, 2, 0, 1, -1]]  # columns of X
Y, S = [4, -1, 3, 2, -5], [1, 2, 0, 3, 1]
PARTS = {"l1": "1/3", "l2": "2/5", "penalty_weights": [1, 0, "1/2", 3]}


def of(**options: Any) -> Integers:
    chosen = {"sample_weight": S, "intercept": True} | PARTS | options
    return Integers(RationalProblem(ROWS, Y, **chosen))


def gauss(H: list[list[Fraction]], g: list[Fraction]) -> list[Fraction]:
    """Solve by elimination, with pivots on the diagonal (H is positive definite)."""
    k = len(g)
    A = [[*row, x] for row, x in zip(H, g, strict=True)]
    for i in range(k):
        A[i] = [x / A[i][i] for x in A[i]]
        for m in range(k):
            if m != i:
                A[m] = [x - A[m][i] * z for x, z in zip(A[m], A[i], strict=True)]
    return [row[k] for row in A]


def system(data: Integers, support: Sequence[int], signs: Sequence[int]) -> tuple[Any, Any]:
    """The definition: X_F' T X_F + L2, and X_F' T Y - L1 sign."""
    columns = {j: data.column(j)[0] for j in support}
    penalties = {j: [fraction(x) for x in data.penalties(j)] for j in support}
    H = [[Fraction(sum(t * x * z for t, x, z in zip(data.T, columns[i], columns[j], strict=True)))
          + penalties[i][1] * (i == j) for j in support] for i in support]  # fmt: skip
    g = [sum(t * x * y for t, x, y in zip(data.T, columns[j], data.Y, strict=True)) - penalties[j][0] * s
         for j, s in zip(support, signs, strict=True)]  # fmt: skip
    return H, g


SUPPORTS = [([0], [1]), ([2, 0], [-1, 1]), ([0, 1, 2, 3], [1, 0, -1, -1]), ([4, 1, 3], [0, 0, 1])]


@pytest.mark.parametrize(("support", "signs"), SUPPORTS)
@pytest.mark.parametrize("options", [{}, {"l2": 0}, {"l1": 0}, {"sample_weight": None}], ids=str)
def test_all_three_ways_solve_the_reduced_system(
    options: dict[str, Any], support: list[int], signs: list[int]
) -> None:
    data = of(**options)
    system_of = Reduced(data)
    right = gauss(*system(data, support, signs))
    exact = system_of.solve_rationals(support, signs)
    assert exact.exact
    assert exact.support == tuple(support)
    assert [exact.value(k) for k in range(len(right))] == right
    balls = system_of.solve_balls(support, signs, 128)
    assert balls.support == tuple(support)
    for k, x in enumerate(right):
        low, high = balls.ends(k)
        assert low <= x <= high
        assert high - low <= Fraction(2) ** -100 * max(map(abs, right))
    floats = system_of.solve_float(support, signs)
    assert [float(x) for x in floats] == pytest.approx([float(x) for x in right], rel=1e-13)


def test_the_scale_of_the_data_is_nothing_to_any_way() -> None:
    for x_unit, y_unit in ((Fraction(2) ** 400, 1), (1, Fraction(2) ** -300), (Fraction(1, 3) ** 200, 7**90)):
        columns = [[Fraction(x) * x_unit**j for x in row] for j, row in enumerate(ROWS)]
        y = [Fraction(y) * y_unit for y in Y]
        data = Integers(RationalProblem(columns, y, l1=Fraction(1, 5) * y_unit))
        support, signs = [0, 1, 3], [1, -1, 1]
        right = gauss(*system(data, support, signs))
        found = Reduced(data).solve_float(support, signs)
        for x, z in zip(found, right, strict=True):
            assert abs(x / z - 1) < 1e-13


def test_an_empty_support_has_an_empty_solution() -> None:
    it = Reduced(of())
    assert it.solve_float([], []) == []
    assert it.solve_balls([], [], 64) == it.solve_rationals([], []) == Point((), (), (), 1)
    assert it.rank([]) == it.rank_of_columns([]) == 0
    assert it.null_vectors([]) == []
    residual, slop = it.weighted_residual(Point((), (), (), 1))
    assert slop == 0
    assert residual == [t * y for t, y in zip(it.data.T, it.data.Y, strict=True)]


def test_the_gram_matrix_is_the_same_in_whatever_order_columns_come() -> None:
    data = of()
    it = Reduced(data)
    for support in ([3], [0, 3], [2, 1, 0], [4, 0], [0, 1, 2, 3, 4]):
        gram, _ = system(of(l2=0), support, [0] * len(support))
        assert [[int(x) for x in row] for row in it.gram(support).tolist()] == gram
        _, right = system(of(l1=0), support, [0] * len(support))
        assert [int(x) for x in it.right(support)] == right


def dependent(gap: float = 0.0, **options: Any) -> Integers:
    X = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 0.0], [-1.0, -1.0 + gap, 3.0]])
    return Integers(Problem(X, [1.0, 2.0, 4.0], **options))


def test_a_singular_system_is_said_to_be_so() -> None:
    it = Reduced(dependent(l1=0.25))
    for solve in (it.solve_float, it.solve_rationals, lambda *a: it.solve_balls(*a, 256)):
        with pytest.raises(SingularError):
            solve([0, 1], [1, 1])
        solve([0, 2], [1, 1])
    assert it.rank([0, 1, 2]) == it.rank_of_columns([0, 1, 2]) == 2
    (vector,) = it.null_vectors([0, 1, 2])
    assert vector[0] == -vector[1] != 0 == vector[2]
    ridge = Reduced(dependent(l1=0.25, l2=0.5))
    assert (ridge.rank([0, 1, 2]), ridge.rank_of_columns([0, 1, 2])) == (3, 2)
    assert ridge.null_vectors([0, 1]) == []


def test_floats_give_up_where_they_have_no_digit() -> None:
    """The squared pivot left of the second column is about gap^2 / 6 of the whole."""
    for gap in (2.0**-24, 2.0**-26):
        with pytest.raises(SingularError):
            Reduced(dependent(gap)).solve_float([0, 1], [1, 1])
    found = Reduced(dependent(2.0**-20)).solve_float([0, 1], [1, 1])
    right = gauss(*system(dependent(2.0**-20), [0, 1], [1, 1]))
    assert [float(x) for x in found] == pytest.approx([float(x) for x in right], rel=1e-3)


def test_floats_give_up_where_a_number_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cho_solve", lambda factor, g: np.full(g.shape, np.inf))
    with pytest.raises(SingularError):
        Reduced(of()).solve_float([0], [1])


def test_entries_beyond_float64_are_infinite() -> None:
    assert module._scaled(fmpz(-3), 1) == -1.5
    assert module._scaled(fmpz(2**999 - 1), 0) == 2.0**999
    assert module._scaled(fmpz(2**999), 0) == module._scaled(fmpz(-(2**999)), 0) == float("inf")
    assert module._scaled(fmpz(2**1099), 101) == 2.0**998


@pytest.mark.parametrize(("mid", "rad", "sign"), [(2, 1, 1), (-2, 1, -1), (1, 1, None), (-1, 1, None),
                                            (0, 1, None), (0, 0, 0), (1, 0, 1), (-1, 0, -1)])  # fmt: skip
def test_a_sign_is_proven_where_the_interval_leaves_zero_out(mid: int, rad: int, sign: int | None) -> None:
    at = Point((7, 8), (0, mid), (0, rad), 4)
    assert at.sign(1) == sign
    assert at.exact == (rad == 0)
    assert at.value(1) == Fraction(mid, 4)
    assert at.ends(1) == (Fraction(mid - rad, 4), Fraction(mid + rad, 4))


def test_balls_become_integers_over_one_denominator() -> None:
    assert module._point((3, 5, 6, 7), [arb(8), arb(-0.75), arb(0), arb(-3)]) == Point(
        (3, 5, 6, 7), (32, -3, 0, -12), (0, 0, 0, 0), 4
    )
    assert module._point((1,), [arb(8)]) == Point((1,), (8,), (0,), 1)
    with ctx.workprec(64):
        at = module._point((1, 2), [arb(1) / 3, arb(0, 0.5)])
    low, high = at.ends(0)
    assert low < Fraction(1, 3) < high < low + Fraction(2) ** -60
    low, high = at.ends(1)
    assert -Fraction(51, 100) < low <= -Fraction(1, 2) < Fraction(1, 2) <= high
    for ball in (arb("nan"), arb(0) ** -1, arb(1) / arb(0, 1)):
        with pytest.raises(SingularError):
            module._point((1, 2), [arb(1), ball])


def test_the_residual_is_within_the_slop_that_is_stated() -> None:
    data = of()
    it = Reduced(data)
    at = Point((0, 2, 4), (3, -2, 1), (0, 0, 0), 7)
    residual, slop = it.weighted_residual(at)
    columns = [data.column(j)[0] for j in at.support]
    for i, r in enumerate(residual):
        fit = sum(m * c[i] for m, c in zip(at.mid, columns, strict=True))
        assert r == data.T[i] * (7 * data.Y[i] - fit)
    assert slop == 0
    _, slop = it.weighted_residual(Point(at.support, at.mid, (1, 5, 2), 7))
    assert slop == (1 * 3 + 5 * 3 + 2 * 1) * 3  # the largest entry of each column, and the largest weight


def naive_outside(data: Integers, at: Point) -> tuple[Any, Any, Any]:
    """The definition, column by column."""
    W = {j: at.value(k) for k, j in enumerate(at.support)}
    _, slop = Reduced(data).weighted_residual(at)
    beyond, tied, undecided = [], [], []
    for j in data.live:
        if j in W:
            continue
        row = data.column(j)[0]
        r = [y - sum(w * data.column(m)[0][i] for m, w in W.items()) for i, y in enumerate(data.Y)]
        u = sum(Fraction(t * x) * z for t, x, z in zip(data.T, row, r, strict=True))
        side = u if data.positive and j != data.p else abs(u)
        excess, error = side - fraction(data.penalties(j)[0]), slop * sum(map(abs, row)) / at.denominator
        sign = 0 if not data.signed(j) else 1 if u > 0 or data.positive else -1
        if excess > error:
            beyond.append((float(excess**2 / sum(x * x for x in row)), j, sign))
        elif error == 0 == excess:
            tied.append((j, sign))
        elif excess >= -error and error:
            undecided.append((j, sign))
    return beyond, tied, undecided


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("rad", [0, 1, 400])
@pytest.mark.parametrize("rational", [False, True])
def test_columns_outside_are_judged_by_the_definition(rational: bool, rad: int, positive: bool) -> None:
    kinds = np.zeros(3, dtype=int)
    for seed in range(12):
        rng = np.random.default_rng([seed, 5])
        X, y = rng.integers(-3, 4, (5, 8)), rng.integers(-6, 7, 5)
        X[:, 0] = 1
        l1, v, s = float(rng.choice([0.5, 1.0])), [1, 1, 0, 2, 1, 1, 1, 0], [1, 2, 1, 0, 4]
        options: dict[str, Any] = {"l1": l1, "positive": positive, "intercept": bool(seed % 2),
                                   "sample_weight": s, "penalty_weights": v}  # fmt: skip
        data = Integers(
            RationalProblem(X.T.tolist(), y.tolist(), **options)
            if rational else Problem(X.astype(float), y.astype(float), **options)
        )  # fmt: skip
        constant = data.intercept and not rational  # the search always has it on its support
        at = Point((1, 3, *[8] * constant), (int(rng.integers(0, 1000)), -64, *[100] * constant),
                   (rad, rad // 4, *[0] * constant), 1024)  # fmt: skip
        found = Reduced(data).outside(at)
        beyond, tied, undecided = naive_outside(data, at)
        assert found.beyond == [(pytest.approx(x, rel=1e-12), j, sign) for x, j, sign in beyond]
        assert (found.tied, found.open) == (tied, undecided)
        kinds += [len(beyond), len(tied), len(undecided)]
    assert kinds[0] > 0


def test_ties_are_seen_and_open_ones_left_open() -> None:
    """u = 1, -1, 2, 0 beside a bound of 1: at it on either side, beyond it, inside."""
    for options, sign in (({}, -1), ({"positive": True}, None)):
        data = Integers(RationalProblem(np.eye(4, dtype=int).tolist(), [1, -1, 2, 0], l1="1/4", **options))
        found = Reduced(data).outside(Point((), (), (), 1))
        assert found.tied == [(0, 1), *([(1, sign)] if sign else [])]
        assert found.beyond == [(1.0, 2, 1)]
        assert found.open == []
    data = Integers(RationalProblem([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [1, -1, 4], l1="1/3"))
    found = Reduced(data).outside(Point((2,), (6,), (1,), 2))  # within 1/2: both are open, and not beyond
    assert (found.beyond, found.tied, found.open) == ([], [], [(0, 1), (1, -1)])


def test_one_that_may_just_be_at_its_bound_is_open() -> None:
    """|u| = 1 within 1/2, and bounds of 3/2."""
    data = Integers(RationalProblem([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [1, -1, 4], l1="1/2"))
    found = Reduced(data).outside(Point((2,), (6,), (1,), 2))
    assert (found.beyond, found.tied, found.open) == ([], [], [(0, 1), (1, -1)])


def test_a_column_of_zeros_is_beyond_nothing() -> None:
    data = Integers(RationalProblem([[0, 0], [1, 2]], [3, 4]))
    found = Reduced(data).outside(Point((1,), (11,), (0,), 5))
    assert (found.beyond, found.tied, found.open) == ([], [(0, 0)], [])


def test_fitted_values_are_rounded_to_the_nearest() -> None:
    problem = Problem(np.array(ROWS).T / 8, np.array(Y) / 16, l1=0.1, sample_weight=np.array(S) / 2)
    data = Integers(problem)
    at = Reduced(data).solve_rationals([0, 2], [1, -1])
    w = [at.value(k) * fraction(data.c_y / data.column(j)[1]) for k, j in enumerate(at.support)]
    rows = np.flatnonzero(problem.s)
    right = [sum(Fraction(problem.X[i, j]) * x for j, x in zip(at.support, w, strict=True)) for i in rows]
    assert Reduced(data).ranges(at).tolist() == [x.numerator / x.denominator for x in right]


# ---- a support wider than the rows -------------------------------------------------------------------------


def wide_data(**options: Any) -> Integers:
    rng = np.random.default_rng(6)
    X, v = rng.integers(-3, 4, (3, 12)), [1, 0, "1/2", 2, 1, 3, 1, 1, 1, 5, 1, 1]
    chosen = {"l1": "1/9", "l2": "2/7", "sample_weight": [1, 5, 2], "penalty_weights": v} | options
    return Integers(RationalProblem(X.T.tolist(), [4, -1, 3], **chosen))


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("l1", [0, "1/9"])
def test_the_wide_form_solves_the_same_system(l1: Any, intercept: bool) -> None:
    data = wide_data(l1=l1, intercept=intercept)
    support = [3, *([12] if intercept else []), 0, 1, 2, *range(4, 12)]
    signs = [0 if j in (1, 12) or l1 == 0 else 1 if j % 3 else -1 for j in support]
    right = gauss(*system(data, support, signs))
    with ctx.workprec(200):
        found = solve_wide(data, support, signs)
    assert is_wide(data, support)
    at = Reduced(data).solve_balls(support, signs, 200)
    assert at == module._point(tuple(support), found)
    for k, x in enumerate(right):
        low, high = at.ends(k)
        assert low <= x <= high < low + Fraction(2) ** -150


def test_wide_is_more_than_twice_the_unknowns_of_that_form() -> None:
    data = wide_data(intercept=True)
    ridge = [j for j in range(12) if j != 1]
    assert WIDER == 2
    assert [is_wide(data, ridge[:k]) for k in (6, 7)] == [False, True]
    assert [is_wide(data, [*ridge[:k], 1]) for k in (7, 8)] == [False, True]  # one without a penalty
    assert [is_wide(data, [*ridge[:k], 12]) for k in (7, 8)] == [False, True]  # the constant
    assert not is_wide(wide_data(l2=0), ridge)


def test_a_wide_form_that_is_singular_is_said_to_be_so() -> None:
    """Two columns without a penalty that are the same."""
    rows = [[1, 2], [1, 2], [1, 0], [0, 1], [1, 1], [2, 1], [1, 3], [1, -1], [3, 1], [1, 5], [2, 2]]
    data = Integers(RationalProblem(rows, [1, 2], l2=1, penalty_weights=[0, 0] + [1] * 9))
    assert is_wide(data, range(11))
    with pytest.raises(SingularError):
        Reduced(data).solve_balls(list(range(11)), [0] * 11, 128)
    with pytest.raises(ZeroDivisionError):
        solve_wide(data, list(range(11)), [0] * 11)


# ---- sums are never cut short ------------------------------------------------------------------------------


def test_what_is_of_another_length_is_refused_and_not_cut_short() -> None:
    """A sum over fewer rows than there are would prove something about another problem."""
    at = Point((0, 2), (1, 1), (0, 0), 1)

    def longer(name: str) -> Reduced:
        it = Reduced(of())
        getattr(it if name == "_weighted_y" else it.data, name).append(1)
        return it

    steps: list[tuple[str, Callable[[Reduced], Any]]] = [
        ("T", lambda it: Reduced(it.data)),
        ("T", lambda it: it.gram([0])),
        ("T", lambda it: it.weighted_residual(at)),
        ("T", lambda it: it.ranges(at)),
        ("Y", lambda it: it.weighted_residual(at)),
        ("Y", lambda it: it.solve_float([0], [1])),
        ("Y", lambda it: exact.objective_range(it, at, {0: 1, 2: 1})),
        ("Y", lambda it: Search(it, {}).in_floats()),
        ("_weighted_y", lambda it: it.right([0])),
    ]
    for name, step in steps:
        with pytest.raises(ValueError, match="zip"):
            step(longer(name))
    it = Reduced(of())
    for call in (
        lambda: it.solve_rationals([0, 2], [1]),
        lambda: it.weighted_residual(Point((0, 2), (1, 1), (0,), 1)),
        lambda: solve_wide(wide_data(), list(range(12)), [1] * 11),
        lambda: Search(it, {0: Fraction(1)}).advance([Fraction(1)] * 7),
        lambda: export._along(it.data, 0, [1, 2]),
    ):
        with pytest.raises(ValueError, match="zip"):
            call()
