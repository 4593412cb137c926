"""The tables of a report as plain rows of text; terminal.py and markdown.py put them in form."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from bench.report.model import Outcome, Report
from bench.report.pairwise import standing
from bench.report.words import WANTED, duration, family_name, mark, number, times

__all__ = [
    "Table", "commands", "defects_table", "grouped", "regimes_table", "settings_table",
    "solves_table",
]  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A heading, a sentence that says what is shown and by which measure, and rows.

    `shades` marks entries, by row and column, as "better" or "worse": a colour where there are colours.
    """

    title: str
    caption: str
    columns: list[str]
    rows: list[list[str]]
    shades: dict[tuple[int, int], str] = field(default_factory=dict)


def tier_name(tier: float) -> str:
    """Spell a tier: 1e-6."""
    return number(tier)


def regimes_table(report: Report) -> Table:
    """Who is fastest, by regime, family and wanted accuracy."""
    rows = []
    for regime, family, cells in report.groups():
        for tier in report.tiers:
            stand = standing(report, tier, cells)
            if stand is None:
                none = ["nobody", "", f"0 of {len(cells)}", "", ""]
                rows.append([regime, family_name(family), tier_name(tier), *none])
                continue
            second = stand.runner_up()
            lag, interval = "", ""
            if second is not None:
                lag = f"{second.second} {times(1 / second.ratio)}"
                interval = f"{1 / second.high:.2f} - {1 / second.low:.2f}"
                interval += "" if second.shown else ": no difference shown"
                interval = interval if second.repeated else "single rounds"
            solved = f"{len(stand.solved)} of {stand.of}"
            leader = stand.leader if report.solvers[stand.leader].own else f"{stand.leader} (peer)"
            where = [regime, family_name(family), tier_name(tier)]
            rows.append([*where, leader, duration(stand.seconds), solved, lag, interval])
    return Table(
        "Fastest, by regime and wanted accuracy",
        "Certified runs only; accuracy is the proven suboptimality relative to N. The next is compared over "
        "the cells that both have solved; the interval is 95 %, over rounds.",
        ["regime", "penalty", "accuracy", "fastest", "time", "cells", "next, times slower", "interval"],
        rows,
    )


def times_table(report: Report, tier: float = WANTED) -> Table:
    """Median time of each solver in each cell at one tier, or why there is none."""
    names = list(report.solvers)
    rows = []
    for cell in report.cells:
        row = [cell]
        for name in names:
            outcome = report.outcomes.get((name, cell))
            timing = report.timing(name, cell, tier)
            if timing is not None:
                row.append(f"{duration(timing.seconds)} ({len(timing.rounds)})")
            elif outcome is None or outcome.best is None or name in report.wrong:
                word = mark(outcome, cell in report.wrong.get(name, ()))
                row.append(
                    "withheld" if name in report.wrong and word != "WRONG" and _solved(outcome) else word
                )
            else:
                row.append(outcome.tiers.get(tier, "no answer").replace("_", " "))
        rows.append(row)
    return Table(
        f"Time to a proven suboptimality of {tier_name(tier)}",
        "Setup + run, median over the rounds (their number in brackets), best setting of each solver.",
        ["cell", *names],
        rows,
    )


