"""Figures as SVG: the charts of a report, several side by side, and each solver's distance to the fastest."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from bench.report.charts import Axis, Chart
from bench.report.looks import Look, looks
from bench.report.model import Report
from bench.report.pairwise import median_ratio, ratio_to_fastest
from bench.report.words import WANTED, duration, number

__all__ = ["distances", "panels", "save", "slug"]

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
LINE = 0.19  # inches of a legend's line
DOT: dict[str, Any] = {"markersize": 4.5, "markeredgewidth": 0}
PANELS = 3  # side by side
SPELT: dict[str, Callable[[float], str]] = {
    "seconds": duration,
    "accuracy": number,
    "ratio": lambda value: f"{value:g}x",
    "share": lambda value: f"{100 * value:.0f} %",
    "digits": lambda value: f"{value:g}",
    "count": lambda value: f"{value:,.0f}",
    "": lambda value: f"{value:g}",
}


def slug(name: str) -> str:
    """Return a name that can be a file's."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)


def save(figure: Figure, target: Path) -> Path:
    """Write a figure as SVG; the suffix .png is there for looking at it."""
    with mpl.rc_context(STYLE):
        undated = {"Date": None} if target.suffix == ".svg" else {}
        figure.savefig(target, dpi=110, metadata=undated)
    return target


def _style(look: Look) -> dict[str, Any]:
    return {
        "color": look.colour,
        "marker": look.marker,
        "linestyle": (0, tuple(length / 1.4 for length in look.dashes)) if look.dashes else "-",
        "markersize": 4.5,
        "linewidth": 1.4,
    }


def _styles(report: Report) -> dict[str, dict[str, Any]]:
    """How each solver is drawn, for matplotlib."""
    found = looks((solver.name, solver.own) for solver in report.solvers.values())
    return {name: _style(look) for name, look in found.items()}


def panels(report: Report, title: str, charts: Sequence[Chart]) -> Figure:
    """Draw charts that share their axes' meaning, each in a panel, with one legend.

    Parameters
    ----------
    report : Report
    title : str
        Over all of them; each panel has its chart's own.
    charts : sequence of Chart
        One at least.
    """
    styles = _styles(report)
    columns = min(PANELS, len(charts))
    lines = math.ceil(len(charts) / columns)
    legend = _legend_of(charts, styles)
    with mpl.rc_context(STYLE):
        height = max(2.8 * lines + 0.9, LINE * len(legend) + 0.3)
        figure = _canvas(3.3 * columns + 3.5, height, left=0.95, right=2.55, bottom=0.6, top=0.7)
        axes = figure.subplots(lines, columns, squeeze=False, sharey=True)
        for axis, chart in zip(axes.flat, charts, strict=False):
            _panel(axis, chart, title, styles)
        for axis in axes.flat[len(charts) :]:
            axis.set_visible(False)
        _titles(figure, title, charts[0].x.label)
        figure.text(0.15 / figure.get_figwidth(), 0.5, charts[0].y.label, rotation=90, va="center")
        _legend(figure, legend)
    return figure


def _legend_of(charts: Sequence[Chart], styles: Mapping[str, dict[str, Any]]) -> list[Line2D]:
    """Return a handle for each solver that is drawn, and for each other line that has a colour of its own."""
    present = {line.name: line for chart in charts for line in chart.lines}
    handles = [Line2D([], [], label=name, **style) for name, style in styles.items() if name in present]
    named = [line for name, line in present.items() if name not in styles and line.named]
    return handles + [Line2D([], [], label=line.name, color=line.colour, linewidth=1.3) for line in named]


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


def _panel(axis: Any, chart: Chart, title: str, styles: Mapping[str, dict[str, Any]]) -> None:
    for height in chart.marks:
        axis.axhline(height, color="#bbbbbb", linewidth=0.8, zorder=0.5)
    for line in chart.lines:
        style = styles.get(line.name) or {"color": line.colour, "linewidth": 1.3 if line.named else 0.6}
        if chart.steps:
            axis.step(line.x, line.y, where="post", **style | {"marker": ""}, alpha=0.9)
        else:
            axis.plot(line.x, line.y, **style, alpha=0.9)
    axis.set_title("" if chart.title == title else chart.title.removeprefix(f"{title}/"), fontsize=8.5)
    _scale(axis, "x", chart.x)
    _scale(axis, "y", chart.y)
    axis.minorticks_off()


def _scale(axis: Any, which: str, said: Axis) -> None:
    """Scale one axis and spell its ticks."""
    if said.log:
        axis.set(**{f"{which}scale": "log"})
    if said.reverse:
        getattr(axis, f"invert_{which}axis")()
    spelt = SPELT[said.unit]
    if said.log:
        _ticks(axis, which, spelt)
    else:
        getattr(axis, f"{which}axis").set_major_formatter(lambda value, _: spelt(value))


def _ticks(axis: Any, which: str, spell: Callable[[float], str]) -> None:
    """Label a logarithmic axis: its powers of ten, or 1, 2 and 5 of them where there are fewer than two."""
    low, high = sorted(getattr(axis, f"get_{which}lim")())
    powers = math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1
    drawn = getattr(axis, f"{which}axis")
    drawn.set_major_locator(LogLocator(subs=(1.0,) if powers >= 2 else (1.0, 2.0, 5.0)))
    drawn.set_major_formatter(lambda value, _: spell(value))


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
        _ticks(axis, "x", lambda value: f"{value:g}x")
        axis.grid(axis="y", visible=False)
        title = f"Time to a proven suboptimality of {number(tier)} (in brackets: cells solved)"
        _titles(figure, title, "time over that of the fastest in the cell; the bar is the median")
        dots = [(name, *REGIMES[name]) for name in regimes]
        _legend(figure, [Line2D([], [], linestyle="", marker=m, color=c, label=n, **DOT) for n, c, m in dots])
    return figure
