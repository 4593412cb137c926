"""Descent on all the columns at once: what a sweep does, when it is tried, and how it ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from solvers import Problem, Status, Stop, solve
from solvers._active_set import ActiveSet
from solvers._broad_descent import Outcome, broad_descent
from solvers._columns import Columns
from solvers._growth import COUPLED, coupling, price
from verification import certify

NAME = "active_set_numba"


def problem_of(n: int, p: int, ratio: float, common: float = 0.0, **more: Any) -> Problem:
    rng = np.random.default_rng(20)
    X = np.asfortranarray(rng.standard_normal((n, p)) + common * rng.standard_normal((n, 1)) + 3.0)
    y = X[:, ::2] @ rng.standard_normal(-(-p // 2)) + 5.0 * rng.standard_normal(n)
    problem = Problem(X, y, l1=1.0, **{"intercept": True, **more})
    return problem.replace(l1=problem.l1_max() / ratio)


def swept(X: Any, z: Any, lam1: Any, lam2: Any, positive: bool, w: Any) -> tuple[Any, Any, float]:
    """One sweep of coordinate descent on centred columns, a column at a time."""
    w, r, largest = w.copy(), z - X @ w, 0.0
    for j in range(w.size):
        norm = float(X[:, j] @ X[:, j])
        if norm > 0:
            t = float(X[:, j] @ r) + norm * w[j]
            size = max((t if positive else abs(t)) - lam1[j], 0.0)
            new = np.sign(t) * size / (norm + lam2[j])
            r -= (new - w[j]) * X[:, j]
            largest, w[j] = max(largest, (new - w[j]) ** 2 * norm), new
    return w, r, largest


@pytest.mark.parametrize("p", [1, 3, 4, 7, 10])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_four_columns_at_a_time_is_coordinate_descent(
    p: int, intercept: bool, positive: bool, dtype: Any
) -> None:
    rng = np.random.default_rng(21)
    X = np.asfortranarray(rng.standard_normal((60, p)) + rng.standard_normal((60, 1)) + 4.0, dtype=dtype)
    if p > 3:
        X[:, 2] = 1.0 if intercept else 0.0  # nothing is left of it
    y, v = rng.standard_normal(60), rng.uniform(0.5, 2.0, p)
    problem = Problem(X, y, l1=0.05, l2=0.02, intercept=intercept, positive=positive, penalty_weights=v)
    columns = Columns.of(problem)
    form, cols = columns.form, np.arange(p)
    A = X.astype(np.float64) - (X.astype(np.float64).mean(axis=0) if intercept else 0.0)
    A[:, columns.norms_sq == 0] = 0.0
    w, r = np.zeros(p), form.z.copy()
    expected = w
    for _ in range(3):
        expected, left, largest = swept(A, form.z, form.lam1, form.lam2, positive, expected)
        assert columns.sweep(cols, w, r, form.lam1) == pytest.approx(largest, rel=1e-9)
        np.testing.assert_allclose(w, expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(r, left, rtol=1e-9, atol=1e-11)


def test_means_do_not_multiply_what_rounding_left_of_the_residual() -> None:
    problem = problem_of(1500, 400, 300)
    far = problem.replace(X=np.asfortranarray(problem.X + 2000.0))
    columns = Columns.of(far)
    cols, w, r = np.arange(400), np.zeros(400), columns.form.z.copy()
    assert columns.form.m is not None
    for _ in range(60):
        columns.sweep(cols, w, r, columns.form.lam1)
    worst = np.abs(columns.dots(cols, columns.residual(cols, w))[w != 0]) / columns.form.lam1[w != 0]
    np.testing.assert_allclose(worst, 1.0, atol=1e-7)


@pytest.mark.parametrize("common", [0.0, 1.0])
def test_coupling_is_the_sum_of_squared_correlations(common: float) -> None:
    columns = Columns.of(problem_of(5000, 400, 100, common))
    correlation = common**2 / (1 + common**2)
    expected = (COUPLED[0] - 1) * (correlation**2 + 1 / 5000)
    assert coupling(columns, columns.u0) == pytest.approx(expected, rel=0.3)


def test_coupling_of_columns_that_are_constant() -> None:
    problem = problem_of(50, 6, 10)
    X = problem.X.copy(order="F")
    X[:, 1:] = 1.0
    assert coupling(Columns.of(problem.replace(X=X)), np.ones(6)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "p", "ratio", "common", "tried"),
    [
        (900, 400, 300, 0.0, True),
        (900, 400, 300, 1.0, False),  # correlated
        (300, 400, 300, 0.0, False),  # more columns than rows
        (6000, 330, 300, 0.0, False),  # rows without end
        (900, 200, 300, 0.0, False),  # so few that their Gram matrix costs nothing
        (900, 400, 1.5, 0.0, False),  # few are above their bounds
    ],
)
def test_where_it_is_tried(n: int, p: int, ratio: float, common: float, tried: bool) -> None:
    problem = problem_of(n, p, ratio, common)
    state = ActiveSet(Columns.of(problem), Stop(1e-4), once=True)
    state.approach()
    assert state.solved is tried
    solution = state.solve()
    assert solution.status is Status.CONVERGED
    certificate = certify(problem, solution.coef, solution.intercept)
    assert certificate.gap is not None
    assert certificate.gap <= 1e-4 * certificate.scale


@pytest.mark.parametrize("more", [{}, {"l2": 0.01}, {"positive": True}, {"intercept": False}])
@pytest.mark.parametrize("tol", [1e-4, 1e-8, 1e-12])
def test_the_answer_is_proven_whichever_way_it_ends(more: dict[str, Any], tol: float) -> None:
    problem = problem_of(900, 400, 300, **more)
    solution = solve(problem, NAME, Stop(tol))
    assert solution.status is Status.CONVERGED
    certificate = certify(problem, solution.coef, solution.intercept)
    assert certificate.gap is not None
    assert certificate.gap <= tol * certificate.scale + 2 * certificate.radius


@pytest.mark.parametrize(("worth", "outcome"), [(1e6, Outcome.DONE), (1.0, Outcome.SETTLED)])
def test_it_goes_on_for_as_long_as_it_costs_less(worth: float, outcome: Outcome) -> None:
    columns = Columns.of(problem_of(900, 400, 300))
    form, W = columns.form, np.arange(400)
    w, r, enough = np.zeros(400), form.z.copy(), 1e-20 * columns.form.scale
    ended = broad_descent(columns, W, w, r, form.lam1, enough, lambda K: worth, afresh=True)
    assert ended is outcome
    np.testing.assert_allclose(r, columns.residual(W, w), atol=1e-9)
    g = columns.dots(W, r)
    over = np.where(w != 0, np.abs(g - form.lam1 * np.sign(w)), np.maximum(np.abs(g) - form.lam1, 0.0))
    assert bool(np.all(over <= 1e-7 * form.lam1)) is (outcome is Outcome.DONE)


def test_it_ends_where_no_change_is_small_enough() -> None:
    columns = Columns.of(problem_of(900, 400, 300))
    w, r = np.zeros(400), columns.form.z.copy()
    ended = broad_descent(columns, np.arange(400), w, r, columns.form.lam1, 0.0, lambda K: 1e300, afresh=True)
    assert ended is Outcome.SETTLED


def test_it_ends_when_its_time_is_over() -> None:
    columns = Columns.of(problem_of(900, 400, 300))
    w, r = np.zeros(400), columns.form.z.copy()
    ended = broad_descent(
        columns, np.arange(400), w, r, columns.form.lam1, 1e-20, lambda K: 1e300, afresh=True, until=0.0
    )
    assert ended is Outcome.SETTLED
    assert columns.touched <= 4 * 400
    solution = solve(problem_of(900, 400, 300), NAME, Stop(1e-12, time_limit=1e-9))
    assert solution.status is Status.TIME_LIMIT


@pytest.mark.parametrize("crowded", [False, True])
def test_where_it_is_slow_it_ends_early(crowded: bool) -> None:
    problem = problem_of(450, 440, 3000) if crowded else problem_of(900, 400, 300, 3.0)
    columns = Columns.of(problem)
    k = columns.form.k
    w, r = np.zeros(k), columns.form.z.copy()
    ended = broad_descent(columns, np.arange(k), w, r, columns.form.lam1, 1e-20, lambda K: 1e300, afresh=True)
    assert ended is Outcome.SLOW
    assert columns.touched <= 10 * k


def test_a_gram_matrix_costs_more_sweeps_the_larger_it_is_and_fewer_where_it_is_rounded() -> None:
    assert price(1000, 400, True) < price(1000, 400, False) < price(1000, 800, False)
    assert price(1000, 400, True) > price(10_000, 400, True)
