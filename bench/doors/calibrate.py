"""`python -m bench calibrate`: how often the rule raises a false alarm, and what slowdowns it finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.door import CannotRun, app, console_of_stdout, end


@app.command()
def calibrate(
    sessions: Annotated[
        int,
        typer.Option(min=0, help="Runs of the campaign in all, those on record counted."),
    ] = 0,
    write: Annotated[
        bool, typer.Option("--write", help="Decide on all of them; write the result and docs/method.md.")
    ] = False,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Say instead what other designs are expected to find."),
    ] = False,
    results: Annotated[
        Path | None, typer.Option(help="Folder of the campaign [default: results/calibration].")
    ] = None,
) -> None:
    """Run solvers beside their twins, some of them slowed, and count what the rule makes of it."""
    from bench.calibrate import file_name, measure_session, on_record, result_of
    from bench.calibration_page import PAGE, expected, section, with_section
    from bench.noise import FOLDER
    from bench.sides import Side

    folder = results or FOLDER
    console = console_of_stdout()
    if plan:
        console.print(expected(folder), markup=False, highlight=False, soft_wrap=True)
        end(0, "nothing was measured")
    done = on_record(folder)
    if done and sessions:
        print(f"{len(done)} sessions of this campaign are on record already", flush=True)
    for number in range(sessions):
        if number not in done:
            done[number] = measure_session(number, folder)
            print(f"session {number + 1} of {sessions}: {done[number].name}", flush=True)
    if len(done) < 4:
        raise CannotRun(f"{len(done)} sessions by this code on record: halves need at least 4 (--sessions)")
    result = result_of([Side.read(done[number]) for number in sorted(done)])
    text = section(result)
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    if write:
        target = folder / file_name(result)
        for old in folder.glob("*.json"):
            if json.loads(old.read_text(encoding="utf-8"))["cpu"] == result["cpu"]:
                print(f"replaced: {old}")
                old.unlink()
        target.write_text(json.dumps(result, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
        PAGE.write_text(with_section(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
        print(f"result: {target}\npage: {PAGE}")
    end(0, f"{result['decisions']} decisions over {len(done)} sessions")
