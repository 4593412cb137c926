"""The proximal operator of the penalty in a diagonal metric, docs/maths.md (PROX)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._standard_form import StandardForm
from .problem import Vector


def prox(form: StandardForm, t: Vector, curvature: Any) -> Vector:
    """Minimise curvature_j/2 x^2 - t_j x + lam1_j |x| + lam2_j/2 x^2 over x (x >= 0 if positive), (k,).

    Parameters
    ----------
    t : (k,) array
    curvature : (k,) array or float
        Where curvature_j + lam2_j = 0 the answer is 0.
    """
    if form.positive:
        shrunk = np.maximum(t - form.lam1, 0.0)
    else:
        shrunk = np.sign(t) * np.maximum(np.abs(t) - form.lam1, 0.0)
    total = curvature + form.lam2
    return np.divide(shrunk, total, out=np.zeros_like(shrunk), where=total > 0)


def largest_curvature(form: StandardForm, n_iter: int = 30) -> float:
    """Lower bound on the largest eigenvalue of A'A in the metric of the columns' norms, by power iteration.

    In that metric, diag(norms_sq), columns of wildly different scales do no harm. Between 1 and
    the number of columns; a solver must still check its steps (backtracking), for this is no upper bound.
    """
    scale = inverse_norms(form)
    x = np.random.default_rng(0).standard_normal(form.k) * (scale > 0)
    value = 1.0
    for _ in range(n_iter):
        length = float(np.linalg.norm(x))
        if length == 0:
            break
        x = scale * form.rmatvec(form.matvec(scale * (x / length)))
        value = max(value, float(np.linalg.norm(x)))
    return value


def inverse_norms(form: StandardForm) -> Vector:
    """1 / ||a_j||, and 0 for a column that is zero, (k,)."""
    norms = np.sqrt(form.norms_sq)
    return np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
