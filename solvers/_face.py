"""A Newton step on a face by conjugate gradients: no Gram matrix, two products with its columns a step.

On the face F with signs s the problem is a quadratic in w_F,
whose minimiser is one linear solve away. [hestenes1952]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .problem import Vector

if TYPE_CHECKING:
    from ._columns import Columns


def newton_direction(
    columns: Columns,
    F: NDArray[np.intp],
    b: Vector,
    lam2: Vector,
    slack: Vector,
    reach: Vector,
    steps: int,
) -> tuple[Vector, Vector, bool, bool]:
    """Solve (A_F'A_F + diag(lam2)) d = b by conjugate gradients, scaled by the diagonal.

    It stops where a coefficient has gone beyond its corner, for the face is then another: every iterate
    lowers the objective on the face, the last one most.

    Parameters
    ----------
    columns : Columns
    F : (f,) int array
    b, lam2 : (f,) arrays
    slack : (f,) array, > 0
        What may be left of each equation.
    reach : (f,) array
        Where a coefficient reaches its corner: d_j = reach_j; inf if it has none.
    steps : int
        Limit.

    Returns
    -------
    d : (f,) array
    fit : (n,) array
        A_F d.
    arrived : bool
        Whether every equation holds up to its slack and no corner is passed.
    slow : bool
        Whether the steps ran out, or dependent columns ended them.
    """
    diagonal = columns.norms_sq[F] + lam2
    d, fit = np.zeros(F.size), np.zeros(columns.form.z.size)
    left = b.copy()
    q = left / diagonal
    direction = q
    rho = float(left @ q)
    for _ in range(steps):
        if not np.any(np.abs(left) > slack):
            return d, fit, True, False
        image = columns.product(F, direction)
        curvature = columns.dots(F, image) + lam2 * direction
        along = float(direction @ curvature)
        if not along > 0:
            return d, fit, False, True  # dependent columns, and what is left is rounding
        alpha = rho / along
        d += alpha * direction
        fit += alpha * image
        left -= alpha * curvature
        if np.any(d / reach >= 1.0):
            return d, fit, False, False
        q = left / diagonal
        rho, before = float(left @ q), rho
        direction = q + (rho / before) * direction
    return d, fit, False, True
