"""Least angle regression with drops: the exact path, knot by knot. [efron2004], [osborne2000], [zou2005].

A knot costs two products with A', 4 n k, and n |F| for the Cholesky factor of the active columns (|F|^3 / 3
when one leaves). There is no tolerance: between knots the path is linear. With l2 > 0 it is the path at that
l2, the elastic net's; penalty weights and signs are part of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ._progress import trivial
from ._standard_form import StandardForm, is_least_squares, standard_form
from ._warm import rescaled
from .problem import Problem, Vector
from .solution import Solution, Status, Stop

if TYPE_CHECKING:
    from ._homotopy import Knot

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("efron2004", "osborne2000", "zou2005")
PACKAGE = None


@dataclass(frozen=True)
class Path:
    """The path of (P) in l1; between two knots the coefficients are linear in l1.

    Attributes
    ----------
    knots : (m,) array
        l1 at the knots, falling.
    coefs : (m, p) array
    intercepts : (m,) array
    moves : list of int
        One for each knot but the last: j + 1 if column j enters there, -(j + 1) if it leaves, 0 if a column
        that depends on the active ones reaches its bound (and stays at zero).
    """

    knots: Vector
    coefs: NDArray[np.float64]
    intercepts: Vector
    moves: list[int]


def refuses(problem: Problem) -> str | None:
    """Without an L1 penalty there is no path to follow."""
    if problem.l1 == 0 or is_least_squares(problem):
        return "no L1 penalty, so no path in it"
    return None


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form, as X lies in memory."""
    form = standard_form(problem)
    return lambda: next(_along(form, [1.0], stop))


def lars_path(problem: Problem, l1_min: float = 0.0) -> Path:
    """Every knot of the path from l1_max down to ``l1_min``, which ends it whether a knot or not.

    Parameters
    ----------
    problem : Problem
        Its own l1 plays no part.
    l1_min : float
        0 gives the whole path.
    """
    from ._homotopy import Homotopy

    form = standard_form(problem.replace(l1=problem.l1_max()))
    unit = form.problem.l1
    knots, solutions, moves = [], [], []
    before = None
    homotopy = Homotopy(form)
    for knot in homotopy.walk():
        if knot.level * unit < l1_min:
            w = _between(before, knot, l1_min / unit)
            knots.append(l1_min)
            solutions.append(form.solution(w, Status.CONVERGED, len(knots)))
            break
        before = knot
        knots.append(knot.level * unit)
        solutions.append(form.solution(knot.w, Status.CONVERGED, len(knots)))
        moves += [_of_problem(form, move) for move in knot.moves]
    coefs = np.array([s.coef for s in solutions]).reshape(-1, problem.p)
    return Path(np.array(knots), coefs, np.array([s.intercept for s in solutions]), moves)


def path(problem: Problem, l1s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solve for each l1 > 0, falling, on one walk along the path."""
    form = standard_form(problem.replace(l1=l1s[0]))
    yield from _along(form, [l1 / l1s[0] for l1 in l1s], stop)


def _along(form: StandardForm, levels: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solutions at falling multiples of the form's l1."""
    from ._homotopy import Homotopy

    began = time.perf_counter()
    homotopy = Homotopy(form)
    walk = homotopy.walk()
    before: Knot | None = None
    knot: Knot | None = None
    n_iter, ended = 0, None
    for level in levels:
        here = rescaled(form, l1=level)
        settled = trivial(here, stop)
        if settled is not None:
            yield settled
            continue
        while ended is None and (knot is None or knot.level > level):
            if n_iter >= stop.max_iter:
                ended = Status.MAX_ITER
            elif knot and stop.time_limit is not None and time.perf_counter() - began > stop.time_limit:
                ended = Status.TIME_LIMIT
            else:
                before, knot = knot, next(walk, None)
                n_iter += 1
                if knot is None:
                    ended, knot = Status.STALLED, before
        w = _between(before, knot, level)
        gap = here.relative_gap(w, here.z - here.matvec(w))
        status = Status.CONVERGED if gap <= stop.tol else ended or Status.STALLED
        yield form.solution(w, status, n_iter, float(gap))


def _between(before: Knot | None, after: Knot | None, level: float) -> Vector:
    """The path at ``level`` by its linearity, from the knots on both sides; the nearest where it ended."""
    assert after is not None
    if before is None or after.level >= level or before.level == after.level:
        return after.w
    t = (before.level - level) / (before.level - after.level)
    return (1 - t) * before.w + t * after.w


def _of_problem(form: StandardForm, move: int) -> int:
    """A move counted in the columns of X."""
    return int(np.sign(move)) * (int(form.columns[abs(move) - 1]) + 1) if move else 0
