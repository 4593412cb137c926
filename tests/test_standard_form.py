"""The reduction that our solvers start from, against an explicit dense one, and the gap that they claim."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from solvers import Problem, Status, Stop, solve
from solvers._standard_form import StandardForm, standard_form
from solvers._warm import rescaled

LAYOUTS = ("F", "C", "float32", "csc", "csr")


def data(layout: str, n: int = 23, p: int = 9) -> tuple[Any, np.ndarray]:
    rng = np.random.default_rng(7)
    X = np.where(rng.random((n, p)) < 0.6, np.round(rng.standard_normal((n, p)) * 64) / 64, 0.0)
    X[:, 4] = 2.5  # constant
    X[:, 5] = 0.0
    X[:, 6] = X[:, 1]
    y = rng.standard_normal(n)
    make = {"F": np.asfortranarray, "C": np.ascontiguousarray, "csc": sp.csc_array, "csr": sp.csr_array}
    return (X.astype(np.float32) if layout == "float32" else make[layout](X)), y


def weights(n: int = 23, p: int = 9) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    v = rng.uniform(0.5, 2.0, p)
    v[[0, 7]], v[2] = 0.0, np.inf
    return {"sample_weight": rng.integers(0, 4, n).astype(float), "penalty_weights": v}


def explicit(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """A and z as the definition says, dense."""
    X = np.asarray(problem.X.toarray() if problem.is_sparse else problem.X, dtype=np.float64)
    s, y = problem.s, problem.y
    if problem.intercept:
        X, y = X - s @ X / problem.S, y - s @ y / problem.S
    keep = np.isfinite(problem.v)
    return np.sqrt(s)[:, None] * X[:, keep], np.sqrt(s) * y


def value(form: StandardForm, w: np.ndarray) -> float:
    r = form.z - form.matvec(w)
    return float(0.5 * r @ r + form.lam1 @ np.abs(w) + 0.5 * form.lam2 @ w**2)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_products_norms_and_values_are_those_of_the_definition(
    layout: str, intercept: bool, weighted: bool
) -> None:
    X, y = data(layout)
    problem = Problem(X, y, l1=0.1, l2=0.2, intercept=intercept, **(weights() if weighted else {}))
    form = standard_form(problem)
    A, z = explicit(problem)
    rng = np.random.default_rng(9)
    w, r = rng.standard_normal(form.k), rng.standard_normal(problem.n)
    np.testing.assert_allclose(form.dense(), A, atol=1e-12)
    np.testing.assert_allclose(form.z, z, atol=1e-12)
    np.testing.assert_allclose(form.matvec(w), A @ w, atol=1e-12)
    if intercept:
        r -= np.sqrt(problem.s) * (np.sqrt(problem.s) @ r) / problem.S
    np.testing.assert_allclose(form.rmatvec(r), A.T @ r, atol=1e-11)
    np.testing.assert_allclose(form.norms_sq, (A**2).sum(axis=0), atol=1e-12)
    solution = form.solution(w, Status.CONVERGED, 1)
    objective = problem.objective(solution.coef, solution.intercept)
    np.testing.assert_allclose(problem.S * objective, value(form, w), rtol=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_constant_columns_are_exactly_zero_once_centred(layout: str) -> None:
    X, y = data(layout)
    form = standard_form(Problem(X, y, l1=0.1, intercept=True))
    assert form.norms_sq[4] == 0
    assert not form.dense()[:, 4].any()
    assert form.rmatvec(np.random.default_rng(0).standard_normal(23))[4] == 0


@pytest.mark.parametrize("layout", ["F", "csc"])
def test_rows_of_weight_zero_do_not_hide_a_constant_column(layout: str) -> None:
    X, y = data("C")
    X[:4] = 1e6
    X[4:, 3] = 0.1
    s = np.r_[np.zeros(4), np.ones(19)]
    form = standard_form(
        Problem(sp.csc_array(X) if layout == "csc" else X, y, intercept=True, sample_weight=s)
    )
    assert form.norms_sq[3] == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_nearly_constant_column_of_a_sparse_x_keeps_its_norm(layout: str) -> None:
    X, y = data(layout)
    dense = np.asarray(X.toarray() if sp.issparse(X) else X, dtype=np.float64)
    dense[:, 4] = 1.0
    dense[0, 4] = 1.0 + 2.0**-20
    X = type(X)(dense) if sp.issparse(X) else dense
    expected = 2.0**-40 * (1 - 1 / 23)
    form = standard_form(Problem(X, y, intercept=True))
    assert form.norms_sq[4] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("power", [-490, 490])
@pytest.mark.parametrize("sparse", [False, True])
def test_extreme_scales_change_nothing_but_the_scale(power: int, sparse: bool) -> None:
    X, y = data("csc" if sparse else "F")
    plain = standard_form(Problem(X, y, l1=0.01, l2=0.02, intercept=True))
    c = 2.0**power
    scaled = standard_form(Problem(X * c, y / c, l1=0.01, l2=0.02 * c * c, intercept=True))
    w = np.random.default_rng(1).standard_normal(9) * plain.norms_sq.astype(bool)
    r = plain.z - plain.matvec(w)
    there = scaled.start(w / c / c)
    gap = scaled.relative_gap(there, scaled.z - scaled.matvec(there))
    assert gap == pytest.approx(plain.relative_gap(w, r), rel=1e-10)
    back = scaled.solution(there, Status.CONVERGED, 0)
    np.testing.assert_allclose(back.coef, w / c / c, rtol=1e-14)


@pytest.mark.parametrize("c", [1e-250, 1e250])
def test_sample_weights_of_any_size(c: float) -> None:
    X, y = data("F")
    w = np.ones(9)
    gaps = []
    for s in (np.ones(23), np.full(23, c)):
        form = standard_form(Problem(X, y, l1=0.01, sample_weight=s, intercept=True))
        gaps.append(form.relative_gap(w, form.z - form.matvec(w)))
    assert gaps[1] == pytest.approx(gaps[0], rel=1e-12)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(("l1", "l2"), [(0.05, 0.0), (0.0, 0.05), (0.05, 0.05), (0.05, 1e-9)])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_gap_bounds_the_suboptimality_and_vanishes_at_the_optimum(
    positive: bool, l1: float, l2: float, weighted: bool
) -> None:
    X, y = data("F")
    problem = Problem(
        X, y + 1e8, l1=l1, l2=l2, positive=positive, intercept=True, **(weights() if weighted else {})
    )
    form = standard_form(problem)
    best = form.start(solve(problem, "semismooth_newton_numpy", Stop(tol=1e-12)).coef)
    optimum = value(form, best)
    assert form.relative_gap(best, form.z - form.matvec(best)) < 1e-10
    rng = np.random.default_rng(2)
    for size in 10.0 ** np.arange(-6, 2):
        w = best + size * rng.standard_normal(form.k)
        w = np.maximum(w, 0.0) if positive else w
        gap = form.gap(w, form.z - form.matvec(w))
        assert gap >= value(form, w) - optimum - 1e-12 * abs(optimum)


@pytest.mark.parametrize("positive", [False, True])
def test_null_is_the_optimum_exactly_from_l1_max_on(positive: bool) -> None:
    X, y = data("csc")
    problem = Problem(X, y, positive=positive, intercept=True, **weights())
    top = problem.l1_max()
    w = standard_form(problem.replace(l1=top * (1 + 1e-12))).null
    assert w is not None
    assert not w[~standard_form(problem.replace(l1=top)).free].any()
    assert standard_form(problem.replace(l1=top * (1 - 1e-6))).null is None


def test_no_column_at_all() -> None:
    for layout in LAYOUTS:
        X, y = data(layout)
        problem = Problem(X, y, l1=0.1, intercept=True, penalty_weights=np.full(9, np.inf))
        form = standard_form(problem)
        assert form.k == 0
        assert form.relative_gap(np.zeros(0), form.z) == 0


def test_rescaled_is_the_form_of_the_other_penalties() -> None:
    X, y = data("csc")
    problem = Problem(X, y, l1=0.1, l2=0.3, intercept=True, **weights())
    a = rescaled(standard_form(problem), l1=0.25, l2=2.0)
    b = standard_form(problem.replace(l1=0.025, l2=0.6))
    np.testing.assert_allclose(a.lam1, b.lam1, rtol=1e-15)
    np.testing.assert_allclose(a.lam2, b.lam2, rtol=1e-15)
    assert a.scale == b.scale


def test_nothing_of_the_problem_is_written_to() -> None:
    for layout in LAYOUTS:
        X, y = data(layout)
        problem = Problem(X, y, l1=0.1, intercept=True, **weights())
        before = problem.digest
        form = standard_form(problem)
        _ = form.scale, form.norms_sq, form.null
        assert problem.digest == before


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1e-130])
def test_several_points_go_back_as_each_of_them_does(scale: float, intercept: bool) -> None:
    rng = np.random.default_rng(9)
    X, y = data("F")
    v = np.ones(9)
    v[2] = np.inf  # not in the standard form
    form = standard_form(Problem(X * scale, y, l1=0.1, penalty_weights=v, intercept=intercept))
    assert (form.exponents is not None) is (scale != 1.0)
    W, found = np.array([5, 0, 3]), rng.standard_normal((4, 3))
    coefs, intercepts = form.back(W, found)
    for coef, b, w in zip(coefs, intercepts, found, strict=True):
        whole = np.zeros(form.k)
        whole[W] = w
        one = form.solution(whole, Status.CONVERGED, 1)
        np.testing.assert_array_equal(coef, one.coef)
        np.testing.assert_allclose(b, one.intercept, rtol=1e-12)
