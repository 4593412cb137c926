"""Equivalent problems with other columns, or with the same data stored otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from solvers import Problem

from ..proofs.exact import Unproven, optimum
from .relations_symmetry import scaled_columns
from .twins import Twin, relation, times

Vector = NDArray[np.float64]


def beside(problem: Problem, parts: Sequence[Any]) -> Any:
    """Blocks of columns beside each other, in the problem's own layout and dtype."""
    dtype = problem.X.dtype
    if problem.is_sparse:
        blocks: list[Any] = [sp.csc_array(part) for part in parts]
        return sp.hstack(blocks).asformat(problem.layout).astype(dtype)
    return np.asarray(np.hstack(parts), dtype=dtype, order="F" if problem.layout == "F" else "C")


def inserted(problem: Problem, columns: Sequence[Vector], at: int, v: Sequence[float]) -> Problem:
    """The problem with columns of those penalty weights put in before column `at`."""
    X = beside(problem, [problem.X[:, :at], np.column_stack(columns), problem.X[:, at:]])
    plain = problem.penalty_weights is None and all(x == 1.0 for x in v)
    weights = None if plain else np.insert(problem.v, at, v)
    return problem.replace(X=X, penalty_weights=weights)


def _column(problem: Problem, j: int) -> Vector:
    x = problem.X[:, [j]]
    return np.asarray(x.toarray() if problem.is_sparse else x, dtype=np.float64).ravel()


def _without(at: int, w: Vector, b: float) -> tuple[Vector, float]:
    return np.delete(w, at), b


def _constant_to_intercept(at: int, value: float, w: Vector, b: float) -> tuple[Vector, float]:
    return np.delete(w, at), b + value * float(w[at])


def _folded(origin: int, at: int, w: Vector, b: float) -> tuple[Vector, float]:
    folded = np.delete(w, at)
    folded[origin] += w[at]
    return folded, b


