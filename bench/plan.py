"""What a run is to measure, and who watches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.client import Limits
from bench.reuse import Reuse
from bench.rounds import LADDER
from verification.memory import machine_memory

__all__ = ["MEMORY_SHARE", "Events", "Plan"]

MEMORY_SHARE = 0.5  # of the machine's memory, for one solver: others and their data wait in the rest


class Events:
    """Whoever watches a run; this one watches nothing."""

    def say(self, text: str) -> None:
        """Take a message about something that was left out."""

    def phase(self, name: str, total: float) -> None:
        """Note the beginning of a phase of `total` steps, or seconds."""

    def step(self, amount: float, text: str) -> None:
        """Note progress, and what is being done."""


@dataclass(frozen=True)
class Plan:
    """What a run measures.

    Parameters
    ----------
    run : str
        Identity of the run, in every row.
    suite : str
    cells : sequence of Cell
    solvers : sequence of str
        Names of the catalogue, ``module:function``, or twins of these (twins.py).
    budget : float
        Seconds for everything.
    seed : int
        Of the order in which pairs are run.
    longest : float
        Upper limit in seconds for one run; a run is killed at 1.5 times its limit plus 1 s.
    tols : sequence of float
        The ladder, loosest first.
    most_repeats : int
        Rounds of one rung at most, that of the ladder included; the budget ends them earlier.
    batch : int
        Rounds at most that a process runs before it is started anew.
    settings : int, optional
        Of each solver's settings so many, the first ones; all if not given.
    defaults : bool
        Whether every solver is also called without settings (defaults.py).
    threads : int
        Threads of each worker's numerical libraries.
    reuse : Reuse, optional
        Earlier records, of which cells are taken over (reuse.py).
    headline : bool
        Whether all that the page of the headline shows is timed: the floor under each cell (floors.py), and
        what reaches any of its accuracies by either of its measures (headline.py).
    limits : Limits
    memory : int
        Bytes that a worker's processes may hold; by default half of what the machine has.
    """

    run: str
    suite: str
    cells: Sequence[Any]
    solvers: Sequence[str]
    budget: float = 270.0
    seed: int = 0
    longest: float = 10.0
    tols: tuple[float, ...] = LADDER
    most_repeats: int = 1000
    batch: int = 5
    settings: int | None = None
    defaults: bool = True
    threads: int = 1
    headline: bool = False
    reuse: Reuse | None = None
    limits: Limits = field(default_factory=Limits)
    memory: int = field(default_factory=lambda: int(MEMORY_SHARE * machine_memory()))
