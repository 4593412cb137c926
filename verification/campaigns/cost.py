"""What the level "rigorous" costs beside "float", in processor time on the suite quick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import process_time

import numpy as np

from solvers import Problem, Stop, solve

from ..problems import CaseMissing
from ..problems.suites import quick
from ..proofs import Judge
from ..proofs.rigorous import RigorousJudge
from . import Tally, campaign
from .random_problems import Point

__all__ = ["BARS", "cheapest", "compare", "cost_of_rigorous"]

CELLS = len(quick())
SLACK, OTHERS = "all columns with slack", "others"
# As docs/proofs.md promises: where no coefficient stands in the way the columns are bounded by norms; those
# of the support are summed in twice the precision.
BARS = {SLACK: 3.0, OTHERS: 10.0}
SHORTEST = 0.02  # seconds of processor time that a sample takes at least: the clock's grain, and the caches
SAMPLES = 7


def cheapest(run: Callable[[], object]) -> float:
    """Return the processor time of one call in seconds: the best of some samples after a first call."""
    run()
    calls = 1
    while (spent := _spent(run, calls)) < SHORTEST:
        calls *= 2
    return min(spent, *(_spent(run, calls) for _ in range(SAMPLES - 1))) / calls


def _spent(run: Callable[[], object], calls: int) -> float:
    start = process_time()
    for _ in range(calls):
        run()
    return process_time() - start


def _points(problem: Problem) -> Iterator[tuple[str, Point]]:
    """The origin, where every column has slack but the one that decides on alpha; a solver's answer."""
    mean = float(problem.s @ problem.y / np.sum(problem.s)) if problem.intercept else 0.0
    yield SLACK, (np.zeros(problem.p), mean)
    found = solve(problem, stop=Stop(tol=1e-10, max_iter=20_000, time_limit=20.0))
    yield OTHERS, (found.coef, found.intercept)


def compare(problem: Problem, words: str, tally: Tally) -> None:
    """Measure both levels at the points of a problem; what a judge computes once is not counted."""
    rough, judge = Judge(problem), RigorousJudge(problem)
    told = []
    for kind, (w, b) in _points(problem):
        float_, rigorous = cheapest(partial(rough.certify, w, b)), cheapest(partial(judge.certify, w, b))
        ratio = rigorous / float_
        tally.counts["points"] += 1
        tally.largest(f"rigorous / float, {kind}", ratio)
        share = np.count_nonzero(w) / problem.p
        told.append(f"{ratio:.1f} times {1e3 * float_:.2g} ms ({share:.0%} not zero)")
        if ratio > BARS[kind]:
            tally.failures.append(f"{words}: {ratio:.1f} times the cost of float, {kind}: not {BARS[kind]:g}")
    tally.lines[words] = ", ".join(told)


@campaign(
    "rigorous-cost",
    parts=CELLS,
    bar=", ".join(f"at most {times:g} times the cost of float with {kind}" for kind, times in BARS.items()),
    short=lambda total: [f"{len(total.lines)} of {CELLS} cells"] if len(total.lines) < CELLS else [],
)
def cost_of_rigorous(part: int) -> Tally:
    """Processor time of both levels on each quick cell, at the origin and at an answer."""
    cell, tally = quick()[part], Tally()
    try:
        problem = cell.problem()
    except CaseMissing as reason:
        tally.failures.append(f"{cell.name}: {reason}")
        return tally
    compare(problem, cell.name, tally)
    return tally
