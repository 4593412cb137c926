"""Answers that must be right: every penalty, shape, storage and option of (P)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import scipy.sparse as sp

from solvers import Problem

from ..problems.known_answer import known_answers
from .answers import right
from .draws import Kind, bases, short

RATIOS = (3, 10, 100)
HARD = ("ill_conditioned", "worst_path")  # condition numbers of 1e5 and more


def lassos(n: int, p: int, ratios: tuple[int, ...] = RATIOS, **options: object) -> Iterator[Problem]:
    """The lasso at several l1, with and without an intercept."""
    for k, (ratio, intercept) in enumerate(product(ratios, (False, True))):
        yield Kind(n, p, "lasso", ratio, intercept, seed=k, **options).problem()  # type: ignore[arg-type]


@right("on the fixed list that the relations use")
def right_bases() -> Iterator[Problem]:
    """Every regime and option."""
    yield from bases()


@right("with more rows than columns, at l1_max / 3, / 10 and / 100")
def right_tall() -> Iterator[Problem]:
    """Dense lassos."""
    yield from lassos(32, 8)
    yield from lassos(64, 20, layout="C")


@right("with more columns than rows, at l1_max / 3, / 10 and / 100")
def right_wide() -> Iterator[Problem]:
    """Dense lassos."""
    yield from lassos(16, 40)
    yield from lassos(16, 24, layout="C")


@right("with as many columns as rows")
def right_square() -> Iterator[Problem]:
    """Dense, n = p and one more or less."""
    for p in (15, 16, 17):
        yield from lassos(16, p, (3, 10))


@right("with many rows")
def right_many_rows() -> Iterator[Problem]:
    """Thousands."""
    yield from lassos(2048, 6, (3, 100))
    yield from lassos(8192, 3, (10,))


@right("with many columns")
def right_many_columns() -> Iterator[Problem]:
    """A thousand."""
    yield from lassos(32, 300, (3, 10))
    yield from lassos(32, 1200, (3,))


@right("on sparse data")
def right_sparse() -> Iterator[Problem]:
    """By columns and by rows; with empty columns and rows, a full column, and a single entry in one."""
    for layout in ("csc", "csr"):
        yield from lassos(64, 24, layout=layout)
        base = Kind(64, 24, "lasso", 10, layout=layout).problem()
        A = base.X.toarray()
        A[:, [0, 7, 23]] = 0.0
        A[[0, 5, 63], :] = 0.0
        A[:, 3] = A[:, 3] + 1.0
        A[:, 11] = 0.0
        A[9, 11] = 2.0
        X = sp.csc_array(A) if layout == "csc" else sp.csr_array(A)
        for intercept in (False, True):
            yield base.replace(X=X, intercept=intercept, name=f"{base.name}, with empty columns and rows")


@right("for ridge")
def right_ridge() -> Iterator[Problem]:
    """Both shapes, and sparse."""
    for (n, p), intercept in product(((32, 8), (16, 40), (16, 16)), (False, True)):
        for seed, factor in enumerate((1.0, 1 / 16)):
            problem = Kind(n, p, "ridge", intercept=intercept, seed=seed).problem()
            yield problem.replace(l2=problem.l2 * factor)
    for layout in ("csc", "csr"):
        yield Kind(64, 24, "ridge", intercept=True, layout=layout).problem()


@right("for the elastic net")
def right_elastic_net() -> Iterator[Problem]:
    """Both shapes, more of one penalty or of the other."""
    for (n, p), ratio, intercept in product(((32, 8), (16, 40)), RATIOS, (False, True)):
        problem = Kind(n, p, "enet", ratio, intercept, seed=ratio).problem()
        yield problem
        yield problem.replace(l2=problem.l2 / 64)


@right("for least squares")
def right_least_squares() -> Iterator[Problem]:
    """Tall: wide ones have no single answer."""
    for seed, intercept in product(range(3), (False, True)):
        yield Kind(32, 8, "ols", intercept=intercept, seed=seed).problem()
    yield Kind(64, 8, "ols", intercept=True, layout="csc").problem()


@right("with sample weights")
def right_sample_weights() -> Iterator[Problem]:
    """Whole ones with zeros, and others, far from each other."""
    for penalty, intercept in product(("lasso", "ridge", "enet"), (False, True)):
        problem = Kind(32, 8, penalty, intercept=intercept, weighted=True).problem()
        yield problem
        yield problem.replace(sample_weight=2.0 ** (np.arange(32) % 9 - 4.0))
    yield Kind(64, 24, "lasso", intercept=True, weighted=True, layout="csc").problem()


@right("with penalty weights, 0 and inf among them")
def right_penalty_weights() -> Iterator[Problem]:
    """Dense and sparse."""
    for penalty, intercept in product(("lasso", "ridge", "enet"), (False, True)):
        problem = Kind(32, 8, penalty, intercept=intercept, v=True).problem()
        yield problem
        yield problem.replace(penalty_weights=np.resize((0.5, 1.0, 3.0, 0.125), 8))
    yield Kind(64, 24, "lasso", intercept=True, v=True, layout="csr").problem()


@right("where coefficients must not be negative")
def right_positive() -> Iterator[Problem]:
    """Every penalty, and none."""
    for penalty, intercept in product(("lasso", "ridge", "enet", "ols"), (False, True)):
        yield Kind(32, 8, penalty, intercept=intercept, positive=True).problem()
    yield Kind(16, 40, "lasso", intercept=True, positive=True).problem()
    yield Kind(64, 24, "lasso", positive=True, layout="csc").problem()


@right("with an intercept, wherever y and X lie")
def right_intercept() -> Iterator[Problem]:
    """Both far from zero, on either side; the intercept of either sign."""
    for penalty, shift in product(("lasso", "ridge", "enet"), (-64.0, 0.0, 64.0, 4096.0)):
        problem = Kind(32, 8, penalty, intercept=True).problem()
        yield problem.replace(y=problem.y + shift)
        yield problem.replace(X=problem.X + 4.0, y=problem.y - shift)
    sparse = Kind(64, 24, "lasso", intercept=True, layout="csc").problem()
    yield sparse.replace(y=sparse.y - 100.0)


@right("without an intercept, wherever y and X lie")
def right_through_the_origin() -> Iterator[Problem]:
    """Nothing may be centred."""
    for penalty, shift in product(("lasso", "ridge", "enet"), (-8.0, 8.0)):
        problem = Kind(32, 8, penalty).problem()
        shifted = problem.replace(y=problem.y + shift, X=problem.X + 0.5)
        yield shifted.replace(l1=short(shifted.l1_max() / 10) if problem.l1 else 0.0)


@right("in closed form or by construction: the answers known in advance")
def right_known_answers() -> Iterator[Problem]:
    """verification/problems/known_answer.py, but for what a slow method has an excuse for."""
    for name, known in known_answers().items():
        if not name.startswith(HARD):
            yield known.load().problem.replace(name=name)
