"""Every solver against every other: within what their certificates allow; and what cvxpy's solvers report."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from solvers import Problem, Stop, catalogue
from solvers._cvxpy_model import model
from verification import certify
from verification.checks.crosscheck import Point, agreement, breaches, matrix, table
from verification.checks.draws import BASES, Kind
from verification.checks.judging import objective
from verification.problems import cases
from verification.problems.cells import grid
from verification.proofs.exact import optimum
from verification.trials import attempt, rows

SLOW = {"cvxpy_osqp", "cvxpy_scs", "ista_numpy", "cd_numpy", "lbfgsb_scipy"}  # beyond a few hundred entries
CASES = [name for name, case in cases("real", full=False).items() if math.prod(case.shape or ()) < 30_000]
TIER = 1e-6
# What each is asked for, well within the tier: their defaults are 1e-3 and 1e-4
ASKED: dict[str, dict[str, object]] = {
    "cvxpy_clarabel": {},
    "cvxpy_osqp": {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iter": 1_000_000, "polishing": True},
    "cvxpy_scs": {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iters": 1_000_000},
}


def points_of(problem: Problem, names: list[str], tol: float = 1e-9) -> list[Point]:
    found = []
    for name in names:
        entry = catalogue()[name]
        solution = attempt(entry, problem, Stop(tol=tol, time_limit=0.5), {}).solution
        if solution is not None:
            certificate = certify(problem, solution.coef, solution.intercept)
            found.append(Point(name, solution.coef, solution.intercept, certificate))
    return found


@pytest.mark.parametrize("name", BASES)
def test_all_pairs_agree_on_the_fixed_problems(name: str) -> None:
    problem = BASES[name].problem()
    shares = agreement(problem, points_of(problem, [name for name in catalogue() if name != "cvxpy_osqp"]))
    assert len(shares) >= 6
    assert {pair: share for pair, share in shares.items() if share > 1} == {}


@pytest.mark.parametrize("name", CASES)
def test_all_pairs_agree_on_each_case(name: str) -> None:
    solvers = [solver for solver in catalogue() if solver not in SLOW]
    compared = 0
    for cell in grid(name, (10.0,), ("lasso", "ridge"), (True,), ridge_ratios=(0.1,)):
        problem = cell.problem()
        shares = agreement(problem, points_of(problem, solvers))
        compared += len(shares)
        assert {pair: share for pair, share in shares.items() if share > 1} == {}
    assert compared > 5


def test_a_certificate_that_promises_too_much_is_convicted() -> None:
    problem = Kind(32, 8, "lasso", 10, intercept=True).problem()
    best = optimum(problem)
    honest = Point("a", best.coef, best.intercept, certify(problem, best.coef, best.intercept))
    off = best.coef + 1e-3
    forged = Point("b", off, best.intercept, honest.certificate)
    shares = agreement(problem, [honest, forged])
    assert shares["a", "b"] > 1
    row = {"kind": "agreement", "cell": "here", "pairs": [["a", "b", shares["a", "b"]]]}
    (words,) = breaches(matrix([row]))
    assert words.startswith("the verifier contradicts itself: certificates of a and b on here")


def test_the_matrix_keeps_the_worst_share_and_counts_cells() -> None:
    def row(cell: str, share: float) -> dict[str, object]:
        return {"kind": "agreement", "cell": cell, "pairs": [["a", "b", share], ["a", "c", 0.0]]}

    found = matrix([row("one", 0.25), {"kind": "result"}, row("two", 0.5), row("three", 0.1)])
    assert (found["a", "b"].share, found["a", "b"].cell, found["a", "b"].cells) == (0.5, "two", 3)
    names, square = table(found)
    assert names == ["a", "b", "c"]
    assert square == [["", "50", "0"], ["3", "", ""], ["3", "", ""]]


def test_each_cell_ends_with_the_agreement_of_its_answers() -> None:
    cells = grid("diabetes", (10.0,), ("lasso",), (False, True))
    entries = [catalogue()[name] for name in ("cd_numpy", "active_set_numba", "ridge_numpy")]
    found = list(rows(cells, entries, Stop(tol=1e-9)))
    assert [row["kind"] for row in found] == ["result", "result", "result", "agreement"] * 2
    for row in found[3::4]:
        ((a, b, share),) = row["pairs"]
        assert (a, b) == ("cd_numpy", "active_set_numba")
        assert 0 <= share <= 1


@pytest.mark.parametrize("name", [name for name in catalogue() if name.startswith("cvxpy_")])
@pytest.mark.parametrize("penalty", ["lasso", "ridge", "enet", "ols"])
def test_what_a_conic_solver_reports_is_p_in_exact_rationals(name: str, penalty: str) -> None:
    """Its own optimal value, P(w) of its coefficients and the exact optimum: one number, to the tier 1e-6."""
    import cvxpy as cp

    for options in ({}, {"intercept": True}, {"weighted": True, "intercept": True}, {"positive": True}):
        problem = Kind(16, 5, penalty, 10, v=penalty != "ols", **options).problem()
        written = model(problem)
        written.task.solve(solver=name.removeprefix("cvxpy_").upper(), **ASKED[name])
        assert written.task.status == cp.OPTIMAL
        reported = float(written.task.value) * written.y_unit**2 / 2
        solution = written.solution(None, 0, "")  # type: ignore[arg-type]
        coef = [Fraction(x) for x in solution.coef.tolist()]
        exact = objective(problem, coef, Fraction(solution.intercept))
        best = optimum(problem)
        scale = certify(problem, best.coef, best.intercept).scale
        figures = sorted((reported, float(exact), best.value))
        assert all(b - a <= TIER * scale for a, b in pairwise(figures)), figures
        assert Fraction(best.value_low) <= exact
        assert np.isfinite(solution.coef).all()
