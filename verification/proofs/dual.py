"""The penalty's side of the gap, and the best multiple of a dual direction, docs/maths.md (GAP), (ALPHA)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .design import Mask, Vector


@dataclass(frozen=True)
class Penalty:
    """sum_j l1_j |w_j| + l2_j / 2 w_j^2, over w >= 0 if positive; l1, l2 (p,) >= 0.

    Along a path l1 is (k, p), one row for each point; its methods then take and return as many rows.
    """

    l1: Vector
    l2: Vector
    positive: bool

    @property
    def rows(self) -> Iterator[Penalty]:
        """Yield the penalty of each point of a path."""
        return (Penalty(l1, self.l2, self.positive) for l1 in self.l1)

    @property
    def none(self) -> Mask:
        """Columns without any penalty, (p,)."""
        return (self.l1 == 0) & (self.l2 == 0)

    def towards(self, u: Vector) -> Vector:
        """The part of u that the dual constraint bounds by l1: |u|, or u itself if positive."""
        return u if self.positive else np.abs(u)

    def prox_point(self, w: Vector, u: Vector, curvature: Vector) -> Vector:
        """Minimiser over w_j alone of the quadratic model with slope -u and the given curvature, (p,)."""
        t = curvature * w + u
        pulled = np.sign(t) * np.maximum(np.abs(t) - self.l1, 0.0)
        if self.positive:
            pulled = np.maximum(pulled, 0.0)
        total = curvature + self.l2
        return np.divide(pulled, total, out=w.copy(), where=total > 0)

    def fenchel_young(self, w: Vector, u: Vector, l1: Vector) -> Vector:
        """g_j(w_j) + g_j*(u_j) - u_j w_j, each >= 0 as computed, (GAP).

        Parameters
        ----------
        w : (p,) array
            Feasible coefficients.
        u : (p,) array
            Correlations X'theta / S.
        l1 : (p,) array
            The l1 to use; where l2_j = 0 it must be at least the constrained part of u_j.
        """
        a = np.abs(w)
        sign = np.where(w < 0, -1.0, 1.0)
        if not self.positive:
            sign = np.where(w == 0, np.where(u < 0, -1.0, 1.0), sign)
        along = sign * u  # (p,) u seen from the sign of w
        quadratic = self.l2 * a
        terms = a * np.maximum(l1 - along, 0.0) + quadratic * a / 2
        above, below = np.nonzero(along > l1), np.nonzero(along < -l1)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            terms[above] = (along[above] - l1[above] - quadratic[above]) ** 2 / (2 * self.l2[above[-1]])
            if not self.positive:
                terms[below] += (along[below] + l1[below]) ** 2 / (2 * self.l2[below[-1]])
        return terms


def best_multiple(
    linear: float, square: float, towards: Vector, penalty: Penalty, capped: Mask, slack: Vector
) -> list[float]:
    """Candidates for alpha in theta = alpha theta_0: the maximiser of D and the plain residual, (ALPHA).

    Parameters
    ----------
    linear, square : float
        <y, theta_0>_s / S and ||theta_0||_s^2 / S.
    towards : (p,) array
        The constrained part of u(theta_0).
    penalty : Penalty
    capped : (p,) bool
        Columns whose constraint is alpha * towards <= l1 + slack.
    slack : (p,) array
        Rounding of u_j.

    Returns
    -------
    list of float
        All feasible, >= 0. The caller keeps the one with the smallest gap.
    """
    up = capped & (towards > 0)
    with np.errstate(over="ignore"):
        cap = float(np.min((penalty.l1[up] + slack[up]) / towards[up], initial=np.inf))
    if square == 0 or cap == 0:
        return [0.0]
    soft = ~capped & (towards > 0) & (penalty.l2 > 0)
    peak = _peak(linear, square, towards[soft], penalty.l1[soft], penalty.l2[soft])
    return [min(max(peak, 0.0), cap), min(1.0, cap)]


def _peak(linear: float, square: float, t: Vector, l1: Vector, l2: Vector) -> float:
    """Argmax of alpha linear - alpha^2 square / 2 - sum_j (alpha t_j - l1_j)_+^2 / (2 l2_j), concave."""
    if not t.size:
        return linear / square
    knots = l1 / t
    order = np.argsort(knots)
    knots = knots[order]
    # on the piece after the k-th knot the derivative is (linear + rise_k) - alpha (square + steep_k)
    rise = np.concatenate([[0.0], np.cumsum((l1 * t / l2)[order])])
    steep = np.concatenate([[0.0], np.cumsum((t * t / l2)[order])])
    stationary = (linear + rise) / (square + steep)
    piece = int(np.argmin(np.append(stationary[:-1] > knots, False)))  # the first that holds its own maximum
    return float(stationary[piece])
