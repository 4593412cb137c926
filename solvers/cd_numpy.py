"""Cyclic coordinate descent, the readable reference: plain loops over columns. [friedman2010], [wright2015].

Each coordinate is minimised exactly while the residual is kept up to date: 4 n flops a column dense, two
passes over its entries sparse. A sweep over all columns is followed by sweeps over those in use. cd_numba is
the same method compiled.
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
CITES = ("friedman2010", "wright2015")
PACKAGE = None

MOST = 100  # sweeps over the columns in use between gaps, each of which costs about one full sweep


def refuses(problem: Problem) -> str | None:
    """Plain least squares: its certificate is a factorisation, which has already solved it."""
    return refuse_least_squares(problem)


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form in column-major order; one copy of a row-major, weighted or centred X."""
    form = standard_form(problem, order="F")
    return lambda: minimise(form, stop, np.zeros(form.k))


def minimise(form: StandardForm, stop: Stop, w: Vector) -> Solution:
    """Run from w, (k,), which is not changed."""
    settled = trivial(form, stop)
    if settled is not None:
        return settled
    progress = Progress(form, stop)
    sweep = _sweep_sparse if form.is_sparse else _sweep_dense
    alive = np.flatnonzero(form.norms_sq)  # a column that is zero once centred: w_j = 0 is optimal
    w = w.copy()
    r = form.z - form.matvec(w)
    n_iter = 0
    while not progress.done(w, r, n_iter):
        sweep(form, alive, w, r)
        n_iter += 1
        active, first = np.flatnonzero(w), 0.0
        for _ in range(min(MOST, stop.max_iter - n_iter) if active.size else 0):
            largest = sweep(form, active, w, r)
            n_iter += 1
            first = max(first, largest)
            if largest <= 1e-2 * first or progress.late:
                break
        r = form.z - form.matvec(w)  # afresh: updates accumulate rounding
    return progress.solution(n_iter)


def path(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solve for each l1 in turn, each from the solution before."""
    return warm(problem, l1s, stop, minimise, order="F")


def update(form: StandardForm, j: int, g: float, old: float) -> float:
    """Minimiser of (SF) over w_j alone, from g = a_j'r and the old w_j; docs/maths.md (PROX)."""
    t = g + form.norms_sq[j] * old
    if t > form.lam1[j]:
        return float((t - form.lam1[j]) / (form.norms_sq[j] + form.lam2[j]))
    if t < -form.lam1[j] and not form.positive:
        return float((t + form.lam1[j]) / (form.norms_sq[j] + form.lam2[j]))
    return 0.0


def _sweep_dense(form: StandardForm, order: Any, w: Vector, r: Vector) -> float:
    """One pass over the columns in ``order``; returns the largest change of the fit, squared."""
    largest = 0.0
    for j in order:
        a = form.B[:, j]
        new = update(form, j, a @ r, w[j])
        d = new - w[j]
        if d != 0.0:
            w[j] = new
            r -= d * a
            largest = max(largest, d * d * form.norms_sq[j])
    return largest


def _sweep_sparse(form: StandardForm, order: Any, w: Vector, r: Vector) -> float:
    """As _sweep_dense for A = B - q m': with t = m'w the residual is rho + q t, and orthogonal to q."""
    B = form.B
    m = np.zeros(form.k) if form.m is None else form.m
    q = np.zeros(form.z.size) if form.q is None else form.q
    qq, t = float(q @ q), float(m @ w)
    r -= q * t  # now rho
    largest = 0.0
    for j in order:
        entries = slice(B.indptr[j], B.indptr[j + 1])
        rows, b = B.indices[entries], B.data[entries]
        new = update(form, j, b @ r[rows] + t * qq * m[j], w[j])
        d = new - w[j]
        if d != 0.0:
            w[j] = new
            r[rows] -= d * b
            t += d * m[j]
            largest = max(largest, d * d * form.norms_sq[j])
    r += q * t
    return largest
