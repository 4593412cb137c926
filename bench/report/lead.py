"""What stands on the first screen: who is fastest where, in one line each, and what was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.report.model import Report
from bench.report.pairwise import Comparison, Standing, geometric_mean, standing
from bench.report.words import WANTED, cells, duration, times

__all__ = ["Lead", "leads", "place"]

NEARLY = 0.9  # of the leader's cells: a rival that shares as many is compared with first

_REGIME = {"wide": "wide dense", "tall": "tall dense", "sparse": "sparse", "small": "small dense"}
_FAMILY = {"l1": "lasso, elastic net", "ridge": "ridge"}


@dataclass(frozen=True)
class Lead:
    """One line of the verdict.

    Attributes
    ----------
    where : str
        "wide dense, ridge".
    kind : {"peer wins", "ours", "level", "split", "nobody"}
        "level": between ours and the closest peer no difference is shown. "split": who gets there most often
        is slower than another where both do.
    who : str
        The solver, or "nobody".
    says : str
        Its time, against whom, over how many cells.
    """

    where: str
    kind: str
    who: str
    says: str

    @property
    def sentence(self) -> str:
        """The line as a sentence."""
        peer = "a peer wins: " if self.kind == "peer wins" else ""
        return f"{self.where}: {peer}{self.who}{', ' if self.says else ''}{self.says}."


def place(regime: str, family: str) -> str:
    """Spell a regime and a family: "wide dense, ridge"."""
    return f"{_REGIME[regime]}, {_FAMILY[family]}"


def leads(report: Report, tier: float = WANTED) -> list[Lead]:
    """Return a line for each regime and family; those that a peer wins come first."""
    found = [_lead(report, *group, tier) for group in report.groups()]
    return sorted(found, key=lambda lead: lead.kind != "peer wins")  # stable: else the order of the regimes


def _lead(report: Report, regime: str, family: str, names: Sequence[str], tier: float) -> Lead:
    where = place(regime, family)
    stand = standing(report, tier, names)
    if stand is None:
        return Lead(where, "nobody", "nobody", "is certified")
    own = report.solvers[stand.leader].own
    rival = _rival(report, stand, own)
    if rival is None:
        alone = "no peer is certified there" if own else "none of ours is certified there"
        return Lead(where, "ours" if own else "peer wins", stand.leader, f"{_alone(stand)}; {alone}")
    if rival.ratio > 1 and (rival.shown or not rival.repeated):
        return Lead(where, "split", stand.leader, _split(stand, rival))
    level = rival.repeated and not rival.shown
    kind = "level" if level else "ours" if own else "peer wins"
    says = [f"{_against(report, rival)}, {len(rival.cells)} of {cells(stand.of)}"]
    ahead = [c for c in stand.against if c.ratio > 1 and c.shown and c is not rival]
    says += [f"but {times(c.ratio)} slower than {c.second} ({cells(len(c.cells))})" for c in ahead[:1]]
    return Lead(where, kind, stand.leader, "; ".join(says))


def _rival(report: Report, stand: Standing, own: bool) -> Comparison | None:
    """The closest of the other camp over nearly all of the leader's cells, else over as many as there are."""
    others = [c for c in stand.against if report.solvers[c.second].own != own]
    shared = max((len(c.cells) for c in others), default=0)
    enough = min(NEARLY * len(stand.solved), shared)
    return next((c for c in others if len(c.cells) >= enough), None)


def _split(stand: Standing, rival: Comparison) -> str:
    """Nobody is both: the one gets there most often, the other is faster where both do."""
    single = "" if rival.repeated else ", single rounds"
    faster = f"{rival.second} is {times(rival.ratio)} faster{single}"
    return f"gets there most often, {_alone(stand)}; {faster} where both do, {cells(len(rival.cells))}"


def _alone(stand: Standing) -> str:
    return f"{duration(stand.seconds)}, {len(stand.solved)} of {cells(stand.of)}"


def _against(report: Report, rival: Comparison) -> str:
    """Both times over the cells that both have solved."""
    mine, theirs = (_seconds(report, name, rival) for name in (rival.first, rival.second))
    text = f"{duration(mine)} against {duration(theirs)} ({rival.second})"
    if rival.repeated and not rival.shown:
        return f"{text}: no difference shown"
    return f"{text}: {times(1 / rival.ratio)} faster{'' if rival.repeated else ', single rounds'}"


def _seconds(report: Report, solver: str, shared: Comparison) -> float:
    """Geometric mean of a solver's times over the cells of a comparison."""
    found = (report.timing(solver, cell, shared.tier) for cell in shared.cells)
    return geometric_mean(timing.seconds for timing in found if timing is not None)
