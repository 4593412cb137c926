"""A problem as plain JSON, every bit kept: how it goes from one process to another."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from solvers import Problem

__all__ = ["from_plain", "to_plain"]

SCALARS = ("l1", "l2", "intercept", "positive", "name")
VECTORS = ("sample_weight", "penalty_weights")


def to_plain(problem: Problem) -> dict[str, Any]:
    """Return what `from_plain` takes; Python's JSON prints a float so that it is read back the same."""
    X = problem.X
    if problem.is_sparse:
        entries = {"data": X.data.tolist(), "indices": X.indices.tolist(), "indptr": X.indptr.tolist()}
    else:
        entries = {"rows": X.tolist()}
    vectors = {name: getattr(problem, name) for name in VECTORS}
    return {
        "layout": problem.layout,
        "dtype": str(X.dtype),
        "shape": list(X.shape),
        **entries,
        "y": problem.y.tolist(),
        **{name: None if a is None else a.tolist() for name, a in vectors.items()},
        **{name: getattr(problem, name) for name in SCALARS},
    }


def from_plain(plain: dict[str, Any]) -> Problem:
    """Return the problem of `to_plain`; its digest is the same."""
    n, p = plain["shape"]
    X: Any
    if plain["layout"] in ("csc", "csr"):
        make = sp.csc_array if plain["layout"] == "csc" else sp.csr_array
        parts = (
            np.array(plain["data"], dtype=plain["dtype"]),
            np.array(plain["indices"], dtype=np.int32),
            np.array(plain["indptr"], dtype=np.int32),
        )
        X = make(parts, shape=(n, p))
    else:
        X = np.array(plain["rows"], dtype=plain["dtype"], order=plain["layout"]).reshape(n, p)
    vectors: dict[str, Any] = {
        name: None if plain[name] is None else np.array(plain[name]) for name in VECTORS
    }
    return Problem(X, np.array(plain["y"]), **vectors, **{name: plain[name] for name in SCALARS})
