"""The working set of active_set_numba: what is in it, what is known of the columns outside, and the gap."""

from __future__ import annotations

import math
import time

import numpy as np
from numpy.typing import NDArray

from ._broad_descent import Outcome, broad_descent
from ._columns import Columns
from ._factor_face import FactorFace
from ._gram_face import EPS, GramFace
from ._growth import STEP, confirmed, entering, price, start
from ._residual_face import SWEEPS, ResidualFace
from ._standard_form import penalties
from .problem import Vector
from .solution import Solution, Status, Stop

LATE = 16, 2  # X with so many times fewer columns than n^2, and rows at most than columns: see ActiveSet
PRICE = 16  # columns that enter a Gram matrix for what a sweep over the support costs
DESCENT = 20  # sweeps at most on a Gram matrix
MANY = 8  # a support has many new columns where they are more than one in so many
PACKED = 200  # sparse columns in use from which on W is copied side by side for its many products
NEAR = 0.7  # of its bound: a column of W below this may give its place to another,
CLOSE = 0.95  # and below this it has none in a Gram matrix that is made late
HALF = 0.5  # of the rows: where more columns are in use conjugate gradients are slow,
CROWDED = 400, 0.9  # and of so many rows or more, where so much is, any Gram matrix is
FILLED = 0.95  # of the largest Gram matrix at first: others are to enter
ENDED = 0.01  # of tol^2 y'y is a change of the fit, squared, that leaves about tol of the gap;
CLOSER = 0.01  # less of it is to be left each time that this was not enough
REFINED = 0.01  # of the gap may be left by a step of refinement on a rounded Gram matrix


def length(r: Vector) -> float:
    """Euclidean norm."""
    return math.sqrt(float(r @ r))


