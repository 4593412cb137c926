"""The restricted problem on its Gram matrix: descent, then second-order steps on the face of the support."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .problem import Vector

if TYPE_CHECKING:
    from ._columns import Columns

Index = NDArray[np.intp]

WORTH = 5e7  # multiplications in a Gram matrix from which on rounding is worth while,
# if to round its columns and to read X once more is so many times less; of tall X, as W grows
READS = 64, 8
SWEEPS = 10  # of descent before a projected Newton step, where many columns are to enter
FIRST = 256  # columns for which there is room at first
EPS = 2.0**-52
STEPS = 30  # projected Newton steps before the active-set method takes over


def few(support: int) -> int:
    """How many columns enter or leave a factor of so many in the time of factoring anew."""
    return 4 + support // 64


class GramFace:
    """Gram matrix of a working set, and the Cholesky factor of its face.

    A column of the working set has a place; the place of one that left is taken by one that enters, so
    neither the matrix nor the gathered columns are ever moved.

    Parameters
    ----------
    columns : Columns
    may_round : bool
        Whether a large G may be made of columns rounded to float32, in half the time.

    Attributes
    ----------
    rounded : bool
        Whether that was done.
    unfit : bool
        Whether G is too coarse for a face that was met: another is needed, not rounded.

    Notes
    -----
    `descend` and `solve` take g = c - G w, which the caller renews from the true residual: that makes the
    outer iteration one of iterative refinement, rounded or not. They change w and g.
    """

    def __init__(self, columns: Columns, may_round: bool = False) -> None:
        self.columns = columns
        self.may_round = may_round and columns.can_round
        self.rounded = self.unfit = False
        self.K = 0
        self.most = min(columns.form.k, columns.gram_limit)
        self.A = columns.room(self.most)  # what is never touched of it costs nothing
        self.gathered = True  # whether A holds the columns of W
        self.G = self.U = np.empty((0, 0))
        self.F, self.sign, self.where = np.empty(0, dtype=np.intp), np.empty(0), np.empty(0, dtype=np.intp)
        self.f = -1  # columns of the factored face; -1: to be factored anew
        self._reserve(min(self.most, FIRST))

    def _reserve(self, capacity: int) -> None:
        """Room for a larger working set; what is never touched of it costs nothing."""
        K, f = min(self.K, self.G.shape[0]), max(self.f, 0)
        G, U = np.empty((capacity, capacity)), np.empty((capacity, capacity))
        G[:K, :K], U[:f, :f] = self.G[:K, :K], self.U[:f, :f]
        more = capacity - self.F.size
        self.G, self.U = G, U
        self.F = np.append(self.F, np.zeros(more, dtype=np.intp))
        self.sign = np.append(self.sign, np.zeros(more))
        self.where = np.append(self.where, np.full(more, -1))  # position in F of each column of W, -1 outside

    def images(self, W: Index, found: Vector) -> Vector:
        """Return A_W w for each row w of found (B, K): (n, B), column-major."""
        if self.gathered:
            return np.asarray((found @ self.A[:, : self.K].T).T)
        return self.columns.products(W, found)

    def residuals(self, W: Index, found: Vector) -> tuple[Vector, Vector, Vector, Vector]:
        """What the Gram matrix of all the columns tells of the residuals, without reading X.

        Parameters
        ----------
        W : (K,) array
            Every column that is not zero.
        found : (B, K) array
            Coefficients.

        Returns
        -------
        (k, B) array
            A'r, column-major.
        (B,) arrays
            ||r||^2, z'r, and a bound on what rounding in them does to the duality gap.
        """
        columns, form = self.columns, self.columns.form
        K = W.size
        c = columns.u0[W]
        own = c[:, None] - self.G[:K, :K] @ found.T
        U = np.zeros((form.k, found.shape[0]), order="F")
        U[W] = own
        zz = float(form.z @ form.z)
        z_r = zz - found @ c
        r_sq = np.maximum(z_r - np.einsum("bj,jb->b", found, own), 0.0)
        size = np.abs(found) @ np.sqrt(columns.norms_sq[W])
        error = 4 * (columns.depth + K + 10) * EPS * columns.spread * size * (np.sqrt(zz) + size)
        return U, r_sq, z_r, error

    def place(self, W: Index, places: Index) -> None:
        """Fill the rows and columns of the Gram matrix at these places of the working set W."""
        old, K = self.K, W.size
        if self.G.shape[0] < K:
            self._reserve(min(max(K + K // 4, 2 * self.G.shape[0]), self.most))
        self.K = K
        if np.any(self.where[places] >= 0):
            self.f = -1  # one that leaves stood in the face, at zero
        G, columns = self.G, self.columns
        n, k = columns.form.z.size, columns.form.k
        worth = n * K**2 > WORTH and READS[n > 2 * k and old > 0] * (k + K) < K**2
        round_ = self.may_round and not self.rounded and worth
        if old == 0 and round_ and columns.gram is None and columns.nearly_all(K):
            self.gathered, self.rounded = False, True
            columns.rounded_gram(W, G)
            return
        if old == 0 and columns.whole_gram(W, G):
            self.gathered = False
            return
        if round_ and self.gathered:
            self._round(W[:old])
        A = self.A
        if A.shape[1] < K or not self.gathered:
            self.gathered = False
            columns.gram_rows(W, places, G)
            return
        columns.gather_into(A, W[places], places)
        new = A[:, places] if old > 0 and places[0] < old else A[:, old:K]
        block = new.T @ A[:, :K]
        unit = 1.0 / columns.scale[W] if self.rounded else None
        if old == 0:  # all of it, and symmetric
            if unit is None:
                G[:K, :K] = block
            else:
                np.multiply(block, unit, out=G[:K, :K])
                G[:K, :K] *= unit[:, None]
            return
        if unit is not None:
            block = block * unit * unit[places, None]
        G[places, :K] = block
        G[:K, places] = block.T

    def _round(self, W: Index) -> None:
        """From here on the gathered columns are float32."""
        self.rounded = True
        self.A = self.columns.room(self.most, np.float32)  # for twice as many of them
        self.columns.gather_into(self.A, W, np.arange(W.size))

    def descend(
        self, g: Vector, w: Vector, lam1: Vector, lam2: Vector, enough: float, sweeps: int = 50
    ) -> None:
        """Coordinate descent until the signs settle, or the largest move is ``enough``."""
        from ._gram import descend

        descend(self.G, self.K, g, w, lam1, lam2, self.columns.form.positive, sweeps, enough)
        self.f = -1

    def solve(self, g: Vector, w: Vector, lam1: Vector, lam2: Vector, slack: Vector) -> None:
        """Solve the restricted problem, up to ``slack`` in each g_j.

        Projected Newton steps while much changes, the active-set method once little does or where the
        face is singular.
        """
        for _ in range(STEPS):
            over = g if self.columns.form.positive else np.abs(g)
            entering = int(np.count_nonzero((w == 0) & (over > lam1 + slack)))
            if entering > few(int(np.count_nonzero(w))):
                self.descend(g, w, lam1, lam2, 0.0, SWEEPS)  # finds which of them are to stay
            elif self.f >= 0:
                break
            free = (lam1 + lam2 == 0) & (not self.columns.form.positive)
            F = np.flatnonzero((w != 0) | free)
            if not self._newton(F, g, w, lam1, lam2, slack):
                break
        if not self.unfit:
            self._active_set(g, w, lam1, lam2, slack)

    def _newton(self, F: Index, g: Vector, w: Vector, lam1: Vector, lam2: Vector, slack: Vector) -> bool:
        """One Newton step on the face F, projected on its orthant. [bertsekas1982].

        Returns whether it was taken: not if there is nothing left to do, if the face is singular, or if
        the projection does not lower the objective.
        """
        from scipy.linalg.lapack import dpotrf, dpotrs

        from ._gram import ROUNDED, SINGULAR, newton_system, projected_step

        f = F.size
        H, diagonal, b, sign = np.empty((f, f)), np.empty(f), np.empty(f), np.empty(f)
        if not newton_system(self.G, F, g, w, lam1, lam2, slack, H, diagonal, b, sign):
            return False
        C, info = dpotrf(H.T, lower=1, clean=0, overwrite_a=1)  # in place: H is the upper factor
        if info != 0 or np.any(C.diagonal() ** 2 <= (ROUNDED if self.rounded else SINGULAR) * diagonal):
            self.unfit = self.rounded
            return False
        d = dpotrs(C, b, lower=1)[0]
        positive = self.columns.form.positive
        if not projected_step(self.G, self.K, F, g, w, d, sign, lam1, lam2, positive):
            return False
        self._face(F, w[F], sign, C)
        return True

    def _face(self, F: Index, w: Vector, sign: Vector, C: Vector) -> None:
        """Keep the factor for the active-set method, without the few columns that have become zero."""
        from ._gram import leave

        self.f = -1
        gone = np.flatnonzero(w == 0)
        if gone.size > few(F.size) or np.any(w * sign < 0):
            return
        f = F.size
        self.U[:f, :f] = C.T
        self.F[:f], self.sign[:f] = F, sign
        self.f = leave(self.U, self.F, self.sign, f, gone) if gone.size else f
        self.where[:] = -1
        self.where[self.F[: self.f]] = np.arange(self.f)

    def _active_set(self, g: Vector, w: Vector, lam1: Vector, lam2: Vector, slack: Vector) -> None:
        """One column at a time, with an updated factor; dependent columns too."""
        from ._gram import polish

        K, G, positive = self.K, self.G, self.columns.form.positive
        self._factor(g, w, lam2)
        if not self.unfit:
            self.f = polish(
                G, K, g, w, lam1, lam2, positive,
                self.U, self.F, self.sign, self.where, self.f, slack, 50 + 20 * K, True, self.rounded,
            )  # fmt: skip
            self.unfit = self.f < 0

    def _factor(self, g: Vector, w: Vector, lam2: Vector) -> None:
        """Cholesky factor of the support of w, if there is none; dependent columns leave it."""
        from ._gram import face

        if self.f >= 0:
            return
        self.f = face(self.G, self.K, g, w, lam2, self.U, self.F, self.rounded)
        if self.f < 0:
            self.unfit = True
            return
        F = self.F[: self.f]
        self.sign[: self.f] = np.sign(w[F])
        self.where[:] = -1
        self.where[F] = np.arange(self.f)

    def follow(self, g: Vector, w: Vector, lam1s: Vector, lam2: Vector, slack: Vector) -> Vector:
        """Solve the restricted problem at several lam1, each from the one before.

        Parameters
        ----------
        g, w : (K,) arrays
            At the start; changed.
        lam1s : (B, K) array
        lam2, slack : (K,) arrays

        Returns
        -------
        (B, K) array
            The coefficients.
        """
        from ._gram import follow

        self._factor(g, w, lam2)
        found = np.empty(lam1s.shape)
        self.f = follow(
            self.G, self.K, g, w, lam1s, lam2, self.columns.form.positive,
            self.U, self.F, self.sign, self.where, self.f, slack, 50 + 20 * self.K, found,
        )  # fmt: skip
        return found
