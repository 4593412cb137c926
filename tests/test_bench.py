"""The bench against solvers that misbehave: each ends as its status, and the rest is untouched."""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import payload
from bench.client import Client, Limits, Store
from bench.decoy import decoy, kind
from bench.orchestrate import execute
from bench.plan import Events, Plan
from bench.process import Worker, WorkerKilled
from bench.report import Report, build
from bench.residents import Residents
from bench.rounds import BRIEF, EXTRA, LADDER, LONG_RUN, Budget, Ladder
from bench.suites import SUITES, cells_of
from solvers import Problem
from verification.problems.cells import Cell

ROOT = Path(__file__).parent.parent

PLANTED = '''
import os, signal, sys, time
import numpy as np

def descend(X, y, l1, l2, tol):
    """Coordinate descent on the Gram matrix, as far as float64 goes."""
    n, p = X.shape
    G, c, w = X.T @ X / n, X.T @ y / n, np.zeros(p)
    for _ in range(20000):
        before = w.copy()
        for j in range(p):
            t = c[j] - G[j] @ w + G[j, j] * w[j]
            w[j] = np.sign(t) * max(abs(t) - l1, 0.0) / (G[j, j] + l2)
        if np.max(np.abs(w - before)) <= 1e-15 * np.max(np.abs(w)):
            break
    return w

def good(X, y, l1, l2, tol): return descend(X, y, l1, l2, tol)
def off_05(X, y, l1, l2, tol): return descend(X, y, 1.05 * l1, l2, tol)
def off_001(X, y, l1, l2, tol): return descend(X, y, 1.001 * l1, l2, tol)
def lying(X, y, l1, l2, tol): return np.zeros(X.shape[1])
def raises(X, y, l1, l2, tol): raise ArithmeticError("planted")
def declines(X, y, l1, l2, tol): raise NotImplementedError("not today")
def nan(X, y, l1, l2, tol): return np.full(X.shape[1], np.nan)
def shape(X, y, l1, l2, tol): return np.zeros(X.shape[1] + 1)
def nothing(X, y, l1, l2, tol): return None
def greedy(X, y, l1, l2, tol): raise MemoryError("planted")
def leaves(X, y, l1, l2, tol): sys.exit(3)
def leaves_at_once(X, y, l1, l2, tol): os._exit(4)
def hangs(X, y, l1, l2, tol):
    while True: time.sleep(1)
def segfaults(X, y, l1, l2, tol): os.kill(os.getpid(), signal.SIGSEGV)
def chatty(X, y, l1, l2, tol):
    os.write(1, b"noise" * 1_000_000)
    print("more noise\\n" * 100_000)
    return descend(X, y, l1, l2, tol)
def mutates(X, y, l1, l2, tol):
    X.base.flags.writeable = True
    X.flags.writeable = True
    X[0, 0] += 1.0
    return descend(X, y, l1, l2, tol)
'''

CELLS = [Cell("diabetes", "lasso", l1_ratio=ratio) for ratio in (10.0, 100.0)]
LIMITS = Limits(hello=60.0, load=60.0, warm_up=1.0)


def planted(*names: str) -> list[str]:
    return [f"planted:{name}" for name in names]


@pytest.fixture(scope="module")
def on_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("planted")
    (folder / "planted.py").write_text(PLANTED, encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def run(solvers: list[str], cells: list[Cell], **options: Any) -> tuple[list[dict[str, Any]], Report]:
    """Measure without the door; return the rows as they would be read again, and their report."""
    settings = {"budget": 60.0, "longest": 0.2, "most_repeats": 2, "limits": LIMITS} | options
    rows: list[dict[str, Any]] = [
        {"kind": "run", "run": "t", "suite": "t", "cells": [c.to_dict() for c in cells]}
    ]
    execute(Plan("t", "t", cells, solvers, **settings), rows.append, Events())
    return rows, build(rows)


@pytest.fixture(scope="module")
def misbehaved(on_path: Path) -> tuple[list[dict[str, Any]], Report]:
    names = planted(
        "good", "off_05", "off_001", "lying", "raises", "declines", "nan", "shape", "nothing", "greedy",
        "leaves",
        "leaves_at_once", "hangs", "segfaults", "chatty", "mutates", "no_such_function",
    )  # fmt: skip
    return run(names, CELLS)


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("raises", "FAILED", "ArithmeticError: planted"),
        ("declines", "REFUSED", "not today"),
        ("nan", "FAILED", "returned nan as coefficient 0"),
        ("shape", "FAILED", "shape (11,), expected (10,)"),
        ("nothing", "FAILED", "shape ()"),
        ("greedy", "MEMORY", "MemoryError: planted"),
        ("leaves", "CRASHED", "exit code 3"),
        ("leaves_at_once", "CRASHED", "exit code 4"),
        ("hangs", "KILLED", "killed"),
        ("segfaults", "CRASHED", "SIGSEGV"),
        ("mutates", "FAILED", "input changed"),
        ("no_such_function", "FAILED", "no_such_function"),
    ],
)
def test_each_misbehaviour_ends_as_its_status_in_every_cell(
    misbehaved: tuple[list[dict[str, Any]], Report], name: str, status: str, words: str
) -> None:
    _, report = misbehaved
    for cell in CELLS:
        outcome = report.outcomes[f"planted:{name}", cell.name]
        assert outcome.status == status
        assert words in outcome.message
        assert outcome.best is None
        assert not outcome.timings


