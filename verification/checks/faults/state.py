"""Faults of what is kept between calls: input written to, another problem's answer, no two runs alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers import Problem, Solution, Stop

from . import descend, planted
from .reference import Descent, Vector, honest

_answers: dict[bytes, Solution] = {}
_previous: dict[int, Vector] = {}
_buffers: dict[int, Vector] = {}


@planted("input_untouched")
def writes_into_y(problem: Problem, stop: Stop) -> Solution:
    """It centres y in place: the caller's own array."""
    found = honest(problem, stop)
    y = problem.y.view()
    try:
        y.flags.writeable = True
    except ValueError:  # memory that nobody may write to
        return found
    y -= np.mean(y)
    return found


@planted("sign_flip_of_y")
def cached_without_y(problem: Problem, stop: Stop) -> Solution:
    """Answers are kept by X and the penalties: another y gets an old answer."""
    X = problem.X.toarray() if problem.is_sparse else np.ascontiguousarray(problem.X)
    key = X.tobytes() + np.array([problem.l1, problem.l2, problem.intercept, problem.positive]).tobytes()
    key += problem.s.tobytes() + problem.v.tobytes()
    if key not in _answers:
        _answers[key] = honest(problem, stop)
    return _answers[key]


@planted("same_bits_twice")
def starts_where_it_ended(problem: Problem, stop: Stop) -> Solution:
    """A cold start begins with the coefficients of the previous problem of the same width."""
    solver = Descent(problem, stop)
    start = _previous.get(solver.w.size, solver.w)
    if not problem.positive or not np.any(start < 0):
        solver.w = start.copy()
        solver.r = solver.z - solver.A @ solver.w
    found = solver.solve()
    _previous[solver.w.size] = solver.w.copy()
    return found


@planted("answers_stay")
def returns_its_buffer(problem: Problem, stop: Stop) -> Solution:
    """The coefficients returned are a buffer that the next run overwrites."""
    found = honest(problem, stop)
    buffer = _buffers.setdefault(problem.p, np.zeros(problem.p))
    buffer[:] = found.coef
    return replace(found, coef=buffer)


@planted("same_bits_twice")
def random_order(problem: Problem, stop: Stop) -> Solution:
    """Coordinates are visited in a random order, without a seed."""
    rng = np.random.default_rng()
    return descend(problem, stop, order=lambda self: rng.permutation(self.w.size))


@planted("process_as_it_was")
def seeds_the_world(problem: Problem, stop: Stop) -> Solution:
    """Seeds the process-wide random numbers of numpy."""
    np.random.seed(0)
    return honest(problem, stop)


@planted("process_as_it_was")
def silences_numpy(problem: Problem, stop: Stop) -> Solution:
    """Leaves numpy's floating-point warnings switched off."""
    np.seterr(all="ignore")
    return honest(problem, stop)
