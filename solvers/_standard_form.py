"""Reduction of (P) to the standard form that solvers work on, docs/maths.md (SF).

    (SF)  min over w:   1/2 ||z - A w||^2  +  sum_j ( lam1_j |w_j| + lam2_j/2 w_j^2 )        [w >= 0]

A = diag(sqrt s) (X - 1 m')  with m the weighted column means (0 without intercept), columns with
v_j = inf left out; z likewise; lam1 = S l1 v, lam2 = S l2 v. The value of (SF) is S times that of (P).
A sparse X is never centred: A = B - q m' with B = diag(sqrt s) X and q = sqrt s kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from .problem import HUGE, TINY, Problem, Vector
from .solution import Solution, Status


@dataclass(frozen=True, eq=False)
class StandardForm:
    """(SF), with what leads back to (P).

    Attributes
    ----------
    B : (n, k) float64 ndarray, read-only, or csc_array
        A itself if dense; if sparse, A = B - q m'.
    m : (k,) array, or None
        Weighted column means where they are kept apart (sparse with intercept), else None.
    q : (n,) array, or None
        sqrt(s) where m is kept apart.
    z : (n,) array
        Weighted, centred response.
    lam1, lam2 : (k,) arrays, >= 0
    positive : bool
    columns : (k,) int array
        The columns of X that A holds.
    scale : float
        S N (docs/maths.md, N): relative gap = gap of (SF) / scale.
    """

    B: Any
    m: Vector | None
    q: Vector | None
    z: Vector
    lam1: Vector
    lam2: Vector
    positive: bool
    columns: NDArray[np.intp]
    problem: Problem
    y_mean: float
    means: Vector | None
    exponents: NDArray[np.int64] | None
    y_exponent: int
    yy: float

    # ------------------------------------------------------------------ products with A

    @property
    def k(self) -> int:
        """Number of columns of A."""
        return int(self.B.shape[1])

    @property
    def is_sparse(self) -> bool:
        """Whether B is sparse."""
        return bool(sp.issparse(self.B))

    def matvec(self, w: Vector) -> Vector:
        """A w, (n,)."""
        out = np.asarray(self.B @ w)
        return out if self.m is None else out - self.q * (self.m @ w)

    def rmatvec(self, r: Vector) -> Vector:
        """A'r, (k,)."""
        out = np.asarray(self.B.T @ r)
        return out if self.m is None else out - self.m * (self.q @ r)

    def dense(self, columns: NDArray[Any] | slice = slice(None)) -> Vector:
        """Return some columns of A as a dense array, (n, number of columns)."""
        out = self.B[:, columns]
        if not self.is_sparse:
            return np.asarray(out)
        out = out.toarray()
        return np.asarray(out if self.m is None else out - np.outer(self.q, self.m[columns]))

    @cached_property
    def norms_sq(self) -> Vector:
        """Squared norms of the columns of A, (k,); exactly 0 for a column that is zero once centred."""
        if not self.is_sparse:
            return np.einsum("ij,ij->j", self.B, self.B)
        raw = np.zeros(self.k)
        np.add.at(raw, np.repeat(np.arange(self.k), np.diff(self.B.indptr)), self.B.data**2)
        if self.m is None:
            return raw
        out = raw - (self.q @ self.q) * self.m**2
        out[out <= 1e-14 * raw] = 0.0  # what is left of a constant column is rounding
        return out

    # ------------------------------------------------------------------ the solver's own claim

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """Columns without any penalty, (k,)."""
        return (self.lam1 == 0) & (self.lam2 == 0)

    @cached_property
    def scale(self) -> float:
        """S N: the loss of the fit by intercept and unpenalised columns, or its rounding floor."""
        r = self.z
        if self.free.any():
            A = self.dense(np.flatnonzero(self.free))
            if self.positive:
                from scipy.optimize import nnls

                r = r - A @ nnls(A, r)[0]
            else:
                Q = _orthonormal(A)
                r = r - Q @ (Q.T @ r)
        return max(0.5 * float(r @ r), 2.0**-105 * self.yy)

    def relative_gap(self, w: Vector, r: Vector) -> float:
        """Relative duality gap of w, whose residual z - A w is r; docs/maths.md (GAP).

        Costs one product A'r. inf where no dual point is found.
        """
        gap = self.gap(w, r)
        if self.scale > 0:
            return gap / self.scale
        return 0.0 if gap == 0 else float("inf")

    def gap(self, w: Vector, r: Vector) -> float:
        """Duality gap of (SF) at w with residual r; every term >= 0."""
        theta = self.off_free(w, r)
        u = self.rmatvec(theta)
        u[self.free] = np.minimum(u[self.free], 0.0) if self.positive else 0.0
        over = np.where(self.free, 0.0, u if self.positive else np.abs(u))
        hit = over > 0
        cap = float(np.min(self.lam1[hit] / over[hit], initial=np.inf))
        if np.any((self.lam1 > 0) & (self.lam2 == 0)):
            tt = float(theta @ theta)  # feasible scaling, as near to the best multiple as it may be
            alphas = [min(max(float(self.z @ theta) / tt, 0.0) if tt > 0 else 1.0, cap)]
        else:
            alphas = [1.0, min(cap, 1.0)]  # with an L2 term every theta is feasible
        return min(self._gap_at(alpha, w, r, theta, u) for alpha in alphas)

    def off_free(self, w: Vector, r: Vector) -> Vector:
        """Project r off the unpenalised columns (with ``positive``: those in use or violated)."""
        if not self.free.any():
            return r
        free = np.flatnonzero(self.free)
        if not self.positive:
            Q = self._free_basis
            return r - Q @ (Q.T @ r)
        A = self.dense(free)
        norms = np.sqrt(np.einsum("ij,ij->j", A, A))
        held = w[free] > 0
        theta = r
        for _ in range(free.size + 1):
            Q = _orthonormal(A[:, held])
            theta = r - Q @ (Q.T @ r)
            violated = (A.T @ theta > 1e-14 * norms * np.linalg.norm(r)) & ~held
            if not violated.any():
                break
            held |= violated
        return theta

    @cached_property
    def _free_basis(self) -> Vector:
        return _orthonormal(self.dense(np.flatnonzero(self.free)))

    def _gap_at(self, alpha: float, w: Vector, r: Vector, theta: Vector, u: Vector) -> float:
        d = r - alpha * theta
        u = alpha * u
        a, along = np.abs(w), np.sign(w) * u
        over = np.maximum((u if self.positive else np.abs(u)) - self.lam1, 0.0)
        ridge = self.lam2 > 0
        terms = a * (self.lam1 - along) + 0.5 * self.lam2 * a * a
        terms[ridge] += 0.5 * over[ridge] ** 2 / self.lam2[ridge]
        square = ridge & (along > self.lam1)  # here the sum is a complete square: no cancellation
        terms[square] = 0.5 * (along - self.lam1 - self.lam2 * a)[square] ** 2 / self.lam2[square]
        terms[self.free] = -(u * w)[self.free] if self.positive else 0.0
        return 0.5 * float(d @ d) + float(np.sum(np.maximum(terms, 0.0)))

    # ------------------------------------------------------------------ the way back

    def solution(
        self, w: Vector, status: Status, n_iter: int, claimed_gap: float | None = None, message: str = ""
    ) -> Solution:
        """Carry w (k,) back to the coefficients (p,) and the intercept of (P)."""
        w = np.array(w, dtype=np.float64)
        if self.exponents is not None:
            w = np.ldexp(w, self.y_exponent - self.exponents)
        coef = np.zeros(self.problem.p)
        coef[self.columns] = w
        b = self.y_mean - float(self.means @ w) if self.means is not None else 0.0
        return Solution(coef, b, status, n_iter, claimed_gap, message)

    def start(self, coef: Vector | None) -> Vector:
        """Starting point in (SF) from coefficients (p,) of (P), zero if None."""
        if coef is None:
            return np.zeros(self.k)
        w = np.array(coef[self.columns], dtype=np.float64)
        return w if self.exponents is None else np.ldexp(w, self.exponents - self.y_exponent)


