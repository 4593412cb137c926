"""Weak duality of the level "float" on random points, against optima in rationals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from solvers import Problem

from .. import Certificate, Judge
from . import Tally, campaign
from .exact_reference import ExactProblem, Optimum, rational
from .random_problems import combinations, points, problem_of

__all__ = ["check_point", "check_radius", "reference", "weak_duality"]

POINTS = 10_000
WIDE = 1e-8  # of N: a larger radius at an optimum of moderate data would make nothing fail
SHIFT = 1e8  # added to y in the second half of the parts
CHUNKS = 12  # parts of each half

Vector = NDArray[np.float64]
Combination = tuple[str, ...]


@cache
def reference(combination: Combination, shift: float = 0.0) -> tuple[Problem, ExactProblem, Optimum]:
    """Return the problem of a combination, y shifted, and its optimum."""
    problem = problem_of(combination)
    if shift:
        problem = problem.replace(y=problem.y + shift)
    exact = ExactProblem(problem)
    return problem, exact, exact.optimum()


def check_point(
    tally: Tally, words: str, found: Certificate, exact: ExactProblem, best: Optimum, w: Vector, b: float,
    *, at_optimum: bool = False,
) -> None:  # fmt: skip
    """Compare a certificate with the truth, in rationals, at one point."""
    tally.counts["points"] += 1
    if found.gap is None or found.radius is None or not np.isfinite(found.gap):
        tally.failures.append(f"{words}: no gap: {found.reason}")
        return
    primal = exact.objective([rational(x) for x in w], rational(b))
    suboptimality = primal - best.value
    gap, radius = rational(found.gap), rational(found.radius)
    about = f"gap {found.gap:.3g}, radius {found.radius:.3g}"
    if gap + radius < suboptimality:
        tally.failures.append(f"{words}: below the truth: {about}")
    if at_optimum and gap > suboptimality + radius:
        tally.failures.append(f"{words}: not within its radius of 0 at the optimum: {about}")
    if abs(primal - rational(found.primal)) > radius:
        tally.failures.append(f"{words}: P(w, b) is off by more than the radius: {about}")
    if any(zero and x != 0 for zero, x in zip(found.certified_zeros, best.coef, strict=True)):
        tally.failures.append(f"{words}: a certified zero is none")
    if radius > 0:
        ratio = max(fmpq(0), min((suboptimality - gap) / radius, fmpq(10**6)))  # in the range of float
        tally.largest("(suboptimality - gap) / radius", int(ratio.p) / int(ratio.q))


def check_radius(tally: Tally, words: str, problem: Problem, found: Certificate) -> None:
    """At an optimum of data of moderate size the radius must be small, or no gap could ever be wrong."""
    moderate = max(np.abs(problem.X).max(), np.abs(problem.y).max()) < 100 and found.scale > 1e-6
    if moderate and found.radius is not None:
        radius = found.radius / found.scale
        tally.counts["optima of moderate data"] += 1
        tally.counts["of them with a radius below 1e-13 N"] += radius < 1e-13
        tally.largest("radius / N at an optimum of moderate data", radius)
        if radius > WIDE:
            tally.failures.append(f"{words}: radius {radius:.1e} N")


def weak_duality(chosen: Iterable[Combination], shift: float = 0.0) -> Tally:
    """Try all points of the problems of these combinations."""
    tally = Tally()
    for combination in chosen:
        problem, exact, best = reference(combination, shift)
        tally.counts["problems"] += 1
        of_problem = Judge(problem)
        for k, (w, b) in enumerate(points(problem, best, np.random.default_rng(0))):
            words = f"{' '.join(combination)}, y + {shift:g}, point {k}"
            found = of_problem.certify(w, b)
            check_point(tally, words, found, exact, best, w, b, at_optimum=k == 0)
            if k == 0:
                check_radius(tally, words, problem, found)
    return tally


def _short(total: Tally) -> Iterator[str]:
    if total.counts["points"] < 2 * POINTS:
        yield f"{total.counts['points']} points, not {2 * POINTS}"
    if 2 * total.counts["of them with a radius below 1e-13 N"] <= total.counts["optima of moderate data"]:
        yield "half of the radii at optima of moderate data are above 1e-13 N"


@campaign(
    "weak-duality",
    parts=2 * CHUNKS,
    bar=f"{POINTS} points, and as many with y + {SHIFT:g}: gap + radius never below the true suboptimality, "
    "gap within radius of it at the optimum",
    short=_short,
)
def weak_duality_part(part: int) -> Tally:
    """All combinations of intercept, s, v (0 and inf), positive, layout and penalty; 21 points each."""
    return weak_duality(combinations()[part % CHUNKS :: CHUNKS], SHIFT * (part >= CHUNKS))
