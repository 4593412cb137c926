"""Twins and planted slowdowns: they measure the noise, and cannot be mistaken for contestants."""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from bench.inference import Finding
from bench.orchestrate import execute
from bench.overall import means, penalised, solved, win_tie_loss
from bench.plan import Plan
from bench.report import Report, build
from bench.report.pairwise import compare, standing
from bench.report.words import verdict
from bench.run import solver_names
from bench.twins import parse, prolong, twin_names
from verification.problems.cells import Cell

SLEEPER = '''
import time
import numpy as np

def least(X, y, l1, l2):
    """Least squares, in no less than 20 ms."""
    time.sleep(0.02)
    return np.linalg.lstsq(X, y, rcond=None)[0]
'''
NAMES = ["sleeper:least", "sleeper:least@twin", "sleeper:least@slow50"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("sleeper")
    (folder / "sleeper.py").write_text(SLEEPER, encoding="utf-8")
    sys.path.insert(0, str(folder))
    cell = Cell("diabetes", "ols")
    found: list[dict[str, Any]] = [
        {"kind": "run", "run": "t", "suite": "t", "cells": [cell.to_dict()], "longest": 5.0}
    ]
    try:
        execute(Plan("t", "t", [cell], NAMES, budget=30.0, tols=(1e-3,), most_repeats=3), found.append)
    finally:
        sys.path.remove(str(folder))
    return found


@pytest.fixture(scope="module")
def report(rows: list[dict[str, Any]]) -> Report:
    return build(rows)


def test_a_name_says_whose_twin_it_is() -> None:
    assert parse("cd_numba").twin_of is None
    assert parse("cd_numba@twin").columns == {"twin_of": "cd_numba", "slowdown": 0.0}
    assert parse("my.module:f@slow15").columns == {"twin_of": "my.module:f", "slowdown": 0.15}
    assert twin_names("cd_numba, peer_sklearn") == ["cd_numba@twin", "peer_sklearn@twin"]
    assert twin_names(None) == []
    for name in ("cd_numba@", "cd_numba@slow", "cd_numba@slow0", "cd_numba@fast", "@twin"):
        with pytest.raises(ValueError, match="a twin is named"):
            parse(name)


def test_a_twin_needs_its_solver_beside_it() -> None:
    assert solver_names("cd_numba", ["cd_numba@twin"]) == ["cd_numba", "cd_numba@twin"]
    with pytest.raises(ValueError, match="peer_sklearn is not among"):
        solver_names("cd_numba", ["peer_sklearn@twin"])
    with pytest.raises(KeyError, match="no solver 'nonesuch'"):
        solver_names("cd_numba", ["nonesuch@twin"])


@pytest.mark.parametrize("slowdown", [0.0, 0.15, 1.0])
def test_a_planted_slowdown_is_as_long_as_it_says(slowdown: float) -> None:
    start = perf_counter()
    while perf_counter() < start + 0.01:
        continue
    before = perf_counter() - start
    took = prolong(start, slowdown) - start
    assert took >= (1 + slowdown) * before


def test_every_row_says_whether_it_is_a_twins(rows: list[dict[str, Any]]) -> None:
    said = {
        (row["solver"], row["twin_of"], row["slowdown"])
        for row in rows
        if row["kind"] in ("result", "solver")
    }
    base, twin, slow = NAMES
    assert said == {(base, None, 0.0), (twin, base, 0.0), (slow, base, 0.5)}


def test_the_slowdown_is_in_the_timed_seconds(report: Report) -> None:
    times = [report.timing(name, "diabetes/ols", 1e-3) for name in NAMES]
    assert all(timing is not None for timing in times)
    base, _, slow = (min(timing.rounds) for timing in times if timing is not None)
    assert slow >= 1.5 * 0.02
    assert slow > base


def test_a_twin_is_in_no_ranking(report: Report, tmp_path: Path) -> None:
    assert list(report.solvers) == NAMES[:1]
    assert {solver for solver, _ in report.outcomes} == set(NAMES[:1])
    assert {solver for solver, _ in report.twin_outcomes} == set(NAMES[1:])
    assert report.twins[NAMES[2]].slowdown == 0.5
    stand = standing(report, 1e-3, list(report.cells))
    assert stand is not None
    assert not stand.against
    assert not any("@" in line for line in verdict(report))
    assert list(solved(report, 1e-3, report.cells)) == [(NAMES[0], "diabetes/ols")]


def test_a_wrong_solvers_twin_is_not_counted_again(rows: list[dict[str, Any]]) -> None:
    guilty = [
        {**row, "claimed_gap": 1e-9, "tol": 1e-12} | ({"primal": row["primal"] + 1.0, "gap": 1.0})
        if row["kind"] == "result" and row["solver"] == NAMES[1] and row["primal"] is not None
        else row
        for row in rows
    ]
    found = build(guilty)
    assert not found.wrong
    assert all(not outcome.timings for (name, _), outcome in found.twin_outcomes.items() if name == NAMES[1])


def test_what_is_not_solved_costs_the_longest_and_twins_take_no_part(report: Report) -> None:
    times = penalised(report, 1e-9, report.cells)
    assert set(times) == set(NAMES[:1])
    assert means(times)[NAMES[0]] < 5.0
    report.outcomes[NAMES[0], "diabetes/ols"].tiers[1e-9] = "missed"
    assert penalised(report, 1e-9, report.cells)[NAMES[0]] == {"diabetes/ols": 5.0}
    tally = win_tie_loss(report, NAMES[0], NAMES[0], 1e-3, list(report.cells))
    assert (tally.wins, tally.ties, tally.losses) == (0, 1, 0)


def test_a_run_that_is_louder_than_the_calibration_raises_its_own_gate(rows: list[dict[str, Any]]) -> None:
    cells = [f"cell{k}" for k in range(6)]
    loud = [row | {"cell": cell, "digest": cell} for row in rows if row["kind"] == "result" for cell in cells]
    for k, row in enumerate(loud):
        if row["solver"] == NAMES[1] and row["seconds"] is not None:
            row["seconds"] *= 8.0 if k % 2 else 1 / 8.0
    others = [row for row in rows if row["kind"] != "result"]
    quiet, noisy = build(rows), build([*others, *loud])
    assert noisy.noise.noise.single > 3 * quiet.noise.noise.single
    assert "the twins of this run differed so much more" in noisy.noise.source
    assert compare(noisy, NAMES[1], NAMES[0], 1e-3, cells).finding is Finding.NONE  # type: ignore[union-attr]
