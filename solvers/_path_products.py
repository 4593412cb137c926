"""Points of a path by products with the columns of W, where a factor of its Gram matrix would cost more.

A sparse column costs as many operations as it has entries, whatever the support; a change of the support
costs its square in a Cholesky factor. So a path through sparse X starts on the Gram matrix and leaves it
once products are cheaper, which is found by counting the operations of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._residual_face import ResidualFace
from .problem import Vector

if TYPE_CHECKING:
    from ._active_set import ActiveSet

DENSE, FAR = 0.22, 0.4  # time of an operation in a factor, in the cache and beyond, against one with an entry
CACHE = 4e6  # bytes
TOUCHES = 50  # times that the support's columns are read for a point where all goes well
EPS = 2.0**-52


class Products:
    """Chooses between a factor and products, and solves by products."""

    def __init__(self) -> None:
        self.changes = 0.0  # columns that entered or left the support from a point to the next, lately
        self.failed_at = 0.0  # the factor's cost of a point when products were last found to cost more

    def worth(self, state: ActiveSet, points: int) -> float:
        """Return how many touches of a column of W products may take for a block; 0 if not worth trying.

        Parameters
        ----------
        points : int
            Of the block.
        """
        if state.gram is None or not state.columns.sparse:
            return 0.0
        support = int(np.count_nonzero(state.w))
        if support == 0:
            return 0.0
        each = state.columns.entries(state.W[state.w != 0]) / support
        factor = (DENSE if 8 * support**2 < CACHE else FAR) * support**2 * (3 * self.changes + 2)
        if factor < TOUCHES * support * each or factor < 4 * self.failed_at:
            return 0.0
        self.failed_at = factor
        return points * factor / each

    def solve(self, state: ActiveSet, l1s: Vector, unit: Vector, touches: float) -> Vector | None:
        """Coefficients of W at each of l1s: (B, K). None once more columns than ``touches`` were read.

        Each point starts where the line through the two before it leads, short of a change of sign.
        """
        W, columns, every = state.W, state.columns, state.W
        if columns.sparse:
            columns, every = columns.packed(W), np.arange(W.size)
        face = ResidualFace(columns)
        w, r, at = state.w, state.r.copy(), state.l1
        lam2, norms = state.form.lam2[W], state.norms[W]
        patient = W.size > state.columns.gram_limit  # then there is nothing else
        before: tuple[Vector, float] | None = None
        found = np.empty((l1s.size, W.size))
        for b, l1 in enumerate(l1s):
            there = w.copy()
            if before is not None and at is not None and at != before[1]:
                there += (w - before[0]) * ((l1 - at) / (at - before[1]))
                there[there * w <= 0.0] = 0.0
                moved = np.flatnonzero(there != w)
                r -= columns.product(every[moved], there[moved] - w[moved])
            before = None if at is None else (w, at)
            w, at = there, float(l1)
            lam1, size = l1 * unit[W], float(np.linalg.norm(r))
            slack = 0.5 * state.stop.tol * np.where(state.form.free[W], norms * size, lam1)
            slack += 2 * EPS * size * norms
            if not face.follow(every, w, r, lam1, lam2, slack):
                face.solve(every, w, r, lam1, lam2, slack, patient)
            found[b] = w
            if columns.touched > touches * (b + 2) / (l1s.size + 1) or (face.slow and not patient):
                state.by_residual.slow |= face.slow
                return None
        return found
