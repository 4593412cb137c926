"""The page of times: what counts as reached, whom we are compared with, and what is said of a loss."""

from __future__ import annotations

from typing import Any

import pytest

from bench.floors import floor
from bench.growth import growth
from bench.headline import headline
from bench.performance import page
from verification.problems.suites import headline as headline_cells

CELL = "wide_large/lasso/l1_max:10"
HEAD = {
    "kind": "run", "run": "r", "cells": [{"name": CELL}, {"name": "path"}],
    "commit": "0" * 40, "cpu": "a cpu", "budget": 60.0,
}  # fmt: skip


def row(solver: str, seconds: float, above: float, gap: float, **more: Any) -> dict[str, Any]:
    """One answer `above` the optimum 1.0, that proves a gap of `gap`; N = 1."""
    return {
        "kind": "result", "phase": "ladder", "cell": CELL, "digest": "d", "solver": solver,
        "configuration": "default", "own": not solver.startswith("peer_"), "claims_gap": False,
        "rung": 0, "tol": 1e-9, "round": 0, "seconds": seconds, "status": "CONVERGED", "message": "",
        "primal": 1.0 + above, "dual": 1.0 + above - gap, "gap": gap, "radius": 0.0, "scale": 1.0,
        "support": 0, "l1": 0.1, "l2": 0.0, "job": "solve",
    } | more  # fmt: skip


EXACT = row("active_set_numba", 0.02, 0.0, 0.0, message="X read 3.25 times")


def test_the_best_peer_is_the_fastest_of_those_that_reach_the_accuracy() -> None:
    rows = [
        HEAD,
        EXACT,
        row("peer_a", 0.001, 1e-5, 1.0),  # fast, not accurate
        row("peer_b", 0.05, 1e-10, 1e-5),  # accurate, but its own dual point proves little
        row("cd_numba", 0.002, 0.0, 0.0),  # ours too, so no peer
        {"kind": "floor", "cell": CELL, "reads_seconds": 0.004, "gram_seconds": 0.001},
    ]
    found = headline(rows)
    assert found.ratio("suboptimality", 1e-4, CELL) == pytest.approx(20)
    assert found.ratio("suboptimality", 1e-9, CELL) == pytest.approx(0.4)
    assert found.ratio("self-certified", 1e-9, CELL) is None
    assert found.passes == {CELL: 3.25}
    assert found.floor(CELL) == pytest.approx(0.005)
    assert found.bar(CELL) == pytest.approx(0.9)
    assert found.before_anyone() == (0, 1)
    assert "A peer wins" not in page(found, "r")
    first = f"**A peer is first** on {CELL} at 1e-4 by suboptimality: peer_a, ours takes 20.00 times as long."
    assert first in page(found, "r")


def test_a_loss_is_said_first_and_a_median_is_taken_over_the_rounds() -> None:
    faster = [row("peer_a", s, 0.0, 0.0, phase=phase) for s, phase in ((0.5, "ladder"), (0.01, "repeat"))]
    rows = [HEAD, EXACT, *faster, row("peer_a", 0.01, 0.0, 0.0, phase="repeat", round=2)]
    found = headline(rows)
    assert found.peers["suboptimality", 1e-9, CELL].seconds == 0.01
    verdict = page(found, "r").split("## The verdict")[1].strip()
    assert verdict.startswith(f"- **A peer wins** on {CELL}: peer_a, ours takes 2.00 times as long.")


def test_the_loosest_rung_counts_and_not_the_luckiest() -> None:
    rungs = [(0, 1e-2, 1e-3, 0.01), (1, 1e-6, 1e-10, 0.05), (2, 1e-12, 0.0, 0.03)]
    rows = [row("peer_a", seconds, above, above, rung=rung, tol=tol) for rung, tol, above, seconds in rungs]
    found = headline([HEAD, EXACT, *rows])
    assert found.peers["suboptimality", 1e-9, CELL].seconds == 0.05
    assert found.peers["suboptimality", 1e-13, CELL].seconds == 0.03
    other = row("peer_a", 0.04, 0.0, 0.0, rung=2, tol=1e-12, configuration="another")
    assert headline([HEAD, EXACT, *rows, other]).peers["suboptimality", 1e-9, CELL].seconds == 0.04