def _solved(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.best is not None


def solves_table(report: Report) -> Table:
    """Proven suboptimality of the best rung of every solver in every cell, or the status in its place."""
    names = list(report.solvers)
    rows = [
        [
            cell,
            *(mark(report.outcomes.get((name, cell)), cell in report.wrong.get(name, ())) for name in names),
        ]
        for cell in report.cells
    ]
    return Table(
        "Who solves what",
        "Proven suboptimality of the best answer, rounding included, relative to N; else a word why not.",
        ["cell", *names],
        rows,
    )


def defects_table(report: Report) -> Table:
    """Refusals and failures, grouped by solver and reason."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for outcome in report.outcomes.values():
        if outcome.best is None:
            grouped.setdefault((outcome.solver, outcome.status, outcome.message), []).append(outcome.cell)
    rows = [
        [solver, status, message, str(len(cells)), cells[0] + (", ..." if len(cells) > 1 else "")]
        for (solver, status, message), cells in sorted(grouped.items())
    ]
    return Table(
        "Refusals and failures",
        "Every pair without a proven suboptimality, and the reason.",
        ["solver", "status", "reason", "cells", "which"],
        rows,
    )


def settings_table(report: Report) -> Table:
    """Who took part: versions, settings, what converged means, the first call."""
    rows = []
    for name, solver in report.solvers.items():
        solved = [o for (s, _), o in report.outcomes.items() if s == name and o.best is not None]
        asked = [o for (s, _), o in report.outcomes.items() if s == name and not o.refused]
        first = report.first_calls.get(name)
        rows.append(
            [
                name,
                "ours" if solver.own else "peer",
                f"{solver.package or ''} {solver.version or 'missing'}".strip(),
                "; ".join(f"{k}: {v}" if v != "{}" else k for k, v in solver.configurations.items()),
                "a gap" if solver.claims_gap else "nothing provable",
                f"{len(solved)} of {len(asked)}",
                "-" if first is None else duration(first),
            ]
        )
    return Table(
        "Solvers and their settings",
        "Claims: whether the documented tol is a duality gap. First call: the longest, import and "
        "compilation included, on another problem; compiled code may have come from the disk cache.",
        ["solver", "whose", "version", "settings (the best counts)", "claims", "proven", "first call"],
        rows,
    )


def provenance_table(report: Report) -> Table:
    """Where, with what and from which code."""
    head = report.head
    packages = ", ".join(f"{name} {version}" for name, version in head.get("packages", {}).items() if version)
    blas = {
        "{internal_api} {version} {architecture}, {num_threads} thread".format(**pool)
        for pools in report.loaded.values()
        for pool in pools or []
        if pool.get("user_api") == "blas"
    }
    commit = f"{head.get('commit')}{' with uncommitted changes' if head.get('dirty') else ''}"
    end = report.end or {}
    spent = f"{end['elapsed']:.0f} s, of which {end['certifying']:.1f} s certifying" if end else "cut short"
    rows = [
        ["run", str(head.get("run"))],
        ["suite", f"{head.get('suite')}: {head.get('summary')}"],
        ["started", str(head.get("started"))],
        ["budget", f"{head.get('budget'):g} s; took {spent}"],
        ["seed", str(head.get("seed"))],
        ["machine", "{cpu}, {cores_allowed} cores, {memory_gb} GB, {os}".format(**head)],
        *_reused(report),
        ["load before", str(head.get("load"))],
        ["python", f"{head.get('implementation')} {head.get('python')}"],
        ["packages", packages],
        ["BLAS in the workers", "; ".join(sorted(blas)) or "none loaded"],
        ["commit", commit],
        ["again", reproduce(report)],
    ]
    caption = "What the figures depend on besides the code under test."
    return Table("Provenance", caption, ["what", "value"], rows)


def _reused(report: Report) -> list[list[str]]:
    """Which cells were not measured in this run; nothing if all were."""
    of = {
        result.row["cell"]: result.row["reused"]
        for result in (*report.judgement.results, *report.along.results)
        if result.row.get("reused")
    }
    said = [f"{', '.join(c for c in of if of[c] == name)} from {name}" for name in dict.fromkeys(of.values())]
    return [["reused, not measured in this run", "; ".join(said)]] if said else []


def reproduce(report: Report) -> str:
    """Return the command that repeats the run."""
    return shlex.join(["python", "-m", "bench", *report.head.get("argv", [])])


def commands(report: Report) -> list[str]:
    """Return the commands that repeat the run, one cell of it, and its solvers on the user's own file."""
    head = report.head
    cell = next(iter(report.cells), "CELL")
    suite = ["--data", str(head["data"])] if head.get("data") else ["--suite", head["suite"]]
    start = ["python", "-m", "bench", "run"]
    return [
        reproduce(report),
        shlex.join([*start, *suite, "--cells", cell, *_chosen(head)]),
        shlex.join([*start, "--data", "yours.csv", *_chosen(head)]),
    ]


def _chosen(head: Mapping[str, Any]) -> list[str]:
    """The options that choose the run's solvers, as they were given."""
    given = head.get("argv", [])
    return [word for pair in pairwise(given) if pair[0] in ("--solvers", "--solver") for word in pair]


def grouped(notes: Iterable[str]) -> list[str]:
    """Gather the notes that give the same reason; the first pair of each stands for the others."""
    found: dict[str, list[str]] = {}
    for note in notes:
        who, _, why = note.partition(": ")
        why = re.sub(r"setting \S+( on \S+)? was", "another setting was", why)
        found.setdefault(re.sub(r"for \d+ pairs", "for some pairs", why), []).append(who)
    return [
        f"{who[0]}{f' and {len(who) - 1} more' if len(who) > 1 else ''}{': ' if why else ''}{why}"
        for why, who in sorted(found.items(), key=lambda item: -len(item[1]))
    ]
