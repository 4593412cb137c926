"""Level "rigorous": the gap of an exactly defined dual point, bounded from above despite all rounding.

The dual point is theta = alpha (q / s - <1, q> / S), with floats q and alpha as they are: it is orthogonal
to the constant by definition, only its evaluation is rounded, docs/proofs.md (RIGOROUS). Where that does not
apply (columns without any penalty, data near the ends of float64's range) the proof is done in rationals.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from solvers import Problem

from . import _dot2, checker
from .certificate import Certificate
from .design import Vector
from .export import describe, dual_point, exactly, point_of
from .integers import Integers, downward, nearest, upward
from .judge import Judge
from .reduced import Reduced
from .stationarity import ratio

U = 2.0**-53
TINY = 2.0**-900  # charged for all that underflows; scaled quantities are about 1
NARROW, WIDE = 2.0**-300, 2.0**300  # range of scaled quantities within which nothing but TINY underflows
NEAR = 0.999  # of the largest |u_j| / l1_j: columns above it are evaluated in twice the precision


class RigorousJudge:
    """Certifies many points of one problem at level "rigorous".

    Parameters
    ----------
    problem : Problem
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._judge = Judge(problem)
        self._scaled = scaled = self._judge._scaled
        design = scaled.design
        self._s = design._s
        self._S = math.fsum(self._s)  # the exact sum within a factor 1 +- u
        n = design.n
        self._norm = design.rough * (1 + (4 * n + 64) * U) + TINY
        with np.errstate(over="ignore"):
            self._unit = np.ldexp(1.0, -design.exponent)
        self._csc = design.X.tocsc() if design.sparse else None

    @cached_property
    def _in_range(self) -> bool:
        """Whether the float64 evaluation applies: nothing unpenalised, everything of moderate size."""
        scaled, problem = self._scaled, self.problem
        penalty = scaled.penalty
        v = problem.v[scaled.kept]
        lost = ((penalty.l1 == 0) & (problem.l1 * v > 0)) | ((penalty.l2 == 0) & (problem.l2 * v > 0))
        moderate = all(_moderate(x) for x in (penalty.l1, penalty.l2, self._s))
        return bool(
            not problem.is_extreme and moderate and np.isfinite(self._unit).all()
            and not lost.any() and not scaled.free.any()
            and problem.y.any() and abs(problem.l1) + abs(problem.l2) > 0
        )  # fmt: skip

    def certify(self, coef: ArrayLike, intercept: float = 0.0) -> Certificate:
        """Prove a bound on P(w, b) - P*: gap, and P within radius of primal.

        The float certificate's other figures (kkt, implied penalties) stay estimates.
        """
        rough = self._judge.certify(coef, intercept)
        if rough.kind == "NONE":
            return replace(rough, level="rigorous")
        coef = np.asarray(coef, dtype=np.float64)
        w = self._scaled.coefficients(coef)
        b = math.ldexp(intercept, -self._scaled.y_exponent)
        if self._in_range and _moderate(np.append(w, b)):
            return self._in_floats(rough, coef, w, b)
        return self._in_rationals(rough, coef, float(intercept))

    def theta(self, coef: ArrayLike, intercept: float = 0.0) -> list[Fraction]:
        """Return the dual point of `certify` as it is defined, exactly: (n,), 0 where s_i = 0.

        Parameters are those of `certify`; the point must be one of (P).
        """
        rough = self._judge.certify(coef, intercept)
        coef = np.asarray(coef, dtype=np.float64)
        w = self._scaled.coefficients(coef)
        b = math.ldexp(intercept, -self._scaled.y_exponent)
        if not (self._in_range and _moderate(np.append(w, b))):
            values = [*coef.tolist(), float(intercept)] if self.problem.intercept else coef.tolist()
            reduced = Reduced(Integers(self.problem))
            return dual_point(reduced, point_of(reduced.data, values))
        hi, lo, _ = self._residual(w, b)
        alpha, q, *_ = self._dual(hi + lo, w, float(rough.alpha or 0.0))
        s, exact = [Fraction(x) for x in self._s.tolist()], [Fraction(x) for x in q.tolist()]
        mean = sum(exact, Fraction(0)) / sum(s, Fraction(0)) if self.problem.intercept else Fraction(0)
        unit = Fraction(alpha) * Fraction(2) ** self._scaled.y_exponent
        found = [Fraction(0)] * self.problem.n
        for i, x, s_i in zip(np.flatnonzero(self.problem.s).tolist(), exact, s, strict=True):
            found[i] = unit * (x / s_i - mean)
        return found

    def _in_rationals(self, rough: Certificate, coef: Vector, b: float) -> Certificate:
        """The same proof without rounding, for a theta made feasible in rationals."""
        reduced = Reduced(Integers(self.problem))
        values = [*coef.tolist(), b] if self.problem.intercept else coef.tolist()
        exact = exactly(describe(self.problem))
        primal = exact.primal({j: Fraction(x) for j, x in enumerate(values) if x})
        dual = exact.dual(checker.Row(dual_point(reduced, point_of(reduced.data, values))))
        gap = upward(primal - dual)
        zeros = ~self._scaled.kept  # by definition; the others would need norms in rationals too
        return replace(
            rough,
            level="rigorous",
            kind="residual, projected and scaled in rationals",
            primal=nearest(primal),
            dual=downward(dual),
            gap=gap,
            gap_rel=ratio(gap, rough.scale),
            radius=upward(abs(primal - Fraction(nearest(primal)))),
            alpha=None,
            certified_zeros=zeros,
            false_features=0,
        )

    def _in_floats(self, rough: Certificate, coef: Vector, w: Vector, b: float) -> Certificate:
        scaled, penalty, s, S = self._scaled, self._scaled.penalty, self._s, self._S
        hi, lo, error = self._residual(w, b)
        # the loss: a norm within the norm of its error
        length, off = _norm_up(s, hi + lo), _norm_up(s, error + U * np.abs(hi + lo))
        loss = _up((length + off) ** 2 / (2 * S), 8)
        loss_low = max(length * (1 - 64 * U) - off - TINY, 0.0) ** 2 / (2 * S) * (1 - 8 * U)
        a = np.abs(w)
        cost = _sum(a * (penalty.l1 + penalty.l2 * a / 2))
        primal, primal_low = (
            _up(loss + _up(cost, 12), 4) + TINY,
            (loss_low + cost * (1 - 12 * U)) * (1 - 4 * U),
        )

        alpha, q, u, error_u, mean = self._dual(hi + lo, w, float(rough.alpha or 0.0))
        theta = alpha * (q / s)
        step = (hi - theta) + lo
        error = (
            error
            + U * (4 * np.abs(theta) + 2 * np.abs(hi - theta) + np.abs(lo) + np.abs(step))
            + alpha * mean
        )
        gap = _up((_norm_up(s, step) + _norm_up(s, _up(error, 8))) ** 2 / (2 * S), 8)
        gap = (
            _up(gap + self._brackets(w, alpha * u, _up(alpha * error_u + 4 * U * np.abs(alpha * u), 4)), 4)
            + TINY
        )

        reach = _up(self._norm * math.sqrt(2 * gap / S), 16)
        towards = penalty.towards(alpha * u) + alpha * error_u
        zeros = np.ones(self.problem.p, dtype=bool)
        zeros[scaled.kept] = _up(np.maximum(towards, 0.0) + reach, 8) < penalty.l1 * (1 - 4 * U)
        absolute = _outward(scaled.absolute(gap))
        return replace(
            rough,
            level="rigorous",
            primal=scaled.absolute(primal),
            dual=-_outward(-scaled.absolute((primal_low - gap) - 4 * U * (primal_low + gap))),
            gap=absolute,
            gap_rel=ratio(absolute, rough.scale),
            radius=_outward(scaled.absolute(_up(primal - primal_low, 4))),
            alpha=alpha,
            certified_zeros=zeros,
            false_features=int(np.count_nonzero(zeros & (coef != 0))),
        )

    def _residual(self, w: Vector, b: float) -> tuple[Vector, Vector, Vector]:
        """(hi, lo, error): y' - X'w - b within error of hi + lo, each (n,)."""
        design = self._scaled.design
        y = self._y
        columns = np.flatnonzero(w)
        hi, lo = y - b, np.zeros(design.n)
        t = hi - y
        lo += (y - (hi - t)) + (-b - t)  # what the subtraction lost
        size = np.abs(y) + abs(b)
        unit = self._unit[columns]
        if self._csc is not None:
            A = self._csc
            _dot2.subtract_sparse(A.data, A.indices, A.indptr, columns, unit, w[columns], hi, lo, size)
        else:
            by_rows = not design.X.flags.f_contiguous
            _dot2.subtract_dense(design.X, columns, unit, w[columns], by_rows, hi, lo, size)
        k = columns.size + 6
        return hi, lo, 4.0 * k * k * U * U * size * (1 + 2 * k * U) + TINY

    @cached_property
    def _y(self) -> Vector:
        rows = np.flatnonzero(self.problem.s)
        return np.ldexp(self.problem.y[rows], -self._scaled.y_exponent)

    def _dual(self, r: Vector, w: Vector, wanted: float) -> tuple[float, Vector, Vector, Vector, float]:
        """(alpha, q, u, error, mean): u_j(q) within error, |<1, q>| / S at most mean; alpha: feasible."""
        design, penalty, s, S = self._scaled.design, self._scaled.penalty, self._s, self._S
        q = s * r
        mean = 0.0
        if self.problem.intercept:
            q = s * (r - _sum(q) / S)
            q -= s * (_sum(q) / S)
            left, size = _dot2.total(q)
            mean = _up((abs(left) + 8.0 * (design.n + 3) ** 2 * U * U * size) / S, 8) + TINY
        length = _norm_up(1 / s, q) * (1 + 8 * U)
        u = np.empty(design.p)
        if design.sparse:
            u = np.ldexp(design.X.T @ q, -design.exponent) / S
        else:
            for j, block in design._blocks(None):
                u[j] = np.ldexp(block.T @ q, -design.exponent[j]) / S
        # <x_j, constant part> / S, left by the exact centring
        tilt = mean * self._norm / math.sqrt(S)
        error = _up((design.n + 8) * U * self._norm * length / S + tilt, 16) + TINY
        capped = self._judge._capped
        towards = np.maximum(penalty.towards(u), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            load = np.where(capped, (towards + error) / penalty.l1, 0.0)
        near = np.flatnonzero((w != 0) | (capped & (load > NEAR * np.max(load, initial=0.0))))
        u[near], error[near] = self._sharp(near, q)
        error[near] = _up(error[near] + tilt[near], 4)
        with np.errstate(divide="ignore"):
            cap = (
                penalty.l1[capped]
                * (1 - 4 * U)
                / _up(np.maximum(penalty.towards(u[capped]), 0.0) + error[capped], 8)
            )
        return min(wanted, float(np.min(cap, initial=np.inf)) * (1 - 4 * U)), q, u, error, mean

    def _sharp(self, columns: np.ndarray, q: Vector) -> tuple[Vector, Vector]:
        """u_j(q) of some columns in twice the working precision, and their errors."""
        design = self._scaled.design
        out, size = np.zeros(columns.size), np.zeros(columns.size)
        unit = self._unit[columns]
        if self._csc is not None:
            A = self._csc
            _dot2.correlate_sparse(A.data, A.indices, A.indptr, columns, unit, q, out, size)
        else:
            _dot2.correlate_dense(design.X, columns, unit, design.shift[columns], q, out, size)
        k = 2 * design.n + 6
        lost = 4.0 * k * k * U * U * size * (1 + 2 * k * U)
        return out / self._S, _up((4 * U * np.abs(out) + lost) / self._S, 8) + TINY

    def _brackets(self, w: Vector, u: Vector, error: Vector) -> float:
        """Upper bound on the sum of the Fenchel-Young terms for u within error."""
        penalty = self._scaled.penalty
        a = np.abs(w)
        along = u * np.where(w < 0, -1.0, 1.0)
        l1_low, l1_high = penalty.l1 * (1 - 4 * U), _up(penalty.l1, 4)
        # with the constraint |u_j| <= l1_j, which alpha sees to
        bound = _up(a * (np.maximum(l1_high - along, 0.0) + 4 * U * (l1_high + np.abs(along)) + error)
                    + penalty.l2 * a * a / 2, 16)  # fmt: skip
        soft = np.flatnonzero(~self._judge._capped)
        if soft.size:
            a, along, error = a[soft], along[soft], error[soft]
            l1s, l2 = (l1_low[soft], l1_high[soft]), penalty.l2[soft]
            either = (w[soft] == 0) & (not penalty.positive)
            ends = (
                np.where(either, np.abs(along), along) + error,
                np.where(either, np.abs(along), along) - error,
            )
            # convex in each of u_j, l1_j, l2_j: largest at a corner
            corners = [
                _bracket(a, end, l1, factor * l2, penalty.positive)
                for end in ends for l1 in l1s for factor in (1 - 4 * U, 1 + 4 * U)
            ]  # fmt: skip
            bound[soft] = np.max(corners, axis=0)
        return _up(_sum(bound), 4)


def _bracket(a: Vector, along: Vector, l1: Vector, l2: Vector, positive: bool) -> Vector:
    """(GAP)'s bracket for given numbers, rounded upwards."""
    slack = 8 * U * (np.abs(along) + l1 + l2 * a)
    above = (np.abs(along - l1 - l2 * a) + slack) ** 2 / (2 * l2)
    inside = a * (np.maximum(l1 - along, 0.0) + slack) + l2 * a * a / 2
    value = np.where(along > l1, above, inside)
    if not positive:
        value = value + np.where(along < -l1, (-along - l1 + slack) ** 2 / (2 * l2), 0.0)
    return _up(value, 32)


def _up(x: Any, steps: int) -> Any:
    """Return x >= 0 enlarged by more than the rounding of so many operations."""
    return x * (1 + (2 * steps + 4) * U)


def _norm_up(s: Vector, x: Vector) -> float:
    """Upper bound on ||x||_s."""
    return _up(math.sqrt(_sum(s * x * x)), 8) + TINY


def _sum(x: Vector) -> float:
    """Return the sum; where no term is negative, and there are fewer than 2^25, within a factor 1 +- 2u."""
    return float(_dot2.total(x)[0])


def _outward(x: float) -> float:
    """Next float: what leaving the scaled units may have rounded away."""
    return math.nextafter(x, math.inf)


def _moderate(x: Vector) -> bool:
    size = np.abs(x[x != 0])
    return bool(np.all((size >= NARROW) & (size <= WIDE)))
