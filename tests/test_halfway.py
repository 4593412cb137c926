"""A long run that is cut short goes on where it stopped, unless the code or the question has changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from verification import __main__ as commands
from verification import door, halfway
from verification.checks.regression import read
from verification.doors import digits as digits_door
from verification.doors import regression as regression_door
from verification.halfway import Halfway
from verification.problems.suites import quick
from verification.remote import Remote


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(halfway, "CACHE", tmp_path / "halfway")
    return tmp_path / "halfway"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(door, "_said", False)
        monkeypatch.setattr(sys, "argv", ["verification", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            commands.main()
        code = stop.value.code
        assert isinstance(code, int)
        return code, capsys.readouterr().out

    return run


def test_what_was_kept_is_there_after_a_stop() -> None:
    first = Halfway("digits", "a", "b")
    first.keep("one", [1.5, None, float("inf")])
    first.keep("two", {"x": "y"})
    assert Halfway("digits", "a", "b").done == {"one": [1.5, None, float("inf")], "two": {"x": "y"}}
    assert Halfway("digits", "a").done == {}
    assert Halfway("baseline", "a", "b").done == {}
    first.finished()
    assert Halfway("digits", "a", "b").done == {}


def test_a_line_that_was_cut_short_counts_for_nothing_and_spoils_nothing() -> None:
    first = Halfway("digits", "a")
    first.keep("one", 1)
    first.keep("two", 2)
    first.path.write_text(first.path.read_text()[:-4])
    again = Halfway("digits", "a")
    assert again.done == {"one": 1}
    again.keep("three", 3)
    assert Halfway("digits", "a").done == {"one": 1, "three": 3}


def test_other_code_begins_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(halfway, "ROOT", tmp_path)
    for room in halfway.ROOMS:
        (tmp_path / room).mkdir()
    (tmp_path / "solvers" / "a.py").write_text("x = 1\n")
    Halfway("digits").keep("one", 1)
    assert Halfway("digits").done == {"one": 1}
    (tmp_path / "solvers" / "a.py").write_text("x = 2\n")
    assert Halfway("digits").done == {}


class Stopped(Exception):
    pass


def counted(monkeypatch: pytest.MonkeyPatch, stop_at: int) -> list[str]:
    """Count the cells that are asked for, and stop at one of them."""
    asked: list[str] = []
    honest = Remote.solve

    def solve(self: Remote, cell: str, solver: str, stop: Any) -> Any:
        if cell not in asked:
            if len(asked) == stop_at:
                raise Stopped
            asked.append(cell)
        return honest(self, cell, solver, stop)

    monkeypatch.setattr(Remote, "solve", solve)
    return asked


def test_a_baseline_goes_on_where_it_stopped(
    call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path
) -> None:
    file = tmp_path / "digits.csv"
    choice = ("baseline", "--cells", "known/wide/*", "--solvers", "cd_numba", "--file", file)
    with monkeypatch.context() as patch:
        first = counted(patch, 4)
        assert call(*choice)[0] == 2
    assert not file.exists()
    second = counted(monkeypatch, 100)
    assert call(*choice)[0] == 0
    assert len(first) == 4
    assert not set(first) & set(second)
    assert {e.cell for e in read(file).entries} == {*first, *second}
    assert not any(cache.iterdir())


def test_digits_are_on_record_after_each_cell(
    call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(digits_door, "ROOT", tmp_path)
    monkeypatch.setattr(digits_door, "PAGE", tmp_path / "digits.md")
    choice = ("digits", "--cells", "diabetes/*", "--solvers", "cd_numba,active_set_numba")
    with monkeypatch.context() as patch:
        first = counted(patch, 2)
        assert call(*choice)[0] == 2
    rows = digits_door.read(tmp_path / "results" / "digits" / "quick.csv")
    assert [row["cell"] for row in rows] == [cell for cell in first for _ in range(2)]
    page = (tmp_path / "digits.md").read_text()
    assert f"on {len(first)} of {len(first)} cells" in page
    second = counted(monkeypatch, 100)
    assert call(*choice)[0] == 0
    assert not set(first) & set(second)
    assert [*first, *second] == [cell.name for cell in quick() if cell.case == "diabetes"]
    rows = digits_door.read(tmp_path / "results" / "digits" / "quick.csv")
    assert [row["solver"] for row in rows] == ["active_set_numba", "cd_numba"] * len([*first, *second])


def test_what_takes_long_twice_is_left_out_by_name(
    call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(regression_door, "LONGEST", 0.0)
    file = tmp_path / "digits.csv"
    choice = ("--cells", "known/wide/lasso/*", "--solvers", "cd_numba", "--file", file)
    code, out = call("baseline", *choice)
    assert code == 0
    assert "2 of them left out as slow" in out
    assert {e.outcome for e in read(file).entries} == {"left out"}
    assert call("regress", *choice)[0] == 2  # nothing was compared
