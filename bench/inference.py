"""Ratios of times, how sure they are, and what they show. docs/method.md, "Inference", gives the reasons.

Everything is a ratio inside one run: of the same round where both have it, so that a machine that slows down
slows both, and of two solvers alone, so that a third that leaves changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from statistics import median, median_low
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from bench.noise import ASSUMED, Noise

if TYPE_CHECKING:
    from bench.report.model import Timing

__all__ = [
    "LEVEL", "Estimate", "Finding", "decide", "difference", "estimate", "holm",
    "log_ratio", "log_ratios",
]  # fmt: skip

Vector = NDArray[np.float64]
Key = TypeVar("Key")

RESAMPLES = 200
LEVEL = 0.05  # of a false alarm, for all decisions that are made together


class Finding(Enum):
    """What a ratio shows; the value is how it is said."""

    SLOWER = "slower"
    FASTER = "faster"
    NONE = "no difference shown"


@dataclass(frozen=True)
class Estimate:
    """The ratio of two solvers' times.

    Attributes
    ----------
    log : float
        Logarithm of the ratio; a geometric mean over the cells and over the pairs of processes.
    se : float
        Standard error of `log`.
    dof : float
        Degrees of freedom of `se`.
    cells, processes, rounds : int
        What it rests on: cells, and in the middle one of them pairs of processes, and rounds of all these.
    gate : float
        Smallest ratio, > 1, that may be called a difference.
    """

    log: float
    se: float
    dof: float
    cells: int
    processes: int
    rounds: int
    gate: float

    @property
    def ratio(self) -> float:
        """Time of the first over that of the second."""
        return math.exp(self.log)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the ratio."""
        reach = float(stdtrit(self.dof, 1 - LEVEL / 2)) * self.se  # of Student's t
        return math.exp(self.log - reach), math.exp(self.log + reach)

    @property
    def p(self) -> float:
        """Chance of a ratio at least as far from 1 if the two are equally fast."""
        if self.se == 0:
            return 0.0 if self.log else 1.0
        return float(2 * stdtr(self.dof, -abs(self.log) / self.se))

    def finding(self, p: float | None = None) -> Finding:
        """Say what it shows: a difference if it is beyond the gate and its p is at most LEVEL.

        Single rounds show nothing: the calibration is of medians over several.

        Parameters
        ----------
        p : float, optional
            Corrected for the other decisions that are made together with it; its own if not given.
        """
        p = self.p if p is None else p
        if self.rounds < 2 or p > LEVEL or abs(self.log) <= math.log(self.gate):
            return Finding.NONE
        return Finding.SLOWER if self.log > 0 else Finding.FASTER


def log_ratios(first: Timing, second: Timing) -> list[Vector]:
    """Logarithms of the ratios, round by round, one array for each pair of processes.

    The round of the ladder (0) is left out where there are repeats: the two were measured minutes apart.
    Where no round is shared, the medians are compared, and the scatter is unknown.
    """
    mine, other = _by_turn(first), _by_turn(second)
    shared = sorted(mine.keys() & other.keys() - {0}) or sorted(mine.keys() & other.keys())
    blocks: dict[tuple[int, int], list[float]] = {}
    for turn in shared:
        (process, seconds), (process_b, seconds_b) = mine[turn], other[turn]
        blocks.setdefault((process, process_b), []).append(math.log(seconds / seconds_b))
    if not blocks:
        return [np.array([math.log(first.seconds / second.seconds)])]
    return [np.array(logs) for logs in blocks.values()]


def log_ratio(blocks: Sequence[Vector]) -> float:
    """Return the mean over pairs of processes of the median over their rounds."""
    return float(np.mean([median(logs.tolist()) for logs in blocks]))


def _by_turn(timing: Timing) -> dict[int, tuple[int, float]]:
    rows = zip(timing.turns, timing.processes, timing.rounds, strict=True)
    return {turn: (process, seconds) for turn, process, seconds in rows}


