"""Who is faster than whom: ratios of times over the cells that both have solved to the tier.

No solver is compared with a reference or with the best contestant, so that a comparison of two does not
change when a third leaves.  How a ratio is estimated and what it shows: bench/inference.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from bench.inference import Estimate, Finding, decide, estimate
from bench.report.model import Report

__all__ = ["Comparison", "Standing", "compare", "geometric_mean", "standing"]

COVERAGE = 0.9  # of the largest number of cells solved: whoever leads must have solved nearly as many


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean of positive values."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs))


@dataclass(frozen=True)
class Comparison:
    """Times of `first` over those of `second`.

    Attributes
    ----------
    estimate : Estimate
        Geometric mean over the cells, with its interval.
    finding : Finding
        What it shows, corrected where it is one of many.
    cells : tuple of str
        Where both reached the tier.
    """

    first: str
    second: str
    tier: float
    estimate: Estimate
    finding: Finding
    cells: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Below 1 the first is faster."""
        return self.estimate.ratio

    @property
    def low(self) -> float:
        """Lower bound of the 95 % interval."""
        return self.estimate.interval[0]

    @property
    def high(self) -> float:
        """Upper bound of the 95 % interval."""
        return self.estimate.interval[1]

    @property
    def repeated(self) -> bool:
        """Whether both were timed more than once in at least half of the cells; else nothing is shown."""
        return self.estimate.rounds > 1

    @property
    def shown(self) -> bool:
        """Whether a difference is shown."""
        return self.finding is not Finding.NONE


def compare(report: Report, first: str, second: str, tier: float, cells: Sequence[str]) -> Comparison | None:
    """Compare two solvers over some cells; None where they share none."""
    pairs = {
        cell: (a, b)
        for cell in cells
        if (a := report.timing(first, cell, tier)) is not None
        and (b := report.timing(second, cell, tier)) is not None
    }
    if not pairs:
        return None
    found = estimate(list(pairs.values()), report.noise.noise)
    return Comparison(first, second, tier, found, found.finding(), tuple(pairs))


def _ratio(report: Report, first: str, second: str, tier: float, cells: Sequence[str]) -> float | None:
    """Ratio of a comparison alone, without its interval."""
    pairs = [(report.timing(first, cell, tier), report.timing(second, cell, tier)) for cell in cells]
    ratios = [a.seconds / b.seconds for a, b in pairs if a is not None and b is not None]
    return geometric_mean(ratios) if ratios else None


@dataclass(frozen=True)
class Standing:
    """How the solvers stand on some cells at one tier.

    Attributes
    ----------
    leader : str
        Of the solvers with nearly the most cells solved, the one that is faster than the most others.
    solved : tuple of str
        Cells that the leader solved to the tier.
    seconds : float
        Geometric mean of the leader's times over them.
    against : tuple of Comparison
        The leader against every other solver with a time on a shared cell, the closest first; what they
        show is corrected for their number.
    unanimous : bool
        Whether the leader is faster than each of its rivals for the lead (there may be a cycle).
    """

    leader: str
    solved: tuple[str, ...]
    of: int
    tier: float
    seconds: float
    against: tuple[Comparison, ...]
    unanimous: bool

    def runner_up(self, solved_like: float = COVERAGE) -> Comparison | None:
        """Return the closest comparison over nearly all of the leader's cells."""
        wide = [c for c in self.against if len(c.cells) >= solved_like * len(self.solved)]
        return wide[0] if wide else None


def standing(report: Report, tier: float, cells: Sequence[str]) -> Standing | None:
    """Return how the solvers stand; None if nobody has a time."""
    counts = {
        name: sum(report.timing(name, cell, tier) is not None for cell in cells) for name in report.solvers
    }
    most = max(counts.values(), default=0)
    if most == 0:
        return None
    rivals = [name for name, count in counts.items() if count >= COVERAGE * most]

    def beaten(name: str) -> tuple[int, float]:
        against = [_ratio(report, name, other, tier, cells) for other in rivals if other != name]
        ratios = [ratio for ratio in against if ratio is not None]
        return sum(ratio < 1 for ratio in ratios), -geometric_mean(ratios) if ratios else 0.0

    leader = max(rivals, key=beaten)
    compared = [compare(report, leader, name, tier, cells) for name in report.solvers if name != leader]
    others = [comparison for comparison in compared if comparison is not None]
    findings = decide({comparison.second: comparison.estimate for comparison in others})
    against = [replace(comparison, finding=findings[comparison.second]) for comparison in others]
    against.sort(key=lambda comparison: -comparison.ratio)
    solved = tuple(cell for cell in cells if report.timing(leader, cell, tier) is not None)
    times = [timing.seconds for cell in solved if (timing := report.timing(leader, cell, tier)) is not None]
    return Standing(
        leader=leader,
        solved=solved,
        of=len(cells),
        tier=tier,
        seconds=geometric_mean(times),
        against=tuple(against),
        unanimous=beaten(leader)[0] == len(rivals) - 1,
    )


def ratio_to_fastest(report: Report, tier: float) -> dict[str, dict[str, float]]:
    """Return, by solver and cell, the time over that of the fastest solver in the cell. For pictures only."""
    ratios: dict[str, dict[str, float]] = {name: {} for name in report.solvers}
    for cell in report.cells:
        times = {
            name: t.seconds for name in report.solvers if (t := report.timing(name, cell, tier)) is not None
        }
        for name, seconds in times.items():
            ratios[name][cell] = seconds / min(times.values())
    return {name: found for name, found in ratios.items() if found}


def median_ratio(found: dict[str, float]) -> float:
    """Return the median of a solver's ratios."""
    return median(found.values())
