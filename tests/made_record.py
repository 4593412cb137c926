"""A record made up for tests of reports: three cells, any solvers, accuracies and times as told."""

from __future__ import annotations

from typing import Any

from bench.report import Report, build

CELLS = {"a/lasso/l1_max:10": "wide", "b/lasso/l1_max:10": "wide", "c/ridge/l2_ref_x1": "tall"}


def head() -> dict[str, Any]:
    cells = [{"name": name} for name in CELLS]
    return {
        "kind": "run", "run": "r", "longest": 10.0, "suite": "made | <up>", "summary": "of nothing",
        "cells": cells, "budget": 10.0, "seed": 0, "started": "now", "cpu": "abacus", "cores_allowed": 2,
        "memory_gb": 1.0,
        "os": "os", "threads": 1, "python": "3", "implementation": "C", "packages": {"numpy": "2"},
        "commit": "0", "dirty": True, "load": 0.0, "argv": ["run", "--cells", "a/*"],
    }  # fmt: skip


def solver(name: str) -> dict[str, Any]:
    own = not name.startswith("peer_")
    return {
        "kind": "solver", "run": "r", "solver": name, "own": own, "package": None, "package_version": "own",
        "summary": "", "claims_gap": own, "configurations": {"default": "{}", "other": "{'x': 1}"},
    }  # fmt: skip


def row(name: str, cell: str, gap: float | None, seconds: float | None, **more: Any) -> dict[str, Any]:
    """One result: an answer whose gap, and suboptimality against a dual bound of 1, is `gap`."""
    own = not name.startswith("peer_")
    primal = None if gap is None else 1.0 + gap
    certificate = {
        "primal": primal, "dual": None if gap is None else 1.0, "gap": gap, "gap_rel": gap, "radius": 0.0,
        "scale": 1.0, "kkt": 0.0, "support": 5, "implied_l1": None, "implied_l2": None, "implied_off": None,
        "implied_gain": None, "false_features": 0,
    }  # fmt: skip
    about = {
        "kind": "result", "run": "r", "suite": "s", "cell": cell, "case": cell[0], "regime": CELLS[cell],
        "penalty": cell.split("/")[1], "digest": cell, "n": 3, "p": 4, "nnz": 12, "dtype": "float64",
        "solver": name, "configuration": "default", "own": own, "claims_gap": own,
    }  # fmt: skip
    outcome = {
        "phase": "ladder", "rung": 0, "tol": 1e-6, "round": 0, "status": "CONVERGED", "message": "",
        "n_iter": 1, "claimed_gap": gap, "setup_seconds": 0.0, "run_seconds": seconds, "seconds": seconds,
    }  # fmt: skip
    return about | outcome | (dict.fromkeys(certificate) if gap is None else certificate) | more


def told(*rows: dict[str, Any]) -> Report:
    names = dict.fromkeys(r["solver"] for r in rows if r["kind"] == "result")
    return build([head(), *map(solver, names), *rows])
