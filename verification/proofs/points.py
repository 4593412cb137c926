"""Points on their way to certificates: their residuals, and what is known of them without a pass over X.

One point has vectors; k points of a path have k rows in their place, and (k,) in the place of a number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .design import Vector
from .projection import Span


@dataclass(frozen=True)
class Residual:
    """The residual at a point, in scaled and weighted units, and what is known of its rounding."""

    r: Vector  # (n,)
    error: Vector  # norm of its rounding, but for a constant
    spread: Vector  # bound on |x_j'rounding| / ||x_j||, for columns in general position to it
    constant_error: Vector  # rounding of its constant part
    offset: Vector  # b in the centred units
    lean: Vector  # mean of the residual: how far b is from its optimum


@dataclass(frozen=True)
class Point:
    """A point before its proof: all that is known without a pass over X. Scaled units."""

    coef: Vector  # (p,) as given
    w: Vector  # (q,)
    at: Residual
    primal: Vector
    span: Span
    beta: Vector
    theta: Vector  # (n,) the dual direction: what the span leaves of the residual

    @property
    def directions(self) -> Vector:
        """(n, 2): the two parts of the residual whose correlations with X the proof needs.

        Of k points (n, 2k): first the k directions, then what the span took of each.
        """
        return np.vstack([self.theta, self.at.r - self.theta]).T
