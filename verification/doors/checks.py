"""`checks`: what a solver is held to, and whether the solvers of the catalogue are."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Annotated

import typer

from ..door import CannotRun, app, end


@app.command()
def checks(
    solvers: Annotated[
        str | None, typer.Option(help="Hold these to the checks, separated by commas, or 'all'.")
    ] = None,
    only: Annotated[str, typer.Option(help="Only checks of this name, e.g. 'right_*'.")] = "*",
    tol: Annotated[float, typer.Option(help="Relative gap that is asked of every solver.")] = 1e-10,
    every_configuration: Annotated[
        bool, typer.Option("--every-configuration", help="All settings of a peer, not its first.")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the list for docs/verification.md.")
    ] = False,
) -> None:
    """List the checks; with --solvers, hold solvers to them and count runs and alarms."""
    from solvers import catalogue

    from ..checks.check import all_checks
    from ..holding import hold, listing, summary
    from ..isolate import Isolated, Spec
    from ..printing import console
    from ..trials import configurations_of

    about = None if solvers is None else "solver"  # those of the judge do not look at one
    chosen = {name: check for name, check in all_checks(about).items() if fnmatch(name, only)}
    if not chosen:
        raise CannotRun(f"no check is called {only!r}; `python -m verification checks` lists them")
    screen = console()
    if solvers is None:
        print(listing(chosen, markdown=markdown))
        end(0, f"all well: {len(chosen)} checks", quiet=markdown)
    entries = catalogue()
    names = list(entries) if solvers == "all" else [name.strip() for name in solvers.split(",")]
    if unknown := [name for name in names if name not in entries]:
        raise CannotRun(f"no solver {unknown[0]!r}; there are: {', '.join(entries)}")
    specs = [
        Spec(name, configuration, tol=tol)
        for name in names
        for configuration in configurations_of(entries[name], every_configuration)
    ]
    held = []
    for spec in specs:
        with Isolated(spec) as process:
            held.append((spec, hold(screen, process, list(chosen))))
    runs, alarms = summary(screen, held)
    words = f"{runs} runs of {len(names)} solvers in {len(chosen)} checks"
    end(1, f"{words}: {alarms} checks failed (why stands above)") if alarms else end(0, f"{words}: no alarm")
