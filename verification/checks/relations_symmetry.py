"""Symmetries of (P): permutations, signs, units, origins."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
import scipy.sparse as sp

from solvers import Problem

from .twins import Twin, relation, shifted, taken_from, times

SCALES = (2.0**30, 2.0**-30, 3.0)  # exact, for the data have few bits


def _minus(c: float, _: Any) -> float:
    return -c


def _orders(size: int, name: str) -> Iterator[tuple[str, Any]]:
    yield "reversed", np.arange(size)[::-1]
    yield "rotated by one", np.roll(np.arange(size), 1)
    yield "shuffled", np.random.default_rng(crc32(name.encode())).permutation(size)


def taken(a: Any, order: Any) -> Any:
    """Entries of a vector in another order; None stays None."""
    return None if a is None else a[order]


def scaled_columns(X: Any, c: Any) -> Any:
    """X with its columns multiplied by c (p,), in its own layout and dtype."""
    sparse: bool = sp.issparse(X)
    if sparse:
        return type(X)(X.multiply(c[None, :])).astype(X.dtype)
    return np.asarray(X * c.astype(X.dtype), order="K")


@relation("a permutation of the rows changes nothing")
def row_permutation(problem: Problem) -> Iterator[Twin]:
    """Rows of X, y and s in another order."""
    for words, order in _orders(problem.n, "rows"):
        s = taken(problem.sample_weight, order)
        yield Twin(problem.replace(X=problem.X[order], y=problem.y[order], sample_weight=s), words=words)


@relation("a permutation of the columns permutes the coefficients")
def column_permutation(problem: Problem) -> Iterator[Twin]:
    """Columns of X and v in another order."""
    for words, order in _orders(problem.p, "columns"):
        twin = problem.replace(X=problem.X[:, order], penalty_weights=taken(problem.penalty_weights, order))
        yield Twin(twin, taken_from(np.argsort(order)), words)


@relation("a column of the other sign has a coefficient of the other sign")
def column_signs(problem: Problem) -> Iterator[Twin]:
    """Every second column, then all, times -1."""
    if problem.positive:
        return
    for words, sign in (
        ("every second column", (-1.0) ** np.arange(problem.p)),
        ("every column", -np.ones(problem.p)),
    ):
        twin = problem.replace(X=scaled_columns(problem.X, sign))
        yield Twin(twin, times(sign), words)


@relation("a response of the other sign has coefficients of the other sign")
def response_sign(problem: Problem) -> Iterator[Twin]:
    """Y times -1."""
    if not problem.positive:
        yield Twin(problem.replace(y=-problem.y), times(-1.0, -1.0))


@relation("y times c, with l1 times c, gives w times c")
def response_scale(problem: Problem) -> Iterator[Twin]:
    """The response in other units."""
    for c in SCALES:
        twin = problem.replace(y=problem.y * c, l1=problem.l1 * c)
        yield Twin(twin, times(1 / c, 1 / c), f"c = {c:.3g}")


@relation("X times c, with l1 times c and l2 times c^2, gives w / c")
def design_scale(problem: Problem) -> Iterator[Twin]:
    """All columns in other units."""
    for c in SCALES:
        X = scaled_columns(problem.X, np.full(problem.p, c))
        twin = problem.replace(X=X, l1=problem.l1 * c, l2=problem.l2 * c * c)
        yield Twin(twin, times(c), f"c = {c:.3g}")


@relation("columns in units of their own, made good by v, change nothing but the units")
def column_scale(problem: Problem) -> Iterator[Twin]:
    """x_j times c_j, and v_j times c_j (no L2), or c_j^2 (no L1)."""
    if problem.l1 > 0 and problem.l2 > 0:
        return
    c = 2.0 ** ((np.arange(problem.p) * 5) % 7 - 3.0)
    factor = c**2 if problem.l2 > 0 else c
    twin = problem.replace(X=scaled_columns(problem.X, c), penalty_weights=problem.v * factor)
    yield Twin(twin, times(c))


@relation("sample weights times c change nothing")
def objective_scale(problem: Problem) -> Iterator[Twin]:
    """Only their ratios count."""
    for c in SCALES:
        yield Twin(problem.replace(sample_weight=problem.s * c), words=f"c = {c:.3g}")


@relation("y + c, with an intercept, moves the intercept by c")
def response_shift(problem: Problem) -> Iterator[Twin]:
    """It is not penalised."""
    if problem.intercept:
        for c in (-1024.0, 2.0**20):
            yield Twin(problem.replace(y=problem.y + c), shifted(partial(_minus, c)), f"c = {c:g}")


@relation("columns + c_j, with an intercept, move the intercept alone")
def column_shift(problem: Problem) -> Iterator[Twin]:
    """The origin of a column is nothing to the penalty."""
    if problem.intercept and not problem.is_sparse:
        for words, c in (
            ("by 8 and -8", 8.0 * (-1.0) ** np.arange(problem.p)),
            ("to all positive", np.full(problem.p, 8.0)),
        ):
            X = np.asarray(problem.X + c.astype(problem.X.dtype), order="K")
            yield Twin(problem.replace(X=X), shifted(c.dot), words)
