"""Problems whose optimum is exact by construction: choose w*, a dual point with the right signs, then y.

Every number is a multiple of a power of two, small enough that y and X come out as floats without rounding
(as in L1TestPack: Lorenz 2013, there in floating point). The optimality conditions of (P), docs/maths.md, are

    u_j = v_j (l1 sign w_j + l2 w_j) where w_j != 0,  |u_j| <= l1 v_j where w_j = 0 (positive: u_j <= l1 v_j),
    u_j = sum_i s_i r_i x_ij / S,  r = y - Xw - b,  sum_i s_i r_i = 0 with an intercept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import scipy.sparse as sp
from flint import fmpq_mat
from numpy.typing import NDArray

from solvers import Problem

from ._homotopy import rational


@dataclass(frozen=True, eq=False)
class KnownAnswer:
    """A problem and its optimum, exactly.

    Attributes
    ----------
    problem : Problem
    coef : tuple of Fraction
        An optimal w, (p,).
    intercept : Fraction
        The b that belongs to it; 0 without intercept.
    unique : bool
        True: these coefficients are proven to be the only optimum. False: only what all optima share is
        known, the fitted values and the objective.
    """

    problem: Problem
    coef: tuple[Fraction, ...]
    intercept: Fraction
    unique: bool

    @cached_property
    def fitted(self) -> tuple[Fraction, ...]:
        """Xw + b at every optimum, (n,); where s_i = 0 it is that of `coef` alone."""
        rows = fractions_of(self.problem.X)
        return tuple(
            self.intercept + sum((x * w for x, w in zip(row, self.coef, strict=True) if w), Fraction(0))
            for row in rows
        )


@dataclass(frozen=True)
class Known:
    """A named problem whose answer is known; `load` builds both."""

    name: str
    summary: str
    make: Callable[[], KnownAnswer]

    def load(self) -> KnownAnswer:
        """Build the problem and its answer."""
        return self.make()


REGISTRY: dict[str, Known] = {}


def known(**axes: Sequence[Any]) -> Callable[[Callable[..., KnownAnswer]], Callable[..., KnownAnswer]]:
    """Register a function as one known answer for each combination of its keyword arguments.

    The names are "function/value/value"; the summary is the first line of the docstring.
    """

    def register(make: Callable[..., KnownAnswer]) -> Callable[..., KnownAnswer]:
        if not make.__doc__:
            raise ValueError(f"{make.__name__} has no docstring: its first line is what the tables show")
        summary = make.__doc__.strip().splitlines()[0]
        for values in product(*axes.values()):
            name = "/".join((make.__name__, *map(str, values)))
            if name in REGISTRY:
                raise ValueError(f"two known answers are named {name!r}")
            keywords = dict(zip(axes, values, strict=True))
            REGISTRY[name] = Known(name, summary, lambda keywords=keywords: make(**keywords))  # type: ignore[misc]
        return make

    return register


def fractions_of(X: Any) -> list[list[Fraction]]:
    """Return the rows of X, dense or sparse, exactly."""
    A: Any = X.toarray() if isinstance(X, sp.csc_array | sp.csr_array) else np.asarray(X)
    return [[Fraction(float(x)) for x in row] for row in A]


def as_float(x: Fraction) -> float:
    """Return x as a float; ValueError if it is not one."""
    value = float(x)
    if Fraction(value) != x:
        raise ValueError(f"{x} is not a float64: choose fewer bits")
    return value


def unique(problem: Problem, coef: Sequence[Fraction], u: Sequence[Fraction]) -> bool:
    """Whether the optimum is proven unique: the columns free to move are independent.

    Free are those with |u_j| = l1 v_j (others are 0 at every optimum), of them only the unpenalised if
    l2 > 0 (strict convexity fixes the others), and the constant with an intercept. Rows with s_i = 0 do
    not count. Exact, hence sufficient; not necessary.
    """
    v = [None if np.isinf(x) else Fraction(float(x)) for x in problem.v]
    l1 = Fraction(problem.l1)
    sides = (1,) if problem.positive else (1, -1)
    free = [
        j
        for j, (v_j, u_j) in enumerate(zip(v, u, strict=True))
        if v_j is not None and any(side * u_j == l1 * v_j for side in sides) and (problem.l2 == 0 or v_j == 0)
    ]
    rows = [row for row, s in zip(fractions_of(problem.X), problem.s, strict=True) if s > 0]
    entries = [[row[j] for j in free] + [Fraction(1)] * problem.intercept for row in rows]
    k = len(free) + problem.intercept
    if k == 0:
        return True
    return int(fmpq_mat(len(rows), k, [rational(x) for row in entries for x in row]).rank()) == k


def correlations(
    problem: Problem, coef: Sequence[Fraction], intercept: Fraction
) -> tuple[list[Fraction], Fraction]:
    """Return u = X'diag(s) r / S, (p,), and sum_i s_i r_i, exactly."""
    rows, s = fractions_of(problem.X), [Fraction(float(x)) for x in problem.s]
    S = sum(s, Fraction(0))
    weighted = []
    for row, y, s_i in zip(rows, problem.y, s, strict=True):
        z = sum((x * w for x, w in zip(row, coef, strict=True) if w), intercept)
        weighted.append(s_i * (Fraction(float(y)) - z))
    columns = zip(*rows, strict=True)
    u = [sum((a * b for a, b in zip(x, weighted, strict=True)), Fraction(0)) / S for x in columns]
    return u, sum(weighted, Fraction(0))


