"""active_set_numba where it could break: dependent columns, spectra, free columns, paths, large supports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from solvers import Problem, Solution, Status, Stop, solve
from solvers._active_set import ActiveSet
from solvers._columns import Columns
from solvers._gram import _delete, face
from solvers._gram_face import GramFace
from solvers._growth import entering
from solvers.path import grid, solve_path
from verification import certify

NAME = "active_set_numba"


def proven(problem: Problem, tol: float = 1e-10, solver: str = NAME) -> Solution:
    """Return the solution, whose gap the judge has confirmed up to rounding."""
    solution = solve(problem, solver, Stop(tol, time_limit=30))
    assert solution.status is Status.CONVERGED, (problem, solution.message, solution.claimed_gap)
    certificate = certify(problem, solution.coef, solution.intercept)
    assert certificate.gap is not None
    assert certificate.gap <= tol * certificate.scale + 2 * certificate.radius
    return solution


def data(n: int, p: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X[:, : max(1, p // 8)].sum(axis=1) + rng.standard_normal(n)


@pytest.mark.parametrize("ratio", [2, 30, 1000])
@pytest.mark.parametrize("intercept", [False, True])
def test_duplicates_opposites_zero_and_constant_columns(ratio: float, intercept: bool) -> None:
    X, y = data(30, 50, 1)
    X = np.column_stack([X, X[:, :10], -X[:, 5:15], np.zeros(30), np.full(30, 7.0)])
    problem = Problem(np.asfortranarray(X), y, intercept=intercept)
    solution = proven(problem.replace(l1=problem.l1_max() / ratio))
    assert solution.coef[-2] == 0
    assert not intercept or solution.coef[-1] == 0


@pytest.mark.parametrize("ratio", [10, 100, 1000])
def test_spectra_whose_neighbours_are_nearly_equal(ratio: float) -> None:
    rng = np.random.default_rng(5)
    t = np.linspace(0, 1, 600)
    peaks = np.exp(-0.5 * ((t - rng.uniform(0, 1, (12, 1))) / 0.08) ** 2)
    X = rng.uniform(0, 1, (60, 12)) @ peaks + 1e-5 * rng.standard_normal((60, 600))
    near = np.corrcoef(X.T)[np.arange(599), np.arange(1, 600)]
    assert np.median(near) > 0.9999
    y = X[:, 80] - X[:, 400] + 0.01 * rng.standard_normal(60)
    problem = Problem(np.asfortranarray(X), y, intercept=True)
    proven(problem.replace(l1=problem.l1_max() / ratio), 1e-9)


@pytest.mark.parametrize("make", [np.asfortranarray, np.ascontiguousarray, sp.csc_array, sp.csr_array])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_every_option_at_once(make: Any, positive: bool, l2: float) -> None:
    X, y = data(40, 60, 2)
    s = np.random.default_rng(0).integers(0, 3, 40).astype(float)
    v = np.where(np.arange(60) % 11 == 0, 0.0, np.where(np.arange(60) % 13 == 5, np.inf, 1.5))
    problem = Problem(
        make(X), y, l2=l2, intercept=True, sample_weight=s, penalty_weights=v, positive=positive
    )
    solution = proven(problem.replace(l1=problem.l1_max() / 20))
    assert np.all(solution.coef[np.isinf(v)] == 0)
    assert not positive or np.all(solution.coef >= 0)


def test_exactly_zero_from_l1_max_on() -> None:
    X, y = data(50, 80, 3)
    problem = Problem(np.asfortranarray(X), y, intercept=True)
    solution = solve(problem.replace(l1=problem.l1_max() * (1 + 1e-12)), NAME)
    assert not solution.coef.any()
    assert solution.claimed_gap == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("intercept", [False, True])
def test_a_support_too_large_for_a_gram_matrix_goes_by_residuals(
    intercept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from solvers._columns import Columns

    X, y = data(80, 60, 4)
    problem = Problem(np.asfortranarray(X), y, intercept=intercept)
    problem = problem.replace(l1=problem.l1_max() / 200)
    exact = proven(problem)
    monkeypatch.setattr(Columns, "gram_limit", property(lambda self: 10))
    for make in (np.asfortranarray, sp.csc_array):
        by_residual = proven(problem.replace(X=make(X)))
        assert np.linalg.norm(by_residual.coef - exact.coef) <= 1e-3 * np.linalg.norm(exact.coef)


def test_slow_conjugate_gradients_go_on_where_there_is_no_room_for_a_gram_matrix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((80, 1000)) + 3 * rng.standard_normal((80, 1))) * (rng.random((80, 1000)) < 0.3)
    y = X[:, :125] @ rng.standard_normal(125) + 0.01 * rng.standard_normal(80)
    problem = Problem(sp.csc_array(X), y, intercept=True)
    monkeypatch.setattr(Columns, "gram_limit", property(lambda self: 40))
    proven(problem.replace(l1=problem.l1_max() / 1000))


def test_same_bits_on_a_second_run_and_input_untouched() -> None:
    X, y = data(60, 200, 5)
    problem = Problem(np.asfortranarray(X), y, intercept=True)
    problem = problem.replace(l1=problem.l1_max() / 50)
    before = problem.digest
    first, second = (solve(problem, NAME) for _ in range(2))
    assert first.coef.tobytes() == second.coef.tobytes()
    assert first.intercept == second.intercept
    assert problem.digest == before


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_path_is_proven_at_every_point_and_agrees_with_cold_starts(l2: float) -> None:
    X, y = data(50, 120, 6)
    problem = Problem(np.asfortranarray(X), y, l2=l2, intercept=True)
    l1s = grid(problem, 30, 1e-3)
    path = solve_path(problem, l1s, solver=NAME, stop=Stop(1e-10))
    for l1, solution in zip(l1s, path, strict=True):
        point = problem.replace(l1=l1)
        certificate = certify(point, solution.coef, solution.intercept)
        assert certificate.gap is not None
        assert certificate.gap <= 1e-10 * certificate.scale + 2 * certificate.radius
    cold = proven(problem.replace(l1=l1s[-1]))
    fit = X @ (cold.coef - path[-1].coef)
    assert np.linalg.norm(fit) <= 1e-4 * np.linalg.norm(y)


def test_float32_is_used_in_place() -> None:
    from solvers._columns import Columns

    X, y = data(50, 120, 7)
    problem = Problem(np.asfortranarray(X, dtype=np.float32), y, intercept=True)
    problem = problem.replace(l1=problem.l1_max() / 30)
    assert np.shares_memory(Columns.of(problem).form.B, problem.X)
    proven(problem)


# -- paths in blocks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(24))
def test_blocks_of_a_path_are_proven_whatever_the_problem(seed: int) -> None:
    rng = np.random.default_rng([seed, 77])
    n, p = int(rng.choice([5, 60, 200])), int(rng.choice([6, 60, 700, 1200]))
    X, y = data(n, p, seed)
    X *= 10.0 ** rng.integers(-3, 4, p)
    X[:, ::3] = X[:, :1]
    X[:, p // 2] = 1.5
    if rng.random() < 0.3:
        X += 100.0
    make = (np.asfortranarray, np.ascontiguousarray, sp.csc_array, lambda A: np.asfortranarray(A, np.float32))
    if (which := seed % 4) == 2:
        X *= rng.random((n, p)) < 0.3
    penalties = rng.choice([0.5, 1.0, 2.0, np.inf], p)
    penalties[1] = 0.0 if seed % 3 == 0 else 1.0
    problem = Problem(
        make[which](X), y, intercept=bool(rng.random() < 0.5), positive=bool(rng.random() < 0.3),
        l2=float(rng.choice([0.0, 0.01])), penalty_weights=penalties if seed % 2 else None,
        sample_weight=rng.choice([0.5, 1.0, 2.5], n) if rng.random() < 0.3 else None,
    )  # fmt: skip
    tol = float(rng.choice([1e-4, 1e-9, 1e-12]))
    l1s = grid(problem, 40, 1e-3)
    for l1, solution in zip(l1s, solve_path(problem, l1s, stop=Stop(tol)), strict=True):
        assert solution.status is Status.CONVERGED
        certificate = certify(problem.replace(l1=l1), solution.coef, solution.intercept)
        assert certificate.gap is not None
        assert certificate.gap <= tol * certificate.scale + 2 * certificate.radius


@pytest.mark.parametrize(("n", "p", "passes"), [(300, 40, 2.0), (100, 3000, 40.0)])
def test_a_path_reads_the_columns_far_less_than_once_a_point(n: int, p: int, passes: float) -> None:
    X, y = data(n, p, 3)
    path = solve_path(Problem(np.asfortranarray(X), y), n_l1=100, ratio=0.1, stop=Stop(1e-9))
    read = sum(float(one.message.split()[2]) for one in path)
    assert 1.0 <= read <= passes


@pytest.mark.parametrize(
    "make", [np.asfortranarray, sp.csc_array, lambda A: np.asfortranarray(A, np.float32)]
)
def test_products_of_blocks(make: Any) -> None:
    X, y = data(70, 90, 8)
    X = np.round(X + 1.0, 2) * (np.abs(X) > 0.5)
    X = X.astype(np.float32).astype(float)
    columns = Columns.of(Problem(make(X), y, l1=0.1, intercept=True))
    A = X - X.mean(axis=0)
    R = np.random.default_rng(1).standard_normal((70, 5))
    R -= R.mean(axis=0)
    np.testing.assert_allclose(columns.dots_block(np.asfortranarray(R)), A.T @ R, atol=1e-11)
    cols = np.array([3, 80, 7, 11])
    W = np.random.default_rng(2).standard_normal((5, 4))
    np.testing.assert_allclose(columns.products(cols, W), A[:, cols] @ W.T, atol=1e-11)
    gram = GramFace(columns)
    gram.place(cols, np.arange(4))
    np.testing.assert_allclose(gram.G[:4, :4], A[:, cols].T @ A[:, cols], atol=1e-11)
    np.testing.assert_allclose(gram.images(cols, W), A[:, cols] @ W.T, atol=1e-11)


@pytest.mark.parametrize("room", [0, 70, 400])
@pytest.mark.parametrize("rounded", [False, True])
def test_a_gram_matrix_of_columns_that_are_kept_or_copied_anew(
    room: int, rounded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = data(70, 400, 8)
    X[:, 40] *= 1e9  # float32 holds it by its scale
    columns = Columns.of(Problem(np.asfortranarray(X), y, l1=0.1, intercept=True))
    A = X - X.mean(axis=0)
    gram, item = GramFace(columns), 8
    if rounded:
        gram._round(np.empty(0, dtype=np.intp))
        item = 4
    assert gram.gathered is not None
    W = np.random.default_rng(3).permutation(400)
    for places in (np.arange(50), np.arange(50, 90), np.array([1, 60, 89]), np.arange(90, 200)):
        K = max(gram.K, int(places[-1]) + 1)
        if places.size == 3:  # others in the places of three
            W[places] = W[300:303]
        others = 2.0 * K * gram.G.strides[0]
        gram.gathered.bytes = (others + (room + 0.5) * item * 70) / 0.75  # for so many columns
        gram.place(W[:K], places)
    W = W[:200]
    assert gram.gathered.kept == (200 if room == 400 else 0)
    assert gram.G.itemsize == item
    true = A[:, W].T @ A[:, W]
    norms = np.sqrt(true.diagonal())
    close = 1e-6 if rounded else 1e-14
    np.testing.assert_allclose(
        gram.G[:200, :200] / np.outer(norms, norms), true / np.outer(norms, norms), atol=close
    )
    found = np.random.default_rng(2).standard_normal((3, 200)) / norms
    if not rounded:
        np.testing.assert_allclose(gram.images(W, found), A[:, W] @ found.T, atol=1e-12)


def test_the_factor_without_a_column_is_that_of_the_matrix_without_it() -> None:
    X, _ = data(40, 20, 9)
    H = X.T @ X
    for out in (0, 7, 19):
        U = np.linalg.cholesky(H, upper=True)
        _delete(U, 20, out)
        kept = np.delete(np.arange(20), out)
        np.testing.assert_allclose(
            np.triu(U[:19, :19]) ** 2, np.linalg.cholesky(H[np.ix_(kept, kept)], upper=True) ** 2, atol=1e-10
        )


@pytest.mark.parametrize("intercept", [False, True])
def test_a_sparse_gram_matrix_at_once_and_row_by_row(intercept: bool) -> None:
    X, y = data(60, 40, 11)
    X = X * (np.random.default_rng(3).random(X.shape) < 0.3)
    columns = Columns.of(Problem(sp.csc_array(X), y, l1=0.1, intercept=intercept))
    cols = np.array([30, 2, 17, 39, 5])
    A = (X - X.mean(axis=0) if intercept else X)[:, cols]
    whole, by_rows = np.zeros((7, 7)), np.zeros((7, 7))
    columns.gram_rows(cols, np.arange(5), whole)
    for places in (np.array([3, 1]), np.array([0]), np.array([2, 4])):
        columns.gram_rows(cols, places, by_rows)
    for G in (whole, by_rows):
        np.testing.assert_allclose(G[:5, :5], A.T @ A, atol=1e-12)
        assert not G[5:].any()
        assert not G[:, 5:].any()
    assert columns.gram_work(cols) == np.sum(np.count_nonzero(X[:, cols], axis=1) ** 2)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("order", ["C", "F"])
def test_unpenalised_columns_that_are_there_twice_send_nothing_to_infinity(seed: int, order: Any) -> None:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((300, 300))
    for j in range(1, 300):
        X[:, j] = 0.99 * X[:, j - 1] + 0.14 * X[:, j]
    X[:, 150:] = X[:, :150]
    v = np.ones(300)
    v[:12] = v[150:162] = 0.0
    y = X @ rng.standard_normal(300) + rng.standard_normal(300)
    problem = Problem(np.asarray(X, order=order), y, penalty_weights=v, intercept=True)
    for ratio in (3, 10, 30, 700):
        solution = proven(problem.replace(l1=problem.l1_max() / ratio), 1e-9)
        assert np.abs(solution.coef).max() < 1e3
    for one in solve_path(problem, n_l1=8, stop=Stop(1e-9)):
        assert one.status is Status.CONVERGED
        assert np.abs(one.coef).max() < 1e3


@pytest.mark.parametrize("seed", range(6))
def test_what_does_not_converge_ends_at_its_best(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((16, 360)))
    v = np.ones(360)
    v[:19] = (
        0.0  # more of them than rows: y is fitted exactly, and the penalised columns are left with rounding
    )
    problem = Problem(X, X[:, 20:40].sum(axis=1), penalty_weights=v, intercept=True)
    solution = solve(problem.replace(l1=problem.l1_max() / 4), NAME, Stop(1e-9))
    left = problem.y - X @ solution.coef - solution.intercept
    assert np.linalg.norm(left) <= 1e-6 * np.linalg.norm(problem.y)


@pytest.mark.parametrize("seed", range(6))
def test_columns_that_differ_by_rounding_end_no_worse_than_at_zero(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, p = 300, 290
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = 0.9999 * X[:, j - 1] + 0.014 * X[:, j]
    X += 5000.0  # and no intercept: they are parallel up to 1e-11 of a squared norm
    X[:, p // 2 :] = X[:, : p - p // 2]
    y, v = X[:, ::9] @ rng.standard_normal(33) + rng.standard_normal(n), np.ones(p)
    v[rng.random(p) < 0.05] = 0.0
    problem = Problem(np.asarray(X, order="F"), y, l1=1.0, penalty_weights=v, intercept=False)
    problem = problem.replace(l1=problem.l1_max() / 20)
    solution = solve(problem, NAME, Stop(1e-6, max_iter=1000))
    left = y - X @ solution.coef
    objective = 0.5 * float(left @ left) / n + problem.l1 * float(v @ np.abs(solution.coef))
    assert objective <= 0.5 * float(y @ y) / n


@pytest.mark.parametrize("twins", [0, 4])
def test_the_factor_of_a_face_and_the_columns_that_depend_on_others(twins: int) -> None:
    X, y = data(50, 12, 12)
    X = np.column_stack([X, X[:, :twins]])
    K = X.shape[1]
    G, lam2 = X.T @ X, np.full(K, 1e-13)
    w = np.where(np.arange(K) % 5 == 4, 0.0, 1.0 + np.arange(K))
    g, before, U, F = X.T @ y - G @ w, w.copy(), np.zeros((K, K)), np.zeros(K, dtype=np.intp)
    support = np.count_nonzero(w)
    rank = np.linalg.matrix_rank(X[:, w != 0])
    assert face(G, K, g.copy(), w.copy(), lam2, U, F, True) == (support if twins == 0 else -1)
    f = face(G, K, g, w, lam2, U, F, False)
    assert f == rank == support - max(twins - 1, 0)  # one of the twins is not in the support
    assert sorted(F[:f]) == np.flatnonzero(w).tolist()
    kept = F[:f]
    factor = np.triu(U[:f, :f])
    np.testing.assert_allclose(factor.T @ factor, G[np.ix_(kept, kept)], atol=1e-9)
    np.testing.assert_array_equal(w[kept], before[kept])
    np.testing.assert_allclose(g, X.T @ y - G @ w, atol=1e-9)


def test_slow_conjugate_gradients_on_sparse_columns_end_on_a_gram_matrix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(13)
    made: list[int] = []
    make_gram = ActiveSet.make_gram

    def counted(self: ActiveSet, may_round: bool = False) -> None:
        make_gram(self, may_round)
        made.append(self.W.size)

    monkeypatch.setattr(ActiveSet, "make_gram", counted)
    B = rng.standard_normal((1000, 100)) * (rng.random((1000, 100)) < 0.05)
    X = np.column_stack([B, B + 0.1 * rng.standard_normal(B.shape) * (B != 0)])  # nearly the same columns
    y = X[:, :60].sum(axis=1) + rng.standard_normal(1000)
    problem = Problem(sp.csc_array(X), y, intercept=True)
    proven(problem.replace(l1=problem.l1_max() / 1000), 1e-11)
    assert len(made) == 1
    assert made[0] < 200


@pytest.mark.parametrize(("n", "steps"), [(2000, False), (60, True)])
def test_l1_comes_down_in_steps_only_where_the_rows_are_few(n: int, steps: bool) -> None:
    X, y = data(n, 600, 14)
    problem = Problem(np.asfortranarray(X), y)
    state = ActiveSet(Columns.of(problem.replace(l1=problem.l1_max() / 20)), Stop(1e-9), once=True)
    state.approach()
    assert (state.kappa > 1) is steps


@pytest.mark.parametrize(("n", "ratio", "steps"), [(400, 100, False), (400, 1000, True), (100, 100, True)])
def test_of_sparse_x_rows_that_are_many_against_the_first_columns_suffice(
    n: int, ratio: float, steps: bool
) -> None:
    rng = np.random.default_rng(15)
    X = rng.standard_normal((n, 2000)) * (rng.random((n, 2000)) < 0.1)
    y = X[:, :5].sum(axis=1) + rng.standard_normal(n)
    problem = Problem(sp.csc_array(X), y)
    problem = problem.replace(l1=problem.l1_max() / ratio)
    state = ActiveSet(Columns.of(problem), Stop(1e-9), once=True)
    assert np.count_nonzero(np.abs(state.u) > state.lam1) > 2 * n
    state.approach()
    assert (state.kappa > 1) is steps
    proven(problem, 1e-9)


@pytest.mark.parametrize(("ratio", "whole"), [(3, False), (40, True)])
def test_few_columns_of_many_rows_are_taken_at_once_where_most_are_above_their_bounds(
    ratio: float, whole: bool
) -> None:
    rng = np.random.default_rng(17)
    X = np.asfortranarray(rng.standard_normal((9000, 70)) + 0.6 * rng.standard_normal((9000, 1)))
    problem = Problem(X, X[:, :12] @ rng.standard_normal(12) + rng.standard_normal(9000), intercept=True)
    problem = problem.replace(l1=problem.l1_max() / ratio)
    columns = Columns.of(problem)
    above = np.count_nonzero(np.abs(columns.u0) > columns.form.lam1)
    assert bool(above >= 56) is whole
    state = ActiveSet(columns, Stop(1e-9), once=True)
    state.approach()
    assert (state.W.size == 70) is whole
    proven(problem, 1e-9)


def test_more_columns_enter_where_no_gram_matrix_is_to_be_extended() -> None:
    rng = np.random.default_rng(18)
    X = rng.standard_normal((4800, 300)) * (rng.random((4800, 300)) < 0.05)
    y = rng.standard_normal(4800)
    sparse, dense = (Columns.of(Problem(make(X), y, l1=0.1)) for make in (sp.csc_array, np.asfortranarray))
    # as many as violate their bounds, and a few more; as many as are in use; or a column to sixteen rows
    assert entering(sparse, 100, 200, 20, by_gram=False) == 40
    assert entering(sparse, 100, 200, 500, by_gram=False) == 200
    assert entering(sparse, 100, 20, 500, by_gram=False) == 4800 // 16 - 100
    # half of those in use; or what costs as much as a pass over X
    for columns in (sparse, dense):
        assert entering(columns, 100, 200, 500, by_gram=True) == 100
        assert entering(columns, 10, 20, 500, by_gram=True) == 120
        assert entering(columns, 0, 0, 500, by_gram=True) == 34


@pytest.mark.parametrize(("used", "whole"), [(20, False), (340, True)])
def test_that_all_columns_are_in_use_is_confirmed_before_their_gram_matrix_is_made(
    used: int, whole: bool
) -> None:
    rng = np.random.default_rng(16)
    X = np.asfortranarray(rng.standard_normal((6000, 340)) + rng.standard_normal((6000, 1)))
    y = X[:, :used].sum(axis=1) + rng.standard_normal(6000)
    problem = Problem(X, y)
    problem = problem.replace(l1=problem.l1_max() / 500)
    state = ActiveSet(Columns.of(problem), Stop(1e-9), once=True)
    state.approach()
    assert state.doubtful
    assert state.solve().status is Status.CONVERGED
    assert (state.W.size == 340) is whole
    proven(problem, 1e-9)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
def test_unpenalised_columns_that_fit_all_of_y_leave_the_others_at_zero(
    sparse: bool, intercept: bool
) -> None:
    rng = np.random.default_rng(3)
    X: Any = np.asfortranarray(rng.standard_normal((20, 90)))
    y, v = X[:, 40:60].sum(axis=1), np.ones(90)
    v[:30] = 0.0
    problem = Problem(sp.csc_array(X) if sparse else X, y, l1=0.1, penalty_weights=v, intercept=intercept)
    solution = solve(problem, NAME, Stop(1e-9))
    assert not solution.coef[30:].any()
    left = y - X @ solution.coef - solution.intercept
    assert np.linalg.norm(left) <= 1e-13 * np.linalg.norm(y)
    assert "every penalised coefficient is zero" in solution.message
    for point in solve_path(problem, l1s=[1.0, 0.1, 1e-3], solver=NAME, stop=Stop(1e-9)):
        np.testing.assert_array_equal(point.coef, solution.coef)
        assert "every penalised coefficient is zero" in point.message