def test_a_path_counts_only_if_every_point_does() -> None:
    def path(solver: str, seconds: float, above: float) -> dict[str, Any]:
        points = {"primal": [1.0, 1.0 + above], "dual": [1.0, 1.0], "gap": [0.0, above]}
        points |= {"radius": [0.0, 0.0], "scale": [1.0, 1.0], "support": [0, 0]}
        of_points = {"statuses": ["CONVERGED"] * 2, "claimed_gaps": [None] * 2, "l1s": [0.2, 0.1]}
        more = {"kind": "path", "job": "path", "points": points, "answer": f"{solver} {above}"} | of_points
        return row(solver, seconds, 0.0, 0.0, cell="path", **more)

    rows = [HEAD, path("active_set_numba", 0.1, 1e-10), path("peer_a", 0.01, 1e-4), path("peer_b", 0.4, 1e-7)]
    ours, peer = headline(rows).paths["path"]
    assert ours is not None
    assert peer is not None
    assert peer.solver == "peer_b"
    assert headline(rows).path_mean() == (pytest.approx(0.25), 1)
    assert "Single paths above" not in page(headline(rows), "r")
    slow = headline([HEAD, path("active_set_numba", 0.3, 1e-10), path("peer_b", 0.4, 1e-7)])
    assert "- Single paths above 0.5: path (0.75)." in page(slow, "r")
    sloppy = [HEAD, path("active_set_numba", 0.1, 1e-8), path("peer_b", 0.4, 1e-7)]
    assert headline(sloppy).paths["path"][0] is None


def test_growth_is_told_with_its_exponents_and_peers_that_win_first() -> None:
    def at(p: int, solver: str, seconds: float) -> dict[str, Any]:
        case = f"scaling_500x{p}"
        about = {"case": case, "regime": "wide", "penalty": "lasso", "n": 500, "p": p, "nnz": 500 * p}
        more = {"cell": f"{case}/lasso/l1_max:10", "suite": "scaling", "digest": case, "support": 7}
        more |= {"gap_rel": 0.0, "false_features": None}
        return row(solver, seconds, 0.0, 0.0, **about, **more)

    sizes = {1000: (0.01, 0.1), 10000: (0.1, 0.09), 100000: (1.0, None)}
    rows: list[dict[str, Any]] = []
    for p, (ours, peer) in sizes.items():
        rows.append(at(p, "active_set_numba", ours))
        if peer is not None:
            rows.append(at(p, "peer_a", peer))
    solvers = [
        {"kind": "solver", "solver": name, "own": name == "active_set_numba", "package": None}
        for name in ("active_set_numba", "peer_a")
    ]
    cells = [{"name": r["cell"]} for r in rows]
    head = HEAD | {"cells": list({c["name"]: c for c in cells}.values())}
    grown = growth([head, *solvers, *rows])
    assert grown.entries["scaling_500x1000/lasso/l1_max:10"] == 500_000
    assert set(grown.supports.values()) == {7}
    (fitted,) = grown.exponents
    assert fitted[:2] == ["active_set_numba", "1.00"]
    text = page(headline([HEAD, EXACT]), "r", grown).split("## How the cost grows")[1]
    lost = "- **A peer wins** on scaling_500x10000/lasso/l1_max:10: peer_a, ours takes 1.11 times as long."
    assert text.index(lost) < text.index("Geometric mean of the ratio at 1e-9 by suboptimality: 0.33 over 2")
    assert "No peer has a time at 1e-9 on scaling_500x100000/lasso/l1_max:10." in text
    assert "| `scaling_500x*/lasso/l1_max:10` | p | 1.00 (" in text


def test_a_floor_is_two_reads_and_the_gram_matrix_of_the_support() -> None:
    cell = next(cell for cell in headline_cells() if cell.case == "diabetes2")
    problem = cell.problem()
    coef = [1.0] * 3 + [0.0] * (problem.p - 3)
    found = floor(problem, coef)  # type: ignore[arg-type]
    assert found["support"] == 3
    assert 0 < found["gram_seconds"] < 1
    assert 0 < found["reads_seconds"] < 1
