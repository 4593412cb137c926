"""The campaign's bookkeeping on simulated sessions: what it counts, and that no session judges itself."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import calibrate as campaign
from bench.calibration_page import BEGIN, END, PAGE, section, with_section
from bench.noise import FOLDER, Noise, noise_for
from bench.power import Decision, Session, apart, counted, decisions, fitted, smallest_found, twins_of
from bench.report.model import Timing
from bench.sides import Side
from bench.twins import parse
from verification.problems.cells import Cell

SOLVERS, CELLS, PROCESSES, ROUNDS = ("a", "b", "anchor"), ("x", "y", "z"), 3, 8
SLOW = (0.15, 0.30)


def session(number: int, rng: np.random.Generator, louder: float = 1.0) -> Session:
    """Simulate a run: 2 % between processes, 3 % between cells in a process, 8 % between rounds."""
    processes = tuple(1 + turn // ROUNDS for turn in range(PROCESSES * ROUNDS))
    turns = tuple(range(1, 1 + len(processes)))
    times = {}
    for solver in SOLVERS:
        for planted in (None, 0.0, *SLOW):
            shared = rng.normal(0, 0.02 * louder, PROCESSES)
            for cell in CELLS:
                offset = np.repeat(shared + rng.normal(0, 0.03 * louder, PROCESSES), ROUNDS)
                noise = rng.normal(0, 0.08 * louder, offset.size)
                logs = -6.0 + offset + noise + math.log1p(planted or 0.0)
                times[solver, planted, cell] = Timing(tuple(np.exp(logs)), "default", 1e-6, processes, turns)
    return Session(number, times)


@pytest.fixture(scope="module")
def sessions() -> list[Session]:
    rng = np.random.default_rng(10)
    return [session(number, rng) for number in range(16)]


@pytest.fixture(scope="module")
def made(sessions: list[Session]) -> list[Decision]:
    return decisions(sessions, "anchor")


def test_every_twin_of_every_session_is_decided_on_once(made: list[Decision]) -> None:
    runs, solvers, cells = 16, len(SOLVERS), len(CELLS)
    for planted in (0.0, *SLOW):
        assert counted(made, "cell", planted).of == runs * solvers * cells
        assert counted(made, "solver", planted).of == runs * solvers
        assert counted(made, "solver", planted, "a").of == runs
        assert counted(made, "run", planted).of == runs
        pairs = runs // 2 * solvers
        assert counted(made, "between", planted).of == (2 if planted else 2 + len(SLOW)) * pairs
    keys = [(one.scope, one.session, one.solver, one.cell, one.planted) for one in made]
    assert len(set(keys)) == len(keys)


def test_alarms_are_rare_and_slowdowns_are_found(made: list[Decision]) -> None:
    for scope in ("cell", "solver", "run", "between"):
        assert counted(made, scope, 0.0).interval[0] <= 0.05, scope
        assert counted(made, scope, 0.30).value >= 0.9, scope
    assert counted(made, "solver", 0.15).value >= 0.9
    assert smallest_found(made, "solver") == 0.15


def test_no_session_judges_itself(sessions: list[Session], made: list[Decision]) -> None:
    """A loud session raises the noise by which the other half is judged, not that of its own half."""
    loud = session(0, np.random.default_rng(11), louder=20.0)
    again = decisions([loud, *sessions[1:]], "anchor")
    own_half = {s for s in range(1, 16) if s // 2 % 2 == 0}

    def told(found: list[Decision], numbers: set[int]) -> list[Decision]:
        return [one for one in found if one.session in numbers and one.scope != "between"]

    assert told(again, own_half) == told(made, own_half)
    other_half = set(range(16)) - own_half - {0}
    after, before = (counted(told(found, other_half), "cell", 0.15).value for found in (again, made))
    assert after < before


def test_the_fit_is_what_was_simulated(sessions: list[Session]) -> None:
    noise = fitted(sessions, "anchor")
    cell = math.sqrt(2) * math.hypot(0.03, 0.08 / math.sqrt(ROUNDS))
    process, count = 2 * 0.02**2, len(sessions) * len(SOLVERS) * PROCESSES
    error = (process + cell**2 / len(CELLS)) * math.sqrt(2 / count)
    assert noise.process**2 == pytest.approx(process, abs=3 * error)
    assert noise.single == pytest.approx(math.sqrt(2) * 0.08, rel=0.1)
    assert 1.4 < noise.gate < 2.8, "about two standard deviations hold 95 %"
    assert noise.apart < 1.5
    drifted = []
    for k, one in enumerate(sessions):
        times = {
            key: replace(t, rounds=tuple(s * (1.2 if k % 2 and key[0] == "a" else 1.0) for s in t.rounds))
            for key, t in one.times.items()
        }
        drifted.append(Session(one.number, times))
    assert apart(drifted, "anchor", noise) > 2, "runs that differ by more than each shows"
    assert [len(cell) for cell in twins_of(sessions)[0]] == [PROCESSES] * len(CELLS)


def test_a_slowdown_counts_only_if_it_is_said_the_right_way_round() -> None:
    def one(planted: float, found: str) -> Decision:
        return Decision(0, "solver", "a", "", planted, 1.0, found)

    made = [one(0.1, "slower"), one(0.1, "faster"), one(0.1, "no difference shown"), one(0.0, "faster")]
    assert counted(made, "solver", 0.1).count == 1
    assert counted(made, "solver", 0.0).count == 1
    assert smallest_found(made, "solver") is None
    curve = [one(0.3, "slower"), one(0.2, "no difference shown"), one(0.1, "slower")]
    assert smallest_found(curve, "solver") == 0.3, "not 0.1: what lies above it is not found"


def test_each_session_has_twins_and_slowdowns_of_every_solver_and_all_shares_come_in_turn() -> None:
    further = set()
    for number in range(4 * len(campaign.SOLVERS)):
        specs = [parse(name) for name in campaign.names(number)]
        for planted in (0.0, 0.15):
            assert {spec.solver for spec in specs if spec.twin_of and spec.slowdown == planted} == set(
                campaign.SOLVERS
            )
        further |= {(spec.solver, spec.slowdown) for spec in specs if spec.slowdown not in (0.0, 0.15)}
    assert further == {(name, share / 100) for name in campaign.SOLVERS for share in campaign.FURTHER}


def test_a_session_is_a_run_with_all_its_twins_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "SOLVERS", ("cd_numpy",))
    monkeypatch.setattr(campaign, "CELLS", (Cell("diabetes", "lasso", l1_ratio=3.0),))
    monkeypatch.setattr(campaign, "ROUNDS", 1)
    side = Side.read(campaign.measure_session(2, tmp_path))
    one = Session.of(2, side.report)
    assert one.slowdowns == [0.0, 0.15, 0.2]
    assert {solver for solver, _, _ in one.times} == {"cd_numpy"}
    assert list(side.report.solvers) == ["cd_numpy"]


def test_the_page_stands_as_it_was_printed() -> None:
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")]
    assert kept
    newest = max(kept, key=lambda result: result["started"])
    page = PAGE.read_text(encoding="utf-8")
    assert with_section(page, section(newest)) == page
    assert noise_for(newest["cpu"]).noise == Noise(**newest["noise"])


def test_the_page_says_what_was_counted(made: list[Decision]) -> None:
    result = {
        "cpu": "Abacus (R) 7", "cores_allowed": 2, "os": "os", "started": "2026-01-02T03:04:05",
        "sessions": 16, "solvers": list(SOLVERS), "cells": list(CELLS), "processes": PROCESSES,
        "rounds": ROUNDS,
        "noise": Noise(0.02, 0.05, 0.1, 7.0, 2.0, 1.1).to_dict(), "gates": {"memory": 1.01},
        "gates_seen": {"memory": 30}, "made": [list(one.to_dict().values()) for one in made],
    }  # fmt: skip
    assert campaign.made_of(result) == made
    assert campaign.file_name(result) == "2026-01-02-abacus-r-7.json"
    text = section(result)
    assert counted(made, "solver", 0.15).percent in text
    assert "memory x 1.010 (30 seen)" in text
    page = with_section(f"before\n{BEGIN}\nold\n{END}\nafter\n", text)
    assert page == f"before\n{BEGIN}\n{text}\n{END}\nafter\n"
    with pytest.raises(ValueError, match="has no line"):
        with_section("no markers", text)