@relation("a column of zeros changes nothing")
def zero_column(problem: Problem) -> Iterator[Twin]:
    """First, in the middle, last."""
    for at in (0, problem.p // 2, problem.p):
        twin = inserted(problem, [np.zeros(problem.n)], at, [1.0])
        yield Twin(twin, partial(_without, at), f"before column {at}")


@relation("a constant column changes nothing beside an intercept")
def constant_column(problem: Problem) -> Iterator[Twin]:
    """It is zero once centred, but 0.1 has no exact mean."""
    if problem.intercept and problem.l1 + problem.l2 > 0:
        for at, value in ((0, 0.1), (problem.p, -3.0)):
            twin = inserted(problem, [np.full(problem.n, value)], at, [1.0])
            yield Twin(twin, partial(_constant_to_intercept, at, value), f"{value} before column {at}")


@relation("a column of infinite penalty weight is not there")
def fixed_column(problem: Problem) -> Iterator[Twin]:
    """The response itself as a column, forbidden."""
    for at in (0, problem.p):
        twin = inserted(problem, [problem.y], at, [np.inf])
        yield Twin(twin, partial(_without, at), f"before column {at}")


@relation("a column given twice changes nothing for an L1 penalty")
def duplicate_column(problem: Problem) -> Iterator[Twin]:
    """The copies' coefficients add up; an L2 penalty would be halved by them."""
    if problem.l2 == 0 and problem.l1 > 0:
        for j, at in ((0, problem.p), (problem.p - 1, 0), (0, 1)):
            twin = inserted(problem, [_column(problem, j)], at, [float(problem.v[j])])
            origin = j if at > j else j + 1
            place = origin if at > origin else origin - 1
            yield Twin(twin, partial(_folded, place, at), f"column {j} again before column {at}")


@relation("a free sign is a positive problem on [X, -X]")
def split_signs(problem: Problem) -> Iterator[Twin]:
    """Its coefficients are the differences."""
    if problem.positive or problem.l1 + problem.l2 == 0:
        return
    negative = scaled_columns(problem.X, -np.ones(problem.p))
    X = beside(problem, [problem.X, negative])
    v = None if problem.penalty_weights is None else np.tile(problem.v, 2)
    p = problem.p
    twin = problem.replace(X=X, penalty_weights=v, positive=True)
    yield Twin(twin, lambda w, b: (w[:p] - w[p:], b))


@relation("where the optimum is positive, asking for it changes nothing")
def positive_where_free(problem: Problem) -> Iterator[Twin]:
    """Columns turned so that no exact coefficient is negative."""
    if problem.positive:
        return
    try:
        best = optimum(problem)
    except Unproven:
        return
    sign = np.where(best.coef < 0, -1.0, 1.0)
    twin = problem.replace(X=scaled_columns(problem.X, sign), positive=True)
    yield Twin(twin, times(sign))


@relation("columns that are zero at the optimum may be left out")
def left_out_columns(problem: Problem) -> Iterator[Twin]:
    """Those proven to be zero, every second of them, then all."""
    try:
        best = optimum(problem)
    except Unproven:
        return
    zeros = np.flatnonzero((best.low == 0) & (best.high == 0)) if best.unique else np.zeros(0, dtype=int)
    for words, out in (("every second", zeros[::2]), ("all", zeros)):
        kept = np.setdiff1d(np.arange(problem.p), out)
        if out.size and kept.size:
            v = None if problem.penalty_weights is None else problem.v[kept]
            twin = problem.replace(X=problem.X[:, kept], penalty_weights=v)
            yield Twin(twin, partial(_spread, problem.p, kept), words)


def _spread(p: int, kept: NDArray[np.int64], w: Vector, b: float) -> tuple[Vector, float]:
    coef = np.zeros(p)
    coef[kept] = w
    return coef, b


@relation("v times c, with l1 and l2 over c, changes nothing")
def penalty_units(problem: Problem) -> Iterator[Twin]:
    """Only v l1 and v l2 count."""
    if problem.l1 + problem.l2 > 0:
        for c in (4.0, 2.0**-20):
            changes = {"l1": problem.l1 / c, "l2": problem.l2 / c}
            yield Twin(problem.replace(penalty_weights=problem.v * c, **changes), words=f"c = {c:.3g}")


@relation("dense or sparse, the answer is the same")
def dense_as_sparse(problem: Problem) -> Iterator[Twin]:
    """Each in the other's layouts; stored zeros; indices of 64 bits."""
    A = problem.X.toarray() if problem.is_sparse else np.asarray(problem.X)
    if problem.is_sparse:
        yield Twin(problem.replace(X=np.asfortranarray(A)), words="F")
        yield Twin(problem.replace(X=np.ascontiguousarray(A)), words="C")
    for words, make in (("csc", sp.csc_array), ("csr", sp.csr_array)):
        yield Twin(problem.replace(X=make(A)), words=words)
    full = sp.csc_array(np.where(A == 0, 1.0, A))  # every entry stored
    full.data[:] = A.ravel(order="F")
    yield Twin(problem.replace(X=full), words="csc with its zeros stored")
    wide = sp.csc_array(A)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    yield Twin(problem.replace(X=wide), words="csc with 64-bit indices")


@relation("the memory layout changes nothing")
def memory_layout(problem: Problem) -> Iterator[Twin]:
    """Row by row, column by column, and cut out of a larger array."""
    X = problem.X
    if problem.is_sparse:
        other: Any = X.tocsr() if problem.layout == "csc" else X.tocsc()
        yield Twin(problem.replace(X=other), words=other.format)
        return
    turned = np.ascontiguousarray(X) if problem.layout == "F" else np.asfortranarray(X)
    yield Twin(problem.replace(X=turned), words="the other order")
    larger = np.full((2 * problem.n, problem.p + 3), 7.0, dtype=X.dtype)
    larger[::2, 1:-2] = X
    yield Twin(problem.replace(X=larger[::2, 1:-2]), words="a strided view")


@relation("float32 data that are exact give the same answer, within the bound of float32")
def single_precision(problem: Problem) -> Iterator[Twin]:
    """Every entry has less than 24 bits; what is asked is then no less than the tier 1e-6."""
    yield Twin(problem.replace(X=problem.X.astype(np.float32)))
