"""Two records side by side: what became slower, larger or less accurate from the first to the second.

A time is never compared with a time of another run, only its ratio to an anchor: a solver whose code is the
same in both records.  A machine that is slower today is so for both.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.inference import Estimate, Finding, decide, difference, estimate
from bench.noise import Calibrated
from bench.sides import Key, Side, anchors

__all__ = ["Change", "Compared", "compare"]

SETUP_SHARE = 0.1  # of a solver's time that its setup takes, for its setup to be compared


@dataclass(frozen=True)
class Change:
    """What became of one quantity of one solver, second record over first.

    Attributes
    ----------
    ratio : float
        Above 1: more of it in the second.
    finding : Finding
        Slower (more), faster (less), or no difference shown.
    over : int
        Cells, or first calls, that it rests on.
    estimate : Estimate or None
        With its interval, for times.
    """

    ratio: float
    finding: Finding
    over: int
    estimate: Estimate | None = None


@dataclass
class Compared:
    """What two records show beside one another.

    Attributes
    ----------
    time : dict
        By solver: over all its times, each to the anchor of its cell.
    cells : dict
        By (solver, cell, tier): one at a time, corrected for their number.
    setup, first_call, memory : dict
        By solver.
    lost, gained : list of (solver, cell, tier)
        Tiers met in one record alone, of cells that both were asked to solve.
    wrong : dict
        Solvers that are WRONG in the second and were not in the first, with a reason.
    anchors : dict
        By cell and tier the anchor, for those that have one.
    drift : float
        Time of the anchors in the second record over that in the first: the machine, not the code.
    left_out : list of str
        What is not compared, and why.
    """

    first: str
    second: str
    calibrated: Calibrated
    time: dict[str, Change] = field(default_factory=dict)
    cells: dict[Key, Change] = field(default_factory=dict)
    setup: dict[str, Change] = field(default_factory=dict)
    first_call: dict[str, Change] = field(default_factory=dict)
    memory: dict[str, Change] = field(default_factory=dict)
    lost: list[Key] = field(default_factory=list)
    gained: list[Key] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)
    anchors: dict[tuple[str, float], str] = field(default_factory=dict)
    drift: float = 1.0
    left_out: list[str] = field(default_factory=list)

    @property
    def gated(self) -> dict[str, dict[str, Change]]:
        """What is judged by a gate alone, by the gate's name."""
        return {"setup": self.setup, "first call": self.first_call, "memory": self.memory}

    @property
    def guilty(self) -> list[str]:
        """Solvers of which anything is slower, larger, less accurate or WRONG."""
        by_name = (self.time, *self.gated.values())
        slower = {name for changes in by_name for name, c in changes.items() if c.finding is Finding.SLOWER}
        slower |= {key[0] for key, change in self.cells.items() if change.finding is Finding.SLOWER}
        return sorted(slower | {key[0] for key in self.lost} | self.wrong.keys())


def compare(a: Side, b: Side, anchor: str | None = None) -> Compared:
    """Compare the second record with the first.

    Raises
    ------
    ValueError
        If there is no anchor.
    """
    found = Compared(a.name, b.name, b.report.noise)
    same = {cell for cell, digest in a.digests.items() if b.digests.get(cell) == digest}
    other = (a.digests.keys() & b.digests.keys()) - same
    if other:
        found.left_out.append(f"not the same problem in both: {', '.join(sorted(other))}")
    if old := same & (a.reused | b.reused):
        found.left_out.append(f"reused, not measured in that run: {', '.join(sorted(old))}")
        same -= old
    candidates = anchors(a, b, anchor)
    keys = _distinct(a, b, same)
    for _, cell, tier in keys:
        for name in candidates:
            if (name, cell, tier) in a.timings and (name, cell, tier) in b.timings:
                found.anchors.setdefault((cell, tier), name)
    _drift(a, b, found)
    _times(a, b, keys, found)
    _setups(a, b, keys, found)
    _first_calls(a, b, found)
    _memory(a, b, keys, found)
    _accuracy(a, b, same, found)
    return found


def _distinct(a: Side, b: Side, same: set[str]) -> list[Key]:
    """Times that both records have; of tiers that the same rungs meet, the tightest."""
    found: dict[tuple[Any, ...], Key] = {}
    for key in sorted(a.timings.keys() & b.timings.keys(), reverse=True):
        if key[1] in same:
            rungs = [(side.timings[key].configuration, side.timings[key].tol) for side in (a, b)]
            found[key[0], key[1], *rungs] = key
    return sorted(found.values())


