"""`python -m bench choose RECORD --write`: prints which solver for what, or writes it into docs/choose.md."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.door import CannotRun, app, end

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "choose.md"


@app.command()
def choose(
    run: Annotated[str | None, typer.Argument(help="Name or path of a record [default: the newest].")] = None,
    write: Annotated[bool, typer.Option("--write", help="Put it into docs/choose.md.")] = False,
    results: Annotated[Path | None, typer.Option(help="Folder of the records [default: results/].")] = None,
) -> None:
    """Say from a record which solver is fastest for what, and what each refuses."""
    from bench.report import read_report
    from bench.report.choose import choice, placed
    from bench.run import RESULTS, find

    try:
        record = find(run, results or RESULTS)
    except FileNotFoundError as error:
        raise CannotRun(str(error)) from error
    text = choice(read_report(record))
    if not write:
        print(text)
        end(0, f"printed from {record.name}")
    PAGE.write_text(placed(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    end(0, f"{PAGE.name} printed from {record.name}")
