"""Figures, as SVG: time against proven accuracy, distance to the fastest, and a lasso path.

Colours are Okabe and Ito's, which the colour-blind can tell apart; a marker says the same again.  Ours are
drawn solid, peers dashed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from bench.report.model import Outcome, Point, Report
from bench.report.pairwise import median_ratio, ratio_to_fastest
from bench.report.words import WANTED, duration, number
from solvers import Problem, Stop, solve
from verification import certify

__all__ = ["curves", "distances", "path", "save", "slug"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
MARKERS = "osD^vP*X<>hp"
REGIMES = {
    "wide": ("#0072B2", "o"),
    "tall": ("#D55E00", "s"),
    "sparse": ("#009E73", "D"),
    "small": ("#CC79A7", "^"),
}
STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: smaller, sharper, and searchable
    "svg.hashsalt": "bench",  # the same figure is the same file
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Helvetica", "Arial", "sans-serif"],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#777777",
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
}
Look = dict[str, Any]  # how a solver's line is drawn
LINE = 0.19  # inches of a legend's line
LOWEST = 1e-16  # below it there is nothing in float64 to be drawn
DOT: Look = {"markersize": 4.5, "markeredgewidth": 0}
PANELS = 3  # side by side


def slug(name: str) -> str:
    """Return a name that can be a file's."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)


def save(figure: Figure, target: Path) -> Path:
    """Write a figure as SVG; the suffix .png is there for looking at it."""
    with mpl.rc_context(STYLE):
        undated = {"Date": None} if target.suffix == ".svg" else {}
        figure.savefig(target, dpi=110, metadata=undated)
    return target


def _looks(report: Report) -> dict[str, Look]:
    """Colour, marker and dashes of each solver, the same in every figure."""
    looks = {}
    for k, (name, solver) in enumerate(report.solvers.items()):
        looks[name] = {
            "color": COLOURS[k % len(COLOURS)],
            "marker": MARKERS[k % len(MARKERS)],
            "linestyle": "-" if solver.own else (0, (4, 2)),
            "markersize": 4.5,
            "linewidth": 1.4,
        }
    return looks


