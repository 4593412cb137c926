from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from solvers import Problem
from verification import Outcome, certify, judge

rng = np.random.default_rng(0)
X = rng.standard_normal((40, 12))
Y = X @ rng.standard_normal(12) + rng.standard_normal(40)


def lasso(l1: float, l2: float = 0.0) -> Problem:
    return Problem(X, Y, l1=l1, l2=l2, intercept=True)


def solved(problem: Problem, sweeps: int = 300) -> tuple[NDArray[np.float64], float]:
    return _solved(problem.l1, problem.l2, sweeps)


@cache
def _solved(l1: float, l2: float, sweeps: int) -> tuple[NDArray[np.float64], float]:
    """Plain coordinate descent: this test's own solver."""
    A, y = X - X.mean(axis=0), Y - Y.mean()
    n, p = A.shape
    curvature = (A**2).sum(axis=0) / n
    w, r = np.zeros(p), y.copy()
    for _ in range(sweeps):
        for j in range(p):
            rho = A[:, j] @ r / n + curvature[j] * w[j]
            new = np.sign(rho) * max(abs(rho) - l1, 0.0) / (curvature[j] + l2)
            r += A[:, j] * (w[j] - new)
            w[j] = new
    return w, float(Y.mean() - X.mean(axis=0) @ w)


def row(
    problem: Problem, coef: NDArray[np.float64], b: float, solver: str, tol: float = 1e-9, **changes: Any
) -> dict[str, Any]:
    made = {
        "kind": "result",
        "cell": cell_of(problem),
        "digest": problem.digest,
        "solver": solver,
        "configuration": "default",
        "own": True,
        "claims_gap": True,
        "status": "CONVERGED",
        "claimed_gap": tol,
        "tol": tol,
        "dtype": "float64",
        "l1": problem.l1,
        "l2": problem.l2,
    }
    certificate = certify(problem, coef, b).to_dict()
    return certificate | {"certificate": certificate["kind"]} | made | changes


@pytest.fixture(scope="module", params=[3, 100, 1000])
def problem(request: pytest.FixtureRequest) -> Problem:
    return lasso(lasso(1.0).l1_max() / request.param)


def test_the_right_answer_meets_every_tier_and_is_not_wrong(problem: Problem) -> None:
    judgement = judge([row(problem, *solved(problem), "right")])
    (result,) = judgement.results
    assert set(result.tiers.values()) == set(result.self_tiers.values()) == {Outcome.MET}
    assert result.suboptimality is not None
    assert result.suboptimality < 1e-12
    assert not judgement.wrong
    assert not judgement.against(strict=True)


@pytest.mark.parametrize("factor", [1.05, 1.001])
def test_another_penalty_is_named(problem: Problem, factor: float) -> None:
    wrong = solved(problem.replace(l1=problem.l1 * factor))
    judgement = judge([row(problem, *solved(problem), "right"), row(problem, *wrong, "wrong")])
    assert judgement.against() == ["wrong"]
    (verdict,) = judgement.wrong["wrong"]
    if certify(problem, *wrong).implied_off is not None:  # a support of 4 or more
        lone = judge([row(problem, *wrong, "wrong")])  # without anyone to compare with
        assert lone.wrong["wrong"][0].reason == f"solves l1 x {factor:.4f}"
        assert verdict.reason.endswith(f"solves l1 x {factor:.4f}")
    if factor == 1.05:  # 1.001 is within the claim where l1 is small
        assert verdict.reason.startswith("claims 1e-09, proven off by at least")


