"""Ours against the best peer of each cell, at several accuracies and by both measures: docs/performance.md.

Every solver is treated alike: in a cell and at an accuracy each of its settings has the median time of the
loosest rung that reaches it, and the solver the least of these. A least over all rungs would reward whoever
has many of them: noise picks the luckiest. Nothing is compared across runs.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from verification.verdict import Contender, Judgement, Outcome, Result, judge
from verification.verdict_points import judge_points

__all__ = ["ACCURACIES", "Best", "Headline", "headline", "loosest", "loosest_paths"]

OURS = "active_set_numba"
ACCURACIES = (1e-4, 1e-6, 1e-9, 1e-13)  # the last one, or what float64 allows if that is more
MEASURES = ("suboptimality", "self-certified")
MEASURED = ("ladder", "repeat")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Best:
    """The least time of one solver to one accuracy in one cell.

    Attributes
    ----------
    seconds : float
        Median over the rounds, setup + run.
    solver, configuration : str
    rounds : int
    """

    seconds: float
    solver: str
    configuration: str
    rounds: int


@dataclass(frozen=True)
class Headline:
    """What the page is printed from.

    Attributes
    ----------
    head : mapping
        Of the record.
    cells : list of str
        In the suite's order; paths apart.
    ours, peers : dict
        (measure, accuracy, cell) -> Best; of the peers the fastest one.
    passes : dict
        Cell -> how often ours read X, at 1e-9.
    floors : dict
        Cell -> (seconds of two reads of X, seconds of the Gram matrix of the final support).
    paths : dict
        Cell -> (ours certified at 1e-9 at every point, best peer at 1e-6 at every point); None if nobody.
    """

    head: Row
    cells: list[str]
    ours: dict[tuple[str, float, str], Best]
    peers: dict[tuple[str, float, str], Best]
    passes: dict[str, float]
    floors: dict[str, tuple[float, float]]
    paths: dict[str, tuple[Best | None, Best | None]]

    def ratio(self, measure: str, accuracy: float, cell: str) -> float | None:
        """Our time over that of the best peer; None if either is missing."""
        key = measure, accuracy, cell
        if key not in self.ours or key not in self.peers:
            return None
        return self.ours[key].seconds / self.peers[key].seconds

    def geometric_mean(self, measure: str, accuracy: float) -> tuple[float, int]:
        """Of the ratios, and over how many cells; nan over none."""
        ratios = [self.ratio(measure, accuracy, cell) for cell in self.cells]
        return _geometric_mean([r for r in ratios if r is not None])

    def path_mean(self) -> tuple[float, int]:
        """Geometric mean of the paths' ratios, and over how many."""
        return _geometric_mean(list(self.path_ratios().values()))

    def path_ratios(self) -> dict[str, float]:
        """Time of ours over that of the best peer, of each path that both can do."""
        return {
            path: ours.seconds / peer.seconds for path, (ours, peer) in self.paths.items() if ours and peer
        }

    def floor(self, cell: str) -> float | None:
        """Two reads of X and the Gram matrix of the final support, in seconds."""
        return sum(self.floors[cell]) if cell in self.floors else None

    def bar(self, cell: str) -> float | None:
        """The ratio that ours must not exceed at 1e-9: max(0.9, 1.25 floor / best peer)."""
        peer = self.peers.get((MEASURES[0], 1e-9, cell))
        floor = self.floor(cell)
        return None if peer is None else max(0.9, 1.25 * (floor or 0.0) / peer.seconds)

    def before_anyone(self) -> tuple[int, int]:
        """In how many cells ours reaches the last accuracy before any peer reaches the first."""
        last, first = ACCURACIES[-1], ACCURACIES[0]
        both = [
            (self.ours[MEASURES[0], last, cell], self.peers[MEASURES[0], first, cell])
            for cell in self.cells
            if (MEASURES[0], last, cell) in self.ours and (MEASURES[0], first, cell) in self.peers
        ]
        return sum(a.seconds < b.seconds for a, b in both), len(both)


def headline(rows: Iterable[Row]) -> Headline:
    """Arrange the rows of one run of suite "headline" (or of any other).

    Raises
    ------
    ValueError
        If they are headed by no run.
    """
    rows = list(rows)
    head = next((row for row in rows if row["kind"] == "run"), None)
    if head is None:
        raise ValueError("the record has no run row")
    results = [row for row in rows if row["kind"] == "result" and row["phase"] in MEASURED]
    judgement = judge(results)
    solved = [r for r in judgement.results if r.row.get("job", "solve") == "solve"]
    times = _times(solved)
    best: dict[tuple[str, float, str], dict[bool, Best]] = defaultdict(dict)
    for (measure, accuracy), reached in loosest(judgement).items():
        for result in reached.values():
            row = result.row
            ours = row["solver"] == OURS
            found = times.get(_key(row))
            if found is None or row.get("twin_of") or not (ours or not row["own"]):
                continue
            mine = Best(median(found), row["solver"], row["configuration"], len(found))
            kept = best[measure, accuracy, row["cell"]]
            if ours not in kept or mine.seconds < kept[ours].seconds:
                kept[ours] = mine
    passes: dict[str, float] = {}
    for row in (result.row for result in solved):
        said = re.search(r"X read ([\d.]+) times", row["message"] or "")
        if row["solver"] == OURS and row["phase"] == "ladder" and said and row["tol"] <= 1e-6:
            passes.setdefault(row["cell"], float(said[1]))
    order = [cell["name"] for cell in head["cells"]]
    present = {row["cell"] for row in results if row.get("job", "solve") == "solve"}
    return Headline(
        head=head,
        cells=[name for name in order if name in present],
        ours={key: kept[True] for key, kept in best.items() if True in kept},
        peers={key: kept[False] for key, kept in best.items() if False in kept},
        passes=passes,
        floors={
            row["cell"]: (row["reads_seconds"], row["gram_seconds"]) for row in rows if row["kind"] == "floor"
        },
        paths=_paths(rows, order),
    )


