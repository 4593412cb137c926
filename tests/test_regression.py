"""The regression check fails for what became worse, and for nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from solvers import Entry, Problem, Solution, Status, Stop, entry
from verification import __main__ as commands
from verification import digits, door
from verification import remote as remote_module
from verification.checks import regression
from verification.checks.regression import Baseline, Change, Kind, compare, read, written
from verification.digits import CAP, OPTIMUM, Yardstick, measured, stop_for, yardstick
from verification.problems.cells import Cell, option_cells
from verification.problems.suites import KnownCell, quick
from verification.problems.suites import regression as regression_cells
from verification.remote import Remote
from verification.trials import Attempt, attempt

Row = regression.Entry
CELLS = [KnownCell("tall/lasso/intercept"), KnownCell("tall/enet/plain"), KnownCell("tall/ridge/plain")]


def row(**changed: Any) -> Row:
    base = Row("case/lasso", "0123456789", "cd_numba", "kept", "coefficients", 7.0, 8.0)
    return replace(base, **changed)


def changes(before: list[Row], now: list[Row], absent: dict[str, str] | None = None) -> list[Change]:
    asked = {e.key for e in [*before, *now]}
    return compare(Baseline(tuple(before), {}), now, absent or {}, asked)


# ---- what is compared --------------------------------------------------------------------------------------


def test_nothing_changed_says_nothing() -> None:
    assert changes([row()], [row()]) == []


@pytest.mark.parametrize(("least", "median", "fails"), [
    (6.5, 8.0, False), (6.49, 8.0, True), (7.0, 7.49, True), (7.0, 7.5, False), (0.0, 0.0, True),
])  # fmt: skip
def test_more_than_half_a_digit_less_fails(least: float, median: float, fails: bool) -> None:
    found = changes([row()], [row(least=least, median=median)])
    assert [c.kind for c in found] == [Kind.LOSS] * fails
    for change in found:
        expected = (
            f"loss: cd_numba on case/lasso: 7.00 (median 8.00) -> {least:.2f} (median {median:.2f}) digits"
        )
        assert str(change) == expected


@pytest.mark.parametrize(("now", "kind"), [
    ({"outcome": "WRONG"}, Kind.WRONG),
    ({"outcome": "max_iter"}, Kind.CLAIM),
    ({"outcome": "failed", "least": None, "median": None}, Kind.CLAIM),
    ({"outcome": "converged"}, None),
    ({"least": 7.51}, Kind.GAIN),
    ({"least": 7.5}, None),
    ({"measure": "objective"}, Kind.NEW),
])  # fmt: skip
def test_what_else_may_have_become_of_a_row(now: dict[str, Any], kind: Kind | None) -> None:
    assert [c.kind for c in changes([row()], [row(**now)])] == ([] if kind is None else [kind])


def test_what_fails() -> None:
    assert {k for k in Kind if k.fails} == {Kind.LOSS, Kind.WRONG, Kind.CLAIM, Kind.VANISHED}


def test_a_row_that_is_gone_fails_and_a_new_one_is_said() -> None:
    gone, new = row(), row(solver="brand_new")
    assert [(c.kind, c.solver) for c in changes([gone], [new])] == [
        (Kind.VANISHED, "cd_numba"),
        (Kind.NEW, "brand_new"),
    ]


def test_a_new_row_that_is_wrong_fails() -> None:
    assert [c.kind for c in changes([], [row(outcome="WRONG")])] == [Kind.WRONG]


def test_a_wrong_that_the_baseline_knows_does_not_fail() -> None:
    assert changes([row(outcome="WRONG")], [row(outcome="WRONG")]) == []


def test_changed_data_are_said_once_and_nothing_else_is() -> None:
    before = [row(), row(solver="gone"), row(solver="worse")]
    now = [row(data="abcdef"), row(data="abcdef", solver="worse", least=1.0)]
    assert [str(c) for c in changes(before, now)] == ["data changed: case/lasso"]


def test_what_cannot_be_tried_here_is_said_once() -> None:
    before = [row(solver="peer_celer", cell=cell) for cell in "ab"]
    assert [str(c) for c in changes(before, [], {"peer_celer": "celer is not installed"})] == [
        "not compared: peer_celer: celer is not installed"
    ]


def test_what_ended_by_the_clock_has_no_digits_to_lose() -> None:
    old = row(outcome="max_iter")
    assert changes([old], [row(outcome="time_limit", least=None, median=None)]) == []
    assert [c.kind for c in changes([old], [row(outcome="failed", least=None, median=None)])] == [Kind.LOSS]


def test_pairs_that_were_not_asked_are_not_missed() -> None:
    before = Baseline((row(), row(cell="other")), {})
    assert compare(before, [row()], {}, {row().key}) == []


def test_the_file_is_read_back_sorted_without_times(tmp_path: Path) -> None:
    rows = (row(solver="b"), row(), row(outcome="failed", measure="", least=None, median=None, solver="c"))
    text = written(Baseline(rows, {"numpy": "2.0"}))
    (tmp_path / "digits.csv").write_text(text)
    back = read(tmp_path / "digits.csv")
    assert set(back.entries) == set(rows)
    assert back.versions == {"numpy": "2.0"}
    body = [line for line in text.splitlines() if not line.startswith("#")][1:]
    assert body == sorted(body)
    assert "second" not in text
    (tmp_path / "digits.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="not a baseline"):
        read(tmp_path / "digits.csv")


# ---- a planted loss ----------------------------------------------------------------------------------------


def spoiled(drop: float, solver: str = "cd_numba") -> Entry:
    """The solver, its error 10^drop times as large: it loses so many digits in every coefficient."""
    honest = entry(solver)

    def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
        def run() -> Solution:
            found = honest.setup(problem, stop)()
            best = yardstick(problem).exact
            assert best is not None
            coef = best.coef + (found.coef - best.coef) * 10**drop
            return replace(found, coef=coef)

        return run

    module = SimpleNamespace(
        setup=setup,
        SUPPORTS=honest.supports,
        CLAIMS_GAP=True,
        refuses=honest.module.refuses,
        __doc__="Spoiled.",
    )
    return Entry(solver, lambda: module)


def here(_: Any, solver: Entry, problem: Problem, stop: Stop) -> Attempt:
    return attempt(solver, problem, stop, {})


def rows_of(*solvers: Entry) -> list[Row]:
    return regression.entries(measured(CELLS, lambda _: solvers, here))


@pytest.mark.parametrize(("drop", "fails"), [(0.0, False), (0.3, False), (0.55, True), (2.0, True)])
def test_a_planted_loss(drop: float, fails: bool) -> None:
    before = rows_of(entry("cd_numba"))
    assert all(e.least is not None and 2 < e.least < CAP for e in before)
    found = changes(before, rows_of(spoiled(drop)))
    assert {c.kind for c in found} <= {Kind.LOSS, Kind.WRONG}
    assert len(found) == len(CELLS) * fails
    was = {e.cell: e for e in before}
    for change in found:
        assert change.solver == "cd_numba"
        assert f"{was[change.cell].least:.2f}" in change.words.split("->")[0]


def test_a_planted_false_claim_is_wrong() -> None:
    found = changes(rows_of(entry("cd_numba")), rows_of(spoiled(5.0)))  # no other answer convicts it
    assert len([c.cell for c in found if c.kind is Kind.WRONG]) == 2


# ---- the yardstick -----------------------------------------------------------------------------------------


def test_digits_of_the_coefficients_and_of_the_intercept() -> None:
    problem = CELLS[0].problem()
    stick = yardstick(problem)
    assert stick.exact is not None
    assert stick.why == ""
    best = Solution(stick.exact.coef, stick.exact.intercept, Status.CONVERGED)
    assert np.all(stick.coefficients(best) >= CAP)
    off = stick.coefficients(replace(best, intercept=best.intercept * (1 + 1e-4)))
    assert off[-1] == pytest.approx(4.0, abs=1.0)
    assert np.all(off[:-1] >= CAP)


def test_where_the_optimum_is_not_unique_it_is_the_objective() -> None:
    problem = Problem(np.array([[1.0, 1.0], [0.0, 0.0]]), [4.0, 1.0], l1=0.5)
    assert yardstick(problem).why == "not unique"

    cell = SimpleNamespace(
        name="twins", case="twins", regime="small", l1_ratio=None, l2_ratio=None, problem=lambda: problem
    )
    found, best = measured([cell], lambda _: [entry("cd_numba")], here)
    assert best["solver"] == OPTIMUM
    assert found["measure"] == "objective"
    assert found["least"] == CAP
    assert found["why"] == "not unique"


def test_where_it_is_unproven_the_best_dual_bound_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits, "yardstick", lambda *_: Yardstick(None, "unproven: too large"))
    solvers = [entry("active_set_numba"), spoiled(3.0)]
    found = list(measured(CELLS[1:2], lambda _: solvers, here))
    assert [f["why"] for f in found] == ["unproven: too large"] * 2
    assert found[0]["least"] == CAP
    assert 0 < found[1]["least"] < CAP


def test_iterations_are_limited_not_seconds() -> None:
    for cell in CELLS:
        stop = stop_for(cell.problem())
        assert stop.time_limit is None
        assert stop.max_iter == 2000


def test_every_cell_has_a_name_of_its_own() -> None:
    names = [cell.name for cell in regression_cells()]
    assert len(set(names)) == len(names)
    left_out = {cell.name for cell in quick()} - set(names)
    assert {name.split("/")[0] for name in left_out} == {"bbc_news_raw", "sparse_powerlaw"}


def test_each_combination_of_options_has_a_cell_and_each_case_every_option() -> None:
    chosen = set(regression_cells())
    every = [cell for cell in option_cells() if not cell.layout and cell.dtype == "float64"]
    kept = [cell for cell in every if cell in chosen]

    def options(cell: Cell) -> tuple[object, ...]:
        return cell.penalty, cell.intercept, cell.positive, cell.weighted, cell.v

    assert {options(cell) for cell in kept} == {options(cell) for cell in every}
    assert 3 * len(kept) == len(every)
    pairs = {(cell.case, k, value) for cell in kept for k, value in enumerate(options(cell))}
    assert pairs == {(cell.case, k, value) for cell in every for k, value in enumerate(options(cell))}
    other = [cell for cell in option_cells() if cell.layout or cell.dtype != "float64"]
    assert set(other) <= chosen


# ---- the other process, and the door -----------------------------------------------------------------------

MINE = """
import os, time
import numpy as np

