"""What a report says and in which order, in no form yet: html.py and markdown.py print the same sections.

Brief by intent: what is too long for a page (every answer of every solver) is in the numbers beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bench.report import tables, words
from bench.report.accuracy import accuracy_table, meaning_table
from bench.report.budget import budget_table
from bench.report.charts import Chart
from bench.report.defaults import defaults_says, defaults_table
from bench.report.floor import floor_says, floor_table
from bench.report.honesty import honesty_table, success_table
from bench.report.jobs import cv_table, paths_table
from bench.report.matrix import matrix_table, means_table
from bench.report.model import Report
from bench.report.paths import paths
from bench.report.profiles import curves, precisions, profiles
from bench.report.scaling import drawn, ladders, scaling_table
from bench.report.tables import Table

__all__ = ["Section", "sections"]


@dataclass
class Section:
    """A heading and what stands under it.

    Attributes
    ----------
    key : str
        Unique; a link can point at it.
    says : list of str
        Sentences, before the rest.
    charts : dict of str to list of Chart
        By the title of the group; one picture each in the Markdown twin.
    tables : list of Table
    points : list of str
        A list of remarks, after the rest.
    """

    key: str
    title: str
    says: list[str] = field(default_factory=list)
    charts: dict[str, list[Chart]] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    points: list[str] = field(default_factory=list)


def sections(report: Report) -> list[Section]:
    """Return everything after the verdict, in the order of reading."""
    makers: list[Callable[[Report], Section]] = [
        _defaults, _accuracy, _solves, _fastest, _curves, _profiles, _pairs, _precision, _rates, _paths,
        _scaling, _noise, _refusals, _again, _settings, _provenance, _left_out, _limitations,
    ]  # fmt: skip
    return [*([_wrong(report)] if report.wrong else []), *(make(report) for make in makers)]


def _wrong(report: Report) -> Section:
    return Section("wrong", "Wrong, where and why", points=words.wrong_lines(report))


def _defaults(report: Report) -> Section:
    table = defaults_table(report)
    return Section(
        "defaults", "Defaults, as documented", defaults_says(report), tables=[table] if table.rows else []
    )


def _accuracy(report: Report) -> Section:
    return Section("accuracy", "Accuracy in words", tables=[meaning_table(report), accuracy_table(report)])


def _solves(report: Report) -> Section:
    return Section(
        "solves", "Who solves what", [words.coverage(report)], tables=[tables.solves_table(report)]
    )


def _fastest(report: Report) -> Section:
    return Section("fastest", "Fastest by regime", tables=[tables.regimes_table(report), means_table(report)])


def _curves(report: Report) -> Section:
    says = (
        "Lower left is better. Each point is a tolerance, the best of the solver's settings; the grey lines "
        "are the accuracies at which times are compared. Ours in long strokes, peers dotted."
    )
    return Section("curves", "Time against accuracy", [says], curves(report))


def _profiles(report: Report) -> Section:
    says = [
        "A line at (r, s): within r times the time of the fastest in a cell, the solver has reached the "
        "accuracy in a share s of the cells. At r = 1: how often it is the fastest; at the right edge: how "
        "often it gets there at all. What it refused or failed counts as not reached.",
        "The flaw of these profiles: the ratio is to the fastest of all, so when one solver leaves, the "
        "order of the others can change (hiding one here changes nothing: the ratios stay those of the run). "
        "Between two solvers believe the pair, below, and not the distance of their lines.",
    ]
    return Section("profiles", "Performance profiles", says, {"": profiles(report)})


def _pairs(report: Report) -> Section:
    return Section("pairs", "Pair by pair", tables=[matrix_table(report, tier) for tier in report.tiers])


def _precision(report: Report) -> Section:
    says = (
        "The time within which a solver has so many correct digits (of the objective, relative to N) in at "
        "least half of the cells, by its best setting and tolerance. A line ends where it gets no further in "
        "half of them."
    )
    return Section("precision", "Digits against time", [says], {"": precisions(report)})


def _rates(report: Report) -> Section:
    return Section("rates", "Success and honesty", tables=[success_table(report), honesty_table(report)])


def _paths(report: Report) -> Section:
    found = list(paths(report))
    drawn = {one.case: [one.chart] for one in found if one.chart is not None}
    none = [] if found else ["The run has no real data."]
    measured = [table for table in (paths_table(report), cv_table(report)) if table.rows]
    points = [one.said for one in found]
    return Section("paths", "Lasso paths", none, drawn, measured, points)


def _scaling(report: Report) -> Section:
    found = ladders(report)
    charts, table = drawn(report, found), scaling_table(report, found)
    says = []
    if not found:
        says = ["This run has no cells that differ in size alone (suite scaling): nothing is fitted."]
    elif not table.rows:
        says = ["No solver has a time at enough sizes for an exponent to be fitted."]
    return Section("scaling", "Growth with size", says, charts, [table] if table.rows else [])


def _noise(report: Report) -> Section:
    found = [floor_table(report)] if report.twins else []
    return Section("noise", "Noise floor", floor_says(report), tables=found)


def _refusals(report: Report) -> Section:
    return Section("refusals", "Refusals and failures", tables=[tables.defects_table(report)])


def _again(report: Report) -> Section:
    says = [
        "The whole run, one cell of it, and the same solvers on a file of yours:",
        *(f"`{line}`" for line in tables.commands(report)),
        "A solver of yours is one function solve(X, y, l1, l2) -> coef: add `--solver module:function`.",
    ]
    return Section("again", "Run it again", says)


def _settings(report: Report) -> Section:
    return Section("settings", "Settings", tables=[tables.settings_table(report)])


def _provenance(report: Report) -> Section:
    return Section("provenance", "Provenance", tables=[tables.provenance_table(report), budget_table(report)])


def _left_out(report: Report) -> Section:
    return Section("left-out", "Left out", points=tables.grouped(report.notes) or ["Nothing."])


def _limitations(report: Report) -> Section:
    return Section("limitations", "Known limitations", points=words.limitations(report))
