"""A path in blocks: several points on one working set, then one product with X that certifies them all.

A product of X with a block of residuals costs little more than with one of them, for X is read once. Where
the Gram matrix of all the columns is at hand, X is not read again at all: A'r = A'z - G w, with a bound on
its rounding. A point whose gap is too large draws the violators of its block into the working set, and the
block is taken up again there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

import numpy as np

from ._active_set import ActiveSet
from ._first_pass import TALL
from ._gram_face import EPS, GramFace
from ._path_products import Products
from .problem import Vector
from .solution import Solution, Status

FEW, MOST = 4, 8  # points of a block
WHOLE = 128  # points of a block on the Gram matrix of all the columns
EXPECTED = 0.93  # of its bound: a column that will come so far, by its slope, enters beforehand
NEAR = 0.98  # of its bound: a column that has come so far enters with the violators
ROUNDS = 10  # of a block, at most


def follow(state: ActiveSet, l1s: Sequence[float]) -> Iterator[Solution]:
    """Yield the solution at each of the falling l1s, in blocks while the working set has a Gram matrix.

    Parameters
    ----------
    state : ActiveSet
        At the first of l1s, nothing solved.
    l1s : sequence of float
    """
    if state.form.k <= TALL and not state.columns.sparse:
        state.admit(np.flatnonzero(~state.inside & ~state.dead))
    _give_gram(state)  # of sparse X too: it is used a hundred times
    size = WHOLE if state.complete else FEW
    products = Products()
    at = 0
    while at < len(l1s):
        done: list[Solution] = []
        rounds = 0
        if state.gram is not None or state.may_factor or not state.by_residual.slow:
            done, rounds = _advance(state, l1s[at : at + size], products)
        if not done:  # one point by itself
            state.refresh()
            state.move_to(l1s[at])
            done = [state.solve()]
            if done[0].status is Status.STALLED:  # a long step drew in too much: from l1_max instead
                state = _afresh(state, l1s[at])
                done = [state.solve()]
        yield from done
        at += len(done)
        if not state.complete:
            size = min(2 * size, MOST) if rounds in (1, 2) else max(size // 2, 1) if rounds > 4 else size


def _give_gram(state: ActiveSet) -> None:
    """Make the Gram matrix of W where there is none, if memory allows."""
    if state.gram is None and state.W.size <= state.columns.gram_limit:
        state.gram = GramFace(state.columns)
        state.gram.place(state.W, np.arange(state.W.size))


def _afresh(state: ActiveSet, l1: float) -> ActiveSet:
    """As at the beginning, at this l1."""
    other = ActiveSet(state.columns, state.stop)
    other.lam1, other.l1 = other.penalties(l1), l1
    other.approach()
    return other


def _advance(state: ActiveSet, l1s: Sequence[float], products: Products) -> tuple[list[Solution], int]:
    """Solve as many of the points as come out within the tolerance, and return in how many rounds."""
    done: list[Solution] = []
    limit = state.stop.time_limit
    until = math.inf if limit is None else time.perf_counter() + limit
    unit = state.penalties(1.0)
    touches = products.worth(state, len(l1s))
    if touches > 0:
        state.gram = None  # before W grows, and it with W
    _expect(state, l1s[-1], unit)
    for round_ in range(1, ROUNDS + 1):
        rest = np.asarray(l1s[len(done) :])
        found = _solve(state, rest, unit, products, touches, until)
        if found is None:
            return done, round_
        touches = 0.0  # it has been decided
        block = _Block(state, found, rest, unit)
        good = block.good
        done += block.solutions(good)
        last = min(good, rest.size - 1)
        block.arrive(last)
        if good == rest.size:
            return done, round_
        if time.perf_counter() > until:
            break
        if state.gram is not None:
            state.gram.f = -1  # the face is that of the block's last point
        if not block.admit(good) and good == 0 and round_ > 2:
            break
    return done, ROUNDS


def _solve(
    state: ActiveSet, l1s: Vector, unit: Vector, products: Products, touches: float, until: float
) -> Vector | None:
    """Coefficients of W at each of l1s, (B, K): by the Gram matrix, by the face's factor alone, by products.

    Those are tried where there is no Gram matrix: where `touches` > 0, up to so many, and it is made again.
    """
    if state.gram is None:
        found = _by_factor(state, l1s, unit, until) if state.may_factor else None
        if found is None:
            found = products.solve(state, l1s, unit, touches or np.inf)
        if found is None and touches > 0:
            _give_gram(state)
        if found is not None or state.gram is None:
            return found
    gram, W = state.gram, state.W
    assert gram is not None
    slack = 1e-13 * l1s[-1] * unit[W] + 4 * EPS * float(np.linalg.norm(state.form.z)) * state.norms[W]
    found = gram.follow(state.gradient(), state.w.copy(), np.outer(l1s, unit[W]), state.form.lam2[W], slack)
    if l1s.size > 1:
        products.changes = np.count_nonzero((found[0] == 0) != (found[-1] == 0)) / (l1s.size - 1)
    return found


def _by_factor(state: ActiveSet, l1s: Vector, unit: Vector, until: float) -> Vector | None:
    """Coefficients of W at each of l1s, (B, K), by the factor of the face alone; None where it fails."""
    w, r, found = state.w.copy(), state.r.copy(), np.empty((l1s.size, state.W.size))
    for b, l1 in enumerate(l1s):
        if not state.solve_by_factor(w, r, l1 * unit[state.W], until):
            return None
        found[b] = w
    return found


def _expect(state: ActiveSet, l1: float, unit: Vector) -> None:
    """Take in the columns that will have reached their bounds at l1, if A'r goes on as it did."""
    if state.complete:
        return
    u = state.u if state.slope is None or state.l1 is None else state.u + (l1 - state.l1) * state.slope
    u = u if state.form.positive else np.abs(u)
    new = np.flatnonzero((u > EXPECTED * l1 * unit) & ~state.inside & ~state.dead)
    room = state.columns.gram_limit - state.W.size  # a guess is not worth the Gram matrix
    if new.size and (new.size <= room or state.gram is None):
        state.admit(new)