def standard_form(problem: Problem, order: Literal["K", "F", "C"] = "K") -> StandardForm:
    """Reduce a problem to (SF).

    Parameters
    ----------
    problem : Problem
    order : {"K", "F", "C"}
        Memory order wanted for a dense A ("K": as X is). X itself is used, uncopied, where nothing has
        to change: float64, the right order, no intercept, no weights, no v_j = inf.
    """
    X, s, S = problem.X, problem.s, problem.S
    v = problem.v
    columns = np.flatnonzero(np.isfinite(v))
    if columns.size < problem.p:
        X = X[:, columns]
    weighted = problem.sample_weight is not None

    exponents = _exponents(X) if problem.is_extreme else None
    y, y_exponent = problem.y, 0
    if exponents is not None:
        _, e = np.frexp(np.max(np.abs(y), initial=0.0))
        y_exponent = int(e)
        y = np.ldexp(y, -y_exponent)
    elif problem.is_extreme and (top := float(np.max(np.abs(y)))) > 0:
        exponents = np.zeros(columns.size, dtype=np.int64)
        y_exponent = int(np.frexp(top)[1])
        y = np.ldexp(y, -y_exponent)

    B = _scaled(X, exponents, order, copy=weighted or (problem.intercept and not sp.issparse(X)))
    means = m = q = None
    y_mean = 0.0
    z = y
    if problem.intercept:
        first = float(s @ y / S)
        z = y - first
        rest = float(s @ z / S)  # the mean's own rounding, taken out in a second pass
        z = z - rest
        y_mean = first + rest
        means = np.asarray(B.T @ s / S)
        if not sp.issparse(B):
            B -= means
            rest_means = np.asarray(B.T @ s / S)
            B -= rest_means
            means = means + rest_means
            B[:, _rounding_only(B, X, exponents)] = 0.0
        else:
            m, q = means, np.sqrt(s)
    yy = float(s @ (y * y))
    if weighted:
        root = np.sqrt(s)
        z = root * z
        if sp.issparse(B):
            B.data *= root[B.indices]
        else:
            B *= root[:, None]
    B = _locked(B)

    vf = v[columns]
    lam1, lam2 = S * problem.l1 * vf, S * problem.l2 * vf
    if exponents is not None:
        lam1 = np.ldexp(lam1, -exponents - y_exponent)
        lam2 = np.ldexp(lam2, -2 * exponents)
        y_mean = float(np.ldexp(y_mean, y_exponent))
        means = np.ldexp(means, exponents) if means is not None else None
    return StandardForm(
        B, m, q, z, lam1, lam2, problem.positive, columns, problem, y_mean, means, exponents, y_exponent, yy
    )


