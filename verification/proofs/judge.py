"""From coefficients to a certificate at level "float", docs/maths.md (GAP), (RADIUS), (KKT), (ZEROS)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike

from solvers import Problem

from .certificate import Certificate
from .design import Mask, Vector
from .dual import best_multiple
from .faces import face_span
from .implied import Implied, implied_penalty
from .points import Point, Residual
from .projection import Span
from .rounding import UNIT, Rounding, length
from .scaled import EXTRA, Scaled
from .stationarity import ratio, violation

LEVELS = ("float", "rigorous", "exact")
OVERFLOW = "the objective overflows float64 at these coefficients"


@dataclass(frozen=True)
class _Gap:
    """The gap of one dual point, its rounding, and the correlations it belongs to. Scaled units."""

    value: Vector
    radius: Vector
    alpha: Vector
    u: Vector  # (q,)

    def or_smaller(self, other: _Gap) -> _Gap:
        """Return the smaller of the two gaps with its radius; of k points, for each."""
        less = other.value + other.radius < self.value + self.radius
        if np.ndim(less) == 0:
            return other if less else self
        return _Gap(
            np.where(less, other.value, self.value),
            np.where(less, other.radius, self.radius),
            np.where(less, other.alpha, self.alpha),
            np.where(less[:, None], other.u, self.u),
        )


def certify(
    problem: Problem, coef: ArrayLike, intercept: float = 0.0, *, level: str = "float"
) -> Certificate:
    """Prove how far (coef, intercept) is from the optimum of (P), whoever computed it.

    Parameters
    ----------
    problem : Problem
    coef : (p,) array
        Any coefficients; those that break a constraint or are not finite get kind "NONE".
    intercept : float
        b; must be 0 for a problem without an intercept.
    level : {"float", "rigorous", "exact"}
        docs/proofs.md says what each rests on.

    Returns
    -------
    Certificate

    Raises
    ------
    ValueError
        If coef has another shape than (p,), or level is unknown.
    """
    if level not in LEVELS:
        raise ValueError(f"level is {level!r}: choose one of {', '.join(LEVELS)}")
    if level == "float":
        return Judge(problem).certify(coef, intercept)
    from .levels import LEVEL  # they build on this file

    return LEVEL[level](problem, coef, intercept)


class Judge:
    """Certifies many points of one problem; what depends on the problem alone is computed once.

    Parameters
    ----------
    problem : Problem

    Notes
    -----
    The methods that a proof consists of take one point, w (q,), or k points of a path at once, w (k, q): they
    sum over the last axis.
    """

    def __init__(self, problem: Problem) -> None:
        scaled = Scaled(problem)
        design = scaled.design
        self._curvature = design.norm**2 / scaled.S  # (q,) of the loss along each column
        self._dots = Rounding(design.n + EXTRA, max(design.p, 1))
        self._sums = Rounding(design.n + design.p + EXTRA)
        self._steps = Rounding(EXTRA, design.n)
        self._take(scaled)

    def at(self, l1: float) -> Judge:
        """Return the judge of the same problem at another l1; what the data alone decide is shared."""
        other = copy(self)
        other._take(self._scaled.at(l1))
        return other

    def along(self, l1s: Vector) -> Judge | None:
        """Return the judge of k points together, each at its own l1; None where they must be judged alone.

        That is where the dual points differ in what they are projected on.
        """
        scaled = self._scaled.along(l1s)
        if scaled is None:
            return None
        other = copy(self)
        other._take(scaled)
        other._l1 = l1s
        return other

    @property
    def scaled(self) -> Scaled:
        """The problem in the units of the proof."""
        return self._scaled

    def _take(self, scaled: Scaled) -> None:
        self.problem, self._scaled = scaled.problem, scaled
        self._l1: float | Vector = scaled.problem.l1
        # l2_j lost in the rounding of the column's own curvature: to the dual it is a lasso column
        faint = scaled.penalty.l2 <= self._dots.one * self._curvature
        self._capped = faint & (scaled.penalty.l1 > 0)

    def certify(self, coef: ArrayLike, intercept: float = 0.0) -> Certificate:
        """As the function `certify`."""
        coef = self.checked(coef)
        reason = self._broken(coef, float(intercept))
        if reason:
            return self._none(coef, reason)
        point = self._point(coef, np.array(float(intercept)))
        if not math.isfinite(point.primal):
            return self._none(coef, OVERFLOW)
        (found,) = self._prove(point)
        return found

    def certify_all(self, coefs: Vector, intercepts: Vector) -> list[Certificate]:
        """Certify k points, coefs (k, p) and intercepts (k,), at the l1 of each; of a judge :meth:`along`."""
        reasons = [self._broken(coef, float(b)) for coef, b in zip(coefs, intercepts, strict=True)]
        point = self._points(coefs, intercepts, reasons)
        reasons = [
            reason or ("" if finite else OVERFLOW)
            for reason, finite in zip(reasons, np.isfinite(point.primal), strict=True)
        ]
        if not np.isfinite(point.primal).all():
            point = self._points(coefs, intercepts, reasons)
        return [
            self._none(coef, reason) if reason else found
            for coef, reason, found in zip(coefs, reasons, self._prove(point), strict=True)
        ]

    def checked(self, coef: ArrayLike) -> Vector:
        """Return coefficients as (p,) floats; ValueError if they have another shape."""
        coef = np.asarray(coef, dtype=np.float64)
        if coef.shape != (self.problem.p,):
            expected = f"({self.problem.p},): one for each column of X"
            raise ValueError(f"coef has shape {coef.shape}, expected {expected}")
        return coef

    def _points(self, coefs: Vector, intercepts: Vector, reasons: list[str]) -> Point:
        """Return what a proof of k points begins with; those that there is a reason against are put to 0."""
        sound = np.array([not reason for reason in reasons])
        return self._point(np.where(sound[:, None], coefs, 0.0), np.where(sound, intercepts, 0.0))

    def _point(self, coef: Vector, b: Vector) -> Point:
        """Return what a proof begins with."""
        scaled = self._scaled
        w = scaled.coefficients(coef)
        with np.errstate(over="ignore", invalid="ignore"):
            at = self._residual(w, b)
            primal = self._primal(w, at)
        if not np.isfinite(primal).all():
            return Point(coef, w, at, primal, scaled.span, np.zeros(0), at.r)  # there is no proof
        if w.ndim > 1:
            beta, theta = (np.array(part) for part in zip(*map(scaled.span.split, at.r), strict=True))
            return Point(coef, w, at, primal, scaled.span, beta, theta)
        span = face_span(scaled, w, at.r) if self.problem.positive and scaled.free.any() else scaled.span
        return Point(coef, w, at, primal, span, *span.split(at.r))

    def _broken(self, coef: Vector, b: float) -> str:
        """Why the point is not a point of (P), or an empty string."""
        bad = ~np.isfinite(coef)
        if bad.any():
            return f"coef[{np.argmax(bad)}] is {coef[np.argmax(bad)]}"
        if not math.isfinite(b):
            return f"the intercept is {b}"
        if b != 0 and not self.problem.intercept:
            return f"the intercept is {b}, but the problem has none"
        bad = ~self._scaled.kept & (coef != 0)
        if bad.any():
            return f"coef[{np.argmax(bad)}] is {coef[np.argmax(bad)]}, but its penalty weight is inf"
        if self.problem.positive and (coef < 0).any():
            return f"coef[{np.argmin(coef)}] is {coef.min()}, but the problem is positive"
        return ""

    def _none(self, coef: Vector, reason: str) -> Certificate:
        scaled = self._scaled
        return Certificate(
            level="float",
            kind="NONE",
            reason=reason,
            primal=math.inf,
            scale=scaled.absolute(scaled.scale),
            primal_null=scaled.absolute(scaled.null),
            support=int(np.count_nonzero(coef)),
            certified_zeros=np.zeros(self.problem.p, dtype=bool),
        )

    def _residual(self, w: Vector, b: Vector) -> Residual:
        scaled, design = self._scaled, self._scaled.design
        offset, offset_size = scaled.intercept(b, w)
        z, sizes = design.products(w)
        r = scaled.y - design.root * (z + _column(offset))
        terms = scaled.magnitude + design.root * (sizes + _column(np.abs(offset)))
        worst, likely, confidence = self._rates(w)
        size = length(terms)
        # the rounding of w itself shifts a whole column; that of the sums differs from row to row
        shift = confidence * UNIT * length(design.norm * w)
        spread = np.minimum(worst * size, likely * np.max(terms, axis=-1) + shift)
        constant = np.zeros_like(b)
        if self.problem.intercept:  # b counts as known to half a unit in its last place, as any float64 is
            constant = self._steps.one * offset_size + UNIT * np.abs(np.ldexp(b, -scaled.y_exponent))
        lean = r @ design.root / scaled.S
        return Residual(r, np.minimum(worst, likely) * size, spread, constant, offset, lean)

    def _rates(self, w: Vector) -> Vector:
        """Of the sums over the support of w: the two rates of rounding, and Lambda, (3,) or (3, k)."""
        counts = np.count_nonzero(w, axis=-1)
        rates = {
            count: (rate.worst, rate.likely, rate.confidence)
            for count in np.unique(counts).tolist()
            for rate in [Rounding(count + EXTRA, self._scaled.design.n)]
        }
        return np.array([rates[count] for count in np.ravel(counts).tolist()]).T.reshape(3, *w.shape[:-1])

    def _primal(self, w: Vector, at: Residual) -> Vector:
        penalty = self._scaled.penalty
        a = np.abs(w)
        loss = np.vecdot(at.r, at.r) / (2 * self._scaled.S)
        return loss + np.sum(a * (penalty.l1 + penalty.l2 * a / 2), axis=-1)

    def _prove(self, point: Point) -> list[Certificate]:
        """Finish the proofs of one point, or of k."""
        scaled, design = self._scaled, self._scaled.design
        w, at, primal, theta = point.w, point.at, point.primal, point.theta
        u = design.correlate(point.directions).T
        u0, u_fit = u.reshape(2, *w.shape)
        gap = self._smallest_gap(w, at, point.span, (point.beta, theta), u0, u0 + u_fit)

        radius = gap.radius + length(at.r) * at.error / scaled.S + self._constant_radius(at)
        radius += self._sums.one * primal
        reach = design.norm * _column(np.sqrt(2 * (gap.value + radius) / scaled.S))
        rounding = design.rough * _column(self._dots.one * length(theta) / scaled.S)
        zeros = scaled.penalty.towards(gap.u) + reach + rounding < scaled.penalty.l1
        if not scaled.all_kept:
            kept, zeros = zeros, np.ones(point.coef.shape, dtype=bool)  # v_j = inf: by definition
            zeros[..., scaled.kept] = kept
        implied = self._implied(w, u0, rounding + design.rough * _column(at.spread / scaled.S))
        columns = primal, gap.value, radius, gap.alpha, violation(scaled, w, u0 + u_fit, at.r)
        rows = zip(*(np.ravel(column).tolist() for column in columns), strict=True)
        points = zip(np.atleast_2d(point.coef), np.atleast_2d(zeros), implied, rows, strict=True)
        return [self._certificate(point.span, *each) for each in points]

    def _certificate(
        self,
        span: Span,
        coef: Vector,
        zeros: Mask,
        implied: Implied | None,
        figures: tuple[float, float, float, float, float],
    ) -> Certificate:
        scaled = self._scaled
        primal, gap, radius, alpha, kkt = figures
        return Certificate(
            level="float",
            kind=self._kind(span, alpha),
            primal=scaled.absolute(primal),
            dual=scaled.absolute(primal - gap),
            gap=scaled.absolute(gap),
            scale=scaled.absolute(scaled.scale),
            gap_rel=ratio(gap, scaled.scale),
            radius=scaled.absolute(radius) + scaled.underflow,
            primal_null=scaled.absolute(scaled.null),
            kkt=kkt,
            support=int(np.count_nonzero(coef)),
            alpha=alpha,
            certified_zeros=zeros,
            false_features=int(np.count_nonzero(zeros & (coef != 0))),
            implied_l1=None if implied is None else implied.l1,
            implied_l2=None if implied is None else implied.l2,
            implied_off=None if implied is None else implied.off,
            implied_gain=None if implied is None else implied.gain,
        )

    def _smallest_gap(
        self, w: Vector, at: Residual, span: Span, split: tuple[Vector, Vector], u0: Vector, u: Vector
    ) -> _Gap:
        """The gap of the best multiple of the dual direction, (ALPHA).

        split is what `span` made of the residual; u0, u are the correlations of its rest and of all of it.
        """
        beta, theta = split
        fit = at.r - theta
        scaled, design, penalty = self._scaled, self._scaled.design, self._scaled.penalty
        S = scaled.S
        size_of_theta, size_of_fit = length(theta), length(fit)
        size = design.rough * _column(size_of_theta / S)  # (q,) of the sums u_j(theta)
        inherited = design.rough * _column(at.spread / S)
        if scaled.free.any():
            inherited = np.where(scaled.free, 0.0, inherited)  # projection takes it out again
        move = np.abs(penalty.prox_point(w, u, self._curvature) - w)  # how far w_j may be from its optimum
        move[..., span.members] = np.abs(beta)
        candidates = self._multiples(theta, u0, self._dots.one * size + inherited)
        limit = self._most(theta, u0, at.r)
        error = at.error + self._steps.one * (length(at.r) + size_of_fit)
        found: list[_Gap] = []
        for candidate in candidates:
            alpha = np.minimum(candidate, limit)
            if found and np.array_equal(alpha, found[0].alpha):
                continue
            many = _column(alpha)
            step = (1 - many) * theta + fit  # r - alpha theta
            value, radius = self._penalty_side(w, many * u0, many * size, inherited, move)
            size_of_step = length(step)
            value += size_of_step**2 / (2 * S)
            radius += size_of_step * error / S + error**2 / S + self._constant_radius(at)
            radius += self._sums.one * value
            if self.problem.intercept:
                tilt = np.abs(theta @ design.root) / S  # the constant's own u, zero but for rounding
                tilt += self._dots.one * size_of_theta / math.sqrt(S)
                radius += 2 * alpha * tilt * (np.abs(at.offset) + np.abs(at.lean))
            found.append(_Gap(value, radius, alpha, many * u0))
        return reduce(_Gap.or_smaller, found)

    def _multiples(self, theta: Vector, u0: Vector, slack: Vector) -> Iterable[Vector | float]:
        """Candidates for alpha; of k points so many (k,)."""
        scaled, penalty = self._scaled, self._scaled.penalty
        linear, square = theta @ scaled.y / scaled.S, np.vecdot(theta, theta) / scaled.S
        towards = penalty.towards(u0)
        if theta.ndim == 1:
            return best_multiple(float(linear), float(square), towards, penalty, self._capped, slack)
        each = zip(linear.tolist(), square.tolist(), towards, penalty.rows, self._capped, slack, strict=True)
        found = [best_multiple(*arguments) for arguments in each]
        return np.array([(alphas * 2)[:2] for alphas in found]).T

    def _constant_radius(self, at: Residual) -> Vector:
        """Rounding of ||r||^2 / (2S) by that of the constant part of r, on which r hardly leans."""
        return np.abs(at.lean) * at.constant_error + at.constant_error**2

    def _most(self, theta: Vector, u0: Vector, r: Vector) -> Vector:
        """Largest alpha that leaves what the projection missed at the level of rounding; at least 1.

        Where the residual lies in the span, theta is nothing but rounding, and must not be blown up.
        """
        scaled, design, S = self._scaled, self._scaled.design, self._scaled.S
        size = self._dots.one * np.maximum(length(r), length(scaled.y))
        most = np.full_like(size, np.inf)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            if scaled.free.any():
                left = scaled.penalty.towards(u0[..., scaled.free])
                allowed = design.rough[scaled.free] * _column(size / S)
                ratios = np.divide(allowed, left, out=np.full(left.shape, np.inf), where=left > 0)
                most = np.min(ratios, axis=-1)
            if self.problem.intercept:
                tilt = np.abs(theta @ design.root) / S
                most = np.minimum(most, np.where(tilt > 0, size / math.sqrt(S) / tilt, np.inf))
        return np.maximum(1.0, most)

    def _penalty_side(
        self, w: Vector, u: Vector, size: Vector, inherited: Vector, move: Vector
    ) -> tuple[Vector, Vector]:
        """sum_j of the Fenchel-Young terms, and its radius, (RADIUS)."""
        penalty = self._scaled.penalty
        towards = penalty.towards(u)
        bound = self._capped | self._scaled.free
        every = bool(bound.all())
        l1 = np.maximum(penalty.l1, towards)
        if not every:
            l1 = np.where(bound, l1, penalty.l1)
        terms = penalty.fenchel_young(w, u, l1)
        error = self._dots.one * size + inherited
        a = np.abs(w)
        change = inherited * a
        if not every:
            high, low = penalty.fenchel_young(w, u + error, l1), penalty.fenchel_young(w, u - error, l1)
            change = np.where(bound, change, np.maximum(high, low) - terms)
        radius = np.sum(change, axis=-1)
        # u_j is rounded in its term (times a), and may exceed l1_j at the optimum (times a + move)
        inside, beyond = size * (2 * a + move), (l1 - penalty.l1) * (a + move)
        if not every:
            inside, beyond = np.where(bound, inside, 0.0), np.where(bound, beyond, 0.0)
        radius += self._dots.total(inside)
        radius += np.sum(beyond, axis=-1)
        return np.sum(terms, axis=-1), radius

    def _implied(self, w: Vector, u: Vector, rounding: Vector) -> list[Implied | None]:
        """The penalty that each point solves."""
        scaled, found = self._scaled, []
        w, u, rounding = np.atleast_2d(w), np.atleast_2d(u), np.atleast_2d(rounding)
        j = np.flatnonzero(w.any(axis=0) & ~scaled.free)
        w = w[:, j]
        regressors = np.stack([scaled.l1_unit[j] * np.sign(w), scaled.l2_unit[j] * w], axis=-1)
        points = zip(np.ravel(self._l1).tolist(), w != 0, u[:, j], rounding[:, j], regressors, strict=True)
        for l1, used, *columns in points:
            u, rounding, regressors = (column[used] for column in columns)
            found.append(implied_penalty(u, rounding, regressors, (l1, self.problem.l2)))
        return found

    def _kind(self, span: Span, alpha: float) -> str:
        kind = "residual"
        if span.members.size:
            kind = f"residual projected off {span.members.size} unpenalised columns"
        elif self.problem.intercept:
            kind = "centred residual"
        return kind if alpha == 1 else f"{kind}, scaled"


def _column(x: Vector) -> Vector:
    """Return x (k,) as a column, to be combined with rows of k points; of one point, its number."""
    return x[..., None] if np.ndim(x) else x
