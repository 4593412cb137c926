"""A dual point for unpenalised columns under positivity, docs/maths.md (FACE).

There u_j <= 0 is wanted, not u_j = 0, and no multiple of the residual helps.
"""

from __future__ import annotations

import numpy as np

from .design import Vector
from .projection import Span
from .rounding import Rounding
from .scaled import EXTRA, Scaled


def face_span(scaled: Scaled, w: Vector, r: Vector) -> Span:
    """Return the span whose removal from r leaves u_j <= 0 (up to rounding) on every free column.

    Parameters
    ----------
    scaled : Scaled
        Of a problem with positive=True.
    w : (q,) array
        Scaled coefficients, >= 0.
    r : (n,) array
        Weighted residual.

    Notes
    -----
    It starts from the columns where removing u_j costs less than complementarity, w_j |u_j|, does, and adds
    those that come out positive. The set only grows, so this ends; with all free columns in it u is zero.
    """
    design, free = scaled.design, scaled.free
    intercept = scaled.problem.intercept
    curvature = design.norm**2 / scaled.S
    error = Rounding(design.n + EXTRA, design.p).one * design.rough / scaled.S
    span, theta = scaled.constant, scaled.constant.split(r)[1]
    u = design.correlate(theta[:, None])[:, 0]
    inside = free & ((u > error * np.linalg.norm(theta)) | (w * 2 * curvature > np.abs(u)))
    new = inside
    while new.any():
        span = Span(design, np.flatnonzero(inside), intercept)
        theta = span.split(r)[1]
        u = design.correlate(theta[:, None])[:, 0]
        new = free & ~inside & (u > error * np.linalg.norm(theta))
        inside = inside | new
    return span
