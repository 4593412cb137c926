"""The judge passes its checks, planted faults are killed, the kill matrix on record is that of the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from solvers import Entry, Status
from verification.checks.check import Subject, all_checks
from verification.checks.draws import Kind
from verification.checks.faults import faults, journal, matrix

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


def test_a_fault_has_a_time_limit_to_keep() -> None:
    solver = matrix.subject("no_time_limit").entry
    assert solver.own
    assert ":" not in solver.name  # what returns_in_time takes for a user's function, which has none


@pytest.mark.parametrize("layout", ["F", "csr"])
def test_what_is_written_into_the_input_is_put_back(layout: str) -> None:
    problem = Kind(16, 4, intercept=True, layout=layout).problem()
    subject, before = matrix.subject("writes_into_y"), problem.digest
    for _ in range(2):  # y centred once and left so would not change the second time
        assert subject.solve(problem).status is Status.FAILED
        assert problem.digest == before


def test_the_check_named_for_each_fault_exists() -> None:
    planted = faults().values()
    assert {fault.killed_by for fault in planted} <= set(all_checks())
    assert len(planted) >= 40


# ---------------------------------------------------------------------- what is known is not measured again


def test_a_cell_is_known_while_its_code_stands(tmp_path: Path) -> None:
    path, digests = tmp_path / "journal.jsonl", {"hangs_at_l1_max": "one"}
    cell = journal.Cell("hangs_at_l1_max", "same_bits", "hung", "no end", 8.0, {"CONVERGED": 3})
    journal.Journal(path, digests.get).add(cell)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"key": "cut sh')
    assert journal.Journal(path, digests.get).get(cell.name, cell.check) == cell
    assert journal.Journal(path, digests.get).get(cell.name, "no_memory") is None
    digests["hangs_at_l1_max"] = "another"
    assert journal.Journal(path, digests.get).get(cell.name, cell.check) is None


def test_a_row_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = journal.Journal(tmp_path / "journal.jsonl", lambda name: "code")
    known.add(journal.Cell("sleeps", "same_bits", "."))
    asked = []

    def measured(name: str, checks: Sequence[str]) -> Iterator[journal.Cell]:
        asked.extend(checks)
        return (
            journal.Cell(name, check, "x", "idle", runs={"CONVERGED": 2, "REFUSED": 1}) for check in checks
        )

    monkeypatch.setattr(matrix, "measured", measured)
    for _ in range(2):
        row = matrix.row("sleeps", ["same_bits", "does_not_sleep"], known)
        assert row.marks == {"same_bits": ".", "does_not_sleep": "x"}
        assert (row.answers, row.words) == (2, {"does_not_sleep": "idle"})
    assert asked == ["does_not_sleep"]


def test_the_digest_of_a_check_is_that_of_the_files_that_it_uses() -> None:
    files = {path.name for path in journal.files_of([journal.CHECKS / "relations_rows.py"])}
    assert {"relations_rows.py", "relations_columns.py", "twins.py", "held.py", "draws.py"} <= files
    assert not {"faults.py", "behaviour.py"} & files
    assert journal.digest_of_check("row_permutation") == journal.digest_of_check("column_signs")
    assert journal.digest_of_check("row_permutation") != journal.digest_of_check("repeated_rows")
