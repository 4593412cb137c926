"""The duality gap of the standard form, docs/maths.md (GAP), and least squares on the unpenalised columns.

The solver's own claim. The verifier has another derivation of its own, on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .problem import Vector

if TYPE_CHECKING:
    from ._standard_form import StandardForm

EPS = 2.0**-52


def gap(form: StandardForm, w: Vector, r: Vector, u: Vector | None = None) -> float:
    """Duality gap at w, whose residual z - A w is r; the best of several multiples of one dual point.

    Parameters
    ----------
    w : (k,) array
    r : (n,) array
    u : (k,) array, optional
        A'r, if known: spares the product where no column is unpenalised.
    """
    theta = form.off_free(w, r)
    if u is None or theta is not r:
        u = form.rmatvec(theta)
    u = np.where(form.free, np.minimum(u, 0.0) if form.positive else 0.0, u)
    tt = float(theta @ theta)
    fitting = max(float(form.z @ theta) / tt, 0.0) if tt > 0 else 1.0
    cap = _cap(form, u, np.where(form.free, 0.0, u))
    if np.any((form.lam1 > 0) & (form.lam2 == 0)):
        alphas = [min(fitting, cap)]  # feasible scaling, as near to the best multiple as it may be
    else:  # with an L2 term every theta is feasible; that of the augmented lasso costs no conjugate more
        augmented = _cap(form, u, np.where(form.free, 0.0, u - form.lam2 * w))
        alphas = [1.0, min(augmented, 1.0), min(cap, 1.0), 0.0]
    return min(_gap_at(form, alpha, w, r, theta, u) for alpha in alphas)


def _cap(form: StandardForm, u: Vector, t: Vector) -> float:
    """Largest alpha with alpha |t_j| <= lam1_j (alpha t_j if positive)."""
    over = t if form.positive else np.abs(t)
    hit = over > 0
    return float(np.min(form.lam1[hit] / over[hit], initial=np.inf))


def _gap_at(form: StandardForm, alpha: float, w: Vector, r: Vector, theta: Vector, u: Vector) -> float:
    d = r - alpha * theta
    u = alpha * u
    a, along = np.abs(w), np.sign(w) * u
    over = np.maximum((u if form.positive else np.abs(u)) - form.lam1, 0.0)
    terms = a * (form.lam1 - along) + 0.5 * form.lam2 * a * a
    ridge = form.lam2 > 0
    if ridge.any():
        square = ridge & (along > form.lam1)  # here the sum is a complete square: no cancellation
        excess = (along - form.lam1 - form.lam2 * a)[square]
        with np.errstate(over="ignore"):  # almost no penalty: this multiple proves nothing, another may
            terms[ridge] += 0.5 * over[ridge] * (over[ridge] / form.lam2[ridge])
            terms[square] = 0.5 * excess * (excess / form.lam2[square])
    terms[form.free] = -(u * w)[form.free] if form.positive else 0.0
    return 0.5 * float(d @ d) + float(np.sum(np.maximum(terms, 0.0)))


def off_free(form: StandardForm, w: Vector, r: Vector) -> Vector:
    """Project r off the unpenalised columns (``positive``: those in use or violated); r itself if none."""
    if not form.free.any():
        return r
    if not form.positive:
        Q = form.free_basis
        theta = r - Q @ (Q.T @ r)
        return np.asarray(theta - Q @ (Q.T @ theta))  # twice: the first leaves rounding of r's size
    free = np.flatnonzero(form.free)
    A = form.dense(free)
    norms = np.sqrt(np.einsum("ij,ij->j", A, A))
    held = w[free] > 0
    theta = r
    for _ in range(free.size + 1):
        Q = orthonormal(A[:, held])
        theta = r - Q @ (Q.T @ r)
        theta = theta - Q @ (Q.T @ theta)
        violated = (A.T @ theta > 1e-14 * norms * np.linalg.norm(r)) & ~held
        if not violated.any():
            break
        held |= violated
    return theta


def orthonormal(A: Vector) -> Vector:
    """Orthonormal basis of the column space, (n, rank); columns equilibrated, pivoted QR."""
    from scipy.linalg import qr

    norms = np.sqrt(np.einsum("ij,ij->j", A, A))
    A = A[:, norms > 0] / norms[norms > 0]
    if A.shape[1] == 0:
        return np.zeros((A.shape[0], 0))
    Q, R, _ = qr(A, mode="economic", pivoting=True)
    rank = int(np.sum(np.abs(np.diag(R)) > max(A.shape) * EPS))
    return np.asarray(Q[:, :rank])


def least_squares(A: Vector, z: Vector, positive: bool = False) -> Vector:
    """Coefficients of a least-squares fit, columns equilibrated, one step of refinement; >= 0 if asked."""
    from scipy.linalg import lstsq
    from scipy.optimize import nnls

    norms = np.sqrt(np.einsum("ij,ij->j", A, A))
    norms[norms == 0] = 1.0
    A = A / norms
    if positive:
        top = float(np.linalg.norm(z)) or 1.0
        return np.asarray(nnls(A, z / top)[0] * top / norms)
    w = lstsq(A, z)[0]
    return np.asarray((w + lstsq(A, z - A @ w)[0]) / norms)
