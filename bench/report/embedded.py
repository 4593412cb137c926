"""The data in the page: charts and the grid, compact, for page.js and grid.js."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from bench.report.accuracy import in_words
from bench.report.charts import Axis, Chart, Line
from bench.report.looks import looks
from bench.report.model import Outcome, Report

__all__ = ["embed", "encode"]

LETTERS = {"met": "m", "missed": "x", "undecided": "u", "beyond": "b"}


class Strings:
    """Every text once."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.known.setdefault(text, len(self.known))


def encode(value: Any) -> str:
    """Return JSON that may stand inside a script element: no "<" can end it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def embed(report: Report, charts: Iterable[Chart]) -> str:
    """Return what the page draws from, as JSON.

    Parameters
    ----------
    report : Report
    charts : iterable of Chart
        In the order in which the page numbers them.
    """
    strings, axes = Strings(), list[Axis]()
    drawn = [_chart(chart, strings, axes) for chart in charts]
    leaders = _fastest_somewhere(report)
    styles = looks((solver.name, solver.own) for solver in report.solvers.values())
    solvers = [
        {
            "name": name,
            "own": report.solvers[name].own,
            "colour": look.colour,
            "dash": ",".join(f"{length}px" for length in look.dashes) or "solid",
            "symbol": look.symbol,
            "wrong": name in report.wrong,
            "leader": name in leaders,
        }
        for name, look in styles.items()
    ]
    grid = _grid(report, strings)
    return encode(
        {
            "solvers": solvers,
            "axes": [asdict(axis) for axis in axes],
            "charts": drawn,
            "grid": grid,
            "strings": list(strings.known),
        }
    )


def _short(value: float | None) -> float | None:
    """Three digits: more than a line or a label shows."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.3g}")


def _chart(chart: Chart, strings: Strings, axes: list[Axis]) -> dict[str, Any]:
    for axis in (chart.x, chart.y):
        if axis not in axes:
            axes.append(axis)
    return {
        "x": axes.index(chart.x),
        "y": axes.index(chart.y),
        "steps": chart.steps,
        "marks": list(chart.marks),
        "lines": [_line(line, strings) for line in chart.lines],
    }


def _line(line: Line, strings: Strings) -> list[Any]:
    x, y = ([_short(value) for value in values] for values in (line.x, line.y))
    return [strings(line.name), x, y, [strings(note) for note in line.notes] or 0, line.colour]


def _fastest_somewhere(report: Report) -> set[str]:
    """Solvers that are the fastest in some cell at some tier."""
    found = set()
    for cell in report.cells:
        for tier in report.tiers:
            timed = [(t.seconds, name) for name in report.solvers if (t := report.timing(name, cell, tier))]
            found |= {min(timed)[1]} if timed else set()
    return found


def _grid(report: Report, strings: Strings) -> dict[str, Any]:
    head = report.head
    cells = [
        {"name": c.name, "case": c.case, "regime": c.regime, "n": c.n, "p": c.p}
        for c in report.cells.values()
    ]
    pairs = [
        [_pair(report, report.outcomes.get((solver, cell)), strings) for solver in report.solvers]
        for cell in report.cells
    ]
    suite = ["--data", str(head["data"])] if head.get("data") else ["--suite", str(head["suite"])]
    return {"cells": cells, "tiers": list(report.tiers), "pairs": pairs, "suite": suite}


def _pair(report: Report, outcome: Outcome | None, strings: Strings) -> Sequence[Any] | None:
    """What the grid knows of a solver in a cell; null if it was not run there."""
    if outcome is None:
        return None
    times = [
        [_short(t.seconds), len(t.rounds), strings(f"{t.configuration}, tol {t.tol:g}")] if t else 0
        for t in (outcome.timings.get(tier) for tier in report.tiers)
    ]
    return [
        strings(outcome.status),
        strings(outcome.message),
        strings(report.wrong.get(outcome.solver, {}).get(outcome.cell, "")),
        _short(outcome.best),
        _short(outcome.self_gap),
        _short(outcome.relative_to_optimum),
        strings(in_words(outcome)),
        "".join(LETTERS.get(state, "n") for state in outcome.tiers.values()),
        times if any(times) else [0] * len(times),
    ]
