"""From coefficients to a certificate at level "float", docs/maths.md (GAP), (RADIUS), (KKT), (ZEROS)."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from solvers import Problem

from .certificate import Certificate
from .design import Vector
from .dual import best_multiple
from .faces import face_span
from .implied import Implied, implied_penalty
from .points import Point, Residual
from .projection import Span
from .rounding import UNIT, Rounding, length
from .scaled import EXTRA, Scaled
from .stationarity import ratio, violation

LEVELS = ("float", "rigorous", "exact")


@dataclass(frozen=True)
class _Gap:
    """The gap of one dual point, its rounding, and the correlations it belongs to. Scaled units."""

    value: float
    radius: float
    alpha: float
    u: Vector  # (q,)


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

    @property
    def scaled(self) -> Scaled:
        """The problem in the units of the proof."""
        return self._scaled

    def _take(self, scaled: Scaled) -> None:
        self.problem, self._scaled = scaled.problem, scaled
        # l2_j lost in the rounding of the column's own curvature: to the dual it is a lasso column
        faint = scaled.penalty.l2 <= self._dots.one * self._curvature
        self._capped = faint & (scaled.penalty.l1 > 0)

    def certify(self, coef: ArrayLike, intercept: float = 0.0) -> Certificate:
        """As the function `certify`."""
        point = self.point(coef, intercept)
        if isinstance(point, Certificate):
            return point
        return self.prove(point, *self.correlate(point.directions).T)

    def correlate(self, directions: Vector) -> Vector:
        """Correlations (q, k) of the columns with directions (n, k); the same at every l1."""
        return self._scaled.design.correlate(directions)

    def point(self, coef: ArrayLike, intercept: float) -> Point | Certificate:
        """Return what a proof of a point begins with; the certificate itself where nothing can be proven."""
        coef = np.asarray(coef, dtype=np.float64)
        if coef.shape != (self.problem.p,):
            expected = f"({self.problem.p},): one for each column of X"
            raise ValueError(f"coef has shape {coef.shape}, expected {expected}")
        reason = self._broken(coef, float(intercept))
        if reason:
            return self._none(coef, reason)
        w = self._scaled.coefficients(coef)
        with np.errstate(over="ignore", invalid="ignore"):
            at = self._residual(w, float(intercept))
            primal = self._primal(w, at)
        if not math.isfinite(primal):
            return self._none(coef, "the objective overflows float64 at these coefficients")
        scaled = self._scaled
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

    def _residual(self, w: Vector, b: float) -> Residual:
        scaled, design = self._scaled, self._scaled.design
        offset, offset_size = scaled.intercept(b, w)
        z, sizes = design.products(w)
        r = scaled.y - design.root * (z + offset)
        terms = scaled.magnitude + design.root * (sizes + abs(offset))
        rate = Rounding(int(np.count_nonzero(w)) + EXTRA, design.n)
        size = length(terms)
        # the rounding of w itself shifts a whole column; that of the sums differs from row to row
        shift = rate.confidence * UNIT * length(design.norm * w)
        spread = min(rate.worst * size, rate.likely * float(np.max(terms)) + shift)
        constant = 0.0
        if self.problem.intercept:  # b counts as known to half a unit in its last place, as any float64 is
            constant = self._steps.one * offset_size + UNIT * abs(math.ldexp(b, -scaled.y_exponent))
        lean = float(design.root @ r) / scaled.S
        return Residual(r, rate.one * size, spread, constant, offset, lean)

    def _primal(self, w: Vector, at: Residual) -> float:
        penalty = self._scaled.penalty
        a = np.abs(w)
        loss = float(at.r @ at.r) / (2 * self._scaled.S)
        return loss + float(np.sum(a * (penalty.l1 + penalty.l2 * a / 2)))

    def prove(self, point: Point, u0: Vector, u_fit: Vector) -> Certificate:
        """Finish a proof, given the correlations (q,) of the columns with the point's two directions."""
        scaled, design = self._scaled, self._scaled.design
        coef, w, at, primal = point.coef, point.w, point.at, point.primal
        span, theta = point.span, point.theta
        gap = self._smallest_gap(w, at, span, (point.beta, theta), u0, u0 + u_fit)

        radius = gap.radius + length(at.r) * at.error / scaled.S + self._constant_radius(at)
        radius += self._sums.one * primal
        zeros = np.ones(self.problem.p, dtype=bool)  # v_j = inf: by definition
        reach = design.norm * math.sqrt(2 * (gap.value + radius) / scaled.S)
        rounding = self._dots.one * design.rough * length(theta) / scaled.S
        implied = self._implied(w, u0, rounding + design.rough * at.spread / scaled.S)
        zeros[scaled.kept] = scaled.penalty.towards(gap.u) + reach + rounding < scaled.penalty.l1
        return Certificate(
            level="float",
            kind=self._kind(span, gap.alpha),
            primal=scaled.absolute(primal),
            dual=scaled.absolute(primal - gap.value),
            gap=scaled.absolute(gap.value),
            scale=scaled.absolute(scaled.scale),
            gap_rel=ratio(gap.value, scaled.scale),
            radius=scaled.absolute(radius) + scaled.underflow,
            primal_null=scaled.absolute(scaled.null),
            kkt=violation(scaled, w, u0 + u_fit, at.r),
            support=int(np.count_nonzero(coef)),
            alpha=gap.alpha,
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
        size = design.rough * length(theta) / S  # (q,) of the sums u_j(theta)
        inherited = np.where(scaled.free, 0.0, design.rough * at.spread / S)  # projection takes it out again
        move = np.abs(penalty.prox_point(w, u, self._curvature) - w)  # how far w_j may be from its optimum
        move[span.members] = np.abs(beta)
        candidates = best_multiple(
            float(scaled.y @ theta) / S,
            float(theta @ theta) / S,
            penalty.towards(u0),
            penalty,
            self._capped,
            self._dots.one * size + inherited,
        )
        limit = self._most(theta, u0, at.r)
        found = []
        for alpha in {min(alpha, limit) for alpha in candidates}:
            step = (1 - alpha) * theta + fit  # r - alpha theta
            value, radius = self._penalty_side(w, alpha * u0, alpha * size, inherited, move)
            size_of_step = length(step)
            error = at.error + self._steps.one * (length(at.r) + length(fit))
            value += size_of_step**2 / (2 * S)
            radius += size_of_step * error / S + error**2 / S + self._constant_radius(at)
            radius += self._sums.one * value
            if self.problem.intercept:
                tilt = abs(float(design.root @ theta)) / S  # the constant's own u, zero but for rounding
                tilt += self._dots.one * length(theta) / math.sqrt(S)
                radius += 2 * alpha * tilt * (abs(at.offset) + abs(at.lean))
            found.append(_Gap(value, radius, alpha, alpha * u0))
        return min(found, key=lambda gap: gap.value + gap.radius)

    def _constant_radius(self, at: Residual) -> float:
        """Rounding of ||r||^2 / (2S) by that of the constant part of r, on which r hardly leans."""
        return abs(at.lean) * at.constant_error + at.constant_error**2

    def _most(self, theta: Vector, u0: Vector, r: Vector) -> float:
        """Largest alpha that leaves what the projection missed at the level of rounding; at least 1.

        Where the residual lies in the span, theta is nothing but rounding, and must not be blown up.
        """
        scaled, design, S = self._scaled, self._scaled.design, self._scaled.S
        size = self._dots.one * max(length(r), length(scaled.y))
        left = np.where(scaled.free, scaled.penalty.towards(u0), 0.0)
        allowed = design.rough * size / S
        most = float(np.min(allowed[left > 0] / left[left > 0], initial=np.inf))
        tilt = abs(float(design.root @ theta)) / S
        if self.problem.intercept and tilt > 0:
            most = min(most, size / math.sqrt(S) / tilt)
        return max(1.0, most)

    def _penalty_side(
        self, w: Vector, u: Vector, size: Vector, inherited: Vector, move: Vector
    ) -> tuple[float, float]:
        """sum_j of the Fenchel-Young terms, and its radius, (RADIUS)."""
        penalty = self._scaled.penalty
        towards = penalty.towards(u)
        bound = self._capped | self._scaled.free
        l1 = np.where(bound, np.maximum(penalty.l1, towards), penalty.l1)
        terms = penalty.fenchel_young(w, u, l1)
        error = self._dots.one * size + inherited
        a = np.abs(w)
        change = inherited * a
        if not bound.all():
            high, low = penalty.fenchel_young(w, u + error, l1), penalty.fenchel_young(w, u - error, l1)
            change = np.where(bound, change, np.maximum(high, low) - terms)
        radius = float(np.sum(change))
        # u_j is rounded in its term (times a), and may exceed l1_j at the optimum (times a + move)
        radius += self._dots.total(np.where(bound, size * (2 * a + move), 0.0))
        radius += float(np.sum(np.where(bound, (l1 - penalty.l1) * (a + move), 0.0)))
        return float(np.sum(terms)), radius

    def _implied(self, w: Vector, u: Vector, rounding: Vector) -> Implied | None:
        scaled = self._scaled
        j = np.flatnonzero((w != 0) & ~scaled.free)
        regressors = np.column_stack([scaled.l1_unit[j] * np.sign(w[j]), scaled.l2_unit[j] * w[j]])
        return implied_penalty(u[j], rounding[j], regressors, (self.problem.l1, self.problem.l2))

    def _kind(self, span: Span, alpha: float) -> str:
        kind = "residual"
        if span.members.size:
            kind = f"residual projected off {span.members.size} unpenalised columns"
        elif self.problem.intercept:
            kind = "centred residual"
        return kind if alpha == 1 else f"{kind}, scaled"
