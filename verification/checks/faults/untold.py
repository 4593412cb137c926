"""Faults of functions that take no tol, and so claim no more than a gap of 1e-3."""

from __future__ import annotations

from dataclasses import replace

from solvers import Problem, Solution, Status, Stop

from . import planted
from .descent import plainly
from .reference import Descent

CLAIM = 1e-3  # what such a function is taken to claim


def _untold(found: Solution) -> Solution:
    return replace(found, status=Status.CONVERGED, claimed_gap=CLAIM)


def _coarse(problem: Problem, stop: Stop, tol: float) -> Solution:
    """Sweeps until its gap is at most `tol`."""
    return _untold(plainly(problem, replace(stop, tol=tol), gap=Descent.gap))


@planted("even_accuracy", takes_tol=False)
def coarse_where_sparse(problem: Problem, stop: Stop) -> Solution:
    """Sparse data go another way, with a stopping rule of its own: a gap of 1e-4."""
    return _coarse(problem, stop, 1e-4 if problem.is_sparse else stop.tol)


@planted("even_accuracy", takes_tol=False)
def coarse_with_two_penalties(problem: Problem, stop: Stop) -> Solution:
    """With both penalties it stops at a gap of 1e-4."""
    return _coarse(problem, stop, 1e-4 if problem.l1 > 0 < problem.l2 else stop.tol)
