"""The restricted problem by the Cholesky factor of its face alone: no Gram matrix, all else by products.

Where about as many columns are in use as there are rows, a Gram matrix of the working set is as large as its
columns, and a product with it costs as much as one with them; conjugate gradients take hundreds of steps
there. The factor of the face is half a square, and each change of the face costs f^2. [lee2007]
"""

from __future__ import annotations

import math
import mmap
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .problem import Vector

if TYPE_CHECKING:
    from ._columns import Columns

Index = NDArray[np.intp]

BLOCK = 64  # columns that join the factor together at first, and rows of it that are taken together
RENEWED = 4  # a face of which one part in so many has left is factored anew
NEAR = 0.25  # of the worst violation, squared: a column that violates as much enters with the worst
ENTERING = 16  # and no more than one for so many of the face
LEFT = 0.01  # of the worst violation, squared, may be left of the equations of the face when others enter
AGAIN = 3  # steps in a row on the same face, and steps in a row that gain nothing, at most
EPS = 2.0**-52


def triangle(size: int) -> Vector:
    """(size, size) array of which memory is taken only where it is written to.

    Not by numpy, which asks for large pages: those would be touched on both sides of the diagonal.
    """
    if size == 0:
        return np.empty((0, 0))
    return np.frombuffer(mmap.mmap(-1, 8 * size * size), np.float64).reshape(size, size)


