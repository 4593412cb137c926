"""The lasso or elastic net on a Gram matrix: descent while signs change, then an exact active-set method.

    (GRAM)  min over w:  1/2 w'G w - c'w + sum_j ( lam1_j |w_j| + lam2_j/2 w_j^2 )        [w >= 0]

Everything works on g = c - G w, which the caller renews from the true residual: that makes the outer
iteration one of iterative refinement, and the Gram matrix's own rounding harmless.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._kernels import jit, prox
from .problem import Vector

SINGULAR = 1e-11  # a pivot below this, against its diagonal, is taken for a linear dependence
FAR = 1e6  # a dependence is rounding where the way to a corner is so many times the size of the solution,
# as it was at the first of them: else each might go so many times farther than the last
ROUNDED = 1e-4  # a pivot below this is in doubt where G was rounded to float32


@jit
def descend(
    G: Any, K: int, g: Any, w: Any, lam1: Any, lam2: Any, positive: bool, sweeps: int, enough: float
) -> bool:
    # Coordinate descent until no sign has changed in two sweeps, or the largest move (dw_j^2 G_jj) is
    # `enough` (then True). A coordinate that stays costs O(1), one that moves O(K).
    settled = 0
    for _ in range(sweeps):
        largest = 0.0
        flips = 0
        for j in range(K):
            curvature = G[j, j]
            if curvature == 0.0:
                continue
            old = w[j]
            new = prox(g[j] + curvature * old, curvature, lam1[j], lam2[j], positive)
            d = new - old
            if d != 0.0:
                w[j] = new
                row = G[j]
                for i in range(K):
                    g[i] -= d * row[i]
                largest = max(largest, d * d * curvature)
                if new == 0.0 or old == 0.0 or (new > 0.0) != (old > 0.0):
                    flips += 1
        if largest <= enough:
            return True
        settled = settled + 1 if flips == 0 else 0
        if settled == 2:
            return False
    return False


@jit
def newton_system(
    G: Any, F: Any, g: Any, w: Any, lam1: Any, lam2: Any, slack: Any, H: Any, diagonal: Any, b: Any, sign: Any
) -> bool:
    # Upper triangle of G_FF + diag(lam2) into H, its diagonal, and the gradient b on the face, where the
    # signs are those of w, or of g where w_j = 0. False if that gradient is within `slack` already
    left = False
    for a in range(F.size):
        j = F[a]
        sign[a] = np.sign(w[j]) if w[j] != 0.0 else np.sign(g[j])
        b[a] = g[j] - lam1[j] * sign[a] - lam2[j] * w[j]
        left |= abs(b[a]) > slack[j]
    if left:
        for a in range(F.size):
            row = G[F[a]]
            diagonal[a] = H[a, a] = row[F[a]] + lam2[F[a]]
            for c in range(a + 1, F.size):
                H[a, c] = row[F[c]]
    return left


@jit
def projected_step(
    G: Any, K: int, F: Any, g: Any, w: Any, d: Any, sign: Any, lam1: Any, lam2: Any, positive: bool
) -> bool:
    # w_F moves by d, projected on the orthant of its signs; by half, a quarter, an eighth of it where that
    # does not lower the objective. False if none does; w and g are changed
    new, delta, image = np.empty(F.size), np.empty(F.size), np.empty(K)
    t = 1.0
    for _ in range(4):
        image[:] = 0.0
        for a in range(F.size):
            j = F[a]
            new[a] = w[j] + t * d[a]
            if new[a] * sign[a] < 0.0 and (lam1[j] > 0.0 or positive):
                new[a] = 0.0
            step = delta[a] = new[a] - w[j]
            if step != 0.0:
                row = G[j]
                for i in range(K):
                    image[i] += step * row[i]
        change = 0.0
        for a in range(F.size):
            j, step = F[a], delta[a]
            change += step * (0.5 * (image[j] + lam2[j] * step) - g[j] + lam2[j] * w[j])
            change += lam1[j] * (abs(new[a]) - abs(w[j]))
        if change < 0.0:
            for a in range(F.size):
                w[F[a]] = new[a]
            for i in range(K):
                g[i] -= image[i]
            return True
        t *= 0.5
    return False


# Slices, and loops from 0: an index that numba cannot prove to be >= 0 is checked, and nothing is vectorised.


@jit
def _forward(U: Any, f: int, b: Any) -> None:
    # b <- U'^-1 b
    for i in range(f):
        b[i] /= U[i, i]
        t = b[i]
        row, rest = U[i, i + 1 : f], b[i + 1 : f]
        for k in range(rest.size):
            rest[k] -= row[k] * t


@jit
def forward_block(U: Any, V: Any) -> None:
    # V <- U'^-1 V
    for i in range(U.shape[0]):
        row = V[i]
        for c in range(row.size):
            row[c] /= U[i, i]
        for k in range(i + 1, U.shape[0]):
            t, other = U[i, k], V[k]
            for c in range(row.size):
                other[c] -= t * row[c]


@jit
def _backward(U: Any, f: int, b: Any) -> None:
    # b <- U^-1 b
    for i in range(f - 1, -1, -1):
        t = b[i]
        row, rest = U[i, i + 1 : f], b[i + 1 : f]
        for k in range(rest.size):
            t -= row[k] * rest[k]
        b[i] = t / U[i, i]


@jit
def _delete(U: Any, f: int, q: int) -> None:
    # Cholesky factor without row and column q: columns move left, Givens rotations restore the triangle
    for i in range(q):
        row = U[i, q:f]
        for k in range(row.size - 1):
            row[k] = row[k + 1]
    carried = U[q, q + 1 : f].copy()
    for i in range(q, f - 1):
        up, low, x = U[i, i : f - 1], U[i + 1, i + 1 : f], carried[i - q :]
        a, b = x[0], low[0]
        h = np.sqrt(a * a + b * b)
        c, s = a / h, b / h
        for k in range(low.size):
            up[k] = c * x[k] + s * low[k]
            x[k] = c * low[k] - s * x[k]


@jit
def leave(U: Any, F: Any, sign: Any, f: int, gone: Any) -> int:
    # The face without the columns at these places of F, rising; returns its size
    for c in range(gone.size - 1, -1, -1):
        q = gone[c]
        _delete(U, f, q)
        f -= 1
        for a in range(q, f):
            F[a], sign[a] = F[a + 1], sign[a + 1]
    return f


@jit
def to_minimum(
    U: Any, F: Any, sign: Any, where: Any, f: int, b: Any, d: Any, w: Any, lam1: Any, positive: bool
) -> int:
    # w_F to the minimum of its face, whose gradient is b; columns that reach zero on the way leave. Returns
    # the columns that are left; b is then what is left of it. `where`, if any, are the places in F; d is work
    while f > 0:
        for a in range(f):
            d[a] = b[a]
        _forward(U, f, d)
        _backward(U, f, d)
        t, hit = 1.0, -1
        for a in range(f):
            j = F[a]
            if lam1[j] == 0.0 and not positive:
                continue  # no corner at zero
            if (w[j] + d[a]) * sign[a] <= 0.0 and (d[a] * sign[a] < 0.0):
                ta = -w[j] / d[a]
                if ta < t:
                    t, hit = ta, a
        for a in range(f):
            w[F[a]] += t * d[a]
            b[a] *= 1.0 - t
        if hit < 0:
            break
        w[F[hit]] = 0.0
        f = _leaves(U, F, sign, where, f, hit, b)
    return f


@jit
def _leaves(U: Any, F: Any, sign: Any, where: Any, f: int, hit: int, b: Any) -> int:
    # The face without its column at place `hit`, and b without its entry; returns its size
    if where.size:
        where[F[hit]] = -1
    _delete(U, f, hit)
    for a in range(hit, f - 1):
        F[a], sign[a], b[a] = F[a + 1], sign[a + 1], b[a + 1]
        if where.size:
            where[F[a]] = a
    return f - 1


@jit
def enter(
    U: Any, F: Any, sign: Any, where: Any, f: int, own: Any, d: Any, j: int, s: float, norms_sq: Any,
    w: Any, lam1: Any, lam2: Any, positive: bool, rounded: bool, reach: float,
) -> Any:  # fmt: skip
    # Column j enters with sign s; `own` are its products with the face, d is work. Where it depends on the
    # face's columns it moves with them, the fit as it is and the penalty falling, until one of them leaves.
    # Returns the size of the face; 1 if it has entered, 0 if no column leaves, for then it violates by
    # rounding, -1 if the columns are `rounded` and it is open whether it depends; and the `reach` of moves
    # along dependences, 0 before the first
    whole = norms_sq[j] + lam2[j]
    while True:
        for a in range(f):
            d[a] = own[a]
        _forward(U, f, d)
        pivot = whole
        for a in range(f):
            pivot -= d[a] * d[a]
        if rounded and pivot <= ROUNDED * whole:
            return f, -1, reach
        if pivot > SINGULAR * whole:
            for a in range(f):
                U[a, f] = d[a]
            U[f, f] = np.sqrt(pivot)
            F[f], sign[f] = j, s
            if where.size:
                where[j] = f
            return f + 1, 1, reach
        _backward(U, f, d)  # x_j is the combination d of the face's columns
        t, hit = np.inf, -1
        size = abs(w[j]) * np.sqrt(norms_sq[j])
        for a in range(f):
            i = F[a]
            size += abs(w[i]) * np.sqrt(norms_sq[i])
            da = -s * d[a]
            if (lam1[i] > 0.0 or positive) and da * sign[a] < 0.0:
                ta = -w[i] / da
                if ta < t:
                    t, hit = ta, a
        if reach == 0.0:
            reach = FAR * size
        if hit < 0 or t * np.sqrt(norms_sq[j]) > reach:
            return f, 0, reach  # depends on unpenalised columns alone
        for a in range(f):
            w[F[a]] -= t * s * d[a]
        w[j] += t * s
        w[F[hit]] = 0.0
        f = _leaves(U, F, sign, where, f, hit, own)


@jit
def polish(
    G: Any, K: int, g: Any, w: Any, lam1: Any, lam2: Any, positive: bool,
    U: Any, F: Any, sign: Any, where: Any, f: int, slack: Any, steps: int, refine: bool, rounded: bool,
) -> int:  # fmt: skip
    # Active-set method from the face F (f columns with signs, U'U = G_FF + lam2):
    # minimise on the face; a column that reaches zero leaves; once at the face's minimum, the worst
    # violators enter. A linearly dependent entrant moves along the null direction (the fit stays, the
    # penalty falls) until another column leaves. Violations up to `slack` are rounding. With
    # `refine` g is renewed at the end, and the face solved once more. Returns f; -1 where G is
    # `rounded` and that leaves open whether an entrant is dependent; U is float32 then, and the equations
    # of the face are solved again until what is left of them is a tenth of the worst violation.
    b, d, own = np.empty(U.shape[0]), np.empty(U.shape[0]), np.empty(U.shape[0])
    norms_sq = np.empty(K)
    for j in range(K):
        norms_sq[j] = G[j, j]
    last = w[:K].copy()  # w at the last g
    start, base = w[:K].copy(), g[:K].copy()  # w when g was last renewed, and g then
    e = np.empty(K)
    barred = np.zeros(K, dtype=np.bool_)  # violate by rounding alone
    renewed = again = 0
    reach = 0.0  # how far one may go along a dependence
    for _ in range(steps):
        # ---- to the minimum of the face
        for a in range(f):
            j = F[a]
            b[a] = g[j] - lam1[j] * sign[a] - lam2[j] * w[j]
        f = to_minimum(U, F, sign, where, f, b, d, w, lam1, positive)
        # ---- g at the new point: on the face its equations say it, where U is exact enough
        moved = 0
        for j in range(K):
            e[j] = w[j] - last[j]
            moved += e[j] != 0.0
            last[j] = w[j]
        if moved < K - f:  # by the columns that moved, else by the rows outside the face
            for j in range(K):
                if e[j] != 0.0:
                    row = G[j]
                    for i in range(K):
                        g[i] -= e[j] * row[i]
        for j in range(K):
            a = where[j]
            if a >= 0 and not rounded:
                g[j] = b[a] + lam1[j] * sign[a] + lam2[j] * w[j]
            elif moved >= K - f and G[j, j] > 0.0:
                row = G[j]
                t = 0.0
                for i in range(K):
                    t += row[i] * e[i]
                g[j] -= t
        # ---- who enters
        worst = 0.0
        for j in range(K):
            if where[j] < 0 and G[j, j] > 0.0 and not barred[j]:
                over = (g[j] if positive else abs(g[j])) - lam1[j]
                if over > slack[j]:
                    worst = max(worst, over * over / G[j, j])
        if rounded and again < 3:
            left = 0.0
            for a in range(f):
                j = F[a]
                over = g[j] - lam1[j] * sign[a] - lam2[j] * w[j]
                if abs(over) > slack[j]:
                    left = max(left, over * over / G[j, j])
            if left > 0.01 * worst:
                again += 1
                continue
        again = 0
        if worst == 0.0:
            if not refine or moved == 0 or renewed == 1:
                return f
            renewed += 1  # once more from the renewed g: a step of iterative refinement
            for j in range(K):
                g[j] = base[j]
            for j in range(K):
                t = w[j] - start[j]
                if t != 0.0:
                    row = G[j]
                    for i in range(K):
                        g[i] -= t * row[i]
            start[:] = w[:K]
            base[:] = g[:K]
            continue
        renewed = 0
        room = 1 + f // 16
        for j in range(K):
            if room == 0:
                break
            if where[j] >= 0 or G[j, j] == 0.0 or barred[j]:
                continue
            over = (g[j] if positive else abs(g[j])) - lam1[j]
            if over <= slack[j] or over * over < 0.25 * worst * G[j, j]:
                continue
            s = 1.0 if g[j] > 0.0 else -1.0
            for a in range(f):
                own[a] = G[j, F[a]]
            f, entered, reach = enter(
                U, F, sign, where, f, own, d, j, s, norms_sq, w, lam1, lam2, positive, rounded, reach
            )
            if entered < 0:
                return -1
            barred[j] = entered == 0
            room -= 1
    return f


@jit
def follow(
    G: Any, K: int, g: Any, w: Any, lam1s: Any, lam2: Any, positive: bool,
    U: Any, F: Any, sign: Any, where: Any, f: int, slack: Any, steps: int, found: Any,
) -> int:  # fmt: skip
    # polish for each row of lam1s in turn; the coefficients into the rows of found
    for b in range(lam1s.shape[0]):
        f = polish(G, K, g, w, lam1s[b], lam2, positive, U, F, sign, where, f, slack, steps, False, False)
        for j in range(K):
            found[b, j] = w[j]
    return f


@jit
def scaled(G: Any, F: Any, lam2: Any, unit: Any, H: Any) -> None:
    # G_FF + diag(lam2) with a unit diagonal, into H
    for a in range(F.size):
        unit[a] = 1.0 / np.sqrt(G[F[a], F[a]] + lam2[F[a]])
    for a in range(F.size):
        row = G[F[a]]
        for c in range(F.size):
            H[a, c] = row[F[c]] * unit[a] * unit[c]
        H[a, a] = 1.0


@jit
def spread(flat: Any, f: int, now: int, then: int) -> None:
    # The upper triangle of f rows, from a row length of `now` to a greater one, in place: from the last on
    for i in range(f - 1, -1, -1):
        for c in range(f - 1, i - 1, -1):
            flat[i * then + c] = flat[i * now + c]


def packed(U: Vector, f: int) -> Vector:
    """The first memory of U as a matrix of f columns, where LAPACK can work in place: (f, f)."""
    return U.reshape(-1)[: f * f].reshape(f, f)


def face(G: Vector, K: int, g: Vector, w: Vector, lam2: Vector, U: Vector, F: Any, rounded: bool) -> int:
    """Cholesky factor of G_FF + diag(lam2) for the support of w into U, its places into F; returns its size.

    By complete pivoting, scaled by the diagonal. Where it is singular, columns that depend on the others are
    set to zero (w and g are changed). Returns -1 instead if G is rounded, and so whether they do is open.
    """
    from scipy.linalg.lapack import dpstrf, spstrf

    support = np.flatnonzero(w[:K])
    unit = np.empty(support.size)
    H = packed(U, support.size)
    scaled(G, support, lam2, unit, H)
    pstrf = dpstrf if H.dtype == np.float64 else spstrf
    _, order, f, _ = pstrf(H.T, lower=1, tol=ROUNDED if rounded else SINGULAR, overwrite_a=1)
    if rounded and f < support.size:
        return -1
    kept, out = order[:f] - 1, order[f:] - 1
    H[:f, :f] /= unit[kept].astype(H.dtype)
    spread(U.reshape(-1), f, support.size, U.shape[0])
    F[:f] = support[kept]
    g[:K] += G[:K, support[out]] @ w[support[out]]
    w[support[out]] = 0.0
    return int(f)
