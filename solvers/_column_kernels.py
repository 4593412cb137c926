"""Loops over chosen columns of X, compiled: the first pass, products, Gram matrices, sweeps.

X is read as it lies (column-major or CSC, float64 or float32, read-only); the means m are kept apart.
Indices into sparse columns are unsigned: a signed one may be negative, which numba then allows for at
every entry, at half the speed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._kernels import jit, prox

# Long columns are read four at a time: the loop waits for memory, and has more of it under way. Short ones
# one after the other: they follow each other in memory, which the processor foresees, and loses of four.
LONG = 1500
PIECE = 256  # rows of columns, and of as many sums, that stay in the nearest cache
TRIED = 8  # steps of conjugate gradients before their rate is judged


@jit
def _sums(X: Any, z: Any, one: Any, two: Any, dot: Any) -> None:
    # x_j'1, x_j'x_j and x_j'z of every column
    n, k = X.shape
    done = 0
    if n >= LONG:
        done = k - k % 4
        for j in range(0, done, 4):
            a, b, c, d = X[:, j], X[:, j + 1], X[:, j + 2], X[:, j + 3]
            a1 = a2 = a3 = b1 = b2 = b3 = c1 = c2 = c3 = d1 = d2 = d3 = 0.0
            for i in range(n):
                t = z[i]
                x = np.float64(a[i])
                a1, a2, a3 = a1 + x, a2 + x * x, a3 + x * t
                x = np.float64(b[i])
                b1, b2, b3 = b1 + x, b2 + x * x, b3 + x * t
                x = np.float64(c[i])
                c1, c2, c3 = c1 + x, c2 + x * x, c3 + x * t
                x = np.float64(d[i])
                d1, d2, d3 = d1 + x, d2 + x * x, d3 + x * t
            one[j], one[j + 1], one[j + 2], one[j + 3] = a1, b1, c1, d1
            two[j], two[j + 1], two[j + 2], two[j + 3] = a2, b2, c2, d2
            dot[j], dot[j + 1], dot[j + 2], dot[j + 3] = a3, b3, c3, d3
    for j in range(done, k):
        a1 = a2 = a3 = 0.0
        for i in range(n):
            x = np.float64(X[i, j])
            a1, a2, a3 = a1 + x, a2 + x * x, a3 + x * z[i]
        one[j], two[j], dot[j] = a1, a2, a3


@jit
def first_pass_dense(X: Any, z: Any, centre: bool) -> Any:
    n, k = X.shape
    means, norms, u = np.zeros(k), np.zeros(k), np.zeros(k)
    _sums(X, z, means, norms, u)
    if not centre:
        means[:] = 0.0
        return means, norms, u
    total_z = np.sum(z)
    for j in range(k):
        two = norms[j]
        m = means[j] = means[j] / n
        norms[j] -= n * m * m
        u[j] -= m * total_z
        if norms[j] < 1e-3 * two:  # cancellation: once more, about the mean
            two = extra = 0.0
            for i in range(n):
                x = np.float64(X[i, j]) - m
                extra += x
                two += x * x
            norms[j] = two - extra * extra / n
            if norms[j] <= n * (m * 2.0**-50) ** 2:
                norms[j] = 0.0  # a constant column: what is left is rounding
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
def unfold(half: Any, unit: Any, G: Any) -> None:
    # Both triangles of G from the lower one, row i and column i times unit_i; in squares that fit the cache
    K, side = half.shape[0], 64
    for top in range(0, K, side):
        for left in range(0, top + 1, side):
            for i in range(top, min(top + side, K)):
                row, mine = half[i], unit[i]
                for j in range(left, min(left + side, i + 1)):
                    product = row[j] * mine * unit[j]
                    G[i, j] = product
                    G[j, i] = product


@jit
def dots_dense(X: Any, m: Any, cols: Any, r: Any, out: Any) -> None:
    n, size, total = r.size, cols.size, np.sum(r)
    done = 0
    if n >= LONG:
        done = size - size % 4
        for k in range(0, done, 4):
            a, b, c, d = X[:, cols[k]], X[:, cols[k + 1]], X[:, cols[k + 2]], X[:, cols[k + 3]]
            of_a = of_b = of_c = of_d = 0.0
            for i in range(n):
                t = r[i]
                of_a += np.float64(a[i]) * t
                of_b += np.float64(b[i]) * t
                of_c += np.float64(c[i]) * t
                of_d += np.float64(d[i]) * t
            out[k], out[k + 1], out[k + 2], out[k + 3] = of_a, of_b, of_c, of_d
    for k in range(done, size):
        j = cols[k]
        dot = 0.0
        for i in range(n):
            dot += np.float64(X[i, j]) * r[i]
        out[k] = dot
    for k in range(size):
        out[k] -= m[cols[k]] * total


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
def gram_sparse(
    data: Any, indices: Any, indptr: Any, by_row: Any, cols: Any, starts: Any, qqm: Any, m: Any, out: Any
) -> None:
    # The same for all columns of B: half of the products, and copies of them
    at = starts[:-1].copy()  # of each row the entry in column j or later, for j rises
    for j in range(m.size):
        row = out[j]
        for k in range(j, m.size):
            row[k] = -qqm[j] * m[k]
        for e in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
            a, i = data[e], np.uint64(indices[e])
            for d in range(np.uint64(at[i]), np.uint64(starts[i + np.uint64(1)])):
                row[np.uint64(cols[d])] += a * by_row[d]
            at[i] += 1
    for j in range(m.size):
        for k in range(j):
            out[j, k] = out[k, j]


@jit
def shared_rows(indices: Any, indptr: Any, cols: Any, n: int) -> float:
    # Multiplications in the Gram matrix of these columns: sum over the rows of (entries in the row)^2
    count = np.zeros(n, dtype=np.int64)
    for j in cols:
        for e in range(np.uint64(indptr[j]), np.uint64(indptr[j + 1])):
            count[np.uint64(indices[e])] += 1
    total = 0.0
    for c in count:
        total += c * c
    return total


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
    n, shift = r.size, 0.0
    used = np.flatnonzero(w)
    for each in used:
        shift += w[each] * m[cols[each]]
    done = used.size - used.size % 4
    for k in range(0, done, 4):  # so that r is read and written a fourth as often
        e, f, g, h = used[k], used[k + 1], used[k + 2], used[k + 3]
        a, b, c, d = X[:, cols[e]], X[:, cols[f]], X[:, cols[g]], X[:, cols[h]]
        wa, wb, wc, wd = w[e], w[f], w[g], w[h]
        for i in range(n):
            r[i] -= (
                wa * np.float64(a[i]) + wb * np.float64(b[i]) + wc * np.float64(c[i]) + wd * np.float64(d[i])
            )
    for last in used[done:]:
        j, wj = cols[last], w[last]
        for i in range(n):
            r[i] -= wj * np.float64(X[i, j])
    if shift != 0.0:
        for i in range(n):
            r[i] += shift


@jit
def products_dense(X: Any, m: Any, cols: Any, found: Any, out: Any) -> None:
    # The sum over cols of w a_j for each row w of found, into the rows of out; four columns at a time
    n, size = X.shape[0], cols.size
    done = size - size % 4
    for b in range(out.shape[0]):
        shift = 0.0
        for c in range(size):
            shift += found[b, c] * m[cols[c]]
        out[b] = -shift
    for lo in range(0, n, PIECE):
        hi = min(lo + PIECE, n)
        for c in range(0, done, 4):
            p, q = X[lo:hi, cols[c]], X[lo:hi, cols[c + 1]]
            r, s = X[lo:hi, cols[c + 2]], X[lo:hi, cols[c + 3]]
            for b in range(out.shape[0]):
                to = out[b, lo:hi]
                e, f, g, h = found[b, c], found[b, c + 1], found[b, c + 2], found[b, c + 3]
                for i in range(to.size):
                    to[i] += e * p[i] + f * q[i] + g * r[i] + h * s[i]
        for c in range(done, size):
            p = X[lo:hi, cols[c]]
            for b in range(out.shape[0]):
                to, e = out[b, lo:hi], found[b, c]
                for i in range(to.size):
                    to[i] += e * p[i]


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
def gather_dense(X: Any, m: Any, cols: Any, places: Any, lo: int, A: Any) -> None:
    # Column cols[c] of X, centred, into column places[c] of A: from row lo on as many rows as A has
    for c in range(cols.size):
        j = cols[c]
        column, to = X[lo : lo + A.shape[0], j], A[:, places[c]]
        shift = m[j]
        for i in range(to.size):
            to[i] = np.float64(column[i]) - shift


@jit
def gather_rounded(X: Any, m: Any, scale: Any, cols: Any, places: Any, lo: int, A: Any) -> None:
    # As gather_dense, each column by its scale, rounded to float32
    for c in range(cols.size):
        j = cols[c]
        column, to = X[lo : lo + A.shape[0], j], A[:, places[c]]
        shift, unit = m[j], scale[j]
        for i in range(to.size):
            to[i] = np.float32((np.float64(column[i]) - shift) * unit)


@jit
def _moved(g: float, c: int, norms: Any, lam1: Any, lam2: Any, positive: bool, w: Any) -> float:
    # w_c to its minimum, where a_c'r = g; returns by how much it moved
    if norms[c] == 0.0:
        return 0.0
    old = w[c]
    w[c] = prox(g + norms[c] * old, norms[c], lam1[c], lam2[c], positive)
    return float(w[c] - old)


@jit
def sweep_dense(
    X: Any, m: Any, cols: Any, norms: Any, lam1: Any, lam2: Any, positive: bool, w: Any, r: Any
) -> float:
    # As _kernels.sweep_dense with the means apart: the residual is r + t, t = m'w's change since entry.
    # Four columns at a time, in order: one loop takes their products with r, and with each other, by which
    # the later ones then know what the earlier ones have moved. To read four columns side by side takes half
    # the time of one after another from where memory is slow, and r is read and written once for four.
    n = r.size
    largest = 0.0
    t = -np.sum(r) / n if np.any(m != 0.0) else 0.0  # rounding, but means multiply it
    done = cols.size - cols.size % 4
    for k in range(0, done, 4):
        a, b, c, d = X[:, cols[k]], X[:, cols[k + 1]], X[:, cols[k + 2]], X[:, cols[k + 3]]
        of_a = of_b = of_c = of_d = ab = ac = ad = bc = bd = cd = 0.0
        for i in range(n):
            at_a, at_b, at_c, at_d = np.float64(a[i]), np.float64(b[i]), np.float64(c[i]), np.float64(d[i])
            of_a += at_a * r[i]
            of_b += at_b * r[i]
            of_c += at_c * r[i]
            of_d += at_d * r[i]
            ab += at_a * at_b
            ac += at_a * at_c
            ad += at_a * at_d
            bc += at_b * at_c
            bd += at_b * at_d
            cd += at_c * at_d
        m_a, m_b, m_c, m_d = m[cols[k]], m[cols[k + 1]], m[cols[k + 2]], m[cols[k + 3]]
        # r + t, less a's move, less b's, ...: what it is off by along a mean, before and after
        one = _moved(of_a + n * m_a * t, k, norms, lam1, lam2, positive, w)
        t += one * m_a
        two = _moved(of_b - one * ab + n * m_b * t, k + 1, norms, lam1, lam2, positive, w)
        t += two * m_b
        three = _moved(of_c - one * ac - two * bc + n * m_c * t, k + 2, norms, lam1, lam2, positive, w)
        t += three * m_c
        of_d -= one * ad + two * bd + three * cd
        four = _moved(of_d + n * m_d * t, k + 3, norms, lam1, lam2, positive, w)
        t += four * m_d
        if one != 0.0 or two != 0.0 or three != 0.0 or four != 0.0:
            for i in range(n):
                r[i] -= (one * np.float64(a[i]) + two * np.float64(b[i])) + (
                    three * np.float64(c[i]) + four * np.float64(d[i])
                )
            largest = max(largest, one * one * norms[k], two * two * norms[k + 1])
            largest = max(largest, three * three * norms[k + 2], four * four * norms[k + 3])
    for k in range(done, cols.size):
        j = cols[k]
        g = n * m[j] * t
        for i in range(n):
            g += np.float64(X[i, j]) * r[i]
        one = _moved(g, k, norms, lam1, lam2, positive, w)
        if one != 0.0:
            for i in range(n):
                r[i] -= one * np.float64(X[i, j])
            t += one * m[j]
            largest = max(largest, one * one * norms[k])
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
    slack: Any, reach: Any, steps: int, patient: bool, d: Any, fit: Any,
) -> Any:  # fmt: skip
    # _residual_face.newton_direction for sparse columns: d and fit are filled. Returns whether it arrived,
    # whether it was slow, and the steps taken: unless patient, slow as soon as at the rate so far more steps
    # than `steps` would be left. A step is so short that calls for each product would take as long again.
    size = b.size
    left, direction = b.copy(), b / diagonal
    image, curvature = np.empty(q.size), np.empty(size)
    rho = 0.0
    for a in range(size):
        rho += left[a] * direction[a]
    first = 0.0
    for step in range(steps):
        worst = 0.0
        for a in range(size):
            worst = max(worst, abs(left[a]) / slack[a])
        if worst <= 1.0:
            return True, False, step
        first = max(first, worst)
        if not patient and step >= TRIED and step * np.log(worst) > steps * np.log(first / worst):
            return False, True, step
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
