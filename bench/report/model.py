"""What a report says, before it is put in any form: built from records and verdicts, never typed.

Only certified runs get a time, and a solver that is WRONG anywhere gets none at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.noise import UNCALIBRATED, Calibrated
from verification.verdict import Judgement, judge

__all__ = ["Cell", "Outcome", "Point", "Report", "Solver", "Timing", "Twin", "settled"]

FAMILIES = ("l1", "ridge")  # with an L1 penalty, and without


@dataclass(frozen=True)
class Timing:
    """The time a solver needs for a tier in a cell: of the loosest rung that meets it, in its best setting.

    Attributes
    ----------
    rounds : tuple of float
        Seconds of each round: setup + run.
    configuration : str
    tol : float
        Of the rung.
    processes, turns : tuple of int
        Of each round, in the same order: the process that ran it (which start of the solver's worker), and
        the number of the round. Two solvers are compared within a round.
    """

    rounds: tuple[float, ...]
    configuration: str
    tol: float
    processes: tuple[int, ...]
    turns: tuple[int, ...]

    @property
    def seconds(self) -> float:
        """Median over the repeats."""
        return settled(zip(self.turns, self.rounds, strict=True))


def settled(rounds: Iterable[tuple[int, float]]) -> float:
    """Return the median over (number of the round, seconds), without the ladder's where there are repeats.

    It was measured minutes before them, and two solvers are not compared by it: bench/inference.py.
    """
    found = list(rounds)
    repeats = [seconds for turn, seconds in found if turn > 0]
    return median(repeats or [seconds for _, seconds in found])


@dataclass(frozen=True)
class Point:
    """One rung: what it took and what it delivered.

    Attributes
    ----------
    seconds : float
        Median over its repeats.
    suboptimality : float
        (P(w) - D*) / N.
    """

    configuration: str
    rung: int
    tol: float
    seconds: float
    suboptimality: float
    gap_rel: float | None
    status: str


@dataclass
class Outcome:
    """What came of one solver in one cell.

    Attributes
    ----------
    status : str
        Of its best answer; of the refusal or the failure if there is none.
    message : str
    best : float or None
        Least proven suboptimality, relative to N.
    self_gap : float or None
        What that answer proves by itself, relative to N.
    relative_to_optimum : float or None
        The same suboptimality relative to P*.
    false_features, missed_features : int or None
        Coefficients that are not zero and proven to be; that are zero and proven not to be.
    timings : dict
        By tier; empty for a solver that is WRONG.
    tiers : dict
        By tier: "met", "missed", "undecided" or "beyond float64".
    points : list of Point
    """

    solver: str
    cell: str
    status: str
    message: str = ""
    best: float | None = None
    self_gap: float | None = None
    relative_to_optimum: float | None = None
    false_features: int | None = None
    missed_features: int | None = None
    timings: dict[float, Timing] = field(default_factory=dict)
    tiers: dict[float, str] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether the solver was not asked, or declined."""
        return self.status in ("REFUSED", "MISSING")


@dataclass(frozen=True)
class Solver:
    """A solver of the run, as it described itself."""

    name: str
    own: bool
    version: str | None
    package: str | None
    summary: str
    claims_gap: bool
    configurations: dict[str, str]


@dataclass(frozen=True)
class Twin:
    """A solver that runs under a second name to measure the noise: no contestant, in no ranking.

    Attributes
    ----------
    name : str
    of : str
        The solver that it is.
    slowdown : float
        By how much its runs are made longer: 0.15 for 15 %; 0 for an A/A twin.
    """

    name: str
    of: str
    slowdown: float


@dataclass(frozen=True)
class Cell:
    """A cell of the run."""

    name: str
    case: str
    regime: str
    penalty: str
    n: int
    p: int
    nnz: int

    @property
    def family(self) -> str:
        """Under which heading it is compared: "l1" or "ridge"."""
        return "ridge" if self.penalty in ("ridge", "ols") else "l1"


@dataclass
class Report:
    """Everything that a report shows.

    Attributes
    ----------
    head : dict
        The run's header row.
    outcomes : dict
        By (solver, cell).
    twins : dict
        By name; `solvers` and `outcomes` hold none of them, so that they cannot be ranked.
    twin_outcomes : dict
        By (twin, cell).
    noise : Calibrated
        How far identical code differs on the machine of the run, by which its ratios are judged.
    judgement : Judgement
        The verdicts on every row, for what is counted over rows.
    along : Judgement
        Of the rows whose job is a path or a cross-validation; its results are PathResult.
    wrong : dict
        Reasons by solver and cell; a solver that is WRONG anywhere has no times at all.
    first_calls : dict
        Longest first call in seconds by solver.
    """

    head: dict[str, Any]
    tiers: tuple[float, ...]
    solvers: dict[str, Solver]
    cells: dict[str, Cell]
    outcomes: dict[tuple[str, str], Outcome]
    wrong: dict[str, dict[str, str]]
    judgement: Judgement
    notes: list[str] = field(default_factory=list)
    first_calls: dict[str, float] = field(default_factory=dict)
    loaded: dict[str, Any] = field(default_factory=dict)
    end: dict[str, Any] | None = None
    torn: int = 0
    twins: dict[str, Twin] = field(default_factory=dict)
    twin_outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    noise: Calibrated = UNCALIBRATED
    along: Judgement = field(default_factory=lambda: judge(()))

    @property
    def asked(self) -> list[Outcome]:
        """Outcomes of the pairs that were not refused."""
        return [outcome for outcome in self.outcomes.values() if not outcome.refused]

    @property
    def proven(self) -> list[Outcome]:
        """Those of them with a proven suboptimality."""
        return [outcome for outcome in self.asked if outcome.best is not None]

    def groups(self) -> list[tuple[str, str, list[str]]]:
        """(regime, family, cells) for each that the run has, in the order of the headings."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for cell in self.cells.values():
            found[cell.regime, cell.family].append(cell.name)
        order = ("wide", "tall", "sparse", "small")
        return [
            (regime, family, found[regime, family])
            for regime in order
            for family in FAMILIES
            if (regime, family) in found
        ]

    def timing(self, solver: str, cell: str, tier: float) -> Timing | None:
        """Return the time of a solver, or of a twin, for a tier in a cell, if it has one."""
        outcome = self.outcomes.get((solver, cell)) or self.twin_outcomes.get((solver, cell))
        return None if outcome is None else outcome.timings.get(tier)
