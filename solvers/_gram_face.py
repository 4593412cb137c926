"""The restricted problem on its Gram matrix: descent, then second-order steps on the face of the support."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ._columns import CHUNK
from ._gathered import Gathered
from .problem import Vector

if TYPE_CHECKING:
    from ._columns import Columns

Index = NDArray[np.intp]

WORTH = 5e7  # multiplications in a Gram matrix from which on rounding is worth while,
# if to round its columns and to read X once more is so many times less; of tall X, as W grows
READS = 64, 8
SWEEPS = 10  # of descent before a projected Newton step, where many columns are to enter
FIRST = 328  # columns for which there is room at first
LINES = 64, 16  # a row has so many numbers times something and so much: whole cache lines, no power of two
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
    whole : bool
        Whether G was made of X as it lies.
    most : int
        Columns that memory allows.
    unfit : bool
        Whether G is too coarse for a face that was met: another is needed, not rounded.

    Notes
    -----
    `descend` and `solve` take g = c - G w, which the caller renews from the true residual: that makes the
    outer iteration one of iterative refinement, rounded or not. They change w and g.
    """

    def __init__(self, columns: Columns, may_round: bool = False) -> None:
        self.columns = columns
        self.may_round = may_round
        self.rounded = self.unfit = self.whole = False
        self.K = 0
        self.most = min(columns.form.k, columns.rounded_limit if may_round else columns.gram_limit)
        self.gathered: Gathered | None = None  # where columns of X are multiplied as they lie
        if not (columns.sparse or columns.direct):
            self.gathered = Gathered(columns, self.most, np.float64)
        self.G: Vector = np.empty((0, 0))
        self.U: Vector = self.G
        self.F, self.sign, self.where = np.empty(0, dtype=np.intp), np.empty(0), np.empty(0, dtype=np.intp)
        self.f = -1  # columns of the factored face; -1: to be factored anew
        self._reserve(min(self.most, FIRST))

    def _reserve(self, capacity: int) -> None:
        """Room for a larger working set; what is never touched of it costs nothing."""
        step, more = LINES
        capacity = -(-(capacity - more) // step) * step + more
        G, U = np.empty((2, capacity, capacity), np.float32 if self.rounded else np.float64)
        K, f = self.K, max(self.f, 0)
        if K:
            with np.errstate(over="ignore", invalid="ignore"):  # below the triangle of U are no numbers
                G[:K, :K], U[:f, :f] = self.G[:K, :K], self.U[:f, :f]
        self.G, self.U = G, U
        F, sign, where = np.zeros(capacity, dtype=np.intp), np.zeros(capacity), np.full(capacity, -1)
        F[:f], sign[:f], where[:K] = self.F[:f], self.sign[:f], self.where[:K]
        self.F, self.sign = F, sign
        self.where = where  # position in F of each column of W, -1 outside

    def images(self, W: Index, found: Vector) -> Vector:
        """Return A_W w for each row w of found (B, K): (n, B), column-major."""
        if self.gathered is None or self.whole:
            return self.columns.products(W, found)
        if self.gathered.kept:
            return np.asarray((found @ self.gathered.A[:, : W.size].T).T)
        out = np.empty((found.shape[0], self.columns.form.z.size))
        for rows, A in self.columns.row_blocks(W, np.float64):
            np.matmul(found, A.T, out=out[:, rows])
        return out.T

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
        """Fill the rows and columns of the Gram matrix at these places of the working set W, which rise."""
        from ._gram import packed

        old, K = self.K, W.size
        room = self.G.shape[0]
        if room < K:
            self._reserve(min(max(K + K // 8, min(2 * room, room + FIRST)), self.most))
        if np.any(self.where[places] >= 0):
            self.f = -1  # one that leaves stood in the face, at zero
        columns = self.columns
        n, k = columns.form.z.size, columns.form.k
        worth = n * K**2 > WORTH and READS[n > 2 * k and old > 0] * (k + K) < K**2
        at_once = old == 0 and columns.nearly_all(K)
        made = self.rounded or self.whole or (at_once and columns.gram is not None)
        if self.may_round and worth and not made and columns.can_round:
            self._round(W[:old])
        self.K = K
        if columns.sparse:
            columns.gram_rows(W, places, self.G)
        elif old == 0 and not self.rounded and columns.whole_gram(W, self.G):
            self.whole = True
        elif old == 0 and (at_once or self.gathered is None or self.gathered.room(K, self._bytes) < K):
            columns.fresh_gram(W, self.G, packed(self.U, K))
        else:
            self._extend(W, places, old)

    @property
    def _bytes(self) -> float:
        """Of the Gram matrix and the factor."""
        return 2.0 * self.K * self.G.strides[0]

    def _extend(self, W: Index, places: Index, old: int) -> None:
        """Fill them by columns side by side, where they are kept, else by a few rows of X at a time."""
        G, K, gathered = self.G, W.size, self.gathered
        if gathered is not None and not gathered.enter(W, places, old, self._bytes):
            gathered = None
        unit = (1.0 / self.columns.scale[W]).astype(G.dtype) if self.rounded else None
        if gathered is not None and old == 0:  # all of it, and symmetric
            G[:K, :K] = gathered.products(None)
            if unit is not None:
                G[:K, :K] *= unit
                G[:K, :K] *= unit[:, None]
            return
        size = CHUNK if gathered is None else gathered.rows
        for lo in range(0, places.size, size):
            rows = places[lo : lo + size]
            by_rows = self.columns.gram_block
            block = by_rows(W, rows, G.dtype) if gathered is None else gathered.products(rows)
            if unit is not None:
                block *= unit
                block *= unit[rows, None]
            G[rows, :K] = block
            G[:K, rows] = block.T

    def _round(self, W: Index) -> None:
        """From here on all is float32."""
        self.rounded = True
        self.gathered = Gathered(self.columns, self.most, np.float32)  # room for twice as many
        self._reserve(self.G.shape[0])
        self.gathered.enter(W, np.arange(W.size), 0, self._bytes)

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
        from scipy.linalg.lapack import dpotrf, dpotrs, spotrf, spotrs

        from ._gram import ROUNDED, SINGULAR, newton_system, packed, projected_step

        f = F.size
        H, diagonal, b, sign = packed(self.U, f), np.empty(f), np.empty(f), np.empty(f)
        if not newton_system(self.G, F, g, w, lam1, lam2, slack, H, diagonal, b, sign):
            return False
        potrf, potrs = (spotrf, spotrs) if self.rounded else (dpotrf, dpotrs)
        C, info = potrf(H.T, lower=1, clean=0, overwrite_a=1)  # in place: H is the upper factor
        if info != 0 or np.any(C.diagonal() ** 2 <= (ROUNDED if self.rounded else SINGULAR) * diagonal):
            self.unfit = self.rounded
            return False
        d = potrs(C, b, lower=1)[0].astype(np.float64)
        positive = self.columns.form.positive
        if not projected_step(self.G, self.K, F, g, w, d, sign, lam1, lam2, positive):
            return False
        self._face(F, w[F], sign)
        return True

    def _face(self, F: Index, w: Vector, sign: Vector) -> None:
        """Keep the factor for the active-set method, without the few columns that have become zero."""
        from ._gram import leave, spread

        self.f = -1
        gone = np.flatnonzero(w == 0)
        if gone.size > few(F.size) or np.any(w * sign < 0):
            return
        f = F.size
        spread(self.U.reshape(-1), f, f, self.U.shape[0])
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
