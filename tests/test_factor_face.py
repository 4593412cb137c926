"""The face by its factor alone: what the factor is, what it solves, and when active_set_numba takes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from solvers import Problem, Solution, Status, Stop, solve, solve_path
from solvers import _active_set as active_set
from solvers._active_set import ActiveSet
from solvers._columns import Columns
from solvers._factor_face import FactorFace
from solvers._gram_face import GramFace
from verification import certify

NAME = "active_set_numba"


def problem_of(n: int, p: int, ratio: float, seed: int = 30, **more: Any) -> Problem:
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1)))
    y = X[:, ::3] @ rng.standard_normal(-(-p // 3)) + rng.standard_normal(n)
    problem = Problem(X, y, l1=1.0, **{"intercept": True, **more})
    return problem.replace(l1=problem.l1_max() / ratio)


def off_by(face: FactorFace, W: Any) -> float:
    """Largest error of U'U, relative."""
    form, F = face.columns.form, W[face.F[: face.f]]
    A, U = face.columns.gather(F), np.triu(face.U[: face.f, : face.f])
    G = A.T @ A + np.diag(form.lam2[F])
    return float(np.max(np.abs(U.T @ U - G)) / np.max(G))


def proven(problem: Problem, solution: Solution, tol: float) -> bool:
    certificate = certify(problem, solution.coef, solution.intercept)
    assert certificate.gap is not None
    assert certificate.scale is not None
    assert certificate.radius is not None
    return certificate.gap <= tol * certificate.scale + 2 * certificate.radius


def violation(columns: Columns, w: Any) -> float:
    """Largest violation of the optimality conditions, against lam1."""
    form, every = columns.form, np.arange(columns.form.k)
    g = columns.dots(every, columns.residual(every, w)) - form.lam2 * w
    u = g if form.positive else np.abs(g)
    outside = np.maximum(u - form.lam1, 0.0)[w == 0].max(initial=0.0)
    return float(max(outside, np.abs(g - form.lam1 * np.sign(w))[w != 0].max(initial=0.0)) / form.lam1.max())


def solved(problem: Problem, w: Any = None) -> tuple[FactorFace, Any, Any]:
    columns = Columns.of(problem)
    face, every = FactorFace(columns), np.arange(columns.form.k)
    w = np.zeros(every.size) if w is None else w
    r, form = columns.residual(every, w), columns.form
    slack = 1e-11 * form.lam1.max() * np.ones(every.size)
    assert face.solve(every, w, r, form.lam1, form.lam2, slack)
    np.testing.assert_allclose(r, columns.residual(every, w), atol=1e-8 * float(np.linalg.norm(form.z)))
    assert off_by(face, every) <= 1e-11
    np.testing.assert_array_equal(np.sort(face.F[: face.f]), np.flatnonzero(w))
    return face, w, columns


