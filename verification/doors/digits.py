"""The command `digits`: how many digits of each solver's answers are correct."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any

import typer

from ..door import CannotRun, app, end
from ..halfway import Halfway

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "digits.md"
PATIENCE = 20.0  # seconds of processor time until a run is killed
COLUMNS = ("cell", "case", "solver", "status", "measure", "why", "least", "median", "false", "missed")


@app.command()
def digits(
    suite: Annotated[str, typer.Option(help="quick, the cells that bench measures.")] = "quick",
    names: Annotated[
        str | None, typer.Option("--solvers", help="Separated by commas [default: all].")
    ] = None,
    cells: Annotated[str | None, typer.Option(help="Only cells of this name; the others' rows stay.")] = None,
    print_only: Annotated[
        bool, typer.Option("--print", help="Run nothing, print what is on record, the page too.")
    ] = False,
) -> None:
    """Count correct digits against the proven optimum; write results/digits/ and docs/digits.md.

    Both are written after each cell; a run that is cut short goes on where it stopped.
    """
    from ..digits_table import by_cell, reference_table, summary_table
    from ..printing import console, progress, text_table

    if suite != "quick":
        raise CannotRun(f"suite is {suite!r}: quick is the only one whose optima are proven")
    path = ROOT / "results" / "digits" / f"{suite}.csv"
    rows = read(path) if path.exists() else []
    screen = console()
    if not print_only:
        chosen, solvers = _chosen(names, cells)
        deque(progress(screen, _run(chosen, solvers, path), len(chosen)), maxlen=0)
        rows = read(path)
    if not rows:
        raise CannotRun(f"{path} is not there: run without --print")
    PAGE.write_text(page(rows), encoding="utf-8")
    for table in (summary_table(rows), reference_table(rows), *by_cell(rows)):
        screen.print(text_table(table.title, table.head, table.rows))
    end(0, f"all well: {sum(row['least'] is not None for row in rows)} answers; {PAGE.relative_to(ROOT)}")


def _chosen(names: str | None, pattern: str | None) -> tuple[list[Any], list[Any]]:
    from solvers import catalogue, entry

    from ..problems.suites import quick

    chosen = [cell for cell in quick() if pattern is None or fnmatch(cell.name, pattern)]
    if not chosen:
        raise CannotRun(f"no cell is called {pattern!r}")
    try:
        return chosen, [entry(name.strip()) for name in (names.split(",") if names else catalogue())]
    except KeyError as error:
        raise CannotRun(str(error.args[0])) from error


def _run(cells: list[Any], solvers: list[Any], path: Path) -> Iterator[dict[str, Any]]:
    """Measure the cells that are not done yet; yield the rows of a cell when they are on record."""
    from ..digits import OPTIMUM, measured
    from ..remote import Remote

    half = Halfway("digits", *(each.name for each in (*solvers, *cells)))
    with Remote(limit=PATIENCE) as remote:

        def answer(cell: Any, solver: Any, problem: Any, stop: Any) -> Any:
            return remote.solve(cell.name, solver.name, stop)

        for cell in cells:
            if cell.name in half.done:
                continue
            found = [row for row in measured([cell], lambda _: solvers, answer) if row["kind"] == "result"]
            fresh = [{key: row.get(key) for key in COLUMNS} for row in found if row["solver"] != OPTIMUM]
            _record(path, fresh)
            half.keep(cell.name, len(fresh))
            yield from fresh
    half.finished()


def _record(path: Path, fresh: list[dict[str, Any]]) -> None:
    """Put rows in the place of the older ones of the same cell and solver, and print the page."""
    renewed = {(row["cell"], row["solver"]) for row in fresh}
    older = read(path) if path.exists() else []
    rows = [*(row for row in older if (row["cell"], row["solver"]) not in renewed), *fresh]
    write(path, sorted(rows, key=_order()))
    PAGE.write_text(page(read(path)), encoding="utf-8")


def _order() -> Any:
    """Cells as the suite lists them, solvers as the catalogue does."""
    from solvers import catalogue

    from ..problems.suites import quick

    cells = {cell.name: i for i, cell in enumerate(quick())}
    solvers = {name: i for i, name in enumerate(catalogue())}
    return lambda row: (cells.get(row["cell"], len(cells)), solvers.get(row["solver"], len(solvers)))


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as CSV, digits with two decimals, None as nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            values = (row[key] for key in COLUMNS)
            writer.writerow("" if x is None else f"{x:.2f}" if isinstance(x, float) else x for x in values)


def read(path: Path) -> list[dict[str, Any]]:
    """Read the rows that ``write`` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        rows: list[dict[str, Any]] = [dict(row) for row in csv.DictReader(file)]
    for row in rows:
        for key, kind in (("least", float), ("median", float), ("false", int), ("missed", int)):
            row[key] = kind(row[key]) if row[key] else None
        row["measure"], row["why"] = row["measure"] or None, row["why"] if row["measure"] else None
    return rows


def page(rows: list[dict[str, Any]]) -> str:
    """Return docs/digits.md."""
    from ..campaigns import kept
    from ..digits import CAP, ITERATIONS, TOL, WORK
    from ..digits_table import FULL, by_cell, markdown, nist_table, reference_table, references, summary_table

    why = references(rows)
    tables: list[str] = []
    for table in by_cell(rows):
        tables += [f"### {table.title}", "", markdown(table), ""]
    words: Mapping[str, object] = {
        "cells": len(why), "proven": sum(not reason for reason in why.values()), "cap": f"{CAP:g}",
        "tol": f"{TOL:g}", "least": ITERATIONS[0], "most": ITERATIONS[1], "work": f"{WORK:.0e}",
        "limit": f"{PATIENCE:g}", "full": f"{FULL:g}",
        "nist": markdown(nist_table({k: v for part in kept("nist").values() for k, v in part.lines.items()})),
        "summary": markdown(summary_table(rows)),
        "references": markdown(reference_table(rows)), "tables": "\n".join(tables).rstrip(),
    }  # fmt: skip
    return TEXT.format(**words)


TEXT = """# Correct digits

Printed by `python -m verification digits` from its own run, results/digits/quick.csv. One thread, the first
configuration of each solver, tol {tol}, and from {least} to {most} iterations, as many as go through {work}
entries of X; a run that takes more than {limit} s of processor time is killed.

The reference is no other solver's opinion: the optimum is proven in ball arithmetic or rationals
([proofs](proofs.md), EXACT), here on {proven} of {cells} cells. Digits of a coefficient are -log10 of its
relative error, as in NIST's StRD, at most {cap}; a true zero counts in full if it is returned as 0, else
-log10(|w_j| / max |w*|). The intercept counts too, its error relative to the larger of |b*| and the largest
fitted value.

- *worst* and *median*: of the coefficients of one answer. First table: medians over proven cells.
- *exact*: cells where even the worst coefficient has {full} digits.
- *false*, *missed*: coefficients that are not zero and should be, and the other way round (+k, -k below).

{summary}

## NIST's reference data

The proven optimum of each problem of StRD, twice: through rational columns from the published decimals, and
through the float64 columns that every solver is given. Where the two differ (Filip's powers up to x^10), no
solver has more digits of NIST's than the second figure, though it solve its own problem to the last digit.
Recorded by `python -m verification campaign nist`.

{nist}

## Where the coefficients are not proven

{references}

## Cell by cell

Worst / median digits; in brackets, those of the objective.

{tables}
"""
