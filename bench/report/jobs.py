"""Paths and cross-validations: what they took, and how well their worst point is proven."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import median
from typing import Any

from bench.report.model import Report
from bench.report.tables import Table
from bench.report.words import duration, number
from verification.verdict import Outcome, Result
from verification.verdict_points import PathResult, bands, exact_curve

__all__ = ["cv_table", "paths_table"]

MEASURED = ("ladder", "repeat")


def paths_table(report: Report) -> Table:
    """Time of a whole path by wanted accuracy of its worst point, and how well it can be done at best."""
    rows = [
        [cell, solver, *_times(report, found), *_accuracy(found)]
        for (cell, solver), found in _grouped(report, "path").items()
        if not _declined(found)
    ]
    return Table(
        "Paths",
        "From l1_max to l1_max/100 in 100 points, setup and all points together, by each solver's own path "
        "function in its best setting. A path is as accurate as its worst point; each point is judged "
        "against the best dual bound on record for it.",
        ["cell", "solver", *map(_column, report.tiers), "worst point", "proves itself", "points at 1e-9"],
        rows,
    )


def cv_table(report: Report) -> Table:
    """Time of a cross-validation by wanted accuracy of its worst point, and the l1 that it chooses."""
    rows = []
    for (cell, solver), found in _grouped(report, "cv").items():
        if _declined(found):
            continue
        tightest = min((r for r in found if r.points), key=lambda r: r.row["tol"], default=None)
        chosen = ["-", "-"] if tightest is None else _chosen(tightest.row)
        rows.append([cell, solver, *_times(report, found), *chosen, _agreement(tightest, report)])
    return Table(
        "Cross-validation",
        "Five folds, 50 points each from l1_max to l1_max/100, all of it timed together. The exact curve is "
        "known within bands that certificates prove: every answer's band holds it, so two must meet.",
        ["cell", "solver", *map(_column, report.tiers), "l1_max/l1 chosen", "mean squared error", "curve"],
        rows,
    )


def _column(tier: float) -> str:
    return f"time to {number(tier)}"


def _grouped(report: Report, kind: str) -> dict[tuple[str, str], list[PathResult]]:
    """Results by (cell, solver), in the order of the suite."""
    order = {cell["name"]: k for k, cell in enumerate(report.head["cells"])}
    found: dict[tuple[str, str], list[PathResult]] = defaultdict(list)
    for result in report.along.results:
        row = result.row
        if row["kind"] == kind and row["phase"] in MEASURED and row["solver"] in report.solvers:
            assert isinstance(result, PathResult)
            found[row["cell"], row["solver"]].append(result)
    names = list(report.solvers)
    ordered = sorted(found, key=lambda key: (order.get(key[0], len(order)), names.index(key[1])))
    return {key: found[key] for key in ordered}


def _declined(found: list[PathResult]) -> bool:
    return all(result.row["status"] in ("REFUSED", "MISSING") for result in found)


def _times(report: Report, found: list[PathResult]) -> list[str]:
    """Median time of the loosest rung that meets each tier, in the fastest setting; or why there is none."""
    solver = found[0].row["solver"]
    if solver in report.wrong:
        return ["WRONG" if found[0].row["cell"] in report.wrong[solver] else "withheld"] * len(report.tiers)
    return [_time(found, tier) for tier in report.tiers]


def _time(found: list[PathResult], tier: float) -> str:
    rungs: dict[tuple[str, int], list[Result]] = defaultdict(list)
    for result in found:
        if result.tiers.get(tier) is Outcome.MET:
            rungs[result.row["configuration"], result.row["rung"]].append(result)
    loosest: dict[str, int] = {}
    for configuration, rung in rungs:
        loosest[configuration] = min(rung, loosest.get(configuration, rung))
    seconds = [median(r.row["seconds"] for r in rungs[key]) for key in loosest.items()]
    if seconds:
        return duration(min(seconds))
    answered = [result for result in found if result.points]
    if not answered:
        return found[0].row["status"].lower().replace("_", " ")
    return max(answered, key=lambda r: r.met[tier]).tiers[tier].name.lower()


def _accuracy(found: list[PathResult]) -> list[str]:
    answered = [result for result in found if result.points]
    if not answered:
        return ["-", "-", (found[0].row["message"] or "-")[:80]]
    best = min(answered, key=lambda r: math.inf if r.suboptimality is None else r.suboptimality)
    met = best.met.get(1e-9, 0)
    return [number(best.suboptimality), number(best.gap_rel), f"{met} of {best.points}"]


def _chosen(row: Any) -> list[str]:
    scores = row["scores"]
    k = min(range(len(scores)), key=scores.__getitem__)
    return [f"{row['l1s'][0] / row['l1s'][k]:.3g}", f"{scores[k]:.6g}"]


def _agreement(result: PathResult | None, report: Report) -> str:
    """Whether an answer's band meets all others', and whether its choice is proven to be exact, or not."""
    if result is None:
        return "-"
    same = [r.row for r in report.along.results if r.row["cell"] == result.row["cell"]]
    low, high = exact_curve(same)
    mine_low, mine_high = bands(result.row)
    if any(a > d or c > b for a, b, c, d in zip(mine_low, mine_high, low, high, strict=True)):
        return "CONTRADICTS another certified answer"
    scores = result.row["scores"]
    k = min(range(len(scores)), key=scores.__getitem__)
    others = [low[i] for i in range(len(low)) if i != k]
    if high[k] < min(others, default=math.inf):
        return "choice proven"
    if min(high) < low[k]:
        return "NOT the exact choice: another l1 is proven better"
    unproven = sum(value == math.inf for value in mine_high)
    return f"not proven at {unproven} of {len(scores)} points" if unproven else "choice within the bands"
