"""Working set on its own Gram matrix: descent until the signs settle, then Newton on their face. [massias2018], [lee2007].

The fastest of ours for sparse solutions. One pass reads X for means, norms and A'z; then a working set W grows by
violation, and only its Gram matrix is worked on (|W| an update, |F|^3/3 a Newton step on the support F). A column is
read again only when the bound |a_j'r_old| + ||a_j|| ||r - r_old|| allows it to matter, so later passes are
partial. Dense column-major float64/float32 and CSC are used in place; row-major X is copied once, in setup.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .problem import Problem, Vector
from .solution import Solution, Status, Stop

if TYPE_CHECKING:
    from ._columns import Columns

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("massias2018", "lee2007", "fercoq2015")
PACKAGE = None


def refuses(problem: Problem) -> str | None:
    """Without an L1 penalty nothing is sparse: a factorisation is the method then."""
    v = problem.v
    if problem.l1 == 0 or not np.any((v > 0) & np.isfinite(v)):
        return "no L1 penalty, so no sparsity to work with: use a ridge solver"
    return None


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Read X once: means, norms, A'z."""
    from ._columns import Columns

    columns = Columns(problem)
    return lambda: _ActiveSet(columns, stop).solve()


class _ActiveSet:
    """State of one solve: the working set with its Gram matrix, and what is known of every column's a_j'r."""

    def __init__(self, columns: Columns, stop: Stop) -> None:
        form = columns.form
        self.columns, self.form, self.stop = columns, form, stop
        self.began = time.perf_counter()
        self.norms = np.sqrt(columns.norms_sq)
        self.dead = columns.norms_sq == 0
        # What is known of a_j'r: its value at the residual numbered stamp_j
        self.u = columns.u0.copy()
        self.u[self.dead] = 0.0
        self.residuals = [form.z]
        self.stamp = np.zeros(form.k, dtype=np.intp)
        self.W = np.flatnonzero(form.free & ~self.dead)
        self.inside = np.zeros(form.k, dtype=bool)
        self.inside[self.W] = True
        self.K = 0  # columns of W that G covers
        self.G = np.empty((0, 0))
        self.w = np.empty(0)
        self.columns_read = form.k

    # ------------------------------------------------------------------ the loop

    def solve(self) -> Solution:
        form, stop = self.form, self.stop
        scale = form.scale
        gap, status, n_iter = np.inf, Status.MAX_ITER, 0
        best, stuck = np.inf, 0
        r = form.z
        for n_iter in range(1, stop.max_iter + 1):
            grew = self._grow(n_iter)
            self._optimise(enough=max(0.01 * stop.tol * scale, 1e-3 * min(gap, scale)) if grew else 0.0)
            r = self.columns.residual(self.W, self.w)
            gap = self._certify(r)
            if gap <= stop.tol * scale or gap == 0.0:
                status = Status.CONVERGED
                break
            stuck = stuck + 1 if not grew and gap > 0.5 * best else 0
            best = min(best, gap)
            if stuck == 3:
                status = Status.STALLED
                break
            if stop.time_limit is not None and time.perf_counter() - self.began > stop.time_limit:
                status = Status.TIME_LIMIT
                break
        w = np.zeros(form.k)
        w[self.W] = self.w
        claim = gap / scale if scale > 0 else (0.0 if gap == 0 else np.inf)
        return form.solution(w, status, n_iter, float(claim))

    def _violation(self) -> Vector:
        """How far each column outside W is beyond its bound, in units of its norm; <= 0 if it is not."""
        u = self.u if self.form.positive else np.abs(self.u)
        excess = (u - self.form.lam1) / np.where(self.dead, 1.0, self.norms)
        excess[self.inside | self.dead] = -np.inf
        return excess

    def _grow(self, n_iter: int) -> bool:
        """Add the worst violators to W; False if there are none."""
        excess = self._violation()
        violators = np.flatnonzero(excess > 0)
        if violators.size == 0 and self.W.size == self.K:
            return False
        k, K = self.form.k, max(self.W.size, 1)
        # A pass over X costs k n; extending the Gram matrix by a columns costs about a K n / 4
        room = max(int(np.sqrt(4 * k)) if n_iter == 1 else 4 * k // K, np.count_nonzero(self.w), 16)
        if n_iter == 1 and 2 * violators.size >= k and k <= 512:
            room = k  # tall: the whole symmetric update at once
        if violators.size > room:
            violators = violators[np.argpartition(-excess[violators], room)[:room]]
        self.W = np.concatenate([self.W, np.sort(violators)])
        self.inside[violators] = True
        self._extend()
        return True

    def _extend(self) -> None:
        """Bring G, w up to W."""
        size = self.W.size
        if size > self.G.shape[0]:
            bigger = np.empty((max(size, min(2 * size, self.form.k)),) * 2)
            bigger[: self.K, : self.K] = self.G[: self.K, : self.K]
            self.G = bigger
        self.columns.extend_gram(self.G, self.W, self.K)
        self.w = np.concatenate([self.w, np.zeros(size - self.K)])
        self.K = size

    def _optimise(self, enough: float) -> None:
        """Solve the problem restricted to W; stop early where a step gains no more than ``enough``."""
        from ._gram import descend, newton_on_face

        W, K, G, w = self.W, self.K, self.G, self.w
        lam1, lam2, positive = self.form.lam1[W], self.form.lam2[W], self.form.positive
        g = self.u[W]  # of the true residual, not of the Gram matrix's: refinement
        for _ in range(1000):
            F = np.count_nonzero(w)
            sweeps = 5 + F * F // (20 * K + 1)  # about what one factorisation costs
            moved = descend(G, K, g, w, lam1, lam2, positive, sweeps, enough)
            full, decrease = newton_on_face(G, K, g, w, lam1, lam2)
            if decrease <= enough and (full or moved <= enough):
                beyond = (g if positive else np.abs(g)) > lam1 * (1 + 1e-13)
                if not np.any(beyond & (w == 0)) or moved <= enough:
                    return

    def _certify(self, r: Vector) -> float:
        """Duality gap of (SF) at w, docs/maths.md (GAP), by the augmented-lasso scaling; renews what matters of u."""
        form = self.form
        w = np.zeros(form.k)
        w[self.W] = self.w
        theta = form.off_free(w, r) if form.free.any() else r
        shift = np.array([np.linalg.norm(theta - old) for old in self.residuals])
        if form.positive:
            bound = self.u + self.norms * shift[self.stamp]
        else:
            bound = np.abs(self.u) + self.norms * shift[self.stamp]
        renew = (bound > form.lam1) & ~self.dead
        renew[self.W] = True
        renew[form.free] = True
        cols: NDArray[np.intp] = np.flatnonzero(renew)
        self.columns_read += cols.size
        self.u[cols] = self.columns.dots(cols, theta)
        self.residuals.append(theta)
        self.stamp[cols] = len(self.residuals) - 1

        tilde = self.u - form.lam2 * w
        over = tilde if form.positive else np.abs(tilde)
        over = np.where(form.free | ~renew, 0.0, over)
        hit = over > form.lam1
        alpha = float(np.min(form.lam1[hit] / over[hit], initial=1.0))
        tt = float(theta @ theta + form.lam2 @ (w * w))
        if tt > 0:
            alpha = min(alpha, max(float(form.z @ theta) / tt, 0.0))
        rest = r - theta
        a = np.abs(w)
        terms = a * (form.lam1 - alpha * np.sign(w) * tilde) + 0.5 * (1 - alpha) ** 2 * form.lam2 * a * a
        terms[form.free] = 0.0
        gap = 0.5 * (1 - alpha) ** 2 * float(theta @ theta) + 0.5 * float(rest @ rest)
        return gap + float(np.sum(np.maximum(terms, 0.0)))
