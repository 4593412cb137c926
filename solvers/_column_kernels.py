"""Loops over chosen columns of X, compiled: the first pass, products, Gram matrices, sweeps.

X is read as it lies (column-major or CSC, float64 or float32, read-only); the means m are kept apart.
Indices into sparse columns are unsigned: a signed one may be negative, which numba then allows for at
every entry, at half the speed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._kernels import jit, prox


@jit
def first_pass_dense(X: Any, z: Any, centre: bool) -> Any:
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
def first_pass_sparse(data: Any, indices: Any, indptr: Any, q: Any, qq: float, z: Any) -> Any:
    k = indptr.size - 1
    means, norms, u = np.zeros(k), np.zeros(k), np.zeros(k)
    qz = 0.0
    for i in range(z.size):
        qz += q[i] * z[i]
    same = qq == 0.0 or np.all(q == 1.0)
    for j in range(k):
        one = two = dot = 0.0
        if same:  # q need not be looked up
            for e in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
                a = np.float64(data[e])
                one += a
                two += a * a
                dot += a * z[np.uint64(indices[e])]
        else:
            for e in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
                a = np.float64(data[e])
                one += a * q[np.uint64(indices[e])]
                two += a * a
                dot += a * z[np.uint64(indices[e])]
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
def dots_dense(X: Any, m: Any, cols: Any, r: Any, out: Any) -> None:
    total = np.sum(r)
    for c in range(cols.size):
        j = cols[c]
        dot = 0.0
        for i in range(r.size):
            dot += np.float64(X[i, j]) * r[i]
        out[c] = dot - m[j] * total


@jit
def dots_sparse(data: Any, indices: Any, indptr: Any, m: Any, cols: Any, r: Any, qr: float, out: Any) -> None:
    for c in range(cols.size):
        j = cols[c]
        dot = 0.0
        for e in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
            dot += np.float64(data[e]) * r[np.uint64(indices[e])]
        out[c] = dot - m[j] * qr


@jit
def dots_sparse_block(
    data: Any, indices: Any, indptr: Any, m: Any, cols: Any, R: Any, qr: Any, out: Any
) -> None:
    # Each entry of X is read once for all the right-hand sides, which lie side by side: a row of R (n, B)
    size = R.shape[1]
    dot = np.empty(size)
    for c in range(cols.size):
        j = cols[c]
        for b in range(size):
            dot[b] = -m[j] * qr[b]
        for e in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
            a = np.float64(data[e])
            row = R[np.uint64(indices[e])]
            for b in range(size):
                dot[b] += a * row[b]
        for b in range(size):
            out[c, b] = dot[b]


@jit
def gram_rows_sparse(
    data: Any, indices: Any, indptr: Any, by_row: Any, cols: Any, starts: Any,
    places: Any, qqm: Any, m: Any, out: Any,
) -> None:  # fmt: skip
    # Products of some columns of B with all of them; B by columns, and by rows
    for c in range(places.size):
        j = places[c]
        row = out[c]
        for k in range(m.size):
            row[k] = -qqm[c] * m[k]
        for e in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
            a, i = data[e], np.uint64(indices[e])
            for d in range(np.uint64(starts[i]), np.uint64(starts[i + np.uint64(1)])):
                row[np.uint64(cols[d])] += a * by_row[d]


@jit
def pack_sparse(data: Any, indices: Any, indptr: Any, cols: Any, ends: Any, to: Any, rows: Any) -> None:
    # The entries of columns of B, one column after another, into to and rows
    for c in range(cols.size):
        j = cols[c]
        at = np.uint64(ends[c])
        for e in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
            to[at], rows[at] = data[e], indices[e]
            at += np.uint64(1)


@jit
def subtract_dense(X: Any, m: Any, cols: Any, w: Any, r: Any) -> None:
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
def subtract_sparse(data: Any, indices: Any, indptr: Any, m: Any, q: Any, cols: Any, w: Any, r: Any) -> None:
    shift = 0.0
    for c in range(cols.size):
        j, wj = cols[c], w[c]
        if wj != 0.0:
            shift += wj * m[j]
            for e in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
                r[np.uint64(indices[e])] -= wj * np.float64(data[e])
    if shift != 0.0:
        for i in range(r.size):
            r[i] += shift * q[i]


@jit
def gather_dense(X: Any, m: Any, cols: Any, places: Any, A: Any) -> None:
    # Column cols[c] of X, centred, into column places[c] of A
    for c in range(cols.size):
        j, k = cols[c], places[c]
        for i in range(X.shape[0]):
            A[i, k] = np.float64(X[i, j]) - m[j]


@jit
def gather_rounded(X: Any, m: Any, scale: Any, cols: Any, places: Any, lo: int, A: Any) -> None:
    # As gather_dense, from row lo on as many rows as A (float32) has, and each column by its scale
    for c in range(cols.size):
        j = cols[c]
        column, to = X[lo : lo + A.shape[0], j], A[:, places[c]]
        shift, unit = m[j], scale[j]
        for i in range(to.size):
            to[i] = np.float32((np.float64(column[i]) - shift) * unit)


@jit
def sweep_dense(
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
def sweep_sparse(
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
        for e in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
            g += np.float64(data[e]) * r[np.uint64(indices[e])]
        old = w[c]
        new = prox(g + norms[c] * old, norms[c], lam1[c], lam2[c], positive)
        d = new - old
        if d != 0.0:
            w[c] = new
            for e in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
                r[np.uint64(indices[e])] -= d * np.float64(data[e])
            t += d * m[j]
            largest = max(largest, d * d * norms[c])
    if t != 0.0:
        for i in range(r.size):
            r[i] += t * q[i]
    return largest


@jit
def conjugate_gradients_sparse(
    data: Any, indices: Any, indptr: Any, m: Any, q: Any, cols: Any, b: Any, diagonal: Any, lam2: Any,
    slack: Any, reach: Any, steps: int, d: Any, fit: Any,
) -> Any:  # fmt: skip
    # _residual_face.newton_direction for sparse columns: d and fit are filled. Returns whether it arrived,
    # whether it was slow, and the steps taken. A step is so short that calls for each product would take as
    # long again.
    size = b.size
    left, direction = b.copy(), b / diagonal
    image, curvature = np.empty(q.size), np.empty(size)
    rho = 0.0
    for a in range(size):
        rho += left[a] * direction[a]
    for step in range(steps):
        done = True
        for a in range(size):
            if abs(left[a]) > slack[a]:
                done = False
                break
        if done:
            return True, False, step
        image[:] = 0.0
        subtract_sparse(data, indices, indptr, m, q, cols, direction, image)  # minus A_F direction
        qr = 0.0
        for i in range(q.size):
            qr += q[i] * image[i]
        dots_sparse(data, indices, indptr, m, cols, image, qr, curvature)
        along = 0.0
        for a in range(size):
            curvature[a] = lam2[a] * direction[a] - curvature[a]
            along += direction[a] * curvature[a]
        if not along > 0.0:
            return False, True, step
        alpha = rho / along
        for i in range(q.size):
            fit[i] -= alpha * image[i]
        beyond = False
        before, rho = rho, 0.0
        for a in range(size):
            d[a] += alpha * direction[a]
            left[a] -= alpha * curvature[a]
            rho += left[a] * left[a] / diagonal[a]
            beyond |= d[a] / reach[a] >= 1.0
        if beyond:
            return False, False, step
        for a in range(size):
            direction[a] = left[a] / diagonal[a] + (rho / before) * direction[a]
    return False, True, steps
