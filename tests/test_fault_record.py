"""The kill matrix on record is that of the faults and checks that there are; what it lacks it says itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from verification.checks.faults import faults, matrix, page
from verification.checks.faults.defects import DEFECTS

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = ROOT / "results" / "faults"
Record = tuple[dict[str, matrix.Row], dict[str, matrix.Row]]


@pytest.fixture(scope="module")
def on_record() -> Record:
    return matrix.read(COMMITTED / "matrix.csv"), matrix.read(COMMITTED / "honest.csv")


def test_the_page_is_printed_from_the_matrix_on_record(on_record: Record) -> None:
    """Add a fault or a check, and the page of this matrix is another: `make faults` has to run."""
    assert page.markdown(*on_record) == (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")


def test_every_row_on_record_has_every_check(on_record: Record) -> None:
    found, honest = on_record
    assert list(found) == [name for name in faults() if name in found]
    assert matrix.HONEST in honest
    for name, row in {**found, **honest}.items():
        assert set(row.marks) == set(matrix.checks_of(name)), name


def test_every_fault_is_killed_as_named_every_check_kills_and_nobody_is_blamed(on_record: Record) -> None:
    found, honest = on_record
    complete = not page.missing(found, honest)
    assert matrix.verdicts(found, honest, every_check=complete) == []
    assert sum(row.answers for row in honest.values()) >= 1000


def test_redundant_checks_have_a_reason_to_stay(on_record: Record) -> None:
    assert [check for check, why in page.redundant(on_record[0]).items() if not why] == []


def test_a_matrix_that_lacks_something_says_so(on_record: Record) -> None:
    found, honest = on_record
    first = next(iter(found))
    without = {name: row for name, row in found.items() if name != first}
    assert first in page.missing(without, honest)["faults"]
    assert f"`{first}`" in page.markdown(without, honest)
    lost = {
        name: replace(row, marks={c: m for c, m in row.marks.items() if c != "same_bits"})
        for name, row in found.items()
    }
    assert "same_bits" in page.missing(lost, honest)["checks"]
    assert "same_bits kills nothing" in matrix.verdicts(lost)


def test_a_fault_that_survives_and_a_false_alarm_are_told(on_record: Record) -> None:
    found, honest = on_record
    first = next(iter(found))
    spared = replace(found[first], marks=dict.fromkeys(found[first].marks, matrix.HOLDS))
    alarmed = replace(honest[matrix.HONEST], marks={"right_tall": matrix.FAILS})
    assert matrix.verdicts({first: spared}, every_check=False) == [f"{first} survives"]
    told = matrix.verdicts({}, {matrix.HONEST: alarmed}, every_check=False)
    assert told == ["right_tall: a false alarm on honest: x"]


def test_an_alarm_that_is_deserved_is_no_false_one_as_long_as_it_shows() -> None:
    (solver, check), *_ = DEFECTS
    alarmed = matrix.Row(solver, {check: matrix.FAILS, "right_tall": matrix.HOLDS}, answers=1)
    assert matrix.verdicts({}, {solver: alarmed}, every_check=False) == []
    page_of = page.markdown({}, {solver: alarmed})
    assert "0 false alarms; 1 alarms that are deserved" in page_of
    assert DEFECTS[solver, check] in page_of
    cured = replace(alarmed, marks=dict.fromkeys(alarmed.marks, matrix.HOLDS))
    told = matrix.verdicts({}, {solver: cured}, every_check=False)
    assert told == [f"{check} raises no alarm on {solver} any more: it is no defect"]