@pytest.mark.parametrize("name", ["good", "chatty"])
def test_the_rest_is_untouched(misbehaved: tuple[list[dict[str, Any]], Report], name: str) -> None:
    _, report = misbehaved
    for cell in CELLS:
        outcome = report.outcomes[f"planted:{name}", cell.name]
        assert outcome.best is not None
        assert outcome.best < 1e-9
        assert set(outcome.timings) == {1e-3, 1e-6, 1e-9}


@pytest.mark.parametrize("name", ["off_05", "off_001", "lying"])
def test_a_wrong_answer_is_wrong_at_every_l1_and_has_no_time(
    misbehaved: tuple[list[dict[str, Any]], Report], name: str
) -> None:
    _, report = misbehaved
    reasons = report.wrong[f"planted:{name}"]
    for cell in CELLS:
        assert cell.name in reasons
        outcome = report.outcomes[f"planted:{name}", cell.name]
        assert not outcome.timings
        assert not outcome.points


def test_the_other_penalty_is_named(misbehaved: tuple[list[dict[str, Any]], Report]) -> None:
    _, report = misbehaved
    assert any("solves l1 x 1.0500" in reason for reason in report.wrong["planted:off_05"].values())
    assert any("solves l1 x 1.0010" in reason for reason in report.wrong["planted:off_001"].values())


def test_only_the_guilty_are_wrong(misbehaved: tuple[list[dict[str, Any]], Report]) -> None:
    _, report = misbehaved
    assert set(report.wrong) == set(planted("off_05", "off_001", "lying"))


def test_every_answer_has_both_times_and_a_certificate(
    misbehaved: tuple[list[dict[str, Any]], Report],
) -> None:
    rows, _ = misbehaved
    results = [row for row in rows if row["kind"] == "result" and row["phase"] != "first_call"]
    answered = [row for row in results if row["status"] == "CONVERGED"]
    assert answered
    for row in answered:
        assert row["seconds"] == row["setup_seconds"] + row["run_seconds"] > 0
        assert row["primal"] >= row["dual"] - row["radius"]


def test_every_row_says_in_which_process_and_when(misbehaved: tuple[list[dict[str, Any]], Report]) -> None:
    rows, _ = misbehaved
    results = [row for row in rows if row["kind"] == "result"]
    assert [row["at"] for row in results] == list(range(1, len(results) + 1))
    assert {row["process"] for row in results if row["solver"] == "planted:good"} == {1}
    killed = [row for row in results if row["status"] in ("KILLED", "CRASHED")]
    assert any(row["process"] > 1 for row in killed), "a worker that died starts anew, and says so"


