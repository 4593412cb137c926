"""Each library called as its documentation does: what it takes, and what it delivers, in words."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import median, median_low

from bench.report.accuracy import features
from bench.report.model import Report
from bench.report.tables import Table
from bench.report.words import duration, number, percent
from verification.verdict import Result

__all__ = ["PHASE", "defaults_table"]

PHASE = "defaults"


def defaults_table(report: Report) -> Table:
    """Time and accuracy of each library at its defaults; no rows if the run has none."""
    found: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in report.judgement.results:
        if result.row["phase"] == PHASE and result.row["solver"] in report.solvers:
            found[result.row["solver"]][result.row["cell"]].append(result)
    rows = [_row(report, name, found[name]) for name in report.solvers if name in found]
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


def _row(report: Report, name: str, cells: dict[str, list[Result]]) -> list[str]:
    whose = name if report.solvers[name].own else f"{name} (peer)"
    judged = {cell: same[0] for cell, same in cells.items() if same[0].suboptimality is not None}
    if not judged:
        why = next(iter(cells.values()))[0].row
        return [whose, f"0 of {len(cells)}", "-", why["status"].lower(), why.get("message") or "", "-", "-"]
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
    parts = [f"predictions within {percent(value)} of optimal"]
    for kind in ("false", "missed"):
        count = result.row.get(f"{kind}_features")
        if count is not None:
            parts.append(features(count, kind))
    return ", ".join(parts)
