"""Two records side by side: a planted change is found and named, the machine is not; exit codes 0, 1, 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.changes import changes_table, said
from bench.compare import Compared, compare
from bench.inference import Finding
from bench.report.pairwise import compare as pairwise
from bench.sides import Side, anchors, unlike
from bench.suites import SUITES, cells_of, repeated
from verification.record import Recorder

ROOT = Path(__file__).parent.parent
CELLS = [f"{case}/lasso/l1_max:10" for case in "abcdef"]
TIER = 1e-6
PROCESSES, ROUNDS = 3, 6


def head(**more: Any) -> dict[str, Any]:
    told = {
        "kind": "run", "run": "r", "suite": "s", "summary": "", "cells": [{"name": name} for name in CELLS],
        "budget": 10.0, "seed": 0, "started": "now", "cpu": "abacus", "machine": "m", "cores_allowed": 2,
        "python": "3.11.1", "implementation": "C", "packages": {"numpy": "2.0"}, "threads": 1, "longest": 5.0,
        "ladder": [1e-6], "extra": [], "tiers": [1e-6], "solver_digests": {"ours": "1", "other": "1"},
        "code_digests": {"solvers": "1", "bench": "1"}, "memory_gb": 1.0, "os": "os", "commit": "0",
        "load": 0.0,
    }  # fmt: skip
    return told | more


def record(
    seed: int,
    factor: dict[str, float] | None = None,
    columns: dict[str, dict[str, Any]] | None = None,
    machine: float = 1.0,
    about: dict[str, Any] | None = None,
    first_call: dict[str, float] | None = None,
) -> Side:
    """Make a record of three solvers.

    `factor`: by solver, on its times; `columns`: by solver, of its rows; `machine`: on all times.
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = [head(**(about or {}))]
    level = {cell: 0.002 * (1 + k) for k, cell in enumerate(CELLS)}
    for name in ("peer_x", "other", "ours"):
        own = not name.startswith("peer_")
        rows.append({
            "kind": "solver", "run": "r", "solver": name, "own": own, "package": None if own else "x",
            "package_version": "own" if own else "1.0", "claims_gap": own,
            "configurations": {"default": "{}"},
        })  # fmt: skip
        for cell in CELLS:
            gap = 1e-9
            base = {
                "kind": "result", "run": "r", "suite": "s", "cell": cell, "case": cell[0], "regime": "wide",
                "penalty": "lasso", "digest": cell, "n": 3, "p": 4, "nnz": 12, "dtype": "float64",
                "solver": name, "configuration": "default", "own": own, "claims_gap": own, "rung": 0,
                "tol": 1e-6, "status": "CONVERGED", "message": "", "n_iter": 1, "claimed_gap": gap,
                "primal": 1.0 + gap, "dual": 1.0, "gap": gap, "gap_rel": gap, "radius": 0.0, "scale": 1.0,
                "kkt": 0.0, "support": 5, "implied_l1": None, "implied_l2": None, "implied_off": None,
                "implied_gain": None, "false_features": 0, "memory_peak": 100_000_000,
            } | (columns or {}).get(name, {})  # fmt: skip
            if first_call and name in first_call:
                seconds = first_call[name]
                rows.append({**base, "phase": "first_call", "decoy": "k", "seconds": seconds, "tol": None})
            for turn in range(PROCESSES * ROUNDS + 1):
                seconds = level[cell] * machine * (factor or {}).get(name, 1.0) * rng.lognormal(0, 0.03)
                share = base.get("setup_share", 0.02)
                rows.append({
                    **base, "phase": "repeat" if turn else "ladder", "round": turn,
                    "process": 1 + max(0, turn - 1) // ROUNDS, "setup_seconds": share * seconds,
                    "run_seconds": (1 - share) * seconds, "seconds": seconds,
                })  # fmt: skip
    rows.append({"kind": "environment", "solver": "ours", "blas": [pool("0.3.1")]})
    rows.append({"kind": "end", "run": "r", "elapsed": 1.0, "certifying": 0.1})
    return Side(f"record{seed}", rows)


