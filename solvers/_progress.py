"""When an iterative solver stops, and how it says so: one rule for all of them."""

from __future__ import annotations

import time

import numpy as np

from ._gap import EPS
from ._standard_form import StandardForm
from .problem import Vector
from .solution import Solution, Status, Stop

# Checks without progress before a solver may be called stalled; see Progress.
PATIENCE = 50


class Progress:
    """Gaps of one run: the best iterate so far, and the verdict.

    A run has stalled when both its lowest gap and its lowest objective are older than half of all the
    checks (and than ``PATIENCE`` of them): a method that converges at all, however slowly, lowers one of
    them while the number of its iterations doubles. So no solver loops for ever, and none needs a limit
    of its own. What is within rounding of the lowest is not lower.

    Parameters
    ----------
    form : StandardForm
    stop : Stop
        The clock of ``time_limit`` starts here.
    """

    def __init__(self, form: StandardForm, stop: Stop) -> None:
        self.form, self.stop = form, stop
        self.began = time.perf_counter()
        self.w, self.gap = np.zeros(form.k), np.inf
        self.objective = np.inf
        self.checks = self._best_check = 0
        self.status: Status | None = None

    def done(self, w: Vector, r: Vector, n_iter: int, u: Vector | None = None) -> bool:
        """Take the gap of w (residual r, and u = A'r if known); whether to stop."""
        gap = self.form.relative_gap(w, r, u)
        self.checks += 1
        if gap < self.gap:
            self.gap, self.w, self._best_check = gap, w.copy(), self.checks
        objective = self._objective(w, r)
        if objective < self.objective * (1 - 4 * EPS):
            self.objective, self._best_check = objective, self.checks
        if self.gap <= self.stop.tol:
            self.status = Status.CONVERGED
        elif self.gap * self.form.scale <= 2.0**-102 * self.form.yy:
            self.status = Status.STALLED  # what is left is the rounding of the residual itself
        elif n_iter >= self.stop.max_iter:
            self.status = Status.MAX_ITER
        elif self.late:
            self.status = Status.TIME_LIMIT
        elif self.checks - self._best_check > max(PATIENCE, self.checks // 2):
            self.status = Status.STALLED
        return self.status is not None

    def _objective(self, w: Vector, r: Vector) -> float:
        form, a = self.form, np.abs(w)
        return float(0.5 * r @ r + form.lam1 @ a + 0.5 * form.lam2 @ (a * a))

    @property
    def late(self) -> bool:
        """Whether the time limit has passed."""
        limit = self.stop.time_limit
        return limit is not None and time.perf_counter() - self.began > limit

    def solution(self, n_iter: int, message: str = "") -> Solution:
        """The best iterate. A run left before ``done`` said so has nothing more to try: it stalled."""
        return self.form.solution(self.w, self.status or Status.STALLED, n_iter, float(self.gap), message)


def trivial(form: StandardForm, stop: Stop) -> Solution | None:
    """The solution where every penalised coefficient is 0 (l1 >= l1_max, y = 0, no column); else None.

    So those zeros are exact for every solver, whatever its own iterates would look like.
    """
    w = form.null
    if w is None:
        return None
    gap = form.relative_gap(w, form.free_fit[1])
    status = Status.CONVERGED if gap <= stop.tol else Status.STALLED
    return form.solution(w, status, 0, gap, "every penalised coefficient is zero")
