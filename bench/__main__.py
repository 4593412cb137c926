"""The door: `python -m bench run` measures and reports, `python -m bench report` prints a record again.

Exit codes: 0 all well; 1 a verdict against one of our solvers; 2 could not run, an uncaught exception
included.  The last line says which, in words.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

import bench.doors  # noqa: F401 registers the further commands
from bench.door import CannotRun, app, console_of_stdout, end, main

Results = Annotated[Path | None, typer.Option(help="Folder for records and reports [default: results/].")]


@app.command()
def run(
    suite: Annotated[str, typer.Option(help="smoke, quick or full.")] = "quick",
    solvers: Annotated[str | None, typer.Option(help="Names separated by commas [default: all].")] = None,
    solver: Annotated[
        list[str] | None, typer.Option(help="Your own, module:function, beside the others; may be repeated.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Your own data (.csv .npy .npz .svm .libsvm .mtx, .gz) in place of the suite's."),
    ] = None,
    twin: Annotated[
        str | None, typer.Option(help="Run these (names separated by commas) a second time, for the noise.")
    ] = None,
    cells: Annotated[str | None, typer.Option(help="Only cells of this name, e.g. 'nci60/lasso/*'.")] = None,
    budget: Annotated[
        float | None, typer.Option(help="Seconds for everything [default: the suite's].")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the order of the runs.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Of each solver's numerical libraries.")] = 1,
    memory: Annotated[
        float | None, typer.Option(min=0.1, help="GB that a solver may hold [default: half the machine's].")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Of one measurement at most [default: what the budget allows].")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew even where the same run was cut short.")
    ] = False,
    reuse: Annotated[
        str | None,
        typer.Option(help="Take cells over from this record ('auto': any) where nothing differs."),
    ] = None,
    results: Results = None,
    strict: Annotated[bool, typer.Option(help="Exit 1 on a verdict against any solver.")] = False,
) -> None:
    """Time solvers at the same proven accuracy, judge every answer, and print the report."""
    from bench.progress import Screen
    from bench.run import RESULTS, measure, solver_names
    from bench.suites import cells_of
    from bench.twins import twin_names
    from verification.environment import cores_allowed

    if threads > cores_allowed():
        raise CannotRun(f"{threads} threads on {cores_allowed()} cores would measure their waiting")
    sys.path.insert(0, os.getcwd())  # where a user's own module:function lives
    console = console_of_stdout()
    folder = results or RESULTS
    try:
        chosen, wanted = cells_of(suite, None if data is None else str(data), cells)
        names = solver_names(solvers, [*(solver or ()), *twin_names(twin)])
    except (ValueError, KeyError) as error:
        raise CannotRun(error.args[0]) from error
    console.print(
        f"[bold]{chosen.name}[/]: {len(wanted)} cells, {len(names)} solvers, "
        f"budget {budget or chosen.budget:g} s ({chosen.summary})"
    )

    def named(name: str, known: int) -> None:
        console.print(f"record: {folder / 'records' / name}.jsonl", highlight=False)
        if known:
            console.print(f"continued: {known} measurements are on record already (--fresh begins anew)")

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # workers are ended, scratch is removed
    try:
        with Screen(console) as screen:
            path = measure(
                chosen,
                wanted,
                names,
                budget=budget,
                seed=seed,
                data=None if data is None else str(data),
                results=folder,
                events=screen,
                named=named,
                fresh=fresh,
                report=True,
                threads=threads,
                reuse=reuse,
                **({} if memory is None else {"memory": int(memory * 1e9)}),
                **({} if rounds is None else {"most_repeats": rounds}),
            )
    except ValueError as error:
        if reuse is None:
            raise
        raise CannotRun(str(error)) from error
    except KeyboardInterrupt:
        end(2, "interrupted; what was measured is on record, and the same command continues")
    finish(path, folder, strict, measured=True)


@app.command()
def report(
    run: Annotated[str | None, typer.Argument(help="Name or path of a record [default: the newest].")] = None,
    results: Results = None,
    strict: Annotated[bool, typer.Option(help="Exit 1 on a verdict against any solver.")] = False,
    publish: Annotated[
        str | None, typer.Option(help="Write it into reports/published-NAME too, to be committed.")
    ] = None,
) -> None:
    """Judge a record again and print its report."""
    from bench.run import RESULTS, find

    folder = results or RESULTS
    try:
        path = find(run, folder)
    except FileNotFoundError as error:
        raise CannotRun(str(error)) from error
    finish(path, folder, strict, published=publish)


def finish(
    path: Path, results: Path, strict: bool, measured: bool = False, published: str | None = None
) -> NoReturn:
    """Write the report and the replay of a record, print it, and leave with its verdict."""
    from bench.replay import write_json
    from bench.report import read_report
    from bench.report.terminal import show
    from bench.report.write import publish, write
    from bench.run import reported

    told = read_report(path)
    console = console_of_stdout()
    show(told, console)
    written = write(told, results / "reports" / path.stem)
    replay = write_json(path, results)
    if measured:
        reported(path, written.html)
    console.print(
        f"report: {written.html}\n        {written.markdown}\nrounds: {replay}\nrecord: {path}",
        highlight=False,
        soft_wrap=True,
    )
    if published is not None:
        said = publish(written, results / "reports" / f"published-{published}")
        console.print(said, highlight=False, soft_wrap=True)
    guilty = (
        told.wrong if strict else {name: why for name, why in told.wrong.items() if told.solvers[name].own}
    )
    if guilty:
        end(1, f"WRONG: {', '.join(sorted(guilty))} (the report says why)")
    peers = f"; WRONG among the peers: {', '.join(sorted(told.wrong))}" if told.wrong else ""
    end(0, f"all well: no wrong claim by any solver of ours{peers}")


if __name__ == "__main__":
    main()
