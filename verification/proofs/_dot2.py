"""Sums of products in twice the working precision: Dekker, Knuth; Ogita, Rump and Oishi (2005).

A sum is kept as hi + lo; after k products, rounding to nearest and without underflow, it is off by at most
4 (k + 3)^2 u^2 times the sum of the absolute values of the products (u = 2^-53). Inputs are scaled to
moderate size by the caller, so nothing overflows; what underflows is the caller's to charge.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numba

SPLITTER = 134217729.0  # 2^27 + 1


def _cache_dir() -> str:
    """Folder of compiled code under the digest of this file, apart from the solvers'."""
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    root = os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parents[2] / ".cache" / "numba"
    return str(Path(root) / f"proofs-{digest}")


_before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
numba.config.CACHE_DIR = _cache_dir()  # type: ignore[attr-defined]
# without fastmath: what rounding leaves over must not be simplified away
jit = numba.njit(cache=True, nogil=True)


@jit
def two_sum(a: float, b: float) -> tuple[float, float]:
    # (s, e): s = fl(a + b), s + e = a + b
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@jit
def two_product(a: float, b: float) -> tuple[float, float]:
    # (p, e): p = fl(a b), p + e = a b
    p = a * b
    t = SPLITTER * a
    a_hi = t - (t - a)
    a_lo = a - a_hi
    t = SPLITTER * b
    b_hi = t - (t - b)
    b_lo = b - b_hi
    return p, a_lo * b_lo - (((p - a_hi * b_hi) - a_lo * b_hi) - a_hi * b_lo)


@jit
def total(x: Any) -> tuple[float, float]:
    # (sum of x, sum of |x|): the first off by half an ulp and by 4 (k + 3)^2 u^2 times the second
    hi, lo, size = 0.0, 0.0, 0.0
    for i in range(x.size):
        hi, t = two_sum(hi, x[i])
        lo += t
        size += abs(x[i])
    return hi + lo, size


@jit
def subtract_dense(
    X: Any, columns: Any, unit: Any, w: Any, by_rows: bool, hi: Any, lo: Any, size: Any
) -> None:
    # hi + lo -= X[:, columns] (unit * w) row by row; size += the absolute values of the terms
    n = X.shape[0]
    if by_rows:
        for i in range(n):
            for k in range(columns.size):
                p, e = two_product(-(X[i, columns[k]] * unit[k]), w[k])
                hi[i], t = two_sum(hi[i], p)
                lo[i] += t + e
                size[i] += abs(p)
        return
    for k in range(columns.size):
        j = columns[k]
        for i in range(n):
            p, e = two_product(-(X[i, j] * unit[k]), w[k])
            hi[i], t = two_sum(hi[i], p)
            lo[i] += t + e
            size[i] += abs(p)


@jit
def subtract_sparse(
    data: Any, rows: Any, starts: Any, columns: Any, unit: Any, w: Any, hi: Any, lo: Any, size: Any
) -> None:
    # the same for a matrix by columns
    for k in range(columns.size):
        j = columns[k]
        for a in range(starts[j], starts[j + 1]):
            i = rows[a]
            p, e = two_product(-(data[a] * unit[k]), w[k])
            hi[i], t = two_sum(hi[i], p)
            lo[i] += t + e
            size[i] += abs(p)


@jit
def correlate_dense(X: Any, columns: Any, unit: Any, shift: Any, q: Any, out: Any, size: Any) -> None:
    # out[k] = sum_i (unit_k x_ij - shift_k) q_i, with the sum of the absolute values of the terms
    for k in range(columns.size):
        j = columns[k]
        hi, lo, total = 0.0, 0.0, 0.0
        for i in range(X.shape[0]):
            d, left = two_sum(X[i, j] * unit[k], -shift[k])
            p, e = two_product(d, q[i])
            hi, t = two_sum(hi, p)
            lo += t + (e + left * q[i])
            total += abs(p)
        out[k] = hi + lo
        size[k] = total


@jit
def correlate_sparse(
    data: Any, rows: Any, starts: Any, columns: Any, unit: Any, q: Any, out: Any, size: Any
) -> None:
    # the same for a matrix by columns, not shifted
    for k in range(columns.size):
        j = columns[k]
        hi, lo, total = 0.0, 0.0, 0.0
        for a in range(starts[j], starts[j + 1]):
            p, e = two_product(data[a] * unit[k], q[rows[a]])
            hi, t = two_sum(hi, p)
            lo += t + e
            total += abs(p)
        out[k] = hi + lo
        size[k] = total


numba.config.CACHE_DIR = _before  # type: ignore[attr-defined]
