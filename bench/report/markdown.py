"""The report as Markdown with figures beside it: one folder, readable without a network."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.report import plots, tables, words
from bench.report.model import Report
from bench.report.tables import Table
from solvers import Problem
from verification.problems import CaseMissing, lookup

__all__ = ["write"]

PATH_CASE = "diabetes"  # real, and few enough features for a picture of its path


def escape(text: str) -> str:
    """Return text as it is to be read: what users and libraries name or say must not become markup."""
    for letter, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(letter, safe)
    return " ".join("".join(f"\\{letter}" if letter in "|*`_[]" else letter for letter in text).split())


def _table(table: Table) -> list[str]:
    lines = [f"## {escape(table.title)}", "", escape(table.caption), ""]
    if not table.rows:
        return [*lines, "None.", ""]
    lines.append("| " + " | ".join(map(escape, table.columns)) + " |")
    lines.append("|" + " --- |" * len(table.columns))
    lines += ["| " + " | ".join(map(escape, row)) + " |" for row in table.rows]
    return [*lines, ""]


def _figures(report: Report, folder: Path) -> list[str]:
    lines: list[str] = []
    overview = plots.distances(report)
    if overview is not None:
        plots.save(overview, folder / "distances.svg")
        lines += ["![Time over that of the fastest, by solver and cell](distances.svg)", ""]
    lines += ["## Time against proven accuracy", ""]
    lines += [
        "Lower left is better: each point is a tolerance, the best of the solver's settings; grey lines are",
        "the accuracies at which times are compared. Solid lines are ours, dashed ones are peers.",
        "",
    ]
    for case in dict.fromkeys(cell.case for cell in report.cells.values()):
        figure = plots.curves(report, case)
        if figure is not None:
            name = f"curves-{plots.slug(case)}.svg"
            plots.save(figure, folder / name)
            lines += [f"![{escape(case)}: time against proven accuracy]({name})", ""]
    return lines + _path(report, folder)


def _path(report: Report, folder: Path) -> list[str]:
    if all(cell.case != PATH_CASE for cell in report.cells.values()):
        return []
    try:
        data = lookup(PATH_CASE).load()
    except CaseMissing as error:
        return ["## A lasso path", "", f"Not drawn: {escape(str(error))}", ""]
    try:
        figure, worst = plots.path(Problem(data.X, data.y, intercept=True, name=PATH_CASE), PATH_CASE)
    except Exception as error:  # a solver that fails must not take the report with it
        return ["## A lasso path", "", f"Not drawn: {escape(f'{type(error).__name__}: {error}')}", ""]
    plots.save(figure, folder / "path.svg")
    proof = f"The largest self-certified gap on the path is {words.number(worst)} N."
    return ["## A lasso path", "", proof, "", f"![Lasso path of {PATH_CASE}](path.svg)", ""]


def write(report: Report, folder: Path) -> Path:
    """Write report.md and its figures.

    Parameters
    ----------
    report : Report
    folder : path
        Made anew: what an earlier report of the same run left there is removed.

    Returns
    -------
    path
        Of report.md.
    """
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    lines = [f"# {escape(report.head['suite'])}: time at the same proven accuracy", ""]
    lines += [f"- {'**' if 'WRONG' in line else ''}{escape(line)}{'**' if 'WRONG' in line else ''}"
              for line in words.verdict(report)]  # fmt: skip
    lines += ["", f"Accuracy is {escape(words.MEASURE)}; times are setup + run, cold starts.", ""]
    figures = _figures(report, folder)
    wrong = words.wrong_lines(report)
    if wrong:
        lines += ["## Wrong", "", *(f"- {escape(line)}" for line in wrong), ""]
    lines += _table(tables.regimes_table(report))
    lines += figures
    lines += _table(tables.solves_table(report))
    for tier in report.tiers:
        lines += _table(tables.times_table(report, tier))
    for table in (tables.defects_table, tables.settings_table, tables.cells_table, tables.provenance_table):
        lines += _table(table(report))
    lines += ["## What was left out", "", *(f"- {escape(note)}" for note in report.notes or ["Nothing."]), ""]
    lines += ["## Known limitations", "", *(f"- {escape(line)}" for line in words.limitations(report)), ""]
    target = folder / "report.md"
    target.write_text("\n".join(lines), encoding="utf-8")
    return target
