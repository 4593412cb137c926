"""The campaign's figures as they stand in docs/method.md, printed from results/calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.calibrate import made_of
from bench.noise import Noise, noise_for
from bench.power import Decision, counted, smallest_found
from bench.simulate import Design, campaign
from verification.environment import cpu_model

__all__ = ["BEGIN", "END", "PAGE", "expected", "section", "with_section"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "method.md"
BEGIN, END = "<!-- calibration: python -m bench calibrate --write -->", "<!-- /calibration -->"

SCOPES = {
    "solver": "all cells of a solver",
    "cell": "one cell alone",
    "run": "any of all cells of a run, decided together",
    "between": "all cells of a solver, between two runs: what `compare` and `regress` decide",
}
ALARMS_MOST, FOUND_LEAST = 0.05, 0.90  # the bars: shares of false alarms, and of slowdowns of 15 % found
DRAWN = 40  # sessions for each of these:
GRID = ((3, 5), (3, 10), (3, 20), (3, 40), (4, 20), (5, 20))  # processes, and rounds of each


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
            _bars(made),
            "",
            "By solver, over all its cells:",
            "",
            *_table(columns, solvers),
            "",
            _noise(result),
        ]
    )


def _design(result: dict[str, Any], made: Sequence[Decision]) -> str:
    alarms, slow = counted(made, "between", 0.0).of, counted(made, "between", 0.15).of
    return (
        f"{result['sessions']} runs of {len(result['solvers'])} solvers on {len(result['cells'])} cells, "
        f"{result['processes']} processes with {result['rounds']} rounds each, on {result['cpu']} "
        f"({result['cores_allowed']} cores allowed, {result['os']}), begun {result['started'][:10]}. "
        f"Of the decisions that `compare` and `regress` take about a solver, {alarms} are on the same code "
        f"in two runs, {slow} on code made 15 % slower in one of them; the times of single cells that they "
        "name beside are corrected for their number. Each half of the runs is decided with the noise that "
        "was fitted to the other half. "
        "Shares are in per cent, with 95 % intervals after Clopper and Pearson [clopper1934]; *from* is "
        "the smallest slowdown from which on 9 in 10 are found. Decisions of one run share its processes; "
        "the intervals count them as if they did not."
    )


def _bars(made: Sequence[Decision]) -> str:
    """Say of which decisions the bars are met, and how far they are missed otherwise."""
    met, missed = [], []
    for scope, title in SCOPES.items():
        alarms, slow = counted(made, scope, 0.0), counted(made, scope, 0.15)
        short = []
        if alarms.of and alarms.value > ALARMS_MOST:
            short.append(f"false alarms {100 * alarms.value:.1f} %")
        if slow.of and slow.value < FOUND_LEAST:
            short.append(f"found {100 * slow.value:.1f} %")
        name = title.partition(":")[0]
        if short:
            missed.append(f"{name} ({', '.join(short)})")
        else:
            met.append(name)
    bars = f"at most {100 * ALARMS_MOST:.0f} % false alarms, at least {100 * FOUND_LEAST:.0f} % of 15 % found"
    return " ".join(
        [
            f"The bars ({bars}) are",
            f"met for {'; '.join(met)}." if met else "met for none.",
            *([f"They are missed for {'; '.join(missed)}."] if missed else []),
        ]
    )


def expected(folder: Path) -> str:
    """Return a table of what campaigns could be expected to find by the newest noise, drawn from it."""
    calibrated = noise_for(cpu_model(), folder)
    rows = []
    for processes, rounds in GRID:
        made = campaign(calibrated.noise, Design(processes=processes, rounds=rounds), DRAWN)
        shares = [
            f"{100 * counted(made, scope, 0.0).value:.1f} / {100 * counted(made, scope, 0.15).value:.1f}"
            for scope in SCOPES
        ]
        rows.append([f"{processes} x {rounds}", *shares])
    titles = [title.partition(":")[0] for title in SCOPES.values()]
    return "\n".join(
        [
            f"Per cent of false alarms / of slowdowns of 15 % found, over {DRAWN} sessions drawn from the "
            f"noise ({calibrated.source}):",
            "",
            *_table(["processes x rounds", *titles], rows),
        ]
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
