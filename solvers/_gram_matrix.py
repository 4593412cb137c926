"""A'A and A D A' of chosen columns; a sparse A is neither densified nor centred for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._standard_form import StandardForm
from .problem import Vector

Columns = NDArray[np.intp] | None


def primal_gram(form: StandardForm, columns: Columns = None) -> Vector:
    """A'A of some columns (default all), (k, k)."""
    if not form.is_sparse:
        A = form.dense() if columns is None else form.dense(columns)
        return np.asarray(A.T @ A)
    B, m = _chosen(form, columns)
    G = (B.T @ B).toarray()
    if m is not None:
        G -= float(form.q @ form.q) * np.outer(m, m)
    return np.asarray(G)


def dual_gram(form: StandardForm, d: Vector, columns: Columns = None) -> Vector:
    """A diag(d) A' of some columns (default all), d >= 0, (n, n)."""
    if not form.is_sparse:
        A = (form.dense() if columns is None else form.dense(columns)) * np.sqrt(d)
        return np.asarray(A @ A.T)
    B, m = _chosen(form, columns)
    K = ((B * d) @ B.T).toarray()
    if m is not None:
        q = form.q
        Bm = B @ (d * m)
        K += -np.outer(Bm, q) - np.outer(q, Bm) + float(m @ (d * m)) * np.outer(q, q)
    return np.asarray(K)


def _chosen(form: StandardForm, columns: Columns) -> tuple[Any, Any]:
    if columns is None:
        return form.B, form.m
    return form.B[:, columns], None if form.m is None else form.m[columns]
