"""`python -m verification faults`: the kill matrix of the planted faults."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ..door import CannotRun, app, end

RESULTS = Path("results/faults")
PAGE = Path("docs/faults.md")


@app.command()
def faults(
    only: Annotated[str | None, typer.Option(help="Faults separated by commas; writes nothing.")] = None,
    workers: Annotated[int, typer.Option(help="Processes at a time [default: the cores].")] = 0,
) -> None:
    """Run every planted fault against every check; write results/faults/ and docs/faults.md."""
    from ..checks.faults import faults as planted
    from ..checks.faults import matrix, page

    chosen = list(planted()) if only is None else [name.strip() for name in only.split(",")]
    unknown = sorted(set(chosen) - set(planted()))
    if unknown:
        raise CannotRun(f"no fault is called {unknown[0]!r}; there are: {', '.join(planted())}")
    honest = matrix.honest() if only is None else [matrix.HONEST]
    found: dict[str, Any] = {}
    workers = workers or os.cpu_count() or 1
    for row in matrix.rows([*honest, *chosen], workers):
        found[row.name] = row
        _say(row, len(found), len(honest) + len(chosen))
    killed = {name: found[name] for name in chosen}
    good = {name: found[name] for name in honest}
    if only is None:
        matrix.write(RESULTS / "matrix.csv", killed.values())
        matrix.write(RESULTS / "honest.csv", good.values())
        PAGE.write_text(page.markdown(killed, good), encoding="utf-8")
    wrong = matrix.verdicts(killed, good, every_check=only is None)
    for words in wrong:
        print(words)
    if wrong:
        end(1, f"{len(wrong)} verdict(s) against faults, checks or honest solvers: see above")
    runs = sum(row.answers for row in good.values())
    alarms = f"; {runs} honest runs without an alarm" if good else ""
    end(0, f"all well: {len(killed)} of {len(killed)} faults killed by the check named for them{alarms}")


def _say(row: Any, done: int, of: int) -> None:
    slowest = max(row.seconds, key=row.seconds.get)
    took = f"{sum(row.seconds.values()):.0f} s, {slowest} {row.seconds[slowest]:.1f} s"
    print(
        f"{done}/{of} {row.name}: {len(row.killers)} of {len(row.marks)} checks do not hold ({took})",
        flush=True,
    )
