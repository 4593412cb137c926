"""From any coefficients to the optimal support and signs: a primal active-set method, docs/proofs.md (EXACT).

Each step solves the reduced system on the current support and signs and moves towards its solution until a
coefficient reaches zero, which leaves the support; where none does, columns beyond their bound enter it. The
objective falls with every move. First in float64, then in balls where float64 has no digit left.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from scipy.linalg import qr

from .integers import Integers, nearest
from .reduced import Outside, Point, Reduced, SingularError
from .wide import is_wide

STEPS = 2000  # more than any repair of a sensible start takes
LARGEST = 1500  # a support beyond it is refused: the cube of it in exact arithmetic takes minutes
WIDEST = 2**22  # entries of a support wider than the rows: each becomes a ball, and memory ends
NOISE = 1e-11  # an excess below this part of ||y|| is left to the later, sharper stages
NEGLIGIBLE = 1e-7  # a coefficient that moves the fit less than this part of the largest is not a start


class Unproven(RuntimeError):
    """The optimum could not be proven; the message says why."""


class Search:
    """The state of the active-set method.

    Parameters
    ----------
    reduced : Reduced
    start : dict
        Column -> W_j, not zero; p for the constant.

    Attributes
    ----------
    w, sign : dict
        Column of the support -> W_j, and its sign; 0 where the sign is free.
    steps : int
    """

    def __init__(self, reduced: Reduced, start: dict[int, Fraction]) -> None:
        self.reduced = reduced
        self.data: Integers = reduced.data
        self.steps = 0
        self._batch = 64
        data = self.data
        unsigned = [j for j in data.live if not data.signed(j)]
        if len(unsigned) > LARGEST and not is_wide(data, unsigned):
            raise Unproven(f"{len(unsigned)} coefficients are without a sign; the limit is {LARGEST}")
        if len(unsigned) * data.n > WIDEST and is_wide(data, unsigned):
            raise Unproven(f"{len(unsigned)} x {data.n} entries without a sign; the limit is {WIDEST}")
        limit = data.n if data.l2 == 0 else LARGEST
        signed = {j: x for j, x in start.items() if x != 0 and j in set(data.live) and data.signed(j)}
        sizes = {j: abs(float(x)) * max(map(abs, data.column(j)[0])) for j, x in _moderate(signed).items()}
        floor = NEGLIGIBLE * max(sizes.values(), default=0.0)
        kept = sorted((j for j in sizes if sizes[j] > floor), key=lambda j: -sizes[j])[:limit]
        kept = [j for j in kept if not (data.positive and signed[j] < 0)]
        self.w = {j: start.get(j, Fraction(0)) for j in unsigned} | {j: signed[j] for j in kept}
        self.sign = {j: 0 for j in unsigned} | {j: 1 if signed[j] > 0 else -1 for j in kept}

    @property
    def support(self) -> tuple[int, ...]:
        """The current support, in order."""
        return tuple(sorted(self.w))

    def signs(self) -> list[int]:
        """Signs on the support, in its order."""
        return [self.sign[j] for j in self.support]

    def in_floats(self) -> None:
        """Search in float64 until nothing is clearly wrong, or float64 has no digit."""
        if is_wide(self.data, self.support):
            return  # a Gram matrix of the support would be large, and balls are quick in the other form
        squares = sum(t * y * y for t, y in zip(self.data.T, self.data.Y, strict=True))
        y2 = nearest(Fraction(squares or 1))  # inf leaves all to the later stages
        seen: set[tuple[tuple[int, ...], tuple[int, ...]]] = set()
        while True:
            self._count()
            try:
                target = self.reduced.solve_float(self.support, self.signs())
            except SingularError:
                entered = [j for j in self.w if self.sign[j] and self.w[j] == 0]
                if len(entered) <= 1:
                    return
                for j in entered:  # one at a time, then
                    del self.w[j], self.sign[j]
                self._batch = 1
                continue
            if not self.advance(target):
                continue
            state = (self.support, tuple(self.signs()))
            if state in seen:
                return  # rounding makes it cycle: balls decide
            seen.add(state)
            beyond = self.reduced.outside(self.at()).beyond
            if not self.enter([b for b in beyond if b[0] > NOISE**2 * y2]):
                return

    def at(self) -> Point:
        """Return the current point, exactly as it is."""
        support = self.support
        denominator = 1
        for j in support:
            denominator = max(denominator, self.w[j].denominator)  # all are powers of two, or see below
        if any(denominator % self.w[j].denominator for j in support):
            denominator = int(np.lcm.reduce([self.w[j].denominator for j in support], dtype=object))
        mid = tuple(int(self.w[j] * denominator) for j in support)
        return Point(support, mid, (0,) * len(support), denominator)

    def advance(self, target: Sequence[Fraction]) -> bool:
        """Move towards the target; return whether it was reached, all signs right."""
        reach, leaving = Fraction(1), []
        for j, x in zip(self.support, target, strict=True):
            if self.sign[j] and x * self.sign[j] < 0:
                t = self.w[j] / (self.w[j] - x)
                if t < reach:
                    reach, leaving = t, [j]
                elif t == reach:
                    leaving.append(j)
        if reach == 0:
            self._batch = 1
        for j, x in zip(self.support, target, strict=True):
            self.w[j] = x if reach == 1 else _short(self.w[j] + reach * (x - self.w[j]))
        for j in leaving:
            del self.w[j], self.sign[j]
        for j in [j for j in self.w if self.sign[j] * self.w[j] < 0]:
            self.w[j] = Fraction(0)  # shortened past zero
        return not leaving

    def enter(self, beyond: list[tuple[float, int, int]]) -> bool:
        """Let columns beyond their bound into the support, the worst first; return whether there were any."""
        room = len(beyond) if self.data.l2 != 0 else (self.data.n - len(self.w)) // 2
        for _, j, sign in sorted(beyond, reverse=True)[: max(1, min(self._batch, room))]:
            self.w[j], self.sign[j] = Fraction(0), sign
        self._batch = min(2 * self._batch, 64)
        if len(self.w) > LARGEST and not is_wide(self.data, self.support):
            raise Unproven(f"the support grows beyond {LARGEST}")
        return bool(beyond)

    def make_regular(self) -> bool:
        """Take dependent columns out without raising the objective; return whether there were any."""
        support = self.support
        if self.reduced.rank(support) == len(support):
            return False
        unsigned = [j for j in support if not self.sign[j]]
        rank = self.reduced.rank(unsigned)
        if rank < len(unsigned):
            self.keep_independent(unsigned, rank)
            return True
        self._count()
        d = self.reduced.null_vectors(support)[0]
        slope = sum(
            (x * self.sign[j] * self.data.penalties(j)[0] for j, x in zip(support, d, strict=True) if x),
            start=self.data.l1 * 0,
        )
        direction = -1 if slope > 0 else 1
        crossing = [
            (-self.w[j] / (direction * x), j)
            for j, x in zip(support, d, strict=True)
            if x and self.sign[j] and direction * x * self.sign[j] < 0
        ]
        if not crossing:  # then the slope is zero, and the other way is as good
            direction = -direction
            crossing = [(-self.w[j] / (direction * x), j) for j, x in zip(support, d, strict=True)
                        if x and self.sign[j] and direction * x * self.sign[j] < 0]  # fmt: skip
        t, leaving = min(crossing)
        for j, x in zip(support, d, strict=True):
            self.w[j] = _short(self.w[j] + t * direction * x)
        del self.w[leaving], self.sign[leaving]
        return True

    def keep_independent(self, unsigned: list[int], rank: int) -> None:
        """Keep as many independent columns as there are, found by a pivoted QR, the constant first."""
        first = [j for j in unsigned if j == self.data.p]
        others = [j for j in unsigned if j != self.data.p]
        columns = [_unit(self.data.column(j)[0]) for j in others]
        A = np.sqrt(_unit(self.data.T))[:, None] * np.array(columns).T
        if first:
            q = np.sqrt(_unit(self.data.T))
            q /= np.linalg.norm(q)
            A = A - np.multiply.outer(q, q @ A)
        order = qr(A, mode="r", pivoting=True)[1]
        chosen = first + [others[i] for i in order[: rank - len(first)]]
        if self.reduced.rank_of_columns(chosen) < rank:
            raise Unproven("which of the unpenalised columns are independent is not visible in float64")
        for j in set(unsigned) - set(chosen):
            del self.w[j], self.sign[j]

    def _count(self) -> None:
        self.steps += 1
        if self.steps > STEPS:
            raise Unproven(f"no optimal support within {STEPS} steps")

    def in_balls(self, bits: int) -> tuple[Point, Outside]:
        """Search in ball arithmetic until no sign is wrong and no column is beyond its bound."""
        while True:
            self._count()
            try:
                at = self.reduced.solve_balls(self.support, self.signs(), bits)
            except SingularError:
                if self.make_regular():
                    continue
                raise
            if not self.advance([at.value(k) for k in range(len(at.support))]):
                continue
            outside = self.reduced.outside(at)
            if not self.enter(outside.beyond):
                return at, outside

    def in_rationals(self) -> tuple[Point, Outside]:
        """Search in rationals, where nothing is left undecided."""
        while True:
            self._count()
            try:
                at = self.reduced.solve_rationals(self.support, self.signs())
            except SingularError:
                self.make_regular()
                continue
            if not self.advance([at.value(k) for k in range(len(at.support))]):
                continue
            zero = [j for j in self.w if self.sign[j] and self.w[j] == 0]
            if zero:  # a coefficient that is zero is not of the support, but tied
                for j in zero:
                    del self.w[j], self.sign[j]
                self._batch = 1
            outside = self.reduced.outside(at) if not zero else None
            if outside is not None and not self.enter(outside.beyond):
                return at, outside


def _moderate(values: dict[int, Fraction]) -> dict[int, Fraction]:
    """Divide by the power of two that brings the largest to about 1."""
    top = max(values.values(), key=abs, default=Fraction(1))
    unit = Fraction(2) ** (abs(top).numerator.bit_length() - top.denominator.bit_length())
    return {j: x / unit for j, x in values.items()}


def _unit(values: Sequence[int]) -> np.ndarray:
    """Integers as floats, the largest about 1."""
    top = max(map(abs, values), default=0) or 1
    return np.array([x / top for x in values])


def _short(x: Fraction) -> Fraction:
    """Round to 400 bits: points on the way need no more, and fractions would grow with every step."""
    excess = x.denominator.bit_length() - 1
    scale = 400 + max(excess - abs(x.numerator).bit_length(), 0)
    return Fraction(round(x * (1 << scale)), 1 << scale)
