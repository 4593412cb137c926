"""Each library called as its documentation does: what it takes, and what it delivers, in words."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from statistics import median, median_low

from bench.report.accuracy import features
from bench.report.model import Report
from bench.report.tables import Table
from bench.report.words import duration, number, predictions
from verification.verdict import Result

__all__ = ["PHASE", "defaults_says", "defaults_table"]

PHASE = "defaults"
REASONS = 4  # of pairs without an answer: the most frequent; answers of all are on record


def defaults_table(report: Report) -> Table:
    """Time and accuracy of each library at its defaults; no rows if the run has none."""
    found: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in report.judgement.results:
        if result.row["phase"] == PHASE and result.row["solver"] in report.solvers:
            found[result.row["solver"]][result.row["cell"]].append(result)
    answered = {name: cells for name, cells in found.items() if _judged(cells)}
    rows = [_row(report, name, answered[name]) for name in report.solvers if name in answered]
    return Table(
        "Called as documented",
        "Default settings and tolerance, on the same cells, judged like any other answer. Predictions: the "
        "root mean square distance to the optimum's, in percent of the null residual (sd(y)).",
        [
            "solver",
            "cells",
            "time, median",
            "delivered, median",
            "delivered, worst",
            "worst cell",
            "suboptimality",
        ],
        rows,
    )


def _judged(cells: dict[str, list[Result]]) -> dict[str, Result]:
    """The first answer in each cell that has one: the others are the same, for their time."""
    return {cell: same[0] for cell, same in cells.items() if same[0].suboptimality is not None}


def defaults_says(report: Report) -> list[str]:
    """Say which pairs were not tried without settings, or gave no answer, and why."""
    rows = [r.row for r in report.judgement.results if r.row["phase"] == PHASE and r.suboptimality is None]
    reasons = Counter(
        (row.get("message") or row["status"].lower()) if row["status"] not in ("REFUSED", "MISSING") else ""
        for row in rows
        if row["solver"] in report.solvers
    )
    said = [f"{why} ({count})" for why, count in reasons.most_common(REASONS) if why]
    count, pairs = sum(reasons.values()) - reasons[""], "pairs of a solver and a cell"
    if not any(r.row["phase"] == PHASE for r in report.judgement.results):
        return ["This run did not call the libraries as documented: there is nothing to show here."]
    return [f"No answer from {count} {pairs if count > 1 else 'pair'}: {'; '.join(said)}."] if said else []


def _row(report: Report, name: str, cells: dict[str, list[Result]]) -> list[str]:
    whose = name if report.solvers[name].own else f"{name} (peer)"
    judged = _judged(cells)
    seconds = [median(r.row["seconds"] for r in cells[c] if r.row["seconds"] is not None) for c in judged]
    ordered = sorted(judged, key=lambda cell: judged[cell].suboptimality or 0.0)
    middle, worst = ordered[(len(ordered) - 1) // 2], ordered[-1]
    bests = [judged[cell].suboptimality or 0.0 for cell in ordered]
    return [
        whose,
        f"{len(judged)} of {len(cells)}",
        duration(median(seconds)),
        _delivered(judged[middle]),
        _delivered(judged[worst]),
        worst,
        f"{number(median_low(bests))} ({number(max(bests))})",
    ]


def _delivered(result: Result) -> str:
    """Say what one answer delivers."""
    value = result.suboptimality
    assert value is not None
    if not math.isfinite(value):
        return "no solution: a constraint is broken"
    parts = [predictions(value)]
    for kind in ("false", "missed"):
        count = result.row.get(f"{kind}_features")
        if count is not None:
            parts.append(features(count, kind))
    return ", ".join(parts)