def pool(version: str) -> dict[str, Any]:
    return {
        "user_api": "blas",
        "internal_api": "open",
        "version": version,
        "architecture": "a",
        "num_threads": 1,
    }


def words(found: Compared) -> str:
    return "\n".join(said(found))


@pytest.fixture(scope="module")
def before() -> Side:
    return record(1)


def test_the_same_code_shows_no_difference_on_a_machine_half_as_fast(before: Side) -> None:
    found = compare(before, record(2, machine=2.0))
    assert found.guilty == []
    assert {change.finding for change in (*found.time.values(), *found.cells.values())} == {Finding.NONE}
    assert found.drift == pytest.approx(2.0, rel=0.02)
    assert "no difference shown over all times: other, ours" in words(found)
    assert f"they took {found.drift:.3f} times as long, which is the machine" in words(found)


def test_a_slower_solver_is_named_and_nobody_else(before: Side) -> None:
    found = compare(before, record(3, factor={"ours": 1.15}, machine=0.7))
    assert found.guilty == ["ours"]
    assert found.time["ours"].ratio == pytest.approx(1.15, rel=0.03)
    assert words(found).startswith("ours is slower: 1.1")
    back = compare(record(3, factor={"ours": 1.15}), before)
    assert back.guilty == []
    assert "ours is faster" in words(back)


def test_one_cell_that_is_slower_is_found_alone(before: Side) -> None:
    after = record(4)
    for row in after.rows:
        if row.get("solver") == "ours" and row.get("cell") == CELLS[2]:
            row["seconds"] *= 2.0
    found = compare(before, after)
    assert found.guilty == ["ours"]
    slower = [key for key, change in found.cells.items() if change.finding is Finding.SLOWER]
    assert slower == [("ours", CELLS[2], TIER)]
    assert f"ours on {CELLS[2]} to 1e-6 alone is slower: x 2.0" in words(found)


def test_an_anchor_is_a_solver_whose_code_is_the_same(before: Side) -> None:
    assert anchors(before, record(5)) == ["peer_x", "other", "ours"]
    changed = record(5, about={"solver_digests": {"ours": "2", "other": "1"}})
    assert anchors(before, changed) == ["peer_x", "other"]
    assert anchors(before, changed, "other") == ["other"]
    with pytest.raises(ValueError, match="ours cannot be the anchor: its code is not the same"):
        anchors(before, changed, "ours")
    with pytest.raises(ValueError, match="nobody cannot be the anchor: it is not in both"):
        anchors(before, changed, "nobody")
    shared = record(5, about={"code_digests": {"solvers": "2", "bench": "1"}})
    assert anchors(before, shared) == ["peer_x"], "what our solvers share has changed"
    found = compare(before, changed, "other")
    assert "other" not in found.time
    assert set(found.anchors.values()) == {"other"}


def test_a_third_solver_changes_no_ratio(before: Side) -> None:
    after = record(6, factor={"ours": 1.1})
    alone = [Side(s.name, [r for r in s.rows if r.get("solver") != "other"]) for s in (before, after)]
    assert compare(*alone).time["ours"].ratio == compare(before, after).time["ours"].ratio
    inside = [pairwise(side.report, "ours", "peer_x", TIER, CELLS) for side in (before, alone[0])]
    assert inside[0] == inside[1]


def test_memory_setup_and_first_calls_stand_next_to_time(before: Side) -> None:
    columns = {"ours": {"memory_peak": 150_000_000}, "other": {"setup_share": 0.5}}
    found = compare(before, record(7, columns=columns))
    assert found.guilty == ["other", "ours"]
    assert found.memory["ours"].finding is Finding.SLOWER
    assert found.memory["other"].finding is Finding.NONE
    assert found.setup["other"].finding is Finding.SLOWER
    assert "ours" not in found.setup, "a fiftieth of the time is not worth a word"
    assert "ours: memory x 1.500" in words(found)
    calls = [record(k, first_call={"ours": seconds}) for k, seconds in ((8, 1.0), (9, 3.0))]
    assert compare(calls[0], calls[1]).first_call["ours"].finding is Finding.SLOWER
    cached = record(9, first_call={"ours": 3.0}, columns={"ours": {"compiled_anew": True}})
    assert "ours" not in compare(calls[0], cached).first_call, "compiled anew, and loaded from the cache"
    row = next(row for row in changes_table(found).rows if row[0] == "ours")
    assert row[5] == "1.500 MORE"


