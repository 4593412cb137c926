"""`python -m bench performance RECORD`: ours against the best peer of each cell, docs/performance.md."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bench.door import CannotRun, app, end

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "performance.md"


@app.command()
def performance(
    run: Annotated[str | None, typer.Argument(help="Name or path of a record [default: the newest].")] = None,
    paths: Annotated[str | None, typer.Option(help="That of a run of suite paths.")] = None,
    scaling: Annotated[str | None, typer.Option(help="That of a run of suite scaling.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Write docs/performance.md.")] = False,
    results: Annotated[Path | None, typer.Option(help="Folder of the records [default: results/].")] = None,
) -> None:
    """Print our solver's times beside the best peer of each cell, at several accuracies."""
    from bench.growth import growth
    from bench.headline import headline
    from bench.performance import page
    from bench.run import RESULTS, find
    from verification.record import read_counting

    try:
        path = find(run, results or RESULTS)
        found = headline(read_counting(path)[0])
        record = path.stem
        if paths is not None:
            other = find(paths, results or RESULTS)
            found = replace(found, paths=headline(read_counting(other)[0]).paths)
            record += f" --paths {other.stem}"
        grown = None
        if scaling is not None:
            third = find(scaling, results or RESULTS)
            grown = growth(read_counting(third)[0])
            record += f" --scaling {third.stem}"
        text = page(found, record, grown)
    except (FileNotFoundError, ValueError) as error:
        raise CannotRun(str(error)) from error
    if write:
        PAGE.write_text(text, encoding="utf-8")
        end(0, f"written: {PAGE.relative_to(PAGE.parent.parent)}")
    print(text, end="")
    end(0, "all well")
