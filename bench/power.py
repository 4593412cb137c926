"""What the rule does to twins and to planted slowdowns: every decision of a campaign, and their counts.

No session is judged by a noise that it had a part in: the sessions are halved, and each half is decided with
what was fitted to the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from bench.inference import Estimate, Finding, decide, difference, estimate, log_ratios
from bench.noise import Noise, Twins, fit
from bench.report import Report
from bench.report.model import Timing
from bench.shares import Share

__all__ = ["Decision", "Session", "apart", "counted", "decisions", "fitted", "smallest_found", "twins_of"]

TIER = 1e-6


@dataclass(frozen=True)
class Decision:
    """One decision between a solver and its twin.

    Attributes
    ----------
    session : int
    scope : {"cell", "solver", "run", "between"}
        One cell alone; all cells of a solver; whether any cell of a run is called different, all of them
        being decided together; all cells of a solver against another run, by way of an anchor.
    solver, cell : str
        "" where there is none; between two runs, `cell` says what was compared.
    planted : float
        0 for an A/A twin; 0.15 for one slowed by 15 %.
    ratio : float
        Estimated time of the twin over that of the solver (of the last to be decided, in the scope "run").
    found : str
        "slower", "faster" or "no difference shown".
    """

    session: int
    scope: str
    solver: str
    cell: str
    planted: float
    ratio: float
    found: str

    @property
    def alarm(self) -> bool:
        """Whether a difference is shown."""
        return self.found != Finding.NONE.value

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-able."""
        return asdict(self)


@dataclass(frozen=True)
class Session:
    """The times of one run of the campaign: (solver, slowdown or None for the solver itself, cell)."""

    number: int
    times: dict[tuple[str, float | None, str], Timing]

    @classmethod
    def of(cls, number: int, report: Report) -> Session:
        """Take the times of solvers and twins out of a report."""
        times: dict[tuple[str, float | None, str], Timing] = {}
        for (name, cell), outcome in {**report.outcomes, **report.twin_outcomes}.items():
            twin = report.twins.get(name)
            if TIER in outcome.timings:
                who = (name, None) if twin is None else (twin.of, twin.slowdown)
                times[(*who, cell)] = outcome.timings[TIER]
        return cls(number, times)

    def pairs(self, planted: float) -> dict[str, dict[str, tuple[Timing, Timing]]]:
        """By solver and cell: the twin that was slowed so, and the solver."""
        found: dict[str, dict[str, tuple[Timing, Timing]]] = {}
        for (solver, slowdown, cell), timing in sorted(self.times.items(), key=str):
            own = self.times.get((solver, None, cell))
            if slowdown == planted and own is not None:
                found.setdefault(solver, {})[cell] = (timing, own)
        return found

    @property
    def slowdowns(self) -> list[float]:
        """What was planted, rising; 0, the first, for the A/A twins."""
        return sorted({slowdown for _, slowdown, _ in self.times if slowdown is not None})


def twins_of(sessions: Iterable[Session]) -> list[Twins]:
    """Ratios of the A/A twins, for each session and solver."""
    return [
        [log_ratios(*pair) for pair in cells.values()]
        for session in sessions
        for cells in session.pairs(0.0).values()
    ]


Who = tuple[str, float | None]  # a solver, and the slowdown of the twin; None for the solver itself


def _anchored(session: Session, who: Who, anchor: Who) -> dict[str, tuple[Timing, Timing]]:
    """By cell: a time, and that of the anchor."""
    times = session.times
    return {
        cell: (timing, times[*anchor, cell])
        for (*name, cell), timing in sorted(times.items(), key=str)
        if tuple(name) == who and (*anchor, cell) in times
    }


def _across(
    before: tuple[Session, Who, Who], after: tuple[Session, Who, Who], noise: Noise
) -> Estimate | None:
    """One (session, solver, anchor) over another, as bench/compare.py does it; None without a common cell."""
    first, second = _anchored(*before), _anchored(*after)
    cells = sorted(first.keys() & second.keys())
    if not cells:
        return None
    one, other = (estimate([times[cell] for cell in cells], noise) for times in (second, first))
    return difference(one, other, noise.apart)


