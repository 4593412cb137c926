"""Another problem of the same kind, to compile on: the timed data are never seen before they are timed."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
import scipy.sparse as sp

from solvers import Problem

__all__ = ["decoy", "kind"]

_LONG, _SHORT = 90, 30  # small, and wide where the problem is wide


def kind(problem: Problem) -> str:
    """Name what a compiler specialises on: dtype, layout, index type, penalties present, flags, shape."""
    present = [name for name in ("l1", "l2") if getattr(problem, name) > 0]
    present += [name for name in ("intercept", "positive") if getattr(problem, name)]
    present += [name for name in ("sample_weight", "penalty_weights") if getattr(problem, name) is not None]
    index = f" {problem.X.indices.dtype}" if problem.is_sparse else ""
    shape = "wide" if problem.n < problem.p else "tall"
    return " ".join([str(problem.X.dtype), problem.layout + index, shape, *present])


def decoy(problem: Problem) -> Problem:
    """Return a small random problem of the same :func:`kind`.

    Parameters
    ----------
    problem : Problem
        Its dtype, layout, penalties and flags are copied; of its numbers only the pattern of the penalty
        weights (none, zero, infinite) is.

    Returns
    -------
    Problem
        At most 90 x 90.
    """
    rng = np.random.default_rng(crc32(b"decoy"))
    wide = problem.n < problem.p
    p = min(problem.p, _LONG if wide else _SHORT)
    n = min(problem.n, _SHORT, p - 1) if wide else min(problem.n, _LONG)
    dense = rng.standard_normal((n, p))
    y = dense @ np.where(np.arange(p) % 5 == 0, 1.0, 0.0) + rng.standard_normal(n)
    X: Any
    if problem.is_sparse:
        dense[rng.random((n, p)) > 0.3] = 0.0
        X = sp.csc_array(dense) if problem.layout == "csc" else sp.csr_array(dense)
        X = X.astype(problem.X.dtype)
        X.indices = X.indices.astype(problem.X.indices.dtype)
        X.indptr = X.indptr.astype(problem.X.indptr.dtype)
    else:
        X = np.asarray(dense, dtype=problem.X.dtype, order="F" if problem.layout == "F" else "C")
    weights = None if problem.sample_weight is None else rng.uniform(0.5, 2.0, n)
    v = None
    if problem.penalty_weights is not None:
        given = problem.penalty_weights[np.arange(p)]
        v = np.where((given > 0) & np.isfinite(given), rng.uniform(0.5, 2.0, p), given)
    blank = Problem(
        X, y, intercept=problem.intercept, sample_weight=weights, penalty_weights=v, positive=problem.positive
    )
    return blank.replace(
        l1=0.1 * blank.l1_max() if problem.l1 > 0 else 0.0,
        l2=0.1 * blank.l2_ref() if problem.l2 > 0 else 0.0,
        name="decoy",
    )
