"""The honest solver that faults are planted in: cyclic coordinate descent in plain numpy, complete and plain.

It works on the standard form, docs/maths.md (SF), made dense. Each step that somebody could get wrong is a
method of its own, so that a fault overrides one of them and the rest stays right.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem, Solution, Status, Stop

Vector = NDArray[np.float64]

SWEEPS = 3000  # it says MAX_ITER rather than go on
EVERY = 5  # sweeps between two leaps, and two looks at the gap
EPS = float(np.finfo(np.float64).eps)


def refuses(problem: Problem) -> str | None:
    """Say why a problem is not for this solver, or None."""
    return "data beyond 2^+-200" if problem.is_extreme else None


class Descent:
    """One problem, solved once from w = 0.

    Attributes
    ----------
    X : (n, k) array
        Columns with finite v, dense, float64.
    y, s : (n,) arrays
    S : float
    m : (k,) array
        Weighted column means; zero without an intercept.
    c : float
        Weighted mean of y, likewise.
    A, z : (n, k) and (n,) arrays
        Centred and weighted, (SF).
    l1, l2 : (k,) arrays
        S l1 v and S l2 v.
    w, r : (k,) and (n,) arrays
        Coefficients, and the residual z - A w.
    before : (k,) array
        Coefficients one sweep ago.
    """

    def __init__(self, problem: Problem, stop: Stop) -> None:
        self.problem, self.stop = problem, stop
        self.kept = self.columns()
        self.X = self.matrix()
        self.y, self.s = problem.y, self.weights()
        self.S = self.total()
        self.m, self.c = self.means() if problem.intercept else (np.zeros(self.X.shape[1]), 0.0)
        root = self.roots()
        self.A = np.asfortranarray(root[:, None] * (self.X - self.m))
        self.z = root * (self.y - self.c)
        self.l1, self.l2 = self.penalties()
        self.free = (self.l1 == 0) & (self.l2 == 0)
        self.curvature = self.squares()
        self.w, self.r = np.zeros(self.A.shape[1]), self.z.copy()
        self.before = np.full_like(self.w, np.nan)

    def warm(self, w: Vector) -> None:
        """Start from these coefficients."""
        self.w = w.copy()
        self.r = self.z - self.A @ self.w

    # ---- the standard form -------------------------------------------------------------------------------

    def columns(self) -> NDArray[np.intp]:
        """Return the columns that may be used: v = inf fixes w_j at 0."""
        return np.flatnonzero(np.isfinite(self.problem.v))

    def matrix(self) -> Vector:
        """Return those columns, dense."""
        X: Any = self.problem.X
        dense = X.toarray() if self.problem.is_sparse else X
        return np.asarray(dense, dtype=np.float64)[:, self.kept]

    def weights(self) -> Vector:
        """Return s."""
        return self.problem.s

    def roots(self) -> Vector:
        """Return what the rows are multiplied by."""
        return np.sqrt(self.s)

    def total(self) -> float:
        """Return S."""
        return float(np.sum(self.s))

    def means(self) -> tuple[Vector, float]:
        """Return the weighted means of the columns and of y."""
        return self.s @ self.X / self.S, float(self.s @ self.y) / self.S

    def penalties(self) -> tuple[Vector, Vector]:
        """Return S l1 v and S l2 v."""
        v = self.problem.v[self.kept]
        return self.S * self.problem.l1 * v, self.S * self.problem.l2 * v

    def squares(self) -> Vector:
        """Return ||a_j||^2."""
        return np.einsum("ij,ij->j", self.A, self.A)

    # ---- the iteration -----------------------------------------------------------------------------------

    def prox(self, t: float, j: int) -> float:
        """Minimise over w_j alone, docs/maths.md (PROX)."""
        total = self.curvature[j] + self.l2[j]
        if total <= 0:
            return 0.0
        if self.problem.positive:
            return float(max(t - self.l1[j], 0.0) / total)
        return float((max(t - self.l1[j], 0.0) + min(t + self.l1[j], 0.0)) / total)

    def update(self, j: int) -> None:
        """Bring w_j to its minimiser, and the residual after it."""
        a, old = self.A[:, j], self.w[j]
        new = self.prox(float(a @ self.r) + self.curvature[j] * old, j)
        if new != old:
            self.r -= (new - old) * a
            self.w[j] = new

    def order(self) -> Any:
        """Return the coordinates in the order of a visit."""
        return range(self.w.size)

    def sweep(self) -> None:
        """Visit each coordinate once."""
        for j in self.order():
            self.update(j)

    def leap(self) -> None:
        """Go to the minimiser on the support with the signs as they are, if it has these signs too."""
        either = (self.l1 == 0) & (not self.problem.positive)
        F = np.flatnonzero((self.w != 0) | either)
        A, sign = self.A[:, F], np.where(either, 0.0, np.sign(self.w))[F]
        H = A.T @ A + np.diag(self.l2[F])
        target = np.linalg.lstsq(H, A.T @ self.z - self.l1[F] * sign, rcond=None)[0]
        if np.all((target * sign > 0) | (sign == 0)):
            self.w[F] = target
            self.r = self.z - A @ target

    def gap(self) -> float:
        """Relative duality gap, docs/maths.md (GAP), (N): the scaled residual is the dual point.

        Off the unpenalised columns in use, that is; inf where another one of them wants to enter (w >= 0).
        """
        used = self.free & (self.w > 0) if self.problem.positive else self.free
        theta = off(self.A[:, used], self.r)
        u = self.A.T @ theta
        towards = u if self.problem.positive else np.abs(u)
        rounding = EPS * self.r.size * np.sqrt(self.curvature) * np.linalg.norm(self.r)
        if np.any(towards[self.free & ~used] > rounding[self.free & ~used]):
            return np.inf
        hard = (self.l2 == 0) & (self.l1 > 0) & (towards > self.l1)
        alpha = float(np.min(self.l1[hard] / towards[hard], initial=1.0))
        theta, u, towards = alpha * theta, alpha * u, alpha * towards
        excess = np.maximum(towards - self.l1, 0.0)
        conjugate = np.divide(excess**2, 2 * self.l2, out=np.zeros_like(u), where=self.l2 > 0)
        a = np.abs(self.w)
        terms = self.l1 * a + self.l2 * a * a / 2 + conjugate - u * self.w
        step = self.r - theta
        value = float(step @ step) / 2 + float(np.sum(np.maximum(terms[~used], 0.0)))
        return value / self.scale() if value > 0 else 0.0

    def scale(self) -> float:
        """S N; less than that where w >= 0 binds an unpenalised column."""
        null = off(self.A[:, self.free], self.z)
        floor = EPS**2 * float(self.s @ self.y**2)
        return max(float(null @ null), floor, float(np.finfo(np.float64).tiny)) / 2

    # ---- the answer --------------------------------------------------------------------------------------

    def solve(self) -> Solution:
        """Descend until the gap is at most tol; say so if that is not reached."""
        began = time.monotonic()
        limit = self.stop.time_limit
        gap, status, n_iter = np.inf, Status.MAX_ITER, 0
        for n_iter in range(1, min(self.stop.max_iter, SWEEPS) + 1):
            self.sweep()
            late = limit is not None and time.monotonic() - began > limit
            stuck = np.array_equal(self.w, self.before)
            if n_iter % EVERY == 0 or stuck or late:
                self.leap()
                gap = self.gap()
                if gap <= self.stop.tol:
                    status = Status.CONVERGED
                elif late or stuck:
                    status = Status.TIME_LIMIT if late else Status.STALLED
                if status is not Status.MAX_ITER:
                    break
            self.before = self.w.copy()
        else:
            gap = self.gap()
        return self.answer(status, n_iter, gap)

    def answer(self, status: Status, n_iter: int, gap: float) -> Solution:
        """Return the coefficients of (P)."""
        coef = np.zeros(self.problem.p)
        coef[self.kept] = self.w
        return Solution(coef, self.intercept(), status, n_iter, gap)

    def intercept(self) -> float:
        """Return b."""
        return self.c - float(self.m @ self.w)


def honest(problem: Problem, stop: Stop) -> Solution:
    """Solve without a fault."""
    return Descent(problem, stop).solve()


def honest_path(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solve for falling l1, each from the one before."""
    before: Descent | None = None
    for l1 in l1s:
        solver = Descent(problem.replace(l1=l1), stop)
        if before is not None:
            solver.warm(before.w)
        yield solver.solve()
        before = solver


def off(U: Vector, r: Vector) -> Vector:
    """Return r less its projection on the columns of U."""
    return r - U @ np.linalg.lstsq(U, r, rcond=None)[0] if U.size else r
