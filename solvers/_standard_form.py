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

from . import _gap
from .problem import HUGE, TINY, Problem, Vector
from .solution import Solution, Status

# A penalty beyond this (columns are at most HUGE) is as good as infinite: the coefficient is 0.
BEYOND = 2.0**600


@dataclass(frozen=True, eq=False)
class StandardForm:
    """(SF), with what leads back to (P).

    Attributes
    ----------
    B : (n, k) ndarray, read-only, or csc_array
        A itself where m is None, else A = B - q m'.
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
    m: Any
    q: Any
    z: Vector
    lam1: Vector
    lam2: Vector
    positive: bool
    columns: NDArray[np.intp]
    problem: Problem
    y_mean: float
    means: Any
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
        """A'r, (k,); exactly 0 for a column that is zero once centred."""
        out = np.asarray(self.B.T @ r)
        if self.m is None:
            return out
        out = out - self.m * (self.q @ r)
        out[self.norms_sq == 0] = 0.0
        return out

    def dense(self, columns: NDArray[Any] | slice = slice(None)) -> Vector:
        """Return some columns of A as a dense array, (n, number of columns)."""
        out = self.B[:, columns]
        out = np.asarray(out.toarray() if self.is_sparse else out, dtype=np.float64)
        if self.m is None:
            return out
        out = out - np.outer(self.q, self.m[columns])
        out[:, self.norms_sq[columns] == 0] = 0.0
        return out

    @cached_property
    def norms_sq(self) -> Any:
        """Squared norms of the columns of A, (k,); exactly 0 for a column that is zero once centred."""
        if not self.is_sparse:
            return np.einsum("ij,ij->j", self.B, self.B)
        B = self.B
        used = np.diff(B.indptr) > 0

        def sums(entries: Any) -> Vector:
            """Of each column."""
            out = np.zeros(self.k)
            if entries.size:
                out[used] = np.add.reduceat(entries, B.indptr[:-1][used], dtype=np.float64)
            return out

        raw = sums(B.data * B.data)
        if self.m is None:
            return raw
        # About the mean, entry by entry, so that nothing cancels; then the rows that store no entry
        q = self.q
        here = q[B.indices]
        stored = sums((B.data - here * np.repeat(self.m, np.diff(B.indptr))) ** 2)
        counted = sums(here > 0)
        weight = sums(here * here)
        rest = np.where(counted < np.count_nonzero(q), np.maximum(q @ q - weight, 0.0), 0.0)
        out = stored + rest * self.m**2
        out[out <= 2.0**-96 * raw] = 0.0  # what is left of a constant column is rounding
        return out

    # ------------------------------------------------------------------ the solver's own claim

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """Columns without any penalty, (k,)."""
        alike = self.problem.penalty_weights is None and self.exponents is None
        if alike and self.k and self.lam1[0] > 0:
            return np.zeros(self.k, dtype=bool)
        return (self.lam1 == 0) & (self.lam2 == 0)

    @cached_property
    def free_fit(self) -> tuple[Vector, Vector]:
        """Least squares by the unpenalised columns alone: coefficients (k,), 0 elsewhere; residual (n,)."""
        w = np.zeros(self.k)
        free = np.flatnonzero(self.free)
        if free.size:
            w[free] = _gap.least_squares(self.dense(free), self.z, self.positive)
        return w, self.z - self.matvec(w) if free.size else self.z

    @cached_property
    def scale(self) -> float:
        """S N: the loss of the fit by intercept and unpenalised columns, or its rounding floor."""
        r = self.free_fit[1]
        return max(0.5 * float(r @ r), 2.0**-105 * self.yy)

    @property
    def _mean_sq(self) -> Vector:
        """What centring took from the squared norms of the columns, in their scale, (k,)."""
        means = self.means if self.exponents is None else np.ldexp(self.means, -self.exponents)
        return np.asarray(_weights(self.problem)[1] * means**2)

    @cached_property
    def null(self) -> Vector | None:
        """The optimum if every penalised coefficient is 0 in it (l1 >= l1_max), (k,); else None.

        None without any penalised column, too: that is least squares. Costs one product A'r.
        """
        if self.k and self.free.all():
            return None
        w, r = self.free_fit
        u = self.rmatvec(r)
        # That of l1_max, too, which is taken on X as it is: not centred
        raw = self.norms_sq if self.means is None else self.norms_sq + self._mean_sq
        rounding = 2.0**-50 * np.sqrt(raw) * float(np.linalg.norm(r))
        over = (u if self.positive else np.abs(u)) > self.lam1 + rounding
        return None if np.any(over & ~self.free) else w

    def relative_gap(self, w: Vector, r: Vector, u: Vector | None = None) -> float:
        """Relative duality gap of w, whose residual z - A w is r; docs/maths.md (GAP).

        Costs one product A'r, none if u = A'r is given. inf where no dual point is found.
        """
        gap = self.gap(w, r, u)
        if self.scale > 0:
            return gap / self.scale
        return 0.0 if gap == 0 else float("inf")

    def gap(self, w: Vector, r: Vector, u: Vector | None = None) -> float:
        """Duality gap of (SF) at w with residual r; every term >= 0."""
        return _gap.gap(self, w, r, u)

    def off_free(self, w: Vector, r: Vector) -> Vector:
        """Project r off the unpenalised columns (with ``positive``: those in use or violated)."""
        return _gap.off_free(self, w, r)

    @cached_property
    def free_basis(self) -> Vector:
        """Orthonormal basis of the unpenalised columns' space, (n, rank)."""
        return _gap.orthonormal(self.dense(np.flatnonzero(self.free)))

    # ------------------------------------------------------------------ the way back

    def solution(
        self,
        w: Vector,
        status: Status,
        n_iter: int,
        claimed_gap: float | None = None,
        message: str = "",
        at: NDArray[np.intp] | slice = slice(None),
    ) -> Solution:
        """Carry w back to the coefficients (p,) and the intercept of (P).

        Parameters
        ----------
        w : (k,) array
            Or of some columns `at` alone, the others being zero.
        """
        if self.exponents is not None:
            w = np.ldexp(w, self.y_exponent - self.exponents[at])
        coef = np.zeros(self.problem.p)
        if self.k == coef.size:
            coef[at] = w
        else:
            coef[self.columns[at]] = w
        b = self.y_mean - float(self.means[at] @ w) if self.means is not None else 0.0
        return Solution(coef, b, status, n_iter, claimed_gap, message)

    def back(self, W: NDArray[np.intp], found: Vector) -> tuple[Vector, Vector]:
        """Carry several w, zero outside W, back to (P): coefficients (B, p) and intercepts (B,).

        Parameters
        ----------
        W : (K,) int array
        found : (B, K) array
        """
        if self.exponents is not None:
            found = np.ldexp(found, (self.y_exponent - self.exponents)[W])
        coefs = np.zeros((found.shape[0], self.problem.p))
        coefs[:, self.columns[W]] = found
        shift = found @ self.means[W] if self.means is not None else np.zeros(found.shape[0])
        return coefs, (self.y_mean - shift if self.means is not None else shift)

    def start(self, coef: Vector | None) -> Vector:
        """Starting point in (SF) from coefficients (p,) of (P), zero if None."""
        if coef is None:
            return np.zeros(self.k)
        w = np.array(coef[self.columns], dtype=np.float64)
        return w if self.exponents is None else np.ldexp(w, self.exponents - self.y_exponent)


