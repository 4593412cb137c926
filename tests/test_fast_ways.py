"""The short ways of our fast solvers: what they leave out, they prove to be without consequence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from solvers import Problem, Status, Stop, solve
from solvers import _active_set as active_set
from solvers import _gram_face as gram_face
from solvers import _path_products as products
from solvers._active_set import ActiveSet
from solvers._columns import Columns
from solvers._gram import leave, newton_system, projected_step
from solvers._residual_face import newton_direction
from solvers._ridge_gram import ridge
from solvers.path import grid, solve_path
from verification import certify

# -- few columns: the Gram matrix comes with the first pass -------------------------------------------------


@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("shift", [0.0, 3.0, 1e6])
@pytest.mark.parametrize("intercept", [False, True])
def test_few_columns(order: Any, shift: float, intercept: bool) -> None:
    rng = np.random.default_rng(1)
    X = np.array(rng.standard_normal((2500, 40)) + shift, order=order)
    X[:, 7], X[:, 8] = 0.0, 2.5
    y = X[:, :5].sum(axis=1) + rng.standard_normal(2500)
    problem = Problem(X, y, intercept=intercept)
    problem = problem.replace(l1=problem.l1_max() / 50)
    columns = Columns.of(problem)
    A = X - X.mean(axis=0) if intercept else X
    if shift < 1e6 or not intercept:  # there the means would cancel
        assert columns.gram is not None
        assert np.shares_memory(columns.form.B, X)
        np.testing.assert_allclose(columns.gram, A.T @ A, rtol=1e-11, atol=1e-8)
        np.testing.assert_allclose(columns.u0, A.T @ (y - y.mean() if intercept else y), rtol=1e-9, atol=1e-7)
    for tol in (1e-4, 1e-9, 1e-12):
        solution = solve(problem, "active_set_numba", Stop(tol))
        certificate = certify(problem, solution.coef, solution.intercept)
        assert solution.status is Status.CONVERGED
        assert certificate.gap is not None
        assert certificate.gap <= tol * certificate.scale + 2 * certificate.radius


@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [40, 2100])
def test_residuals_and_products_of_columns_read_one_by_one_and_four_at_a_time(
    order: Any, dtype: Any, n: int
) -> None:
    rng = np.random.default_rng(2)
    X = np.array(rng.standard_normal((n, 11)) + 1, order=order, dtype=dtype)
    columns = Columns.of(Problem(X, rng.standard_normal(n), l1=0.1, intercept=True))
    A = X.astype(float) - X.astype(float).mean(axis=0)
    np.testing.assert_allclose(columns.u0, A.T @ columns.form.z, atol=1e-9)
    np.testing.assert_allclose(columns.norms_sq, np.sum(A**2, axis=0), rtol=1e-12)
    for some in (np.arange(11), np.array([9, 0, 4, 2, 7, 1]), np.array([3]), np.arange(0)):
        w = rng.standard_normal(some.size)
        w[some.size // 2 :: 3] = 0.0  # are passed over
        r = columns.residual(some, w)
        np.testing.assert_allclose(r, columns.form.z - A[:, some] @ w, atol=1e-11)
        np.testing.assert_allclose(columns.dots(some, r), A[:, some].T @ r, atol=1e-9)


def test_columns_leave_a_factor_as_if_it_were_made_without_them() -> None:
    A = np.random.default_rng(4).standard_normal((30, 12))
    G = A.T @ A
    U, F, sign = np.zeros((20, 20)), np.arange(20), np.arange(20.0)
    U[:12, :12] = np.linalg.cholesky(G).T
    gone = np.array([0, 3, 4, 11])
    f = leave(U, F, sign, 12, gone)
    left = np.setdiff1d(np.arange(12), gone)
    assert f == left.size
    assert np.array_equal(F[:f], left)
    assert np.array_equal(sign[:f], left)
    factor = np.triu(U[:f, :f])
    np.testing.assert_allclose(factor.T @ factor, G[np.ix_(left, left)], atol=1e-12)


@pytest.mark.parametrize("positive", [False, True])
def test_a_projected_newton_step_lowers_the_objective_and_keeps_the_gradient(positive: bool) -> None:
    rng = np.random.default_rng(5)
    A, K = rng.standard_normal((40, 9)), 9
    G, c = A.T @ A, 6 * rng.standard_normal(9)
    lam1, lam2, slack = np.full(K, 2.0), np.full(K, 0.5), np.full(K, 1e-9)
    w = np.abs(rng.standard_normal(K)) if positive else rng.standard_normal(K)
    w[[2, 5]] = 0.0

    def value(w: Any) -> float:
        return float(w @ G @ w / 2 - c @ w + lam1 @ np.abs(w) + lam2 @ w**2 / 2)

    g, F = c - G @ w, np.flatnonzero(w)
    f = F.size
    H, diagonal, b, sign = np.zeros((f, f)), np.zeros(f), np.zeros(f), np.zeros(f)
    assert newton_system(G, F, g, w, lam1, lam2, slack, H, diagonal, b, sign)
    wanted = G[np.ix_(F, F)] + np.diag(lam2[F])
    assert np.array_equal(np.triu(H), np.triu(wanted))
    assert np.array_equal(diagonal, np.diagonal(wanted))
    np.testing.assert_allclose(b, g[F] - lam1[F] * np.sign(w[F]) - lam2[F] * w[F])
    before, old = value(w), w.copy()
    assert projected_step(G, K, F, g, w, np.linalg.solve(wanted, b), sign, lam1, lam2, positive)
    assert value(w) < before
    assert np.all(w * old >= 0), "no sign changes but through zero"
    np.testing.assert_allclose(g, c - G @ w, atol=1e-12)
    assert not projected_step(G, K, F, g, w, 1e-3 * b * 0, sign, lam1, lam2, positive), "no step at all"


# -- a Gram matrix rounded to float32 ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["plain", "nearly all in use", "means", "scales", "scales far apart", "columns twice", "alike"]
)
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l2", [0.0, 1e-3])
def test_a_rounded_gram_matrix_costs_no_accuracy(
    kind: str, positive: bool, l2: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(10)
    X = np.asfortranarray(rng.standard_normal((900, 200)))
    if kind == "means":
        X += 10.0
    if kind.startswith("scales"):
        X *= 2.0 ** (rng.integers(-30, 30, 200) * (6 if kind == "scales far apart" else 1))
    if kind == "columns twice":
        X[:, 100:] = X[:, :100]
    if kind == "alike":
        X = np.asfortranarray(np.cumsum(X, axis=1) * 1e-3 + rng.standard_normal((900, 1)))
    w = rng.standard_normal(200)
    y = (X / np.abs(X).max(axis=0)) @ (np.abs(w) if positive else w) + rng.standard_normal(900)
    problem = Problem(X, y, intercept=True, positive=positive, l2=0.0 if kind.startswith("scales") else l2)
    problem = problem.replace(l1=problem.l1_max() / (1000 if kind == "nearly all in use" else 30))
    monkeypatch.setattr(gram_face, "WORTH", 0.0)
    monkeypatch.setattr(gram_face, "READS", (0.0, 0.0))
    made = []
    place = gram_face.GramFace.place

    def watched(self: Any, *given: Any) -> None:
        place(self, *given)
        made.append(self)

    monkeypatch.setattr(gram_face.GramFace, "place", watched)
    for tol in (1e-4, 1e-9, 1e-12):
        solution = solve(problem, "active_set_numba", Stop(tol))
        certificate = certify(problem, solution.coef, solution.intercept)
        assert solution.status is Status.CONVERGED
        assert certificate.gap is not None
        assert certificate.gap <= 1.01 * tol * certificate.scale + 2 * certificate.radius
    if kind == "scales far apart":  # float32 could not hold their squares
        assert not any(gram.rounded for gram in made)
        return
    assert made[0].rounded
    assert all(gram.rounded for gram in made) or kind in ("columns twice", "alike")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("intercept", [False, True])
def test_a_gram_matrix_by_a_few_rows_at_a_time(
    dtype: Any, intercept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(11)
    X = np.asfortranarray(rng.standard_normal((3000, 400)) * 10.0 ** rng.uniform(-8, 8, 400))
    columns = Columns.of(Problem(X, rng.standard_normal(3000), l1=0.1, intercept=intercept))
    cols, G, work = (
        rng.permutation(400)[:300],
        np.zeros((310, 310), dtype),
        np.full((300, 300), np.nan, dtype),
    )
    monkeypatch.setattr("solvers._columns.BUFFER", 6e5)  # 500 rows at a time, and 256
    columns.fresh_gram(cols, G, work)
    A = columns.gather(cols)
    norms = np.linalg.norm(A, axis=0)
    close = 2e-6 if dtype == np.float32 else 1e-14
    np.testing.assert_allclose(
        G[:300, :300] / norms / norms[:, None], (A / norms).T @ (A / norms), atol=close
    )
    np.testing.assert_array_equal(G, G.T)
    assert not G[300:].any()


# -- a path by products with sparse columns -----------------------------------------------------------------


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("back", [False, True])
def test_a_path_leaves_the_gram_matrix_where_products_are_cheaper_and_comes_back_where_they_are_not(
    positive: bool, back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    X = sp.random(400, 1500, 0.02, "csc", rng=rng)
    y = X[:, :30] @ np.abs(rng.standard_normal(30)) + 0.05 * rng.standard_normal(400)
    problem = Problem(sp.csc_array(X), y, intercept=True, positive=positive, l2=1e-4)
    l1s = grid(problem, 40, 1e-2)
    plain = solve_path(problem, l1s, stop=Stop(1e-9))
    # As if a factor cost so much; or products so little, which then run out of what they may cost
    monkeypatch.setattr(products, *(("TOUCHES", 0.0) if back else ("DENSE", 1e3)))
    used = []
    solve_block = products.Products.solve

    def watched(self: Any, *given: Any) -> Any:
        used.append(solve_block(self, *given))
        return used[-1]

    monkeypatch.setattr(products.Products, "solve", watched)
    path = solve_path(problem, l1s, stop=Stop(1e-9))
    assert sum((found is None) is back for found in used) >= (1 if back else 3)
    for l1, one, other in zip(l1s, path, plain, strict=True):
        certificate = certify(problem.replace(l1=l1), one.coef, one.intercept)
        assert certificate.gap is not None
        assert one.status is Status.CONVERGED
        assert certificate.gap <= 1e-9 * certificate.scale + 2 * certificate.radius
        np.testing.assert_allclose(one.coef, other.coef, atol=1e-3 * np.abs(other.coef).max() + 1e-12)


@pytest.mark.parametrize("corner", [False, True])
@pytest.mark.parametrize("steps", [3, 200])
def test_conjugate_gradients_are_the_same_for_sparse_and_dense_columns(corner: bool, steps: int) -> None:
    rng = np.random.default_rng(7)
    X = rng.standard_normal((60, 30)) * (rng.random((60, 30)) < 0.3)
    y = rng.standard_normal(60)
    F = np.array([2, 3, 5, 7, 11, 13])
    b, lam2 = rng.standard_normal(6), np.full(6, 0.1)
    reach = np.full(6, np.inf)
    if corner:
        reach[2] = 1e-3 * np.sign(b[2])
    found = [
        newton_direction(
            Columns.of(Problem(make(X), y, l1=0.1, intercept=True)),
            F,
            b,
            lam2,
            np.full(6, 1e-12),
            reach,
            steps,
        )
        for make in (np.asfortranarray, sp.csc_array)
    ]
    (d, fit, *ended), (sparse_d, sparse_fit, *sparse_ended) = found
    assert ended == sparse_ended
    assert ended[1] == (steps == 3 and not corner)
    np.testing.assert_allclose(sparse_d, d, atol=1e-10)
    np.testing.assert_allclose(sparse_fit, fit, atol=1e-10)
    if ended[0]:
        A = (X - X.mean(axis=0))[:, F]
        np.testing.assert_allclose((A.T @ A + np.diag(lam2)) @ d, b, atol=1e-9)


# -- ridge by its Gram matrix -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(300, 40), (40, 300), (90, 90), (1, 5), (5, 1)])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_by_its_gram_matrix(shape: tuple[int, int], intercept: bool, weighted: bool) -> None:
    rng = np.random.default_rng(4)
    n, p = shape
    v = rng.uniform(0.5, 2.0, p) if weighted else None
    for order in "FC":
        X = np.array(rng.standard_normal(shape) + 1.0, order=order)  # type: ignore[call-overload]
        problem = Problem(X, rng.standard_normal(n), l2=0.1, intercept=intercept, penalty_weights=v)
        solution = ridge(problem, Stop(1e-9))
        if n == 1 and intercept:  # y is its own mean
            assert solution is None
            continue
        assert solution is not None
        A, z = (X - X.mean(axis=0), problem.y - problem.y.mean()) if intercept else (X, problem.y)
        wanted = np.linalg.solve(A.T @ A + np.diag(n * 0.1 * problem.v), A.T @ z)
        np.testing.assert_allclose(solution.coef, wanted, rtol=1e-9, atol=1e-11)
        certificate = certify(problem, solution.coef, solution.intercept)
        assert certificate.gap is not None
        assert certificate.gap <= 1e-9 * certificate.scale + 2 * certificate.radius


@pytest.mark.parametrize("seed", range(40))
def test_ridge_by_its_gram_matrix_never_claims_too_much(seed: int) -> None:
    rng = np.random.default_rng([seed, 5])
    n, p = int(rng.choice([2, 30, 200])), int(rng.choice([2, 30, 200]))
    X = (rng.standard_normal((n, p)) + rng.choice([0.0, 1e3, 1e8])) * 10.0 ** rng.integers(-5, 6, p)
    y = rng.standard_normal(n) + rng.choice([0.0, 1e5])
    problem = Problem(X, y, l2=10.0 ** rng.uniform(-12, 2), intercept=seed % 2 == 0)
    for tol in (1e-3, 1e-9, 1e-13):
        solution = solve(problem, "ridge_numpy", Stop(tol))
        certificate = certify(problem, solution.coef, solution.intercept)
        if solution.status is Status.CONVERGED:
            assert certificate.gap is not None
            assert certificate.gap <= 1.01 * tol * certificate.scale + certificate.radius


def test_means_that_would_cancel_take_the_careful_way() -> None:
    rng = np.random.default_rng(6)
    X = rng.standard_normal((50, 20)) + 1e9
    problem = Problem(X, rng.standard_normal(50), l2=0.1, intercept=True)
    assert ridge(problem, Stop(1e-9)) is None
    solution = solve(problem, "ridge_numpy", Stop(1e-9))
    assert solution.status is Status.CONVERGED


@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize("v", [0.0, np.inf])
def test_columns_without_a_finite_penalty_take_the_careful_way(l2: float, v: float) -> None:
    rng = np.random.default_rng(8)
    X = rng.standard_normal((30, 6))
    problem = Problem(X, rng.standard_normal(30), l2=l2, penalty_weights=[1.0, v, 1.0, 1.0, v, 1.0])
    assert ridge(problem, Stop(1e-9)) is None
    solution = solve(problem, "ridge_numpy", Stop(1e-9))
    assert solution.status is Status.CONVERGED
    assert np.isfinite(v) or not solution.coef[[1, 4]].any()


@pytest.mark.parametrize("l2", [1e-320, 1e-290, 1e290, 1e307])
@pytest.mark.parametrize("shape", [(30, 6), (6, 30)])
def test_penalties_near_the_ends_of_the_range(l2: float, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(9)
    X, y = rng.standard_normal(shape) * 1e50, rng.standard_normal(shape[0])
    for intercept in (False, True):
        problem = Problem(X, y, l2=l2, intercept=intercept)
        solution = solve(problem, "ridge_numpy", Stop(1e-9))
        certificate = certify(problem, solution.coef, solution.intercept)
        if solution.status is Status.CONVERGED:
            assert certificate.gap is not None
            assert certificate.gap <= 1.01e-9 * certificate.scale + certificate.radius


# -- a nearly square X: the Gram matrix is made when the working set is nearly complete ---------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("correlation", [0.0, 0.9, 0.9999])
def test_a_gram_matrix_made_late_costs_no_accuracy(
    correlation: float, positive: bool, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(11)
    common = rng.standard_normal((240, 1))
    X = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * rng.standard_normal((240, 300))
    X = np.asfortranarray(X, dtype=dtype)
    y = X[:, :25].sum(axis=1) + rng.standard_normal(240)
    problem = Problem(X, y, positive=positive, l1=1.0, intercept=True)
    problem = problem.replace(l1=problem.l1_max() / 20)  # of 50 and more all columns may enter at once
    made = []

    def counting(self: ActiveSet, may_round: bool = False) -> None:
        made.append(self.W.size)
        original(self, may_round)

    original = ActiveSet.make_gram
    monkeypatch.setattr(ActiveSet, "make_gram", counting)
    for late in (active_set.LATE, (np.inf, 0)):
        monkeypatch.setattr(active_set, "LATE", late)
        solution = solve(problem, "active_set_numba", Stop(tol=1e-12))
        assert solution.status is Status.CONVERGED
        assert (certify(problem, solution.coef, solution.intercept).gap_rel or 0.0) <= 2e-12
    first, second = made
    assert first > 0, "late: with columns in it"
    assert second == 0, "at once: to be extended by every column"


@pytest.mark.parametrize(
    ("n", "p", "waits"),
    [(200, 200, True), (400, 200, True), (410, 200, False), (100, 600, True), (100, 700, False)],
)
def test_which_shapes_wait_for_their_gram_matrix(n: int, p: int, waits: bool) -> None:
    X = np.asfortranarray(np.random.default_rng(0).standard_normal((n, p)))
    columns = Columns.of(Problem(X, X[:, 0], l1=0.1))
    assert ActiveSet(columns, Stop(), once=True).waits is waits
    assert not ActiveSet(columns, Stop()).waits, "a path has one from the start"


# -- ridge without a matrix: the smaller system, scaled by its diagonal --------------------------------------


@pytest.mark.parametrize("sparse", [False, True])
# Centring adds to every row what it takes from a large one, and no scaling of rows undoes that: not tried
@pytest.mark.parametrize(("apart", "intercept"), [("rows", False), ("columns", False), ("columns", True)])
def test_scales_far_apart_cost_no_iterations_on_the_larger_side(
    apart: str, intercept: bool, sparse: bool
) -> None:
    rng = np.random.default_rng(5)
    wide = rng.standard_normal((60, 400)) * (rng.random((60, 400)) < 0.3)
    y = rng.standard_normal(60)
    if apart == "rows":  # wide data whose rows differ; tall data whose columns do
        wide *= 10.0 ** rng.uniform(-2, 2, (60, 1))
        X, weights = wide, None
    else:
        X, weights = wide.T * 1.0, rng.random(400)
        y = X @ rng.standard_normal(60) + rng.standard_normal(400)
    problem = Problem(
        sp.csc_array(X) if sparse else X, y, l2=1e-3 * X.shape[1] / X.shape[0],
        intercept=intercept, sample_weight=weights,
    )  # fmt: skip
    solution = solve(problem, "ridge_cg_numpy", Stop(tol=1e-12))
    assert solution.status is Status.CONVERGED
    assert (certify(problem, solution.coef, solution.intercept).gap_rel or 0.0) <= 1e-12
    assert solution.n_iter <= 60, "as many as there are unknowns in the smaller system, at most"


def test_a_wide_ridge_with_an_unpenalised_column_goes_by_columns() -> None:
    rng = np.random.default_rng(6)
    X, v = rng.standard_normal((20, 50)), np.ones(50)
    v[3] = 0.0
    problem = Problem(X, rng.standard_normal(20), l2=0.1, penalty_weights=v, intercept=True)
    solution = solve(problem, "ridge_cg_numpy", Stop(tol=1e-12))
    assert solution.status is Status.CONVERGED
    assert (certify(problem, solution.coef, solution.intercept).gap_rel or 0.0) <= 1e-12
