"""Faults of what is kept between calls: input written to, another problem's answer, no two runs alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from solvers import Problem, Solution, Stop

from . import planted, planted_in_path
from .descent import plainly, still
from .reference import Descent, Vector, honest

_answers: dict[bytes, Solution] = {}
_previous: dict[int, Vector] = {}
_buffers: dict[int, Vector] = {}
_calls = [0]
_placed: dict[tuple[Any, ...], tuple[Problem, Solution]] = {}


def _without_leaps(problem: Problem, stop: Stop, **wrong: Any) -> Descent:
    """A solver on which a wrong start is not lost."""
    return type("Faulty", (Descent,), {"leap": lambda self: None} | wrong)(problem, stop)


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


@planted("response_sign")
def cached_without_y(problem: Problem, stop: Stop) -> Solution:
    """Answers are kept by X and the penalties: another y gets an old answer."""
    X = problem.X.toarray() if problem.is_sparse else np.ascontiguousarray(problem.X)
    key = X.tobytes() + np.array([problem.l1, problem.l2, problem.intercept, problem.positive]).tobytes()
    key += problem.s.tobytes() + problem.v.tobytes()
    if key not in _answers:
        _answers[key] = honest(problem, stop)
    return _answers[key]


@planted("same_bits")
def starts_where_it_ended(problem: Problem, stop: Stop) -> Solution:
    """A cold start begins with the coefficients of the previous problem of the same width."""
    solver = _without_leaps(problem, stop)
    start = _previous.get(solver.w.size, solver.w)
    solver.warm(np.maximum(start, 0.0) if problem.positive else start)
    found = solver.solve()  # the bits depend on where it began
    _previous[solver.w.size] = solver.w.copy()
    return found


@planted("answer_kept")
def returns_its_buffer(problem: Problem, stop: Stop) -> Solution:
    """The coefficients returned are a buffer that the next run overwrites."""
    found = honest(problem, stop)
    buffer = _buffers.setdefault(problem.p, np.zeros(problem.p))
    buffer[:] = found.coef
    return replace(found, coef=buffer)


@planted("same_bits")
def random_order(problem: Problem, stop: Stop) -> Solution:
    """Coordinates are visited in a random order, without a seed."""
    rng = np.random.default_rng()
    return plainly(problem, stop, order=lambda self: rng.permutation(self.w.size), gap=Descent.gap)


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


@planted_in_path("warm_start")
def warm_start_without_residual(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """A warm start takes over the coefficients, and y as the residual that would belong to zeros."""
    before: Vector | None = None
    for l1 in l1s:
        solver = type("Faulty", (Descent,), {"leap": lambda self: None, "gap": still})(
            problem.replace(l1=l1), stop
        )
        if before is not None:
            solver.w = before.copy()
        yield solver.solve()
        before = solver.w


@planted("many_calls")
def eight_bit_counter(problem: Problem, stop: Stop) -> Solution:
    """Every 256th call of a process finds the slot of the first taken, and returns what is there: zeros."""
    found = honest(problem, stop)
    _calls[0] = (_calls[0] + 1) % 256
    return found if _calls[0] else replace(found, coef=np.zeros(problem.p))


@planted("buffer_reused")
def kept_by_address(problem: Problem, stop: Stop) -> Solution:
    """Answers are kept by where the data lie, and so the data that lie there now get an old answer."""
    data = problem.X.data if problem.is_sparse else problem.X
    key = (
        data.ctypes.data,
        problem.y.ctypes.data,
        problem.l1,
        problem.l2,
        problem.intercept,
        problem.positive,
    )
    if key not in _placed:
        _placed[key] = problem, honest(problem, stop)  # held on to, so that no other data come to lie there
    return _placed[key][1]