def test_a_gap_tier_alone_misses_another_penalty_at_small_l1() -> None:
    problem = lasso(lasso(1.0).l1_max() / 1000)
    rows = [
        row(problem, *solved(problem), "right"),
        row(problem, *solved(problem.replace(l1=problem.l1 * 1.05)), "wrong", claims_gap=False),
    ]
    judgement = judge(rows)
    assert judgement.results[1].tiers[1e-6] is Outcome.MET
    assert judgement.wrong["wrong"][0].reason == "solves l1 x 1.0500"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"l2": 1.05}, "solves l2 x 1.0500"),
        ({"l1": 1.05}, "solves l1 x 1.0500"),
        ({"l1": 0.5, "l2": 2.0}, "solves l1 x 0.5000 and l2 x 2.0000"),
        ({"l2": 0.0}, "solves l2 x 0.0000"),
    ],
)
def test_elastic_net(changes: dict[str, float], words: str) -> None:
    problem = lasso(0.05, 0.2)
    other = problem.replace(**{name: getattr(problem, name) * f for name, f in changes.items()})
    # a peer makes no claim of a gap: what it solves is all there is to judge
    judgement = judge([row(problem, *solved(other), "peer_x", own=False, claims_gap=False)])
    assert judgement.wrong["peer_x"][0].reason == words
    assert judgement.against() == []
    assert judgement.against(strict=True) == ["peer_x"]


def test_ridge_with_a_penalty_that_is_off() -> None:
    problem = lasso(0.0, 0.2)
    assert not judge([row(problem, *solved(problem), "s")]).wrong
    wrong = judge([row(problem, *solved(problem.replace(l2=0.2 * 40)), "s")])
    assert wrong.wrong["s"][0].reason == "solves l2 x 40.0000"
    added = judge([row(problem, *solved(problem.replace(l1=0.01)), "s")])
    assert "l1 = 0.01" in added.wrong["s"][0].reason


def test_an_unconverged_answer_is_not_accused_of_another_penalty(problem: Problem) -> None:
    for sweeps in (1, 2, 4, 8):
        rough = row(problem, *solved(problem, sweeps), "rough", claims_gap=False)
        assert not judge([row(problem, *solved(problem), "right"), rough]).wrong


def test_a_false_claim_is_wrong_and_names_its_size(problem: Problem) -> None:
    w, b = solved(problem)
    false = row(problem, np.zeros_like(w), float(Y.mean()), "liar")
    judgement = judge([row(problem, w, b, "right"), false])
    reason = judgement.wrong["liar"][0].reason
    assert reason.startswith("claims 1e-09, proven off by at least ")
    proven = certify(problem, np.zeros_like(w), float(Y.mean())).gap_rel
    assert proven is not None
    assert float(reason.split(";")[0].split()[-1]) <= proven * 1.1  # printed to one digit
    # the same answer without a claim is merely bad
    for honest in (
        {"claims_gap": False},
        {"status": "MAX_ITER"},
        {"claimed_gap": 0.5},
    ):
        assert not judge([row(problem, w, b, "right"), false | honest]).wrong
    assert not judge([row(problem, w, b, "right"), false | {"claimed_gap": None, "tol": None}]).wrong
    # "converged" without a gap claims what was asked for
    silent = judge([row(problem, w, b, "right"), false | {"claimed_gap": None}])
    assert silent.wrong["liar"][0].reason.startswith("claims 1e-09, proven off by at least ")


@pytest.mark.parametrize(("dtype", "held"), [("float64", "1e-09"), ("float32", "1e-06")])
def test_one_that_names_a_smaller_gap_than_was_asked_is_held_to_that(dtype: str, held: str) -> None:
    """At every rung, the loosest included; to no less than the finest tier."""
    problem = lasso(0.05)
    rough = solved(problem, 4)
    for claim, wrong in ((1e-12, True), (0.0, True), (1e-3, False), (None, False)):
        loose = row(problem, *rough, "s", tol=1e-2, claimed_gap=claim, dtype=dtype)
        found = judge([row(problem, *solved(problem), "right"), loose]).wrong
        assert bool(found) == wrong, claim
        if wrong:
            assert found["s"][0].reason.startswith(f"claims {held}, proven off by at least")


