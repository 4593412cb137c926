"""Least squares and ridge by factorisation: what ridge_numpy and ridge_svd_numpy share.

Unpenalised columns U (v_j = 0) are eliminated: with Pi the projection off their space, the penalised
coefficients solve a ridge problem in Pi A, and those of U fit what is left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._gap import EPS, orthonormal
from ._gram_matrix import dual_gram, primal_gram
from ._standard_form import StandardForm
from .problem import Vector
from .solution import Solution, Status, Stop

Correct = Callable[[Vector, Vector], Vector]


class MinimumNorm:
    """Least squares by a complete orthogonal decomposition; of minimum norm where it is not unique.

    A E = Q T with E the columns' equilibration, Q from a QR with pivoting (its rank), and T' = Z R.

    Attributes
    ----------
    rank : int
    unique : bool
    """

    def __init__(self, A: Vector) -> None:
        from scipy.linalg import qr

        self.shape = A.shape
        self.Q = orthonormal(A)
        self.rank = int(self.Q.shape[1])
        norms = np.sqrt(np.einsum("ij,ij->j", A, A))
        self.alive = norms > 0
        self.unique = self.rank == A.shape[1]
        T = self.Q.T @ A[:, self.alive]
        self.scale = norms[self.alive] if self.unique else np.ones(T.shape[1])
        self.Z, self.R = qr((T / self.scale).T, mode="economic")

    def __call__(self, z: Vector) -> Vector:
        """Coefficients of the fit to z."""
        from scipy.linalg import solve_triangular

        w = np.zeros(self.shape[1])
        if self.rank:
            w[self.alive] = self.Z @ solve_triangular(self.R, self.Q.T @ z, trans="T") / self.scale
        return w

    @property
    def message(self) -> str:
        """What to say of the solution."""
        if self.unique:
            return ""
        return (
            f"rank {self.rank} of {self.shape[1]} columns: not unique, this is the solution of minimum norm"
        )


def refine(form: StandardForm, stop: Stop, correct: Correct, message: str) -> Solution:
    """Start at 0 and correct w from its true residual until the gap is met or no longer falls.

    Parameters
    ----------
    correct : callable
        (w, r) -> the next w; exact but for rounding, so each call is a step of iterative refinement.
    """
    w = np.zeros(form.k)
    r = form.z
    best, gap, status = w, form.relative_gap(w, r), Status.MAX_ITER
    n_iter = 0
    while gap > stop.tol:
        if n_iter == stop.max_iter:
            break
        w = correct(w, r)
        r = form.z - form.matvec(w)
        n_iter += 1
        new = form.relative_gap(w, r)
        if not new < gap / 2:
            status = Status.STALLED
            best, gap = (w, new) if new < gap else (best, gap)
            break
        best, gap = w, new
    if gap <= stop.tol:
        status = Status.CONVERGED
    return form.solution(best, status, n_iter, float(gap), message)


class Elimination:
    """The unpenalised columns taken out of a ridge problem.

    Attributes
    ----------
    free, kept : int arrays
        Columns without and with a penalty.
    Q : (n, rank) array
        Orthonormal basis of the unpenalised columns.
    """

    def __init__(self, form: StandardForm) -> None:
        self.form = form
        self.free, self.kept = np.flatnonzero(form.free), np.flatnonzero(~form.free)
        self.Q = np.zeros((form.z.size, 0))
        self.fit: MinimumNorm | None = None
        if self.free.size:
            self.fit = MinimumNorm(form.dense(self.free))
            self.Q = self.fit.Q

    def off(self, a: Vector) -> Vector:
        """Project vectors (n,) or columns (n, .) off the unpenalised columns."""
        return np.asarray(a - self.Q @ (self.Q.T @ a)) if self.Q.size else a

    def restore(self, w: Vector, r: Vector, step: Vector) -> Vector:
        """Add ``step`` to the penalised coefficients, and to the others what then fits best."""
        new = w.copy()
        new[self.kept] += step
        if self.fit is not None:
            move = np.zeros(self.form.k)
            move[self.kept] = step
            new[self.free] += self.fit(r - self.form.matvec(move))
        return new

    @property
    def message(self) -> str:
        """What to say of the unpenalised columns."""
        return "" if self.fit is None or self.fit.unique else "unpenalised columns: " + self.fit.message


class Spectrum:
    """Singular values of Pi A / sqrt(lam2), from which every multiple of lam2 is solved in turn.

    Needs no Gram matrix to be definite.
    """

    def __init__(self, form: StandardForm, out: Elimination) -> None:
        from scipy.linalg import svd

        self.form, self.out = form, out
        self.root = np.sqrt(form.lam2[out.kept])
        A = out.off(form.dense(out.kept)) / self.root
        self.U, self.s, self.Vt = svd(A, full_matrices=False, lapack_driver="gesdd")

    def correction(self, multiple: float = 1.0) -> Correct:
        """Correction (see ``refine``) for the penalties multiple * lam2."""
        root, out = self.root * np.sqrt(multiple), self.out
        s = self.s / np.sqrt(multiple)
        inverse = np.divide(1.0, s, out=np.full(s.size, np.inf), where=s > 0)
        gain = 1.0 / (s + inverse)  # s / (s^2 + 1), whose square may overflow

        def correct(w: Vector, r: Vector) -> Vector:
            # With t = root w:  minimise ||r - A root^-1 dt||^2 + ||t + dt||^2
            along = self.Vt @ (root * w[out.kept])
            new = self.Vt.T @ (gain * (self.U.T @ out.off(r)) + gain * s * along)
            return out.restore(w, r, new / root - w[out.kept])

        return correct


def gram_correction(form: StandardForm, out: Elimination) -> Correct:
    """Correction by Cholesky of Pi A's Gram matrix: primal if it has fewer columns than rows, else dual.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrix is not positive definite in floating point.
    """
    from scipy.linalg import cho_factor, cho_solve

    lam2 = form.lam2[out.kept]
    n, k = form.z.size, out.kept.size
    if k <= n:
        H = primal_gram(form, out.kept)
        if out.Q.size:
            P = np.column_stack([form.rmatvec(q)[out.kept] for q in out.Q.T])
            H -= P @ P.T
        H[np.diag_indices(k)] += lam2
        C = cho_factor(_finite(H), lower=True, overwrite_a=True, check_finite=False)

        def primal(w: Vector, r: Vector) -> Vector:
            g = form.rmatvec(out.off(r))[out.kept] - lam2 * w[out.kept]
            return out.restore(w, r, cho_solve(C, g, check_finite=False))

        return primal
    floor = float(lam2.min())  # the dual matrix is scaled by it, so that no entry overflows
    K = dual_gram(form, floor / lam2, out.kept)
    if out.Q.size:
        K = out.off(out.off(K).T)
    K[np.diag_indices(n)] += floor
    C = cho_factor(_finite(K), lower=True, overwrite_a=True, check_finite=False)
    theta = np.zeros(n)

    def dual(w: Vector, r: Vector) -> Vector:
        # theta is the residual that the optimum has; w = A' theta / lam2
        nonlocal theta
        rest = out.off(r) - theta
        theta = theta + floor * cho_solve(C, rest, check_finite=False)
        new = form.rmatvec(theta)[out.kept] / lam2
        return out.restore(w, r, new - w[out.kept])

    return dual


def _finite(H: Vector) -> Vector:
    if not np.isfinite(H).all():
        raise np.linalg.LinAlgError("the Gram matrix overflows")
    return H


def full_rank_qr(A: Vector) -> Callable[[Vector], Vector] | None:
    """Least-squares solver by plain QR of equilibrated columns; None unless they are safely independent."""
    from scipy.linalg import lapack, qr, solve_triangular

    n, k = A.shape
    norms = np.sqrt(np.einsum("ij,ij->j", A, A))
    if k > n or not norms.all():
        return None
    Q, R = qr(A / norms, mode="economic", check_finite=False)
    rcond, info = lapack.dtrcon(R, norm="1")
    if info != 0 or rcond <= 100 * n * EPS:
        return None
    return lambda z: np.asarray(solve_triangular(R, Q.T @ z) / norms)
