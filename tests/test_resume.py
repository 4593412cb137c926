"""Nothing is lost: a run that was cut short goes on where it stopped, and two runs never mix."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import killing
import pytest

from bench.identity import code_digests, same_run, solver_digest
from bench.orchestrate import execute
from bench.plan import Plan
from bench.run import measure
from bench.scratch import scratch_folder
from bench.suites import Suite
from verification.problems.cells import Cell
from verification.record import Recorder, read, read_counting

ROOT = Path(__file__).parent.parent
CELLS = [Cell("diabetes", "lasso", l1_ratio=ratio) for ratio in (10.0, 100.0)]
SOLVERS = ["cd_numpy", "fista_numpy", "ridge_numpy"]
SUITE = Suite("tiny", "two cells", 60.0, 5.0, lambda: CELLS)
SETTINGS: dict[str, Any] = {"most_repeats": 2}
DIABETES = ["--suite", "smoke", "--cells", "diabetes/*", "--rounds", "2"]


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
sys.argv = {arguments!r}
runpy.run_module("bench", run_name="__main__", alter_sys=True)
"""


class Stopped(Exception):
    """As if the process had been killed."""


class Mortal(Recorder):
    """A recorder whose process dies while it writes its last row."""

    left = 0

    def append(self, row: Any) -> None:
        if type(self).left == 0:
            self._write(b'{"kind":"result","solver":"cd_num')
            raise Stopped
        type(self).left -= 1
        super().append(row)


