"""The columns of the standard form without a copy of X: one fused first pass, then only what is asked for.

A is X itself less its column means, which are kept apart (docs/maths.md, SF): a_j = x_j - q m_j. The first
pass reads X once for the means, the norms and A'z together. Later products are taken for chosen columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from . import _column_kernels as kernels
from ._crossproduct import Crossproduct, compiled
from ._first_pass import FLAT, ROWS, apart, first_pass, gram_pass, length, summed
from ._standard_form import StandardForm, standard_form
from ._threads import PRODUCT, Team
from .problem import Problem, Vector

CHUNK = 256  # columns gathered at a time: wide enough for the BLAS, small against X
MANY = 400  # of them, up to which the products of all with all are not left to the BLAS
FEW_ROWS = 256  # at least, of columns that are copied a few rows at a time,
BUFFER = 2e6  # into so many bytes
RANGE = 1e-25, 1e30  # of squared norms whose products float32 can hold


class Columns:
    """Products with the columns of A for one problem.

    Attributes
    ----------
    form : StandardForm
        With the means apart wherever X allows it (column-major or CSC, or row-major with few columns; no
        sample weights, no extreme scales, means not huge against the spread); else A is a centred,
        weighted copy.
    norms_sq, u0 : (k,) arrays
        Squared norms of the columns, and A'z.
    gram : (k, k) array, or None
        A'A, where the first pass took it along.
    team : Team
        Threads that divide what reads many columns.
    """

    def __init__(self, form: StandardForm, stats: Any, team: Team, gram: Vector | None = None) -> None:
        self.form: StandardForm = form
        self.team = team
        means, self.norms_sq, self.u0 = stats
        self.gram = gram
        self.m: Vector = np.zeros(form.k) if form.m is None else means
        self._q = np.zeros(form.z.size) if form.q is None else form.q
        self._qq = 0.0 if form.q is None else float(form.q @ form.q)
        self.sparse = form.is_sparse
        self.touched = 0  # columns read so far by products and sweeps, each time they were
        self._by_rows = not self.sparse and not form.B.flags.f_contiguous

    @classmethod
    def of(cls, problem: Problem, many: bool = False, team: Team | None = None) -> Columns:
        """Read X once, and copy it only where it has to be; `many` columns will be in use, as on a path."""
        team = team or Team()
        form, stats, gram = apart(problem, many, team)
        if form is None:
            form = standard_form(problem, order="F")
            stats = first_pass(form.B, form.z, form.q, team, centre=False)
        return cls(form, stats, team, gram)

    def packed(self, cols: NDArray[np.intp]) -> Columns:
        """These columns of a sparse X alone, side by side in memory, where products take half the time."""
        form, B = self.form, self.form.B
        ends = np.concatenate([[0], np.cumsum(B.indptr[cols + 1] - B.indptr[cols])])
        data, indices = np.empty(ends[-1]), np.empty(ends[-1], dtype=np.int32)
        kernels.pack_sparse(B.data, B.indices, B.indptr, cols, ends, data, indices)
        few = replace(
            form, B=sp.csc_array((data, indices, ends.astype(np.int32)), shape=(form.z.size, cols.size)),
            m=None if form.m is None else form.m[cols], lam1=form.lam1[cols], lam2=form.lam2[cols],
            columns=form.columns[cols],
        )  # fmt: skip
        return Columns(few, (self.m[cols], self.norms_sq[cols], self.u0[cols]), self.team)

    @cached_property
    def length(self) -> float:
        """Entries of a column, on average."""
        return length(self.form.B)

    def dots(self, cols: NDArray[np.intp], r: Vector, out: Vector | None = None) -> Vector:
        """a_j'r for the columns asked for; into `out` if given."""
        self.touched += cols.size
        out = np.empty(cols.size) if out is None else out
        B = self.form.B
        if self._by_rows:
            out[:] = (B.T @ r)[cols] - self.m[cols] * float(r.sum())
            return out
        qr = float(self._q @ r) if self.sparse else 0.0

        def part(lo: int, hi: int) -> None:
            if self.sparse:
                kernels.dots_sparse(B.data, B.indices, B.indptr, self.m, cols[lo:hi], r, qr, out[lo:hi])
            else:
                kernels.dots_dense(B, self.m, cols[lo:hi], r, out[lo:hi])

        self.team.divide(part, cols.size, self.length)
        return out

    def dots_block(self, R: Vector, cols: NDArray[np.intp] | None = None) -> Vector:
        """Return a_j'r for some columns (default all) and each of R (n, B): (len(cols), B), column-major."""
        B, k = self.form.B, self.form.k
        size = k if cols is None else cols.size
        out = np.empty((R.shape[1], size))
        if self.sparse:
            which, rows, qr = np.arange(k) if cols is None else cols, np.ascontiguousarray(R), self._q @ R

            def sparse_part(lo: int, hi: int) -> None:
                kernels.dots_sparse_block(
                    B.data, B.indices, B.indptr, self.m, which[lo:hi], rows, qr, out.T[lo:hi]
                )

            self.team.divide(sparse_part, size, self.length * R.shape[1])
            return out.T
        if self.direct and R.flags.f_contiguous:
            which, block = np.arange(k) if cols is None else cols, np.arange(R.shape[1])

            def direct_part(lo: int, hi: int) -> None:
                products = Crossproduct(block, which[lo:hi], B.shape[0], B.dtype)
                products.add(R, B)
                out[:, lo:hi] = products.sum - np.outer(R.sum(axis=0), self.m[which[lo:hi]])

            self.team.divide(direct_part, size, self.length * (1 + PRODUCT * R.shape[1]))
            return out.T
        if cols is None and B.dtype == np.float64:

            def dense_part(lo: int, hi: int) -> None:
                np.matmul(R.T, B[:, lo:hi], out=out[:, lo:hi])

            self.team.divide(dense_part, size, self.length * (1 + PRODUCT * R.shape[1]))
            if self.m.any():
                out -= np.outer(R.sum(axis=0), self.m)
            return out.T
        for lo in range(0, size, CHUNK):  # gathered, or converted, a few at a time
            some = np.arange(lo, min(lo + CHUNK, size))
            np.matmul(R.T, self.gather(some if cols is None else cols[some]), out=out[:, lo : lo + CHUNK])
        return out.T

    def product(self, cols: NDArray[np.intp], w: Vector) -> Vector:
        """Sum over cols of w a_j, (n,)."""
        out = np.zeros(self.form.z.size)
        self._subtract(cols, -w, out)
        return out

    def products(self, cols: NDArray[np.intp], found: Vector) -> Vector:
        """Sum over cols of w a_j for each row w of found (B, len(cols)): (n, B), column-major."""
        form, B = self.form, self.form.B
        whole = cols.size == form.k and not self.sparse and B.dtype == np.float64
        if whole and np.array_equal(cols, np.arange(form.k)):
            return np.asarray((found @ B.T - (found @ self.m)[:, None]).T)
        if not (self.sparse or self._by_rows) and found.shape[0] > 1:
            used = np.flatnonzero(found.any(axis=0))
            out = np.empty((found.shape[0], form.z.size))
            kernels.products_dense(B, self.m, cols[used], found[:, used], out)
            return out.T
        return np.stack([self.product(cols, w) for w in found]).T

    def residual(self, cols: NDArray[np.intp], w: Vector) -> Vector:
        """Z - sum over cols of w a_j, (n,)."""
        r = self.form.z.copy()
        self._subtract(cols, w, r)
        return r

    def _subtract(self, cols: NDArray[np.intp], w: Vector, r: Vector) -> None:
        self.touched += cols.size
        B = self.form.B
        if self.sparse:
            kernels.subtract_sparse(B.data, B.indices, B.indptr, self.m, self._q, cols, w, r)
        elif self._by_rows:
            every = np.zeros(self.form.k)
            every[cols] = w
            r -= B @ every - float(self.m @ every)
        else:
            kernels.subtract_dense(B, self.m, cols, w, r)

    def sweep(self, cols: NDArray[np.intp], w: Vector, r: Vector, lam1: Vector) -> float:
        """One sweep of coordinate descent over cols; w (of cols) and the residual r are updated.

        Returns the largest change of the fit by one coordinate, squared. r is centred throughout.
        """
        self.touched += 2 * cols.size
        form, B = self.form, self.form.B
        norms, lam2 = self.norms_sq[cols], form.lam2[cols]
        if self.sparse:
            return float(
                kernels.sweep_sparse(
                    B.data, B.indices, B.indptr, self.m, self._q, self._qq, cols, norms,
                    lam1, lam2, form.positive, w, r,
                )
            )  # fmt: skip
        return float(kernels.sweep_dense(B, self.m, cols, norms, lam1, lam2, form.positive, w, r))

    def conjugate_gradients(
        self, F: NDArray[np.intp], b: Vector, diagonal: Vector, lam2: Vector, slack: Vector, reach: Vector,
        steps: int, patient: bool, d: Vector, fit: Vector,
    ) -> tuple[bool, bool]:  # fmt: skip
        """newton_direction of _residual_face on sparse columns, into d and fit: arrived, slow."""
        B = self.form.B
        arrived, slow, taken = kernels.conjugate_gradients_sparse(
            B.data, B.indices, B.indptr, self.m, self._q, F, b, diagonal, lam2, slack, reach, steps,
            patient, d, fit,
        )  # fmt: skip
        self.touched += 2 * taken * F.size
        return bool(arrived), bool(slow)

    def gram_work(self, cols: NDArray[np.intp]) -> float:
        """Multiplications in the Gram matrix of these columns."""
        B, n = self.form.B, self.form.z.size
        if not self.sparse:
            return n * cols.size * (cols.size + 1) / 2
        return float(kernels.shared_rows(B.indices, B.indptr, cols, n))

    def entries(self, cols: NDArray[np.intp]) -> int:
        """Count the stored entries of columns of X."""
        B = self.form.B
        return (
            int(np.sum(B.indptr[cols + 1] - B.indptr[cols])) if self.sparse else cols.size * self.form.z.size
        )

    @property
    def spread(self) -> float:
        """Largest squared norm of a column over that of the column about its mean, >= 1."""
        if self.form.m is None:
            return 1.0
        live = self.norms_sq > 0
        return 1.0 + float(np.max(self.form.z.size * self.m[live] ** 2 / self.norms_sq[live], initial=0.0))

    @property
    def gram_limit(self) -> int:
        """Most columns of a Gram matrix: two of its size may take an eighth of X's memory each, or 16 MB."""
        return int(np.sqrt(max(self.bytes / 8, 16e6) / 8))

    @property
    def factor_limit(self) -> int:
        """Most columns of a Cholesky factor alone: half a square, of two fifths of X, or 32 MB."""
        return int(np.sqrt(max(0.4 * self.bytes, 32e6) / 4))

    @cached_property
    def rounded_limit(self) -> int:
        """The same of one that is rounded to float32, where that can be."""
        return int(np.sqrt(2) * self.gram_limit) if self.can_round else self.gram_limit

    @property
    def bytes(self) -> int:
        """Of X."""
        B = self.form.B
        return int(B.data.nbytes + B.indices.nbytes) if self.sparse else int(B.nbytes)

    def gather(self, cols: NDArray[np.intp]) -> Vector:
        """Return columns of A, copied: (n, len(cols)) float64, column-major."""
        A = np.empty((self.form.z.size, cols.size), order="F")
        self.gather_into(A, cols, np.arange(cols.size))
        return A

    def gather_into(self, A: Any, cols: NDArray[np.intp], places: NDArray[np.intp], lo: int = 0) -> None:
        """Copy columns of A, from row lo on, to places of a column-major array; by `scale` if float32."""
        B = self.form.B
        if A.dtype == np.float32:
            kernels.gather_rounded(B, self.m, self.scale, cols, places, lo, A)
        elif self.sparse:
            A[:, places] = self.form.dense(cols)[lo : lo + A.shape[0]]
        elif self._by_rows:
            A[:, places] = B[lo : lo + A.shape[0], cols] - self.m[cols]
        else:
            kernels.gather_dense(B, self.m, cols, places, lo, A)

    @cached_property
    def scale(self) -> Vector:
        """Powers of two by which columns have norms in [1/2, 1), and float32 is never left: (k,)."""
        return np.asarray(np.ldexp(1.0, -np.frexp(np.sqrt(self.norms_sq))[1]))

    @cached_property
    def can_round(self) -> bool:
        """Whether columns, and their Gram matrix, can be float32."""
        live = self.norms_sq[self.norms_sq > 0]
        low, high = RANGE
        return not (self.sparse or self._by_rows) and bool(np.all((live > low) & (live < high)))

    def nearly_all(self, size: int) -> bool:
        """Whether so many columns are nearly all of them: then X is used as it lies, and none is gathered."""
        return 10 * size >= 9 * self.form.k

    def whole_gram(self, cols: NDArray[np.intp], G: Vector) -> bool:
        """Fill G with the Gram matrix of all (or nearly all) columns from X as it lies; False where not."""
        B, k, size = self.form.B, self.form.k, cols.size
        if self.gram is None and not self.sparse and self.nearly_all(size) and B.dtype == np.float64:
            stats, self.gram = gram_pass(B, self.form.z, self.team, centre=self.form.m is not None)
            if stats is not None:
                self.u0 = stats[2]  # whose rounding is bounded, unlike that of one long loop
        if self.gram is None:
            return False
        in_order = size == k and np.all(np.diff(cols) == 1)
        G[:size, :size] = self.gram if in_order else self.gram[np.ix_(cols, cols)]
        return True

    def fresh_gram(self, cols: NDArray[np.intp], G: Vector, work: Vector) -> None:
        """Fill G with the Gram matrix of these columns of a dense X, all of it.

        Where G is float32, so are the columns: half the time, 1e-7 of accuracy. The rows are taken a few at
        a time.

        Parameters
        ----------
        cols : (K,) int array
        G : (>= K, >= K) array
        work : (K, K) array of the same type
            Overwritten.
        """
        from scipy.linalg.blas import dsyrk, ssyrk

        K, syrk = cols.size, ssyrk if G.dtype == np.float32 else dsyrk
        if self.direct and G.dtype == np.float64:
            for lo in range(0, K, CHUNK):
                here = slice(lo, min(lo + CHUNK, K))
                G[here, here] = self._direct_gram(cols[here], None)
                G[here, :lo] = self._direct_gram(cols[here], cols[:lo])
                G[:lo, here] = G[here, :lo].T
            return
        if self.team.size > 1 or (K <= MANY and compiled(self.form.z.size, same=True)):
            work[:] = self.gram_block(cols, np.arange(K), G.dtype)
        else:
            for here, A in self.row_blocks(cols, G.dtype):  # of work the lower half
                syrk(1.0, A, 1.0 if here.start else 0.0, work.T, trans=1, lower=0, overwrite_c=1)
        unit = 1.0 / self.scale[cols] if G.dtype == np.float32 else np.ones(K)
        kernels.unfold(work, unit.astype(G.dtype), G)

    def row_blocks(
        self, cols: NDArray[np.intp], dtype: Any, first: int = 0, end: int | None = None
    ) -> Iterator[tuple[slice, Vector]]:
        """Yield rows (from `first`, before `end`) and the columns of A there, copied: (*, len(cols)).

        Column-major; in float32 they are multiplied by `scale`. The memory is used again for the next rows.
        """
        K, places = cols.size, np.arange(cols.size)
        end = self.form.z.size if end is None else end
        step = min(end - first, max(FEW_ROWS, int(BUFFER / (np.dtype(dtype).itemsize * max(K, 1)))))
        buffer = np.empty(step * K, dtype)
        for lo in range(first, end, step):
            rows = min(step, end - lo)
            A = buffer[: rows * K].reshape((rows, K), order="F")
            self.gather_into(A, cols, places, lo)
            yield slice(lo, lo + A.shape[0]), A

    def gram_block(self, cols: NDArray[np.intp], places: NDArray[np.intp], dtype: Any) -> Vector:
        """Return products of the columns at these places of `cols` with all of them.

        In float32 each column is multiplied by its `scale`.

        Returns
        -------
        (len(places), len(cols)) array
        """
        every = np.arange(cols.size)
        same, n = np.array_equal(places, every), self.form.z.size
        if self.direct and dtype == np.float64:
            return self._direct_gram(cols[places], None if same else cols)

        def part(first: int, end: int) -> Vector:
            block = Crossproduct(places, None if same else every, n, dtype)
            for _, A in self.row_blocks(cols, dtype, first, end):
                block.add(A)
            return block.sum

        return summed(self.team.divide(part, n, PRODUCT * places.size * cols.size))

    @cached_property
    def direct(self) -> bool:
        """Whether columns are multiplied as they lie in X, and centred afterwards without harm."""
        B = self.form.B
        usable = not (self.sparse or self._by_rows) and B.dtype == np.float64 and compiled(B.shape[0])
        return usable and self.spread <= FLAT

    def _direct_gram(self, a: NDArray[np.intp], b: NDArray[np.intp] | None) -> Vector:
        """Products of columns a with b (None: with themselves), of X as it lies: (len(a), len(b))."""
        B, right = self.form.B, a if b is None else b

        def part(first: int, end: int) -> Vector:
            block = Crossproduct(a, b, B.shape[0], B.dtype)
            block.add(B, lo=first, hi=end)
            return block.sum

        G = summed(self.team.divide(part, B.shape[0], PRODUCT * a.size * right.size))
        if self.m.any():
            G -= B.shape[0] * np.outer(self.m[a], self.m[right])
        return G

    @property
    def depth(self) -> float:
        """Additions one after another in an entry of the Gram matrix or of A'z, at most."""
        n = self.form.z.size
        return n if self.gram is None else min(n, ROWS) + n / ROWS

    def gram_rows(self, cols: NDArray[np.intp], places: NDArray[np.intp], G: Vector) -> None:
        """Fill rows and columns of the Gram matrix of ``cols`` of a sparse X.

        Through the rows that two columns share: a_i'a_j = b_i'b_j - q'q m_i m_j.
        """
        B, m = self.packed(cols).form.B, self.m[cols]
        R = B.tocsr()
        if places.size == cols.size and np.array_equal(places, np.arange(cols.size)):
            kernels.gram_sparse(B.data, B.indices, B.indptr, R.data, R.indices, R.indptr, self._qq * m, m, G)
            return
        block = np.empty((places.size, cols.size))
        kernels.gram_rows_sparse(
            B.data, B.indices, B.indptr, R.data, R.indices, R.indptr, places, self._qq * m[places], m, block
        )
        G[places, : cols.size] = block
        G[: cols.size, places] = block.T