def front(points: Iterable[Point]) -> list[Point]:
    """Keep the points that no other one beats in both time and accuracy, over all settings; fastest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda point: (point.seconds, point.suboptimality)):
        if not kept or point.suboptimality < kept[-1].suboptimality:
            kept.append(point)
    return kept


def curves(report: Report, case: str) -> Figure | None:
    """Time against proven accuracy, a panel for each cell of a case; None where no solver has a time."""
    cells = [cell.name for cell in report.cells.values() if cell.case == case]
    drawn = {
        cell: {
            name: outcome
            for name in report.solvers
            if (outcome := report.outcomes.get((name, cell))) is not None and outcome.points
        }
        for cell in cells
    }
    cells = [cell for cell in cells if drawn[cell]]
    if not cells:
        return None
    looks = _looks(report)
    columns = min(PANELS, len(cells))
    lines = math.ceil(len(cells) / columns)
    present = [name for name in report.solvers if any(name in drawn[cell] for cell in cells)]
    with mpl.rc_context(STYLE):
        height = max(2.6 * lines + 0.9, LINE * len(present) + 0.3)
        figure = _canvas(3.3 * columns + 3.5, height, left=0.95, right=2.55, bottom=0.6, top=0.7)
        axes = figure.subplots(lines, columns, squeeze=False, sharey=True)
        for k, cell in enumerate(cells):
            _panel(axes.flat[k], cell.removeprefix(f"{case}/"), drawn[cell], looks, report.tiers)
        for axis in axes.flat[len(cells) :]:
            axis.set_visible(False)
        _titles(figure, f"{case}: time against proven accuracy", "setup + run")
        figure.text(
            0.15 / figure.get_figwidth(), 0.5, "proven suboptimality, relative to N", rotation=90, va="center"
        )
        _legend(figure, [Line2D([], [], label=name, **looks[name]) for name in present])
    return figure


def _canvas(width: float, height: float, **margins: float) -> Figure:
    """Return a figure with fixed margins, in inches: a layout that is computed takes longer than drawing."""
    figure = Figure(figsize=(width, height))
    figure.subplots_adjust(
        left=margins["left"] / width,
        right=1 - margins["right"] / width,
        bottom=margins["bottom"] / height,
        top=1 - margins["top"] / height,
        wspace=0.08,
        hspace=0.32,
    )
    return figure


def _titles(figure: Figure, title: str, below: str) -> None:
    """Put a title over the figure and a label under it."""
    width, height = figure.get_size_inches()
    figure.text(0.15 / width, 1 - 0.15 / height, title, va="top", fontsize=11, weight="bold")
    figure.text(figure.subplotpars.left, 0.12 / height, below)


def _legend(figure: Figure, handles: list[Line2D]) -> None:
    """Put a legend in the right margin."""
    where = (figure.subplotpars.right + 0.1 / figure.get_figwidth(), 1 - 0.1 / figure.get_figheight())
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=where, fontsize=8.5, handlelength=3)


def _panel(
    axis: Any, title: str, outcomes: dict[str, Outcome], looks: dict[str, Look], tiers: Iterable[float]
) -> None:
    for tier in tiers:
        axis.axhline(tier, color="#bbbbbb", linewidth=0.8, zorder=0.5)
    for name, outcome in outcomes.items():
        points = front(outcome.points)
        heights = [max(LOWEST, point.suboptimality) for point in points]
        axis.plot([point.seconds for point in points], heights, **looks[name], alpha=0.9)
    axis.set(xscale="log", yscale="log", title=title)
    axis.title.set_fontsize(8.5)
    axis.yaxis.set_major_formatter(lambda value, _: number(value))
    _ticks(axis, duration)


def _ticks(axis: Any, spell: Callable[[float], str]) -> None:
    """Label a logarithmic x axis: its powers of ten, or 1, 2 and 5 of them where there are fewer than two."""
    low, high = axis.get_xlim()
    powers = math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0,) if powers >= 2 else (1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(lambda value, _: spell(value))
    axis.minorticks_off()


def distances(report: Report, tier: float = WANTED) -> Figure | None:
    """Each solver's time over the fastest certified one's, a dot for each cell; None without times."""
    ratios = ratio_to_fastest(report, tier)
    if not ratios:
        return None
    names = sorted(ratios, key=lambda name: (median_ratio(ratios[name]), -len(ratios[name])))
    with mpl.rc_context(STYLE):
        figure = _canvas(8.6, 0.32 * len(names) + 1.3, left=2.6, right=1.1, bottom=0.65, top=0.5)
        axis = figure.subplots()
        present = {cell.regime for cell in report.cells.values()}
        regimes = [regime for regime in REGIMES if regime in present]
        for k, name in enumerate(names):
            for place, regime in enumerate(regimes):
                found = [ratio for cell, ratio in ratios[name].items() if report.cells[cell].regime == regime]
                colour, marker = REGIMES[regime]
                height = k + 0.13 * (place - (len(regimes) - 1) / 2)
                axis.plot(found, [height] * len(found), marker, color=colour, alpha=0.75, **DOT)
            middle = median_ratio(ratios[name])
            axis.plot([middle, middle], [k - 0.36, k + 0.36], color="#222222", linewidth=2, zorder=3)
        labels = [f"{name}  ({len(ratios[name])})" for name in names]
        axis.set_yticks(range(len(names)), labels)
        for label, name in zip(axis.get_yticklabels(), names, strict=True):
            label.set_fontweight("bold" if report.solvers[name].own else "normal")
        axis.set(xscale="log", ylim=(len(names) - 0.4, -0.6))
        _ticks(axis, lambda value: f"{value:g}x")
        axis.grid(axis="y", visible=False)
        title = f"Time to a proven suboptimality of {number(tier)} (in brackets: cells solved)"
        _titles(figure, title, "time over that of the fastest in the cell; the bar is the median")
        dots = [(name, *REGIMES[name]) for name in regimes]
        _legend(figure, [Line2D([], [], linestyle="", marker=m, color=c, label=n, **DOT) for n, c, m in dots])
    return figure


def path(problem: Problem, title: str, values: int = 60, depth: float = 1e-3) -> tuple[Figure, float]:
    """Lasso path of one problem, each point certified.

    Parameters
    ----------
    problem : Problem
        Its penalties are replaced.
    title : str
    values : int
        Values of l1, spaced evenly on a logarithmic axis.
    depth : float
        The smallest l1 over l1_max.

    Returns
    -------
    figure : Figure
    worst : float
        Largest self-certified gap of the points, relative to N.
    """
    top = problem.replace(l1=0.0, l2=0.0).l1_max()
    fractions = np.geomspace(1.0, depth, values)
    coefs, worst = [], 0.0
    for fraction in fractions:
        at = problem.replace(l1=top * float(fraction), l2=0.0)
        solution = solve(at, None, Stop(tol=1e-10))
        gap = certify(at, solution.coef, solution.intercept).gap_rel
        worst = max(worst, math.inf if gap is None else gap)
        coefs.append(solution.coef)
    table = np.array(coefs)  # (values, p)
    with mpl.rc_context(STYLE):
        figure = _canvas(7.6, 4.0, left=0.75, right=0.3, bottom=0.65, top=0.55)
        axis = figure.subplots()
        shown = np.flatnonzero(np.any(table != 0, axis=0))
        _label_lines(axis, shown, fractions, table)
        axis.set_xscale("log")
        axis.set_xlim(1.0, depth * 0.72)
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.axhline(0, color="#777777", linewidth=0.8)
        axis.set_ylabel("coefficient")
        _titles(figure, f"{title}: lasso path", "l1 / l1_max")
    return figure, worst


def _label_lines(axis: Any, shown: NDArray[Any], fractions: NDArray[Any], table: NDArray[Any]) -> None:
    """Draw a line for each feature; name the largest ones at their ends, apart from one another."""
    ends = table[-1, shown]
    span = float(np.ptp(table)) or 1.0
    largest = set(np.argsort(-np.abs(ends))[:12])
    last = math.inf
    for rank, k in enumerate(np.argsort(-ends)):
        colour = COLOURS[rank % len(COLOURS)]
        line = table[:, shown[k]]
        idle = (line == 0) & (np.append(line[1:], 0) == 0) & (np.append(0, line[:-1]) == 0)
        axis.plot(fractions, np.where(idle, np.nan, line), color=colour, linewidth=1.3)
        if k in largest:
            height = min(float(ends[k]), last - 0.045 * span)
            last = height
            axis.text(fractions[-1] * 0.96, height, f"x{shown[k]}", color=colour, fontsize=8, va="center")
