"""Coordinate-descent sweeps compiled by numba. Import this inside ``setup`` only: numba takes a while.

Compiled code is cached on disk under the digest of this folder's sources, because numba's own cache
watches one file only and would serve old code after an edit in another.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numba
import numpy as np


def cache_dir() -> Path:
    """Folder for compiled code: ``$NUMBA_CACHE_DIR`` or ``.cache/numba``, then the digest of solvers/*.py."""
    here = Path(__file__).parent
    h = hashlib.sha256()
    for path in sorted(here.glob("*.py")):
        h.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    root = os.environ.get("NUMBA_CACHE_DIR") or here.parent / ".cache" / "numba"
    return Path(root) / h.hexdigest()[:16]


numba.config.CACHE_DIR = str(cache_dir())  # type: ignore[attr-defined]
jit = numba.njit(cache=True, fastmath={"contract", "reassoc", "nsz", "arcp"}, error_model="numpy", nogil=True)


@jit
def prox(t: float, curvature: float, lam1: float, lam2: float, positive: bool) -> float:
    # argmin over x of curvature/2 x^2 - t x + lam1 |x| + lam2/2 x^2    docs/maths.md (PROX)
    if t > lam1:
        return (t - lam1) / (curvature + lam2)
    if t < -lam1 and not positive:
        return (t + lam1) / (curvature + lam2)
    return 0.0


@jit
def sweep_dense(
    A: Any, norms_sq: Any, lam1: Any, lam2: Any, positive: bool, order: Any, w: Any, r: Any
) -> float:
    # One pass over the columns in `order`; w and r = z - A w are updated. Returns the largest change
    # of the fit by one coordinate, |dw_j| ||a_j||, squared.
    n = A.shape[0]
    largest = 0.0
    for j in order:
        if norms_sq[j] == 0.0:
            w[j] = 0.0  # the column is zero once centred: 0 is optimal
            continue
        a = A[:, j]
        old = w[j]
        g = 0.0
        for i in range(n):
            g += a[i] * r[i]
        new = prox(g + norms_sq[j] * old, norms_sq[j], lam1[j], lam2[j], positive)
        d = new - old
        if d != 0.0:
            w[j] = new
            for i in range(n):
                r[i] -= d * a[i]
            largest = max(largest, d * d * norms_sq[j])
    return largest


@jit
def sweep_sparse(
    data: Any, indices: Any, indptr: Any, Sm: Any, m: Any, norms_sq: Any,
    lam1: Any, lam2: Any, positive: bool, order: Any, w: Any, rho: Any, t: float,
) -> tuple[float, float]:  # fmt: skip
    # As sweep_dense for A = B - q m': the residual is rho + q t with t = m'w, and since it is
    # orthogonal to q, a_j'r = b_j'rho + t S m_j. m = Sm = 0 without intercept.
    largest = 0.0
    for j in order:
        if norms_sq[j] == 0.0:
            continue  # never moved: 0 is optimal
        old = w[j]
        g = t * Sm[j]
        for k in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
            g += data[k] * rho[np.uint64(indices[k])]
        new = prox(g + norms_sq[j] * old, norms_sq[j], lam1[j], lam2[j], positive)
        d = new - old
        if d != 0.0:
            w[j] = new
            for k in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
                rho[np.uint64(indices[k])] -= d * data[k]
            t += d * m[j]
            largest = max(largest, d * d * norms_sq[j])
    return largest, t


def sweeper(form: Any) -> Any:
    """Return ``sweep(order, w, r) -> largest`` for a standard form; it updates w and r = z - A w."""
    positive = form.positive
    if not form.is_sparse:

        def dense(order: Any, w: Any, r: Any) -> float:
            return float(sweep_dense(form.B, form.norms_sq, form.lam1, form.lam2, positive, order, w, r))

        return dense
    m = np.zeros(form.k) if form.m is None else form.m
    Sm = m if form.m is None else m * float(form.q @ form.q)
    B = form.B

    def sparse(order: Any, w: Any, r: Any) -> float:
        t0 = 0.0 if form.m is None else float(m @ w)
        rho = r if form.m is None else r - form.q * t0
        largest, t = sweep_sparse(
            B.data,
            B.indices,
            B.indptr,
            Sm,
            m,
            form.norms_sq,
            form.lam1,
            form.lam2,
            positive,
            order,
            w,
            rho,
            t0,
        )
        if form.m is not None:
            r[:] = rho + form.q * t
        return float(largest)

    return sparse
