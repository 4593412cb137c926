"""A run from its name to its record: where it is written, and what heads it."""

from __future__ import annotations

import importlib.util
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.orchestrate import execute
from bench.plan import Events, Plan
from bench.rounds import EXTRA, LADDER, TIERS
from bench.suites import Suite
from bench.twins import parse
from solvers import catalogue, entry
from verification.environment import file_digest, provenance
from verification.problems.cells import Cell
from verification.record import Recorder, check_room

__all__ = ["RESULTS", "find", "measure", "new_name", "solver_names"]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results"


def new_name(suite: str) -> str:
    """Return a name for a run that no other run has: UTC time, suite, and a random part."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{suite}-{secrets.token_hex(2)}"


def solver_names(chosen: str | None, more: Sequence[str] = ()) -> list[str]:
    """Return the solvers of a run.

    Parameters
    ----------
    chosen : str, optional
        Names separated by commas; all of the catalogue if not given.
    more : sequence of str
        Beside those: the user's own, ``module:function``, and twins (twins.py).

    Raises
    ------
    KeyError
        If there is none of a name; the message lists those that exist.
    ValueError
        If a twin's name cannot be read, or its solver does not take part.
    """
    names = (
        list(catalogue()) if chosen is None else [name.strip() for name in chosen.split(",") if name.strip()]
    )
    wanted = list(dict.fromkeys([*names, *more]))
    for name in wanted:
        solver = parse(name).solver
        entry(solver)
        if solver not in wanted:
            raise ValueError(f"{name} has nothing to be compared with: {solver} is not among the solvers")
    return wanted


def _solver_file(name: str) -> Path | None:
    name = parse(name).solver
    module = name.partition(":")[0] if ":" in name else f"solvers.{name}"
    spec = importlib.util.find_spec(module)
    return None if spec is None or spec.origin is None else Path(spec.origin)


def header(plan: Plan, suite: Suite, data: str | None) -> dict[str, Any]:
    """Return the row that heads a record: what was asked, of whom, where, and with which versions."""
    files = {name: _solver_file(name) for name in plan.solvers}
    packages = [package for package in (_package(name) for name in plan.solvers) if package]
    return {
        "kind": "run",
        "run": plan.run,
        "suite": plan.suite,
        "summary": suite.summary,
        "data": data,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": plan.seed,
        "budget": plan.budget,
        "longest": plan.longest,
        "ladder": plan.tols,
        "extra": EXTRA,
        "tiers": TIERS,
        "threads": plan.threads,
        "limits": asdict(plan.limits),
        "solvers": list(plan.solvers),
        "solver_digests": {name: file_digest(path) for name, path in files.items() if path is not None},
        "sources_digest": {path.name: file_digest(path) for path in sorted((ROOT / "solvers").glob("_*.py"))},
        "cells": [cell.to_dict() for cell in plan.cells],
        **provenance(packages),
    }


def _package(name: str) -> str | None:
    """Return the package a solver drives; a file that cannot be read is heard of when its worker starts."""
    try:
        return entry(parse(name).solver).package
    except Exception:  # foreign code; its worker reports the same error as a row
        return None


def measure(
    suite: Suite,
    cells: Sequence[Cell],
    solvers: Sequence[str],
    *,
    budget: float | None = None,
    seed: int = 0,
    data: str | None = None,
    results: Path = RESULTS,
    events: Events | None = None,
    named: Callable[[str], None] = lambda run: None,
    **options: Any,
) -> Path:
    """Measure, and return the path of the record.

    Parameters
    ----------
    suite : Suite
    cells : sequence of Cell
    solvers : sequence of str
    budget : float, optional
        Seconds for everything; the suite's own if not given.
    seed : int
        Of the order in which pairs are run.
    data : str, optional
        The user's file, for the header.
    results : path
        Where the record goes.
    events : Events, optional
    named : callable
        Told the name of the run before it begins.
    **options
        Further fields of Plan.

    Raises
    ------
    RecordError
        The folder cannot be written or the disk is full: said before anything is measured.
    """
    check_room(results)
    budget = suite.budget if budget is None else budget
    settings: dict[str, Any] = {"longest": suite.longest, "tols": LADDER} | options
    plan = Plan(new_name(suite.name), suite.name, cells, solvers, budget, seed, **settings)
    path = results / "records" / f"{plan.run}.jsonl"
    with Recorder(path) as record:
        record.append(header(plan, suite, data))
        named(plan.run)
        execute(plan, record.append, events)
    return path


def find(run: str | None, results: Path = RESULTS) -> Path:
    """Return the record of a run: by name, by path, or the newest if not given.

    Raises
    ------
    FileNotFoundError
        The message says where it was looked for.
    """
    if run is not None and Path(run).is_file():
        return Path(run)
    folder = results / "records"
    found = sorted(folder.glob(f"{run or ''}*.jsonl"))
    if not found:
        raise FileNotFoundError(f"no record {run or ''} in {folder}: measure one with python -m bench run")
    if run is not None and len(found) > 1:
        raise FileNotFoundError(f"{run} could be any of {', '.join(path.stem for path in found)}")
    return found[-1]
