"""The judge passes its checks, planted faults are killed, the kill matrix on record is that of the code."""

from __future__ import annotations

import pytest

from solvers import Entry
from verification.checks.check import Subject, all_checks
from verification.checks.faults import faults, matrix

JUDGED = [name for name in all_checks("judge") if name != "checks_bite"]  # that one prints: see below


@pytest.mark.parametrize("name", JUDGED)
def test_the_judge_passes(name: str) -> None:
    nobody = Subject(Entry("nobody", lambda: None))
    assert [failure.words for failure in all_checks()[name].find(nobody)] == []


# what each of them is killed by is part of the fault: a handful of every kind, with a crash and a hang
FEW = (
    "segmentation_fault_on_one_row",
    "exits_on_zero_y",
    "outer_products",
    "radius_forgotten",
    "digest_is_enough",
)


def test_the_honest_solver_raises_no_alarm() -> None:
    checks = ["checks_bite", *(faults()[name].killed_by for name in FEW)]
    assert matrix.row(matrix.HONEST, checks).words == {}


@pytest.mark.parametrize("name", FEW)
def test_a_fault_is_killed_by_the_check_named_for_it(name: str) -> None:
    fault = faults()[name]
    found = matrix.row(name, [fault.killed_by])
    assert found.killers == [fault.killed_by]


def test_a_hang_is_killed_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "PATIENCE", 2.0)
    found = matrix.row("hangs_at_l1_max", ["returns_in_time", "awkward_data"])
    assert found.marks == {"returns_in_time": "hung", "awkward_data": matrix.HOLDS}


def test_the_check_named_for_each_fault_exists() -> None:
    planted = faults().values()
    assert {fault.killed_by for fault in planted} <= set(all_checks())
    assert len(planted) >= 40
