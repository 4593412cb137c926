"""What runs next and for how long: the ladder of tolerances, the budget, the repeats.

Accuracy is deterministic, so each rung of the ladder runs once; only the loosest rung that delivers an
accuracy tier is repeated for its time.  When the budget is short, repeats go first, then the tightest rungs,
and a cell never: every solver is heard of in every cell, if only by the words that its own share was spent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from verification import verdict

__all__ = [
    "DEFAULTS_SHARE",
    "EXTRA",
    "JOB_LADDER",
    "LADDER",
    "OUTRUN",
    "TIERS",
    "Budget",
    "Ladder",
    "suboptimality",
]

TIERS = verdict.TIERS["float64"]  # accuracies at which times are compared, relative to N
LADDER = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)  # values of tol, loosest first
EXTRA = (1e-14, 1e-16)  # only for a solver whose tol is no duality gap and that has not met every tier

LONG_RUN = 1.0  # seconds; a run that takes longer is the last of its ladder, whose runs may take
LADDER_RUNS = 4.0  # times as long in all
SHARE_OF_LONGEST = 0.1  # of a single run's upper limit, where that is more: what large data needs
# Of a path or a cross-validation, whose points are many: one rung for each tier, and more time for it
JOB_LADDER: dict[str, Any] = {"tols": (1e-4, 1e-7, 1e-10), "long": 3.0, "cap": 10.0}
LADDER_SHARE = 0.75  # of the budget at most; the rest is for calls without settings and for repeats
DEFAULTS_SHARE = 0.87  # of the budget: what is not begun by then is not called without settings
BRIEF = 0.1  # seconds for a run of a solver that has spent its share
OUTRUN = 4.0  # times faster: whoever is outrun so clearly is not worth the time to tell by how much
FLOOR = 1e-12  # a relative suboptimality that no tighter rung needs to improve


@dataclass
class Budget:
    """Seconds that a run may take, and how they are divided.

    Parameters
    ----------
    seconds : float
        For everything: start-up, ladders, repeats, certification.
    longest : float
        Upper limit in seconds for a single run of a solver.
    settings : int
        How many share it: the settings of all solvers together, so that a peer with five is not starved.
    ladders : float
        Share of it that the ladders may take: DEFAULTS_SHARE where nothing is called without settings.
    clock : callable
        Seconds, monotonic; replaced in tests.
    """

    seconds: float
    longest: float = 10.0
    settings: int = 1
    ladders: float = LADDER_SHARE
    clock: Callable[[], float] = monotonic
    start: float = field(init=False)

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ValueError(f"the budget is {self.seconds} s: it must be > 0")
        self.start = self.clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.clock() - self.start

    def set(self, elapsed: float) -> None:
        """Set the clock: `elapsed` seconds of the budget are spent."""
        self.start = self.clock() - elapsed

    @property
    def left(self) -> float:
        """Seconds left, >= 0."""
        return max(0.0, self.seconds - self.elapsed)

    @property
    def left_for_ladders(self) -> float:
        """Seconds left of the ladders' share, >= 0."""
        return max(0.0, self.ladders * self.seconds - self.elapsed)

    def allowance(self, settings: int = 1) -> float:
        """Seconds of runs that a solver of so many settings may take in its ladders: as many equal shares."""
        return self.ladders * self.seconds * settings / max(1, self.settings)

    def limit(self, spent: float, settings: int = 1, late: bool = False) -> float:
        """Seconds granted to the next run of a solver that has spent `spent`: part of what is left.

        With nothing left a run is brief: a solver that keeps its time limit still has an answer to judge.
        A late one takes from what all others have left of theirs.
        """
        left = self.left_for_ladders if late else self.allowance(settings) - spent
        return min(self.longest, max(1.0, 0.3 * left)) if left > 0 else min(self.longest, BRIEF)


@dataclass
class Ladder:
    """The rungs of one (solver, configuration, cell): which is next, and why there is none.

    Parameters
    ----------
    claims_gap : bool
        Whether the solver's tol is a duality gap; if not, it gets the EXTRA rungs while a tier is unmet.
    cap : float
        Seconds that the whole ladder may take.
    long : float
        Seconds; a run that takes longer is the last of the ladder.
    """

    claims_gap: bool = True
    cap: float = LADDER_RUNS * LONG_RUN
    long: float = LONG_RUN
    tols: tuple[float, ...] = LADDER
    next: int | None = 0
    spent: float = 0.0
    ended: str = ""

    def __post_init__(self) -> None:
        self.tols = tuple(self.tols)

    @classmethod
    def within(cls, longest: float, claims_gap: bool, tols: tuple[float, ...]) -> Ladder:
        """Return a ladder of single solves, each of which may take so many seconds at most."""
        long = max(LONG_RUN, SHARE_OF_LONGEST * longest)
        return cls(claims_gap, LADDER_RUNS * long, long, tols)

    def record(self, seconds: float | None, reached: float | None, floor: float) -> str:
        """Take the outcome of the rung that was next; return what is to be said aloud, or "".

        Parameters
        ----------
        seconds : float or None
            Of the run; None if it gave no answer, which ends the ladder.
        reached : float or None
            Relative suboptimality proven so far, an upper bound.
        floor : float
            The radius relative to N: nothing below it can be proven.
        """
        assert self.next is not None
        last = len(self.tols) - 1
        if seconds is None or reached is None:
            self.next, self.ended = None, "no answer"
            return ""
        self.spent += seconds
        rung = self.next
        self.next = rung + 1 if rung < last else None
        if self.next is None:
            if not self.claims_gap and self.tols[-1] != EXTRA[-1] and reached + floor > TIERS[-1]:
                self.tols += EXTRA
                self.next = rung + 1
            else:
                self.ended = "complete"
        elif reached <= max(FLOOR, floor):
            # Nothing left to prove; the tightest rung alone remains, where a wrong penalty shows best.
            self.next = last
        if self.next is not None:
            if seconds > self.long:
                return self.shed(f"the run took over {self.long:g} s")
            if self.spent > self.cap:
                return self.shed(f"its ladder took over {self.cap:g} s")
        return ""

    def shed(self, why: str) -> str:
        """Give up the remaining rungs; return the words."""
        assert self.next is not None
        self.ended = f"tol {self.tols[self.next]:g} and tighter not run: {why}"
        self.next = None
        return self.ended


def suboptimality(row: dict[str, Any], best_dual: float) -> float | None:
    """Return (primal - best_dual) / scale of a row, >= 0, None without a number: to decide what runs."""
    primal, scale = row.get("primal"), row.get("scale")
    if primal is None or not scale:
        return None
    return float(max(0.0, primal - best_dual) / scale)
