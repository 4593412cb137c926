"""`python -m verification faults`: the kill matrix of the planted faults."""

from __future__ import annotations

import math
import os
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer

from ..door import CannotRun, app, end

RESULTS = Path("results/faults")
PAGE = Path("docs/faults.md")
JOURNAL = Path(".cache/faults/journal.jsonl")


@app.command()
def faults(
    only: Annotated[str | None, typer.Option(help="Faults separated by commas; writes nothing.")] = None,
    workers: Annotated[int, typer.Option(help="Processes at a time [default: the cores].")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what is on record of this code.")] = False,
    seconds: Annotated[float, typer.Option(help="Begin with no further row after that long.")] = math.inf,
) -> None:
    """Run every planted fault against every check; write results/faults/ and docs/faults.md.

    It goes on where it stopped: what is known of the code as it is now is not measured again.
    """
    from ..checks.faults import faults as planted
    from ..checks.faults import matrix, page
    from ..checks.faults.journal import Journal

    chosen = list(planted()) if only is None else [name.strip() for name in only.split(",")]
    unknown = sorted(set(chosen) - set(planted()))
    if unknown:
        raise CannotRun(f"no fault is called {unknown[0]!r}; there are: {', '.join(planted())}")
    if fresh:
        JOURNAL.unlink(missing_ok=True)
    honest = matrix.honest() if only is None else [matrix.HONEST]
    # The judge's faults first: with an honest solver each takes the same time.
    names = [*honest[:1], *reversed(chosen), *honest[1:]]
    found: dict[str, Any] = {}
    began = monotonic()
    for row in matrix.rows(names, workers or os.cpu_count() or 1, Journal(JOURNAL, matrix.digest_of_row)):
        found[row.name] = row
        _say(row, len(found), len(names))
        if monotonic() - began > seconds:
            break
    killed = {name: found[name] for name in chosen if name in found}
    good = {name: found[name] for name in honest if name in found}
    complete = len(found) == len(names)
    if only is None:
        matrix.write(RESULTS / "matrix.csv", killed.values())
        matrix.write(RESULTS / "honest.csv", good.values())
        PAGE.write_text(page.markdown(killed, good), encoding="utf-8")
    wrong = matrix.verdicts(killed, good, every_check=only is None and complete)
    for words in wrong:
        print(words)
    if not complete:
        end(2, f"not finished: {len(found)} of {len(names)} rows on record; run it again to go on")
    if wrong:
        end(1, f"{len(wrong)} verdict(s) against faults, checks or honest solvers: see above")
    runs = sum(row.answers for row in good.values())
    alarms = f"; {runs} honest runs without a false alarm" if good else ""
    end(0, f"all well: {len(killed)} of {len(killed)} faults killed by the check named for them{alarms}")


def _say(row: Any, done: int, of: int) -> None:
    slowest = max(row.seconds, key=row.seconds.get)
    took = f"{sum(row.seconds.values()):.0f} s, {slowest} {row.seconds[slowest]:.1f} s"
    print(
        f"{done}/{of} {row.name}: {len(row.killers)} of {len(row.marks)} checks do not hold ({took})",
        flush=True,
    )