def is_least_squares(problem: Problem) -> bool:
    """Whether nothing is penalised: l1 = l2 = 0, or every v_j is 0 or inf."""
    return (problem.l1 == 0 and problem.l2 == 0) or not problem.is_penalised


def penalties(problem: Problem, level: float) -> Vector:
    """Return S l v, (p,), for a level l; without vectors on the way, as there may be a million columns."""
    if problem.penalty_weights is None:
        return np.full(problem.p, problem.S * level) if level else np.zeros(problem.p)
    return np.asarray(problem.S * level * problem.penalty_weights)


def refuse_least_squares(problem: Problem) -> str | None:
    """Reason of a step-by-step method not to do plain least squares; None with a penalty or a sign."""
    if is_least_squares(problem) and not problem.positive:
        return "least squares without penalty or sign: its certificate takes the factorisation that solves it"
    return None


def standard_form(problem: Problem, order: Literal["K", "F", "C"] = "K") -> StandardForm:
    """Reduce a problem to (SF).

    Parameters
    ----------
    problem : Problem
    order : {"K", "F", "C"}
        Memory order wanted for a dense A ("K": as X is). X itself is used, uncopied, where nothing has
        to change: float64, the right order, no intercept, no weights, no v_j = inf.
    """
    X, v, sparse = problem.X, problem.v, problem.is_sparse
    s, S = _weights(problem)
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

    B = _scaled(X, exponents, order, copy=weighted or (problem.intercept and not sparse))
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
        if not sparse:
            B -= means
            rest_means = np.asarray(B.T @ s / S)
            B -= rest_means
            means = means + rest_means
            B[:, _rounding_only(B, X, exponents, s > 0)] = 0.0
        else:
            m, q = means, np.sqrt(s)
    yy = float(s @ (y * y))
    if weighted:
        root = np.sqrt(s)
        z = root * z
        if sparse:
            B.data *= root[B.indices]
        else:
            B *= root[:, None]
    B = _locked(B)

    vf = v[columns]
    with np.errstate(over="ignore"):
        lam1, lam2 = S * problem.l1 * vf, S * problem.l2 * vf
    if exponents is not None:
        with np.errstate(over="ignore"):
            lam1 = np.ldexp(lam1, -exponents - y_exponent)
            lam2 = np.ldexp(lam2, -2 * exponents)
        y_mean = float(np.ldexp(y_mean, y_exponent))
        means = np.ldexp(means, exponents) if means is not None else None
    kept = (lam1 < BEYOND) & (lam2 < BEYOND)
    if not kept.all():
        B, lam1, lam2, columns = _locked(B[:, kept]), lam1[kept], lam2[kept], columns[kept]
        m, means, exponents = (None if a is None else a[kept] for a in (m, means, exponents))
    return StandardForm(
        B, m, q, z, lam1, lam2, problem.positive, columns, problem, y_mean, means, exponents, y_exponent, yy
    )