@pytest.mark.parametrize("n", [40, 1200])
def test_the_factor_is_that_of_the_face_whatever_joins_and_leaves(n: int) -> None:
    from solvers._gram import leave

    columns = Columns.of(problem_of(n, 200, 10, l2=0.3))
    face, rng, every = FactorFace(columns), np.random.default_rng(31), np.arange(200)
    for _ in range(12):
        new = np.setdiff1d(rng.choice(200, int(rng.integers(1, 90)), replace=False), face.F[: face.f])
        if new.size:
            out, products = face._join(every, new, np.ones(new.size), columns.form.lam2)
            assert out.size == 0
            assert products.shape == (0, face.f)
        assert off_by(face, every) <= 1e-12
        gone = np.sort(rng.choice(face.f, int(rng.integers(0, face.f // 2)), replace=False))
        face.f = leave(face.U, face.F, face.sign, face.f, gone)
        assert off_by(face, every) <= 1e-12


def test_a_column_that_depends_on_the_face_stays_out_with_its_products() -> None:
    problem = problem_of(60, 20, 10)
    X = np.asfortranarray(np.column_stack([problem.X, problem.X[:, 0] - 2 * problem.X[:, 1]]))
    columns = Columns.of(problem.replace(X=X))
    face, every = FactorFace(columns), np.arange(21)
    face._join(every, np.arange(10), np.ones(10), columns.form.lam2)
    out, products = face._join(every, np.array([20]), np.ones(1), columns.form.lam2)
    assert out.tolist() == [20]
    A = columns.gather(every)
    np.testing.assert_allclose(products[0], A[:, 20] @ A[:, face.F[:10]], rtol=1e-10)
    assert off_by(face, every) <= 1e-12


@pytest.mark.parametrize("ratio", [3, 100, 3000])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.01])
@pytest.mark.parametrize(("n", "p"), [(30, 90), (90, 30), (1100, 60)])
def test_it_solves_the_problem(ratio: float, positive: bool, l2: float, n: int, p: int) -> None:
    problem = problem_of(n, p, ratio, l2=l2, positive=positive)
    _, w, columns = solved(problem)
    assert violation(columns, w) <= 1e-9


@pytest.mark.parametrize("positive", [False, True])
def test_more_columns_in_use_than_rows_and_duplicates(positive: bool) -> None:
    problem = problem_of(25, 60, 300, positive=positive)
    X = np.asfortranarray(np.column_stack([problem.X, -problem.X[:, :20], 2 * problem.X[:, 20:40]]))
    w = np.random.default_rng(32).uniform(0.5, 1.0, 100)
    face, w, columns = solved(problem.replace(X=X), w)
    assert face.f <= 25
    assert violation(columns, w) <= 1e-9


def test_the_face_is_carried_to_the_next_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(50, 80, 20)
    face, w, columns = solved(problem)
    form, every = columns.form, np.arange(80)
    joined: list[int] = []
    original = FactorFace._join

    def join(self: FactorFace, W: Any, new: Any, *rest: Any) -> Any:
        joined.append(new.size)
        return original(self, W, new, *rest)

    monkeypatch.setattr(FactorFace, "_join", join)
    W = every[::-1].copy()  # in another order
    w, r = w[::-1].copy(), columns.residual(every, w)
    support, lam1 = np.count_nonzero(w), 0.9 * form.lam1[W]
    assert face.solve(W, w, r, lam1, form.lam2[W], 1e-10 * lam1)
    assert sum(joined) < support / 2
    back = np.zeros(80)
    back[W] = w
    g = columns.dots(every, columns.residual(every, back))
    np.testing.assert_allclose(g[back != 0], (0.9 * form.lam1 * np.sign(back))[back != 0], rtol=1e-7)


def test_no_room_for_the_face_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Columns, "factor_limit", property(lambda self: 10))
    columns = Columns.of(problem_of(50, 40, 50))
    form, every, w = columns.form, np.arange(40), np.ones(40)
    r = columns.residual(every, w)
    before = r.copy()
    assert not FactorFace(columns).solve(every, w, r, form.lam1, form.lam2, 1e-9 * form.lam1)
    np.testing.assert_array_equal(r, before)
    assert np.all(w == 1.0)
    w[8:] = 0.0  # and where there is no more room on the way it says so
    r = columns.residual(every, w)
    face = FactorFace(columns)
    assert not face.solve(every, w, r, form.lam1, form.lam2, 1e-9 * form.lam1)
    assert face.f <= 10
    np.testing.assert_allclose(r, columns.residual(every, w), atol=1e-9)


def test_it_ends_when_time_is_over() -> None:
    columns = Columns.of(problem_of(50, 40, 50))
    form, every, w = columns.form, np.arange(40), np.zeros(40)
    assert FactorFace(columns).solve(
        every, w, form.z.copy(), form.lam1, form.lam2, 1e-9 * form.lam1, until=0.0
    )
    assert not w.any()


@pytest.mark.parametrize("size", [1e200, np.inf])
@pytest.mark.filterwarnings("ignore:(overflow|invalid value):RuntimeWarning")  # what is tested
def test_numbers_beyond_float64_are_a_failure_not_an_exception(size: float) -> None:
    columns = Columns.of(problem_of(50, 40, 50))
    form, every, w = columns.form, np.arange(40), np.zeros(40)
    w[:3] = size
    face = FactorFace(columns)
    assert not face.solve(every, w, np.full(50, size), form.lam1, form.lam2, 1e-9 * form.lam1)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the faces that were solved by their factors alone."""
    sizes: list[int] = []
    original = FactorFace.solve

    def solve_(self: FactorFace, *args: Any, **more: Any) -> bool:
        done = original(self, *args, **more)
        sizes.append(self.f)
        return done

    monkeypatch.setattr(FactorFace, "solve", solve_)
    return sizes


@pytest.mark.parametrize("intercept", [False, True])
def test_where_nearly_as_many_columns_are_in_use_as_rows(called: list[int], intercept: bool) -> None:
    problem = problem_of(450, 900, 3000, intercept=intercept)
    solution = solve(problem, NAME, Stop(1e-10))
    assert solution.status is Status.CONVERGED
    assert called
    assert called[-1] == np.count_nonzero(solution.coef) >= 0.9 * 450
    assert proven(problem, solution, 1e-10)


@pytest.mark.parametrize("free", [False, True])
def test_a_path_without_room_for_a_gram_matrix(
    called: list[int], free: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Columns, "gram_limit", property(lambda self: 60))
    v = np.ones(700)
    v[[3, 500]] = 0.0 if free else 1.0
    problem = problem_of(150, 700, 500, penalty_weights=v)
    l1s = [float(l1) for l1 in np.geomspace(problem.l1_max(), problem.l1, 20)]
    for l1, solution in zip(l1s, solve_path(problem, l1s, solver=NAME, stop=Stop(1e-9)), strict=True):
        assert proven(problem.replace(l1=l1), solution, 1e-9)
    assert len(called) >= 5
    assert max(called) > 100


def test_few_rows_keep_their_gram_matrix(called: list[int]) -> None:
    solution = solve(problem_of(100, 600, 3000), NAME)
    assert solution.status is Status.CONVERGED
    assert np.count_nonzero(solution.coef) >= 90
    assert not called


def test_the_residuals_it_was_judged_by_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active_set, "HALF", 2.0)  # conjugate gradients first
    monkeypatch.setattr(Columns, "gram_limit", property(lambda self: 30))
    problem = problem_of(120, 300, 2000)
    state = ActiveSet(Columns.of(problem), Stop(1e-9), once=True)
    state.approach()
    assert state.solve().status is Status.CONVERGED
    for at, old in enumerate(state.residuals):
        known = state.stamp == at
        np.testing.assert_allclose(
            state.u[known], state.columns.dots(state.every, old)[known], atol=1e-9 * state.lam1.max()
        )


@pytest.mark.parametrize("astray", ["far", "nowhere"])
def test_a_gram_matrix_that_leads_astray_is_left(
    called: list[int], astray: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = GramFace.solve

    def solve_(self: GramFace, g: Any, w: Any, lam1: Any, lam2: Any, slack: Any) -> None:
        start = w.copy()
        original(self, g, w, lam1, lam2, slack)
        w[:] = 1e30 * w if astray == "far" else start

    monkeypatch.setattr(GramFace, "solve", solve_)
    problem = problem_of(100, 300, 30)
    solution = solve(problem, NAME, Stop(1e-9))
    assert solution.status is Status.CONVERGED
    assert called
    assert proven(problem, solution, 1e-9)
