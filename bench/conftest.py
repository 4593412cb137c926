"""`pytest bench/` measures live; --replay=RUN takes the rounds of a record instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.report import Report, read_report
from bench.run import RESULTS, find, measure, solver_names
from bench.suites import cells_of

RECORD = pytest.StashKey[Path]()
REPORT = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """What to measure, or which record to replay."""
    group = parser.getgroup("bench", "time at the same proven accuracy")
    group.addoption("--replay", metavar="RUN", help="replay the rounds of a record instead of measuring")
    group.addoption("--suite", default="smoke", help="smoke, quick or full (default: smoke)")
    group.addoption("--solvers", help="names separated by commas (default: all)")
    group.addoption("--data", help="your own data file in place of the suite's")
    group.addoption("--budget", type=float, help="seconds for everything (default: the suite's)")


def told(config: pytest.Config) -> Report:
    """Return the report to make tests of: of a record, or measured now, once."""
    if REPORT not in config.stash:
        run = config.getoption("--replay")
        if run is None:
            suite, cells = cells_of(config.getoption("--suite"), config.getoption("--data"))
            names = solver_names(config.getoption("--solvers"))
            path = measure(suite, cells, names, budget=config.getoption("--budget"))
        else:
            path = find(run, RESULTS)
        config.stash[RECORD] = path
        config.stash[REPORT] = read_report(path)
    return config.stash[REPORT]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each (cell, solver, tier) that has a time, which is known once it is measured."""
    if "timed" not in metafunc.fixturenames:
        return
    if metafunc.config.getoption("collectonly"):
        metafunc.parametrize("timed", [])
        return
    report = told(metafunc.config)
    timed = [
        pytest.param((outcome, tier), id=f"{outcome.cell}-{outcome.solver}-{tier:g}")
        for outcome in report.outcomes.values()
        for tier in outcome.timings
    ]
    metafunc.parametrize("timed", timed)


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """Return the judged record of this session."""
    return told(request.config)