class _Block:
    """Points that were solved on one working set, and what A'r says of each.

    Parameters
    ----------
    state : ActiveSet
    found : (B, K) array
        Coefficients of the working set at each point.
    l1s : (B,) array
    unit : (k,) array
        lam1 at l1 = 1.
    """

    def __init__(self, state: ActiveSet, found: Vector, l1s: Vector, unit: Vector) -> None:
        self.state, self.found, self.l1s, self.unit = state, found, l1s, unit
        form = state.form
        self.R: Vector | None = None  # residuals (n, B); None where none were needed
        self.theta: Vector | None = None  # the same off the free columns
        self.exact = True  # whether A'theta is so for every column
        self.cols = np.arange(form.k)  # those that may be infeasible at a point other than the last
        if state.gram is not None and state.complete and not state.has_free:
            self._on_gram()
            if np.any(self.gaps > state.stop.tol * form.scale):
                self._on_residuals()
        else:
            self._on_residuals()

    @property
    def good(self) -> int:
        """How many of the points, from the first on, are within the tolerance."""
        over = np.flatnonzero(~(self.gaps <= self.state.stop.tol * self.state.form.scale))
        return int(over[0]) if over.size else self.l1s.size

    def _on_residuals(self) -> None:
        """A'theta by one product with X."""
        state, form = self.state, self.state.form
        make = state.columns.products if state.gram is None else state.gram.images
        R = np.asfortranarray(form.z[:, None] - make(state.W, self.found))
        theta = R
        if state.has_free:
            theta = np.asfortranarray(
                np.stack([form.off_free(self._full(b), R[:, b]) for b in range(R.shape[1])], axis=1)
            )
        self.R, self.theta = R, theta
        self._products(theta)
        rest = R - theta
        self._judge(
            np.einsum("ib,ib->b", theta, theta), form.z @ theta, 0.5 * np.einsum("ib,ib->b", rest, rest)
        )

    def _products(self, theta: Vector) -> None:
        """A'theta for the block's last point; for the others only where it may matter.

        Each of them is nearly a combination of the last and of a vector whose products are known, for the
        path is nearly straight: u_j = a_j'theta is that combination of theirs, up to ||a_j|| times what is
        left of theta.
        """
        from ._screening import between

        state, columns, k = self.state, self.state.columns, self.state.form.k
        (old, old_u), last, rest = state.known, theta[:, -1], theta[:, :-1]
        # The BLAS takes all points together in twice the time of one
        self.exact = rest.shape[1] <= 1 or (not columns.sparse and 8 * state.W.size > k)
        if not self.exact:
            u = columns.dots(self.cols, last)
            pair = np.column_stack([old, last])
            shares = np.linalg.lstsq(pair.T @ pair, pair.T @ rest, rcond=None)[0]
            off = np.linalg.norm(rest - pair @ shares, axis=0)
            off += EPS * np.sqrt(last.size) * np.linalg.norm(rest, axis=0)
            self.U = np.empty((k, theta.shape[1]), order="F")
            cols = between(
                self.U, old_u, u, shares, state.norms, off, self.unit, self.l1s, state.form.positive,
                state.inside, state.dead,
            )  # fmt: skip
            self.exact = 2 * cols.size > k
            if not self.exact:
                self.cols = cols
                self.U[cols, :-1] = columns.dots_block(rest, cols)
                state.columns_read += k + cols.size
        if self.exact:
            self.U = columns.dots_block(theta)
            state.columns_read += k
        self.U[state.dead] = 0.0
        state.known = (last, self.U[:, -1].copy())

    def _on_gram(self) -> None:
        """A'r by the Gram matrix of all the columns; the gap is raised by a bound on its rounding."""
        assert self.state.gram is not None
        self.U, *of_r = self.state.gram.residuals(self.state.W, self.found)
        self._judge(*of_r)

    def _judge(self, theta_sq: Vector, z_theta: Vector, more: Vector) -> None:
        """Duality gaps of (SF)."""
        from ._screening import gaps

        state, form = self.state, self.state.form
        self.gaps = gaps(
            self.U, self.cols, self.unit, self.l1s, form.lam2, state.W, self.found, theta_sq, z_theta,
            more, form.free, form.positive,
        )  # fmt: skip

    def solutions(self, count: int) -> list[Solution]:
        """Return the first points."""
        state, form = self.state, self.state.form
        coefs, intercepts = form.back(state.W, self.found[:count])
        claims = self.gaps[:count] / form.scale if form.scale > 0 else np.zeros(count)
        said = [f"X read {read / max(form.k, 1):.2f} times" for read in (state.columns_read, 0)]
        if count:
            state.columns_read = 0
        return [
            Solution(coefs[b], float(intercepts[b]), Status.CONVERGED, 1, float(claims[b]), said[b > 0])
            for b in range(count)
        ]

    def _full(self, b: int) -> Vector:
        w = np.zeros(self.state.form.k)
        w[self.state.W] = self.found[b]
        return w

    def arrive(self, b: int) -> None:
        """Leave the state at point b."""
        state, l1, u = self.state, float(self.l1s[b]), self.U[:, b]
        before, at = (self.U[:, b - 1], float(self.l1s[b - 1])) if b else (state.u, state.l1)
        if at is not None and at != l1:
            state.slope = (u - before) / (l1 - at)
        r, theta = (None, None) if self.R is None or self.theta is None else (self.R[:, b], self.theta[:, b])
        exact = r is not None and (self.exact or b == self.l1s.size - 1)
        state.arrive(l1, self.found[b], u, r, theta, exact)

    def admit(self, first: int) -> bool:
        """Take in columns that violate their bounds, or nearly do, from point `first` on; whether any was."""
        from ._screening import block_candidates

        state = self.state
        if state.complete:
            return False
        near, excess = block_candidates(
            self.U,
            first,
            self.unit,
            self.l1s,
            state.norms,
            state.form.positive,
            state.inside,
            state.dead,
            NEAR,
        )
        K = state.W.size
        size = min(near.size, max(16, K // 2))
        if size:
            state.admit(np.sort(near[np.argpartition(-excess, size - 1)[:size]]))
        return bool(size)
