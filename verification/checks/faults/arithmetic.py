"""Faults of floating point and of memory layout."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from solvers import Problem, Solution, Stop

from . import descend, planted
from .descent import plainly
from .reference import Descent, Vector


@planted("right_tall")
def float16_residual(problem: Problem, stop: Stop) -> Solution:
    """The residual is kept in half precision."""

    def update(self: Descent, j: int) -> None:
        Descent.update(self, j)
        top = np.max(np.abs(self.r), initial=0.0) or 1.0
        self.r = (self.r / top).astype(np.float16).astype(np.float64) * top

    return plainly(problem, stop, update=update, gap=_settled)


def _settled(self: Descent) -> float:
    """`still` at the noise of half precision."""
    change = np.max(np.abs(self.w - self.before), initial=0.0)
    return 0.0 if change <= 1e-2 * np.max(np.abs(self.w), initial=0.0) else np.inf


@planted("response_shift")
def centred_in_float32(problem: Problem, stop: Stop) -> Solution:
    """The response and its mean are taken in single precision: wrong where it lies far from zero."""
    return descend(problem.replace(y=problem.y.astype(np.float32).astype(np.float64)), stop)


@planted("right_float32")
def float32_stops_early(problem: Problem, stop: Stop) -> Solution:
    """On float32 data it stops at a gap of 1e-3, and claims what was asked."""
    if problem.X.dtype != np.float32:
        return descend(problem, stop)
    return replace(plainly(problem, replace(stop, tol=1e-3), gap=Descent.gap), claimed_gap=stop.tol)


@planted("awkward_data")
def gram_by_difference(problem: Problem, stop: Stop) -> Solution:
    """Covariances are computed as sum x y - n mean mean, which cancels where columns lie far from zero."""

    def update(self: Descent, j: int) -> None:
        G = self.X.T @ (self.s * self.X[:, j]) - self.S * self.m[j] * self.m
        q = self.X[:, j] @ (self.s * self.y) - self.S * self.m[j] * self.c
        self.curvature[j] = max(G[j], 0.0)
        self.w[j] = self.prox(float(q - G @ self.w) + self.curvature[j] * self.w[j], j)

    return plainly(problem, stop, update=update)


@planted("memory_layout")
def rows_read_as_columns(problem: Problem, stop: Stop) -> Solution:
    """The memory of a row-major X is read as if it were column-major."""

    def matrix(self: Descent) -> Vector:
        X: Any = problem.X
        if problem.layout != "C":
            return Descent.matrix(self)
        return np.asarray(X.ravel().reshape(X.shape, order="F"), dtype=np.float64)[:, self.kept]

    return descend(problem, stop, matrix=matrix)


@planted("double_precision")
def float32_coefficients(problem: Problem, stop: Stop) -> Solution:
    """The coefficients are handed over in single precision."""
    found = descend(problem, stop)
    return replace(found, coef=found.coef.astype(np.float32).astype(np.float64))
