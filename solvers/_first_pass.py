"""The first pass over X: means, norms and A'z by one read, A'A along with them where that is cheap.

The standard form (docs/maths.md, SF) is made on X itself, its column means kept apart, wherever X allows it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from . import _column_kernels as kernels
from ._crossproduct import Crossproduct
from ._standard_form import StandardForm, _locked, penalties
from ._threads import PRODUCT, Team
from .problem import Problem, Vector

FLAT = 1e3  # squared mean over variance up to which centring a product afterwards costs three digits
SLIM = 128  # columns up to which a Gram matrix of them all may come with the first pass,
SMALL = 3e7  # and multiplications in it up to which it always does, for less than to find out who is in use
TALL = 512  # and up to which it may be the cheapest; for a path it is
ROWS = 1024  # rows taken together where one read of X is to serve several products


def summed(parts: list[Vector]) -> Vector:
    """Sum of arrays, into the first."""
    for part in parts[1:]:
        parts[0] += part
    return parts[0]


def first_pass(B: Any, z: Vector, q: Vector | None, team: Team, *, centre: bool) -> Any:
    """Return means, squared norms about them, and A'z, (k,) each; of means that stay 0 where not `centre`."""
    if isinstance(B, np.ndarray):

        def part(lo: int, hi: int) -> Any:
            return kernels.first_pass_dense(B[:, lo:hi], z, centre)

    else:
        qq, q = 0.0 if q is None else float(q @ q), np.zeros(z.size) if q is None else q

        def part(lo: int, hi: int) -> Any:
            return kernels.first_pass_sparse(B.data, B.indices, B.indptr[lo : hi + 1], q, qq, z)

    found = team.divide(part, B.shape[1], length(B))
    return found[0] if len(found) == 1 else tuple(map(np.concatenate, zip(*found, strict=True)))


def length(B: Any) -> float:
    """Entries of a column, on average."""
    return float(B.shape[0] if isinstance(B, np.ndarray) else B.indices.size / max(B.shape[1], 1))


def gram_pass(X: Vector, z: Vector, team: Team, *, centre: bool) -> tuple[Any, Vector | None]:
    """What the first pass gives, and A'A, by one read of X; None, None where centring would cancel."""
    n, k = X.shape

    def part(first: int, end: int) -> tuple[Vector, Vector, Vector]:  # of blocks of rows
        G = Crossproduct(np.arange(k), None, n, X.dtype, X.flags.f_contiguous)
        u, total = np.zeros(k), np.zeros(k)
        for lo in range(first * ROWS, min(end * ROWS, n), ROWS):
            rows = X[lo : lo + ROWS]
            G.add(X, lo=lo, hi=lo + rows.shape[0])
            u += z[lo : lo + ROWS] @ rows
            if centre:
                total += np.ones(rows.shape[0]) @ rows
        return G.sum, u, total

    found = team.divide(part, -(-n // ROWS), ROWS * k * (1 + PRODUCT * k / 2))
    G, u, total = (summed(list(parts)) for parts in zip(*found, strict=True))
    m, raw = total / n, G.diagonal().copy()
    if centre:
        G -= n * np.outer(m, m)
        u -= m * float(z.sum())
    norms = G.diagonal().copy()
    steep = np.flatnonzero(raw > FLAT * norms)
    if steep.size:
        constant = steep[np.all(X[:, steep] == X[0, steep], axis=0)]
        if constant.size < steep.size:
            return None, None
        G[constant] = G[:, constant] = u[constant] = norms[constant] = 0.0
    return (m, norms, u), G


def apart(problem: Problem, many: bool, team: Team) -> tuple[StandardForm | None, Any, Vector | None]:
    """Standard form on X itself, what the first pass gave, and A'A or None; no form if X has to be copied."""
    X = problem.X
    most = min(TALL if many else SLIM, problem.n)
    slim = not problem.is_sparse and problem.p <= most and X.dtype == np.float64
    slim &= many or problem.layout == "C" or problem.n * problem.p**2 <= SMALL
    if not (problem.layout in ("F", "csc") or (problem.layout == "C" and slim)):
        return None, None, None
    v = problem.penalty_weights
    if problem.is_extreme or problem.sample_weight is not None or (v is not None and np.isinf(v).any()):
        return None, None, None
    n, y = problem.n, problem.y
    z, y_mean = y, 0.0
    if problem.intercept:
        first = float(y.sum() / n)
        z = y - first
        rest = float(z.sum() / n)
        z = z - rest
        y_mean = first + rest
    q = np.ones(n) if problem.intercept else None
    stats, gram = gram_pass(X, z, team, centre=problem.intercept) if slim else (None, None)
    if stats is None:
        if problem.layout == "C":
            return None, None, None
        stats = first_pass(X, z, q, team, centre=problem.intercept)
    means, norms, _ = stats
    if problem.intercept and not sp.issparse(X) and np.any((n * means**2 > 1e8 * norms) & (norms > 0)):
        return None, None, None  # a mean huge against the spread: products would cancel, centre a copy
    m = means if problem.intercept else None
    form = StandardForm(
        _locked(X), m, q, z, penalties(problem, problem.l1), penalties(problem, problem.l2), problem.positive,
        np.arange(problem.p), problem, y_mean, m, None, 0, float(y @ y),
    )  # fmt: skip
    form.__dict__["norms_sq"] = norms
    return form, stats, gram
