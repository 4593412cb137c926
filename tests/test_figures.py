"""The figures of the proofs are those on record: see figures.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from figures import RECORD, of_problem, problems

PROBLEMS = problems()
CLOSE = 1e-6  # relative: another BLAS rounds the last digits otherwise
ROUGH = 1e-2  # of a radius, which is made of roundings


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_figures_are_those_on_record(name: str) -> None:
    expected = json.loads(RECORD.read_text(encoding="utf-8"))[name]
    found = json.loads(json.dumps(of_problem(PROBLEMS[name])))
    assert found.keys() == expected.keys()
    for about, figures in expected.items():
        assert {k: v for k, v in found[about].items() if not close(v, figures.get(k), k)} == {}, about


def close(a: Any, b: Any, name: str = "") -> bool:
    """Equal; for two floats, up to rounding."""
    if isinstance(a, float) and isinstance(b, float):
        return a == pytest.approx(b, rel=ROUGH if name == "radius" else CLOSE, abs=0.0)
    return bool(a == b)
