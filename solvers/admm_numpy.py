"""Alternating directions of multipliers with over-relaxation and a penalty that adapts. [boyd2011].

The Gram matrix costs n k min(n, k) once, each new penalty rho a factorisation of min(n, k)^3 / 3, an
iteration two triangular solves (and two products with A if k > n). rho balances the primal and dual
residuals; it may change only at iteration numbers that double, so that convergence is guaranteed. Columns are
equilibrated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ._gram_matrix import dual_gram, primal_gram
from ._memory import refuse_beyond
from ._progress import Progress, trivial
from ._proximal import inverse_norms, prox
from ._standard_form import StandardForm, refuse_least_squares, standard_form
from ._warm import warm
from .problem import Problem, Vector
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "ols", "positive", "sparse"}
CITES = ("boyd2011",)
PACKAGE = None

RELAXATION = 1.6  # [boyd2011] section 3.4.3: 1.5 to 1.8
BALANCE = 10.0  # section 3.4.1
CHECK_EVERY = 10  # iterations between gaps, each of which costs two products


def refuses(problem: Problem) -> str | None:
    """Refuse plain least squares, and a Gram matrix that does not fit in memory."""
    side = min(problem.n, problem.p)
    return refuse_least_squares(problem) or refuse_beyond(side, side, "the Gram matrix")


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form, as X lies in memory."""
    form = standard_form(problem)
    return lambda: trivial(form, stop) or _Admm(form).minimise(form, stop, np.zeros(form.k))


class _Admm:
    """What outlives one problem of a path: the Gram matrix with its factor, the dual variable and rho."""

    def __init__(self, form: StandardForm) -> None:
        self.quadratic = _Quadratic(form)
        self.dual, self.rho = np.zeros(form.k), 1.0

    def minimise(self, form: StandardForm, stop: Stop, w: Vector) -> Solution:
        """Run from w, (k,), and the dual variable that the last run left."""
        solution, self.dual, self.rho = _minimise(form, stop, w, self.dual, self.rho, self.quadratic)
        return solution


def _minimise(
    form: StandardForm, stop: Stop, w: Vector, dual: Vector, rho: float, quadratic: _Quadratic
) -> tuple[Solution, Vector, float]:
    progress = Progress(form, stop)
    metric, norms = form.norms_sq, np.sqrt(form.norms_sq)
    Az = form.rmatvec(form.z)
    next_change, dual, n_iter = CHECK_EVERY, dual.copy(), 0
    while not progress.done(w, form.z - form.matvec(w), n_iter):
        for _ in range(min(CHECK_EVERY, stop.max_iter - n_iter)):
            x = quadratic.minimise(Az + rho * metric * (w - dual), rho)
            mixed = RELAXATION * x + (1 - RELAXATION) * w
            old = w
            w = prox(form, rho * metric * (mixed + dual), rho * metric)
            dual += mixed - w
            n_iter += 1
        if n_iter >= next_change:
            primal_residual = float(np.linalg.norm(norms * (x - w)))
            dual_residual = rho * float(np.linalg.norm(norms * (w - old)))
            if primal_residual > BALANCE * dual_residual or dual_residual > BALANCE * primal_residual:
                ratio = (
                    np.sqrt(primal_residual / dual_residual) if primal_residual * dual_residual > 0 else 1.0
                )
                ratio = float(np.clip(ratio, 1e-3, 1e3))
                rho, dual = rho * ratio, dual / ratio
                next_change = 2 * n_iter
    return progress.solution(n_iter), dual, rho


def path(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solve for each l1 in turn, each from the solution before; one Gram matrix for all."""
    admm: _Admm | None = None

    def minimise(form: StandardForm, stop: Stop, w: Vector) -> Solution:
        nonlocal admm
        if settled := trivial(form, stop):
            return settled
        if admm is None:
            admm = _Admm(form)
        return admm.minimise(form, stop, w)

    return warm(problem, l1s, stop, minimise)


class _Quadratic:
    """Minimiser of 1/2 x'A'A x - g'x + rho/2 ||x||^2 in the columns' metric; keeps its factor."""

    def __init__(self, form: StandardForm) -> None:
        self.form = form
        self.scale = inverse_norms(form)
        self.primal = form.k <= form.z.size
        if self.primal:
            self.G = self.scale[:, None] * primal_gram(form) * self.scale
        else:
            self.G = dual_gram(form, self.scale**2)
        self.rho = 0.0

    def minimise(self, g: Vector, rho: float) -> Vector:
        """Return x, (k,)."""
        from scipy.linalg import cho_factor, cho_solve

        if rho != self.rho:
            H = self.G.copy()
            H[np.diag_indices_from(H)] += rho
            self.C, self.rho = cho_factor(H, lower=True, overwrite_a=True), rho
        b = self.scale * g
        if self.primal:
            return np.asarray(self.scale * cho_solve(self.C, b))
        y = cho_solve(self.C, self.form.matvec(self.scale * b))
        return np.asarray(self.scale * (b - self.scale * self.form.rmatvec(y)) / rho)