def test_wrong_in_one_cell_is_wrong_of_the_solver(problem: Problem) -> None:
    w, b = solved(problem)
    other = lasso(problem.l1 * 2)
    rows = [
        row(problem, w, b, "right"),
        row(problem, np.zeros_like(w), 0.0, "liar"),
        row(other, *solved(other), "liar"),
    ]
    assert list(judge(rows).wrong) == ["liar"]


def test_an_infeasible_answer_that_claims_is_wrong() -> None:
    positive = Problem(X, Y, l1=0.1, positive=True)
    bad = row(positive, np.full(12, -1.0), 0.0, "s")
    assert bad["certificate"] == "NONE"
    (result,) = judge([bad]).results
    assert result.wrong == "claims 1e-09, but coef[0] is -1.0, but the problem is positive"
    assert result.suboptimality == np.inf
    assert result.tiers[1e-3] is Outcome.MISSED


def test_rows_without_an_answer_have_no_verdict(problem: Problem) -> None:
    empty = dict.fromkeys(row(problem, np.zeros(12), 0.0, "s"))
    refused = empty | {
        "kind": "result",
        "cell": "c",
        "digest": "d",
        "solver": "s",
        "configuration": "default",
    }
    judgement = judge([refused | {"status": "REFUSED"}, {"kind": "run"}])
    assert judgement.results[0].suboptimality is None
    assert set(judgement.results[0].tiers.values()) == {Outcome.NO_ANSWER}
    assert not judgement.wrong


def test_a_better_dual_bound_re_judges_old_rows(problem: Problem) -> None:
    rough = row(problem, *solved(problem, 6), "rough", claims_gap=False)
    alone = judge([rough]).results[0]
    assert Outcome.MISSED not in alone.tiers.values()  # its own bound is too loose to convict it
    assert Outcome.UNDECIDED in alone.tiers.values()
    joined = judge([rough, row(problem, *solved(problem), "right")]).results[0]
    assert Outcome.UNDECIDED not in joined.tiers.values()
    assert joined.suboptimality is not None
    assert alone.suboptimality is not None
    assert joined.suboptimality < alone.suboptimality  # second order against first


def test_a_bad_dual_bound_with_a_huge_radius_is_no_reference(problem: Problem) -> None:
    w, b = solved(problem)
    right = row(problem, w, b, "right")
    wild = right | {"solver": "wild", "dual": right["primal"] * 2, "radius": right["primal"] * 1e3}
    judgement = judge([right, wild])
    assert judgement.references[problem.digest].dual == right["dual"]


def test_beyond_float64_is_nobodys_failure(problem: Problem) -> None:
    w, b = solved(problem)
    noisy = row(problem, w, b, "right")
    noisy["radius"] = 1e-7 * noisy["scale"]
    (result,) = judge([noisy]).results
    assert result.tiers == {1e-3: Outcome.MET, 1e-6: Outcome.MET, 1e-9: Outcome.BEYOND}
    assert result.self_tiers[1e-9] is Outcome.BEYOND


def test_float32_has_two_tiers(problem: Problem) -> None:
    (result,) = judge([row(problem, *solved(problem), "s", dtype="float32")]).results
    assert list(result.tiers) == [1e-3, 1e-6]


def test_the_loosest_rung_that_meets_a_tier(problem: Problem) -> None:
    rungs = [
        row(problem, *solved(problem, sweeps), "s", tol=tol, status="MAX_ITER")
        for sweeps, tol in ((1, 1e-1), (300, 1e-4), (301, 1e-8))
    ]
    found = judge(rungs).loosest()[(rungs[0]["cell"], "s", "default")]
    assert found[1e-9].row["tol"] == 1e-4
    assert all(found[tier].row["tol"] >= 1e-4 for tier in (1e-3, 1e-6))


def test_rows_that_went_through_json_are_judged_alike(problem: Problem) -> None:
    from verification.record import jsonable

    rows = [row(problem, *solved(problem), "right"), row(problem, np.full(12, np.nan), 0.0, "nan")]
    again = [json.loads(json.dumps(jsonable(r))) for r in rows]
    before, after = judge(rows), judge(again)
    assert before.wrong == after.wrong
    assert [r.tiers for r in before.results] == [r.tiers for r in after.results]
    assert list(after.wrong) == ["nan"]


