"""`python -m bench calibrate`: how often the rule raises a false alarm, and what slowdowns it finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.door import CannotRun, app, console_of_stdout, end


@app.command()
def calibrate(
    sessions: Annotated[int, typer.Option(min=0, help="Runs to measure now, beside those on record.")] = 0,
    write: Annotated[
        bool, typer.Option("--write", help="Decide on all of them; write the result and docs/method.md.")
    ] = False,
    results: Annotated[
        Path | None, typer.Option(help="Folder of the campaign [default: results/calibration].")
    ] = None,
) -> None:
    """Run solvers beside their twins, some of them slowed, and count what the rule makes of it."""
    from bench.calibrate import file_name, measure_session, result_of
    from bench.calibration_page import PAGE, section, with_section
    from bench.noise import FOLDER
    from bench.sides import Side

    folder = results or FOLDER
    records = sorted((folder / "records").glob("*.jsonl"))
    for number in range(len(records), len(records) + sessions):
        records.append(measure_session(number, folder))
        print(f"session {number + 1}: {records[-1].name}", flush=True)
    if len(records) < 4:
        raise CannotRun(f"{len(records)} sessions on record: halves need at least 4 (--sessions)")
    result = result_of([Side.read(path) for path in records])
    text = section(result)
    console_of_stdout().print(text, markup=False, highlight=False, soft_wrap=True)
    if write:
        target = folder / file_name(result)
        target.write_text(json.dumps(result, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
        PAGE.write_text(with_section(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
        print(f"result: {target}\npage: {PAGE}")
    end(0, f"{result['decisions']} decisions over {len(records)} sessions")