def _drift(a: Side, b: Side, found: Compared) -> None:
    """By how much the machine was slower in the second run, if the anchors say it."""
    logs = []
    for (cell, tier), name in found.anchors.items():
        key = (name, cell, tier)
        logs.append(math.log(b.timings[key].seconds / a.timings[key].seconds))
    found.drift = math.exp(median(logs)) if logs else 1.0


def _times(a: Side, b: Side, keys: Iterable[Key], found: Compared) -> None:
    """Times as ratios to the anchors, all of a solver's together, and one at a time."""
    noise = found.calibrated.noise
    of: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        if found.anchors.get(key[1:], key[0]) != key[0]:
            of[key[0]].append(key)

    def ratio(side: Side, some: Sequence[Key]) -> Estimate:
        anchored = [(side.timings[key], side.timings[found.anchors[key[1:]], key[1], key[2]]) for key in some]
        return estimate(anchored, noise)

    def change(some: Sequence[Key]) -> Estimate:
        return difference(ratio(b, some), ratio(a, some), noise.apart)

    whole = {name: change(some) for name, some in of.items()}
    single = {key: change([key]) for some in of.values() for key in some}
    for name, finding in decide(whole).items():
        found.time[name] = Change(whole[name].ratio, finding, len(of[name]), whole[name])
    for key, finding in decide(single).items():
        found.cells[key] = Change(single[key].ratio, finding, 1, single[key])


def _change(logs: Sequence[float], gate: float) -> Change:
    """Judge the geometric mean of some ratios by a gate alone: so few say nothing of their scatter."""
    ratio = math.exp(sum(logs) / len(logs))
    finding = Finding.SLOWER if ratio > gate else Finding.FASTER if ratio < 1 / gate else Finding.NONE
    return Change(ratio, finding, len(logs))


def _columns(
    a: Side, b: Side, keys: Iterable[Key], column: str, wanted: Callable[[Key], bool]
) -> dict[str, list[float]]:
    """Logarithms of the ratios of a column's medians, by solver."""
    logs: dict[str, list[float]] = defaultdict(list)
    for key in keys:
        values = [side.of_rung(key, column) for side in (a, b)]
        if all(values) and wanted(key) and all(median(found) > 0 for found in values):
            logs[key[0]].append(math.log(median(values[1]) / median(values[0])))
    return logs


def _setups(a: Side, b: Side, keys: Iterable[Key], found: Compared) -> None:
    """Setup times, where they are a part of the whole that is worth a word; the machine's drift taken out."""

    def counts(key: Key) -> bool:
        shares = (median(side.of_rung(key, "setup_seconds")) / side.timings[key].seconds for side in (a, b))
        return max(shares) >= SETUP_SHARE

    for name, logs in _columns(a, b, keys, "setup_seconds", counts).items():
        free = [log - math.log(found.drift) for log in logs]
        found.setup[name] = _change(free, found.calibrated.gates["setup"])


def _memory(a: Side, b: Side, keys: Iterable[Key], found: Compared) -> None:
    """Peak resident memory of a solver's process during its runs."""
    for name, logs in _columns(a, b, keys, "memory_peak", lambda key: True).items():
        found.memory[name] = _change(logs, found.calibrated.gates["memory"])


def _first_calls(a: Side, b: Side, found: Compared) -> None:
    """First calls of the same kind: compiled anew in both records, or loaded from the cache in both."""
    first, second = a.first_calls, b.first_calls
    logs: dict[str, list[float]] = defaultdict(list)
    for key in sorted(first.keys() & second.keys()):
        logs[key[0]].append(math.log(median(second[key]) / median(first[key]) / found.drift))
    for name, some in logs.items():
        found.first_call[name] = _change(some, found.calibrated.gates["first call"])


def _accuracy(a: Side, b: Side, same: set[str], found: Compared) -> None:
    """Tiers that one record alone proves, and new wrong claims."""
    for key in sorted(a.report.outcomes.keys() & b.report.outcomes.keys()):
        one, two = a.report.outcomes[key], b.report.outcomes[key]
        if key[1] not in same or one.refused or two.refused:
            continue
        met = [{tier for tier, said in outcome.tiers.items() if said == "met"} for outcome in (one, two)]
        found.lost += [(*key, tier) for tier in sorted(met[0] - met[1])]
        found.gained += [(*key, tier) for tier in sorted(met[1] - met[0])]
    for name, reasons in b.report.wrong.items():
        if name not in a.report.wrong:
            found.wrong[name] = next(iter(reasons.values()))
