"""A solver in a process of its own: what hangs, dies or raises is a report, and the next check runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from verification.checks.draws import BASES, Seeded, draw_kind
from verification.isolate import Isolated, Report, Spec
from verification.plain import from_plain, to_plain

PLANTED = """
import os
import signal
import time

import numpy as np

from solvers import Entry, Problem, Stop, entry
from solvers import solve as right
from verification.checks.check import Subject


def solution(X, y, l1, l2, tol, intercept):
    found = right(Problem(X, y, l1=l1, l2=l2, intercept=intercept), "cd_numpy", Stop(tol=tol))
    return found.coef, found.intercept


def honest(X, y, l1, l2, tol=1e-9, intercept=False):
    print("noise on stdout")
    return solution(X, y, l1, l2, tol, intercept)


def last_row_unseen(X, y, l1, l2, tol=1e-9, intercept=False):
    return solution(X[:-1], y[:-1], l1, l2, tol, intercept)


def hangs(X, y, l1, l2, tol=1e-9, intercept=False):
    time.sleep(1000)


def segfaults(X, y, l1, l2, tol=1e-9, intercept=False):
    os.kill(os.getpid(), signal.SIGSEGV)


def leaves(X, y, l1, l2, tol=1e-9, intercept=False):
    os._exit(0)


def made(name):
    return Subject(entry(name), {}, Stop(tol=1e-8))
"""


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted.py").write_text(PLANTED)
    monkeypatch.syspath_prepend(tmp_path)


def held(spec: Spec, *names: str, limit: float = 60.0) -> Iterator[Report]:
    with Isolated(spec) as process:
        for name in names:
            yield process.check(name, limit)


@pytest.mark.usefixtures("planted")
def test_an_honest_solver_holds_whatever_it_prints() -> None:
    for report in held(Spec("planted:honest"), "row_permutation", "response_sign"):
        assert report.holds, report
        assert report.runs["CONVERGED"] >= 10
        assert not set(report.runs) - {"CONVERGED", "REFUSED"}


@pytest.mark.usefixtures("planted")
def test_a_fault_is_found_and_comes_back_with_its_problem() -> None:
    (report,) = held(Spec("planted:last_row_unseen"), "row_permutation")
    assert report.status == "DONE"
    assert not report.holds
    assert report.count >= len(report.failures) > 0
    failure = report.failures[0]
    assert "apart, allowed" in failure.words
    assert failure.problem.digest == BASES[failure.problem.name].problem().digest
    with Isolated(Spec("planted:last_row_unseen")) as process:
        assert process.try_on("row_permutation", failure.problem).count > 0


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(
    ("function", "status", "words"),
    [
        ("hangs", "KILLED", "no answer within"),
        ("segfaults", "CRASHED", "SIGSEGV"),
        ("leaves", "CRASHED", "exit code 0"),
        ("absent", "FAILED", "AttributeError"),
    ],
)
def test_what_hangs_or_dies_takes_nothing_down(function: str, status: str, words: str) -> None:
    for report in held(Spec(f"planted:{function}"), "row_permutation", "column_permutation", limit=4.0):
        assert report.status == status
        assert words in report.words
        assert not report.holds


@pytest.mark.usefixtures("planted")
def test_a_factory_may_make_any_subject() -> None:
    (report,) = held(Spec(factory="planted:made", arguments=("ridge_numpy",)), "column_scale")
    assert report.holds
    assert report.runs["CONVERGED"] > 0
    assert report.runs["REFUSED"] > 0


def test_a_process_is_used_again_unless_a_fresh_one_is_asked_for() -> None:
    with Isolated(Spec("cd_numpy")) as process:
        for fresh, generation in ((False, 1), (False, 1), (True, 2)):
            assert process.check("response_sign", fresh=fresh).holds
            assert process._process.generation == generation


@pytest.mark.parametrize("k", range(20))
def test_a_problem_travels_bit_for_bit(k: int) -> None:
    problem = draw_kind(Seeded(f"travel {k}")).problem()
    assert from_plain(to_plain(problem)).digest == problem.digest
