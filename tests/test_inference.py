"""What a ratio of times shows: false alarms and power of the rule on simulated runs; what it is free of."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.inference import Estimate, Finding, decide, difference, estimate, holm, log_ratios
from bench.noise import ASSUMED, DOF, Noise, Twins, fit, noise_for
from bench.overall import shifted_geometric_mean
from bench.report.model import Timing
from bench.shares import Share

PROCESSES, ROUNDS, CELLS = 3, 10, 6
# What is simulated: noise between processes, between cells in a process, and from round to round.
SHARED, ALONE, ROUND = 0.015, 0.04, 0.12
BOTH = math.sqrt(2)  # of two solvers; 1.6 is for a median in place of a mean, and for outliers
NOISE = Noise(BOTH * SHARED, BOTH * ALONE, 1.6 * BOTH * ROUND, dof=6.0, gate=2.0)


def timing(seconds: list[float], processes: list[int] | None = None, first: int = 1) -> Timing:
    turns = range(first, first + len(seconds))
    return Timing(tuple(seconds), "default", 1e-6, tuple(processes or [1] * len(seconds)), tuple(turns))


def simulate(
    rng: np.random.Generator, slower: float = 0.0, cells: int = CELLS
) -> list[tuple[Timing, Timing]]:
    """Two solvers in a run: process effects, lognormal rounds, a drift of a third, one outlier in eight."""
    processes = [1 + turn // ROUNDS for turn in range(PROCESSES * ROUNDS)]
    drift = 0.3 * np.sin(np.linspace(0, rng.uniform(2, 9), len(processes)))  # the machine's, so of both
    shared = rng.normal(0, SHARED, (2, PROCESSES))
    pairs = []
    for _ in range(cells):
        level = math.log(rng.uniform(1e-3, 1e-2))
        alone = rng.normal(0, ALONE, (2, PROCESSES))
        times = []
        for who in range(2):
            offset = np.repeat(shared[who] + alone[who], ROUNDS)
            logs = level + drift + offset + rng.normal(0, ROUND, offset.size)
            logs += (rng.random(offset.size) < 1 / 8) * rng.exponential(0.5, offset.size)
            times.append(np.exp(logs + (math.log1p(slower) if who == 0 else 0.0)))
        pairs.append((timing(list(times[0]), processes), timing(list(times[1]), processes)))
    return pairs


# -- the rule, by simulation -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def decisions() -> dict[float, tuple[list[Finding], list[Finding], list[dict[int, Finding]]]]:
    """By slowdown: the decisions on the suite, on a cell alone, and on all cells together."""
    rng = np.random.default_rng(6)
    found = {}
    for slower, runs in ((0.0, 400), (0.15, 200)):
        suite, alone, together = [], [], []
        for _ in range(runs):
            pairs = simulate(rng, slower)
            suite.append(estimate(pairs, NOISE).finding())
            by_cell = {k: estimate([pair], NOISE) for k, pair in enumerate(pairs)}
            alone.append(by_cell[0].finding())
            together.append(decide(by_cell))
        found[slower] = (suite, alone, together)
    return found


def test_false_alarms_are_at_most_five_percent(decisions) -> None:  # type: ignore[no-untyped-def]
    suite, alone, together = decisions[0.0]
    for findings in (
        suite,
        alone,
        [next((f for f in d.values() if f is not Finding.NONE), Finding.NONE) for d in together],
    ):
        alarms = Share(sum(found is not Finding.NONE for found in findings), len(findings))
        assert alarms.interval[0] <= 0.05, alarms
        assert alarms.value <= 0.06, alarms


def test_slowdowns_of_15_percent_are_found(decisions) -> None:  # type: ignore[no-untyped-def]
    suite, alone, together = decisions[0.15]
    assert suite.count(Finding.SLOWER) >= 0.99 * len(suite)
    assert alone.count(Finding.SLOWER) > 0
    assert Finding.FASTER not in [*suite, *alone, *(f for found in together for f in found.values())]


def test_one_in_twenty_is_no_gate() -> None:
    """What the rule is better than: intervals of the rounds alone, blind to processes, cry wolf."""
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(200):
        (first, second), *_ = simulate(rng, cells=1)
        one = [replace(t, processes=(1,) * len(t.rounds)) for t in (first, second)]
        logs = log_ratios(*one)[0][:ROUNDS]  # one process
        alarms += abs(np.mean(logs)) > 1.96 * np.std(logs, ddof=1) / math.sqrt(ROUNDS)
    assert alarms / 200 > 0.08


def twins(rng: np.random.Generator, cells: int = 8, rounds: int = 9, loud: float = 0.0) -> Twins:
    """A solver and its twin in a run; with `loud`, the variances scatter like an inverse chi-square of 5."""
    shared = rng.normal(0, 0.03, PROCESSES)
    some = []
    for _ in range(cells):
        scale = 1.0 + loud * (math.sqrt(5 / rng.chisquare(5)) - 1.0)
        alone = shared + rng.normal(0, 0.05, PROCESSES)
        some.append([scale * (level + rng.normal(0, 0.1, rounds)) for level in alone])
    return some


def test_the_fit_recovers_the_noise() -> None:
    rng = np.random.default_rng(8)
    noise = fit([twins(rng) for _ in range(400)])
    assert noise.process == pytest.approx(0.03, rel=0.15)
    assert noise.single == pytest.approx(0.1, rel=0.05)
    # A median's variance is half as much again as a mean's (of nine): what that adds is counted to the cell.
    assert noise.cell**2 == pytest.approx(0.05**2 + 0.1**2 * (1.5 - (9 - 1.5) / (9 - 1)) / 9, rel=0.1)
    assert noise.dof > 20, "all cells have the same variance"
    assert noise.gate == pytest.approx(1.96, rel=0.1)
    assert 3 < fit([twins(rng, loud=1.0) for _ in range(100)]).dof < 9


def test_the_fit_of_little() -> None:
    rng = np.random.default_rng(9)
    one_cell = fit([twins(rng, cells=1) for _ in range(9)])
    assert one_cell.process == 0.0, "one cell says nothing of what is shared"
    assert fit([twins(rng, rounds=1) for _ in range(9)]).single == 0.0, "nor one round of single rounds"
    assert DOF[0] <= fit([[[np.array([1e-9])], [np.array([1.0])]]]).dof <= DOF[1]


# -- what a ratio is free of -----------------------------------------------------------------------


def test_a_ratio_does_not_depend_on_the_machine_nor_on_who_comes_first() -> None:
    pairs = simulate(np.random.default_rng(1), 0.1)
    found = estimate(pairs, NOISE)
    scaled = [tuple(replace(t, rounds=tuple(7.0 * s for s in t.rounds)) for t in pair) for pair in pairs]
    assert estimate(scaled, NOISE).log == pytest.approx(found.log)  # type: ignore[arg-type]
    assert estimate(scaled, NOISE).se == pytest.approx(found.se)  # type: ignore[arg-type]
    swapped = estimate([(b, a) for a, b in pairs], NOISE)
    assert swapped.log == pytest.approx(-found.log)
    assert swapped.se == pytest.approx(found.se)
    assert swapped.interval[0] == pytest.approx(1 / found.interval[1])
    assert estimate(pairs, NOISE) == found, "seeded"


def test_a_drift_of_the_machine_leaves_no_trace() -> None:
    rng = np.random.default_rng(2)
    first, second = simulate(rng, cells=1)[0]
    drift = np.exp(np.linspace(0, 3, len(first.rounds)))
    slowed = [replace(t, rounds=tuple(np.array(t.rounds) * drift)) for t in (first, second)]
    assert estimate([(slowed[0], slowed[1])]).log == pytest.approx(estimate([(first, second)]).log)


def test_an_outlier_moves_nothing() -> None:
    same = timing([1.0] * 7)
    hit = timing([1.0] * 6 + [50.0])
    assert estimate([(hit, same)]).log == 0.0


def test_rounds_are_compared_with_those_of_the_same_number() -> None:
    first = timing([9.0, 2.0, 4.0], first=0)  # the ladder's, then two repeats
    second = timing([1.0, 1.0, 2.0, 8.0], first=0)
    assert [list(np.exp(logs)) for logs in log_ratios(first, second)] == [pytest.approx([2.0, 2.0])]
    assert np.exp(log_ratios(timing([3.0], first=0), second)[0]) == pytest.approx([3.0])
    assert np.exp(log_ratios(timing([3.0], first=7), second)[0]) == pytest.approx([1.5]), "of repeats"
    blocks = log_ratios(timing([1.0] * 4, [1, 1, 2, 2]), timing([1.0] * 4, [1, 1, 1, 2]))
    assert [block.size for block in blocks] == [2, 1, 1], "a worker that started anew is another process"


def test_one_process_or_one_round_says_little() -> None:
    first, second = timing([1.3] * 5), timing([1.0] * 5)
    one = estimate([(first, second)])
    assert one.processes == 1
    assert one.se == pytest.approx(math.sqrt(ASSUMED.variance(1, 1, 5)))
    single = estimate([(timing([9.0]), timing([1.0]))])
    assert single.finding() is Finding.NONE
    assert single.ratio == pytest.approx(9.0)


def test_more_processes_and_cells_narrow_the_interval() -> None:
    pairs = simulate(np.random.default_rng(3))
    assert estimate(pairs, NOISE).se < estimate(pairs[:1], NOISE).se
    assert NOISE.least(6, 3, 10) < NOISE.least(1, 3, 10) < NOISE.least(1, 1, 10) < NOISE.least(1, 1, 1)


# -- decisions -------------------------------------------------------------------------------------


def at(ratio: float, se: float = 0.02, **more: float) -> Estimate:
    given = {"dof": 10.0, "cells": 1, "processes": 3, "rounds": 30, "gate": 1.05} | more
    return Estimate(math.log(ratio), se, **given)  # type: ignore[arg-type]


def test_a_difference_is_beyond_the_gate_and_beyond_chance() -> None:
    assert at(1.2).finding() is Finding.SLOWER
    assert at(1 / 1.2).finding() is Finding.FASTER
    assert at(1.2, se=0.2).finding() is Finding.NONE, "chance"
    assert at(1.04, se=0.001).finding() is Finding.NONE, "sure, but identical code differs as much"
    assert at(1.0, se=0.0).p == 1.0
    assert at(1.2, se=0.0).p == 0.0
    low, high = at(1.2).interval
    assert low < 1.2 < high
    assert Finding.NONE.value == "no difference shown"


def test_many_decisions_are_corrected() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
    one = at(1.06, se=0.024)
    assert decide({"a": one})["a"] is Finding.SLOWER
    assert set(decide({k: one for k in range(20)}).values()) == {Finding.NONE}


def test_the_difference_of_two_runs_is_wider_than_either() -> None:
    found = difference(at(1.2), at(1.1, se=0.03))
    assert found.ratio == pytest.approx(1.2 / 1.1)
    assert found.se == pytest.approx(math.hypot(0.02, 0.03))
    assert 10 <= found.dof <= 20
    assert found.gate > 1.05
    assert difference(at(1.2), at(1.1), apart=2.0).se == pytest.approx(2 * math.hypot(0.02, 0.02))


def test_shares_have_exact_intervals() -> None:
    assert Share(0, 100).interval == pytest.approx((0.0, 0.0362), abs=1e-4)
    assert Share(5, 100).interval == pytest.approx((0.0164, 0.1128), abs=1e-4)
    assert Share(60, 60).interval == pytest.approx((0.9404, 1.0), abs=1e-4)
    assert Share(0, 0).interval == (0.0, 1.0)
    assert Share(1, 4).percent.startswith("1 of 4: 25.0 (")
    for count, of in ((3, 40), (12, 12)):  # the definition: tails of exactly 2.5 %
        from scipy.stats import binom

        low, high = Share(count, of).interval
        assert binom.sf(count - 1, of, low) == pytest.approx(0.025)
        assert count == of or binom.cdf(count, of, high) == pytest.approx(0.025)


def test_a_calibration_is_chosen_by_the_processor(tmp_path: Path) -> None:
    assert noise_for("abacus", tmp_path).noise == ASSUMED
    assert "assumed" in noise_for("abacus", tmp_path).source
    for name, cpu, started, gate in (("a", "abacus", "2026-01-01", 2.1), ("b", "loom", "2026-02-02", 2.2)):
        (tmp_path / f"{name}.json").write_text(
            f'{{"cpu": "{cpu}", "started": "{started}", "decisions": 7,'
            ' "noise": {"process": 0.01, "cell": 0.02, "single": 0.1, "dof": 5.0, "apart": 1.2,'
            f' "gate": {gate}}},'
            ' "gates": {"memory": 1.01}}'
        )
    assert noise_for("abacus", tmp_path).noise.gate == 2.1
    assert noise_for("abacus", tmp_path).same_machine
    other = noise_for("quipu", tmp_path)
    assert other.noise.gate == 2.2
    assert "on another processor (loom)" in other.source


def test_a_shift_hides_no_slowdown() -> None:
    before = [0.010] * 10
    after = [0.050] * 9 + [0.010]
    ours = shifted_geometric_mean(after, 0.010) / shifted_geometric_mean(before, 0.010)
    assert ours > 3.5
    ten = [math.exp(np.mean(np.log(np.array(t) + 10.0))) - 10.0 + 10.0 for t in (before, after)]
    assert ten[1] / ten[0] < 1.01
