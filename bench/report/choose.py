"""Which solver for what, printed from a record: docs/choose.md holds what this says, between markers."""

from __future__ import annotations

import re
from collections import defaultdict

from bench.report.jobs import paths_table
from bench.report.markdown import escape
from bench.report.model import Report
from bench.report.pairwise import Standing, standing
from bench.report.words import number, times

__all__ = ["BEGIN", "END", "choice", "placed"]

BEGIN, END = "<!-- printed -->\n", "<!-- /printed -->\n"
SHOWN = 4  # others named beside the fastest
NAMES = {"lasso": "lasso", "enet": "elastic net", "ridge": "ridge", "ols": "least squares"}


def choice(report: Report) -> str:
    """Return Markdown: the fastest by regime, penalty and accuracy, the next as ratios, and refusals."""
    head = report.head
    lines = [
        f"From the record `{head['run']}` of the suite {head['suite']}, {len(report.cells)} cells, on "
        f"{escape(head.get('cpu') or 'an unnamed processor')}, commit {head.get('commit') or 'unknown'}. "
        "A ~ stands where no difference to the fastest is shown.",
        "",
        "| data | size | penalty | accuracy | fastest | cells | then, times slower |",
        "|---|---|---|---|---|---|---|",
    ]
    for (regime, penalty), names in _groups(report).items():
        for tier in report.tiers:
            found = standing(report, tier, names)
            who = ["nobody", f"0 of {len(names)}", ""] if found is None else _who(found)
            lines.append(_row([regime, _size(report, names), NAMES[penalty], number(tier), *who]))
    paths = paths_table(report)
    if paths.rows:
        lines += ["", "Whole paths of 100 points, by the worst of them:", "", _row(paths.columns)]
        lines += ["|" + "---|" * len(paths.columns), *(_row(row) for row in paths.rows)]
    return "\n".join([*lines, "", "What was refused, and why:", "", *_refusals(report), ""])


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"


def _groups(report: Report) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for cell in report.cells.values():
        found[cell.regime, cell.penalty].append(cell.name)
    order = [(regime, penalty) for regime in ("wide", "tall", "sparse", "small") for penalty in NAMES]
    return {key: found[key] for key in order if key in found}


def _size(report: Report, names: list[str]) -> str:
    """Range of rows and columns."""
    rows = sorted(report.cells[name].n for name in names)
    columns = sorted(report.cells[name].p for name in names)
    spans = [f"{a[0]}" if a[0] == a[-1] else f"{a[0]}-{a[-1]}" for a in (rows, columns)]
    return " x ".join(spans)


def _who(found: Standing) -> list[str]:
    others = [
        f"{one.second} {'' if one.shown else '~'}{times(1 / one.ratio)}"
        for one in found.against
        if len(one.cells) >= 0.9 * len(found.solved) and one.ratio <= 1
    ]
    level = [
        one.second for one in found.against if one.ratio > 1 and len(one.cells) < 0.9 * len(found.solved)
    ]
    told = ", ".join(others[:SHOWN])
    if level:
        told += ("; " if told else "") + f"faster where it got there, in fewer cells: {', '.join(level)}"
    return [found.leader, f"{len(found.solved)} of {found.of}", told]


def _refusals(report: Report) -> list[str]:
    """One line for each solver and reason; figures in the reasons are left out, so that alike is alike."""
    why: dict[tuple[str, str], int] = defaultdict(int)
    for (solver, _), outcome in report.outcomes.items():
        if outcome.refused:
            reason = re.sub(r"^\w+: ", "", outcome.message)
            reason = re.sub(r"(X has|may need) \d+( x \d+)?", r"\1 too many", reason)
            why[solver, reason] += 1
    lines = [
        f"- {escape(solver)}: {escape(reason)} ({count} cells)"
        for (solver, reason), count in sorted(why.items())
    ]
    wrong = [
        f"- {escape(solver)} is WRONG in {len(cells)} cells and has no times"
        for solver, cells in report.wrong.items()
    ]
    return [*lines, *wrong] or ["- nothing"]


def placed(page: str, text: str) -> str:
    """Return the page with `text` between its markers.

    Raises
    ------
    ValueError
        If the page does not hold each marker once, in order.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"the page needs the lines {BEGIN.strip()} and {END.strip()}, once each")
    before, rest = page.split(BEGIN)
    return before + BEGIN + text + END + rest.split(END)[1]