def _locked(B: Any) -> Any:
    """Make B read-only, which also spares numba a second specialisation."""
    sparse: bool = sp.issparse(B)
    if sparse:
        for part in (B.data, B.indices, B.indptr):
            part.flags.writeable = False
        return B
    B = B.view()
    B.flags.writeable = False
    return B


def _weights(problem: Problem) -> tuple[Vector, float]:
    """Sample weights and their sum; extreme ones divided by a power of two, which (P) does not see."""
    s = problem.s
    top = float(np.max(s))
    if TINY < top < HUGE:
        return s, problem.S
    s = np.ldexp(s, -int(np.frexp(top)[1]))
    return s, float(s.sum())


def _rounding_only(
    B: Vector, X: Any, exponents: NDArray[np.int64] | None, counts: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Columns constant over the rows that count, so that what centring left of them is rounding, (k,)."""
    if not counts.all():
        B, X = B[counts], X[counts]
    top = np.maximum(X.max(axis=0), -X.min(axis=0)).astype(np.float64)
    if exponents is not None:
        top = np.ldexp(top, -exponents)
    left = np.maximum(B.max(axis=0), -B.min(axis=0), dtype=np.float64) if B.size else top
    return np.asarray(left <= 4 * 2.0**-52 * top)


def _exponents(X: Any) -> NDArray[np.int64] | None:
    """Powers of two that bring extreme columns to magnitude 1, (k,); None if no column is extreme."""
    sparse: bool = sp.issparse(X)
    if sparse:
        top = np.asarray(abs(X).max(axis=0).toarray(), dtype=np.float64).ravel()
    else:
        top = np.maximum(X.max(axis=0), -X.min(axis=0)).astype(np.float64)
    extreme = (top > 0) & ((top < TINY) | (top > HUGE))
    if not extreme.any():
        return None
    return np.where(extreme, np.frexp(top)[1], 0).astype(np.int64)


def _scaled(X: Any, exponents: NDArray[np.int64] | None, order: Literal["K", "F", "C"], copy: bool) -> Any:
    """X as float64 in the wanted order with columns scaled; X itself if nothing has to change."""
    sparse: bool = sp.issparse(X)
    if sparse:
        B = X.tocsc()
        data = B.data.astype(np.float64, copy=copy)
        if exponents is not None:
            data = np.ldexp(data, -np.repeat(exponents, np.diff(B.indptr)))
        return sp.csc_array((data, B.indices, B.indptr), shape=B.shape)
    if exponents is not None:
        return np.ldexp(X.astype(np.float64), -exponents).astype(np.float64, order=order)
    return (
        X.astype(np.float64, order=order, copy=True) if copy else np.asarray(X, dtype=np.float64, order=order)
    )
