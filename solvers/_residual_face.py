"""The restricted problem by products with its columns: descent on the residual, Newton on the face.

No Gram matrix. On the face F with signs s the problem is a quadratic in w_F, whose minimiser is one linear
solve away: conjugate gradients, two products with A_F a step. [hestenes1952]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .problem import Vector

if TYPE_CHECKING:
    from ._columns import Columns

Index = NDArray[np.intp]

SWEEPS = 20  # of coordinate descent at most before a Newton step is tried
FOLLOWED = 12  # Newton steps from a near point, at most
ROUGH = 3e-2  # of the largest equation: what may be left while the face is not known
OVERHEAD = 3e5  # time of making a Gram matrix, however small, against that of an operation of a product
FACTOR = 0.014  # that of a Cholesky factor, per f^3
DENSE = 16  # operations in a product of dense matrices in the time of one in a product with a vector
EPS = 2.0**-52
ROUNDS = 50  # of sweeps and Newton steps before X is read again


class ResidualFace:
    """A working set W whose problem is solved by products with its columns; w and r are changed in place.

    Parameters
    ----------
    columns : Columns

    Attributes
    ----------
    slow : bool
        Whether conjugate gradients have run out of steps on a face: another method should be tried.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.slow = False

    def descend(
        self, W: Index, w: Vector, r: Vector, lam1: Vector, share: float, sweeps: int = SWEEPS
    ) -> float:
        """Sweep over W once, then over its support until the signs hold or moves are a share of the first.

        Returns the largest change of the fit by one coordinate of W, squared.
        """
        first = self.columns.sweep(W, w, r, lam1)
        self._settle(W, w, r, lam1, share * first, sweeps)
        return first

    def solve(
        self, W: Index, w: Vector, r: Vector, lam1: Vector, lam2: Vector, slack: Vector, patient: bool
    ) -> None:
        """Solve the problem restricted to W up to ``slack`` in each a_j'r.

        Parameters
        ----------
        W : (K,) int array
        w, lam1, lam2, slack : (K,) arrays
        r : (n,) array
            The residual at w.
        patient : bool
            Whether conjugate gradients may take as many steps as it needs, for there is nothing else.
        """
        first = 0.0
        for _ in range(ROUNDS):
            sign = np.sign(w)
            first = max(first, self.columns.sweep(W, w, r, lam1))
            if first == 0.0:
                return
            arrived = False
            for _ in range(ROUNDS):
                self._settle(W, w, r, lam1, 1e-3 * first)
                arrived = self._newton(W, w, r, lam1, lam2, slack, patient)
                if arrived or (self.slow and not patient):
                    break
            if not arrived or np.array_equal(sign, np.sign(w)):
                return

    def follow(self, W: Index, w: Vector, r: Vector, lam1: Vector, lam2: Vector, slack: Vector) -> bool:
        """Solve as `solve` does, from a point so near that few signs change: whole Newton steps.

        A column whose a_j'r is beyond its bound enters the face, one that would change its sign is put at
        zero. Returns False where that does not settle; w and r are then another point to start from.
        """
        positive, free = self.columns.form.positive, self.columns.form.free[W]
        g = self.columns.dots(W, r)
        before, F = np.inf, np.empty(0, dtype=np.intp)
        for _ in range(FOLLOWED):
            value = 0.5 * float(r @ r) + float(lam1 @ np.abs(w)) + 0.5 * float(lam2 @ w**2)
            if not value <= before * (1 + EPS * r.size):
                return False
            over = g if positive else np.abs(g)
            last, F = F, np.flatnonzero((w != 0) | (over > lam1 + slack) | (free & (not positive)))
            sign = np.where(w[F] != 0, np.sign(w[F]), np.sign(g[F]))
            b = g[F] - lam1[F] * sign - lam2[F] * w[F]
            if np.all(np.abs(b) <= slack[F]):
                return True
            # Only as far as finding the face needs, until it is found
            enough = slack[F] if np.array_equal(last, F) else np.maximum(slack[F], ROUGH * np.abs(b).max())
            d, fit, _, slow = newton_direction(
                self.columns, W[F], b, lam2[F], enough, np.full(F.size, np.inf), 20 + F.size // 4
            )
            self.slow |= slow
            if slow:
                return False
            new = w[F] + d
            crossed = (new * sign < 0) & ((lam1[F] > 0) | positive)
            if crossed.any():
                new[crossed] = 0.0
                fit = self.columns.product(W[F], new - w[F])
            before = value
            w[F] = new
            r -= fit
            g = self.columns.dots(W, r)
        return False

    def _settle(
        self, W: Index, w: Vector, r: Vector, lam1: Vector, enough: float, sweeps: int = SWEEPS
    ) -> None:
        """Sweep over the support until no sign changes, or the largest change of the fit is ``enough``."""
        for _ in range(sweeps):
            active = np.flatnonzero(w)
            its = w[active]
            sign = np.sign(its)
            moved = self.columns.sweep(W[active], its, r, lam1[active])
            w[active] = its
            if np.array_equal(sign, np.sign(its)) or moved <= enough:
                return

    def _newton(
        self, W: Index, w: Vector, r: Vector, lam1: Vector, lam2: Vector, slack: Vector, patient: bool
    ) -> bool:
        """One Newton step on the face of w, up to where a sign changes.

        Returns whether the face's minimum was reached.
        """
        form = self.columns.form
        at = np.flatnonzero(w if form.positive else (w != 0) | form.free[W])
        if at.size == 0:
            return True
        F, sign = W[at], np.sign(w[at])
        b = self.columns.dots(F, r) - lam1[at] * sign - lam2[at] * w[at]
        reach = np.where((lam1[at] > 0) | form.positive, -w[at], np.inf)
        steps = 20 + 2 * at.size if patient else self._worth(F)
        d, fit, arrived, slow = newton_direction(
            self.columns, F, b, lam2[at], slack[at], reach, steps, patient
        )
        self.slow |= slow
        passed = d / reach  # 1 at the corner
        t = 1.0 / max(1.0, float(passed.max()))
        w[at] += t * d
        if t < 1.0:
            w[at[passed * t >= 1.0]] = 0.0
        r -= t * fit
        return arrived

    def _worth(self, F: Index) -> int:
        """Steps of conjugate gradients in the time of a Gram matrix of the face and its factor."""
        columns = self.columns
        work = columns.gram_work(F) + FACTOR * F.size**3
        work = OVERHEAD + (work if columns.sparse else work / DENSE)
        return 1 + int(work / max(columns.entries(F), 1))


def newton_direction(
    columns: Columns,
    F: NDArray[np.intp],
    b: Vector,
    lam2: Vector,
    slack: Vector,
    reach: Vector,
    steps: int,
    patient: bool = False,
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
    patient : bool
        Whether to take them all where that seems too few.

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
    if columns.sparse:
        return (
            d,
            fit,
            *columns.conjugate_gradients(F, b, diagonal, lam2, slack, reach, steps, patient, d, fit),
        )
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