def test_a_tier_that_is_lost_or_a_wrong_claim_is_worse_whatever_the_time(before: Side) -> None:
    columns = {"ours": {"gap": 1e-4, "primal": 1.0 + 1e-4, "claimed_gap": 1e-4}}
    found = compare(before, record(10, columns=columns))
    assert found.guilty == ["ours"]
    assert {key[1:] for key in found.lost} >= {(cell, TIER) for cell in CELLS}
    assert f"ours no longer proves 1e-6 in 6 cells: {CELLS[0]}" in words(found)
    assert "ours now proves 1e-6" in words(compare(record(10, columns=columns), before))
    lying = {"ours": {"gap": 1e-1, "primal": 1.1, "claimed_gap": 1e-9}}
    assert words(compare(before, record(11, columns=lying))).startswith("ours is WRONG now")


def test_another_problem_of_the_same_name_is_not_compared(before: Side) -> None:
    after = record(12)
    for row in after.rows:
        if row.get("cell") == CELLS[0]:
            row["digest"] = "another"
    found = compare(before, after)
    assert CELLS[0] not in {key[1] for key in found.cells}
    assert f"left out: not the same problem in both: {CELLS[0]}" in words(found)


def test_twins_take_no_part(before: Side) -> None:
    after = record(13)
    twins = [
        row | {"solver": "ours@twin", "twin_of": "ours"} for row in after.rows if row.get("solver") == "ours"
    ]
    after.rows += twins
    found = compare(before, after)
    assert set(found.time) == {"other", "ours"}


def test_what_differs_between_machines_is_said(before: Side) -> None:
    assert unlike(before, record(14)) == []
    about = {"cpu": "loom", "threads": 2, "packages": {"numpy": "2.1"}, "longest": 9.0}
    other = record(14, about=about)
    other.rows[-2]["blas"] = [pool("0.3.2")]
    differ = unlike(before, other)
    assert [line.split(":")[0] for line in differ] == ["cpu", "threads", "longest", "numpy", "BLAS"]
    assert differ[0] == "cpu: abacus there, loom here"


def test_what_a_record_measured_can_be_measured_again() -> None:
    chosen, cells = cells_of("smoke")
    head = {
        "suite": chosen.name, "summary": chosen.summary, "budget": 1.0, "longest": 2.0,
        "cells": [cell.to_dict() for cell in cells],
    }  # fmt: skip
    suite, again = repeated(head)
    assert again == cells
    assert (suite.name, suite.longest) == ("smoke", 2.0)
    assert set(SUITES) >= {"smoke"}


def door(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT, env=os.environ, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_the_door_leaves_with_0_1_or_2(tmp_path: Path, before: Side) -> None:
    sides = {
        "a": before,
        "same": record(15),
        "slow": record(16, factor={"ours": 1.3}),
        "far": record(17, about={"cpu": "loom"}),
    }
    paths = {}
    for name, side in sides.items():
        paths[name] = str(tmp_path / f"{name}.jsonl")
        with Recorder(paths[name]) as recorder:
            for row in side.rows:
                recorder.append(row)
    for command, second, code, last in (
        ("compare", "same", 0, "exit 0: all well: nothing is slower, larger or less accurate than in a"),
        ("compare", "slow", 1, "exit 1: worse than a: ours"),
        ("regress", "slow", 1, "exit 1: worse than a: ours"),
        ("compare", "far", 2, "exit 2: could not run: a and far are not comparable (above)"),
    ):
        done = door(command, paths["a"], paths[second])
        assert done.returncode == code, done.stdout + done.stderr
        assert done.stdout.strip().splitlines()[-1].startswith(last)
    assert "not the same: cpu: abacus there, loom here" in done.stdout
    shown = door("compare", paths["a"], paths["far"], "--anyway")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "not the same: cpu" in shown.stdout
