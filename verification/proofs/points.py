"""A point on its way to a certificate: its residual, and what is known of it without a pass over X."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .design import Vector
from .projection import Span


@dataclass(frozen=True)
class Residual:
    """The residual at a point, in scaled and weighted units, and what is known of its rounding."""

    r: Vector  # (n,)
    error: float  # norm of its rounding, but for a constant
    spread: float  # bound on |x_j'rounding| / ||x_j||, for columns in general position to it
    constant_error: float  # rounding of its constant part
    offset: float  # b in the centred units
    lean: float  # mean of the residual: how far b is from its optimum


@dataclass(frozen=True)
class Point:
    """A point before its proof: all that is known without a pass over X. Scaled units."""

    coef: Vector  # (p,) as given
    w: Vector  # (q,)
    at: Residual
    primal: float
    span: Span
    beta: Vector
    theta: Vector  # (n,) the dual direction: what the span leaves of the residual

    @property
    def directions(self) -> Vector:
        """(n, 2): the two parts of the residual whose correlations with X the proof needs."""
        return np.column_stack([self.theta, self.at.r - self.theta])
