"""A problem (P) in integers: every float is a dyadic number, every decimal a fraction, so nothing is rounded.

With x_j = c_j X_j, y = c_y Y, s = c_s T for integer vectors X_j, Y, T, and W_j = c_j w_j / c_y, (P) becomes
c_y^2 / T' times

    1/2 sum_i T_i (Y_i - sum_j X_ij W_j)^2 + sum_j ( L1_j |W_j| + L2_j / 2 W_j^2 ),       T' = sum T,
    L1_j = T' l1 v_j / (c_j c_y),   L2_j = T' l2 v_j / c_j^2

The constant is a column of ones without penalty, with index p.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from flint import fmpq, fmpz, fmpz_mat
from numpy.typing import NDArray

from solvers import Problem

Number = Fraction | Decimal | str | int | float


@dataclass(frozen=True, eq=False)
class RationalProblem:
    """(P) with rational data; decimals are given as strings, so that "0.1" means a tenth.

    Parameters
    ----------
    columns : (p, n) nested sequence of Fraction, Decimal, str, int or float
        X, column by column.
    y : (n,) sequence
    l1, l2 : number
        Absolute penalties, >= 0.
    intercept, positive : bool
    sample_weight : (n,) sequence, optional
    penalty_weights : (p,) sequence, optional
        None among them means inf: w_j = 0.
    """

    columns: Sequence[Sequence[Number]]
    y: Sequence[Number]
    l1: Number = 0
    l2: Number = 0
    intercept: bool = False
    positive: bool = False
    sample_weight: Sequence[Number] | None = None
    penalty_weights: Sequence[Number | None] | None = None

    @property
    def p(self) -> int:
        """Number of columns."""
        return len(self.columns)


class Integers:
    """The integer form of a problem, columns made on demand.

    Parameters
    ----------
    source : Problem or RationalProblem

    Attributes
    ----------
    p : int
    live : list of int
        Columns with finite v_j, and p for the constant if there is an intercept.
    rows : (n,) array
        Rows with s_i > 0; Y, T, X_j are over them.
    Y, T : lists of int
    c_y : fmpq
    """

    def __init__(self, source: Problem | RationalProblem) -> None:
        self.source = source
        self.p = source.p
        self.positive, self.intercept = source.positive, source.intercept
        if isinstance(source, Problem):
            self.rows = np.flatnonzero(source.s)
            self.Y, self.c_y = dyadic(source.y[self.rows])
            self.T, _ = dyadic(source.s[self.rows])
            v: list[fmpq | None] = [None if math.isinf(x) else rational(x) for x in source.v.tolist()]
        else:
            s = source.sample_weight or [1] * len(source.y)
            self.rows = np.flatnonzero([Fraction(x) != 0 for x in s])
            kept = self.rows.tolist()
            self.Y, self.c_y = integral([source.y[i] for i in kept])
            self.T, _ = integral([s[i] for i in kept])
            weights = source.penalty_weights or [1] * self.p
            v = [None if x is None else rational(x) for x in weights]
        if not any(self.Y):
            self.c_y = fmpq(1)
        self.n = len(self.Y)
        self.total = sum(self.T)
        self.v = v
        self._weight = [fmpq(0) if x is None else x for x in v]
        self.l1, self.l2 = rational(source.l1), rational(source.l2)
        self.live = [j for j in range(self.p) if v[j] is not None] + [self.p] * self.intercept
        self._columns: dict[int, tuple[list[int], fmpq]] = {}

    def column(self, j: int) -> tuple[list[int], fmpq]:
        """Return (X_j, c_j), x_j = c_j X_j; kept once made."""
        if j not in self._columns:
            self._columns[j] = self.fresh_column(j)
        return self._columns[j]

    def fresh_column(self, j: int) -> tuple[list[int], fmpq]:
        """As ``column``, and forgotten."""
        if j in self._columns:
            return self._columns[j]
        if j == self.p:
            return [1] * self.n, fmpq(1)
        if isinstance(self.source, Problem):
            X: Any = self.source.X[:, [j]]
            dense = X.toarray() if self.source.is_sparse else np.asarray(X)
            return dyadic(dense[self.rows, 0])
        return integral([self.source.columns[j][i] for i in self.rows.tolist()])

    def penalties(self, j: int) -> tuple[fmpq, fmpq]:
        """Return (L1_j, L2_j)."""
        if j == self.p:
            return fmpq(0), fmpq(0)
        c, v = self.column(j)[1], self._weight[j]
        return self.bound(j, c), self.total * self.l2 * v / (c * c)

    def bound(self, j: int, c: fmpq) -> fmpq:
        """Return L1_j, c = c_j being known."""
        return fmpq(0) if j == self.p else self.total * self.l1 * self._weight[j] / (c * self.c_y)

    def free(self, j: int) -> bool:
        """Whether w_j has no L1 penalty (its sign is then free unless positive)."""
        return j == self.p or self.l1 == 0 or self.v[j] == 0

    def signed(self, j: int) -> bool:
        """Whether the sign of a coefficient that is not zero is part of the optimality conditions."""
        return j != self.p and (self.positive or not self.free(j))

    @cached_property
    def screen(self) -> Screen | None:
        """Float64 bounds on many correlations at once; None for rational data."""
        return Screen(self, self.source, self.rows) if isinstance(self.source, Problem) else None


class Screen:
    """Which |X_j' t| are certainly below their threshold: one float64 product and a bound on its rounding."""

    def __init__(self, data: Integers, problem: Problem, rows: NDArray[np.intp]) -> None:
        self._data = data
        self._columns = np.array([j for j in data.live if j != data.p], dtype=np.intp)
        X = problem.X
        self._X = X if rows.size == problem.n else X[rows]
        self._sparse = problem.is_sparse
        self._v = np.where(np.isfinite(problem.v), problem.v, 0.0)  # the others are not looked at
        largest = np.abs(X).max(axis=0)
        largest = np.asarray(largest.toarray() if self._sparse else largest, dtype=np.float64).ravel()
        self._exponent = np.frexp(largest)[1].astype(np.int64)

    def undecided(self, t: list[int], denominator: int, slop: Fraction) -> list[int]:
        """Return the columns that float64 cannot prove to be strictly inside, in order.

        Parameters
        ----------
        t : (n,) list of int
            T (Y - X W) times `denominator`.
        slop : Fraction
            Bound on the error of each entry of t (in its own units).
        """
        data, n = self._data, len(t)
        peak = max(map(abs, t), default=0)
        shift = max(peak.bit_length() - 64, 0)
        top = peak >> shift or 1
        rounded = np.array([(x >> shift) / top for x in t])  # within 2^-52 of t / (top 2^shift)
        unit = Fraction(top << shift)
        off = 2.0**-50 + upward(slop / unit)
        size = float(np.sum(np.abs(rounded))) + n * off
        level = Fraction(int(data.total)) * fraction(data.l1 / data.c_y) * denominator / unit
        with np.errstate(over="ignore", under="ignore"):
            threshold = downward(level) * np.ldexp(self._v, -self._exponent) * (1 - 2.0**-48)
        g = np.zeros(data.p)
        width = max(1, 2**20 // n)
        for k in range(0, self._columns.size, width):
            j = self._columns[k : k + width]
            if self._sparse:
                g[j] = np.ldexp(np.asarray(self._X[:, j].T @ rounded), -self._exponent[j])
            else:
                block = np.ldexp(np.asarray(self._X[:, j], dtype=np.float64), -self._exponent[j])
                g[j] = block.T @ rounded
        # entries are at most 1: rounding gamma_{n+2} sum |t|, the error of t, and what underflows
        error = (n + 4) * 2.0**-53 / (1 - (n + 4) * 2.0**-53) * size + n * off + n * 2.0**-1000
        towards = g if data.positive else np.abs(g)
        keep = np.zeros(data.p, dtype=bool)
        keep[self._columns] = ~(towards[self._columns] + error < threshold[self._columns])
        return np.flatnonzero(keep).tolist()


def rational(x: Number) -> fmpq:
    """Return the exact value."""
    value = Fraction(x)
    return fmpq(value.numerator, value.denominator)


def fraction(x: fmpq) -> Fraction:
    """Return the same number as a Fraction."""
    return Fraction(int(x.p), int(x.q))


def upward(x: Fraction) -> float:
    """Return a float >= x (inf if there is none)."""
    try:
        value = x.numerator / x.denominator  # correctly rounded
    except OverflowError:
        return math.inf if x > 0 else -math.nextafter(math.inf, 0)
    return math.nextafter(value, math.inf) if Fraction(value) < x else value


def downward(x: Fraction) -> float:
    """Return a float <= x."""
    return -upward(-x)


def nearest(x: Fraction) -> float:
    """Return the float64 nearest to x, ties to even."""
    try:
        return x.numerator / x.denominator
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def dyadic(a: NDArray[Any]) -> tuple[list[int], fmpq]:
    """Return integers N and a power of two c with a = c N."""
    mantissa, exponent = np.frexp(np.asarray(a, dtype=np.float64))
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    if not whole.any():
        return [0] * len(whole), fmpq(1)
    lowest = (whole & -whole).astype(np.float64)  # the last bit that is set, a power of two
    zeros = np.where(whole != 0, np.frexp(np.where(whole != 0, lowest, 1.0))[1] - 1, 0)
    shift = exponent.astype(np.int64) - 53
    least = int(np.min((shift + zeros)[whole != 0]))
    up = (shift - least).tolist()
    numbers = [x << k if k >= 0 else x >> -k for x, k in zip(whole.tolist(), up, strict=True)]
    numbers = [x if w else 0 for x, w in zip(numbers, whole.tolist(), strict=True)]
    return numbers, fmpq(2) ** least if least >= 0 else 1 / fmpq(2) ** -least


def integral(values: Sequence[Number]) -> tuple[list[int], fmpq]:
    """Return integers N and a rational c with values = c N."""
    exact = [Fraction(x) for x in values]
    denominator = math.lcm(*(x.denominator for x in exact))
    return [int(x * denominator) for x in exact], fmpq(1, denominator)


def row_matrix(rows: Sequence[Sequence[int]]) -> fmpz_mat:
    """Return the matrix with these rows; at least one."""
    return fmpz_mat(len(rows), len(rows[0]), [fmpz(x) for row in rows for x in row])
