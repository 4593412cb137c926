"""Faults of floating point and of memory layout."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers import Problem, Solution, Stop

from . import descend, planted
from .descent import still
from .reference import Descent, Vector


@planted("known_answers")
def float16_residual(problem: Problem, stop: Stop) -> Solution:
    """The residual is kept in half precision."""

    def update(self: Descent, j: int) -> None:
        Descent.update(self, j)
        top = np.max(np.abs(self.r), initial=0.0) or 1.0
        self.r = (self.r / top).astype(np.float16).astype(np.float64) * top

    return descend(problem, stop, update=update, gap=_settled)


def _settled(self: Descent) -> float:
    """`still` at the noise of half precision."""
    change = np.max(np.abs(self.w - self.before), initial=0.0)
    return 0.0 if change <= 1e-2 * np.max(np.abs(self.w), initial=0.0) else np.inf


@planted("shift_of_y_and_columns")
def centred_in_float32(problem: Problem, stop: Stop) -> Solution:
    """The response and its mean are taken in single precision: wrong where it lies far from zero."""
    return descend(problem.replace(y=problem.y.astype(np.float32).astype(np.float64)), stop)


@planted("float32_equals_its_float64")
def float32_means(problem: Problem, stop: Stop) -> Solution:
    """The means of a float32 X are accumulated in float32, one row after the other."""

    def means(self: Descent) -> tuple[Vector, float]:
        m, c = Descent.means(self)
        if problem.X.dtype != np.float32:
            return m, c
        total = np.cumsum(self.s[:, None].astype(np.float32) * self.X.astype(np.float32), axis=0)[-1]
        return (total / np.float32(self.S)).astype(np.float64), c

    return descend(problem, stop, means=means)


@planted("shift_of_y_and_columns")
def variance_by_difference(problem: Problem, stop: Stop) -> Solution:
    """||a_j||^2 is computed as sum x^2 - n m^2, which cancels where a column lies far from zero."""

    def squares(self: Descent) -> Vector:
        return np.maximum(self.s @ self.X**2 - self.S * self.m**2, 0.0)

    return descend(problem, stop, squares=squares, gap=still)


@planted("memory_layout")
def rows_read_as_columns(problem: Problem, stop: Stop) -> Solution:
    """The memory of a row-major X is read as if it were column-major."""

    def matrix(self: Descent) -> Vector:
        X: Any = problem.X
        if problem.layout != "C":
            return Descent.matrix(self)
        return np.asarray(X.ravel().reshape(X.shape, order="F"), dtype=np.float64)[:, self.kept]

    return descend(problem, stop, matrix=matrix)
