"""Cells of an earlier record: taken over whole and marked, or measured again for a reason that is said."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.compare import compare
from bench.identity import WORKER
from bench.past import Past
from bench.report.tables import provenance_table
from bench.reuse import CODE, SAME, Reuse, usable
from bench.run import measure
from bench.sides import Side
from bench.suites import Suite
from verification.problems.cells import Cell
from verification.record import read

ROOT = Path(__file__).parent.parent
CELLS = [Cell("diabetes", "lasso", l1_ratio=ratio) for ratio in (3.0, 10.0)]
MORE = Cell("diabetes", "lasso", l1_ratio=30.0)
SOLVERS = ["cd_numpy", "fista_numpy"]
SUITE = Suite("tiny", "two cells", 60.0, 5.0, lambda: CELLS)
SETTINGS: dict[str, Any] = {"most_repeats": 2, "tols": (1e-4, 1e-6), "budget": 60.0}
FIGURES = (
    "solver",
    "configuration",
    "cell",
    "phase",
    "rung",
    "round",
    "seconds",
    "answer",
    "primal",
    "process",
)


def measured(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row.get(name) for name in FIGURES) for row in rows if "phase" in row]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reuse")


@pytest.fixture(scope="module")
def first(results: Path) -> Path:
    return measure(SUITE, CELLS, SOLVERS, results=results, **SETTINGS)


@pytest.fixture(scope="module")
def again(first: Path, results: Path) -> Path:
    """The same with one cell more."""
    return measure(SUITE, [*CELLS, MORE], SOLVERS, results=results, reuse="auto", **SETTINGS)


def test_a_cell_is_taken_over_with_every_row_and_marked(first: Path, again: Path) -> None:
    old, new = read(first), read(again)
    taken = [row for row in new if row.get("reused")]
    assert sorted(measured(taken), key=str) == sorted(measured(old), key=str), "the same, times and all"
    assert {row["reused"] for row in taken} == {first.stem}
    assert {row["run"] for row in taken} == {again.stem}
    fresh = [row for row in new if "phase" in row and not row.get("reused")]
    assert {row["cell"] for row in fresh} == {MORE.name}, "a cell is of one run alone"
    notes = [row["message"] for row in new if row["kind"] == "note"]
    assert f"reused, not measured in this run: 2 cells of {first.stem}" in notes
    assert "not reused: 1 cells: the cell is not in the record" in notes
    assert [row["at"] for row in new if "phase" in row] == list(range(1, 1 + len(taken) + len(fresh)))


def test_what_is_reused_is_reused_again_under_its_first_name(again: Path, first: Path, results: Path) -> None:
    cells = [*CELLS, MORE]
    third = read(measure(SUITE, cells, SOLVERS, results=results, reuse=again.stem, **SETTINGS))
    rows = [row for row in third if "phase" in row]
    assert all(row["reused"] for row in rows)
    assert {row["cell"]: row["reused"] for row in rows} == {
        **dict.fromkeys([cell.name for cell in CELLS], first.stem),
        MORE.name: again.stem,
    }


def test_the_report_says_which_cells_were_not_measured(first: Path, again: Path) -> None:
    told = dict(provenance_table(Side.read(again).report).rows)
    assert told["reused, not measured in this run"] == (
        f"{', '.join(cell.name for cell in CELLS)} from {first.stem}"
    )
    assert "reused, not measured in this run" not in dict(provenance_table(Side.read(first).report).rows)


def test_no_speed_is_concluded_from_a_cell_that_was_not_measured(first: Path, again: Path) -> None:
    found = compare(Side.read(first), Side.read(again), "cd_numpy")
    assert not found.time
    assert any("reused" in words for words in found.left_out)


def test_a_run_that_was_cut_short_takes_nothing_over_twice(again: Path) -> None:
    rows = [row for row in read(again) if row.get("reused")]
    past = Past(rows[:5])
    assert past.reused == {(row["reused"], row["was"]) for row in rows[:5]}
    assert len(past) == 0, "none is a measurement of this run"
    assert past.elapsed == 0
    assert not past.processes


def edited(first: Path, folder: Path, change: Callable[[list[dict[str, Any]]], object]) -> Reuse:
    """The record with a change, for a run with its own head."""
    rows = read(first)
    head = json.loads(json.dumps(rows[0]))
    change(rows)
    path = folder / "edited.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return Reuse(head, [path])


def digest(first: Path) -> str:
    return next(row["digest"] for row in read(first) if row.get("cell") == CELLS[0].name)


@pytest.mark.parametrize("name", [*SAME, *CODE])
def test_whatever_differs_has_it_measured_again(name: str, first: Path, tmp_path: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        where = rows[0]["code_digests"] if name in CODE else rows[0]
        assert name in where
        where[name] = "other"

    found = edited(first, tmp_path, change).of(CELLS[0].name, digest(first))
    assert found == f"not the same: {(SAME | CODE)[name]}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[0]["blas"][0].update(architecture="none"), "not the same: BLAS"),
        (lambda rows: rows[0]["blas"][0].update(version="0"), "not the same: BLAS"),
        (lambda rows: rows[0]["solver_digests"].update(cd_numpy="0"), "not the same: the code of cd_numpy"),
        (lambda rows: [row.update(digest="0") for row in rows if "phase" in row], "not the same: the data"),
        (
            lambda rows: [row.update(solver="x") for row in rows if row.get("solver") == "cd_numpy"],
            "cd_numpy did not take part",
        ),
        (
            lambda rows: [row.update(cell="x") for row in rows if "phase" in row],
            "the cell is not in the record",
        ),
    ],
)
def test_so_it_is_for_libraries_solvers_and_data(
    change: Callable[[list[dict[str, Any]]], object], words: str, first: Path, tmp_path: Path
) -> None:
    assert edited(first, tmp_path, change).of(CELLS[0].name, digest(first)) == words
    taken = edited(first, tmp_path, lambda rows: rows[0]["blas"][0].update(num_threads=9))
    assert not isinstance(taken.of(CELLS[0].name, digest(first)), str), "which this process does not use"


def test_a_solver_more_has_the_whole_cell_measured_again(first: Path) -> None:
    head = read(first)[0]
    head["solvers"], head["solver_digests"] = [*SOLVERS, "x"], {**head["solver_digests"], "x": "1"}
    assert Reuse(head, [first]).of(CELLS[0].name, digest(first)) == "x did not take part"
    head = read(first)[0]
    head["solvers"], head["solver_digests"] = SOLVERS[:1], {SOLVERS[0]: head["solver_digests"][SOLVERS[0]]}
    taken = Reuse(head, [first]).of(CELLS[0].name, digest(first))
    assert not isinstance(taken, str)
    assert {row["solver"] for row in taken[1]} == set(SOLVERS[:1])


def test_of_many_records_the_one_that_is_nearest_says_why(first: Path, tmp_path: Path) -> None:
    rows = read(first)
    head = json.loads(json.dumps(rows[0]))

    def other(name: str, **changes: Any) -> Path:
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in [rows[0] | changes, *rows[1:]]))
        return path

    far, near = other("far", threads=9, budget=1.0), other("near", cpu="another")
    cell = CELLS[0].name, digest(first)
    assert Reuse(head, [far]).of(*cell) == "not the same: the budget, the threads"
    assert Reuse(head, [far, near]).of(*cell) == "not the same: the processor"
    assert Reuse(head, [far, near, first]).of(MORE.name, "0") == "the cell is not in the record"
    assert not isinstance(Reuse(head, [far, near, first]).of(*cell), str)


def test_a_record_that_was_cut_short_is_not_reused(first: Path, tmp_path: Path) -> None:
    (tmp_path / "short.jsonl").write_bytes(first.read_bytes()[:-3000])
    assert usable(tmp_path, "auto") == []
    with pytest.raises(ValueError, match="cut short"):
        usable(tmp_path, "short")
    with pytest.raises(ValueError, match="no record"):
        usable(tmp_path, "absent")


def imported(node: ast.AST) -> set[str]:
    """Modules of the bench that a tree imports, for types alone left out."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom) and (child.module or "").partition(".")[0] == "bench":
            module = (child.module or "").removeprefix("bench").removeprefix(".")
            found |= {module} if module else {alias.name for alias in child.names}
        elif not (isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING"):
            found |= imported(child)
    return found


def test_what_runs_in_a_worker_is_known_to_the_digests() -> None:
    waiting, found = {"worker"}, set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= imported(ast.parse((ROOT / "bench" / f"{name}.py").read_bytes())) - found
    assert found == set(WORKER)
