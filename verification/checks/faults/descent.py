"""Faults of the iteration: steps, stopping, claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from solvers import Problem, Solution, Status, Stop

from . import descend, planted
from .reference import Descent, Vector


def still(self: Descent) -> float:
    """A stopping rule instead of a gap: claims 0 once a sweep changes nothing to speak of."""
    change = np.max(np.abs(self.w - self.before), initial=0.0)
    return 0.0 if change <= 1e-13 * np.max(np.abs(self.w), initial=0.0) else np.inf


def plainly(problem: Problem, stop: Stop, **wrong: Callable[..., Any]) -> Solution:
    """Sweeps alone, no leaps, which would make up for a wrong step; until `still`, if no gap is given."""
    return descend(problem, stop, **{"leap": lambda self: None, "gap": still} | wrong)


@planted("response_sign")
def prox_sign_slip(problem: Problem, stop: Stop) -> Solution:
    """Negative coefficients are pushed away from zero by l1, not towards it."""

    def prox(self: Descent, t: float, j: int) -> float:
        total = self.curvature[j] + self.l2[j]
        if total <= 0 or t >= -self.l1[j] or problem.positive:
            return Descent.prox(self, t, j)
        return float((t - self.l1[j]) / total)

    return plainly(problem, stop, prox=prox)


@planted("zeros_above_l1_max")
def threshold_without_positive_part(problem: Problem, stop: Stop) -> Solution:
    """Where |t| < l1 the coefficient is not zero but (|t| - l1) sign t."""

    def prox(self: Descent, t: float, j: int) -> float:
        total = self.curvature[j] + self.l2[j]
        if total <= 0 or problem.positive:
            return Descent.prox(self, t, j)
        return float((t - np.sign(t) * self.l1[j]) / total)

    return plainly(problem, stop, prox=prox)


@planted("right_wide")
def stale_residual(problem: Problem, stop: Stop) -> Solution:
    """The residual is not brought up to date where a coefficient becomes zero."""

    def update(self: Descent, j: int) -> None:
        a, old = self.A[:, j], self.w[j]
        new = self.prox(float(a @ self.r) + self.curvature[j] * old, j)
        if new != 0:
            self.r -= (new - old) * a
        self.w[j] = new

    return plainly(problem, stop, update=update)


@planted("column_permutation")
def last_coordinate_never_visited(problem: Problem, stop: Stop) -> Solution:
    """The loop over the columns ends one early."""
    return plainly(problem, stop, order=lambda self: range(self.w.size - 1))


@planted("right_elastic_net")
def stops_on_a_plateau(problem: Problem, stop: Stop) -> Solution:
    """Stops, converged by its own account, when a sweep lowers the objective by less than 1e-5 of it."""
    last = np.inf

    def gap(self: Descent) -> float:
        nonlocal last
        a = np.abs(self.w)
        value = float(self.r @ self.r) / 2 + float(self.l1 @ a + self.l2 @ (a * a) / 2)
        before, last = last, value
        return 0.0 if before - value <= 1e-5 * value else np.inf

    return plainly(problem, stop, gap=gap)


@planted("honest_gap")
def five_sweeps(problem: Problem, stop: Stop) -> Solution:
    """Ends after five sweeps, and claims what was asked."""
    found = plainly(problem, replace(stop, max_iter=5))
    return replace(found, status=Status.CONVERGED, claimed_gap=stop.tol)


@planted("says_when_it_stopped_early")
def lying_status(problem: Problem, stop: Stop) -> Solution:
    """Says that it converged whatever ended it."""
    return replace(descend(problem, stop), status=Status.CONVERGED)


@planted("honest_gap")
def dual_point_not_scaled(problem: Problem, stop: Stop) -> Solution:
    """Its own gap is that of a dual point that breaks |u_j| <= l1_j: it stops too early."""

    def gap(self: Descent) -> float:
        u = self.A.T @ self.r
        terms = (self.l1 + self.l2 * np.abs(self.w)) * np.abs(self.w) - u * self.w
        return max(float(np.sum(terms[~self.free])), 0.0) / self.scale()

    return plainly(problem, stop, gap=gap)


@planted("response_scale")
def absolute_gap(problem: Problem, stop: Stop) -> Solution:
    """The gap is compared with tol as it is, not relative to N: wrong where y is small."""
    return plainly(problem, stop, gap=lambda self: Descent.gap(self) * self.scale() / self.S)


@planted("response_scale")
def absolute_change(problem: Problem, stop: Stop) -> Solution:
    """Stops when no coefficient changes by more than 1e-6: wrong where w is small."""

    def gap(self: Descent) -> float:
        return 0.0 if np.max(np.abs(self.w - self.before), initial=0.0) <= 1e-6 else np.inf

    return plainly(problem, stop, gap=gap)


@planted("right_square")
def values_shrunk(problem: Problem, stop: Stop) -> Solution:
    """The support is right, its coefficients are a thousandth too small."""
    found = descend(problem, stop)
    return replace(found, coef=0.999 * found.coef)


@planted("right_bases")
def small_coefficients_dropped(problem: Problem, stop: Stop) -> Solution:
    """Coefficients below a hundredth of the largest are set to zero."""
    found = descend(problem, stop)
    size = np.abs(found.coef)
    return replace(found, coef=np.where(size < 0.01 * np.max(size, initial=0.0), 0.0, found.coef))


@planted("right_positive")
def clipped_after_solving(problem: Problem, stop: Stop) -> Solution:
    """The constraint w >= 0 is met by clipping the unconstrained solution."""
    found = descend(problem.replace(positive=False), stop)
    return replace(found, coef=np.maximum(found.coef, 0.0)) if problem.positive else found


@planted("right_positive")
def positive_only_with_l1(problem: Problem, stop: Stop) -> Solution:
    """The constraint w >= 0 is part of the soft threshold, and so is lost where l1 = 0."""
    return descend(problem.replace(positive=problem.positive and problem.l1 > 0), stop)


@planted("right_wide")
def screened_at_zero(problem: Problem, stop: Stop) -> Solution:
    """Columns with |u_j| < l1_j at w = 0 are left out for good."""

    def order(self: Descent) -> list[int]:
        return np.flatnonzero((np.abs(self.A.T @ self.z) >= self.l1) | self.free).tolist()

    return plainly(problem, stop, order=order)


@planted("zeros_above_l1_max")
def l1_at_most_l1_max(problem: Problem, stop: Stop) -> Solution:
    """The path starts just below l1_max, and an l1 above it is solved there."""
    return descend(problem.replace(l1=min(problem.l1, 0.99 * problem.l1_max() or problem.l1)), stop)


@planted("column_permutation")
def sorted_columns_not_put_back(problem: Problem, stop: Stop) -> Solution:
    """Columns are visited by falling norm, and the coefficients are returned in that order."""
    solver = Descent(problem, stop)
    order = np.argsort(-solver.curvature, kind="stable")
    found = solver.solve()
    coef = found.coef.copy()
    coef[solver.kept] = found.coef[solver.kept][order]
    return replace(found, coef=coef)


@planted("right_single")
def one_column_by_formula(problem: Problem, stop: Stop) -> Solution:
    """With a single column the formula of least squares is used, penalty or not."""
    if problem.p > 1:
        return descend(problem, stop)

    def nothing(self: Descent) -> tuple[Vector, Vector]:
        return np.zeros(self.kept.size), np.zeros(self.kept.size)

    return descend(problem, stop, penalties=nothing)


@planted("honest_status")
def never_converged(problem: Problem, stop: Stop) -> Solution:
    """Says that it stopped at max_iter, also where it arrived."""
    return replace(descend(problem, stop), status=Status.MAX_ITER)


@planted("honest_gap")
def claims_no_gap_at_all(problem: Problem, stop: Stop) -> Solution:
    """Claims a gap of 0 whatever it reached: a millionth of the objective at most."""
    return replace(plainly(problem, replace(stop, tol=1e-6), gap=Descent.gap), claimed_gap=0.0)
