"""Charts: curves of single cells, performance profiles [dolan2002], digits against time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from bench.report.charts import ACCURACY, DIGITS, RATIO, SECONDS, SHARE, Axis, Chart, Line
from bench.report.model import FAMILIES, Cell, Outcome, Point, Report
from bench.report.pairwise import ratio_to_fastest
from bench.report.words import family_name, group_name, number

__all__ = ["LOWEST", "curve", "curves", "front", "precision", "precisions", "profiles"]

LOWEST = 1e-16  # below it there is nothing in float64 to be drawn
DEPTH = 12  # digits


def front(points: Iterable[Point]) -> list[Point]:
    """Keep the points that no other one beats in both time and accuracy, over all settings; fastest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda point: (point.seconds, point.suboptimality)):
        if not kept or point.suboptimality < kept[-1].suboptimality:
            kept.append(point)
    return kept


def curve(report: Report, cell: Cell) -> Chart:
    """Time against proven accuracy in one cell: a point for each tolerance, the best of all settings."""
    chart = Chart(f"curve {cell.name}", cell.name, SECONDS, ACCURACY, marks=report.tiers)
    for name in report.solvers:
        outcome = report.outcomes.get((name, cell.name))
        if outcome is not None and outcome.points:
            chart.lines.append(_curve(name, outcome))
    return chart


def _curve(name: str, outcome: Outcome) -> Line:
    points = front(outcome.points)
    return Line(
        name,
        [point.seconds for point in points],
        [max(LOWEST, point.suboptimality) for point in points],
        [_setting(point) for point in points],
    )


def _setting(point: Point) -> str:
    how = "" if point.configuration == "default" else f"{point.configuration}, "
    return f"{how}tol {number(point.tol)}"


def curves(report: Report) -> dict[str, list[Chart]]:
    """Return the curves of each case that has any."""
    found: dict[str, list[Chart]] = {}
    for cell in report.cells.values():
        chart = curve(report, cell)
        if chart.lines:
            found.setdefault(cell.case, []).append(chart)
    return found


def profiles(report: Report) -> list[Chart]:
    """Performance profiles, for each family of penalties and each tier.

    A line at (r, s): within r times the time of the fastest, the solver has reached the tier in a share s of
    the cells. Cells that it refused or failed count as not reached; so do those that nobody reached.
    """
    return [
        chart
        for family in FAMILIES
        for tier in report.tiers
        if (chart := _profile(report, family, tier)).lines
    ]


def _profile(report: Report, family: str, tier: float) -> Chart:
    cells = {cell.name for cell in report.cells.values() if cell.family == family}
    title = f"{family_name(family)}: proven to {number(tier)} ({len(cells)} cells)"
    chart = Chart(f"profile {family} {number(tier)}", title, RATIO, SHARE, steps=True)
    found = {
        name: sorted(ratio for cell, ratio in ratios.items() if cell in cells)
        for name, ratios in ratio_to_fastest(report, tier).items()
    }
    edge = 1.25 * max((ratios[-1] for ratios in found.values() if ratios), default=1.0)
    for name, ratios in found.items():
        if ratios:
            x = [1.0, *ratios, edge]
            reached = [sum(ratio <= 1.0 for ratio in ratios), *range(1, len(ratios) + 1), len(ratios)]
            chart.lines.append(Line(name, x, [k / len(cells) for k in reached]))
    return chart


def precisions(report: Report) -> list[Chart]:
    """Return the work-precision diagram of each regime and family."""
    drawn = (precision(report, *group) for group in report.groups())
    return [chart for chart in drawn if chart.lines]


def precision(report: Report, regime: str, family: str, cells: Sequence[str]) -> Chart:
    """Correct digits against the time within which at least half of the cells have them."""
    times = Axis("time within which half of the cells are there", "seconds")
    chart = Chart(f"precision {regime} {family}", group_name(regime, family), times, DIGITS)
    for name in report.solvers:
        x, y = [], []
        for depth in range(1, DEPTH + 1):
            seconds = sorted(_reached(report.outcomes.get((name, cell)), 10.0**-depth) for cell in cells)
            middle = seconds[(len(seconds) - 1) // 2]
            if math.isfinite(middle):
                x.append(middle)
                y.append(float(depth))
        if x:
            chart.lines.append(Line(name, x, y))
    return chart


def _reached(outcome: Outcome | None, suboptimality: float) -> float:
    """Seconds of the fastest point that is as accurate; inf if there is none."""
    points = () if outcome is None else outcome.points
    return min((p.seconds for p in points if p.suboptimality <= suboptimality), default=math.inf)
