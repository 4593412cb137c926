"""What is timed again, for how long, and when it is known well enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist, median
from typing import Any

from bench.inference import LEVEL, estimate, log_ratio, log_ratios
from bench.measure import Pair
from bench.noise import Noise
from bench.report.model import Timing
from bench.rounds import OUTRUN
from bench.twins import parse

__all__ = ["BATCHES", "NARROW", "SHOWN", "Contest", "Timed", "affordable", "due"]

BATCHES = 3  # at least, each in processes of its own where that can be paid for
SHOWN = 0.15  # share of a slowdown that a run is to find,
FOUND = 0.9  # so often


def _narrow() -> float:
    """Half-width of a 95 % interval of a ratio's logarithm with which a slowdown SHOWN is FOUND so often."""
    error, power = NormalDist().inv_cdf(1 - LEVEL / 2), NormalDist().inv_cdf(FOUND)
    return math.log1p(SHOWN) * error / (error + power)


NARROW = _narrow()


@dataclass(eq=False)
class Timed:
    """One rung of a pair, and its times.

    Attributes
    ----------
    spoilt : bool
        Whether it gave no answer when it was repeated: on record as such, and not tried again.
    """

    pair: Pair
    rung: int
    spoilt: bool = False
    seconds: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    processes: list[int] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)

    def take(self, row: dict[str, Any], turn: int) -> None:
        """Take the row of a round."""
        if row.get("seconds") is None or row.get("primal") is None:
            self.spoilt = True
            return
        self.seconds.append(row["seconds"])
        self.costs.append(row["cost"])
        self.processes.append(row["process"])
        self.turns.append(turn)

    @property
    def cost(self) -> float:
        """Seconds that a round takes, with what is around the timed call."""
        return median(self.costs)

    @property
    def timing(self) -> Timing:
        """Its times, as a report would have them."""
        return Timing(
            rounds=tuple(self.seconds),
            configuration=self.pair.configuration,
            tol=self.pair.ladder.tols[self.rung],
            processes=tuple(self.processes),
            turns=tuple(self.turns),
        )


Contest = list[Timed]  # all that reach a tier in a cell


def affordable(costs: Sequence[float], seconds: float) -> float:
    """Return the largest cost c for which the costs, none counted above c, add up to at most `seconds`.

    So that with too little time for all, the dear ones go: what they would take is left to many others.
    """
    left = seconds
    for k, cost in enumerate(sorted(costs)):
        if cost * (len(costs) - k) > left:
            return left / (len(costs) - k)
        left -= cost
    return math.inf


def due(
    contest: Contest, noise: Noise, batches: int, known: dict[tuple[Timed, Timed], bool] | None = None
) -> Contest:
    """Return those whose times are not known well enough after so many batches.

    Parameters
    ----------
    contest : list of Timed
    noise : Noise
    batches : int
    known : dict, optional
        Kept by the caller over the contests of one moment: two solvers often meet for several tiers.

    A solver is compared with the fastest in the cell, a twin with the solver whose twin it is. Whoever is
    clearly outrun is done; so is, after BATCHES, whoever has a ratio with an interval that is NARROW.
    """
    known = {} if known is None else known
    own = {(item.pair.client.solver, item.pair.configuration): item for item in contest}
    ranked = [item for item in contest if parse(item.pair.client.solver).twin_of is None]
    if not ranked:
        return []
    fastest = min(ranked, key=lambda item: item.timing.seconds)
    wanted = [fastest] if batches < BATCHES else []
    for item in contest:
        twin_of = parse(item.pair.client.solver).twin_of
        rival = fastest if twin_of is None else own.get((twin_of, item.pair.configuration), fastest)
        if item is rival:
            continue
        if (item, rival) not in known:
            known[item, rival] = _open(item, rival, noise, batches)
        if known[item, rival]:
            wanted += [item, rival]
    return list(dict.fromkeys(wanted))


def _open(item: Timed, rival: Timed, noise: Noise, batches: int) -> bool:
    timings = item.timing, rival.timing
    if batches < BATCHES and log_ratio(log_ratios(*timings)) <= math.log(OUTRUN):
        return True  # no interval about it lies beyond
    low, high = estimate([timings], noise).interval
    if low > OUTRUN:
        return False
    return batches < BATCHES or math.log(high / low) / 2 > NARROW
