"""L-BFGS-B of scipy on split variables, w = w+ - w-, both >= 0. [byrd1995], [schmidt2007].

An iteration is about two products with A, 4 n k (4 nnz if sparse), and 80 k of its own. The objective is
taken as a difference from a centre, without cancellation, and the method starts again about a new centre
whenever its line search can no longer tell values apart: so the gap can fall to rounding. Columns are
equilibrated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ._progress import Progress, trivial
from ._standard_form import StandardForm, refuse_least_squares, standard_form
from ._warm import warm
from .problem import Problem, Vector
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "ols", "positive", "sparse"}
CITES = ("byrd1995", "schmidt2007")
PACKAGE = "scipy"

MEMORY = 10  # pairs of vectors that the method keeps
CHECK_EVERY = 5  # iterations between gaps


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
    from scipy.optimize import Bounds, minimize

    call: Any = minimize  # its stubs do not know callbacks of one argument

    progress = Progress(form, stop)
    split = _Split(form)
    n_iter = 0
    while not progress.done(w, form.z - form.matvec(w), n_iter):
        split.centre(w)
        before, began_at = progress.gap, n_iter

        def each(d: Vector) -> None:
            nonlocal n_iter
            n_iter += 1
            if n_iter % CHECK_EVERY == 0 or n_iter >= stop.max_iter or progress.late:
                here = split.coefficients(d)
                if progress.done(here, form.z - form.matvec(here), n_iter):
                    raise StopIteration

        options = {"maxcor": MEMORY, "ftol": 0.0, "gtol": 0.0, "maxiter": stop.max_iter, "maxfun": 2**31 - 1}
        start = np.zeros(split.low.size)
        found = call(
            split.value,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(split.low, np.full(start.size, np.inf)),
            callback=each,
            options=options,
        )
        if progress.status is not None:
            break
        w = split.coefficients(found.x)
        if progress.done(w, form.z - form.matvec(w), n_iter) or n_iter == began_at:
            break
        if progress.gap > 0.5 * before and n_iter - began_at < CHECK_EVERY:
            break  # a new centre no longer helps
    return progress.solution(n_iter)


def path(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solve for each l1 in turn, each from the solution before."""
    return warm(problem, l1s, stop, _minimise)


class _Split:
    """The objective as a function of the move d = (d+, d-) from a centre, in equilibrated columns.

    Both are in units of the objective at the start: the method's line search has limits that are absolute.
    """

    def __init__(self, form: StandardForm) -> None:
        self.form = form
        self.unit = max(float(form.scale), np.finfo(float).tiny)
        total = np.sqrt((form.norms_sq + form.lam2) / self.unit)
        self.scale = np.divide(1.0, total, out=np.zeros(form.k), where=total > 0)
        self.lam1 = self.scale * form.lam1
        self.lam2 = self.scale**2 * form.lam2
        self.norms = total

    def centre(self, w: Vector) -> None:
        """Measure moves and values from w."""
        form = self.form
        x = self.norms * w
        self.plus, self.minus = np.maximum(x, 0.0), np.maximum(-x, 0.0)
        self.low = -self.plus if form.positive else np.concatenate([-self.plus, -self.minus])
        self.x = x
        slope = self.lam2 * x - self.scale * form.rmatvec(form.z - form.matvec(w))
        self.slope = slope

    def coefficients(self, d: Vector) -> Vector:
        """Return w after the move d; a coordinate at both bounds is exactly 0."""
        plus = self.plus + d[: self.x.size]
        if self.form.positive:
            return np.asarray(self.scale * np.maximum(plus, 0.0))
        return np.asarray(self.scale * (plus - (self.minus + d[self.x.size :])))

    def value(self, d: Vector) -> tuple[float, Vector]:
        """Objective after the move d less that at the centre, and its gradient."""
        form, k = self.form, self.x.size
        move = d[:k] if form.positive else d[:k] - d[k:]
        image = form.matvec(self.scale * move)
        ridge = self.lam2 * move
        gradient = self.slope + self.scale * form.rmatvec(image) + ridge
        total = self.slope @ move + 0.5 * image @ image + 0.5 * ridge @ move
        if form.positive:
            return float(total + self.lam1 @ d) / self.unit, (gradient + self.lam1) / self.unit
        total += self.lam1 @ (d[:k] + d[k:])
        both = np.concatenate([gradient + self.lam1, self.lam1 - gradient])
        return float(total) / self.unit, both / self.unit