def loosest(judgement: Judgement) -> dict[tuple[str, float], dict[Contender, Result]]:
    """Return, for each measure and accuracy, each contender's loosest rung that reaches it.

    Answers of a job that has many, and solvers that are WRONG, are passed over.
    """
    found: dict[tuple[str, float], dict[Contender, Result]] = defaultdict(dict)
    for result in judgement.results:
        row = result.row
        if row.get("job", "solve") != "solve" or row["solver"] in judgement.wrong or row.get("tol") is None:
            continue
        for key in _reached(result, judgement):
            kept = found[key].get(result.contender)
            if kept is None or row["tol"] > kept.row["tol"]:
                found[key][result.contender] = result
    return dict(found)


def loosest_paths(judgement: Judgement) -> dict[Contender, Result]:
    """Return each contender's loosest rung of a path that counts: of judge_points.

    Ours must certify 1e-9 at every point by itself, a peer be within 1e-6 at every point.
    """
    found: dict[Contender, Result] = {}
    for result in judgement.results:
        row = result.row
        ours = row["solver"] == OURS
        if row["phase"] not in MEASURED or row["kind"] != "path" or row["solver"] in judgement.wrong:
            continue
        if (row["own"] and not ours) or row.get("tol") is None:
            continue
        reached = result.self_tiers[1e-9] if ours else result.tiers[1e-6]
        kept = found.get(result.contender)
        if reached is Outcome.MET and (kept is None or row["tol"] > kept.row["tol"]):
            found[result.contender] = result
    return found


def _key(row: Row) -> tuple[str, str, str, int]:
    return row["cell"], row["solver"], row["configuration"], row["rung"]


def _times(results: list[Result]) -> dict[tuple[str, str, str, int], list[float]]:
    times: dict[tuple[str, str, str, int], list[float]] = defaultdict(list)
    for result in results:
        if result.row.get("seconds") is not None:
            times[_key(result.row)].append(result.row["seconds"])
    return times


def _reached(result: Result, judgement: Judgement) -> Iterable[tuple[str, float]]:
    """Yield each measure and accuracy that an answer reaches, rounding included."""
    row, reference = result.row, judgement.references[result.row["digest"]]
    if result.suboptimality is None or not math.isfinite(result.suboptimality) or row["gap"] is None:
        return
    radius = float(row["radius"] or 0.0)
    rounding = reference.relative(radius + reference.dual_radius)
    proven = result.suboptimality + rounding
    alone = reference.relative(float(row["gap"]) + radius)
    for accuracy in ACCURACIES:
        allowed = max(accuracy, 2 * rounding) if accuracy == ACCURACIES[-1] else accuracy
        for measure, value in zip(MEASURES, (proven, alone), strict=True):
            if value <= allowed:
                yield measure, accuracy


def _paths(rows: list[Row], order: list[str]) -> dict[str, tuple[Best | None, Best | None]]:
    """Of each path cell: ours, certified at 1e-9 at every point; the best peer, 1e-6 at every point."""
    judgement = judge_points(row for row in rows if row["kind"] == "path")
    measured = [result for result in judgement.results if result.row["phase"] in MEASURED]
    times = _times(measured)
    fits: dict[tuple[str, bool], list[Best]] = defaultdict(list)
    for result in loosest_paths(judgement).values():
        row = result.row
        if not row.get("twin_of") and (found := times.get(_key(row))):
            ours = row["solver"] == OURS
            best = Best(median(found), row["solver"], row["configuration"], len(found))
            fits[row["cell"], ours].append(best)
    cells = {result.row["cell"] for result in measured}
    return {
        cell: (_fastest(fits[cell, True]), _fastest(fits[cell, False]))
        for cell in sorted(cells, key=order.index)
    }


def _fastest(some: list[Best]) -> Best | None:
    return min(some, key=lambda one: one.seconds, default=None)


def _geometric_mean(ratios: list[float]) -> tuple[float, int]:
    if not ratios:
        return math.nan, 0
    return math.exp(sum(map(math.log, ratios)) / len(ratios)), len(ratios)
