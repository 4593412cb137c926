"""The relations on data that hypothesis draws, and on twins that are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers import Stop, entry
from verification import certify
from verification.checks.check import Subject, all_checks
from verification.checks.draws import bases, draw_kind
from verification.checks.twins import RELATIONS, Twin, compare

T = TypeVar("T")
all_checks()
SUBJECT = Subject(entry("cd_numpy"), stop=Stop(tol=1e-10))


class Drawn:
    """Choices made by hypothesis."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def whole(self, low: int, high: int) -> int:
        return int(self._data.draw(st.integers(low, high)))

    def one_of(self, options: Sequence[T]) -> T:
        chosen: T = self._data.draw(st.sampled_from(options))
        return chosen


@pytest.mark.parametrize("name", RELATIONS)
@settings(derandomize=True, max_examples=25, deadline=None, database=None)
@given(data=st.data())
def test_the_relation_holds_on_drawn_problems(name: str, data: Any) -> None:
    problem = draw_kind(Drawn(data)).problem()
    check = all_checks()[name]
    assert check.find_on is not None
    assert [failure.words for failure in check.find_on(SUBJECT, problem)] == []


# Taken back, an answer may be better than it was: what two copies cancel is penalised no more.
NO_WORSE = {"constant_column", "duplicate_column", "split_signs", "zero_column"}


@pytest.mark.parametrize("name", RELATIONS)
def test_twins_have_the_same_value_at_any_point(name: str) -> None:
    """What a relation rests on, without any solver: at any point P of the twin is P, times one factor.

    And N of the twin is no more than N times that factor, so a claim says no less there than here.
    """
    tried = 0
    rng = np.random.default_rng(0)
    for problem in bases():
        for twin in RELATIONS[name](problem):
            factors = []
            for _ in range(3):
                w = np.abs(rng.standard_normal(twin.problem.p)) * np.isfinite(twin.problem.v)
                b = float(rng.standard_normal()) * twin.problem.intercept
                there, here = certify(twin.problem, w, b), certify(problem, *twin.back(w, b))
                factors.append(there.primal / here.primal)
                tried += 1
            if name in NO_WORSE:
                assert min(factors) >= 1 - 1e-9
                assert there.scale == pytest.approx(here.scale, rel=1e-9)
            else:
                assert factors == pytest.approx([factors[0]] * 3, rel=1e-9)
                assert there.scale <= factors[0] * here.scale * (1 + 1e-9)
    assert tried > 2


def test_a_twin_that_is_none_is_found_out() -> None:
    for problem in bases():
        wrong = Twin(problem.replace(y=problem.y * 1.001))
        if problem.l1 > 0 and SUBJECT.entry.refuses(problem) is None:
            assert [*compare(SUBJECT, problem, [wrong])], problem.name
