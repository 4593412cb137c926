"""A run from its name to its record: where it is written, and what heads it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.identity import code_digests, installed_digest, same_run, solver_digest
from bench.orchestrate import execute
from bench.past import Past
from bench.plan import Events, Plan
from bench.reuse import Reuse, usable
from bench.rounds import EXTRA, LADDER, TIERS
from bench.suites import Suite
from bench.twins import parse
from solvers import catalogue, entry
from verification.environment import file_digest, provenance
from verification.problems.cells import Cell
from verification.record import Recorder, RecordLocked, check_room, jsonable, read
from verification.record import head as read_head

__all__ = ["RESULTS", "find", "measure", "new_name", "reported", "solver_names"]

FORMAT = 2  # of the record; in 1, which had no such column, `intercept` was overwritten by the fitted value
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


def header(plan: Plan, suite: Suite, data: str | None) -> dict[str, Any]:
    """Return the row that heads a record: what was asked, of whom, where, and with which versions."""
    packages = [package for package in (_package(name) for name in plan.solvers) if package]
    return {
        "kind": "run",
        "format": FORMAT,
        "run": plan.run,
        "suite": plan.suite,
        "summary": suite.summary,
        "data": data,
        "data_digest": None if data is None else file_digest(data),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": plan.seed,
        "budget": plan.budget,
        "longest": plan.longest,
        "ladder": plan.tols,
        "extra": EXTRA,
        "tiers": TIERS,
        "threads": plan.threads,
        "memory": plan.memory,
        "limits": asdict(plan.limits),
        "solvers": list(plan.solvers),
        "most_repeats": plan.most_repeats,
        "batch": plan.batch,
        "settings": plan.settings,
        "solver_digests": {name: solver_digest(name) for name in plan.solvers},
        "code_digests": code_digests(),
        "installed_digest": installed_digest(),
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
    named: Callable[[str, int], None] = lambda run, known: None,
    fresh: bool = False,
    report: bool = False,
    reuse: str | None = None,
    **options: Any,
) -> Path:
    """Measure, and return the path of the record: of a new run, or of the same one that was cut short.

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
        Told the name of the run before it begins, and how many of its measurements are on record already.
    fresh : bool
        Begin a new run even where the same one was cut short.
    report : bool
        Whether a report is to follow: the run is not done before :func:`reported` says so.
    reuse : str, optional
        Take cells over from this record, or with "auto" from any, where nothing differs (bench/reuse.py).
    **options
        Further fields of Plan.

    Raises
    ------
    RecordError
        The folder cannot be written or the disk is full: said before anything is measured.
    ValueError
        The record to reuse is not there, or was cut short.
    """
    check_room(results)
    budget = suite.budget if budget is None else budget
    given: dict[str, Any] = {"longest": suite.longest, "headline": suite.headline, "tols": LADDER}
    settings = given | options
    plan = Plan(new_name(suite.name), suite.name, cells, solvers, budget, seed, **settings)
    head = jsonable(header(plan, suite, data) | {"report": report})
    if reuse is not None:
        earlier = Reuse(head, usable(results / "records", reuse))
        plan, head["reuse"] = replace(plan, reuse=earlier), earlier.names
    found = None if fresh else _unfinished(head, results / "records")
    record, rows = found or (_begun(results / "records" / f"{plan.run}.jsonl", head), [])
    with record:
        past = Past(rows)
        plan = replace(plan, run=record.path.stem)
        if found:
            record.append(_resumed(plan, past))
        named(plan.run, len(past))
        if not past.complete:
            execute(plan, record.append, events, past)
    return record.path


def reported(record: Path, report: Path) -> None:
    """Put on record that the report of a run is written: nothing of it is left to do."""
    with Recorder(record) as writer:
        writer.append({"kind": "report", "run": record.stem, "path": os.path.relpath(report, record.parent)})


def _begun(path: Path, head: dict[str, Any]) -> Recorder:
    """Return a new record with its head. It has its name from then on: no kill leaves one without a head."""
    record = Recorder(path.with_suffix(".begun"))
    try:
        record.append(head)
        record.rename(path)
    except BaseException:
        record.close()
        raise
    return record


def _unfinished(head: dict[str, Any], folder: Path) -> tuple[Recorder, list[dict[str, Any]]] | None:
    """Return the newest record of the same run that was cut short, locked, with its rows."""
    last = "report" if head["report"] else "end"
    for path in sorted(folder.glob("*.jsonl"), reverse=True):
        other = read_head(path)
        if other is None or not same_run(head, other):
            continue
        try:
            record = Recorder(path)
        except RecordLocked:  # it is under way: this run gets a record of its own
            continue
        rows = read(path)
        if not any(row["kind"] == last for row in rows):
            return record, rows
        record.close()
    return None


def _resumed(plan: Plan, past: Past) -> dict[str, Any]:
    return {
        "kind": "resume",
        "run": plan.run,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": round(os.getloadavg()[0], 2),
        "known": len(past),
        "elapsed": past.elapsed,
    }


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
