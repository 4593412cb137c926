"""The campaign that calibrates the rule: many short runs with twins and planted slowdowns in each.

A session is an ordinary run (bench/run.py) of a few solvers on a few cells, each solver beside its A/A twin
and one slowed by 15 %; one of them, in turn, beside one slowed by another share. Sessions by the same code,
on the same machine and of the same design are one campaign.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.compare import compare
from bench.identity import code_digests, installed_digest, solver_digest
from bench.power import Decision, Session, decisions, fitted
from bench.run import measure
from bench.sides import Side
from bench.suites import Suite
from verification.environment import cpu_model
from verification.problems.cells import Cell
from verification.record import head, read

__all__ = ["ANCHOR", "CELLS", "SOLVERS", "measure_session", "on_record", "result_of", "spread"]

SOLVERS = ("active_set_numba", "cd_numba", "peer_sklearn")
ANCHOR = "peer_sklearn"
# A few milliseconds each: shorter ones are all noise, longer ones take the time of more sessions.
CELLS = (
    Cell("digits", "lasso", l1_ratio=100.0),
    Cell("breast_cancer", "lasso", l1_ratio=100.0),
    Cell("digits", "lasso", l1_ratio=10.0, intercept=True),
    Cell("diabetes2", "lasso", l1_ratio=100.0),
)
PLANTED = 15  # per cent, in every session
FURTHER = (5, 10, 20, 30)  # one of them in each session, of one solver
TOL = 1e-8
# Processes of a solver, and rounds of each, by `python -m bench calibrate --plan`: rounds are cheaper than
# processes, and so many find 15 % in a single cell nine times in ten with some to spare.
PROCESSES, ROUNDS = 3, 40


def names(session: int) -> list[str]:
    """Solvers and twins of a session."""
    turn, further = divmod(session, len(SOLVERS))[::-1]
    slow = [f"{name}@slow{PLANTED}" for name in SOLVERS]
    more = f"{SOLVERS[turn]}@slow{FURTHER[further % len(FURTHER)]}"
    return [*SOLVERS, *(f"{name}@twin" for name in SOLVERS), *slow, more]


def suite() -> Suite:
    """Return the suite, whose name says which campaign a session belongs to."""
    code = [code_digests(), installed_digest(), [solver_digest(name) for name in SOLVERS]]
    same = [code, cpu_model(), [cell.name for cell in CELLS], PROCESSES, ROUNDS, TOL]
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:8]
    summary = "twins and planted slowdowns"
    return Suite(f"calibration-{digest}", summary, 600.0, 2.0, lambda: list(CELLS))


def measure_session(number: int, results: Path) -> Path:
    """Run one session, or go on with it where it was cut short, and return its record."""
    return measure(
        suite(), list(CELLS), names(number), seed=number, results=results, tols=(TOL,),
        most_repeats=1 + PROCESSES * ROUNDS, batch=ROUNDS, settings=1, defaults=False,
    )  # fmt: skip


def on_record(results: Path) -> dict[int, Path]:
    """Return the records of this campaign's sessions that are complete, by number."""
    found = {}
    for path in sorted((results / "records").glob(f"*-{suite().name}-*.jsonl")):
        first = head(path)
        if first is not None and any(row["kind"] == "end" for row in read(path)):
            found[int(first["seed"])] = path
    return found


def spread(sides: Sequence[Side]) -> dict[str, tuple[float, int]]:
    """Return how far setup, first calls and memory of the same code differ from one run to the next.

    Returns
    -------
    dict
        For each the largest ratio seen, > 1, and how many were.
    """
    logs: dict[str, list[float]] = {"setup": [], "first call": [], "memory": []}
    for first, second in pairwise(sides):
        found = compare(first, second, ANCHOR)
        for what, changes in found.gated.items():
            logs[what] += [abs(math.log(change.ratio)) for change in changes.values()]
    return {what: (math.exp(max(some)), len(some)) for what, some in logs.items() if some}


def result_of(sides: Sequence[Side]) -> dict[str, Any]:
    """Decide on all sessions, and return what is kept of the campaign: JSON-able."""
    sessions = [Session.of(number, side.report) for number, side in enumerate(sides)]
    made = decisions(sessions, ANCHOR)
    noise = fitted(sessions, ANCHOR)
    others = spread(sides)
    head = sides[0].report.head
    kept = ("cpu", "cores_allowed", "memory_gb", "os", "python", "packages", "commit", "started", "threads")
    return {
        **{key: head.get(key) for key in kept},
        "sessions": len(sides),
        "solvers": list(SOLVERS),
        "anchor": ANCHOR,
        "cells": [cell.name for cell in CELLS],
        "processes": PROCESSES,
        "rounds": ROUNDS,
        "decisions": len(made),
        "noise": noise.to_dict(),
        "gates": {what: ratio for what, (ratio, _) in others.items()},
        "gates_seen": {what: count for what, (_, count) in others.items()},
        "made": [list(one.to_dict().values()) for one in made],
    }


def made_of(result: dict[str, Any]) -> list[Decision]:
    """Return the decisions of a campaign that was kept."""
    return [Decision(*one) for one in result["made"]]


def file_name(result: dict[str, Any]) -> str:
    """Return where a campaign is kept: by its day and its processor."""
    cpu = re.sub(r"[^a-z0-9]+", "-", str(result["cpu"]).lower()).strip("-")
    return f"{result['started'][:10]}-{cpu}.json"
