"""The campaign that calibrates the rule: many short runs with twins and planted slowdowns in each.

A session is an ordinary run (bench/run.py) of a few solvers on a few cells, each solver beside its A/A twin,
one slowed by 15 %, and one slowed by another share, which changes from session to session.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.compare import compare
from bench.power import Decision, Session, decisions, fitted
from bench.run import measure
from bench.sides import Side
from bench.suites import Suite
from verification.problems.cells import Cell

__all__ = ["ANCHOR", "CELLS", "SOLVERS", "measure_session", "result_of", "spread"]

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
FURTHER = (5, 10, 20, 30)  # one of them in each session, in turn
TOL = 1e-8
PROCESSES, ROUNDS = 3, 5  # batches of a run, and rounds of a batch


def names(session: int) -> list[str]:
    """Solvers and twins of a session."""
    slow = (PLANTED, FURTHER[session % len(FURTHER)])
    return [*SOLVERS, *(f"{name}@twin" for name in SOLVERS), *(f"{n}@slow{k}" for n in SOLVERS for k in slow)]


def measure_session(number: int, results: Path) -> Path:
    """Run one session and return its record."""
    suite = Suite("calibration", "twins and planted slowdowns", 600.0, 2.0, lambda: list(CELLS))
    return measure(
        suite, suite.cells(), names(number), seed=number, results=results, tols=(TOL,),
        most_repeats=1 + PROCESSES * ROUNDS,
    )  # fmt: skip


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
