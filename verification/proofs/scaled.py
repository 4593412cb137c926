"""A problem made ready to be judged: scaled by powers of two, centred, its null fit known.

docs/maths.md (SCALE), (SHIFT), (N). Everything here is constant over the points that are judged.
"""

from __future__ import annotations

import math
from copy import copy

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear, nnls
from scipy.sparse.linalg import LinearOperator

from solvers import Problem

from .design import Design, Vector, exponents
from .dual import Penalty
from .projection import DENSE, Span

EXTRA = 8  # operations on a term of the residual or of u_j besides its sum: weights, shifts, scalings
EPS = float(np.finfo(np.float64).eps)
LARGEST = float(np.finfo(np.float64).max)
NEGLIGIBLE = math.sqrt(float(np.finfo(np.float64).tiny))  # a scaled penalty below it has no effect in float64


class Scaled:
    """(P) in the units x'_j = 2^-a_j x_j, y' = 2^-c y, w'_j = 2^(a_j - c) w_j, rows with s_i = 0 left out.

    Attributes
    ----------
    kept : (p,) bool
        Columns with finite v_j; every vector below with length q is over them.
    all_kept : bool
        Whether that is all of them.
    design : Design
    y : (n,) array
        sqrt(s) (y' - c'), c' the weighted mean if there is an intercept.
    penalty : Penalty
        l1'_j, l2'_j, (q,).
    free : (q,) bool
        U: columns without any penalty.
    span : Span
        Of the free columns and the constant; of the constant alone if positive.
    null, scale : float
        P_null and N, in units of the objective times 2^(-2c).
    underflow : float
        Rounding of absolute figures on leaving the scaled units.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        rows = np.flatnonzero(problem.s)
        v = problem.v
        self.kept = np.isfinite(v)
        self.all_kept = bool(self.kept.all())
        X, s, y = problem.X, problem.s, problem.y
        if rows.size < problem.n:
            X, s, y = X[rows], s[rows], y[rows]
        if not self.kept.all():
            X = X[:, np.flatnonzero(self.kept)]
        s = np.ldexp(s, -exponents(np.max(s)))
        self.design = design = Design(X, s, problem.intercept)
        self.S = design.S

        self.y_exponent = int(exponents(np.max(np.abs(y))))
        # absolute figures below the normal range are rounded to multiples of the smallest subnormal
        self.underflow = 3 * math.ulp(0.0) if y.any() else 0.0
        y = np.ldexp(y, -self.y_exponent)
        # differences first: a constant y has exactly its value as mean
        self.mean = float(y[0] + s @ (y - y[0]) / self.S) if problem.intercept else 0.0
        self.magnitude = design.root * np.abs(y - self.mean)
        self.y = design.root * (y - self.mean)

        with np.errstate(over="ignore", under="ignore"):
            self.l1_unit = np.ldexp(v[self.kept], -design.exponent - self.y_exponent)  # (q,) l1'_j / l1
            self.l2_unit = np.ldexp(v[self.kept], -2 * design.exponent)  # (q,) l2'_j / l2
        self.penalty = self._penalty()
        self.free = self.penalty.none

        members = np.flatnonzero(self.free)
        self.constant = Span(design, np.zeros(0, dtype=np.intp), problem.intercept)
        self.span = self.constant if problem.positive else Span(design, members, problem.intercept)
        rest = self._positive_null(members) if problem.positive else self.span.split(self.y)[1]
        self.null = float(rest @ rest) / (2 * self.S)
        self.scale = max(self.null, EPS**2 * float(s @ y**2) / (2 * self.S))

    def _penalty(self) -> Penalty:
        problem = self.problem
        l1, l2 = _in_units(problem.l1, self.l1_unit), _in_units(problem.l2, self.l2_unit)
        return Penalty(_felt(l1), _felt(l2), problem.positive)

    def at(self, l1: float) -> Scaled:
        """Return the same at another l1; shared, where the same columns are free, is all but the penalty."""
        problem = self.problem.replace(l1=l1)
        other = copy(self)
        other.problem = problem
        other.penalty = other._penalty()
        return other if np.array_equal(other.penalty.none, self.free) else Scaled(problem)

    def along(self, l1s: Vector) -> Scaled | None:
        """Return the same at k values of l1 together, with a penalty of k rows.

        None where the columns without penalty are others at some of them, or where with `positive` the dual
        point has to be found anew for each point.
        """
        other = copy(self)
        l1 = np.array([_in_units(l1, self.l1_unit) for l1 in l1s.tolist()])
        other.penalty = Penalty(_felt(l1), self.penalty.l2, self.penalty.positive)
        alone = self.problem.positive and self.free.any()
        return None if alone or (other.penalty.none != self.free).any() else other

    def _positive_null(self, members: NDArray[np.intp]) -> Vector:
        """Residual of the non-negative fit by the free columns and the constant, (n,)."""
        design = self.design
        y = self.constant.split(self.y)[1]
        members = members[design.norm[members] > 0]
        if not members.size:
            return y
        if not design.sparse or design.n * members.size <= DENSE:
            A = np.column_stack([self.constant.split(a)[1] for a in design.columns(members).T])
            norm = np.linalg.norm(A, axis=0)
            norm[norm == 0] = 1.0
            return y - A @ (nnls(A / norm, y)[0] / norm)
        inverse = 1 / design.norm[members]

        def forward(b: Vector) -> Vector:
            w = np.zeros(design.p)
            w[members] = np.ravel(b) * inverse
            return self.constant.split(design.root * design.product(w))[1]

        def backward(t: Vector) -> Vector:
            t = self.constant.split(np.ravel(t))[1]
            return design.correlate(t[:, None])[members, 0] * self.S * inverse

        shape = (design.n, members.size)
        operator = LinearOperator(shape, matvec=forward, rmatvec=backward, dtype=np.float64)
        fit = lsq_linear(operator, y, bounds=(0, np.inf), lsq_solver="lsmr", tol=EPS)
        return y - forward(fit.x)

    def coefficients(self, coef: Vector) -> Vector:
        """Scaled coefficients of the kept columns, (q,); of k points (k, q)."""
        w = coef.copy() if self.all_kept else coef[..., self.kept]
        j = np.flatnonzero(w if w.ndim == 1 else w.any(axis=0))
        with np.errstate(over="ignore", under="ignore"):
            w[..., j] = np.ldexp(w[..., j], self.design.exponent[j] - self.y_exponent)
        return w

    def intercept(self, b: Vector, w: Vector) -> tuple[Vector, Vector]:
        """Return b in the centred units, b - c + sum_j m_j w_j, and the size of its terms, (SHIFT)."""
        if not self.problem.intercept:
            return np.zeros_like(b), np.zeros_like(b)
        offsets, sizes = [], []
        for own, shifts in zip(np.ravel(b).tolist(), np.atleast_2d(self.design.shift * w), strict=True):
            terms = shifts[shifts != 0]
            offset = math.fsum([math.ldexp(own, -self.y_exponent), -self.mean, *terms.tolist()])
            offsets.append(offset)
            sizes.append(abs(offset) + math.fsum(np.abs(terms).tolist()))
        return np.array(offsets).reshape(np.shape(b)), np.array(sizes).reshape(np.shape(b))

    def absolute(self, value: float) -> float:
        """From scaled units of the objective to the problem's."""
        try:
            return math.ldexp(value, 2 * self.y_exponent)
        except OverflowError:
            return math.inf


def _felt(penalty: Vector) -> Vector:
    """Return scaled penalties, those that have no effect in float64 as 0."""
    return np.where(penalty < NEGLIGIBLE, 0.0, penalty)


def _in_units(penalty: float, unit: Vector) -> Vector:
    """Return penalty * unit, at most LARGEST; no penalty is none in any unit, though 0 * inf is nan."""
    if penalty == 0:
        return np.zeros_like(unit)
    with np.errstate(over="ignore", under="ignore"):
        return np.minimum(penalty * unit, LARGEST)