def stop_after(rows: int, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure until so many rows are written."""
    Mortal.left = rows
    with monkeypatch.context() as patch:
        patch.setattr("bench.run.Recorder", Mortal)
        with pytest.raises(Stopped):
            measure(SUITE, CELLS, SOLVERS, results=results, **SETTINGS)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return read(measure(SUITE, CELLS, SOLVERS, results=tmp_path_factory.mktemp("undisturbed"), **SETTINGS))


@pytest.mark.parametrize("rows", [1, 30])
def test_a_run_goes_on_where_it_stopped(
    rows: int, undisturbed: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(rows, tmp_path, monkeypatch)
    (path,) = (tmp_path / "records").glob("*.jsonl")
    before = path.read_bytes()
    again = measure(SUITE, CELLS, SOLVERS, results=tmp_path, **SETTINGS)
    assert again == path, "the same record"
    assert path.read_bytes().startswith(before), "what is written is never edited"
    found = read(path)
    kinds = [row["kind"] for row in found]
    assert (kinds.count("run"), kinds.count("torn"), kinds.count("resume"), kinds.count("end")) == (
        1,
        1,
        1,
        1,
    )
    assert killing.outcomes(found) == killing.outcomes(undisturbed)
    assert not killing.measured_twice(found)
    results = [row for row in found if row["kind"] == "result"]
    assert [row["at"] for row in results] == list(range(1, len(results) + 1))
    elapsed = [row["elapsed"] for row in results]
    assert elapsed == sorted(elapsed), "the clock of the budget goes on too"
    notes = [row["message"] for row in found if row["kind"] == "note"]
    assert len(notes) == len(set(notes))
    resumed = kinds.index("resume")
    first = next((row for row in found[resumed:] if row["kind"] == "result"), None)
    if first is not None and any(row["kind"] == "result" for row in found[:resumed]):
        had = {row["solver"]: row["process"] for row in found[:resumed] if row["kind"] == "result"}
        assert first["process"] > had.get(first["solver"], 0), "another process, and it says so"


def test_a_run_that_is_stopped_before_its_first_row_leaves_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(0, tmp_path, monkeypatch)
    assert not list((tmp_path / "records").glob("*.jsonl"))
    stop_after(1, tmp_path, monkeypatch)
    (path,) = (tmp_path / "records").glob("*.jsonl")
    assert measure(SUITE, CELLS, SOLVERS, results=tmp_path, **SETTINGS) == path


def test_stopped_again_and_again_it_comes_to_the_same(
    undisturbed: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rows in (5, 9):
        stop_after(rows, tmp_path, monkeypatch)
    path = measure(SUITE, CELLS, SOLVERS, results=tmp_path, **SETTINGS)
    assert killing.outcomes(read(path)) == killing.outcomes(undisturbed)
    assert len(list((tmp_path / "records").iterdir())) == 1


def test_another_plan_fresh_and_a_finished_run_begin_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begun(fresh: bool = False, **changed: Any) -> tuple[str, int]:
        told: list[tuple[str, int]] = []

        def named(name: str, known: int) -> None:
            told.append((name, known))
            raise Stopped

        arguments = {"seed": 0, "budget": None, "solvers": SOLVERS, "cells": CELLS} | SETTINGS | changed
        with pytest.raises(Stopped):
            measure(SUITE, results=tmp_path, named=named, fresh=fresh, **arguments)
        return told[0]

    stop_after(8, tmp_path, monkeypatch)
    (path,) = (tmp_path / "records").glob("*.jsonl")
    name, known = begun()
    assert name == path.stem
    assert known > 0
    for changed in (
        {"seed": 1}, {"budget": 61.0}, {"solvers": SOLVERS[:2]}, {"cells": CELLS[:1]}, {"threads": 2},
        {"memory": 10**9}, {"longest": 4.0}, {"most_repeats": 4}, {"fresh": True},
    ):  # fmt: skip
        other, known = begun(**changed)  # type: ignore[arg-type]
        assert other != path.stem, changed
        assert known == 0, changed
    with monkeypatch.context() as patch:
        patch.setattr("bench.run.code_digests", lambda: {"worker": "edited"})
        assert begun()[0] != path.stem, "edited code is another run"
    with Recorder(path) as under_way:
        assert begun()[0] != path.stem, "a record that is being written is left alone"
        under_way.append({"kind": "end"})
    assert begun()[0] != path.stem, "a finished run is not gone on with"


def test_a_solver_s_digest_follows_what_it_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "solvers"
    shutil.copytree(ROOT / "solvers", copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("bench.identity.SOLVERS", copy)
    monkeypatch.setattr(
        "bench.identity.importlib.util.find_spec",
        lambda name: type("Spec", (), {"origin": str(copy / f"{name.partition('.')[2]}.py")}),
    )
    before = {name: solver_digest(name) for name in ("cd_numba", "cd_numba@twin", "cd_numpy")}
    assert before["cd_numba"] == before["cd_numba@twin"] != before["cd_numpy"]
    with (copy / "_kernels.py").open("a") as file:
        file.write("# edited\n")
    assert solver_digest("cd_numba") != before["cd_numba"], "it calls the kernels"
    assert solver_digest("cd_numpy") == before["cd_numpy"], "it does not"


def test_what_makes_runs_the_same() -> None:
    head = {"run": "a", "started": "t", "load": 1.0, "argv": ["x"], "seed": 0, "cpu": "c", "blas": []}
    assert same_run(head, head | {"run": "b", "started": "u", "load": 2.0, "argv": [], "commit": "d"})
    assert not same_run(head, head | {"cpu": "d"})
    assert not same_run(head, head | {"new": 1})
    pools = [{"internal_api": "openblas", "version": "0.3", "num_threads": 1}]
    assert same_run(head | {"blas": pools}, head | {"blas": [pools[0] | {"num_threads": 2}]})
    assert not same_run(head | {"blas": pools}, head | {"blas": [pools[0] | {"version": "0.4"}]})
    assert set(code_digests()) == {"solvers", "worker", "judge", "cases", "bench"}


def test_a_disk_that_fills_up_midway_keeps_what_was_measured(tmp_path: Path) -> None:
    """With a limit on the size of files in place of a full disk: the same call raises the same error."""
    command = killing.command(tmp_path, *DIABETES, "--solvers", "cd_numpy,fista_numpy,ista_numpy,admm_numpy")
    limited = LIMITED.format(limit=40_000, arguments=["bench", *command[3:]])
    done = killing.run([sys.executable, "-c", limited])
    assert done.returncode == 2, done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("exit 2: could not run: cannot append to ")
    assert "every row before this one is safe" in last
    (path,) = (tmp_path / "records").glob("*.jsonl")
    rows, torn = read_counting(path)
    assert sum(row["kind"] == "result" for row in rows) > 10
    assert torn == 1
    assert rows == [json.loads(line) for line in path.read_bytes().splitlines()[:-1]]


def test_an_answer_that_cannot_be_handed_back_is_nobody_s_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bench.client.Client.run", no_room)
    with pytest.raises(OSError, match="No space left"):
        measure(SUITE, CELLS, SOLVERS, results=tmp_path, **SETTINGS)
    (path,) = (tmp_path / "records").glob("*.jsonl")
    statuses = {row["status"] for row in read(path) if row["kind"] == "result" and row["phase"] == "ladder"}
    assert statuses <= {"REFUSED"}


def test_scratch_of_a_run_that_was_killed_is_removed_by_the_next(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as first:
        (Path(first) / "data.npz").write_bytes(b"x")
        with scratch_folder(tmp_path) as second:
            assert Path(first, "data.npz").exists(), "in use"
        assert not Path(second).exists()
        kept = tmp_path / "kept"
        shutil.copytree(first, kept)
    assert not Path(first).exists()
    shutil.move(kept, first)  # as a kill leaves it
    with scratch_folder(tmp_path) as third:
        assert [path.name for path in tmp_path.iterdir()] == [Path(third).name]


MEASURE = """
import sys
from pathlib import Path
from bench.run import measure
from bench.suites import SUITES, cells_of
suite, cells = cells_of("smoke", None, "diabetes/*")
measure(suite, cells, ["cd_numpy", "ridge_numpy", "lars_numpy"], results=Path(sys.argv[1]), most_repeats=2)
"""


def test_kills_at_random_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two, without the report; `python tests/killing.py --kills 20` has twenty, with it."""
    monkeypatch.setattr(killing, "command", lambda results: [sys.executable, "-c", MEASURE, str(results)])
    expected, _ = killing.killed(tmp_path / "undisturbed", 0, 0.0, random.Random(0))
    record, done = killing.killed(tmp_path / "killed", 2, 5.0, random.Random(1))
    rows = read(record)
    assert done
    assert killing.outcomes(rows) == killing.outcomes(read(expected))
    assert not killing.measured_twice(rows)


SLOW = """
import time
import numpy as np
def sleeper(X, y, l1, l2, tol):
    time.sleep(0.3)
    return np.zeros(X.shape[1])
"""


def test_a_worker_that_is_killed_from_outside_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    rows: list[dict[str, Any]] = []
    ended = threading.Event()

    def kill_twice() -> None:
        for count in (1, 2):
            while sum(row.get("phase") == "ladder" for row in rows) < count and not ended.wait(0.01):
                continue
            ended.wait(0.15)
            for worker in killing.workers_of(os.getpid()):
                os.kill(worker, signal.SIGKILL)

    killer = threading.Thread(target=kill_twice)
    killer.start()
    try:
        execute(Plan("t", "t", CELLS, ["slow:sleeper"], most_repeats=1, tols=(1e-2, 1e-4)), rows.append)
    finally:
        ended.set()
        killer.join()
    results = [row for row in rows if row["kind"] == "result"]
    assert {row["status"] for row in results} == {"CONVERGED"}
    assert max(row["process"] for row in results) == 3
    assert any("SIGKILL" in row["message"] and "run again" in row["message"]
               for row in rows if row["kind"] == "note")  # fmt: skip