def hang(X, y, l1, l2, intercept=False):
    time.sleep(60)

def die(X, y, l1, l2, intercept=False):
    os._exit(7)

def spin(X, y, l1, l2, intercept=False):
    while True:
        pass

def nan(X, y, l1, l2, intercept=False):
    return np.full(X.shape[1], np.nan)
"""


def test_one_that_hangs_is_killed_and_one_that_dies_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine_of_regression.py").write_text(MINE)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    name, stop = CELLS[1].name, Stop(tol=1e-10)
    with Remote(limit=20.0) as remote:
        before = remote.solve(name, "cd_numba", stop)
        assert remote.solve(name, "mine_of_regression:die", stop).status is Status.CRASHED
        remote.limit = 0.5
        monkeypatch.setattr(remote_module, "WAIT", 1.0)
        assert remote.solve(name, "mine_of_regression:hang", stop).status is Status.KILLED
        monkeypatch.setattr(remote_module, "WAIT", 100.0)
        spun = remote.solve(name, "mine_of_regression:spin", stop)
        assert spun.status is Status.KILLED
        assert spun.message == "no answer within 0.5 s of processor time: killed"
        remote.limit = 20.0
        lost = remote.solve(name, "mine_of_regression:nan", stop).solution
        assert lost is not None
        assert np.isnan(lost.coef).all()
        again = remote.solve(name, "cd_numba", stop)
    here_ = attempt(entry("cd_numba"), CELLS[1].problem(), stop, {})
    for found in (before, again):
        assert found.solution is not None
        assert here_.solution is not None
        assert found.status is here_.status
        assert np.array_equal(found.solution.coef, here_.solution.coef)  # the same bits


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


def test_the_door_passes_fails_and_cannot_run(call: Any, tmp_path: Path) -> None:
    file = tmp_path / "digits.csv"
    choice = ("--cells", "known/tall/lasso/*", "--solvers", "cd_numba,ridge_numpy", "--file", file)
    code, out = call("regress", *choice)
    assert code == 2
    assert "no baseline" in out
    assert call("baseline", *choice)[0] == 0
    for _ in range(2):
        code, out = call("regress", *choice)
        assert code == 0, out
        assert "none worse" in out
    old = read(file)
    for more, expected in ((0.3, 0), (0.51, 1)):
        planted = [replace(e, least=(e.least or 0) + more) for e in old.entries]
        file.write_text(written(Baseline(tuple(planted), {})))
        code, out = call("regress", *choice)
        assert code == expected, out
    assert "loss: cd_numba on known/tall/lasso/all: " in out
    assert out.strip().splitlines()[-1].startswith(f"exit 1: {len(old.entries)} of {len(old.entries)}")