def test_a_run_with_the_same_seed_has_the_same_answers(on_path: Path) -> None:
    def told(rows: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
        return {
            (r["solver"], r["cell"], r["rung"], r["status"], r.get("answer"))
            for r in rows
            if r["kind"] == "result" and r["phase"] == "ladder"
        }

    first, _ = run(planted("good", "raises"), CELLS[:1])
    again, _ = run(planted("good", "raises"), CELLS[:1])
    assert told(first) == told(again)


# -- the worker and what is handed to it -----------------------------------------------------------


def test_threads_are_pinned_before_numpy_loads(on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    with Worker("planted:good") as worker:
        assert worker.ask("hello", 60.0)["own"] is True
        loaded = worker.ask("environment", 60.0)["blas"]
        pid = worker._process.pid  # type: ignore[union-attr]
        environment = Path(f"/proc/{pid}/environ").read_bytes() if Path("/proc").is_dir() else b""
    assert all(pool["num_threads"] == 1 for pool in loaded)
    assert b"OPENBLAS_CORETYPE" not in environment


def test_a_killed_worker_takes_its_children_along_and_starts_again(on_path: Path, tmp_path: Path) -> None:
    problem = CELLS[0].problem()
    handle = Store(tmp_path).handle(problem)
    client = Client("planted:hangs", tmp_path, LIMITS)
    assert client.prepare(handle) is None
    assert client.run(handle, "default", 1e-3, 0.05)["status"] == "KILLED"
    assert not client.worker.alive
    assert client.prepare(handle) is None
    assert client.worker.generation == 2
    client.close()


def test_no_answer_in_time_is_a_kill(on_path: Path) -> None:
    with Worker("planted:good") as worker, pytest.raises(WorkerKilled):
        worker.ask("hello", 0.0)


@pytest.mark.parametrize(
    "cell",
    [
        Cell("small_wide", "lasso", l1_ratio=10, intercept=True, positive=True, weighted=True, v=True),
        Cell("small_tall", "enet", l1_ratio=10, l2_ratio=0.1, dtype="float32", layout="C"),
        Cell("small_sparse", "ridge", l2_ratio=0.1, intercept=True),
        Cell("small_sparse", "lasso", l1_ratio=3, layout="csr", v=True),
    ],
    ids=lambda cell: cell.name,
)
def test_a_problem_arrives_unchanged_and_its_decoy_is_of_its_kind(cell: Cell, tmp_path: Path) -> None:
    problem = cell.problem()
    path = tmp_path / "problem.npz"
    payload.save(path, problem)
    scalars = json.loads(json.dumps(payload.parameters(problem)))
    for guarded in (False, True):
        arrived = payload.problem_of(payload.load(path, guarded)[0], scalars)
        assert arrived.digest == problem.digest
        assert arrived.layout == problem.layout
    stand_in = decoy(problem)
    assert kind(stand_in) == kind(problem)
    assert stand_in.digest != problem.digest


SEALED = pytest.mark.parametrize(
    "cell",
    [
        Cell("small_tall", "enet", l1_ratio=10, l2_ratio=0.1, dtype="float32", layout="C", weighted=True),
        Cell("small_wide", "lasso", l1_ratio=10, v=True),
        Cell("small_sparse", "lasso", l1_ratio=3, layout="csr", weighted=True, v=True),
    ],
    ids=lambda cell: cell.name,
)


def arrays_of(problem: Problem) -> list[Any]:
    X = problem.X
    parts = [X.data, X.indices, X.indptr] if problem.is_sparse else [X.T if problem.layout == "F" else X]
    vectors = [x for x in (problem.y, problem.sample_weight, problem.penalty_weights) if x is not None]
    return [*parts, *vectors]


@SEALED
def test_a_seal_is_broken_by_every_bit_that_changes(cell: Cell, tmp_path: Path) -> None:
    original = cell.problem()
    payload.save(tmp_path / "problem.npz", original)
    arrays, pages = payload.load(tmp_path / "problem.npz")
    assert pages is None
    problem = payload.problem_of(arrays, payload.parameters(original))
    seal = payload.Seal(problem)
    assert not seal.broken(problem)
    assert not seal.broken(problem.replace(l1=2 * problem.l1)), "the same arrays"
    for array in arrays_of(problem):
        target = array
        while not target.flags.writeable:  # a view that is read-only, as a solver would get round it
            if target.base is None or not isinstance(target.base, np.ndarray):
                target.flags.writeable = True
            else:
                target = target.base
        array.flags.writeable = True
        memory = array.reshape(-1).view(np.uint8)
        for place in (0, memory.size // 2, memory.size - 1):
            for bit in (1, 128):
                memory[place] ^= bit
                assert seal.broken(problem)
                memory[place] ^= bit
        moved = memory[:8].copy(), memory[-8:].copy()
        memory[:8], memory[-8:] = moved[::-1]
        assert seal.broken(problem) or bytes(moved[0]) == bytes(moved[1])
        memory[:8], memory[-8:] = moved
        assert not seal.broken(problem)


@SEALED
def test_who_writes_into_guarded_arrays_ends_his_process(cell: Cell, tmp_path: Path) -> None:
    original = cell.problem()
    payload.save(tmp_path / "problem.npz", original)
    arrays, pages = payload.load(tmp_path / "problem.npz", guarded=True)
    assert pages is not None
    problem = payload.problem_of(arrays, payload.parameters(original))
    for array in arrays_of(problem):
        assert pages.hold(array), "taken as it is, not copied"
        first = array.__array_interface__["data"][0]
        for byte in (first, first + array.nbytes - 1):
            child = os.fork()
            if child == 0:
                faulthandler.disable()  # it is meant to die: no traceback
                ctypes.memmove(byte, b"\0", 1)
                os._exit(0)
            assert os.WTERMSIG(os.waitpid(child, 0)[1]) in (signal.SIGSEGV, signal.SIGBUS)
    del arrays, problem, array
    assert not pages.hold(np.zeros(3))


def test_an_array_outside_the_guarded_pages_is_compared(tmp_path: Path) -> None:
    original = CELLS[0].problem()
    payload.save(tmp_path / "problem.npz", original)
    arrays, pages = payload.load(tmp_path / "problem.npz", guarded=True)
    y = arrays["y"].copy()
    problem = payload.problem_of({**arrays, "y": y}, payload.parameters(original))
    seal = payload.Seal(problem, pages)
    assert not seal.broken(problem)
    y[3] += 1.0
    assert seal.broken(problem)


def test_a_solver_that_crashes_is_run_again_where_a_write_is_named(
    misbehaved: tuple[list[dict[str, Any]], Report],
) -> None:
    rows, _ = misbehaved
    again = [row["message"] for row in rows if row["kind"] == "note" and "it was run again" in row["message"]]
    for name in ("mutates", "segfaults"):  # once for each: it is where it may write from then on
        assert sum(message.startswith(f"planted:{name} on ") for message in again) == 1


def test_one_file_for_all_penalties_of_the_same_data(tmp_path: Path) -> None:
    store = Store(tmp_path)
    problem = CELLS[0].problem()
    assert store.handle(problem).data == store.handle(problem.replace(l1=1.0, intercept=True)).data
    assert store.handle(problem.replace(y=np.asarray(problem.y) + 1.0)).data != store.handle(problem).data


# -- the ladder and the budget ---------------------------------------------------------------------


def climb(ladder: Ladder, outcomes: dict[float, tuple[float | None, float | None]]) -> list[float]:
    """Run a ladder on given (seconds, suboptimality) by tol; return the tols that ran."""
    ran = []
    while ladder.next is not None:
        tol = ladder.tols[ladder.next]
        ran.append(tol)
        ladder.record(*outcomes[tol], 1e-15)
    return ran


def test_the_ladder_runs_every_rung_once() -> None:
    assert climb(Ladder(), {tol: (0.01, tol) for tol in LADDER}) == list(LADDER)


def test_nothing_left_to_prove_goes_to_the_tightest_rung() -> None:
    ladder = Ladder()
    assert climb(ladder, {tol: (0.01, 1e-14) for tol in LADDER}) == [LADDER[0], LADDER[-1]]
    assert ladder.ended == "complete"


def test_a_long_run_ends_the_ladder_aloud() -> None:
    ladder = Ladder()
    assert ladder.record(LONG_RUN / 2, 1e-2, 0.0) == ""
    said = ladder.record(LONG_RUN * 1.1, 1e-4, 0.0)
    assert said == ladder.ended
    assert "1e-06 and tighter not run" in said
    assert ladder.next is None


def test_where_a_run_may_take_long_the_ladder_goes_on_for_longer() -> None:
    ladder = Ladder.within(60.0, True, LADDER)
    assert ladder.record(5.9, 1e-2, 0.0) == ""
    assert "took over 6 s" in ladder.record(6.1, 1e-4, 0.0)
    assert Ladder.within(10.0, True, LADDER) == Ladder()


def test_many_runs_end_the_ladder_aloud() -> None:
    ladder = Ladder(cap=1.0)
    ladder.record(0.8, 1e-2, 0.0)
    assert "took over 1 s" in ladder.record(0.8, 1e-4, 0.0)


def test_no_answer_ends_the_ladder() -> None:
    assert climb(Ladder(), {LADDER[0]: (None, None)}) == [LADDER[0]]


def test_a_solver_without_a_gap_claim_gets_more_rungs_until_the_tiers_are_met() -> None:
    slack = {tol: (0.01, max(1e-10, 100 * tol)) for tol in LADDER + EXTRA}
    assert climb(Ladder(claims_gap=False), slack) == list(LADDER)
    slack[LADDER[-1]] = (0.01, 1e-8)
    assert climb(Ladder(claims_gap=False), slack) == list(LADDER + EXTRA)
    assert climb(Ladder(claims_gap=True), slack) == list(LADDER)


def test_the_limit_of_a_run_shrinks_with_what_its_solver_has_left_but_not_to_nothing() -> None:
    now = [0.0]
    budget = Budget(100.0, longest=10.0, settings=10, clock=lambda: now[0])
    assert budget.allowance() == pytest.approx(7.5)
    assert budget.allowance(4) == pytest.approx(30.0), "a solver of four settings has four shares"
    assert budget.limit(0.0) == pytest.approx(2.25)
    assert budget.limit(0.0, settings=4) == pytest.approx(9.0)
    assert budget.limit(7.0) == 1.0
    assert budget.limit(13.0) == BRIEF
    assert Budget(1000.0, longest=10.0).limit(0.0) == 10.0
    now[0] = 99.0
    assert (budget.left, budget.left_for_ladders) == (pytest.approx(1.0), 0.0)
    with pytest.raises(ValueError, match="must be > 0"):
        Budget(0.0)


def test_a_solver_that_spends_its_share_is_heard_of_in_every_cell(on_path: Path) -> None:
    cells = [Cell("diabetes", "lasso", l1_ratio=ratio) for ratio in (3.0, 10.0, 30.0, 100.0)]
    _, report = run(planted("good", "hangs"), cells, budget=3.0, longest=0.2)
    outcomes = [report.outcomes["planted:hangs", cell.name] for cell in cells]
    assert {outcome.status for outcome in outcomes} == {"KILLED", "TIME_LIMIT"}
    assert any("share of the budget" in note for note in report.notes)
    assert all(report.outcomes["planted:good", cell.name].best is not None for cell in cells)


def test_a_short_budget_sheds_rungs_aloud_and_never_a_cell(on_path: Path) -> None:
    _, report = run(planted("good"), CELLS, budget=0.01, longest=5.0)
    assert len(report.outcomes) == len(CELLS)
    assert all(outcome.best is not None for outcome in report.outcomes.values())
    assert any("budget" in note for note in report.notes)


def test_beyond_the_budget_and_its_grace_a_cell_is_declined_aloud(
    on_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.ladders.OVERRUN", 0.0)
    _, report = run(planted("good"), CELLS, budget=0.01, longest=5.0)
    assert len(report.outcomes) == len(CELLS), "a row all the same"
    assert {outcome.status for outcome in report.outcomes.values()} == {"TIME_LIMIT"}
    assert any(f"{len(CELLS)} of {len(CELLS)} pairs not run at all" in note for note in report.notes)


def test_workers_drop_their_data_where_all_of_them_have_no_room(
    on_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, roomy = run(planted("good", "off_05"), CELLS)
    dropped: list[str] = []
    release = Client.release

    def counted(client: Client) -> None:
        dropped.append(client.solver)
        release(client)

    monkeypatch.setattr(Client, "release", counted)
    monkeypatch.setattr("bench.state.Residents", lambda: Residents(room=1))
    _, cramped = run(planted("good", "off_05"), CELLS)
    assert set(dropped) == {"planted:good", "planted:off_05"}
    assert set(cramped.outcomes) == set(roomy.outcomes)
    for key, outcome in cramped.outcomes.items():
        assert (outcome.best is None) == (roomy.outcomes[key].best is None), key
    assert cramped.wrong.keys() == roomy.wrong.keys()


def test_who_held_data_longest_drops_them_first() -> None:
    class Holder:
        drops = 0

        def release(self) -> None:
            self.drops += 1

    a, b, c = Holder(), Holder(), Holder()
    residents = Residents(room=10)
    for holder, size in ((a, 4), (b, 4), (a, 4), (c, 4), (c, 100)):
        residents.admit(holder, size)
    assert (a.drops, b.drops, c.drops) == (1, 1, 0), "the last is never asked: it is about to compute"


# -- suites and the door ---------------------------------------------------------------------------


def test_a_users_data_of_which_no_problem_can_be_made_are_refused_before_anything_starts(
    tmp_path: Path,
) -> None:
    (tmp_path / "huge.csv").write_text("a,y\n1e300,1\n2,2\n3,4\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"huge\.csv: X\[:, 0\] reaches 1e\+300 .* rescale it"):
        cells_of("quick", data=str(tmp_path / "huge.csv"))


def test_suites_hold_distinct_cells_of_every_regime() -> None:
    for name in SUITES:
        _, cells = cells_of(name)
        assert len({cell.name for cell in cells}) == len(cells)
    _, quick = cells_of("quick")
    assert {cell.regime for cell in quick} == {"wide", "tall", "sparse", "small"}
    assert {cell.l1_ratio for cell in quick if cell.penalty == "lasso"} == {3, 10, 30, 100}
    assert {cell.penalty for cell in quick} == {"lasso", "ridge", "enet"}
    assert {cell.intercept for cell in quick} == {False, True}
    _, chosen = cells_of("quick", pattern="nci60/lasso/*")
    assert {cell.case for cell in chosen} == {"nci60"}
    with pytest.raises(ValueError, match="no cell matches"):
        cells_of("quick", pattern="nothing")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, where a solver can be dropped in."""
    folder = tmp_path_factory.mktemp("checkout")
    for room in ("solvers", "verification", "bench"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def door(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=checkout, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


DROPPED = '''"""A copy whose penalty is five percent too large. [friedman2010]."""

from .cd_numpy import CITES, PACKAGE, SUPPORTS, refuses
from .cd_numpy import setup as setup_right


def setup(problem, stop):
    return setup_right(problem.replace(l1=1.05 * problem.l1), stop)
'''


def test_a_wrong_file_dropped_into_solvers_is_exit_1_and_without_it_exit_0(checkout: Path) -> None:
    arguments = ("run", "--suite", "smoke", "--cells", "small_wide/*", "--budget", "6")
    clean = door(checkout, *arguments, "--solvers", "cd_numpy")
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert clean.stdout.strip().splitlines()[-1].startswith("exit 0: all well")
    (checkout / "solvers" / "cd_wrong.py").write_text(DROPPED, encoding="utf-8")
    try:
        done = door(checkout, *arguments, "--solvers", "cd_numpy,cd_wrong")
    finally:
        (checkout / "solvers" / "cd_wrong.py").unlink()
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.strip().splitlines()[-1] == "exit 1: WRONG: cd_wrong (the report says why)"
    assert "solves l1 x 1.0500" in done.stdout
    replayed = sorted((checkout / "results").glob("*.pytest-benchmark.json"))[-1]
    timed = {entry["extra_info"]["solver"] for entry in json.loads(replayed.read_text())["benchmarks"]}
    assert timed == {"cd_numpy"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--suite", "nonesuch"), "no suite 'nonesuch'"),
        (("run", "--suite", "smoke", "--solvers", "nonesuch"), "no solver 'nonesuch'"),
        (("run", "--suite", "smoke", "--results", "pyproject.toml/no"), "nothing was measured"),
        (("run", "--data", "nonesuch.csv"), "nonesuch.csv"),
        (("report", "nonesuch"), "no record nonesuch"),
        (("run", "--nonesuch"), "could not run"),
    ],
)
def test_what_cannot_run_is_exit_2_and_says_so_last(
    checkout: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = door(checkout, *arguments)
    assert done.returncode == 2
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("exit 2: ")
    assert words in last


# -- without settings ------------------------------------------------------------------------------


def test_every_solver_is_called_without_settings_in_every_cell(on_path: Path) -> None:
    rows, report = run(planted("good", "lying", "raises", "hangs"), CELLS[:1])
    found = [row for row in rows if row["kind"] == "result" and row["phase"] == "defaults"]
    by_solver = {row["solver"].partition(":")[2]: row for row in found}
    assert set(by_solver) == {"good", "lying", "raises", "hangs"}
    good, lying = by_solver["good"], by_solver["lying"]
    assert (good["tol"], good["configuration"], good["status"]) == (None, "defaults", "CONVERGED")
    assert (good["false_features"], good["missed_features"]) == (0, 0)
    assert lying["missed_features"] == good["support"] > 0
    assert by_solver["raises"]["status"] == "FAILED"
    assert "not tried: with settings" in by_solver["hangs"]["message"]
    assert report.outcomes["planted:good", CELLS[0].name].timings


def test_a_loose_default_is_no_tightest_rung(on_path: Path) -> None:
    from verification.verdict import judge

    rows, _ = run(planted("good"), CELLS[:1])
    row = next(row for row in rows if row["kind"] == "result" and row["phase"] == "ladder" and row["primal"])
    loose = row | {"phase": "defaults", "configuration": "defaults", "tol": None, "claims_gap": False}
    loose |= {"gap": 1e-3 * row["scale"], "implied_off": 0.05, "implied_gain": 1e6, "support": 9}
    assert not judge([*rows, loose]).wrong
    assert judge([*rows, loose | {"tol": 1e-9}]).wrong, "as a rung it would be"
