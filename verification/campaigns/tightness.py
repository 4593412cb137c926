"""How tight the level "rigorous" is on the suite quick: its bound less the exact gap of its dual point."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from solvers import Problem, Stop, solve

from ..problems import CaseMissing
from ..problems.suites import quick
from ..proofs import Judge, checker
from ..proofs.export import describe, exactly
from ..proofs.integers import upward
from ..proofs.rigorous import RigorousJudge
from . import Tally, campaign
from .random_problems import Point

__all__ = ["compare", "points_of"]

TIGHT = 1e-12  # of N
CELLS = len(quick())
SIZES = (1e-10, 1e-6, 1e-3, 1.0)  # relative distance of the points from a solver's best answer


def points_of(problem: Problem, rng: np.random.Generator) -> Iterator[Point]:
    """Yield a solver's best answer, a rough one, points around, the origin."""
    found = solve(problem, stop=Stop(tol=1e-13, max_iter=20_000, time_limit=20.0))
    yield found.coef, found.intercept
    rough = solve(problem, stop=Stop(tol=1e-3, max_iter=20_000, time_limit=20.0))
    yield rough.coef, rough.intercept
    for size in SIZES:
        moved = found.coef * (1 + size * rng.standard_normal(problem.p))
        yield moved, found.intercept * (1 + size)
    yield np.zeros(problem.p), 0.0


def compare(problem: Problem, words: str, tally: Tally, rng: np.random.Generator) -> float:
    """Compare all points of one problem; return the largest excess relative to N."""
    rough, judge, exact = Judge(problem), RigorousJudge(problem), exactly(describe(problem))
    worst = 0.0
    for k, (w, b) in enumerate(points_of(problem, rng)):
        estimate, found = rough.certify(w, b), judge.certify(w, b)
        tally.counts["points"] += 1
        tally.counts["of them in rationals"] += "rationals" in found.kind
        if estimate.gap is not None and (found.gap is None or not np.isfinite(found.gap)):
            tally.failures.append(f"{words}, point {k}: not finite, though float is")
        if found.gap is None:
            continue
        values = [*w.tolist(), b] if problem.intercept else w.tolist()
        primal = exact.primal({j: Fraction(x) for j, x in enumerate(values) if x})
        gap = primal - exact.dual(checker.Row(judge.theta(w, b)))  # raises if theta is not feasible
        if Fraction(found.gap) < gap:
            tally.failures.append(f"{words}, point {k}: below the exact gap of its own theta")
        excess = upward((Fraction(found.gap) - gap) / Fraction(found.scale))
        worst = max(worst, excess)
        if excess > TIGHT:
            tally.failures.append(f"{words}, point {k}: {excess:.1e} N above the exact gap")
    return worst


def _short(total: Tally) -> Iterator[str]:
    if len(total.lines) < CELLS:
        yield f"{len(total.lines)} of {CELLS} cells"


@campaign(
    "rigorous-quick",
    parts=CELLS,
    bar=f"on every quick cell finite wherever float is, and at most {TIGHT:g} N above the exact gap",
    short=_short,
)
def rigorous_quick(part: int) -> Tally:
    """Seven points of each quick cell: answers at two tolerances, points around them, the origin."""
    cell, tally = quick()[part], Tally()
    try:
        problem = cell.problem()
    except CaseMissing as reason:
        tally.failures.append(f"{cell.name}: {reason}")
        return tally
    worst = compare(problem, cell.name, tally, np.random.default_rng(part))
    tally.largest("(bound - exact gap) / N", worst)
    tally.lines[cell.name] = f"{worst:.1e} N"
    return tally
