"""How time grows with size: cells that differ in one dimension alone, and the exponent of a power law.

The names are like ``scaling_500x1000`` and ``scaling_500x5000_rho0.9``: n and p tell which numbers are sizes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from bench.report.charts import SECONDS, Axis, Chart, Line
from bench.report.model import Cell, Report
from bench.report.tables import Table
from bench.report.words import WANTED, number

__all__ = ["Fit", "Ladder", "drawn", "fit", "ladders", "scaling_chart", "scaling_table"]

SUITE = "scaling"
FEWEST = 3  # sizes for a line to be fitted through
SIZES = {
    "n": "rows n",
    "p": "columns p",
    "nnz": "entries of X that are not zero",
    "c": "c = 1 / (1 - correlation of neighbouring columns)",
}
NUMBER = re.compile(r"\d+(?:\.\d+)?")
CORRELATION = re.compile(r"_rho([\d.]+)")


@dataclass(frozen=True)
class Ladder:
    """Cells alike but for one dimension, a key of SIZES; the smallest first."""

    name: str
    dimension: str
    cells: tuple[Cell, ...]

    def size(self, cell: Cell) -> float:
        """The dimension that varies."""
        return _size(cell, self.dimension)


def _size(cell: Cell, dimension: str) -> float:
    if dimension != "c":
        return float(getattr(cell, dimension))
    found = CORRELATION.search(cell.case)
    return 1 / (1 - float(found[1])) if found else 1.0


@dataclass(frozen=True)
class Fit:
    """Time = constant * size ** exponent.

    Attributes
    ----------
    exponent : float
    margin : float
        Half of its 95 % interval, by Student's t from the residuals; with few sizes it is wide.
    """

    exponent: float
    margin: float


def fit(sizes: Sequence[float], seconds: Sequence[float]) -> Fit | None:
    """Fit a power law by least squares on logarithms; None with too few sizes."""
    if len(set(sizes)) < FEWEST:
        return None
    x, y = np.log(sizes), np.log(seconds)
    centred = x - x.mean()
    spread = float(centred @ centred)
    exponent = float(centred @ y) / spread
    residual = y - y.mean() - exponent * centred
    dof = len(x) - 2
    error = float(np.sqrt(residual @ residual / dof / spread))
    return Fit(exponent, float(student.ppf(0.975, dof)) * error)


def ladders(report: Report) -> list[Ladder]:
    """Return the ladders of the run's scaling cells: alike in all that their names say but for one size."""
    suites = {result.row["cell"]: result.row.get("suite") for result in report.judgement.results}
    groups: dict[tuple[Any, ...], list[Cell]] = defaultdict(list)
    for cell in report.cells.values():
        if suites.get(cell.name) != SUITE:
            continue
        form = NUMBER.sub("*", cell.case) + cell.name.removeprefix(cell.case)
        others = [x for x in NUMBER.findall(cell.case) if x not in (str(cell.n), str(cell.p))]
        groups["n", form, cell.p, *others].append(cell)
        groups["p", form, cell.n, *others].append(cell)
        groups["nnz", form, cell.n, cell.p].append(cell)
        groups["c", form, cell.n, cell.p, cell.nnz].append(cell)
    found = []
    for (dimension, *_), cells in groups.items():
        sizes = {_size(cell, dimension): cell for cell in cells}
        if len(sizes) > 1:  # else nothing varies, or something that the name alone tells
            ordered = [sizes[size] for size in sorted(sizes)]
            found.append(Ladder(_name(ordered), dimension, tuple(ordered)))
    return found


def _name(cells: Sequence[Cell]) -> str:
    """Their name, with a star for what varies."""
    first = cells[0]
    numbers = zip(*(NUMBER.findall(cell.case) for cell in cells), strict=True)
    spelt = iter([each[0] if len(set(each)) == 1 else "*" for each in numbers])
    return NUMBER.sub(lambda _: next(spelt), first.case) + first.name.removeprefix(first.case)


def _times(report: Report, ladder: Ladder, solver: str, tier: float) -> tuple[list[float], list[float]]:
    timed = [(ladder.size(cell), report.timing(solver, cell.name, tier)) for cell in ladder.cells]
    found = [(size, timing.seconds) for size, timing in timed if timing is not None]
    return [size for size, _ in found], [seconds for _, seconds in found]


def drawn(report: Report, found: Sequence[Ladder]) -> dict[str, list[Chart]]:
    """Return the charts of those ladders on which anybody has a time, by their names."""
    charts = {ladder.name: scaling_chart(report, ladder) for ladder in found}
    return {name: [chart] for name, chart in charts.items() if chart.lines}


def scaling_chart(report: Report, ladder: Ladder, tier: float = WANTED) -> Chart:
    """Time against size, with the fitted exponent of each solver in its notes."""
    title = f"{ladder.name}: time to {number(tier)}"
    chart = Chart(f"scaling {ladder.name}", title, Axis(SIZES[ladder.dimension], "count"), SECONDS)
    for name in report.solvers:
        x, y = _times(report, ladder, name, tier)
        if x:
            law = fit(x, y)
            note = "" if law is None else f"time ~ {ladder.dimension}^{law.exponent:.2f}"
            chart.lines.append(Line(name, x, y, [note] * len(x)))
    return chart


def scaling_table(report: Report, found: Sequence[Ladder], tier: float = WANTED) -> Table:
    """Fitted exponents of each solver on each ladder; no rows where nobody has enough sizes."""
    rows = []
    for ladder in found:
        for name in report.solvers:
            x, y = _times(report, ladder, name, tier)
            law = fit(x, y) if x else None
            if law is not None:
                low, high = law.exponent - law.margin, law.exponent + law.margin
                sizes = f"{ladder.dimension} = {min(x):,.0f} to {max(x):,.0f} ({len(x)})"
                rows.append([name, f"{law.exponent:.2f}", f"{low:.2f} to {high:.2f}", sizes, ladder.name])
    return Table(
        "Exponents",
        f"Time to {number(tier)} as a power of what grows, least squares on logarithms, for the solvers that "
        f"reach it at {FEWEST} sizes or more. The interval is 95 %, from the residuals: from {FEWEST} sizes "
        "it is wide. Where fixed costs dominate the small sizes, the exponent is too low.",
        ["solver", "exponent", "95 % interval", "what grows (sizes)", "cells"],
        rows,
    )
