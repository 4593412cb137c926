"""The optimality conditions on a given support with given signs, and those outside it; in integers.

On a support F with signs: (X_F' T X_F + L2) W = X_F' T Y - L1 sign. Solved in float64 (to search), in ball
arithmetic or in rationals (to prove). Outside: |X_j' T (Y - X W)| <= L1_j.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx, fmpq, fmpz, fmpz_mat
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from .integers import Integers, fraction, nearest, row_matrix
from .wide import is_wide, solve_wide

LOST = 1e-14  # a float64 Cholesky factor with a smaller squared pivot has no digit


class SingularError(ArithmeticError):
    """The reduced system is singular, or not provably regular at this precision."""


@dataclass(frozen=True)
class Point:
    """Coefficients on a support, as mid_j / denominator with an error of at most rad_j / denominator.

    Attributes
    ----------
    support : tuple of int
        Columns, p for the constant.
    mid, rad : tuple of int
    denominator : int
    """

    support: tuple[int, ...]
    mid: tuple[int, ...]
    rad: tuple[int, ...]
    denominator: int

    @property
    def exact(self) -> bool:
        """Whether the coefficients are the rationals themselves."""
        return not any(self.rad)

    def value(self, k: int) -> Fraction:
        """Midpoint of the k-th coefficient."""
        return Fraction(self.mid[k], self.denominator)

    def ends(self, k: int) -> tuple[Fraction, Fraction]:
        """Interval of the k-th coefficient."""
        low, high = self.mid[k] - self.rad[k], self.mid[k] + self.rad[k]
        return Fraction(low, self.denominator), Fraction(high, self.denominator)

    def sign(self, k: int) -> int | None:
        """Sign of the k-th coefficient, None if not proven."""
        if abs(self.mid[k]) > self.rad[k] or self.rad[k] == 0:
            return (self.mid[k] > 0) - (self.mid[k] < 0)
        return None


@dataclass(frozen=True)
class Outside:
    """Columns that are not in the support: those not strictly inside their bound, with the sign of u_j.

    Attributes
    ----------
    beyond : list of (excess, j, sign)
        |u_j| > l1_j, proven; the excess in units of the column's norm.
    tied : list of (j, sign)
        |u_j| = l1_j, proven.
    open : list of (j, sign)
        Undecided at this precision.
    """

    beyond: list[tuple[float, int, int]]
    tied: list[tuple[int, int]]
    open: list[tuple[int, int]]


class Reduced:
    """Reduced systems of one problem; Gram matrices are kept.

    Parameters
    ----------
    data : Integers
    """

    def __init__(self, data: Integers) -> None:
        self.data = data
        self._place: dict[int, int] = {}
        self._rows: list[list[int]] = []
        self._gram: list[list[fmpz]] = []
        self._right: dict[int, fmpz] = {}
        self._weighted_y = [t * y for t, y in zip(data.T, data.Y, strict=True)]

    def _need(self, support: Sequence[int]) -> list[int]:
        new = [j for j in support if j not in self._place]
        if new:
            data = self.data
            rows = [data.column(j)[0] for j in new]
            fresh = row_matrix([[x * t for x, t in zip(row, data.T, strict=True)] for row in rows])
            for j, row in zip(new, rows, strict=True):
                self._place[j] = len(self._rows)
                self._rows.append(row)
            block = (fresh * row_matrix(self._rows).transpose()).tolist()
            for k, old in enumerate(self._gram):
                old.extend(row[k] for row in block)
            self._gram.extend(block)
        return [self._place[j] for j in support]

    def gram(self, support: Sequence[int]) -> fmpz_mat:
        """Return X_F' T X_F."""
        at = self._need(support)
        return fmpz_mat(len(at), len(at), [self._gram[a][b] for a in at for b in at])

    def right(self, support: Sequence[int]) -> list[fmpz]:
        """Return X_F' T Y."""
        for j in set(support) - set(self._right):
            row = self.data.column(j)[0]
            self._right[j] = fmpz(sum(x * y for x, y in zip(row, self._weighted_y, strict=True)))
        return [self._right[j] for j in support]

    def solve_float(self, support: Sequence[int], signs: Sequence[int]) -> list[Fraction]:
        """Solve in float64; SingularError if that has no digit."""
        k = len(support)
        at = self._need(support)
        bits = [int(self._gram[a][a].bit_length() + 1) // 2 for a in at]
        y_bits = sum(t * y * y for t, y in zip(self.data.T, self.data.Y, strict=True)).bit_length() // 2
        H = np.array([[_scaled(self._gram[a][b], bits[c] + bits[d]) for d, b in enumerate(at)]
                      for c, a in enumerate(at)]).reshape(k, k)  # fmt: skip
        penalties = [self.data.penalties(j) for j in support]
        g = np.empty(k)
        for i, ((l1, l2), j) in enumerate(zip(penalties, support, strict=True)):
            H[i, i] += nearest(fraction(l2) / 2 ** (2 * bits[i]))
            g[i] = nearest((int(self.right([j])[0]) - fraction(l1) * signs[i]) / 2 ** (bits[i] + y_bits))
        try:
            factor = cho_factor(H)
        except (np.linalg.LinAlgError, ValueError) as error:
            raise SingularError from error
        if k and np.min(np.diag(factor[0]) ** 2 / np.diag(H)) < LOST:
            raise SingularError
        V = cho_solve(factor, g)
        V += cho_solve(factor, g - H @ V)
        if not np.all(np.isfinite(V)):
            raise SingularError
        return [Fraction(x) * Fraction(2) ** (y_bits - b) for x, b in zip(V.tolist(), bits, strict=True)]

    def solve_balls(self, support: Sequence[int], signs: Sequence[int], bits: int) -> Point:
        """Solve in ball arithmetic; success proves that the matrix is regular, so positive definite."""
        k = len(support)
        if not k:
            return Point((), (), (), 1)
        with ctx.workprec(bits):
            if is_wide(self.data, support):
                return _point(tuple(support), self._regular(solve_wide, self.data, support, signs))
            H = arb_mat(self.gram(support))
            g = []
            for i, j in enumerate(support):
                l1, l2 = self.data.penalties(j)
                H[i, i] = H[i, i] + arb(l2)
                g.append(arb(fmpq(self.right([j])[0]) - l1 * signs[i]))
            W = self._regular(H.solve, arb_mat(k, 1, g))
            return _point(tuple(support), [W[i, 0] for i in range(k)])

    @staticmethod
    def _regular(solve: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return solve(*arguments)
        except ZeroDivisionError as error:
            raise SingularError from error

    def solve_rationals(self, support: Sequence[int], signs: Sequence[int]) -> Point:
        """Solve in rationals; SingularError means that the matrix is singular."""
        k = len(support)
        if not k:
            return Point((), (), (), 1)
        H, common = self._cleared(support)
        g = [fmpq(self.right([j])[0]) - self.data.penalties(j)[0] * s
             for j, s in zip(support, signs, strict=True)]  # fmt: skip
        multiple = fmpz(1)
        for x in g:
            multiple = multiple.lcm(x.q)
        try:
            W = H.solve(fmpz_mat(k, 1, [(x * multiple).p for x in g]))
        except ZeroDivisionError as error:
            raise SingularError from error
        numbers, denominator = W.numer_denom()  # type: ignore[attr-defined]
        mid = tuple(int(numbers[i, 0] * common) for i in range(k))
        return Point(tuple(support), mid, (0,) * k, int(denominator * multiple))

    def _cleared(self, support: Sequence[int]) -> tuple[fmpz_mat, fmpz]:
        """Return the matrix times the common denominator of its L2 terms, and that denominator."""
        l2 = [self.data.penalties(j)[1] for j in support]
        common = fmpz(1)
        for x in l2:
            common = common.lcm(x.q)
        H = self.gram(support) * common
        for i, x in enumerate(l2):
            H[i, i] = H[i, i] + (x * common).p
        return H, common

    def rank(self, support: Sequence[int]) -> int:
        """Rank of the reduced matrix, exactly."""
        return int(self._cleared(support)[0].rank()) if support else 0

    def rank_of_columns(self, support: Sequence[int]) -> int:
        """Rank of the columns themselves, exactly."""
        return int(self.gram(support).rank()) if support else 0

    def null_vectors(self, support: Sequence[int]) -> list[list[int]]:
        """Return a basis of the null space of the reduced matrix, each (k,)."""
        if not support:
            return []
        basis, nullity = self._cleared(support)[0].nullspace()
        return [[int(basis[i, c]) for i in range(len(support))] for c in range(nullity)]

    def weighted_residual(self, at: Point) -> tuple[list[int], Fraction]:
        """Return T (Y - X W) times the denominator, and a bound on the error of each entry."""
        data = self.data
        rows = [data.column(j)[0] for j in at.support]
        fit = [0] * data.n
        if rows:
            product = fmpz_mat(1, len(rows), list(at.mid)) * row_matrix(rows)
            fit = [int(product[0, i]) for i in range(data.n)]
        residual = [t * (y * at.denominator - z) for t, y, z in zip(data.T, data.Y, fit, strict=True)]
        slop = sum(r * max(map(abs, row)) for r, row in zip(at.rad, rows, strict=True)) * max(data.T)
        return residual, Fraction(slop)

    def outside(self, at: Point) -> Outside:
        """Judge the columns outside the support at a point."""
        data = self.data
        residual, slop = self.weighted_residual(at)
        inside = set(at.support)
        screen = data.screen
        names = data.live if screen is None else screen.undecided(residual, at.denominator, slop)
        names = [j for j in names if j not in inside]
        t = fmpz_mat(data.n, 1, residual)
        found = Outside([], [], [])
        for j in names:
            row, scale = data.fresh_column(j)
            u = Fraction(int((row_matrix([row]) * t)[0, 0]))
            l1 = fraction(data.bound(j, scale)) * at.denominator
            error = slop * sum(map(abs, row))
            excess = (u if data.positive and j != data.p else abs(u)) - l1
            sign = 0 if not data.signed(j) else 1 if u > 0 or data.positive else -1
            if excess > error:
                length = sum(x * x for x in row) or 1
                relative = nearest(excess * excess / (length * at.denominator**2))
                found.beyond.append((relative, j, sign))
            elif excess == 0 and error == 0:
                found.tied.append((j, sign))
            elif excess >= -error and error:
                found.open.append((j, sign))
        return found

    def ranges(self, at: Point) -> NDArray[np.float64]:
        """Fitted values c_y X W at the midpoint, (n,), over the rows with weight, rounded to nearest."""
        residual, _ = self.weighted_residual(at)
        c_y = fraction(self.data.c_y)
        terms = zip(self.data.Y, self.data.T, residual, strict=True)
        return np.array([nearest(c_y * (y - Fraction(r, t * at.denominator))) for y, t, r in terms])


def _scaled(x: fmpz, bits: int) -> float:
    return int(x) / (1 << bits) if abs(int(x)).bit_length() - bits < 1000 else float("inf")


def _point(support: tuple[int, ...], balls: list[arb]) -> Point:
    """Common denominator 2^e, radii rounded up; SingularError if a ball is not finite."""
    if not all(w.is_finite() for w in balls):
        raise SingularError
    ends = [(w.mid().man_exp(), w.rad().upper().man_exp()) for w in balls]
    least = min([0, *(int(e) for pair in ends for m, e in pair if m != 0)])
    mid = tuple(int(m) << (int(e) - least) if m != 0 else 0 for (m, e), _ in ends)
    rad = tuple((int(m) << (int(e) - least) if m != 0 else 0) for _, (m, e) in ends)
    return Point(support, mid, rad, 1 << -least)
