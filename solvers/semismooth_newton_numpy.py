"""Semismooth Newton on an augmented Lagrangian of the dual (a proximal point method). [li2018].

The dual variable theta (the residual) minimises a smooth convex function whose generalised Hessian is
I + A_J D A_J' over the support J: a Newton step costs n |J| min(n, |J|) and one product A'd. Few outer steps,
few Newton steps in each: second-order accuracy at the price of the support only. Columns are equilibrated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ._gram_matrix import dual_gram, primal_gram
from ._progress import Progress, trivial
from ._proximal import prox
from ._standard_form import StandardForm, refuse_least_squares, standard_form
from ._warm import warm
from .problem import Problem, Vector
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "ols", "positive", "sparse"}
CITES = ("li2018",)
PACKAGE = None

NEWTON_STEPS = 50  # in one outer step, after which the proximal term is made stronger
GROWTH = 5.0  # of the proximal parameter after an outer step that was easy
STRONGEST = 2.0**40  # beyond this the proximal term is below the rounding of the Gram matrix


def refuses(problem: Problem) -> str | None:
    """Plain least squares: its certificate is a factorisation, which has already solved it."""
    return refuse_least_squares(problem)


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form, as X lies in memory."""
    form = standard_form(problem)
    return lambda: _minimise(form, stop, np.zeros(form.k))


def _minimise(form: StandardForm, stop: Stop, w: Vector) -> Solution:
    if settled := trivial(form, stop):
        return settled
    progress = Progress(form, stop)
    theta = form.z - form.matvec(w)
    u = form.rmatvec(theta)
    sigma, n_iter = 1.0, 0
    while not progress.done(w, form.z - form.matvec(w), n_iter):
        inner = _Proximal(form, w, sigma)
        w, theta, u, steps = inner.newton(theta, u, min(NEWTON_STEPS, stop.max_iter - n_iter), progress)
        n_iter += max(steps, 1)
        if steps <= NEWTON_STEPS // 5:
            sigma = min(GROWTH * sigma, STRONGEST)
        elif steps == NEWTON_STEPS:
            sigma /= GROWTH
    return progress.solution(n_iter)


def path(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solve for each l1 in turn, each from the solution before."""
    return warm(problem, l1s, stop, _minimise)


class _Proximal:
    """min over x: (SF) + 1/(2 sigma) ||x - centre||^2 in the columns' metric, through its dual psi(theta)."""

    def __init__(self, form: StandardForm, centre: Vector, sigma: float) -> None:
        self.form, self.centre = form, centre
        self.curvature = form.norms_sq / sigma  # (k,)

    def primal(self, u: Vector) -> Vector:
        """Point x that belongs to u = A'theta."""
        return prox(self.form, self.curvature * self.centre + u, self.curvature)

    def psi(self, theta: Vector, u: Vector, x: Vector) -> float:
        """The dual function to be minimised, at theta."""
        form = self.form
        a, move = np.abs(x), x - self.centre
        penalty = form.lam1 @ a + 0.5 * form.lam2 @ (a * a) + 0.5 * self.curvature @ (move * move)
        return float(0.5 * theta @ theta - form.z @ theta + u @ x - penalty)

    def newton(
        self, theta: Vector, u: Vector, most: int, progress: Progress
    ) -> tuple[Vector, Vector, Vector, int]:
        """Minimise psi until its gradient is small against the step that the outer iterate makes."""
        form = self.form
        rounding = 4 * 2.0**-52 * float(np.linalg.norm(form.z))
        x = self.primal(u)
        value = self.psi(theta, u, x)
        gradient = theta - form.z + form.matvec(x)
        size = float(np.linalg.norm(gradient))
        steps = 0
        while steps < most and not progress.late:
            outer = np.sqrt(float(self.curvature @ (x - self.centre) ** 2))
            if size <= max(0.1 * min(1.0, outer), rounding) and size <= max(0.1 * outer, rounding):
                break
            d = self._direction(x, gradient)
            ud, slope = form.rmatvec(d), float(gradient @ d)
            t, steps = 1.0, steps + 1
            while True:
                x_new = self.primal(u + t * ud)
                theta_new, u_new = theta + t * d, u + t * ud
                value_new = self.psi(theta_new, u_new, x_new)
                g_new = theta_new - form.z + form.matvec(x_new)
                size_new = float(np.linalg.norm(g_new))
                # Near the minimum psi is flat in floating point: there a smaller gradient is as good
                if value_new <= value + 1e-4 * t * slope or size_new <= 0.5 * size or t < 2.0**-40:
                    break
                t /= 2
            if t < 2.0**-40:
                break
            x, theta, u, value, gradient, size = x_new, theta_new, u_new, value_new, g_new, size_new
        return x, theta, form.rmatvec(theta), steps

    def _direction(self, x: Vector, gradient: Vector) -> Vector:
        """Newton direction - (I + A_J D A_J')^-1 gradient, by the smaller of its two forms."""
        from scipy.linalg import cho_factor, cho_solve

        form = self.form
        J = np.flatnonzero((x != 0) & (form.norms_sq > 0))
        if J.size == 0:
            return -gradient
        total = self.curvature[J] + form.lam2[J]
        if J.size >= gradient.size:
            K = dual_gram(form, 1.0 / total, J)
            K[np.diag_indices_from(K)] += 1.0
            return np.asarray(-cho_solve(cho_factor(K, lower=True), gradient))
        H = primal_gram(form, J)
        H[np.diag_indices_from(H)] += total
        spread = np.zeros(form.k)
        spread[J] = cho_solve(cho_factor(H, lower=True), form.rmatvec(gradient)[J])
        return form.matvec(spread) - gradient
