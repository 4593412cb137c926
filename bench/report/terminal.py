"""The report on a terminal: the verdict in words, then the tables."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from bench.report import jobs, tables, words
from bench.report.model import Report
from bench.report.tables import Table

__all__ = ["print_table", "show"]

STYLES = {
    "WRONG": "bold red",
    "FAILED": "red",
    "CRASHED": "red",
    "KILLED": "red",
    "MEMORY": "red",
    "no time": "red",
    "refused": "dim",
    "missing": "dim",
    "nobody": "dim",
    "undecided": "yellow",
    "missed": "yellow",
    "not run": "dim",
}


def _cell(text: str) -> Text:
    return Text(text, style=next((style for word, style in STYLES.items() if text.startswith(word)), ""))


def _grid(table: Table, columns: list[int]) -> Grid:
    grid = Grid(title=table.title, caption=table.caption, box=box.SIMPLE_HEAD, title_justify="left",
                caption_justify="left", title_style="bold", pad_edge=False)  # fmt: skip
    for k in columns:
        grid.add_column(table.columns[k], overflow="fold", no_wrap=False)
    for row in table.rows:
        grid.add_row(*(_cell(row[k]) for k in columns))
    return grid


def print_table(console: Console, table: Table, first: int = 1) -> None:
    """Print a table; one that is too wide is cut into several, each with its first column."""
    widths = [
        max(len(table.columns[k]), *(len(row[k]) for row in table.rows)) + 2 if table.rows else 0
        for k in range(len(table.columns))
    ]
    part: list[int] = []
    room = console.width - widths[0]
    for k in range(first, len(table.columns)):
        if part and sum(widths[j] for j in part) + widths[k] > room:
            console.print(_grid(table, [0, *part]))
            part = []
        part.append(k)
    console.print(_grid(table, [0, *part]))


def show(report: Report, console: Console) -> None:
    """Print a report."""
    lines = words.verdict(report)
    style = "red" if report.wrong else "green"
    body = Text()
    for line in lines:
        body.append("• ", style=style)
        body.append(line + "\n", style="bold red" if "WRONG" in line else "")
    body.append(f"Accuracy is {words.MEASURE}; times are setup + run.", style="dim")
    console.print(Panel(body, title="Verdict", border_style=style, title_align="left"))
    console.print(_grid(tables.regimes_table(report), list(range(8))))
    print_table(console, tables.solves_table(report))
    print_table(console, tables.times_table(report))
    for table in (jobs.paths_table(report), jobs.cv_table(report)):
        if table.rows:
            print_table(console, table)
    defects = tables.defects_table(report)
    if defects.rows:
        console.print(_grid(defects, list(range(5))))
    console.print(_grid(tables.settings_table(report), list(range(7))))
    for line in words.wrong_lines(report):
        console.print(line, style="bold red", markup=False, highlight=False)
