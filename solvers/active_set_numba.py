"""Working set on its own Gram matrix, solved exactly on a face. [massias2018], [lee2007], [fercoq2015].

The fastest of ours for sparse solutions. One pass reads X for means, norms and A'z. While l1 comes down
from l1_max in a few steps (continuation), a working set W grows by violation, and only its Gram matrix is
worked on: coordinate descent (|W| a move) while signs change, then an active-set method on the support F
with an updated Cholesky factor (|F|^3/3 once, |F|^2 a change). A column is read again only when the bound
|a_j'r_old| + ||a_j|| ||r - r_old|| lets it matter, so late passes are partial. Dense column-major
float64/float32 and CSC are used in place; row-major or weighted X is copied once, in setup.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .problem import Problem, Vector
from .solution import Solution, Status, Stop

if TYPE_CHECKING:
    from ._columns import Columns

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("massias2018", "lee2007", "fercoq2015", "tibshirani2012")
PACKAGE = None

STEP = 0.3  # factor from one kappa to the next
TALL = 512  # columns up to which one symmetric update of them all may be the cheapest
EPS = 2.0**-52


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

    def run() -> Solution:
        state = _ActiveSet(columns, stop)
        state.approach()
        return state.solve()

    return run


def path(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Yield the solution at each of the falling l1s; X, the Gram matrix and the face are carried along."""
    from ._columns import Columns

    state = _ActiveSet(Columns(problem.replace(l1=l1s[0])), stop)
    for l1 in l1s:
        state.move_to(l1)
        yield state.solve()


