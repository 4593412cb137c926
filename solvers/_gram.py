"""The lasso or elastic net on a Gram matrix: descent until the signs settle, then Newton steps on their face.

    min over w:  1/2 w'G w - c'w + sum_j ( lam1_j |w_j| + lam2_j/2 w_j^2 )        [w >= 0]

Everything works on g = c - G w, which the caller may renew from the true residual: that makes the outer
iteration one of iterative refinement, and the Gram matrix's own rounding harmless.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from ._kernels import jit, prox
from .problem import Vector

EPS = 2.0**-52


@jit
def descend(
    G: Any, K: int, g: Any, w: Any, lam1: Any, lam2: Any, positive: bool, sweeps: int, enough: float
) -> float:
    # Sweeps until no sign has changed in two of them, or the largest move (dw_j^2 G_jj) is `enough`.
    # Returns that largest move. A coordinate that stays costs O(1), one that moves O(K).
    settled = 0
    largest = 0.0
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
        settled = settled + 1 if flips == 0 else 0
        if largest <= enough or settled == 2:
            break
    return largest


@jit
def _face_change(H: Any, gF: Any, w: Any, e: Any, lam1: Any, lam2: Any) -> float:
    # Change of the objective by the step e on the face's columns
    total = 0.0
    for i in range(e.size):
        quad = 0.0
        for j in range(e.size):
            quad += H[i, j] * e[j]
        new = w[i] + e[i]
        total += e[i] * (0.5 * quad - gF[i])
        total += lam1[i] * (abs(new) - abs(w[i])) + 0.5 * lam2[i] * (new - w[i]) * (new + w[i])
    return total


def newton_on_face(G: Vector, K: int, g: Vector, w: Vector, lam1: Vector, lam2: Vector) -> tuple[bool, float]:
    """One Newton step on the face of the current signs; coordinates that would cross zero stop there.

    Returns
    -------
    full : bool
        Whether no coordinate crossed: the step is then the exact minimiser on the face.
    decrease : float
        Decrease of the objective, >= 0.
    """
    F = np.flatnonzero(w[:K])
    if F.size == 0:
        return True, 0.0
    H = G[np.ix_(F, F)]
    wF, gF, l1, l2 = w[F], g[F], lam1[F], lam2[F]
    d = _solve(H, l2, gF - l1 * np.sign(wF) - l2 * wF)
    crosses = (wF + d) * wF <= 0
    crosses &= l1 > 0  # an unpenalised or ridge column has no corner at zero
    e, full = d, True
    if crosses.any():
        full = False
        first = float(np.min(-wF[crosses] / d[crosses]))
        t = 1.0
        while True:  # the projected step if it descends, else as far as the first crossing
            e = np.where((wF + t * d) * wF <= 0, -wF, t * d) if t > first else first * d
            e = np.where(l1 > 0, e, min(t, 1.0) * d)
            if t <= first:
                e[crosses & (-wF / np.where(d == 0, 1.0, d) <= first * (1 + 4 * EPS))] *= 1.0
                hit = crosses & (np.abs(wF + first * d) <= 4 * EPS * np.abs(wF))
                e[hit] = -wF[hit]
                break
            if _face_change(H, gF, wF, e, l1, l2) < 0:
                break
            t = max(t / 4, first)
    change = _face_change(H, gF, wF, e, l1, l2)
    if change > 0:  # rounding: already at the minimum of this face
        return full, 0.0
    w[F] = np.where(e == -wF, 0.0, wF + e)
    g[:K] -= G[:K, F] @ e if F.size < K else G[:K, :K] @ e
    return full, -change


def _solve(H: Vector, lam2: Vector, rhs: Vector) -> Vector:
    """Solve (H + diag lam2) d = rhs; where it is singular, a proximal step with the least shift that factors."""
    A = np.array(H, order="F")
    diagonal = np.diagonal(H) + lam2
    shift = 0.0
    while True:
        A[:] = H
        np.fill_diagonal(A, diagonal * (1.0 + shift))
        L, info = dpotrf(A, lower=1, overwrite_a=1, clean=0)
        if info == 0:
            pivots = np.diagonal(L) ** 2
            if shift > 0 or np.all(pivots > 16 * EPS * diagonal):
                d, _ = dpotrs(L, rhs, lower=1)
                return np.asarray(d)
        shift = max(100 * shift, 1e-13 * diagonal.size)
