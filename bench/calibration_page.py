"""The campaign's figures as they stand in docs/method.md, printed from results/calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.calibrate import made_of
from bench.noise import Noise
from bench.power import Decision, counted, smallest_found

__all__ = ["BEGIN", "END", "PAGE", "section", "with_section"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "method.md"
BEGIN, END = "<!-- calibration: python -m bench calibrate --write -->", "<!-- /calibration -->"

SCOPES = {
    "solver": "all cells of a solver",
    "cell": "one cell alone",
    "run": "any of all cells of a run, decided together",
    "between": "all cells of a solver, between two runs",
}


def section(result: dict[str, Any]) -> str:
    """Return the lines between the markers."""
    made = made_of(result)
    levels = sorted({one.planted for one in made if one.planted > 0})
    rows = [_row(SCOPES[scope], made, scope, None, levels) for scope in SCOPES]
    solvers = [_row(f"`{name}`", made, "solver", name, levels) for name in result["solvers"]]
    columns = ["decision", "false alarms", *(f"{100 * level:.0f} % slower" for level in levels), "from"]
    return "\n".join(
        [
            _design(result, made),
            "",
            *_table(columns, rows),
            "",
            "By solver, over all its cells:",
            "",
            *_table(columns, solvers),
            "",
            _noise(result),
        ]
    )


def _design(result: dict[str, Any], made: Sequence[Decision]) -> str:
    alarms, slow = counted(made, None, 0.0).of, counted(made, None, 0.15).of
    return (
        f"{result['sessions']} runs of {len(result['solvers'])} solvers on {len(result['cells'])} cells, "
        f"{result['processes']} processes with {result['rounds']} rounds each, on {result['cpu']} "
        f"({result['cores_allowed']} cores allowed, {result['os']}), begun {result['started'][:10]}. "
        f"{alarms} decisions are between a solver and its A/A twin, {slow} between a solver and itself made "
        "15 % slower. Each half of the runs is decided with the noise that was fitted to the other half. "
        "Shares are in per cent, with 95 % intervals after Clopper and Pearson [clopper1934]; *from* is "
        "the smallest slowdown from which on 9 in 10 are found. Decisions of one run share its processes; "
        "the intervals count them as if they did not."
    )


def _row(
    title: str, made: Sequence[Decision], scope: str, solver: str | None, levels: Sequence[float]
) -> list[str]:
    shares = [counted(made, scope, level, solver) for level in (0.0, *levels)]
    smallest = smallest_found(made, scope, solver)
    least = "none" if smallest is None else f"{100 * smallest:.0f} %"
    return [title, *(share.percent for share in shares), least]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def _noise(result: dict[str, Any]) -> str:
    noise = Noise(**result["noise"])
    cells, processes, rounds = len(result["cells"]), result["processes"], result["rounds"]
    others = ", ".join(
        f"{what} x {ratio:.3f} ({result['gates_seen'][what]} seen)" for what, ratio in result["gates"].items()
    )
    parts = [f"{100 * part:.1f} %" for part in (noise.process, noise.cell, noise.single)]
    one, all_of_them = (_percent(noise.least(count, processes, rounds)) for count in (1, cells))
    return (
        f"The noise fitted to all runs, as standard deviations: {parts[0]} that the cells share in a pair of "
        f"processes, {parts[1]} of a cell alone, {parts[2]} of a single round; worth {noise.dof:.1f} degrees "
        f"of freedom. The gate stands at {noise.gate:.2f} standard deviations: with {processes} processes of "
        f"{rounds} rounds, {one} for one cell and {all_of_them} for {cells} cells. Two runs differ "
        f"{noise.apart:.2f} times as far as each says of itself. From one run to the next the same code "
        f"stayed within: {others}."
    )


def _percent(ratio: float) -> str:
    return f"{100 * math.expm1(math.log(ratio)):.1f} %"


def with_section(page: str, text: str) -> str:
    """Return the page with the section replaced.

    Raises
    ------
    ValueError
        If the page has no markers.
    """
    if BEGIN not in page or END not in page:
        raise ValueError(f"{PAGE.name} has no line {BEGIN!r} or no line {END!r}")
    before, rest = page.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}"
