"""Jobs besides one solve: paths and cross-validations, their certificates, and what is refused aloud."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.certify_jobs import certified
from bench.client import Client, Limits, Store
from bench.jobs import Answers, Late, Task, fold_problems, prepare
from solvers import Problem, Stop, entry, solve, solve_path
from verification import Certificate, Judge, certify, certify_path
from verification.problems.cells import Cell
from verification.verdict import Outcome
from verification.verdict_points import bands, exact_curve, judge_points, points_of

PATH = Cell("diabetes", "lasso", l1_ratio=100.0, intercept=True, job="path")
LIMITS = Limits()  # a first compilation takes its time


def task_of(problem: Problem, job: str, points: int = 8) -> Task:
    l1s = tuple(np.geomspace(problem.l1_max(), problem.l1, points).tolist())
    return Task(job, l1s, folds=3 if job == "cv" else 0, seed="t")


# -- a certificate for every point -----------------------------------------------------------------


ALONG = [
    PATH,
    Cell("small_sparse", "enet", l1_ratio=30.0, l2_ratio=0.1, intercept=True, v=True),
    Cell("small_sparse", "lasso", l1_ratio=30.0, intercept=True, layout="csr", weighted=True),
    Cell("small_wide", "lasso", l1_ratio=30.0, positive=True, v=True, weighted=True),
    Cell("small_wide", "lasso", l1_ratio=30.0, positive=True, intercept=True),
    Cell("small_tall", "enet", l1_ratio=10.0, l2_ratio=0.1, dtype="float32", layout="C", weighted=True),
    Cell("small_tall", "lasso", l1_ratio=10.0, intercept=True, v=True),
]


def assert_alike(one: Certificate, alone: Certificate) -> None:
    """The same verdict, and the same figures up to the rounding that their radius covers."""
    assert (one.reason, one.scale, one.primal_null) == (alone.reason, alone.scale, alone.primal_null)
    assert (one.support, one.false_features) == (alone.support, alone.false_features)
    assert np.array_equal(one.certified_zeros, alone.certified_zeros)
    assert one.kind.split(",")[0] == alone.kind.split(",")[0]
    if alone.gap is None:
        assert (one.primal, one.dual, one.gap, one.radius) == (np.inf, None, None, None)
        return
    assert abs(one.primal - alone.primal) <= min(alone.radius, 1e-12 * alone.primal)
    assert abs(one.gap - alone.gap) <= min(alone.radius, 1e-9 * alone.gap + 1e-13 * alone.primal)
    assert one.dual == pytest.approx(one.primal - one.gap, rel=1e-12)
    assert one.radius == pytest.approx(alone.radius, rel=1e-6)
    for name in ("alpha", "kkt", "implied_l1", "implied_l2", "implied_off"):
        here, there = getattr(one, name), getattr(alone, name)
        assert here is there is None or here == pytest.approx(there, rel=1e-7, abs=1e-10), name
    if alone.implied_gain is not None and alone.implied_off > 1e-8:
        assert one.implied_gain == pytest.approx(alone.implied_gain, rel=1e-4)


@pytest.mark.parametrize("cell", ALONG, ids=lambda cell: cell.name)
@pytest.mark.parametrize("tol", [1e-3, 1e-9])
def test_a_path_is_certified_as_its_points_are_alone(cell: Cell, tol: float) -> None:
    problem = cell.problem()
    l1s = np.geomspace(problem.l1_max(), problem.l1, 40).tolist()
    points = [(s.coef, s.intercept) for s in solve_path(problem, l1s, solver="cd_numba", stop=Stop(tol))]
    together = certify_path(problem, l1s, points)
    for l1, point, one in zip(l1s, points, together, strict=True):
        assert_alike(one, certify(problem.replace(l1=l1), *point))


@pytest.mark.parametrize("cell", ALONG, ids=lambda cell: cell.name)
def test_so_are_points_far_from_any_path_and_broken_ones_among_them(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = cell.problem()
    rng = np.random.default_rng(3)
    coefs = rng.standard_normal((12, problem.p)) * (rng.random((12, problem.p)) < 0.3)
    coefs[:, ~np.isfinite(problem.v)] = 0.0
    coefs = np.abs(coefs) if problem.positive else coefs
    coefs[2, 0], coefs[3] = np.nan, 1e200
    b = rng.standard_normal(12) * problem.intercept
    b[4] = np.inf
    points = list(zip(coefs, b.tolist(), strict=True))
    l1s = [problem.l1 * 2.0**k for k in range(12)]
    alone = [certify(problem.replace(l1=l1), *point) for l1, point in zip(l1s, points, strict=True)]
    assert [k for k, one in enumerate(alone) if one.gap is None][:3] == [2, 3, 4]
    for together in (certify_path(problem, l1s, points), certify_path(problem, l1s[:1], points[:1])):
        for one, other in zip(together, alone, strict=False):
            assert_alike(one, other)
    monkeypatch.setattr("verification.proofs.path.TOGETHER", 5 * max(problem.n, problem.p))
    for one, other in zip(certify_path(problem, l1s, points), alone, strict=True):
        assert_alike(one, other)


def test_a_path_that_ends_at_no_penalty_is_judged_point_by_point() -> None:
    """The dual point of least squares is projected off every column, that of a lasso off none."""
    problem = PATH.problem()
    l1s = [0.1 * problem.l1_max(), 0.0]
    assert Judge(problem).along(np.array(l1s)) is None
    points = [(s.coef, s.intercept) for s in (solve(problem.replace(l1=l1)) for l1 in l1s)]
    for l1, point, one in zip(l1s, points, certify_path(problem, l1s, points), strict=True):
        assert_alike(one, certify(problem.replace(l1=l1), *point))


def test_a_wrong_point_of_a_path_is_not_proven_and_a_broken_one_not_at_all() -> None:
    problem = PATH.problem()
    l1s = [0.5 * problem.l1_max(), 0.1 * problem.l1_max()]
    right = [(s.coef, s.intercept) for s in solve_path(problem, l1s, solver="cd_numba", stop=Stop(1e-10))]
    swapped = certify_path(problem, l1s, right[::-1])
    assert all(one.gap_rel > 1e-3 for one in swapped)
    broken = certify_path(problem, l1s, [right[0], (np.full(problem.p, np.nan), 0.0)])
    assert broken[0].gap_rel < 1e-9
    assert broken[1].kind == "NONE"
    with pytest.raises(ValueError, match="shorter"):
        certify_path(problem, l1s, right[:1])


def test_another_l1_shares_the_data_and_a_free_column_more_is_seen() -> None:
    problem = PATH.problem()
    judge = Judge(problem)
    assert judge.at(2 * problem.l1)._scaled.design is judge._scaled.design
    least_squares = judge.at(0.0)  # every column is free there: nothing of the span may be shared
    coef = np.linalg.lstsq(problem.X - problem.X.mean(axis=0), problem.y - problem.y.mean(), rcond=None)[0]
    b = float(problem.y.mean() - problem.X.mean(axis=0) @ coef)
    assert least_squares.certify(coef, b).gap_rel == certify(problem.replace(l1=0.0), coef, b).gap_rel < 1e-12


# -- jobs ------------------------------------------------------------------------------------------


def test_folds_partition_the_rows_and_keep_the_layout() -> None:
    for cell in (PATH, replace(PATH, case="small_sparse", layout="csr"), replace(PATH, weighted=True)):
        problem = cell.problem()
        parts = list(fold_problems(problem, task_of(problem, "cv")))
        left_out = np.sort(np.concatenate([rows for _, rows in parts]))
        assert np.array_equal(left_out, np.arange(problem.n))
        for training, rows in parts:
            assert training.n == problem.n - rows.size
            assert (training.layout, training.X.dtype) == (problem.layout, problem.X.dtype)


def test_cross_validation_is_what_its_definition_says() -> None:
    problem = PATH.problem()
    task = task_of(problem, "cv")
    answers = prepare(entry("cd_numba"), problem, Stop(1e-12), task)()
    assert isinstance(answers, Answers)
    for k, (training, rows) in enumerate(fold_problems(problem, task)):
        for i, l1 in enumerate(task.l1s):
            one = solve(training.replace(l1=l1), "active_set_numba", Stop(1e-12))
            error = problem.y[rows] - problem.X[rows] @ one.coef - one.intercept
            assert answers.scores[k, i] == pytest.approx(np.mean(error**2), rel=1e-6)


def test_a_path_gives_up_when_its_time_is_over() -> None:
    problem = PATH.problem()
    with pytest.raises(Late, match="of 8 points"):
        prepare(entry("fista_numpy"), problem, Stop(1e-12, time_limit=1e-9), task_of(problem, "path"))()


@pytest.mark.parametrize("job", ["path", "cv"])
def test_a_worker_answers_with_every_point_and_the_row_holds_the_worst(job: str, tmp_path: Path) -> None:
    problem = PATH.problem()
    task = task_of(problem, job)
    handle = Store(tmp_path).handle(problem, task)
    client = Client("cd_numba", tmp_path, LIMITS)
    assert client.hello()["path_configurations"] == ["default"]
    assert client.prepare(handle) is None
    assert client.warm_up(handle, "default")["kind"]
    answer = client.run(handle, "default", 1e-7, 20.0)
    client.close()
    assert answer["status"] == "CONVERGED"
    assert answer["coefs"].shape == (len(task.l1s) * max(1, task.folds), problem.p)
    row = certified(problem, task, answer["coefs"], answer["intercepts"])
    worst = max(np.array(row["points"]["gap"]) / row["points"]["scale"])
    assert row["gap_rel"] == pytest.approx(worst, rel=1e-5)
    assert row["primal"] == pytest.approx(np.sum(row["points"]["primal"]))
    assert (answer["scores"] is not None) == (job == "cv")


def test_a_solver_without_a_path_refuses_aloud(tmp_path: Path) -> None:
    problem = PATH.problem()
    handle = Store(tmp_path).handle(problem, task_of(problem, "path"))
    client = Client("cvxpy_clarabel", tmp_path, LIMITS)
    client.hello()
    assert client.settings(handle.task) == ["default"]
    assert client.prepare(handle) is None
    client.warm_up(handle, "default")
    answer = client.run(handle, "default", 1e-4, 20.0)
    client.close()
    assert answer["status"] == "REFUSED"
    assert "no path of its own" in answer["message"]


# -- verdicts --------------------------------------------------------------------------------------


def row_of(problem: Problem, task: Task, found: list, **columns: object) -> dict:
    import scipy.sparse as sp

    coefs = sp.csr_array(np.array([solution.coef for solution in found]))
    row = certified(problem, task, coefs, np.array([solution.intercept for solution in found]))
    claims = [solution.claimed_gap for solution in found]
    return {
        "kind": task.job, "cell": "c", "digest": problem.digest, "solver": "s", "configuration": "default",
        "tol": 1e-9, "claims_gap": True, "own": True, "dtype": "float64", "l2": 0.0, "status": "CONVERGED",
        "statuses": ["CONVERGED"] * len(found), "claimed_gaps": claims, **row, **columns,
    }  # fmt: skip


def test_a_path_is_as_good_as_its_worst_point() -> None:
    problem = PATH.problem()
    task = task_of(problem, "path")
    good = solve_path(problem, task.l1s, stop=Stop(1e-12))
    loose = solve_path(problem, task.l1s, solver="cd_numba", stop=Stop(1e-4))
    mixed = [*good[:-1], loose[-1]]
    rows = [row_of(problem, task, good), row_of(problem, task, mixed, solver="m", tol=1e-3, claims_gap=False)]
    right, worst = judge_points([*rows, {"kind": "result"}]).results
    assert right.tiers == dict.fromkeys((1e-3, 1e-6, 1e-9), Outcome.MET)
    assert (right.points, right.met[1e-9], right.wrong) == (8, 8, "")
    assert worst.met[1e-9] == 7
    assert worst.tiers[1e-9] is Outcome.MISSED
    assert worst.suboptimality == pytest.approx(_suboptimality(problem, loose[-1], good[-1]), rel=1e-3)


def _suboptimality(problem: Problem, answer, best) -> float:
    value, least = (certify(problem, s.coef, s.intercept) for s in (answer, best))
    assert isinstance(value, Certificate)
    return (value.primal - least.primal) / value.scale


def test_a_false_claim_at_one_point_is_wrong_and_so_is_another_penalty() -> None:
    problem = PATH.problem()
    task = task_of(problem, "path")
    good = solve_path(problem, task.l1s, stop=Stop(1e-12))
    lying = [*good[:4], replace(good[5], claimed_gap=1e-12), *good[5:]]
    off = solve_path(problem, [1.05 * l1 for l1 in task.l1s], stop=Stop(1e-12))
    rows = [
        row_of(problem, task, good),
        row_of(problem, task, lying, solver="lying"),
        row_of(problem, task, off, solver="off"),
    ]
    judged = judge_points(rows)
    assert set(judged.wrong) == {"lying", "off"}
    assert judged.wrong["lying"][0].reason.startswith("at 1 of 8 points, the last: claims")
    assert judged.wrong["off"][0].reason.startswith("at 7 of 8 points")
    assert "solves l1 x 1.0500" in judged.wrong["off"][0].reason
    assert len(points_of(rows[0], rows[0]["points"])) == 8


def test_an_answer_that_came_before_is_judged_by_its_points() -> None:
    problem = PATH.problem()
    task = task_of(problem, "path")
    first = row_of(problem, task, solve_path(problem, task.l1s, stop=Stop(1e-12)), answer="a")
    again = first | {"points": None, "phase": "repeat"}
    other = again | {"answer": "b"}
    assert [result.points for result in judge_points([first, again, other]).results] == [8, 8, 0]


def test_a_refusal_is_a_result_without_points() -> None:
    row = {
        "kind": "path",
        "cell": "c",
        "digest": "d",
        "solver": "s",
        "configuration": "default",
        "status": "REFUSED",
    }
    [result] = judge_points([row]).results
    assert result.points == 0
    assert set(result.tiers.values()) == {Outcome.NO_ANSWER}


# -- cross-validation: what the exact curve can be -------------------------------------------------


def test_a_band_without_a_bound_is_read_as_a_record_spells_it() -> None:
    low, high = bands({"scores": [2.0, "inf"], "score_radius": ["inf", 1.0]})
    assert (low, high) == ([0.0, float("inf")], [float("inf"), float("inf")])


@pytest.mark.parametrize(
    "cell",
    [
        replace(PATH, job="cv"),
        Cell("small_sparse", "lasso", l1_ratio=10.0, intercept=True, weighted=True, job="cv"),
        Cell("small_tall", "lasso", l1_ratio=30.0, job="cv"),
    ],
    ids=lambda cell: cell.name,
)
@pytest.mark.parametrize("tol", [1e-3, 1e-8])
def test_the_exact_curve_lies_in_the_band_of_every_answer(cell: Cell, tol: float) -> None:
    problem = cell.problem()
    task = task_of(problem, "cv")
    exact = prepare(entry("active_set_numba"), problem, Stop(1e-14), task)()
    rough = prepare(entry("cd_numba"), problem, Stop(tol), task)()
    rows = [
        row_of(problem, task, answers.solutions, scores=answers.scores.mean(axis=0).tolist())
        for answers in (exact, rough)
    ]
    low, high = bands(rows[1])
    known = np.isfinite(high)
    assert known.any()
    assert np.all(np.array(low)[known] <= np.array(rows[0]["scores"])[known])
    assert np.all(np.array(high)[known] >= np.array(rows[0]["scores"])[known])
    low, high = exact_curve(rows)
    assert all(a <= b for a, b in zip(low, high, strict=True))


def test_a_curve_that_is_not_that_of_its_answer_contradicts_the_others() -> None:
    problem = replace(PATH, job="cv").problem()
    task = task_of(problem, "cv")
    answers = prepare(entry("active_set_numba"), problem, Stop(1e-14), task)()
    scores = answers.scores.mean(axis=0)
    right = row_of(problem, task, answers.solutions, scores=scores.tolist())
    off = right | {"scores": (scores * (1 + 1e-4)).tolist()}
    low, high = exact_curve([right, off])
    assert any(a > b for a, b in zip(low, high, strict=True))


def test_tables_of_jobs_say_time_accuracy_and_choice(tmp_path: Path) -> None:
    from bench.orchestrate import execute
    from bench.plan import Plan
    from bench.report import build
    from bench.report.jobs import cv_table, paths_table

    cells = [PATH, replace(PATH, job="cv")]
    rows: list = [{"kind": "run", "run": "t", "suite": "t", "cells": [cell.to_dict() for cell in cells]}]
    execute(Plan("t", "t", cells, ["lars_numpy", "ridge_numpy"], budget=150.0, most_repeats=2), rows.append)
    report = build(rows)
    assert not report.outcomes
    [path] = paths_table(report).rows
    assert path[:2] == [PATH.name, "lars_numpy"]
    assert path[-1] == "100 of 100"
    [cv] = cv_table(report).rows
    assert cv[-1] == "choice proven"
    refused = [row for row in rows if row["kind"] in ("path", "cv") and row["solver"] == "ridge_numpy"]
    assert {row["status"] for row in refused} == {"REFUSED"}
    repeats = [row for row in rows if row.get("phase") == "repeat"]
    assert repeats
    assert all(row["points"] is None for row in repeats), "an answer's points stand once"
