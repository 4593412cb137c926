"""The matrix X as the judge sees it: scaled, centred and weighted, a large one without a copy of the whole.

Columns are scaled by exact powers of two, x_j = 2^a_j x'_j with max |x'_ij| in [1/2, 1), through the
vectors that X is multiplied by, docs/maths.md (SCALE). Dense columns are centred block by block when there is
an intercept, (SHIFT), and those of a small X are kept so; sparse ones are left as they are. Rows with s_i = 0
and columns with v_j = inf are left out before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

BLOCK = 2**17  # entries of X that are centred at a time: 1 MiB, which a cache holds


def exponents(largest: ArrayLike) -> NDArray[np.int64]:
    """Integers e with largest 2^-e in [1/2, 1); 0 where `largest` is 0."""
    return np.asarray(np.frexp(largest)[1], dtype=np.int64)


class Design:
    """Products with sqrt(s) (X - 1 m') 2^-a.

    Parameters
    ----------
    X : (n, p) ndarray, csc_array or csr_array
    s : (n,) array
        Sample weights, > 0, at most 1.
    centre : bool
        Whether there is an intercept.

    Attributes
    ----------
    exponent : (p,) int
        a_j.
    shift : (p,) array
        m_j 2^-a_j, the means that products subtract (zero for sparse X and without an intercept).
    norm : (p,) array
        Weighted norms of the scaled columns, centred if there is an intercept, sparse X too.
    rough : (p,) array
        Weighted norms of the scaled columns as they enter the sums (uncentred where X is sparse).
    """

    def __init__(self, X: Any, s: Vector, centre: bool) -> None:
        self.X = X
        self.n, self.p = X.shape
        self._width = max(1, BLOCK // self.n)  # columns of a block
        self.sparse = bool(sp.issparse(X))
        self.root = np.sqrt(s)  # (n,)
        self.S = float(np.sum(s))
        self._s = s
        self._centre = centre and not self.sparse
        self._mean = np.zeros(self.p)  # units of X
        self._kept: list[tuple[Any, Vector]] = []  # all blocks, centred, once they have been asked for
        if self.sparse:
            self._survey_sparse(centre)
        else:
            self._survey_dense()
        self.shift = np.ldexp(self._mean, -self.exponent)
        # a column whose spread is lost in the rounding of its mean is constant
        self.constant = self.norm <= self.n * np.finfo(float).eps * self._full

    def _survey_dense(self) -> None:
        self.exponent = np.empty(self.p, dtype=np.int64)
        self.norm, self._full = np.empty(self.p), np.empty(self.p)
        for j, block in self._blocks(None):  # the means are still zero: not yet centred
            self.exponent[j] = exponents(np.max(np.abs(block), axis=0))
            block = np.ldexp(block, -self.exponent[j])
            self._full[j] = np.sqrt(self._s @ block**2)
            if self._centre:
                first = block[0]  # differences first: a constant column has exactly its value as mean
                mean = first + self._s @ (block - first) / self.S
                self._mean[j] = np.ldexp(mean, self.exponent[j])
                block = block - mean
            self.norm[j] = np.sqrt(self._s @ block**2)
        self.rough = self.norm

    def _survey_sparse(self, centre: bool) -> None:
        X = self.X.tocsc()
        rows, columns = X.indices, np.repeat(np.arange(self.p), np.diff(X.indptr))
        largest = np.zeros(self.p)
        np.maximum.at(largest, columns, np.abs(X.data))
        self.exponent = exponents(largest)
        data = np.ldexp(X.data.astype(np.float64), -self.exponent[columns])
        s = self._s[rows]
        self._full = np.sqrt(np.bincount(columns, s * data**2, self.p))
        self.rough = self._full
        self.norm = self._full
        if centre:  # with the zeros counted apart, so that nothing cancels
            mean = np.bincount(columns, s * data, self.p) / self.S
            apart = np.bincount(columns, s * (data - mean[columns]) ** 2, self.p)
            empty = np.maximum(self.S - np.bincount(columns, s, self.p), 0.0)  # weight of the zeros
            self.norm = np.sqrt(apart + mean**2 * empty)

    def _blocks(self, columns: NDArray[np.intp] | None) -> Iterator[tuple[Any, Vector]]:
        """Some columns (None: all, without a copy) a block at a time, centred, in the units of X."""
        for k in range(0, self.p if columns is None else columns.size, self._width):
            j = slice(k, k + self._width) if columns is None else columns[k : k + self._width]
            block = np.asarray(self.X[:, j], dtype=np.float64)
            yield j, block - self._mean[j] if self._centre else block

    def _every_block(self) -> Iterable[tuple[Any, Vector]]:
        """All columns as `_blocks` yields them; centred once, where 16 MiB hold them."""
        if not self._centre or self.n * self.p > 16 * BLOCK:
            return self._blocks(None)
        self._kept = self._kept or list(self._blocks(None))
        return self._kept

    def _terms(self, w: Vector) -> Iterator[tuple[Any, Vector]]:
        """Columns of the support of scaled w (p,) with their coefficients, a block at a time.

        Of w (k, p): of the union of the supports of its rows.
        """
        support = np.flatnonzero(w if w.ndim == 1 else w.any(axis=0))
        unscaled = np.ldexp(w[..., support], -self.exponent[support])
        if not self.sparse:
            for k, (_, block) in enumerate(self._blocks(support)):
                yield block, unscaled[..., k * self._width : (k + 1) * self._width]
        elif self.X.format == "csc":
            yield self.X[:, support], unscaled
        else:  # its columns cannot be had without a pass over all of it
            full = np.zeros(w.shape)
            full[..., support] = unscaled
            yield self.X, full

    def product(self, w: Vector) -> Vector:
        """Return X'w, (n,), for scaled w (p,): one pass over the columns of the support."""
        z = np.zeros(self.n)
        for block, part in self._terms(w):
            z += block @ part
        return z

    def products(self, w: Vector) -> tuple[Vector, Vector]:
        """Return X'w and sum_j |x'_ij| |w_j|, the absolute values of its terms, (n,), in the same pass.

        Of each row of w (k, p): (k, n).
        """
        z, size = np.zeros((self.n, *w.shape[:-1])), np.zeros((self.n, *w.shape[:-1]))
        for block, part in self._terms(w):
            z += block @ part.T
            size += abs(block) @ np.abs(part).T
        return np.ascontiguousarray(z.T), np.ascontiguousarray(size.T)

    def correlate(self, T: Vector) -> Vector:
        """Return X'' T / S, (p, k), for T (n, k) in the weighted space (X'' = the matrix of the class)."""
        live = T.any(axis=0)  # where nothing is projected off, what was is zero
        V = self.root[:, None] * T[:, live]
        u = np.zeros((T.shape[1], self.p))  # each direction's contiguous, for what follows reads them often
        if self.sparse:
            u[live] = (self.X.T @ V).T
        else:
            for j, block in self._every_block():
                u[live, j] = V.T @ block
        return (np.ldexp(u, -self.exponent) / self.S).T

    def columns(self, j: NDArray[np.intp]) -> Vector:
        """Return the columns j of the class's matrix, dense, (n, len(j))."""
        block = self.X[:, j]
        block = np.asarray(block.toarray() if self.sparse else block, dtype=np.float64)
        return self.root[:, None] * np.ldexp(block - self._mean[j], -self.exponent[j])
