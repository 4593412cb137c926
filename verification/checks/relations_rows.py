"""Equivalent problems with other rows: weights, penalties and the intercept written as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp

from solvers import Problem

from .draws import bases
from .relations_columns import beside
from .relations_symmetry import taken
from .twins import Twin, relation, shifted


def stacked(problem: Problem, X: Any, y: Any, s: Any = None, **changes: Any) -> Problem:
    """The problem with further rows below its own, in its own layout and dtype."""
    rows: Any
    if problem.is_sparse:
        blocks: list[Any] = [problem.X, sp.csr_array(X)]
        rows = sp.vstack(blocks).asformat(problem.layout)
    else:
        rows = np.asarray(np.vstack([problem.X, X]), order="F" if problem.layout == "F" else "C")
    weights = None if s is None and problem.sample_weight is None else np.append(problem.s, s)
    changes = {"sample_weight": weights} | changes
    return problem.replace(X=rows.astype(problem.X.dtype), y=np.append(problem.y, y), **changes)


def weighted_otherwise() -> list[Problem]:
    """The fixed problems with weights, and with others: there S is n, here half of it and twice it."""
    weighted = [problem for problem in bases() if problem.sample_weight is not None]
    return [
        *weighted,
        *(problem.replace(sample_weight=problem.s * (problem.s != 3)) for problem in weighted),
        *(problem.replace(sample_weight=2 * problem.s) for problem in weighted),
    ]


@relation("whole sample weights equal repeated rows", on=weighted_otherwise)
def repeated_rows(problem: Problem) -> Iterator[Twin]:
    """Each row as often as its weight says."""
    if problem.sample_weight is not None:
        order = np.repeat(np.arange(problem.n), problem.s.astype(int))
        yield Twin(problem.replace(X=problem.X[order], y=problem.y[order], sample_weight=None))


@relation("a row of weight 0 is not there")
def absent_rows(problem: Problem) -> Iterator[Twin]:
    """Left out where it has weight 0; put in, with any content, where there are no weights."""
    if problem.sample_weight is not None:
        order = np.flatnonzero(problem.s)
        s = taken(problem.sample_weight, order)
        yield Twin(problem.replace(X=problem.X[order], y=problem.y[order], sample_weight=s), words="left out")
        return
    far = np.full((2, problem.p), 64.0)
    yield Twin(stacked(problem, far, (1024.0, -1024.0), np.zeros(2)), words="put in")


@relation("every row twice changes nothing")
def doubled_rows(problem: Problem) -> Iterator[Twin]:
    """The loss is a mean."""
    order = np.tile(np.arange(problem.n), 2)
    s = taken(problem.sample_weight, order)
    yield Twin(problem.replace(X=problem.X[order], y=problem.y[order], sample_weight=s), words="below")
    order = np.repeat(np.arange(problem.n), 2)
    s = taken(problem.sample_weight, order)
    yield Twin(problem.replace(X=problem.X[order], y=problem.y[order], sample_weight=s), words="side by side")


def augmented(problem: Problem) -> Problem:
    """The same objective with the L2 penalty written as rows.

    With k such that 4^k n rows are enough, y and X are multiplied by 2^k and a row with 2^k sqrt(S l2 v_j)
    in column j is added for each j, then rows of zeros up to a weight of 4^k S in all. Every number is exact
    where S l2 and v_j are squares.
    """
    v = np.where(np.isfinite(problem.v), problem.v, 0.0)
    k = 1
    while (4**k - 1) * problem.S < problem.p:
        k += 1
    extra = np.zeros((round((4**k - 1) * problem.S), problem.p))
    extra[np.arange(problem.p), np.arange(problem.p)] = np.sqrt(problem.S * problem.l2 * v)
    larger = stacked(problem, extra, np.zeros(len(extra)), np.ones(len(extra)), l2=0.0)
    weights = None if problem.sample_weight is None else larger.sample_weight
    return larger.replace(X=larger.X * 2.0**k, y=larger.y * 2.0**k, sample_weight=weights)


@relation("an elastic net is a lasso on augmented data")
def augmented_lasso(problem: Problem) -> Iterator[Twin]:
    """Zou and Hastie's Lemma 1 [zou2005], without their rescaling."""
    if problem.l1 > 0 and problem.l2 > 0 and not problem.intercept:
        yield Twin(augmented(problem))


@relation("a ridge is least squares on augmented data")
def augmented_least_squares(problem: Problem) -> Iterator[Twin]:
    """The L2 penalty as rows."""
    if problem.l1 == 0 and problem.l2 > 0 and not problem.intercept:
        yield Twin(augmented(problem))


@relation("an intercept is the same as centred data")
def centred_data(problem: Problem) -> Iterator[Twin]:
    """Weighted means taken off y and each column; exact, for S is a power of two."""
    if problem.intercept:
        X = problem.X.toarray() if problem.is_sparse else problem.X
        means, y_mean = problem.s @ X / problem.S, float(problem.s @ problem.y / problem.S)
        twin = problem.replace(X=np.asfortranarray(X - means), y=problem.y - y_mean, intercept=False)
        yield Twin(twin, shifted(lambda w: y_mean - float(means @ w)))


@relation("an intercept is the same as a column of ones that is not penalised")
def column_of_ones(problem: Problem) -> Iterator[Twin]:
    """Last, and first; not where coefficients must be >= 0."""
    if not problem.intercept or problem.positive:
        return
    ones = np.ones((problem.n, 1))
    for words, at in (("last", problem.p), ("first", 0)):
        X = beside(problem, [problem.X[:, :at], ones, problem.X[:, at:]])
        v = np.insert(problem.v, at, 0.0)
        twin = problem.replace(X=X, penalty_weights=v, intercept=False)
        yield Twin(twin, lambda w, b, at=at: (np.delete(w, at), float(w[at])), words)  # type: ignore[misc]
