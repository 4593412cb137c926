"""The measured rounds as tests: pytest-benchmark makes its statistics and its JSON of a worker's seconds."""

from __future__ import annotations

from typing import Any

import pytest

from bench.replay import Clock
from bench.report import Report
from bench.report.model import Outcome

CLOCK = Clock()


def worker_seconds() -> float:
    """Show what a worker measured."""
    return CLOCK.now


@pytest.mark.benchmark(timer=worker_seconds, disable_gc=False)
def test_time(timed: tuple[Outcome, float], benchmark: Any) -> None:
    """Replay the rounds of one (cell, solver, tier)."""
    outcome, tier = timed
    timing = outcome.timings[tier]
    benchmark.group = f"{outcome.cell} {tier:g}"
    benchmark.extra_info.update(
        cell=outcome.cell,
        solver=outcome.solver,
        tier=tier,
        tol=timing.tol,
        configuration=timing.configuration,
        suboptimality=outcome.best,
    )
    benchmark.pedantic(
        CLOCK.rounds(timing.rounds), setup=CLOCK.rewind, rounds=len(timing.rounds), iterations=1
    )


def test_no_wrong_claim_by_ours(report: Report) -> None:
    """A verdict against one of our solvers fails the session."""
    ours = {name: why for name, why in report.wrong.items() if report.solvers[name].own}
    assert not ours, ours
