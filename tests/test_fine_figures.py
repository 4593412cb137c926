"""The figures of the steps inside the proofs are those on record: see fine_figures.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fine_figures import RECORD, constants, of_problem, plain, problems, reaches

PROBLEMS = problems()
CLOSE = 1e-9  # relative, and absolute where float64's own rounding is all there is: u is 2^-16 here


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_step_is_as_on_record(name: str) -> None:
    expected = json.loads(RECORD.read_text(encoding="utf-8"))[name]
    found = of_problem(PROBLEMS[name])
    assert found.keys() == expected.keys()
    wrong = {step for step, value in found.items() if not close(value, expected[step])}
    assert wrong == set()


def test_constants_are_as_on_record() -> None:
    assert constants() == json.loads(RECORD.read_text(encoding="utf-8"))["constants"]


def test_zeros_are_proven_as_far_from_the_optimum_as_on_record() -> None:
    assert close(plain(reaches()), json.loads(RECORD.read_text(encoding="utf-8"))["zeros"])


def close(a: Any, b: Any) -> bool:
    """Equal; floats up to rounding."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == pytest.approx(b, rel=CLOSE, abs=1e-13)
    return bool(a == b)
