"""Over problems: who solves what, who wins where, and a mean that no failure flatters.

Pure functions of a judged report (`bench.report.build`).  Only certified runs have a time; whatever a solver
says of its runs, a tier that is not proven is not solved, and costs the longest time that was allowed.
Twins are in no report's rankings, and so in none of these.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.inference import Estimate, Finding, decide, estimate
from bench.report.model import Report

__all__ = [
    "Tally", "cell_estimates", "means", "penalised", "shifted_geometric_mean", "solved", "win_tie_loss",
]  # fmt: skip

SHIFT = 0.1  # of the median time: enough that microseconds do not rule a mean, too little to hide a slowdown


def solved(report: Report, tier: float, cells: Iterable[str]) -> dict[tuple[str, str], bool]:
    """Whether each solver is proven to reach a tier in each cell.

    What a solver refuses, or was not run on, is not there; nor are the cells where nobody's dual bound
    decides, where rounding alone exceeds the tier, or whose dtype has no such tier: they are nobody's
    failure.  A WRONG solver has solved nothing.
    """
    wanted = set(cells)
    judged = {
        cell for (_, cell), outcome in report.outcomes.items() if cell in wanted and tier in outcome.tiers
    }
    return {
        (name, cell): outcome.tiers.get(tier) == "met" and name not in report.wrong
        for (name, cell), outcome in report.outcomes.items()
        if cell in judged and not outcome.refused and outcome.tiers.get(tier) not in ("undecided", "beyond")
    }


def penalised(report: Report, tier: float, cells: Iterable[str]) -> dict[str, dict[str, float]]:
    """Seconds to a tier by solver and cell; what is not :func:`solved` costs the longest that was allowed."""
    longest = float(report.head["longest"])
    seconds: dict[str, dict[str, float]] = {}
    for (name, cell), met in solved(report, tier, cells).items():
        timing = report.timing(name, cell, tier)
        seconds.setdefault(name, {})[cell] = timing.seconds if met and timing is not None else longest
    return seconds


def shifted_geometric_mean(seconds: Sequence[float], typical: float) -> float:
    """Return exp(mean(log(t + s))) - s, a mean of times that the fastest problems do not rule.

    Parameters
    ----------
    seconds : sequence of float
        At least one, >= 0.
    typical : float
        Median time of all solvers on these problems; the shift s is a tenth of it. A shift of many times the
        times themselves hides everything: with one of 10 s, a slowdown of 5 on nine of ten problems of 10 ms
        changes the mean by less than a hundredth.
    """
    shift = SHIFT * typical
    return math.exp(sum(math.log(t + shift) for t in seconds) / len(seconds)) - shift


def means(times: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Shifted geometric mean by solver, of what :func:`penalised` returns; one shift for all of them.

    It compares solvers only where they have the same cells.
    """
    every = [t for found in times.values() for t in found.values()]
    return {
        name: shifted_geometric_mean(list(found.values()), median(every)) for name, found in times.items()
    }


@dataclass(frozen=True)
class Tally:
    """How one solver fares against another, cell by cell.

    Attributes
    ----------
    wins, ties, losses : int
        Cells where both reach the tier and the first is faster, shows no difference, or is slower.
    only_first, only_second : int
        Cells that both were asked to solve and one alone did.
    """

    wins: int
    ties: int
    losses: int
    only_first: int
    only_second: int


def cell_estimates(
    report: Report, first: str, second: str, tier: float, cells: Sequence[str]
) -> dict[str, Estimate]:
    """Ratio of two solvers' times in each cell where both reach the tier."""
    found = {}
    for cell in cells:
        a, b = report.timing(first, cell, tier), report.timing(second, cell, tier)
        if a is not None and b is not None:
            found[cell] = estimate([(a, b)], report.noise.noise)
    return found


def win_tie_loss(
    report: Report,
    first: str,
    second: str,
    tier: float,
    cells: Sequence[str],
    met: Mapping[tuple[str, str], bool] | None = None,
) -> Tally:
    """Count how two solvers fare; the cells are decided together, so that one in twenty is no false win.

    `met` is what :func:`solved` returns, for those who count many pairs.
    """
    findings = list(decide(cell_estimates(report, first, second, tier, cells)).values())
    met = solved(report, tier, cells) if met is None else met
    both = [
        (met[first, cell], met[second, cell])
        for cell in cells
        if {(first, cell), (second, cell)} <= met.keys()
    ]
    return Tally(
        wins=findings.count(Finding.FASTER),
        ties=findings.count(Finding.NONE),
        losses=findings.count(Finding.SLOWER),
        only_first=both.count((True, False)),
        only_second=both.count((False, True)),
    )