def _between(first: Session, second: Session, anchor: str, noise: Noise) -> list[Decision]:
    """Decide on every solver between two sessions, as bench/compare.py does.

    Over the same code in processes of their own: the solvers themselves; their twins, with the anchor's twin;
    and those slowed in both sessions, with the anchor slowed alike. Twice over what is slower: in the second
    session against the solver in the first, and in the first against the twin in the second. What serves as
    the anchor elsewhere is itself held against another solver.
    """
    solvers = sorted({name for name, _, _ in first.times} & {name for name, _, _ in second.times})
    found = []

    def take(session: Session, solver: str, what: str, planted: float, one: Estimate | None) -> None:
        if one is not None:
            found.append(_decision(session, "between", solver, what, planted, one))

    for solver in solvers:
        its = anchor if solver != anchor else next((name for name in solvers if name != anchor), anchor)
        own, twin = (its, None), (its, 0.0)
        both = [slowdown for slowdown in first.slowdowns if slowdown in second.slowdowns]
        for same in (None, *both):
            who = (solver, same), (its, same)
            what = "themselves" if same is None else f"slowed {same:g}"
            take(second, solver, what, 0.0, _across((first, *who), (second, *who), noise))
        for planted in second.slowdowns[1:]:
            slow = (solver, planted)
            one = _across((first, (solver, None), own), (second, slow, own), noise)
            take(second, solver, "to the second", planted, one)
        for planted in first.slowdowns[1:]:
            slow = (solver, planted)
            one = _across((second, (solver, 0.0), twin), (first, slow, twin), noise)
            take(first, solver, "to the first", planted, one)
    return found


def apart(sessions: Sequence[Session], anchor: str, noise: Noise) -> float:
    """How much further apart two runs are than each says of itself, >= 1."""
    scores = []
    for first, second in zip(sessions[::2], sessions[1::2], strict=False):
        for solver in sorted({name for name, _, _ in first.times} - {anchor}):
            who = (solver, None), (anchor, None)
            one = _across((first, *who), (second, *who), noise)
            scores += [] if one is None else [one.log / one.se]
    return max(1.0, math.sqrt(float(np.mean(np.square(scores))))) if scores else 1.0


def fitted(sessions: Sequence[Session], anchor: str) -> Noise:
    """Return the noise of some sessions, that between runs included."""
    noise = fit(twins_of(sessions))
    return replace(noise, apart=apart(sessions, anchor, noise))


def decisions(sessions: Sequence[Session], anchor: str) -> list[Decision]:
    """Decide on every twin of a campaign, each half of the sessions with the noise of the other half."""
    found: list[Decision] = []
    # By fours, so that a half has pairs of neighbouring sessions to be compared with one another.
    halves = [[s for k, s in enumerate(sessions) if k // 2 % 2 == half] for half in (0, 1)]
    for half, other in (halves, halves[::-1]):
        noise = fitted(other, anchor)
        for session in half:
            for planted in session.slowdowns:
                found += _inside(session, planted, noise)
        for first, second in zip(half[::2], half[1::2], strict=False):
            found += _between(first, second, anchor, noise)
    return sorted(found, key=lambda one: (one.scope, one.session, one.solver, one.planted, one.cell))


def _decision(
    session: Session, scope: str, solver: str, cell: str, planted: float, one: Estimate
) -> Decision:
    return Decision(session.number, scope, solver, cell, planted, one.ratio, one.finding().value)


def _inside(session: Session, planted: float, noise: Noise) -> list[Decision]:
    """Decide on the twins of one slowdown within a session."""
    found = []
    single: dict[tuple[str, str], Estimate] = {}
    for solver, cells in session.pairs(planted).items():
        whole = estimate(list(cells.values()), noise)
        found.append(_decision(session, "solver", solver, "", planted, whole))
        for cell, pair in cells.items():
            one = single[solver, cell] = estimate([pair], noise)
            found.append(_decision(session, "cell", solver, cell, planted, one))
    together = decide(single)
    key = next((key for key, finding in together.items() if finding is not Finding.NONE), next(iter(single)))
    ratio, said = single[key].ratio, together[key].value
    return [*found, Decision(session.number, "run", "", "", planted, ratio, said)]


def counted(found: Iterable[Decision], scope: str | None, planted: float, solver: str | None = None) -> Share:
    """Count the decisions that show a difference; of a slowdown, those that show it the right way round.

    None stands for every scope, or solver.
    """
    chosen = [
        one
        for one in found
        if scope in (None, one.scope) and one.planted == planted and solver in (None, one.solver)
    ]
    right = [one.found == Finding.SLOWER.value if planted else one.alarm for one in chosen]
    return Share(sum(right), len(right))


def smallest_found(found: Sequence[Decision], scope: str, solver: str | None = None) -> float | None:
    """Smallest planted slowdown from which on all are found at least 9 times in 10; None if there is none."""
    smallest = None
    for planted in sorted({one.planted for one in found if one.planted > 0}, reverse=True):
        share = counted(found, scope, planted, solver)
        if not share.of:
            continue
        if share.value < 0.9:
            break
        smallest = planted
    return smallest