def answer(problem: Problem, coef: Sequence[Fraction], intercept: Fraction = Fraction(0)) -> KnownAnswer:
    """Pair a problem with an optimum; uniqueness is proven here, optimality by the tests."""
    u, _ = correlations(problem, coef, intercept)
    return KnownAnswer(problem, tuple(coef), intercept, unique(problem, coef, u))


def construct(
    X: NDArray[np.float64] | sp.csc_array,
    coef: Sequence[Fraction],
    *,
    l1: Fraction = Fraction(0),
    l2: Fraction = Fraction(0),
    intercept: Fraction | None = None,
    s: Sequence[int] | None = None,
    v: Sequence[Fraction | None] | None = None,
    positive: bool = False,
    slack: Callable[[int], Fraction] = lambda j: Fraction((-1) ** j, 2),
    level: Fraction = Fraction(1, 4),
    spread: int = 8,
    layout: str = "",
) -> KnownAnswer:
    """Build (P) around w*: fix r, then move a few entries of each column until u_j is what optimality asks.

    Parameters
    ----------
    X : (n, p) array or csc_array
        Multiples of a power of two. Its columns are changed, in entries that are stored if it is sparse.
    coef : sequence of Fraction
        w*, (p,).
    l1, l2 : Fraction
    intercept : Fraction, optional
        b*; None: (P) has no intercept.
    s : sequence of int, optional
        Sample weights: 0 or powers of two.
    v : sequence of Fraction, optional
        Penalty weights, None for inf.
    positive : bool
    slack : callable
        u_j / (l1 v_j) where w*_j = 0; 1 or -1 makes a tie, one beyond them no optimum.
    level : Fraction
        |s_i r_i|: a power of two.
    spread : int
        Entries of a column that share the change: a power of two.
    layout : str
        "csr" to convert; else as X has it.
    """
    sparse = sp.issparse(X)
    n, p = X.shape
    weights = [Fraction(x) for x in (s or [1] * n)]
    factors = list(v) if v is not None else [Fraction(1)] * p
    S = sum(weights, Fraction(0))
    pull = _balanced([w > 0 for w in weights], level)
    rows = fractions_of(X)
    for j in range(p):
        factor = factors[j]
        if factor is None:
            continue  # w_j is fixed at 0: optimality asks nothing of u_j
        w = coef[j]
        sign = (w > 0) - (w < 0)
        u = factor * (l1 * sign + l2 * w) if w else factor * l1 * slack(j)
        stored = [i for i in range(n) if pull[i] and (not sparse or rows[i][j])][:spread]
        share = len(stored) if len(stored) & (len(stored) - 1) == 0 else 2 ** (len(stored).bit_length() - 1)
        missing = S * u - sum((pull[i] * rows[i][j] for i in range(n)), Fraction(0))
        for i in stored[:share]:
            rows[i][j] += missing / share / pull[i]
    b = intercept or Fraction(0)
    residual = [c / w if w else Fraction(1) for c, w in zip(pull, weights, strict=True)]
    y = [sum((x * w for x, w in zip(rows[i], coef, strict=True) if w), b) + residual[i] for i in range(n)]
    A: Any = np.asfortranarray([[as_float(x) for x in row] for row in rows])
    if sparse:
        A = sp.csr_array(A) if layout == "csr" else sp.csc_array(A)
    problem = Problem(
        A,
        np.array([as_float(x) for x in y]),
        l1=as_float(l1),
        l2=as_float(l2),
        intercept=intercept is not None,
        sample_weight=None if s is None else np.array(s, dtype=np.float64),
        penalty_weights=None if v is None else np.array([np.inf if x is None else as_float(x) for x in v]),
        positive=positive,
    )
    return answer(problem, coef, b)


def _balanced(counts: Sequence[bool], level: Fraction) -> list[Fraction]:
    """Return s_i r_i: +-level, or twice it, summing to zero over the rows that count."""
    rows = [i for i, counted in enumerate(counts) if counted]
    pattern = [1, -1] * (len(rows) // 2)
    if len(rows) % 2:
        pattern = [*pattern[:-2], 2, -1, -1]
    pull = [Fraction(0)] * len(counts)
    for i, sign in zip(rows, pattern, strict=True):
        pull[i] = sign * level
    return pull
