"""Time: batches of rounds in fresh processes, until a ratio is known; and an eye on the machine."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.contests import BATCHES, NARROW, SHOWN, Timed, affordable, due
from bench.headline import loosest
from bench.inference import estimate
from bench.machine import Look, Watch, spin
from bench.noise import Noise
from bench.orchestrate import execute
from bench.plan import Plan
from bench.report.budget import WORDS
from bench.rounds import OUTRUN
from verification.problems.cells import Cell
from verification.verdict import Contender, Result, judge


def timed(solver: str, seconds: list[list[float]]) -> Timed:
    """A rung with the times of each process, five rounds a batch."""
    pair: Any = SimpleNamespace(
        client=SimpleNamespace(solver=solver), configuration="default", ladder=SimpleNamespace(tols=(1e-6,))
    )
    item = Timed(pair, 0)
    for process, times in enumerate(seconds):
        for k, time in enumerate(times):
            row = {"seconds": time, "primal": 1.0, "cost": time, "process": process + 1}
            item.take(row, 1 + 5 * process + k)
    return item


QUIET = Noise(process=0.02, cell=0.04, single=0.05, dof=4.0, gate=2.0)
STEADY = [[1.0, 1.01, 0.99, 1.0, 1.0]] * 3
LOUD = [[1.0, 1.6, 0.7, 1.1, 1.3], [1.5, 1.4, 1.9, 1.2, 1.5], [0.8, 0.7, 0.9, 0.6, 0.8]]


def scaled(by: float) -> list[list[float]]:
    return [[by * time for time in times] for times in STEADY]


def test_the_width_wanted_finds_the_slowdown_wanted_nine_times_in_ten() -> None:
    error = NARROW / 1.959964
    assert math.log1p(SHOWN) / error == pytest.approx(1.959964 + 1.281552, rel=1e-5)


def test_nothing_is_decided_before_three_batches_but_who_is_clearly_outrun() -> None:
    fast, near, far = timed("a", STEADY), timed("b", scaled(1.1)), timed("c", scaled(3 * OUTRUN))
    assert due([fast, near, far], QUIET, BATCHES - 1) == [fast, near]
    assert due([fast, near, far], QUIET, BATCHES) == []
    assert due([fast], QUIET, 1) == [fast], "alone it has no ratio: it takes its three batches"


def test_a_loud_ratio_goes_on_with_both_of_its_solvers() -> None:
    fast, near, loud = timed("a", STEADY), timed("b", scaled(1.1)), timed("c", LOUD)
    assert set(map(id, due([fast, near, loud], QUIET, BATCHES))) == {id(fast), id(loud)}


@pytest.mark.parametrize("batches", range(1, BATCHES + 1))
def test_who_goes_on_is_decided_by_the_whole_interval_and_once_for_two_contests(batches: int) -> None:
    by = np.geomspace(0.5 * OUTRUN, 2 * OUTRUN, 9)
    contest = [timed("a", STEADY[:batches])]
    contest += [
        timed(f"b{k}", [list(each * np.array(one)) for one in LOUD[:batches]]) for k, each in enumerate(by)
    ]
    known: dict[tuple[Timed, Timed], bool] = {}
    wanted = due(contest, QUIET, batches, known)
    for item in contest[1:]:
        low, high = estimate([(item.timing, contest[0].timing)], QUIET).interval
        narrow = batches == BATCHES and math.log(high / low) / 2 <= NARROW
        assert (item in wanted) == (low <= OUTRUN and not narrow)
    assert len(known) == len(by)
    assert due(contest, QUIET, batches, dict.fromkeys(known, False)) == contest[: batches < BATCHES]


def test_a_twin_is_compared_with_its_solver_and_never_the_fastest() -> None:
    fast, slow = timed("a", STEADY), timed("b", scaled(3 * OUTRUN))
    twin = timed("b@twin", [[3 * OUTRUN * t for t in times] for times in LOUD])
    assert due([fast, slow, twin], QUIET, BATCHES) == [twin, slow]
    assert due([twin], QUIET, BATCHES) == []


def test_with_too_little_time_the_dear_ones_go() -> None:
    costs = [0.1, 0.1, 0.2, 5.0]
    assert affordable(costs, 100.0) == math.inf
    assert affordable(costs, 1.0) == pytest.approx(0.6)
    assert affordable(costs, 0.2) == pytest.approx(0.05)
    assert affordable([], 1.0) == math.inf


def test_batches_run_in_processes_of_their_own() -> None:
    rows: list[dict[str, Any]] = []
    cell = Cell("diabetes", "lasso", l1_ratio=10.0)
    plan = Plan("t", "t", [cell], ["cd_numpy", "fista_numpy"], 40.0, tols=(1e-3,), most_repeats=7)
    execute(plan, rows.append)
    repeats = [row for row in rows if row.get("phase") == "repeat"]
    for solver in plan.solvers:
        mine = [row for row in repeats if row["solver"] == solver]
        assert {row["round"]: row["process"] for row in mine} == {1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 6: 3}
    end = rows[-1]
    assert end["kind"] == "end"
    shares = [end[name] for name in WORDS]
    assert min(shares) >= 0
    assert sum(shares) == pytest.approx(end["elapsed"], abs=0.05), "all of it, and nothing twice"
    timed = [row["seconds"] for row in rows if row.get("phase") in ("ladder", "defaults", "repeat")]
    assert end["timed"] == pytest.approx(sum(timed))
    assert any(row["kind"] == "machine" for row in rows)


def test_all_that_the_page_of_the_headline_shows_is_timed_again() -> None:
    cell = Cell("diabetes", "lasso", l1_ratio=10.0)
    timed: dict[bool, set[int]] = {}
    for shown in (False, True):
        rows: list[dict[str, Any]] = []
        tols = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
        plan = Plan("t", "t", [cell], ["fista_numpy"], 40.0, tols=tols, most_repeats=2, defaults=False)
        execute(replace(plan, headline=shown), rows.append)
        timed[shown] = {row["rung"] for row in rows if row.get("phase") == "repeat"}
        results = [row for row in rows if row["kind"] == "result" and row["phase"] == "ladder"]
        page = {each["fista_numpy"] for each in _rungs(loosest(judge(results)))}
    assert timed[True] >= page
    assert timed[False] < timed[True], "its own bound reaches 1e-9 later than its answer does"


def _rungs(found: dict[tuple[str, float], dict[Contender, Result]]) -> list[dict[str, int]]:
    return [{who[1]: result.row["rung"] for who, result in each.items()} for each in found.values()]


def test_a_run_says_what_memory_it_took_and_is_ended_at_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "greedy.py").write_text(
        "import time\nimport numpy as np\n"
        "def some(X, y, l1, l2, tol):\n"
        "    np.ones(20_000_000)\n"
        "    return np.zeros(X.shape[1])\n"
        "def most(X, y, l1, l2, tol):\n"
        "    kept = []\n"
        "    while True:\n"
        "        kept.append(np.ones(5_000_000)); time.sleep(0.02)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    rows: list[dict[str, Any]] = []
    cell = Cell("diabetes", "lasso", l1_ratio=10.0)
    plan = Plan("t", "t", [cell], ["greedy:some", "greedy:most"], 60.0, tols=(1e-3,), most_repeats=1,
                memory=700_000_000)  # fmt: skip
    execute(plan, rows.append)
    (some,) = [row for row in rows if row.get("phase") == "ladder" and row["solver"] == "greedy:some"]
    (most,) = [row for row in rows if row.get("phase") == "ladder" and row["solver"] == "greedy:most"]
    assert some["status"] == "CONVERGED"
    if some["memory_before"] is not None:  # where the kernel tells
        assert some["memory_peak"] - some["memory_before"] > 150_000_000
    assert most["status"] == "MEMORY"
    assert "the limit is 0.70 GB" in most["message"]
    assert most["memory_peak"] > 700_000_000


def test_a_busy_machine_is_noticed() -> None:
    quiet = Look(anchor=1.0, slower=1.0, others=0.0, steal=0.0, load=0.1, frequency=None)
    assert quiet.words == ""
    for name, value, words in (
        ("slower", 1.2, "20 % slower"), ("others", 0.5, "0.50 cores busy"), ("steal", 0.3, "withholds 0.30"),
    ):  # fmt: skip
        assert words in Look(**{**vars(quiet), name: value}).words


def test_what_this_process_computes_is_not_called_others() -> None:
    watch = Watch()
    for _ in range(20):
        spin(300_000)
    look = watch.look()
    assert look.anchor > 0
    assert look.slower >= 1
    assert watch.summary()["looks"] == 1
    mine = Watch()
    mine._own = lambda: 0.0  # type: ignore[method-assign] as if it were another's
    for _ in range(20):
        spin(300_000)
    assert mine.look().others > SHOWN, "a core that is busy with something else is seen"
