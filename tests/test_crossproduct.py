"""Products of columns with columns, A_a'B_b: the compiled loop, the BLAS, and what is made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from solvers import Problem, Stop, solve, solve_path
from solvers import _crossproduct as crossproduct
from solvers._columns import Columns
from solvers._crossproduct import Crossproduct
from solvers._threads import Team
from solvers.path import grid
from verification import certify

EPS = {np.float64: 2.0**-52, np.float32: 2.0**-23}


def reference(A: Any, a: Any, B: Any, b: Any) -> tuple[Any, Any]:
    """A_a'B_b in extended precision, and |A_a|'|B_b|, which bounds what rounding may do to it."""
    left, right = (M[:, c].astype(np.longdouble) for M, c in ((A, a), (B, b)))
    return left.T @ right, (np.abs(left).T @ np.abs(right)).astype(np.float64)


@pytest.fixture(params=[False, True], ids=["BLAS", "compiled"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Either way for every number of rows, whatever the processor."""
    monkeypatch.setattr(crossproduct, "REGISTERS", request.param)
    monkeypatch.setattr(crossproduct, "LONG", (0, 0))
    return bool(request.param)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("n", "K", "L"), [(1, 1, 1), (7, 5, 3), (300, 12, 40), (2500, 43, 101), (4096, 3, 10)]
)
def test_products_of_chosen_columns_are_right(n: int, K: int, L: int, dtype: Any, way: bool) -> None:
    rng = np.random.default_rng(1)
    A = np.asfortranarray(rng.standard_normal((n, 60)).astype(dtype))
    B = np.asfortranarray(rng.standard_normal((n, 110)).astype(dtype))
    a, b = rng.permutation(60)[:K], rng.permutation(110)[:L]
    for same in (False, True):
        whole = Crossproduct(a, None if same else b, n, dtype)
        whole.add(A, None if same else B)
        parts = Crossproduct(a, None if same else b, n, dtype)
        for lo, hi in ((0, n // 3), (n // 3, n // 2), (n // 2, n)):
            parts.add(A, None if same else B, lo, hi)
        right, size = reference(A, a, A if same else B, a if same else b)
        for found in (whole, parts):
            assert found.compiled is way
            assert found.sum.dtype == dtype
            assert np.all(np.abs(found.sum - right) <= (n + 5) * EPS[dtype] * size)
            if same:
                np.testing.assert_array_equal(found.sum, found.sum.T)


def test_few_rows_and_few_registers_are_left_to_the_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    cols, few = np.arange(4), crossproduct.LONG[0]
    monkeypatch.setattr(crossproduct, "REGISTERS", True)
    assert Crossproduct(cols, None, few, np.float64).compiled
    assert not Crossproduct(cols, None, few - 1, np.float64).compiled
    assert not Crossproduct(cols, cols, few, np.float64).compiled
    assert not Crossproduct(cols, None, few, np.float64, aligned=False).compiled
    monkeypatch.setattr(crossproduct, "REGISTERS", False)
    assert not Crossproduct(cols, None, few, np.float64).compiled


@pytest.mark.parametrize("mean", [0.0, 1.0, 20.0, 100.0])
@pytest.mark.parametrize("threads", [1, 2])
def test_columns_are_multiplied_where_they_lie_unless_their_means_are_large(
    mean: float, threads: int, way: bool
) -> None:
    rng = np.random.default_rng(2)
    X = np.asfortranarray(rng.standard_normal((1500, 700)) * 10.0 ** rng.uniform(-3, 3, 700))
    X += mean * X.std(axis=0)
    columns = Columns.of(Problem(X, rng.standard_normal(1500), l1=0.1, intercept=True), team=Team(threads))
    assert columns.direct is (way and mean < 100)
    A = np.asarray(X - X.mean(axis=0, dtype=np.longdouble))
    norms = np.linalg.norm(A.astype(np.float64), axis=0)
    A /= norms
    cols, places = rng.permutation(700)[:600], rng.permutation(600)[:90]
    right = (A[:, cols].T @ A[:, cols]).astype(np.float64)
    close = 1e-13 * (1 + mean**2 if columns.direct else 1)
    n = norms[cols]
    G = np.zeros((610, 610))
    columns.fresh_gram(cols, G, np.empty((600, 600)))
    np.testing.assert_allclose(G[:600, :600] / n / n[:, None], right, atol=close)
    block = columns.gram_block(cols, places, np.dtype(np.float64))
    np.testing.assert_allclose(block / n / n[places, None], right[places], atol=close)
    R = np.asfortranarray(rng.standard_normal((1500, 7)))
    for chosen in (None, cols):
        found = columns.dots_block(R, chosen)
        at = slice(None) if chosen is None else chosen
        expected = (A.T @ (R - R.mean(axis=0)))[at].astype(np.float64)
        np.testing.assert_allclose(found / norms[at][:, None], expected, atol=1e-11 * (1 + mean))
    W = rng.standard_normal((7, 600)) / n * (rng.random(600) < 0.7)
    fit = (A[:, cols] @ (W * n).T).astype(np.float64)
    np.testing.assert_allclose(columns.products(cols, W), fit, atol=1e-12 * (1 + mean) * np.abs(fit).max())


@pytest.mark.parametrize("mean", [0.0, 20.0, 100.0])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("p", [90, 600])
def test_solutions_and_paths_are_certified_either_way(
    p: int, intercept: bool, mean: float, way: bool
) -> None:
    rng = np.random.default_rng(3)
    X = np.asfortranarray(rng.standard_normal((1200, p)) + mean)
    X[:, p // 2 :: 7] = X[:, :1]  # the same column again and again
    y = X[:, :20] @ rng.standard_normal(20) + rng.standard_normal(1200)
    problem = Problem(X, y, intercept=intercept)
    l1s = grid(problem, 12, 1e-2)
    points = solve_path(problem, l1s, stop=Stop(1e-10))
    points.append(solve(problem.replace(l1=l1s[-1]), "active_set_numba", Stop(1e-10)))
    for l1, one in zip([*l1s, l1s[-1]], points, strict=True):
        certificate = certify(problem.replace(l1=l1), one.coef, one.intercept)
        assert certificate.gap is not None
        assert certificate.gap <= 1e-10 * certificate.scale + 2 * certificate.radius


@pytest.mark.parametrize("layout", ["F", "C"])
def test_of_no_columns_there_are_no_products(layout: Any, way: bool) -> None:
    rng = np.random.default_rng(4)
    X = np.asarray(rng.standard_normal((400, 600)), order=layout)
    columns = Columns.of(Problem(X, rng.standard_normal(400), l1=0.1, intercept=True))
    none, some = np.empty(0, dtype=np.intp), np.arange(3)
    assert [A.shape for _, A in columns.row_blocks(none, np.dtype(np.float64))] == [(400, 0)]
    assert columns.gram_block(some, none, np.dtype(np.float64)).shape == (0, 3)
    assert columns.gram_block(none, none, np.dtype(np.float64)).shape == (0, 0)
    assert columns.dots_block(np.asfortranarray(rng.standard_normal((400, 2))), none).shape == (0, 2)
    np.testing.assert_array_equal(columns.products(none, np.empty((2, 0))), np.zeros((400, 2)))