class FactorFace:
    """Active-set method on a dense X, from face to face, with the factor U'U = A_F'A_F + diag(lam2).

    The face is kept from one call to the next, so that a path carries it along.

    Parameters
    ----------
    columns : Columns
        Dense.

    Attributes
    ----------
    most : int
        Columns that a face may have, for its factor's memory.
    U : (most, most) array
        Its first f rows and columns, above the diagonal, are the factor.
    F : (most,) int array
        The columns of the face, of A; while a problem is solved, their places in W.
    sign : (most,) array
        Of their coefficients.
    f : int
        How many they are.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.most = min(columns.factor_limit, columns.form.k)
        self.U = triangle(self.most)
        self.F = np.zeros(self.most, dtype=np.intp)
        self.sign = np.zeros(self.most)
        self.f = 0

    def solve(
        self, W: Index, w: Vector, r: Vector, lam1: Vector, lam2: Vector, slack: Vector,
        until: float = math.inf,
    ) -> bool:  # fmt: skip
        """Solve the problem restricted to W up to ``slack`` in each a_j'r; w and r are changed in place.

        Parameters
        ----------
        W : (K,) int array
        w, lam1, lam2, slack : (K,) arrays
        r : (n,) array
            The residual at w.
        until : float
            When to end whatever is reached, by `time.perf_counter`.

        Returns
        -------
        bool
            False where that fails, and another method is needed.
        """
        place = np.full(self.columns.form.k, -1)
        place[W] = np.arange(W.size)
        self.F[: self.f] = place[self.F[: self.f]]
        try:
            if not self._meet(W, w, r, lam2):
                return False
            return self._from_face_to_face(W, w, r, lam1, lam2, slack, until)
        finally:
            self.F[: self.f] = W[self.F[: self.f]]

    def _meet(self, W: Index, w: Vector, r: Vector, lam2: Vector) -> bool:
        """Bring the face to the support of w; columns of it that depend on the others are put at zero.

        False, and nothing is changed, where they are too many.
        """
        from ._gram import leave

        form = self.columns.form
        wanted = (w != 0) | (form.free[W] & (not form.positive))
        if np.count_nonzero(wanted) > self.most:
            self.f = 0
            return False
        F = self.F[: self.f]
        gone = np.flatnonzero((F < 0) | ~wanted[F])
        if RENEWED * gone.size > self.f:
            self.f = 0
        elif gone.size:
            self.f = leave(self.U, self.F, self.sign, self.f, gone)
        F = self.F[: self.f]
        self.sign[: self.f] = np.sign(w[F])
        wanted[F] = False
        new = np.flatnonzero(wanted)
        # The largest first: those that are found to depend on others are small then
        new = new[np.argsort(-np.abs(w[new]) * np.sqrt(self.columns.norms_sq[W[new]]), kind="stable")]
        for lo in range(0, new.size, BLOCK):
            some = new[lo : lo + BLOCK]
            out = self._join(W, some, np.sign(w[some]), lam2)[0]
            if out.size:
                r += self.columns.product(W[out], w[out])
                w[out] = 0.0
        return True

    def _join(self, W: Index, new: Index, sign: Vector, lam2: Vector) -> tuple[Index, Vector]:
        """Take columns into the face, those that depend on others there excepted.

        Returns
        -------
        (m,) int array
            The exceptions, of W.
        (m, f) array
            Their products with the face as it is then.
        """
        from scipy.linalg.lapack import dpstrf

        from ._gram import SINGULAR

        f, U = self.f, self.U
        cols, places = W[np.concatenate([self.F[:f], new])], np.arange(f, f + new.size)
        products = self.columns.gram_block(cols, places, np.float64)  # a row for each that enters
        V, S = np.array(products[:, :f].T, order="C"), products[:, f:].copy()
        S[np.diag_indices(new.size)] += lam2[new]
        unit = 1.0 / np.sqrt(S.diagonal())
        self._forward(V)
        S -= V.T @ V
        S *= unit
        S *= unit[:, None]
        C, order, rank, _ = dpstrf(S, lower=0, tol=SINGULAR)
        order -= 1
        at, out = order[:rank], order[rank:]
        U[:f, f : f + rank] = V[:, at]
        U[f : f + rank, f : f + rank] = np.triu(C[:rank, :rank]) / unit[at]
        self.F[f : f + rank], self.sign[f : f + rank] = new[at], sign[at]
        self.f += int(rank)
        return new[out], products[out][:, np.concatenate([np.arange(f), f + at])]

    def _forward(self, V: Vector) -> None:
        """V <- U'^-1 V, in blocks of rows."""
        from ._gram import forward_block

        f, U = self.f, self.U
        for lo in range(0, f, BLOCK):
            hi = min(lo + BLOCK, f)
            forward_block(U[lo:hi, lo:hi], V[lo:hi])
            if hi < f:
                V[hi:] -= U[lo:hi, hi:f].T @ V[lo:hi]

    def _from_face_to_face(
        self, W: Index, w: Vector, r: Vector, lam1: Vector, lam2: Vector, slack: Vector, until: float
    ) -> bool:
        """To the minimum of the face; the worst violators enter; and so on until none is left."""
        from ._gram import enter, to_minimum

        columns, positive = self.columns, self.columns.form.positive
        norms_sq = columns.norms_sq[W]
        nowhere, own, work = np.empty(0, dtype=np.intp), np.empty(self.most), np.empty(self.most)
        barred = norms_sq == 0  # and those that violate by rounding alone
        least, stuck, again, reach = np.inf, 0, 0, 0.0
        while time.perf_counter() <= until:
            g = columns.dots(W, r)
            F = self.F[: self.f]
            left = np.abs(g[F] - lam1[F] * self.sign[: self.f] - lam2[F] * w[F])
            over = (g if positive else np.abs(g)) - lam1
            over[F] = 0.0
            over[(over <= slack) | barred] = 0.0
            excess = np.divide(over**2, norms_sq, out=np.zeros(W.size), where=norms_sq > 0)
            worst = float(excess.max(initial=0.0))
            if not math.isfinite(worst):
                return False
            start = w.copy()
            near_minimum = not np.any((left > slack[F]) & (left**2 > LEFT * worst * norms_sq[F]))
            again = 0 if near_minimum else again + 1
            if near_minimum or again > AGAIN:
                if worst == 0.0:  # what may be left of the equations is rounding
                    return True
                again = 0
                value = 0.5 * float(r @ r) + float(lam1 @ np.abs(w)) + 0.5 * float(lam2 @ w**2)
                stuck = 0 if value < least * (1 - EPS * math.sqrt(r.size)) else stuck + 1
                least = min(least, value)
                if stuck > AGAIN or self.f == self.most < columns.form.k:
                    return False
                near = np.flatnonzero(excess >= NEAR * worst)
                room = min(1 + self.f // ENTERING, self.most - self.f)
                new = near[np.argsort(-excess[near], kind="stable")[:room]]
                out, products = self._join(W, new, np.sign(g[new]), lam2)
                if out.size == new.size:  # all depend on the face: the worst takes the place of another
                    j = int(out[0])
                    own[: self.f] = products[0]
                    self.f, entered, reach = enter(
                        self.U, self.F, self.sign, nowhere, self.f, own, work, j, np.sign(g[j]), norms_sq,
                        w, lam1, lam2, positive, False, reach,
                    )  # fmt: skip
                    barred[j] = entered == 0
            F = self.F[: self.f]
            b = g[F] - lam1[F] * self.sign[: self.f] - lam2[F] * w[F]
            self.f = to_minimum(self.U, self.F, self.sign, nowhere, self.f, b, work, w, lam1, positive)
            moved = np.flatnonzero(w != start)
            r -= columns.product(W[moved], w[moved] - start[moved])
        return True
