"""The columns of the standard form without a copy of X: one fused first pass, then only what is asked for.

A is X itself less its column means, which are kept apart (docs/maths.md, SF): a_j = x_j - q m_j. The first
pass reads X once for the means, the norms and A'z together. Later products are taken for chosen columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ._kernels import jit, prox
from ._standard_form import StandardForm, _locked, standard_form
from .problem import Problem, Vector

CHUNK = 256  # columns gathered at a time: wide enough for the BLAS, small against X


@jit
def _first_pass_dense(X: Any, z: Any, centre: bool) -> Any:
    n, k = X.shape
    means, norms, u = np.zeros(k), np.zeros(k), np.zeros(k)
    total_z = np.sum(z)
    for j in range(k):
        one = two = dot = 0.0
        for i in range(n):
            a = np.float64(X[i, j])
            one += a
            two += a * a
            dot += a * z[i]
        if centre:
            m = one / n
            norms[j] = two - n * m * m
            means[j] = m
            dot -= m * total_z
            if norms[j] < 1e-3 * two:  # cancellation: once more, about the mean
                two = extra = 0.0
                for i in range(n):
                    a = np.float64(X[i, j]) - m
                    extra += a
                    two += a * a
                norms[j] = two - extra * extra / n
                if norms[j] <= n * (m * 2.0**-50) ** 2:
                    norms[j] = 0.0  # a constant column: what is left is rounding
        else:
            norms[j] = two
        u[j] = dot
    return means, norms, u


@jit
def _first_pass_sparse(data: Any, indices: Any, indptr: Any, q: Any, qq: float, z: Any) -> Any:
    k = indptr.size - 1
    means, norms, u = np.zeros(k), np.zeros(k), np.zeros(k)
    qz = 0.0
    for i in range(z.size):
        qz += q[i] * z[i]
    for j in range(k):
        one = two = dot = 0.0
        for e in range(indptr[j], indptr[j + 1]):
            a = np.float64(data[e])
            one += a * q[indices[e]]
            two += a * a
            dot += a * z[indices[e]]
        if qq > 0.0:
            m = one / qq
            means[j] = m
            norms[j] = two - qq * m * m
            if norms[j] <= 1e-14 * two:
                norms[j] = 0.0  # a constant column: what is left is rounding
            dot -= m * qz
        else:
            norms[j] = two
        u[j] = dot
    return means, norms, u


@jit
def _dots_dense(X: Any, m: Any, cols: Any, r: Any, out: Any) -> None:
    total = np.sum(r)
    for c in range(cols.size):
        j = cols[c]
        dot = 0.0
        for i in range(r.size):
            dot += np.float64(X[i, j]) * r[i]
        out[c] = dot - m[j] * total


@jit
def _dots_sparse(
    data: Any, indices: Any, indptr: Any, m: Any, cols: Any, r: Any, qr: float, out: Any
) -> None:
    for c in range(cols.size):
        j = cols[c]
        dot = 0.0
        for e in range(indptr[j], indptr[j + 1]):
            dot += np.float64(data[e]) * r[indices[e]]
        out[c] = dot - m[j] * qr


@jit
def _subtract_dense(X: Any, m: Any, cols: Any, w: Any, r: Any) -> None:
    shift = 0.0
    for c in range(cols.size):
        j, wj = cols[c], w[c]
        if wj != 0.0:
            shift += wj * m[j]
            for i in range(r.size):
                r[i] -= wj * np.float64(X[i, j])
    if shift != 0.0:
        for i in range(r.size):
            r[i] += shift


@jit
def _subtract_sparse(data: Any, indices: Any, indptr: Any, m: Any, q: Any, cols: Any, w: Any, r: Any) -> None:
    shift = 0.0
    for c in range(cols.size):
        j, wj = cols[c], w[c]
        if wj != 0.0:
            shift += wj * m[j]
            for e in range(indptr[j], indptr[j + 1]):
                r[indices[e]] -= wj * np.float64(data[e])
    if shift != 0.0:
        for i in range(r.size):
            r[i] += shift * q[i]


@jit
def _gram_sparse(
    data: Any, indices: Any, indptr: Any, m: Any, qq: float, cols: Any, old: int, G: Any, work: Any
) -> None:
    # Rows old.. of G against all columns, by scattering each new column once
    for c in range(old, cols.size):
        j = cols[c]
        for e in range(indptr[j], indptr[j + 1]):
            work[indices[e]] = data[e]
        for d in range(c + 1):
            k = cols[d]
            dot = 0.0
            for e in range(indptr[k], indptr[k + 1]):
                dot += np.float64(data[e]) * work[indices[e]]
            dot -= qq * m[j] * m[k]
            G[c, d] = dot
            G[d, c] = dot
        for e in range(indptr[j], indptr[j + 1]):
            work[indices[e]] = 0.0


class Columns:
    """Products with the columns of A for one problem.

    Attributes
    ----------
    form : StandardForm
        With the means apart wherever X allows it (column-major or CSC, no sample weights, no extreme
        scales, means not huge against the spread); else A is a centred, weighted copy.
    norms_sq, u0 : (k,) arrays
        Squared norms of the columns, and A'z.
    """

    def __init__(self, problem: Problem) -> None:
        form, stats = _apart(problem)
        if form is None:
            form = standard_form(problem, order="F")
            stats = _first_pass(form.B, form.z, form.q, centre=False)
        self.form: StandardForm = form
        means, self.norms_sq, self.u0 = stats
        self.m: Vector = np.zeros(form.k) if form.m is None else means
        self._q = np.zeros(form.z.size) if form.q is None else form.q
        self._qq = 0.0 if form.q is None else float(form.q @ form.q)
        self.sparse = form.is_sparse
        self._held: Vector = np.empty((form.z.size, 0), order="F")  # gathered columns, extend_gram's own

    def dots(self, cols: NDArray[np.intp], r: Vector) -> Vector:
        """a_j'r for the columns asked for."""
        out = np.empty(cols.size)
        B = self.form.B
        if self.sparse:
            qr = float(self._q @ r)
            _dots_sparse(B.data, B.indices, B.indptr, self.m, cols, r, qr, out)
        else:
            _dots_dense(B, self.m, cols, r, out)
        return out

    def residual(self, cols: NDArray[np.intp], w: Vector) -> Vector:
        """Z - sum over cols of w a_j, (n,)."""
        r = self.form.z.copy()
        B = self.form.B
        if self.sparse:
            _subtract_sparse(B.data, B.indices, B.indptr, self.m, self._q, cols, w, r)
        else:
            _subtract_dense(B, self.m, cols, w, r)
        return r

    def sweep(self, cols: NDArray[np.intp], w: Vector, r: Vector, lam1: Vector) -> float:
        """One sweep of coordinate descent over cols; w (of cols) and the residual r are updated.

        Returns the largest change of the fit by one coordinate, squared. r is centred throughout.
        """
        form, B = self.form, self.form.B
        norms, lam2 = self.norms_sq[cols], form.lam2[cols]
        if self.sparse:
            return float(
                _sweep_sparse(
                    B.data, B.indices, B.indptr, self.m, self._q, self._qq, cols, norms,
                    lam1, lam2, form.positive, w, r,
                )
            )  # fmt: skip
        return float(_sweep_dense(B, self.m, cols, norms, lam1, lam2, form.positive, w, r))

    def gram_limit(self, cols: NDArray[np.intp]) -> int:
        """Most columns for which a Gram matrix pays: by memory, and by the cost of a move if sparse.

        Two square arrays of it may take an eighth of X's memory each, or 32 MB.
        """
        B = self.form.B
        held = B.data.nbytes + B.indices.nbytes if self.sparse else B.nbytes
        limit = int(np.sqrt(max(held / 8, 32e6) / 8))
        if self.sparse:  # a move costs K by the Gram matrix, the column's entries twice by the residual
            entries = (B.indptr[cols + 1] - B.indptr[cols]).mean()
            limit = min(limit, max(256, int(16 * entries)))
        return limit

    def gather(self, cols: NDArray[np.intp]) -> Vector:
        """Return columns of A, copied: (n, len(cols)) float64, column-major."""
        if self.sparse:
            return np.asfortranarray(self.form.dense(cols))
        A = np.empty((self.form.z.size, cols.size), order="F")
        _gather_dense(self.form.B, self.m, cols, A)
        return A

    def extend_gram(self, G: Vector, cols: NDArray[np.intp], old: int) -> None:
        """Fill rows and columns old.. of G, the Gram matrix of the columns ``cols``."""
        B = self.form.B
        if self.sparse:
            work = np.zeros(self.form.z.size)
            _gram_sparse(B.data, B.indices, B.indptr, self.m, self._qq, cols, old, G, work)
            return
        if old == 0:
            self._held = np.empty((self.form.z.size, 0), order="F")
        if cols.size * self.form.z.size * 8 <= max(B.nbytes / 8, 32e6):
            self._hold(cols, old)
        for lo in range(old, cols.size, CHUNK):
            hi = min(lo + CHUNK, cols.size)
            A = self._block(cols, lo, hi)
            G[lo:hi, lo:hi] = A.T @ A
            for lo2 in range(0, lo, CHUNK):
                hi2 = min(lo2 + CHUNK, lo)
                block = A.T @ self._block(cols, lo2, hi2)
                G[lo:hi, lo2:hi2] = block
                G[lo2:hi2, lo:hi] = block.T

    def _hold(self, cols: NDArray[np.intp], old: int) -> None:
        """Keep gathered columns from one extension to the next, while they are small against X."""
        if self._held.shape[1] < cols.size:
            wider = np.empty((self.form.z.size, min(cols.size + cols.size // 2, self.form.k)), order="F")
            wider[:, :old] = self._held[:, :old] if self._held.shape[1] >= old else self.gather(cols[:old])
            self._held = wider
        self._held[:, old : cols.size] = self.gather(cols[old:])

    def _block(self, cols: NDArray[np.intp], lo: int, hi: int) -> Vector:
        return self._held[:, lo:hi] if hi <= self._held.shape[1] else self.gather(cols[lo:hi])


@jit
def _gather_dense(X: Any, m: Any, cols: Any, A: Any) -> None:
    for c in range(cols.size):
        j = cols[c]
        for i in range(X.shape[0]):
            A[i, c] = X[i, j] - m[j]


@jit
def _sweep_dense(
    X: Any, m: Any, cols: Any, norms: Any, lam1: Any, lam2: Any, positive: bool, w: Any, r: Any
) -> float:
    # As _kernels.sweep_dense with the means apart: the residual is r + t, t = m'w's change since entry
    n = r.size
    largest = 0.0
    t = 0.0
    for c in range(cols.size):
        j = cols[c]
        if norms[c] == 0.0:
            continue
        g = n * m[j] * t
        for i in range(n):
            g += np.float64(X[i, j]) * r[i]
        old = w[c]
        new = prox(g + norms[c] * old, norms[c], lam1[c], lam2[c], positive)
        d = new - old
        if d != 0.0:
            w[c] = new
            for i in range(n):
                r[i] -= d * np.float64(X[i, j])
            t += d * m[j]
            largest = max(largest, d * d * norms[c])
    for i in range(n):
        r[i] += t
    return largest


@jit
def _sweep_sparse(
    data: Any, indices: Any, indptr: Any, m: Any, q: Any, qq: float, cols: Any, norms: Any,
    lam1: Any, lam2: Any, positive: bool, w: Any, r: Any,
) -> float:  # fmt: skip
    largest = 0.0
    t = 0.0
    for c in range(cols.size):
        j = cols[c]
        if norms[c] == 0.0:
            continue
        g = qq * m[j] * t
        for e in range(indptr[j], indptr[j + 1]):
            g += np.float64(data[e]) * r[indices[e]]
        old = w[c]
        new = prox(g + norms[c] * old, norms[c], lam1[c], lam2[c], positive)
        d = new - old
        if d != 0.0:
            w[c] = new
            for e in range(indptr[j], indptr[j + 1]):
                r[indices[e]] -= d * np.float64(data[e])
            t += d * m[j]
            largest = max(largest, d * d * norms[c])
    if t != 0.0:
        for i in range(r.size):
            r[i] += t * q[i]
    return largest


def _first_pass(B: Any, z: Vector, q: Vector | None, *, centre: bool) -> Any:
    if not isinstance(B, np.ndarray):
        qq = 0.0 if q is None else float(q @ q)
        return _first_pass_sparse(B.data, B.indices, B.indptr, np.zeros(z.size) if q is None else q, qq, z)
    return _first_pass_dense(B, z, centre)


def _apart(problem: Problem) -> tuple[StandardForm | None, Any]:
    """Standard form on X itself and what the first pass gave; (None, None) where X has to be copied."""
    X = problem.X
    if problem.layout not in ("F", "csc") or problem.sample_weight is not None:
        return None, None
    if problem.is_extreme or np.isinf(problem.v).any():
        return None, None
    n, y = problem.n, problem.y
    z, y_mean = y, 0.0
    if problem.intercept:
        first = float(y.sum() / n)
        z = y - first
        rest = float(z.sum() / n)
        z = z - rest
        y_mean = first + rest
    q = np.ones(n) if problem.intercept else None
    stats = _first_pass(X, z, q, centre=problem.intercept)
    means, norms, _ = stats
    if problem.intercept and not sp.issparse(X) and np.any((n * means**2 > 1e8 * norms) & (norms > 0)):
        return None, None  # a mean huge against the spread: products with X would cancel, centre a copy
    S = problem.S
    v = problem.v
    m = means if problem.intercept else None
    form = StandardForm(
        _locked(X), m, q, z, S * problem.l1 * v, S * problem.l2 * v, problem.positive,
        np.arange(problem.p), problem, y_mean, m, None, 0, float(y @ y),
    )  # fmt: skip
    form.__dict__["norms_sq"] = norms
    return form, stats
