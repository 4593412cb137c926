"""The page that says which solver for what: printed between markers, the same however often."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.report import build
from bench.report.choose import BEGIN, END, choice, placed
from verification.problems.cells import Cell


def test_the_page_is_printed_between_its_markers_again_and_again() -> None:
    page = (Path(__file__).parent.parent / "docs" / "choose.md").read_text(encoding="utf-8")
    once = placed(page, "| a |\n")
    assert placed(once, "| a |\n") == once
    assert placed(once, "").split(BEGIN)[0] == page.split(BEGIN)[0]
    assert f"{BEGIN}| a |\n{END}" in once
    assert "python -m bench choose" in page
    with pytest.raises(ValueError, match="once each"):
        placed("no markers", "x")


def test_the_fastest_of_two_is_named_with_the_ratio_and_refusals_with_their_reason() -> None:
    cell = Cell("diabetes", "lasso", l1_ratio=10.0)
    head = {"kind": "run", "run": "t", "suite": "t", "longest": 1.0, "cells": [cell.to_dict()]}
    shared = {
        "kind": "result", "run": "t", "cell": cell.name, "case": "diabetes", "regime": "small",
        "penalty": "lasso", "n": 442, "p": 10, "nnz": 4420, "digest": "d", "l1": 1.0, "l2": 0.0,
        "configuration": "default", "own": True, "claims_gap": True, "tol": 1e-10, "rung": 0, "round": 0,
        "phase": "ladder", "status": "CONVERGED", "message": "", "claimed_gap": 1e-12, "primal": 1.0,
        "dual": 1.0, "gap": 0.0, "gap_rel": 0.0, "radius": 1e-16, "scale": 1.0, "false_features": 0,
        "support": 3, "process": 1, "at": 1,
    }  # fmt: skip
    none = dict.fromkeys(("primal", "dual", "gap", "gap_rel", "radius", "seconds"))
    rows = [head]
    for name, columns in (
        ("quick", {"seconds": 0.1}),
        ("slow", {"seconds": 0.4}),
        ("shy", none | {"status": "REFUSED", "message": "shy: does not do an L1 penalty"}),
    ):
        rows += [{"kind": "solver", "solver": name, "own": True}, shared | {"solver": name} | columns]
    said = choice(build(rows))
    assert "| small | 442 x 10 | lasso | 1e-9 | quick | 1 of 1 | slow ~4.00x |" in said
    assert "- shy: does not do an L1 penalty (1 cells)" in said