class ActiveSet:
    """Working set W, the coefficients on it, and what is known of every a_j'r.

    Parameters
    ----------
    columns : Columns
    stop : Stop
    once : bool
        Whether one l1 is solved and no more. Then a Gram matrix may be rounded; and of an X that is nearly
        square it is made when W is nearly complete: until then descent on the residual costs less than to
        extend it, and to factor it, again and again. Not of a wide X, where W stays small (no more than n
        columns are of use) and an exact solution on W saves passes over X; nor of a tall one, whose Gram
        matrix is the small thing.
    """

    def __init__(self, columns: Columns, stop: Stop, once: bool = False) -> None:
        form = columns.form
        self.columns, self.form, self.stop = columns, form, stop
        self.lam1 = form.lam1
        self.norms = np.sqrt(columns.norms_sq)
        self.dead = columns.norms_sq == 0
        self.alive = form.k - int(np.count_nonzero(self.dead))
        self.every = np.arange(form.k) if form.k < form.problem.p else form.columns
        self._coefs, self._at = np.zeros(form.k), np.empty(0, dtype=np.intp)
        # What is known of a_j'r: its value at the residual numbered stamp_j
        self.u = columns.u0.copy()
        self._zero_dead()
        self.r = form.z
        self.residuals = [form.z]
        self.stamp = np.zeros(form.k, dtype=np.int32)
        self.kappa = 1.0  # the factor by which lam1 is raised while W is being found
        self.step = STEP
        self.stuck = 0  # solutions in a row that brought the gap no farther
        self.solved = False  # whether w is a solution already of which the gap is not known
        self.began = 0.0  # when it was begun, by time.perf_counter
        self.sweeps_on, self.ended = False, ENDED  # whether descent on all columns may go on, and how far
        self.before = np.inf  # the gap of the last solution by the same Gram matrix
        self.doubtful = False  # whether all columns seem to be in use, which a first solution is to confirm
        self.by_residual = ResidualFace(columns)
        self.by_factor: FactorFace | None = None
        self.has_free = bool(form.free.any())
        self.W = np.flatnonzero(form.free & ~self.dead) if self.has_free else np.empty(0, dtype=np.intp)
        self.inside = np.zeros(form.k, dtype=bool)
        self.inside[self.W] = True
        self.w = np.zeros(self.W.size)  # of W
        self.once = once and not self.has_free
        n, k = form.z.size, form.k
        square = n**2 >= LATE[0] * k and n <= LATE[1] * k
        self.waits = self.once and square and columns.gram is None and not columns.sparse
        self.gram: GramFace | None = None
        self.by_gram = True  # whether there may be one
        if not columns.sparse and not self.waits:
            self.make_gram(self.once)
        self.columns_read = form.k
        self.l1: float | None = None  # on a path, where it stands, and how A'r changes with l1
        self.slope: Vector | None = None
        self.stale = False  # whether the residual and A'r are yet to be computed
        self.known = (form.z, columns.u0)  # on a path, some vector and its products with all columns

    # ------------------------------------------------------------------ the loop

    def approach(self) -> None:
        """Decide how far above lam1 to start; or with all columns."""
        self.began = time.perf_counter()
        self.kappa, self.step, whole, self.doubtful, broad = start(self.columns, self.u, self.lam1)
        if broad and self.once and self._descend_broadly():
            return
        if whole:
            self._take_all()

    def _descend_broadly(self) -> bool:
        """Descend on all the columns; False if that is slow, and nothing has changed."""
        W = np.flatnonzero(~self.dead)
        w, r = np.zeros(W.size), self.form.z.copy()
        outcome = self._descend(W, w, r, afresh=True)
        if outcome is Outcome.SLOW:
            return False
        self.gram, self.waits, self.kappa, self.doubtful = None, True, 1.0, False
        self.W, self.w = W, w
        self.inside[W] = True
        self.solved, self.sweeps_on = True, outcome is Outcome.DONE
        return True

    def _descend(self, W: NDArray[np.intp], w: Vector, r: Vector, afresh: bool) -> Outcome:
        """Descend on W from w, each time closer; w and the residual r are changed."""
        n, rounds = self.form.z.size, self._rounds(self.once)
        enough = self.ended * self.stop.tol**2 * self.form.scale
        self.ended *= CLOSER
        return broad_descent(
            self.columns, W, w, r, self.lam1[W], enough, lambda K: price(n, K, rounds), afresh, self._until
        )

    def _take_all(self) -> int:
        """Take in all the columns, and make their Gram matrix from X as it lies; return how many are new."""
        new, full = self.alive - self.W.size, self._spread()
        self.W = np.flatnonzero(~self.dead)
        self.w = full[self.W]
        self.inside[self.W] = True
        if self.gram is None or self.gram.K:
            self.gram = GramFace(self.columns, self.once)
        self.waits = False
        self.gram.place(self.W, np.arange(self.W.size))
        return new

    def penalties(self, l1: float) -> Vector:
        """lam1 of every column at this l1."""
        lam1 = penalties(self.form.problem, l1)[self.form.columns]
        if self.form.exponents is not None:
            lam1 = np.ldexp(lam1, -self.form.exponents - self.form.y_exponent)
        return np.asarray(lam1)

    def move_to(self, l1: float) -> None:
        """Go to another l1 on a path; W gains what the sequential strong rule expects. [tibshirani2012]."""
        lam1, self.l1, self.slope = self.penalties(l1), l1, None
        u = self.u if self.form.positive else np.abs(self.u)
        expected = (u > 2 * lam1 - self.lam1) & ~self.inside & ~self.dead
        self.lam1 = lam1
        if expected.any() and self.w.size:
            self.admit(np.flatnonzero(expected))

    def solve(self) -> Solution:
        form, stop = self.form, self.stop
        if not self.solved:
            self.began = time.perf_counter()
        scale = form.scale
        gap, status, n_iter = np.inf, Status.MAX_ITER, 0
        best, self.stuck = np.inf, 0
        kept = self.w.copy(), self.W  # the coefficients of the least gap, which is not always the last
        nothing = 0.5 * float(form.z @ form.z)  # no less than the gap of the zero solution
        while n_iter < stop.max_iter:
            n_iter += 1
            added = self._grow()
            if self.solved:
                self.solved = False
            elif self.kappa > 1:
                self._roughly(added)
            else:
                self._exactly(added)
            gap = self._gap_on_gram() if self.kappa == 1 else np.inf
            if not gap <= stop.tol * scale:
                gap = self._gap_on_residual()
            if gap <= stop.tol * scale or gap == 0.0:
                status = Status.CONVERGED
                break
            before, self.before = self.before, gap
            if self.gram is not None and self.gram.rounded:
                slow = not gap <= (REFINED if added == 0 else 10.0) * before
                if (self.kappa == 1 and slow) or self.gram.unfit:
                    self.make_gram()
            elif self.kappa == 1:
                self.stuck = self.stuck + 1 if added == 0 and not gap <= 0.5 * best else 0
                if gap < best:
                    best, kept = gap, (self.w.copy(), self.W)
                failed = self.stuck == 2 or not gap <= nothing
                if failed and self.gram is not None and self.may_factor:
                    self._leave_gram(*kept)
                if self.stuck == 3:
                    status = Status.STALLED
                    break
            self.kappa *= self.step
            if self.kappa < 1.01:
                self.kappa = 1.0
            if time.perf_counter() > self._until:
                status = Status.TIME_LIMIT
                break
        w, at = self.w, self.W
        if status is not Status.CONVERGED and gap > best:
            gap, (w, at) = best, kept
        if not gap <= max(nothing, stop.tol * scale):
            gap, w, at = nothing, np.empty(0), np.empty(0, dtype=np.intp)
        claim = gap / scale if scale > 0 else (0.0 if gap == 0 else np.inf)
        passes = self.columns_read / max(form.k, 1)
        self.columns_read = 0
        said = f"X read {passes:.2f} times"
        return form.solution(w, status, n_iter, float(claim), said, at)

    def arrive(
        self, l1: float, w: Vector, u: Vector, r: Vector | None, theta: Vector | None, exact: bool
    ) -> None:
        """Take over what a path's block has found at l1.

        Parameters
        ----------
        l1 : float
        w : (K,) array
            Of W.
        u : (k,) array
            A'theta.
        r, theta : (n,) arrays, or None
            The residual, and the same off the free columns; None where the block did without.
        exact : bool
            Whether u is that for columns outside W, too, and not only within bounds that sufficed.
        """
        self.l1, self.lam1 = l1, self.penalties(l1)
        self.w, self.u = w.copy(), u.copy()
        self.stale = not exact
        if r is not None and theta is not None:
            self.r, self.residuals = r, [theta]
            self.stamp[:] = 0

    def refresh(self) -> None:
        """The residual and A'r anew, where a block did without them."""
        if self.stale:
            self.r = self.columns.residual(self.W, self.w)
            self.u = self.columns.dots(self.every, self.r)
            self._zero_dead()
            self.residuals, self.stale = [self.r], False
            self.stamp[:] = 0

    def _zero_dead(self) -> None:
        """a_j'r of columns that are zero: what rounding made of it."""
        if self.alive < self.form.k:
            self.u[self.dead] = 0.0

    def _spread(self) -> Vector:
        """The coefficients of all columns, into the same memory each time."""
        self._coefs[self._at] = 0.0
        self._coefs[self.W] = self.w
        self._at = self.W
        return self._coefs

    def _grow(self) -> int:
        """Add the worst violators, and some that come near, to W; return how many."""
        if self.complete:
            return 0
        from ._screening import candidates

        form = self.form
        near, excess, violators = candidates(
            self.u, self.norms, self.lam1, self.kappa, form.positive, self.inside, self.dead
        )
        K = self.w.size
        if self.doubtful and K:
            self.doubtful = False
            if confirmed(self.columns, K, violators):
                return self._take_all()
        support = int(np.count_nonzero(self.w))
        some = entering(self.columns, K, support, violators, self.gram is not None)
        size = min(some, near.size)
        if size:
            self.admit(np.sort(near[np.argpartition(-excess, size - 1)[:size]]))
        return size

    def make_gram(self, may_round: bool = False) -> None:
        """From here on W has a Gram matrix, without the columns that are far from use; if memory allows."""
        self.waits, self.before = False, np.inf
        self.gram = None  # its memory first
        if not self._fits(may_round):
            return
        self.gram = GramFace(self.columns, self._rounds(may_round))
        if self.W.size:
            kept = np.ones(self.W.size, dtype=bool)
            kept[self._leaving(self.gram.most)] = False
            self.inside[self.W[~kept]] = False
            self.W, self.w = self.W[kept], self.w[kept]
            self.gram.place(self.W, np.arange(self.W.size))

    def _rounds(self, may_round: bool) -> bool:
        """Whether a Gram matrix made now may be rounded.

        Not where nearly as many columns are in use as there are rows, if memory allows it: what is left open
        by rounding are the small pivots, of which there are many then.
        """
        support = int(np.count_nonzero(self.w))
        full = 10 * support >= 9 * self.form.z.size
        return may_round and not (full and support <= FILLED * self.columns.gram_limit)

    def _leave_gram(self, w: Vector, W: NDArray[np.intp]) -> None:
        """Go back to w of W, and on without a Gram matrix: the face is too ill-conditioned for one."""
        self.gram, self.by_gram = None, False
        self.inside[self.W] = False
        self.w, self.W = w.copy(), W
        self.inside[W] = True
        self._gap_on_residual()

    def _most(self, may_round: bool) -> int:
        """Columns that a Gram matrix made now may have."""
        return self.columns.rounded_limit if self._rounds(may_round) else self.columns.gram_limit

    def _leaving(self, most: int) -> NDArray[np.intp]:
        """Places of W whose columns have none in a Gram matrix of about so many that is made now.

        None that violates its bound: the objective falls from one solution on W to the next.
        """
        close, idle = self._idle(CLOSE).size, self._idle(1.0)
        return idle[: max(close, self.W.size - int(FILLED * most))]

    def _fits(self, may_round: bool) -> bool:
        """Whether memory allows a Gram matrix now, and it is the thing to have."""
        if self.crowded or not self.by_gram:
            return False
        most = self._most(may_round)
        return self.W.size <= FILLED * most or self.W.size - self._leaving(most).size <= most

    def admit(self, new: NDArray[np.intp]) -> None:
        """Take columns into W, in the places of those that are far from use first."""
        idle = np.sort(self._idle()[: new.size]) if self.W.size else self.W
        places = np.concatenate([idle, np.arange(self.W.size, self.W.size + new.size - idle.size)])
        self.inside[self.W[idle]] = False
        self.inside[new] = True
        self.W = np.concatenate([self.W, np.empty(new.size - idle.size, dtype=np.intp)])
        self.W[places] = new
        self.w = np.concatenate([self.w, np.zeros(new.size - idle.size)])
        if self.gram is not None:
            if self.W.size > self.gram.most:  # too large: of fewer columns, or by products from here on
                round_, self.gram = self.gram.may_round, None
                if self.once:
                    self.make_gram(round_)
            else:
                self.gram.place(self.W, places)

    @property
    def complete(self) -> bool:
        """Whether every column is in W."""
        return self.W.size == self.alive

    def _idle(self, near: float = NEAR) -> NDArray[np.intp]:
        """Places of W whose columns are zero and below `near` of their bounds, the farthest first."""
        u = self.u[self.W] if self.form.positive else np.abs(self.u[self.W])
        bound = self.kappa * self.lam1[self.W]
        idle = np.flatnonzero((self.w == 0) & (u < near * bound) & (bound > 0))
        return idle[np.argsort(u[idle] / bound[idle], kind="stable")]

    # ------------------------------------------------------------------ the problem restricted to W

    def _roughly(self, added: int) -> None:
        """Coordinate descent on W at kappa lam1, only as far as finding W needs."""
        W, form = self.W, self.form
        lam1 = self.kappa * self.lam1[W]
        if self.gram is None:
            self.by_residual.descend(W, self.w, self.r.copy(), lam1, 1e-2, self._sweeps(added))
        else:
            self.gram.descend(self.gradient(), self.w, lam1, form.lam2[W], 1e-6 * form.scale)

    def _sweeps(self, added: int) -> int:
        """How many are worth while: a Gram matrix that is yet to be made has its price."""
        return min(2 + added // PRICE, SWEEPS) if self.waits else SWEEPS

    def _exactly(self, added: int) -> None:
        """Solve the problem restricted to W; not to the last digit while much is on its way into W."""
        form, support = self.form, int(np.count_nonzero(self.w))
        early = added > 8 + support // MANY and not self.complete
        may_gram = self.gram is None and self._fits(self.once and self.waits)
        if self.waits and may_gram and not early:
            if self.sweeps_on:  # once more; if that is not enough either it is rounding
                self.sweeps_on, r = False, self.r.copy()
                if self._descend(self.W, self.w, r, afresh=False) is Outcome.DONE:
                    return
                self._renew(r)
            self.make_gram(self.once)
        if self.gram is None and self._by_products(added, early, may_gram):
            return
        assert self.gram is not None
        W, w = self.W, self.w
        lam1, lam2 = self.lam1[W], form.lam2[W]
        slack = 1e-13 * lam1 + 4 * EPS * length(self.residuals[-1]) * self.norms[W]
        cheap = support**3 <= 12 * form.z.size * form.k  # to factor, against a pass over X
        if early and not cheap:
            self.gram.descend(self.gradient(), w, lam1, lam2, 0.0, DESCENT)
        else:
            self.gram.solve(self.gradient(), w, lam1, lam2, slack)

    def _by_products(self, added: int, early: bool, may_gram: bool) -> bool:
        """Solve it without a Gram matrix; False where that is slow, and there is one from here on."""
        form, W, w, r = self.form, self.W, self.w, self.r.copy()
        lam1, lam2 = self.lam1[W], form.lam2[W]
        if early:
            self.by_residual.descend(W, w, r, lam1, 1e-3, self._sweeps(added))
            return True
        slack, support = self._slack(lam1, r), int(np.count_nonzero(w))
        face, places = self.by_residual, W
        if self.columns.sparse and support > PACKED:
            face, places = ResidualFace(self.columns.packed(W)), np.arange(W.size)
        by_factor = not may_gram and self.may_factor
        if not (by_factor and (face.slow or self.stuck or support > HALF * r.size)):
            face.solve(places, w, r, lam1, lam2, slack, patient=not (may_gram or by_factor))
            if not (face.slow and (may_gram or by_factor)):
                return True
        if may_gram:
            self._renew(r)
            self.make_gram()
            if self.gram is not None:
                return False
            r = r.copy()  # now that a_j'r is known too many columns would be in it
        if not (self.may_factor and self.solve_by_factor(w, r, lam1, self._until)):
            face.solve(places, w, r, lam1, lam2, slack, patient=True)
        return True

    @property
    def may_factor(self) -> bool:
        """Whether memory allows the factor of the support alone."""
        return not self.columns.sparse and int(np.count_nonzero(self.w)) <= self.columns.factor_limit

    @property
    def crowded(self) -> bool:
        """Whether so many columns are in use, for the rows, that their factor alone costs least."""
        n, support = self.form.z.size, int(np.count_nonzero(self.w))
        return n >= CROWDED[0] and support >= CROWDED[1] * n and self.may_factor

    def solve_by_factor(self, w: Vector, r: Vector, lam1: Vector, until: float) -> bool:
        """Solve the problem restricted to W by the factor of the face alone; w and the residual r change.

        False where that fails.
        """
        if self.by_factor is None:
            self.by_factor = FactorFace(self.columns)
        return self.by_factor.solve(self.W, w, r, lam1, self.form.lam2[self.W], self._slack(lam1, r), until)

    def _slack(self, lam1: Vector, r: Vector) -> Vector:
        """What may be left of each a_j'r on W where there is no Gram matrix."""
        norms, size = self.norms[self.W], length(r)
        penalty = np.where(self.form.free[self.W], norms * size, lam1)
        return np.asarray(0.2 * self.stop.tol * penalty + 2 * EPS * size * norms)

    @property
    def _until(self) -> float:
        """When time is over, by time.perf_counter."""
        limit = self.stop.time_limit
        return math.inf if limit is None else self.began + limit

    def _renew(self, r: Vector) -> None:
        """Take r for the residual, and a_j'r of it on W."""
        self.r = r
        if not self.has_free:
            self.u[self.W] = self.columns.dots(self.W, r)
            self.stamp[self.W] = len(self.residuals)
            self.residuals.append(r)

    def gradient(self) -> Vector:
        """a_j'r on W, of the true residual and not of the Gram matrix's: refinement."""
        if self.has_free:  # u is of the projected residual then
            return self.columns.dots(self.W, self.r)
        return self.u[self.W]

    # ------------------------------------------------------------------ the gap

    def _gap_on_gram(self) -> float:
        """Duality gap without reading X, raised by a bound on its rounding; inf where that cannot be."""
        from ._screening import gaps

        if self.gram is None or self.gram.rounded or self.has_free or not self.complete:
            return np.inf
        form, W, found = self.form, self.W, self.w[None]
        U, r_sq, z_r, error = self.gram.residuals(W, found)
        here = np.ones(1)
        return float(
            gaps(U, W, self.lam1, here, form.lam2, W, found, r_sq, z_r, error, form.free, form.positive)[0]
        )

    def _gap_on_residual(self) -> float:
        """Duality gap; the residual is computed anew, and a_j'r where it may matter."""
        self.r = self.columns.residual(self.W, self.w)
        return self._certify(self.r)

    def _certify(self, r: Vector) -> float:
        """Duality gap of (SF) at w, docs/maths.md (GAP), by the augmented-lasso scaling.

        Renews a_j'r where its bound says that it may matter.
        """
        from ._screening import best_scale, penalty_terms, undecided

        form, w = self.form, self._spread()
        theta = form.off_free(w, r) if self.has_free else r
        shift = np.array([length(theta - old) for old in self.residuals])
        cols: NDArray[np.intp] = undecided(
            self.u, self.norms, shift, self.stamp, self.lam1, form.positive, self.inside, self.every,
            self.alive,
        )  # fmt: skip
        self.columns_read += cols.size
        if cols.size == form.k:
            self.columns.dots(self.every, theta, self.u)
            self._zero_dead()
            if len(self.residuals) > 1:
                self.stamp[:] = 0
            self.residuals = [theta]
        else:
            self.u[cols] = self.columns.dots(cols, theta)
            self.residuals.append(theta)
            self.stamp[cols] = len(self.residuals) - 1

        alpha = best_scale(self.u, cols, self.lam1, form.lam2, w, form.free, form.positive)
        tt = float(theta @ theta + form.lam2[self.W] @ (self.w * self.w))
        if tt > 0:
            alpha = min(alpha, max(float(form.z @ theta) / tt, 0.0))
        rest = r - theta
        gap = 0.5 * (1 - alpha) ** 2 * float(theta @ theta) + 0.5 * float(rest @ rest)
        return gap + float(penalty_terms(self.u, self.W, self.lam1, form.lam2, w, form.free, alpha))