class _ActiveSet:
    """One solve: working set W with its Gram matrix, its face F with its Cholesky factor, every a_j'r."""

    def __init__(self, columns: Columns, stop: Stop) -> None:
        form = columns.form
        self.columns, self.form, self.stop = columns, form, stop
        self.lam1 = form.lam1
        self.norms = np.sqrt(columns.norms_sq)
        self.dead = columns.norms_sq == 0
        # What is known of a_j'r: its value at the residual numbered stamp_j
        self.u = columns.u0.copy()
        self.u[self.dead] = 0.0
        self.r = form.z
        self.residuals = [form.z]
        self.stamp = np.zeros(form.k, dtype=np.intp)
        self.kappa = 1.0  # the factor by which lam1 is raised while W is being found
        self.W = np.flatnonzero(form.free & ~self.dead)
        self.inside = np.zeros(form.k, dtype=bool)
        self.inside[self.W] = True
        self.w = np.empty(0)  # of W
        self.gram = True  # False once W is too large for a Gram matrix: residual updates from then on
        self.G = self.L = np.empty((0, 0))
        self.F, self.where = np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
        self.sign = np.empty(0)
        self.f = -1  # columns of the face; -1: to be factored anew
        self.columns_read = form.k

    # ------------------------------------------------------------------ the loop

    def approach(self) -> None:
        """Start well above lam1: far from the solution few columns would be fitted too closely.

        They would then draw in columns that do not belong.
        """
        ratio = np.abs(self.u) / np.where(self.lam1 > 0, self.lam1, np.inf)
        top = float(ratio.max(initial=0.0))
        self.kappa = max(1.0, STEP * top)
        k = self.form.k
        if k <= TALL and top >= 50 and not self.columns.sparse and 10 * np.count_nonzero(ratio > 1) >= 9 * k:
            self._admit(np.flatnonzero(~self.inside & ~self.dead))  # nearly all will be in use: at once
            self.kappa = 1.0

    def move_to(self, l1: float) -> None:
        """Go to another l1 on a path; W gains what the sequential strong rule expects. [tibshirani2012]."""
        lam1 = self.form.problem.S * l1 * self.form.problem.v[self.form.columns]
        if self.form.exponents is not None:
            lam1 = np.ldexp(lam1, -self.form.exponents - self.form.y_exponent)
        u = self.u if self.form.positive else np.abs(self.u)
        expected = (u > 2 * lam1 - self.lam1) & ~self.inside & ~self.dead
        self.lam1 = lam1
        if expected.any() and self.w.size:
            self._admit(np.flatnonzero(expected))

    def solve(self) -> Solution:
        form, stop = self.form, self.stop
        began = time.perf_counter()
        scale = form.scale
        gap, status, n_iter = np.inf, Status.MAX_ITER, 0
        best, stuck = np.inf, 0
        while n_iter < stop.max_iter:
            n_iter += 1
            added = self._grow()
            if not self.gram:
                self._by_residual()
            elif self.kappa > 1:
                self._roughly()
            else:
                self._exactly(added)
            self.r = self.columns.residual(self.W, self.w)
            gap = self._certify(self.r)
            if gap <= stop.tol * scale or gap == 0.0:
                status = Status.CONVERGED
                break
            if self.kappa == 1:
                stuck = stuck + 1 if added == 0 and gap > 0.5 * best else 0
                best = min(best, gap)
                if stuck == 3:
                    status = Status.STALLED
                    break
            self.kappa = max(1.0, STEP * self.kappa)
            if stop.time_limit is not None and time.perf_counter() - began > stop.time_limit:
                status = Status.TIME_LIMIT
                break
        w = np.zeros(form.k)
        w[self.W] = self.w
        claim = gap / scale if scale > 0 else (0.0 if gap == 0 else np.inf)
        return form.solution(w, status, n_iter, float(claim))

    def _grow(self) -> int:
        """Add the worst violators, and some that come near, to W; return how many."""
        form = self.form
        u = self.u if form.positive else np.abs(self.u)
        excess = (u - self.kappa * self.lam1) / np.where(self.dead, 1.0, self.norms)
        excess[self.inside | self.dead] = -np.inf
        violators = int(np.count_nonzero(excess > 0))
        k, K = form.k, self.w.size
        support = int(np.count_nonzero(self.w))
        # A pass over X costs k n; extending the Gram matrix by a columns costs about a K n / 4
        room = max(4 * k // K if K else int(np.sqrt(4 * k)), support, 16)
        near = support // 4 if violators else 0
        size = min(max(violators, near), room, int(np.count_nonzero(excess > -np.inf)))
        new = np.sort(np.argpartition(-excess, size - 1)[:size]) if size else np.empty(0, dtype=np.intp)
        if self.W.size + size > K:
            self._admit(new)
        return size

    def _admit(self, new: NDArray[np.intp]) -> None:
        """Add columns to W, and bring w, the Gram matrix and the face's arrays up to it."""
        self.W = np.concatenate([self.W, new])
        self.inside[new] = True
        K, size = self.w.size, self.W.size
        self.w = np.concatenate([self.w, np.zeros(size - K)])
        self.gram = self.gram and size <= self.columns.gram_limit(self.W)
        if not self.gram:
            self.G = self.L = np.empty((0, 0))
            return
        if size > self.G.shape[0]:
            capacity = min(size + size // 2, self.form.k)
            bigger = np.empty((capacity, capacity))
            bigger[:K, :K] = self.G[:K, :K]
            self.G, self.L = bigger, np.empty((capacity, capacity))
            self.F, self.sign = np.empty(capacity, dtype=np.intp), np.empty(capacity)
            self.where = np.full(capacity, -1)  # position in F of each column of W, -1 outside
            self.f = -1
        self.columns.extend_gram(self.G, self.W, K)

    def _by_residual(self) -> None:
        """Coordinate descent on W with residual updates, until its moves are small against the first."""
        r = self.columns.residual(self.W, self.w)
        lam1 = self.kappa * self.lam1[self.W]
        first = self.columns.sweep(self.W, self.w, r, lam1)
        for _ in range(1000):
            active = np.flatnonzero(self.w)
            w = self.w[active]
            moved = self.columns.sweep(self.W[active], w, r, lam1[active])
            self.w[active] = w
            first = max(first, moved)
            if moved <= 1e-3 * first or moved <= 2.0**-104 * self.form.scale:
                return

    def _gradient(self) -> Vector:
        """a_j'r on W, of the true residual and not of the Gram matrix's: refinement."""
        if self.form.free.any():  # u is of the projected residual then
            return self.columns.dots(self.W, self.r)
        return self.u[self.W]

    def _roughly(self) -> None:
        """Coordinate descent on W at kappa lam1, only as far as finding W needs."""
        from ._gram import descend

        W, form = self.W, self.form
        lam1, lam2 = self.kappa * self.lam1[W], form.lam2[W]
        enough = 1e-6 * form.scale
        descend(self.G, W.size, self._gradient(), self.w, lam1, lam2, form.positive, 50, enough)
        self.f = -1

    def _exactly(self, added: int) -> None:
        """Solve the problem restricted to W: descent where much is new, then the active-set method."""
        from ._gram import descend, face, polish

        W, K, G, w = self.W, self.W.size, self.G, self.w
        lam1, lam2, positive = self.lam1[W], self.form.lam2[W], self.form.positive
        g = self._gradient()
        rounding = 4 * EPS * float(np.linalg.norm(self.residuals[-1]))
        if self.f < 0 or added > 8 + self.f // 4:
            descend(G, K, g, w, lam1, lam2, positive, 50, 0.0)
            self.f = face(G, K, g, w, lam2, self.L, self.F)
            F = self.F[: self.f]
            self.sign[: self.f] = np.sign(w[F])
            self.where[:] = -1
            self.where[F] = np.arange(self.f)
        slack = 1e-13 * lam1 + rounding * self.norms[W]
        self.f = polish(
            G,
            K,
            g,
            w,
            lam1,
            lam2,
            positive,
            self.L,
            self.F,
            self.sign,
            self.where,
            self.f,
            slack,
            50 + 20 * K,
        )

    def _certify(self, r: Vector) -> float:
        """Duality gap of (SF) at w, docs/maths.md (GAP), by the augmented-lasso scaling.

        Renews a_j'r where its bound says that it may matter.
        """
        form = self.form
        w = np.zeros(form.k)
        w[self.W] = self.w
        theta = form.off_free(w, r) if form.free.any() else r
        shift = np.zeros(len(self.residuals))
        for i in np.unique(self.stamp):  # those that a column still refers to
            shift[i] = np.linalg.norm(theta - self.residuals[i])
        if form.positive:
            bound = self.u + self.norms * shift[self.stamp]
        else:
            bound = np.abs(self.u) + self.norms * shift[self.stamp]
        renew = (bound > self.lam1) & ~self.dead
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
        hit = over > self.lam1
        alpha = float(np.min(self.lam1[hit] / over[hit], initial=1.0))
        tt = float(theta @ theta + form.lam2 @ (w * w))
        if tt > 0:
            alpha = min(alpha, max(float(form.z @ theta) / tt, 0.0))
        rest = r - theta
        a = np.abs(w)
        terms = a * (self.lam1 - alpha * np.sign(w) * tilde) + 0.5 * (1 - alpha) ** 2 * form.lam2 * a * a
        terms[form.free] = 0.0
        gap = 0.5 * (1 - alpha) ** 2 * float(theta @ theta) + 0.5 * float(rest @ rest)
        return gap + float(np.sum(np.maximum(terms, 0.0)))
