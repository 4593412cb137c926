"""The exact path of (SF) in l1: piecewise linear, walked from knot to knot. docs/maths.md (SF).

With lam1 = l c, at every l the active columns F satisfy  H w_F = A_F'z - l c_F s_F,  H = A_F'A_F +
diag(lam2_F), so w moves linearly while l falls, until a column's correlation a_j'r reaches its bound l c_j
(it enters) or a coefficient reaches zero (it leaves). Unpenalised columns (c_j = 0) are active from the
start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from ._gap import EPS
from ._standard_form import StandardForm
from .problem import Vector


@dataclass(frozen=True)
class Knot:
    """A corner of the path.

    Attributes
    ----------
    level : float
        l1 as a multiple of the form's own l1: lam1 = level * form.lam1.
    w : (k,) array
    r : (n,) array
        Residual z - A w.
    moves : tuple of int
        What happens here: j + 1 if column j enters, -(j + 1) if it leaves, counted among the form's columns.
    """

    level: float
    w: Vector
    r: Vector
    moves: tuple[int, ...]


class Homotopy:
    """The state of a walk: active columns with their signs, and the Cholesky factor of their H.

    Attributes
    ----------
    active : list of int
    sign : list of float
        +1, -1, or 0 for an unpenalised column.
    skipped : bool (k,) array
        Columns that reached their bound but depend linearly on the active ones: they stay on it with them.
    """

    def __init__(self, form: StandardForm) -> None:
        self.form, self.c = form, form.lam1
        self.active: list[int] = []
        self.sign: list[float] = []
        self.skipped = np.zeros(form.k, dtype=bool)
        self.alive = form.norms_sq > 0
        self.A = np.empty((form.z.size, 0), order="F")
        self.L = np.empty((0, 0))
        self.w = np.zeros(form.k)

    # ------------------------------------------------------------------ the active set

    def enter(self, j: int, sign: float) -> bool:
        """Extend the factor by column j; False if it depends on the active ones."""
        a = self.form.dense(np.array([j]))[:, 0]
        K = len(self.active)
        A = np.empty((a.size, K + 1), order="F")
        A[:, :K], A[:, K] = self.A, a
        row = solve_triangular(self.L, self.A.T @ a, lower=True) if K else np.empty(0)
        total = float(a @ a) + self.form.lam2[j]
        pivot = total - float(row @ row)
        if pivot <= 64 * max(A.shape) * EPS * total:
            self.skipped[j] = True
            return False
        L = np.zeros((K + 1, K + 1))
        L[:K, :K], L[K, :K], L[K, K] = self.L, row, np.sqrt(pivot)
        self.A, self.L = A, L
        self.active.append(j)
        self.sign.append(sign)
        return True

    def leave(self, position: int) -> None:
        """Take an active column out and factor the others again."""
        self.w[self.active.pop(position)] = 0.0
        self.sign.pop(position)
        self.A = np.asfortranarray(np.delete(self.A, position, axis=1))
        H = self.A.T @ self.A
        H[np.diag_indices_from(H)] += self.form.lam2[self.active]
        self.L = np.asarray(np.linalg.cholesky(H))
        self.skipped[:] = False

    def solve(self, right: Vector) -> Vector:
        """H^-1 right."""
        half = solve_triangular(self.L, right, lower=True)
        return np.asarray(solve_triangular(self.L, half, lower=True, trans="T"))

    def place(self, level: float) -> Vector:
        """Put w exactly on the path at ``level``, for the active columns as they are; the residual, (n,)."""
        F = np.array(self.active, dtype=np.intp)
        target = level * self.c[F] * np.array(self.sign)
        r = self.form.z - self.A @ self.w[F]
        for _ in range(2 if F.size else 0):  # refinement from the true residual
            self.w[F] += self.solve(self.A.T @ r - self.form.lam2[F] * self.w[F] - target)
            r = self.form.z - self.A @ self.w[F]
        if self.form.positive and np.any(self.w[F] < 0):  # at a tie zero is reached from below, by a rounding
            self.w[F] = np.maximum(self.w[F], 0.0)
            r = self.form.z - self.A @ self.w[F]
        return np.asarray(r)

    # ------------------------------------------------------------------ the walk

    def walk(self) -> Iterator[Knot]:
        """Knots from the largest level, where every penalised coefficient is 0, down to level 0."""
        form, c, positive = self.form, self.c, self.form.positive
        start = form.free_fit[0]
        for j in np.flatnonzero(form.free & self.alive & ((start != 0) | (not positive))):
            self.enter(int(j), 0.0)
        r = self.place(0.0)
        u = form.rmatvec(r)
        over = np.where(form.free | ~self.alive, 0.0, u if positive else np.abs(u))
        ratio = np.divide(over, c, out=np.zeros_like(c), where=c > 0)
        level = float(np.max(ratio, initial=0.0))
        moves: list[int] = []
        idle = 0
        while level > 0 and idle <= 2 * form.k:
            u = form.rmatvec(r)
            if not moves:
                first = self._at_bound(u, level)
                if first is None:
                    return
                moves = [first]
            yield Knot(level, self.w.copy(), r, tuple(moves))
            step, event = self._next(u, level)
            idle = idle + 1 if step <= 4 * EPS * level else 0
            level = max(level - step, 0.0)
            moves = []
            if event is None:
                r = self.place(0.0)
                yield Knot(0.0, self.w.copy(), r, ())
                return
            r = self.place(level)
            column, sign = event
            if sign == 0:
                self.leave(self.active.index(column))
                moves = [-(column + 1)]
                r = self.place(level)
            elif self.enter(column, sign if c[column] > 0 else 0.0):
                moves = [column + 1]
            else:
                moves = [0]

    def _at_bound(self, u: Vector, level: float) -> int | None:
        """Enter the column that defines the largest level."""
        over = np.where(self.form.free | ~self.alive, -np.inf, (u if self.form.positive else np.abs(u)))
        j = int(np.argmax(over - level * self.c))
        return j + 1 if self.enter(j, float(np.sign(u[j]))) else None

    def _next(self, u: Vector, level: float) -> tuple[float, tuple[int, float] | None]:
        """How far the level falls until something happens, and what: (column, sign), sign 0 if it leaves."""
        form, c = self.form, self.c
        F = np.array(self.active, dtype=np.intp)
        signed = c[F] * np.array(self.sign)
        b = self.solve(signed)  # dw_F per unit of falling level
        image = self.A @ b
        d = form.rmatvec(image)
        rounding = 1e-12 * (c + np.sqrt(form.norms_sq) * float(np.linalg.norm(image)))
        best, event = level, None
        outside = self.alive & ~self.skipped & np.isfinite(c)
        outside[F] = False
        sides = (1.0,) if form.positive else (1.0, -1.0)
        for side in sides:
            towards = c - side * d
            room = np.maximum(level * c - side * u, 0.0)
            hits = outside & (towards > rounding)
            steps = np.divide(room, towards, out=np.full_like(c, np.inf), where=hits)
            j = int(np.argmin(steps)) if steps.size else 0
            if steps.size and steps[j] < best:
                best, event = float(steps[j]), (j, side)
        shrinking = (self.w[F] * b < 0) & ((c[F] > 0) | form.positive)
        fresh = (self.w[F] == 0) & (b * np.array(self.sign) < 0) & (c[F] > 0)  # entered in a tie, wrong way
        steps = np.divide(-self.w[F], b, out=np.full(F.size, np.inf), where=shrinking)
        steps[fresh] = 0.0
        if F.size and np.min(steps) < best:
            position = int(np.argmin(steps))
            best, event = float(steps[position]), (int(F[position]), 0.0)
        return best, event
