"""`python -m bench compare A B`: what became slower, larger or less accurate between two records."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bench.door import CannotRun, app, console_of_stdout, end

Anchor = Annotated[
    str | None, typer.Option(help="Solver that times are ratios to [default: the same code, most times].")
]
Anyway = Annotated[
    bool, typer.Option("--anyway", help="Compare although machine or settings differ; they are shown.")
]
Results = Annotated[Path | None, typer.Option(help="Folder of the records [default: results/].")]


@app.command()
def compare(
    first: Annotated[str, typer.Argument(help="Name or path of the record to compare with.")],
    second: Annotated[str, typer.Argument(help="Name or path of the record to be judged.")],
    anchor: Anchor = None,
    anyway: Anyway = False,
    results: Results = None,
) -> None:
    """Say what became slower, larger or less accurate from the first record to the second."""
    told(_find(first, results), _find(second, results), anchor, anyway)


@app.command()
def regress(
    baseline: Annotated[str, typer.Argument(help="Name or path of the record of a version that was well.")],
    run: Annotated[str | None, typer.Argument(help="Record to be judged [default: measured now].")] = None,
    budget: Annotated[float | None, typer.Option(help="Seconds [default: the baseline's].")] = None,
    anchor: Anchor = None,
    anyway: Anyway = False,
    results: Results = None,
) -> None:
    """Measure again what a baseline measured, and say what became slower, larger or less accurate."""
    path = _find(baseline, results)
    told(path, _again(path, budget, results) if run is None else _find(run, results), anchor, anyway)


def _find(name: str, results: Path | None) -> Path:
    from bench.run import RESULTS, find

    try:
        return find(name, results or RESULTS)
    except FileNotFoundError as error:
        raise CannotRun(str(error)) from error


def _again(baseline: Path, budget: float | None, results: Path | None) -> Path:
    """Measure what the head of a record says; return the new record."""
    from bench.progress import Screen
    from bench.run import RESULTS, measure
    from bench.suites import repeated
    from verification.record import read

    head = next((row for row in read(baseline) if row["kind"] == "run"), None)
    if head is None:
        raise CannotRun(f"{baseline} has no run row: it was cut at the very beginning, or is no record")
    sys.path.insert(0, os.getcwd())  # where a user's own module:function lives
    suite, cells = repeated(head)
    with Screen(console_of_stdout()) as screen:
        return measure(
            suite,
            cells,
            head["solvers"],
            budget=budget or head["budget"],
            seed=head["seed"],
            data=head["data"],
            results=results or RESULTS,
            events=screen,
            threads=head["threads"],
        )


def told(first: Path, second: Path, anchor: str | None, anyway: bool) -> NoReturn:
    """Compare two records, print what came of it, and leave with the verdict."""
    from bench.changes import changes_table, said
    from bench.compare import compare as compared
    from bench.report.terminal import print_table
    from bench.sides import Side, unlike

    console = console_of_stdout()
    try:
        a, b = Side.read(first), Side.read(second)
        differ = unlike(a, b)
        for line in differ:
            console.print(f"not the same: {line}", style="yellow", markup=False, highlight=False)
        if differ and not anyway:
            raise CannotRun(f"{first.stem} and {second.stem} are not comparable (above); --anyway shows them")
        found = compared(a, b, anchor)
    except ValueError as error:
        raise CannotRun(str(error)) from error
    print_table(console, changes_table(found))
    for line in said(found):
        console.print(f"- {line}", markup=False, highlight=False)
    if found.guilty:
        end(1, f"worse than {first.stem}: {', '.join(found.guilty)}")
    end(0, f"all well: nothing is slower, larger or less accurate than in {first.stem}, as far as is shown")
