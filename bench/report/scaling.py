"""How time grows with size: cells that differ in one dimension alone, and the exponent of a power law."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from bench.report.charts import SECONDS, Axis, Chart, Line
from bench.report.model import Cell, Report
from bench.report.tables import Table
from bench.report.words import WANTED, number

__all__ = ["Fit", "Ladder", "fit", "ladders", "scaling_chart", "scaling_table"]

SUITE = "scaling"
FEWEST = 3  # sizes for a line to be fitted through
SIZES = {"n": "rows n", "p": "columns p", "nnz": "entries of X that are not zero"}


@dataclass(frozen=True)
class Ladder:
    """Cells alike but for one dimension ("n", "p" or "nnz"), the smallest first."""

    name: str
    dimension: str
    cells: tuple[Cell, ...]

    def size(self, cell: Cell) -> int:
        """The dimension that varies."""
        return int(getattr(cell, self.dimension))


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
    """Return the ladders of the run's scaling cells: same name but for the numbers in the case's."""
    suites = {result.row["cell"]: result.row.get("suite") for result in report.judgement.results}
    groups: dict[str, list[Cell]] = defaultdict(list)
    for cell in report.cells.values():
        if suites.get(cell.name) == SUITE:
            groups[re.sub(r"\d+", "#", cell.case) + cell.name.removeprefix(cell.case)].append(cell)
    found = []
    for name, cells in groups.items():
        varied = [size for size in SIZES if len({getattr(cell, size) for cell in cells}) > 1]
        if varied:  # more rows are more entries too: the first that varies is the one that was varied
            ordered = sorted(cells, key=lambda cell: getattr(cell, varied[0]))
            found.append(Ladder(name, varied[0], tuple(ordered)))
    return found


def _times(report: Report, ladder: Ladder, solver: str, tier: float) -> tuple[list[float], list[float]]:
    timed = [(ladder.size(cell), report.timing(solver, cell.name, tier)) for cell in ladder.cells]
    found = [(float(size), timing.seconds) for size, timing in timed if timing is not None]
    return [size for size, _ in found], [seconds for _, seconds in found]


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


def scaling_table(report: Report, ladder: Ladder, tier: float = WANTED) -> Table:
    """Fitted exponents of each solver on one ladder."""
    rows = []
    for name in report.solvers:
        x, y = _times(report, ladder, name, tier)
        law = fit(x, y) if x else None
        if law is not None:
            span = f"{min(x):g} to {max(x):g} ({len(x)})"
            rows.append([name, f"{law.exponent:.2f}", f"{law.exponent - law.margin:.2f} to "
                         f"{law.exponent + law.margin:.2f}", span])  # fmt: skip
    return Table(
        f"Exponents of {ladder.dimension}: {ladder.name}",
        f"Time to {number(tier)} as a power of {SIZES[ladder.dimension]}, least squares on logarithms; the "
        "interval is 95 %, from the residuals. Where fixed costs dominate the small sizes, it is too low.",
        ["solver", "exponent", "95 % interval", "sizes (how many)"],
        rows,
    )