# ---------------------------------------------------------------------- another penalty, or a loose tolerance


def start(problem: Problem, factor: float, tol: float, **changes: Any) -> dict[str, Any]:
    """An answer that is left as it was at l1 * factor, where a path came from."""
    return row(problem, *solved(problem.replace(l1=problem.l1 * factor)), "s", tol, **changes)


def gap_of(problem: Problem, factor: float) -> float:
    found = start(problem, factor, 1.0)
    return float(found["gap_rel"])


@pytest.mark.parametrize("claims_gap", [True, False])
def test_a_start_that_a_loose_tolerance_explains_is_no_other_penalty(claims_gap: bool) -> None:
    """Seen: celer on a path, whose dual point proved 9e-5 of 1e-4 where the answer's own proved 2e-4."""
    problem, factor = lasso(lasso(1.0).l1_max() / 100), 1.15
    gap = gap_of(problem, factor)
    for share in (0.9, 1.5, 9.0):
        tol = gap / share
        stale = start(problem, factor, tol, claims_gap=claims_gap)
        assert not judge([stale]).wrong, f"its gap is {share} of what was asked for"
        assert not judge([row(problem, *solved(problem), "right"), stale]).wrong
    beyond = start(problem, factor, gap / 20, claims_gap=claims_gap)
    wrong = judge([beyond]).wrong
    if claims_gap:
        assert wrong["s"][0].reason == "solves l1 x 1.1500", "no tolerance explains it"
    else:
        assert not wrong, "what a tolerance that is no gap explains is not known"


@pytest.mark.parametrize("l1", [-0.05, 0.0, 0.005])
def test_an_answer_that_fits_no_l1_is_unfinished_by_a_solver_that_claims_no_gap(l1: float) -> None:
    """Seen: interior points and splitting on collinear columns, which fit l1 x -0.01 and l2 = 2.8e8."""
    problem = lasso(0.05, 0.2)
    fits = {"implied_l1": l1 * problem.l1, "implied_l2": 1e8, "implied_off": 1e9, "implied_gain": 1e3}
    bad = row(problem, *solved(problem, 1), "s", claims_gap=False) | {"support": 6, **fits}
    assert not judge([bad]).wrong
    assert judge([bad | {"claims_gap": True}]).wrong
    assert judge([bad | {"implied_l1": 0.5 * problem.l1}]).wrong


def test_another_penalty_persists_as_the_tolerance_tightens() -> None:
    """A start does not: with a hundredth of the tolerance a path comes from nearer."""
    problem = lasso(lasso(1.0).l1_max() / 100)
    gap = gap_of(problem, 1.15)
    tight = start(problem, 1.15, gap / 2)
    wrong = judge([start(problem, 1.15, gap * 50), tight]).wrong
    assert wrong["s"][0].reason == "solves l1 x 1.1500"
    assert not judge([start(problem, 2.0, gap * 50), tight]).wrong, "it leant elsewhere before"
    assert not judge([row(problem, *solved(problem), "s", gap * 50), tight]).wrong


def test_what_one_cell_has_settled_counts_where_another_leaves_it_open() -> None:
    """A budget that cuts a ladder short hides the penalty in that cell: not if it is the same elsewhere."""
    near, far = lasso(lasso(1.0).l1_max() / 3), lasso(lasso(1.0).l1_max() / 100)
    kept = start(far, 1.05, 1e-2)
    assert not judge([kept]).wrong
    found = judge([start(near, 1.05, 1e-12), kept]).wrong["s"]
    assert {each.cell for each in found} == {cell_of(near), cell_of(far)}
    other = judge([start(near, 1.2, 1e-12), kept]).wrong["s"]
    assert {each.cell for each in other} == {cell_of(near)}, "another factor is another matter"


def cell_of(problem: Problem) -> str:
    return f"made/{problem.l1:g}"
