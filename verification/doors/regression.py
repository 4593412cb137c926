"""The commands `regress` and `baseline`: has any answer become worse."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any

import typer

from solvers import Status

from ..door import CannotRun, app, end
from ..halfway import Halfway

LONGEST = 3.0  # seconds of processor time; a pair that takes longer twice is left out of a new baseline
PATIENCE = 15.0  # of the same, compiling included, until a run is killed in making one

Names = Annotated[str | None, typer.Option("--solvers", help="Names separated by commas [default: all].")]
Cells = Annotated[str | None, typer.Option(help="Only cells of this name, e.g. 'known/*'.")]
File = Annotated[Path | None, typer.Option("--file", help="Another file than the committed one.")]


@app.command()
def regress(names: Names = None, cells: Cells = None, file: File = None) -> None:
    """Compare verdicts, claims and correct digits with the baseline; exit 1 if any became worse."""
    from ..checks.regression import BASELINE, compare, entries, read, shown
    from ..printing import console, progress
    from ..remote import Remote

    try:
        before = read(file or BASELINE)
    except (OSError, ValueError) as error:
        raise CannotRun(f"no baseline: {error}; `make baseline` makes one") from error
    screen = console()
    chosen, solvers = _chosen(names, cells)
    with Remote(portable=True) as remote:
        found = _rows(chosen, solvers, before.left_out(), remote.solve)
        rows = list(progress(screen, found, len(chosen)))
    asked = {(cell.name, solver.name) for cell in chosen for solver in solvers}
    if names is None and cells is None:
        asked |= {e.key for e in before.entries}  # whatever is gone, a solver or a cell
    changes = compare(before, entries(rows), _absent(rows), asked)
    for change in shown(changes):
        screen.print(change, markup=False, emoji=False, highlight=False, soft_wrap=True)
    compared = sum(row.get("least") is not None for row in rows)
    worse = sum(change.kind.fails for change in changes)
    if not compared:
        end(2, "could not run: nothing was compared")
    if worse:
        end(1, f"{worse} of {compared} answers became worse (why stands above)")
    end(0, f"all well: {compared} answers, none worse than in the baseline")


@app.command()
def baseline(names: Names = None, cells: Cells = None, file: File = None) -> None:
    """Renew the baseline, or the rows of some solvers and cells in it; goes on where it stopped."""
    from ..checks.regression import BASELINE, LEFT_OUT, Baseline, Entry, read, written
    from ..environment import versions
    from ..printing import console, progress
    from ..remote import Remote

    path = file or BASELINE
    chosen, solvers = _chosen(names, cells)
    half = Halfway("baseline", str(path), *(each.name for each in (*solvers, *chosen)))
    with Remote(limit=PATIENCE, portable=True) as remote:
        deque(progress(console(), _anew(chosen, solvers, remote, half), len(chosen)), maxlen=0)
    found = {e.key: e for e in (Entry(**told) for cell in chosen for told in half.done[cell.name])}
    asked = {(cell.name, solver.name) for cell in chosen for solver in solvers}
    kept = {e.key: e for e in read(path).entries if e.key not in asked} if path.exists() else {}
    if names is None and cells is None:
        kept = {}
    packages = {solver.package for solver in solvers if solver.package} | {"numpy", "scipy", "numba", "cvxpy"}
    installed = {name: version for name, version in versions(sorted(packages)).items() if version}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written(Baseline(tuple((kept | found).values()), installed)), encoding="utf-8")
    half.finished()
    slow_ones = sum(e.outcome == LEFT_OUT for e in found.values())
    end(0, f"all well: {len(found)} rows written, {len(kept)} kept, {slow_ones} of them left out as slow")


def _anew(cells: list[Any], solvers: list[Any], remote: Any, half: Halfway) -> Iterator[dict[str, Any]]:
    """Measure each cell that is not done; keep its entries; yield its rows."""
    from ..checks.regression import entries, left_out

    for cell in cells:
        if cell.name not in half.done:
            slow: set[tuple[str, str]] = set()
            rows = list(_rows([cell], solvers, set(), _timed(remote, slow)))
            half.keep(cell.name, [asdict(e) for e in [*entries(rows), *left_out(rows, slow)]])
            yield from rows


def _timed(remote: Any, slow: set[tuple[str, str]]) -> Any:
    """Ask twice where the first time took long; note what took long twice, or was killed."""

    def solve(cell: str, solver: str, stop: Any) -> Any:
        for _ in range(2):  # the first run may compile
            found = remote.solve(cell, solver, stop)
            if remote.seconds < LONGEST:
                return found
            if found.status is Status.KILLED:
                break
        slow.add((cell, solver))
        return found

    return solve


def _rows(
    cells: list[Any], solvers: list[Any], skipped: set[tuple[str, str]], solve: Any
) -> Iterator[dict[str, Any]]:
    from ..digits import measured

    return measured(
        cells,
        lambda cell: [entry for entry in solvers if (cell.name, entry.name) not in skipped],
        lambda cell, entry, problem, stop: solve(cell.name, entry.name, stop),
    )


def _absent(rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return why a cell or a solver could not be tried here."""
    found = {row["cell"]: row["message"] for row in rows if row["kind"] == "note"}
    return found | {row["solver"]: row["message"] for row in rows if row.get("status") == "MISSING"}


def _chosen(names: str | None, pattern: str | None) -> tuple[list[Any], list[Any]]:
    from solvers import catalogue, entry

    from ..problems.suites import regression

    found = [cell for cell in regression() if pattern is None or fnmatch(cell.name, pattern)]
    if not found:
        raise CannotRun(f"no cell is called {pattern!r}")
    try:
        return found, [entry(name.strip()) for name in (names.split(",") if names else catalogue())]
    except KeyError as error:
        raise CannotRun(str(error.args[0])) from error
