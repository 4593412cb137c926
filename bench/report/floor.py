"""The noise floor: how far two copies of the same solver differ, in this run and where it was calibrated."""

from __future__ import annotations

from statistics import median_low

from bench.inference import Finding
from bench.report.model import Report, Twin
from bench.report.pairwise import compare
from bench.report.tables import Table
from bench.report.words import WANTED, number

__all__ = ["floor_says", "floor_table"]


def floor_says(report: Report) -> list[str]:
    """Say by what noise the ratios of this report are judged."""
    noise = report.noise.noise
    timings = [t for outcome in report.outcomes.values() for t in outcome.timings.values()]
    processes = median_low(len(set(t.processes)) for t in timings) if timings else 1
    rounds = median_low(len(t.rounds) for t in timings) if timings else 1
    one, ten = (100 * (noise.least(cells, processes, rounds / processes) - 1) for cells in (1, 10))
    says = (
        f"Ratios are judged by the noise {report.noise.source}. Most were timed in {rounds} rounds of "
        f"{processes} process{'es' if processes > 1 else ''}: a difference smaller than {one:.1f} % in one "
        f"cell, or than {ten:.1f} % over ten, is then never called one."
    )
    none = "Not measured in this run: no solver ran under a second name (an A/A twin)."
    return [says] if report.twins else [none, says]


def floor_table(report: Report) -> Table:
    """Each twin against the solver that it is; no rows without twins."""
    rows = [row for twin in report.twins.values() if (row := _row(report, twin)) is not None]
    return Table(
        "Twins of this run",
        f"The same solver under a second name, in processes of its own: times to {number(WANTED)} over all "
        "cells that both have solved. The truth is the planted slowdown; for an A/A twin it is a ratio of 1, "
        "and whatever else is found is a false alarm.",
        ["twin", "of", "planted", "cells", "ratio", "95 % interval", "found"],
        rows,
    )


def _row(report: Report, twin: Twin) -> list[str] | None:
    found = compare(report, twin.name, twin.of, WANTED, list(report.cells))
    if found is None:
        return None
    right = (found.finding is Finding.SLOWER) if twin.slowdown else (found.finding is Finding.NONE)
    planted = f"{100 * twin.slowdown:.0f} % slower" if twin.slowdown else "nothing"
    said = f"{found.finding.value}: {'right' if right else 'missed' if twin.slowdown else 'a false alarm'}"
    interval = f"{found.low:.3f} to {found.high:.3f}"
    return [twin.name, twin.of, planted, str(len(found.cells)), f"{found.ratio:.3f}", interval, said]
