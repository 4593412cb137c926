"""The numbers of a report as CSV: every answer, every line of every figure, every table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.report.model import Report
from bench.report.sections import Section
from bench.report.words import number

__all__ = ["write_numbers"]


def write_numbers(report: Report, sections: Iterable[Section], folder: Path) -> list[Path]:
    """Write the numbers of a report; return the files.

    answers.csv has full digits. Each section with charts has a file of their points (chart, line, x, y,
    note), and each with tables one of each, spelt as in the report.

    Parameters
    ----------
    report : Report
    sections : iterable of Section
    folder : path
        Made if absent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [_write(folder / "answers.csv", *_answers(report))]
    for section in sections:
        points = [
            [chart.key, line.name, x, y, note]
            for charts in section.charts.values()
            for chart in charts
            for line in chart.lines
            for x, y, note in zip(line.x, line.y, line.notes or [""] * len(line.x), strict=True)
        ]
        if points:
            header = ["chart", "line", "x", "y", "note"]
            written.append(_write(folder / f"{section.key}-lines.csv", header, points))
        for k, table in enumerate(section.tables, 1):
            name = f"{section.key}-{k}.csv" if len(section.tables) > 1 else f"{section.key}.csv"
            written.append(_write(folder / name, table.columns, table.rows))
    return written


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _answers(report: Report) -> tuple[list[str], list[list[Any]]]:
    """One row for each solver and cell: what it delivered, and its time for each accuracy."""
    per_tier = [
        f"{what} {number(tier)}" for tier in report.tiers for what in ("reached", "seconds", "rounds")
    ]
    header = [
        "solver", "cell", "regime", "penalty", "n", "p", "nnz", "status", "message", "wrong", "suboptimality",
        "self_certified_gap", "relative_to_optimum", "false_features", "missed_features", *per_tier,
    ]  # fmt: skip
    rows = []
    for (solver, name), outcome in report.outcomes.items():
        cell = report.cells[name]
        row = [
            solver, name, cell.regime, cell.penalty, cell.n, cell.p, cell.nnz,
            outcome.status, outcome.message, report.wrong.get(solver, {}).get(name, ""), outcome.best,
            outcome.self_gap,
            outcome.relative_to_optimum, outcome.false_features, outcome.missed_features,
        ]  # fmt: skip
        for tier in report.tiers:
            timing = outcome.timings.get(tier)
            row += [outcome.tiers.get(tier, "")]
            row += [None, None] if timing is None else [timing.seconds, len(timing.rounds)]
        rows.append(row)
    return header, rows