def _locked(B: Any) -> Any:
    """Make B read-only, which also spares numba a second specialisation."""
    if sp.issparse(B):
        for part in (B.data, B.indices, B.indptr):
            part.flags.writeable = False
        return B
    B = B.view()
    B.flags.writeable = False
    return B


def _rounding_only(B: Vector, X: Any, exponents: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """Columns that are constant, so that what centring left of them is rounding, (k,)."""
    top = np.maximum(X.max(axis=0), -X.min(axis=0)).astype(np.float64)
    if exponents is not None:
        top = np.ldexp(top, -exponents)
    left = np.maximum(B.max(axis=0), -B.min(axis=0), dtype=np.float64) if B.size else top
    return np.asarray(left <= 4 * 2.0**-52 * top)


def _exponents(X: Any) -> NDArray[np.int64] | None:
    """Powers of two that bring extreme columns to magnitude 1, (k,); None if no column is extreme."""
    if sp.issparse(X):
        top = np.asarray(abs(X).max(axis=0).toarray(), dtype=np.float64).ravel()
    else:
        top = np.maximum(X.max(axis=0), -X.min(axis=0)).astype(np.float64)
    extreme = (top > 0) & ((top < TINY) | (top > HUGE))
    if not extreme.any():
        return None
    return np.where(extreme, np.frexp(top)[1], 0).astype(np.int64)


def _scaled(X: Any, exponents: NDArray[np.int64] | None, order: Literal["K", "F", "C"], copy: bool) -> Any:
    """X as float64 in the wanted order with columns scaled; X itself if nothing has to change."""
    if sp.issparse(X):
        B = X.tocsc()
        data = B.data.astype(np.float64, copy=copy)
        if exponents is not None:
            data = np.ldexp(data, -np.repeat(exponents, np.diff(B.indptr)))
        return sp.csc_array((data, B.indices, B.indptr), shape=B.shape)
    if exponents is not None:
        return np.ldexp(X.astype(np.float64), -exponents).astype(np.float64, order=order)
    return X.astype(np.float64, order=order, copy=True) if copy else np.asarray(X, dtype=np.float64, order=order)


def _orthonormal(A: Vector) -> Vector:
    """Orthonormal basis of the column space, (n, rank); columns equilibrated, pivoted QR."""
    from scipy.linalg import qr

    norms = np.sqrt(np.einsum("ij,ij->j", A, A))
    A = A[:, norms > 0] / norms[norms > 0]
    if A.shape[1] == 0:
        return np.zeros((A.shape[0], 0))
    Q, R, _ = qr(A, mode="economic", pivoting=True)
    rank = int(np.sum(np.abs(np.diag(R)) > max(A.shape) * 2.0**-52))
    return np.asarray(Q[:, :rank])