def estimate(pairs: Sequence[tuple[Timing, Timing]], noise: Noise = ASSUMED) -> Estimate:
    """Estimate a ratio of times over some cells.

    Parameters
    ----------
    pairs : sequence of (Timing, Timing)
        The two solvers on each cell, at least one.
    noise : Noise
        What identical code shows: ``noise_for(cpu).noise``.

    Notes
    -----
    Within a pair of processes the median over the rounds, for outliers; then the mean over the processes
    and over the cells. The variance is that of a hierarchical bootstrap, processes first and then rounds
    within them; cells that were measured in the same processes are resampled together. A few processes know
    little of their own scatter, so that it is moderated by what twins have shown [smyth2004]: a mean of the
    two variances, weighted by their degrees of freedom. One process knows nothing of it; its rounds are
    taken to scatter as they do, or as twins' do if that is more.
    """
    blocks = [log_ratios(first, second) for first, second in pairs]
    cells, processes = len(blocks), median_low(map(len, blocks))
    rounds = median_low(sum(map(len, cell)) for cell in blocks)
    prior = noise.variance(cells, processes, rounds / processes)
    drawn = float(np.mean([_bootstrapped(cell) for cell in blocks], axis=0).var())
    if processes == 1:
        variance, dof = max(prior, noise.variance(cells, 1, math.inf) + drawn), noise.dof
    else:
        own = drawn * processes / (processes - 1)
        dof = noise.dof + processes - 1
        variance = (noise.dof * prior + (processes - 1) * own) / dof
    return Estimate(
        log=float(np.mean([log_ratio(cell) for cell in blocks])),
        se=math.sqrt(variance),
        dof=dof,
        cells=cells,
        processes=processes,
        rounds=rounds,
        gate=noise.least(cells, processes, rounds / processes),
    )


@lru_cache(maxsize=64)
def _processes_drawn(count: int) -> NDArray[np.int64]:
    """Which processes each resample has: (RESAMPLES, count), the same for every cell."""
    return np.random.default_rng((count, 0)).integers(0, count, (RESAMPLES, count))


@lru_cache(maxsize=1024)
def _rounds_drawn(process: int, places: int, rounds: int) -> NDArray[np.int64]:
    """Which of a process's rounds stand in each of its places in the resamples: (places, rounds)."""
    return np.random.default_rng((process, places, rounds)).integers(0, rounds, (places, rounds))


def _bootstrapped(cell: Sequence[Vector]) -> Vector:
    """Logarithms of the ratio in a cell, resampled: (RESAMPLES,)."""
    drawn = _processes_drawn(len(cell))
    medians = np.empty(drawn.shape)
    for process, logs in enumerate(cell):
        places = drawn == process
        medians[places] = np.median(logs[_rounds_drawn(process, int(places.sum()), logs.size)], axis=1)
    means: Vector = medians.mean(axis=1)
    return means


def difference(first: Estimate, second: Estimate, apart: float = 1.0) -> Estimate:
    """Return the ratio of two ratios that were measured apart: of a solver to its anchor, in two runs.

    Parameters
    ----------
    first, second : Estimate
    apart : float
        Of Noise, >= 1: errors and gate are so much wider than the two runs say.

    Notes
    -----
    The variances add; so do the gates, in quadrature. Degrees of freedom after Welch and Satterthwaite.
    """
    v, w = first.se**2, second.se**2
    dof = (v + w) ** 2 / (v**2 / first.dof + w**2 / second.dof) if v + w > 0 else first.dof + second.dof
    return Estimate(
        log=first.log - second.log,
        se=apart * math.sqrt(v + w),
        dof=dof,
        cells=min(first.cells, second.cells),
        processes=min(first.processes, second.processes),
        rounds=min(first.rounds, second.rounds),
        gate=math.exp(apart * math.hypot(math.log(first.gate), math.log(second.gate))),
    )


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values corrected for being many, however they depend on one another [holm1979].

    Parameters
    ----------
    p : sequence of float
        In [0, 1].
    """
    corrected = [0.0] * len(p)
    worst = 0.0
    for rank, k in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        worst = max(worst, min(1.0, (len(p) - rank) * p[k]))
        corrected[k] = worst
    return corrected


def decide(estimates: Mapping[Key, Estimate]) -> dict[Key, Finding]:
    """Decide on many ratios together: a false alarm among them has a chance of at most LEVEL in all."""
    corrected = holm([one.p for one in estimates.values()])
    return {key: one.finding(p) for (key, one), p in zip(estimates.items(), corrected, strict=True)}
