"""Coordinate descent on covariances: the sweep, compiled. Import this inside ``setup`` only."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._kernels import jit, prox
from ._standard_form import StandardForm
from .problem import Vector


@jit
def _sweep(
    rows: Any, slot: Any, norms_sq: Any, lam1: Any, lam2: Any, positive: bool,
    order: Any, first: int, w: Any, g: Any,
) -> tuple[int, float]:  # fmt: skip
    # One pass over order[first:]; w and g = A'(z - A w) are updated. Stops before the first column that has
    # to move and whose row of the Gram matrix is not there yet (slot -1). Returns where it stopped, and the
    # largest change of the fit by one coordinate, squared.
    largest = 0.0
    for i in range(first, order.size):
        j = order[i]
        if norms_sq[j] == 0.0:
            continue  # the column is zero once centred: w[j] = 0 is optimal
        new = prox(g[j] + norms_sq[j] * w[j], norms_sq[j], lam1[j], lam2[j], positive)
        d = new - w[j]
        if d != 0.0:
            if slot[j] < 0:
                return i, largest
            w[j] = new
            row = rows[slot[j]]
            for k in range(g.size):
                g[k] -= d * row[k]
            largest = max(largest, d * d * norms_sq[j])
    return order.size, largest


class Covariances:
    """Rows of A'A, each computed when its coefficient first moves.

    Attributes
    ----------
    count : int
        Rows computed so far.
    """

    def __init__(self, form: StandardForm) -> None:
        self.form = form
        self.slot = np.full(form.k, -1, dtype=np.int64)
        self.rows = np.empty((min(64, form.k), form.k))
        self.count = 0

    def sweep(self, order: Any, w: Vector, g: Vector) -> float:
        """One pass over the columns in ``order``; the largest change of the fit by one of them, squared."""
        form = self.form
        position, largest = 0, 0.0
        while True:
            position, moved = _sweep(
                self.rows,
                self.slot,
                form.norms_sq,
                form.lam1,
                form.lam2,
                form.positive,
                order,
                position,
                w,
                g,
            )
            largest = max(largest, moved)
            if position == order.size:
                return largest
            self._compute(int(order[position]))

    def _compute(self, j: int) -> None:
        if self.count == self.rows.shape[0]:
            grown = np.empty((min(2 * self.count, self.form.k), self.form.k))
            grown[: self.count] = self.rows
            self.rows = grown
        self.rows[self.count] = self.form.rmatvec(self.form.dense(np.array([j]))[:, 0])
        self.slot[j] = self.count
        self.count += 1
