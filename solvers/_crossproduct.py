"""Products of columns with columns, A_a'B_b, of columns that lie in memory one after the other.

The BLAS copies both factors into an order of its own before it multiplies; of some hundreds of columns that
takes a good part of its time, up to half of it. Columns need no such order: five of them meet five others
where they lie, and the 25 sums stay in registers. That takes 31 registers; where a processor has 16 wide
ones, or the columns are short, the BLAS is as fast or faster, and is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite.binding import get_host_cpu_features
from numpy.typing import NDArray

from ._column_kernels import unfold
from ._kernels import jit
from .problem import Vector

Index = NDArray[np.intp]

SIDE = 5  # columns that meet as many others at a time
ROWS, SPAN = 2048, 40  # taken together, so that sums are written seldom and columns are read from the cache
LONG = 200, 1000  # rows from which on this is faster than the BLAS: with themselves, with others
REGISTERS = bool(get_host_cpu_features().get("avx512f"))  # whether there are 32 wide ones


@jit
def _five(row: Any, j: int, p: Any, q: Any, r: Any, s: Any, t: Any) -> None:
    row[j] += p
    row[j + 1] += q
    row[j + 2] += r
    row[j + 3] += s
    row[j + 4] += t


@jit
def _tile(A: Any, a: Any, B: Any, b: Any, i: int, j: int, lo: int, hi: int, G: Any) -> None:
    # G += the products of columns a_i to a_(i+4) of A with b_j to b_(j+4) of B, in rows lo to hi
    u, v, w = A[lo:hi, a[i]], A[lo:hi, a[i + 1]], A[lo:hi, a[i + 2]]
    x, y = A[lo:hi, a[i + 3]], A[lo:hi, a[i + 4]]
    p, q, r = B[lo:hi, b[j]], B[lo:hi, b[j + 1]], B[lo:hi, b[j + 2]]
    s, t = B[lo:hi, b[j + 3]], B[lo:hi, b[j + 4]]
    up = uq = ur = us = ut = vp = vq = vr = vs = vt = wp = wq = wr = ws = wt = A.dtype.type(0)
    xp = xq = xr = xs = xt = yp = yq = yr = ys = yt = A.dtype.type(0)
    for k in range(u.size):
        one, two, three, four, five = u[k], v[k], w[k], x[k], y[k]
        c = p[k]
        up, vp, wp, xp, yp = up + one * c, vp + two * c, wp + three * c, xp + four * c, yp + five * c
        c = q[k]
        uq, vq, wq, xq, yq = uq + one * c, vq + two * c, wq + three * c, xq + four * c, yq + five * c
        c = r[k]
        ur, vr, wr, xr, yr = ur + one * c, vr + two * c, wr + three * c, xr + four * c, yr + five * c
        c = s[k]
        us, vs, ws, xs, ys = us + one * c, vs + two * c, ws + three * c, xs + four * c, ys + five * c
        c = t[k]
        ut, vt, wt, xt, yt = ut + one * c, vt + two * c, wt + three * c, xt + four * c, yt + five * c
    _five(G[i], j, up, uq, ur, us, ut)
    _five(G[i + 1], j, vp, vq, vr, vs, vt)
    _five(G[i + 2], j, wp, wq, wr, ws, wt)
    _five(G[i + 3], j, xp, xq, xr, xs, xt)
    _five(G[i + 4], j, yp, yq, yr, ys, yt)


@jit
def _add(A: Any, a: Any, B: Any, b: Any, first: int, end: int, half: bool, G: Any) -> None:
    # G += A_a'B_b in rows first to end; `half`, where both are the same: its lower half, by whole tiles
    for lo in range(first, end, ROWS):
        hi = min(lo + ROWS, end)
        for left in range(0, b.size, SPAN):
            for i in range(left if half else 0, a.size, SIDE):
                for j in range(left, min(left + SPAN, i + SIDE if half else b.size), SIDE):
                    _tile(A, a, B, b, i, j, lo, hi, G)


def compiled(rows: int, same: bool = False) -> bool:
    """Whether columns of so many rows are multiplied here, not by the BLAS: with themselves, or others."""
    return REGISTERS and rows >= LONG[not same]


def _padded(cols: Index) -> Index:
    """Columns, the last one repeated up to whole tiles."""
    return np.concatenate([cols, np.repeat(cols[-1:], -cols.size % SIDE)])


class Crossproduct:
    """A_a'B_b, summed over blocks of rows.

    Parameters
    ----------
    a : (K,) int array
        Columns of A.
    b : (L,) int array, or None
        Columns of B; None where they are the same ones of A.
    rows : int
        In all.
    dtype : dtype
        float64 or float32: of A, B and the products.
    aligned : bool
        Whether the columns are contiguous.
    """

    def __init__(self, a: Index, b: Index | None, rows: int, dtype: Any, aligned: bool = True) -> None:
        self.a, self.b = a, b
        self.compiled = aligned and compiled(rows, b is None)
        if self.compiled:
            self.a, self.b = _padded(a), None if b is None else _padded(b)
        self.shape = a.size, (a if b is None else b).size
        shape = self.a.size, (self.a if self.b is None else self.b).size
        self.G: Vector | None = np.zeros(shape, dtype) if self.compiled else None

    def add(self, A: Vector, B: Vector | None = None, lo: int = 0, hi: int | None = None) -> None:
        """Add those of rows lo to hi (default: all) of A and B (default: A), column-major."""
        same, b = self.b is None, self.a if self.b is None else self.b
        B = A if B is None else B
        if self.compiled:
            _add(A, self.a, B, b, lo, A.shape[0] if hi is None else hi, same, self.G)
        else:
            left = chosen(A[lo:hi], self.a)
            more = left.T @ (left if same else chosen(B[lo:hi], b))
            self.G = more if self.G is None else self.G + more

    @property
    def sum(self) -> Vector:
        """The products, (K, L), all of them."""
        assert self.G is not None
        K, L = self.shape
        G = self.G[:K, :L]
        if self.compiled and self.b is None:
            unfold(G, np.ones(K, G.dtype), whole := np.empty((K, K), G.dtype))
            return whole
        return G


def chosen(A: Vector, cols: Index) -> Vector:
    """Return columns of A; no copy where they are adjacent."""
    if cols.size and cols[-1] - cols[0] == cols.size - 1 and np.all(np.diff(cols) == 1):
        return A[:, cols[0] : cols[-1] + 1]
    return A[:, cols]
