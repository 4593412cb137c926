"""Which columns are read again, and which join the working set: one fused pass over vectors of length k.

    |a_j'theta| <= |a_j'theta_old| + ||a_j|| ||theta - theta_old||        [fercoq2015]

A column whose right-hand side is below lam1_j is feasible without being read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._kernels import jit

NEAR = 0.7  # of its bound: a column from there on may be taken into the working set ahead of its time


@jit
def undecided(
    u: Any, norms: Any, shift: Any, stamp: Any, lam1: Any, positive: bool, must: Any, every: Any, alive: int
) -> Any:
    # Columns whose a_j'theta has to be computed: `must`, and those that the bound does not settle; `every`
    # column if that is all that are `alive`: the others have norm 0.
    # stamp_j numbers the residual that u_j belongs to, shift[i] = ||theta - residual i||
    k = u.size
    size = 0
    for j in range(k):
        a = u[j] if positive else abs(u[j])
        size += norms[j] > 0.0 and (must[j] or a + norms[j] * shift[stamp[j]] > lam1[j])
    if size == alive:
        return every
    out = np.empty(size, dtype=np.intp)
    size = 0
    for j in range(k):
        a = u[j] if positive else abs(u[j])
        if norms[j] > 0.0 and (must[j] or a + norms[j] * shift[stamp[j]] > lam1[j]):
            out[size] = j
            size += 1
    return out


@jit
def overrun(u: Any, lam1: Any) -> Any:
    # The largest |u_j| / lam1_j, and how many are above 1; where lam1_j = 0 there is none
    top, above = 0.0, 0
    for j in range(u.size):
        if lam1[j] > 0.0:
            ratio = abs(u[j]) / lam1[j]
            top = max(top, ratio)
            above += ratio > 1.0
    return top, above


@jit
def between(
    U: Any, old: Any, last: Any, shares: Any, norms: Any, off: Any,
    lam1: Any, factors: Any, positive: bool, must: Any, dead: Any,
) -> Any:  # fmt: skip
    # Fill U (k, B), but for its last column, with shares of old and of last, which are right up to
    # norms_j off_b, and return the columns for which that leaves open whether they are beyond
    # factors_b lam1_j; and `must`
    k, size = U.shape
    open_ = must.copy()
    for b in range(size - 1):
        here, s, t = U[:, b], shares[0, b], shares[1, b]
        for j in range(k):
            u = s * old[j] + t * last[j]
            here[j] = u
            if (u if positive else abs(u)) + norms[j] * off[b] > factors[b] * lam1[j]:
                open_[j] = True
    U[:, size - 1] = last
    for j in range(k):
        if dead[j]:
            open_[j] = False
    return np.flatnonzero(open_)


@jit
def candidates(u: Any, norms: Any, lam1: Any, kappa: float, positive: bool, inside: Any, dead: Any) -> Any:
    # Columns outside the working set that violate or come near, with their excess over kappa lam1 in
    # units of the column; and the number of violators
    k = u.size
    out = np.empty(k, dtype=np.intp)
    excess = np.empty(k)
    size = violators = 0
    for j in range(k):
        if inside[j] or dead[j]:
            continue
        a = u[j] if positive else abs(u[j])
        bound = kappa * lam1[j]
        if a > NEAR * bound:
            out[size] = j
            excess[size] = (a - bound) / norms[j]
            size += 1
            if a > bound:
                violators += 1
    return out[:size], excess[:size], violators


@jit
def best_scale(u: Any, cols: Any, lam1: Any, lam2: Any, w: Any, free: Any, positive: bool) -> float:
    # Largest alpha <= 1 with alpha |u_j - lam2_j w_j| <= lam1_j: the scaling of the augmented lasso
    alpha = 1.0
    for c in range(cols.size):
        j = cols[c]
        if free[j]:
            continue
        t = u[j] - lam2[j] * w[j]
        a = t if positive else abs(t)
        if alpha * a > lam1[j]:
            alpha = lam1[j] / a
    return alpha


@jit
def penalty_terms(u: Any, cols: Any, lam1: Any, lam2: Any, w: Any, free: Any, alpha: float) -> float:
    # sum over the support of the Fenchel-Young terms, docs/maths.md (GAP), each >= 0 as computed
    total = 0.0
    for c in range(cols.size):
        j = cols[c]
        if free[j] or w[j] == 0.0:
            continue
        a = abs(w[j])
        t = u[j] - lam2[j] * w[j]
        if w[j] < 0.0:
            t = -t
        term = a * (lam1[j] - alpha * t) + 0.5 * (1.0 - alpha) * (1.0 - alpha) * lam2[j] * a * a
        total += max(term, 0.0)
    return total


@jit
def scales_and_terms(
    U: Any, cols: Any, lam1: Any, factors: Any, lam2: Any, W: Any, found: Any, caps: Any,
    free: Any, positive: bool,
) -> Any:  # fmt: skip
    # best_scale (at most caps_b) and penalty_terms for every column of U (k, B), at penalties factors_b
    # lam1; for all but the last, the columns of A that are not in `cols` are known to be feasible
    k, size = U.shape
    alphas, terms = np.empty(size), np.empty(size)
    w = np.zeros(k)
    every = np.arange(k)
    for b in range(size):
        for a in range(W.size):
            w[W[a]] = found[b, a]
        here = factors[b] * lam1
        some = cols if b < size - 1 else every
        alphas[b] = min(best_scale(U[:, b], some, here, lam2, w, free, positive), caps[b])
        terms[b] = penalty_terms(U[:, b], W, here, lam2, w, free, alphas[b])
    return alphas, terms


def gaps(
    U: Any, cols: Any, lam1: Any, factors: Any, lam2: Any, W: Any, found: Any,
    theta_sq: Any, z_theta: Any, more: Any, free: Any, positive: bool,
) -> Any:  # fmt: skip
    """Duality gaps of (SF), docs/maths.md (GAP), at penalties factors_b lam1: (B,).

    Parameters
    ----------
    U : (k, B) array
        A'theta at each point.
    cols : int array
        Columns that may be infeasible at a point other than the last.
    lam1, lam2 : (k,) arrays
    factors : (B,) array
    W : (K,) array
        Columns that found has coefficients of.
    found : (B, K) array
    theta_sq, z_theta, more : (B,) arrays
        ||theta||^2 and z'theta, and what else adds to the gap.
    free : (k,) array
    positive : bool
    """
    tt = theta_sq + found**2 @ lam2[W]
    caps = np.divide(np.maximum(z_theta, 0.0), tt, out=np.ones_like(tt), where=tt > 0)
    alphas, terms = scales_and_terms(U, cols, lam1, factors, lam2, W, found, caps, free, positive)
    return 0.5 * (1 - alphas) ** 2 * theta_sq + terms + more


@jit
def block_candidates(
    U: Any,
    first: int,
    lam1: Any,
    factors: Any,
    norms: Any,
    positive: bool,
    inside: Any,
    dead: Any,
    near: float,
) -> Any:
    # Columns outside the working set that violate, or come near, at one of the points from `first` on;
    # their largest excess over the bound, in units of the column
    k, size = U.shape
    out = np.empty(k, dtype=np.intp)
    excess = np.empty(k)
    count = 0
    for j in range(k):
        if inside[j] or dead[j]:
            continue
        worst = -np.inf
        for b in range(first, size):
            c = U[j, b] if positive else abs(U[j, b])
            bound = factors[b] * lam1[j]
            if c > near * bound:
                worst = max(worst, (c - bound) / norms[j])
        if worst > -np.inf:
            out[count] = j
            excess[count] = worst
            count += 1
    return out[:count], excess[:count]
