"""Level "rigorous": never below the truth in rationals, tight, finite, and through both of its paths."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from flint import fmpq
from numpy.typing import NDArray

from solvers import Problem
from verification import certify
from verification.campaigns.exact_reference import ExactProblem, rational
from verification.campaigns.random_problems import combinations, points, problem_of
from verification.proofs import _dot2, checker
from verification.proofs.exact import optimum
from verification.proofs.export import describe, exactly
from verification.proofs.rigorous import RigorousJudge

TIGHT = 1e-12  # of N, above the exact gap of the same dual point


def fraction(x: fmpq) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def truth(problem: Problem) -> tuple[ExactProblem, Fraction]:
    exact = ExactProblem(problem)
    return exact, fraction(exact.optimum().value)


def in_floats(problem: Problem) -> bool:
    return RigorousJudge(problem)._in_range


@pytest.mark.parametrize("part", range(6))
def test_never_below_the_truth(part: int) -> None:
    """Points at all distances: the rounded optimum, 1e-16 to 1e3 of it; scales of 1e+-140 among them."""
    trials = rng_part(part, 24)
    assert trials >= 200


def rng_part(part: int, many: int, seed: int = 3) -> int:
    """Check all points of some problems; returns how many."""
    rng = np.random.default_rng([seed, part])
    done = 0
    for i in rng.choice(len(combinations()), many, replace=False):
        problem = problem_of(combinations()[i], part)
        exact, best = truth(problem)
        judge = RigorousJudge(problem)
        for w, b in itertools.islice(points(problem, exact.optimum(), rng), 0, None, 2):
            rough = certify(problem, w, b)
            proven = judge.certify(w, b)
            if rough.gap is None:
                assert proven.gap is None
                continue
            value = fraction(exact.objective([rational(x) for x in w], rational(b)))
            assert proven.gap is not None
            assert proven.radius is not None
            assert proven.dual is not None
            assert np.isfinite(proven.gap)
            assert Fraction(proven.gap) >= value - best
            assert Fraction(proven.dual) <= best
            assert abs(Fraction(proven.primal) - value) <= Fraction(proven.radius)
            done += 1
    return done


def cases() -> dict[str, Problem]:
    rng = np.random.default_rng(8)
    X = rng.standard_normal((40, 25))
    y = X[:, :5] @ rng.standard_normal(5) + rng.standard_normal(40)
    l1 = Problem(X, y, intercept=True).l1_max() / 10
    s = rng.integers(0, 4, 40) / 4
    far = X + 1e6
    mixed = 10.0 ** rng.integers(-30, 30, 25)
    return {
        "lasso": Problem(X, y, l1=l1),
        "intercept": Problem(X, y, l1=l1, intercept=True),
        "C order": Problem(np.ascontiguousarray(X), y, l1=l1, intercept=True),
        "cancellation": Problem(far, y + 1e7, l1=l1, intercept=True),
        "weights": Problem(X, y, l1=l1, intercept=True, sample_weight=s),
        "v": Problem(
            X, y, l1=l1, penalty_weights=np.where(np.arange(25) == 3, np.inf, 1 + np.arange(25) / 7)
        ),
        "elastic net": Problem(X, y, l1=l1, l2=0.5, intercept=True),
        "ridge": Problem(X, y, l2=0.5, intercept=True),
        "positive": Problem(X, y, l1=l1, positive=True),
        "positive ridge": Problem(X, y, l2=0.1, positive=True),
        "csc": Problem(sp.csc_array(X * (rng.random(X.shape) < 0.4)), y, l1=l1, intercept=True),
        "csr": Problem(sp.csr_array(X * (rng.random(X.shape) < 0.4)), y, l1=l1),
        "float32": Problem(X.astype(np.float32), y, l1=l1),
        "mixed scales": Problem(X * mixed, y, l1=l1, penalty_weights=mixed),
    }


@pytest.mark.parametrize("name", cases())
def test_as_tight_as_promised(name: str) -> None:
    """At the rounded optimum the gap itself is far below 1e-12 N: the bound is its own looseness."""
    problem = cases()[name]
    assert in_floats(problem)
    judge = RigorousJudge(problem)
    found = optimum(problem, np.zeros(problem.p), cached=False)
    proven = judge.certify(found.coef, found.intercept)
    assert proven.gap is not None
    assert proven.radius is not None
    assert proven.gap <= TIGHT * proven.scale
    assert proven.radius <= TIGHT * proven.scale
    assert Fraction(proven.dual) <= Fraction(found.value_high)
    rng = np.random.default_rng(1)
    for size in (1e-8, 1e-4, 1.0):
        w = found.coef * (1 + size * rng.standard_normal(problem.p) * (not problem.positive))
        rough, proven = certify(problem, w, found.intercept), judge.certify(w, found.intercept)
        assert rough.gap is not None
        assert proven.gap is not None
        assert proven.gap <= rough.gap * (1 + 1e-9) + TIGHT * rough.scale


def test_as_tight_where_a_small_penalty_divides() -> None:
    """An error of u_j counts (u_j - l2_j w_j) / l2_j times in the bracket of a ridge column."""
    rng = np.random.default_rng(11)
    X = rng.standard_normal((400, 60)) + rng.standard_normal((400, 1))
    problem = Problem(X, X[:, :5].sum(axis=1) + rng.standard_normal(400), l2=1e-8, intercept=True)
    assert in_floats(problem)
    judge, exact = RigorousJudge(problem), exactly(describe(problem))
    found = optimum(problem, np.zeros(60), cached=False)
    w, b = found.coef * (1 + 1e-5 * rng.standard_normal(60)), found.intercept
    proven = judge.certify(w, b)
    assert proven.gap is not None
    gap = exact.primal({j: Fraction(x) for j, x in enumerate([*w.tolist(), b])})
    gap -= exact.dual(checker.Row(judge.theta(w, b)))
    assert gap > Fraction(proven.scale) / 1000  # far enough from the optimum
    assert 0 <= Fraction(proven.gap) - gap <= Fraction(TIGHT) * Fraction(proven.scale)


EXTREME = {
    "1e100": (2.0**332, 1.0),
    "1e-100": (2.0**-332, 1.0),
    "y 1e140": (1.0, 2.0**465),
    "y 1e-140": (1.0, 2.0**-465),
    "both": (2.0**300, 2.0**-300),
}


@pytest.mark.parametrize("name", EXTREME)
def test_far_scales_and_subnormals_go_through_rationals(name: str) -> None:
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((6, 4)), rng.standard_normal(6)
    x_scale, y_scale = EXTREME[name]
    problem = Problem(X * x_scale, y * y_scale, l1=0.05 * x_scale * y_scale, intercept=True)
    assert not in_floats(problem)
    exact, best = truth(problem)
    for w in (np.zeros(4), rng.standard_normal(4) * y_scale / x_scale, np.full(4, 5e-324)):
        proven = certify(problem, w, y_scale, level="rigorous")
        value = fraction(exact.objective([rational(x) for x in w], rational(y_scale)))
        assert proven.gap is not None
        assert Fraction(proven.gap) >= value - best


def test_unpenalised_columns_and_least_squares() -> None:
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((20, 6)), rng.standard_normal(20)
    for problem in (
        Problem(X, y, intercept=True),
        Problem(X, y, l1=0.05, penalty_weights=[0, 0, 1, 1, 1, 1]),
        Problem(X, y, positive=True),
        Problem(np.c_[X, X], y, intercept=True),
    ):
        found = optimum(problem, np.zeros(problem.p), cached=False)
        proven = certify(problem, found.coef, found.intercept, level="rigorous")
        assert proven.gap is not None
        assert proven.gap <= TIGHT * proven.scale
        assert Fraction(proven.dual) <= Fraction(found.value_high)


def test_zeros_are_zeros() -> None:
    problem = cases()["intercept"]
    found = optimum(problem, np.zeros(25), cached=False)
    rigorous = certify(problem, found.coef, found.intercept, level="rigorous")
    assert rigorous.certified_zeros.sum() == np.sum(found.coef == 0)
    assert not (rigorous.certified_zeros & (found.coef != 0)).any()
    moved = np.where(found.coef == 0, 1e-12, found.coef)
    proven = certify(problem, moved, found.intercept, level="rigorous")
    assert proven.false_features == np.sum(found.coef == 0)


def test_points_that_are_none_are_refused_as_by_float() -> None:
    proven = certify(Problem(np.eye(2), [1.0, 2.0], positive=True), [-1.0, 0.0], level="rigorous")
    assert proven.kind == "NONE"
    assert proven.level == "rigorous"


def dot_products() -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Ill-conditioned on purpose: large terms that cancel."""
    rng = np.random.default_rng(4)
    found = []
    for _ in range(50):
        x = rng.standard_normal(30) * 10.0 ** rng.integers(-8, 9, 30)
        q = rng.standard_normal(30) * 10.0 ** rng.integers(-8, 9, 30)
        x[-1], q[-1] = 1.0, -np.dot(x[:-1], q[:-1])
        found.append((x, q))
    return found


def test_sums_in_twice_the_precision_keep_their_promise() -> None:
    for x, q in dot_products():
        out, size = np.zeros(1), np.zeros(1)
        column, one = np.zeros(1, dtype=np.intp), np.ones(1)
        _dot2.correlate_dense(x[:, None], column, one, np.zeros(1), q, out, size)
        exact = sum((Fraction(a) * Fraction(b) for a, b in zip(x, q, strict=True)), Fraction(0))
        bound = 4.0 * 63**2 * 2.0**-106 * size[0] + 2.0**-52 * abs(out[0])
        assert abs(Fraction(out[0]) - exact) <= Fraction(bound)
        hi, lo, total = np.zeros(30), np.zeros(30), np.zeros(30)
        _dot2.subtract_dense(np.outer(q, x), np.arange(30), np.ones(30), x, True, hi, lo, total)
        for i in range(30):
            row = [Fraction(a) * Fraction(b) for a, b in zip(np.outer(q, x)[i], x, strict=True)]
            assert abs(Fraction(hi[i]) + Fraction(lo[i]) + sum(row)) <= Fraction(
                4.0 * 33**2 * 2.0**-106 * total[i]
            )


@pytest.mark.parametrize("n", [0, 1, 2, 30, 5000])
def test_totals_keep_their_promise(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(20):
        x = rng.standard_normal(n) * 10.0 ** rng.integers(-12, 13, n)
        x = np.append(x, -math.fsum(x) * (1 + 2.0**-50))  # what is left is far below the terms
        exact = sum(map(Fraction, x.tolist()), Fraction(0))
        total, size = _dot2.total(x)
        off = Fraction(2.0**-53) * abs(exact) + Fraction(4.0 * (n + 4) ** 2 * 2.0**-106 * size)
        assert abs(Fraction(total) - exact) <= off
        exact = sum(map(Fraction, np.abs(x).tolist()), Fraction(0))
        assert abs(Fraction(_dot2.total(np.abs(x))[0]) - exact) <= exact * Fraction(2.0**-52)


@pytest.mark.parametrize("layout", ["rows", "columns", "sparse"])
def test_sums_know_the_size_of_their_terms(layout: str) -> None:
    """And what they are: three columns of four, in other units, some terms of either sign."""
    rng = np.random.default_rng(5)
    X = rng.integers(-8, 9, (6, 4)) / 4.0
    columns, unit, w = np.array([0, 2, 3]), np.array([1.0, 2.0, 0.5]), np.array([1.5, -0.25, 3.0])
    terms = X[:, columns] * unit * w
    hi, lo, size = np.full(6, 2.0), np.zeros(6), np.ones(6)
    A = sp.csc_array(X)
    if layout == "sparse":
        _dot2.subtract_sparse(A.data, A.indices, A.indptr, columns, unit, w, hi, lo, size)
    else:
        _dot2.subtract_dense(X, columns, unit, w, layout == "rows", hi, lo, size)
    assert np.array_equal(hi + lo, 2.0 - terms.sum(axis=1))
    assert np.array_equal(size, 1.0 + np.abs(terms).sum(axis=1))
    q, shift = np.arange(6) - 2.5, np.array([0.5, 0.0, -1.0]) * (layout != "sparse")
    out, total = np.zeros(3), np.zeros(3)
    if layout == "sparse":
        _dot2.correlate_sparse(A.data, A.indices, A.indptr, columns, unit, q, out, total)
    else:
        _dot2.correlate_dense(X, columns, unit, shift, q, out, total)
    products = (X[:, columns] * unit - shift) * q[:, None]
    assert np.array_equal(out, products.sum(axis=0))
    assert np.array_equal(total, np.abs(products).sum(axis=0))
