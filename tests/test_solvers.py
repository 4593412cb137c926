"""Every solver of ours on every kind of (P): refused with a reason, or right; and what all promise."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import scipy.sparse as sp

from solvers import Entry, Problem, Solution, Status, Stop, catalogue, solve
from solvers.lars_numpy import lars_path
from solvers.path import grid, solve_path
from solvers.ridge_svd_numpy import l2_path

OURS = {name: e for name, e in catalogue().items() if e.own}
CLAIMING = [name for name, e in OURS.items() if e.claims_gap]
EPS = 2.0**-52
# Data of third parties, not in the project: beside the checkout, or where L1L2_DATA says
DIABETES = (
    Path(os.environ.get("L1L2_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    / "diabetes_lars"
)


def random(name: str, n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(crc32(name.encode()))
    X = rng.standard_normal((n, p))
    y = X[:, : min(p, 4)] @ rng.standard_normal(min(p, 4)) + rng.standard_normal(n)
    return X, y


def kinds() -> Iterator[tuple[str, Any, np.ndarray, dict[str, Any]]]:
    """(name, X, y, further arguments): what a user may bring."""
    X, y = random("plain", 24, 9)
    rng = np.random.default_rng(1)
    v = rng.uniform(0.5, 2.0, 9)
    v0 = np.where([0, 0, 1, 0, 0, 0, 0, 1, 0], 0.0, v)
    v0[4] = np.inf
    s = rng.integers(0, 3, 24).astype(float)
    yield "F", np.asfortranarray(X), y, {}
    yield "C intercept", X, y, {"intercept": True}
    yield "float32 intercept", X.astype(np.float32), y, {"intercept": True}
    thin = np.where(np.abs(X) < 0.7, 0.0, X)
    yield "csc intercept", sp.csc_array(thin), y, {"intercept": True}
    yield (
        "csr weighted",
        sp.csr_array(thin),
        y,
        {"sample_weight": s, "penalty_weights": v0, "intercept": True},
    )
    yield "weighted", X, y, {"sample_weight": s, "penalty_weights": v0, "intercept": True}
    yield "positive", X, y, {"positive": True, "intercept": True}
    yield "positive sparse weighted", sp.csc_array(thin), y, {"positive": True, "penalty_weights": v0}
    awkward = X.copy()
    awkward[:, 3], awkward[:, 5], awkward[:, 6] = awkward[:, 0], 0.0, 7.3
    yield "duplicate, zero, constant", awkward, y, {"intercept": True}
    yield "the same, sparse", sp.csc_array(awkward), y, {"intercept": True}
    wide, y_wide = random("wide", 8, 40)
    yield "p >> n", wide, y_wide, {}
    yield "p >> n intercept", np.asfortranarray(wide), y_wide, {"intercept": True}
    yield "n = 1", X[:1], y[:1], {}
    yield "n = 1 intercept", X[:1], y[:1], {"intercept": True}
    yield "p = 1", X[:, :1], y, {"intercept": True}
    yield "y = 0", X, 0 * y, {}
    yield "y constant", X, 0 * y + 3.3, {"intercept": True}
    yield "y far from 0", X, y + 1e8, {"intercept": True}
    yield "X = 0", 0 * X, y, {"intercept": True}
    yield "all fixed at 0", sp.csc_array(X), y, {"intercept": True, "penalty_weights": np.full(9, np.inf)}
    yield "huge X", X * 1e150, y, {"intercept": True}
    yield "tiny X, huge y", X * 1e-150, y * 1e150, {}
    yield "tiny X and y, sparse", sp.csc_array(X * 1e-150), y * 1e-150, {"intercept": True}
    yield "columns of all scales", X * 10.0 ** np.linspace(-140, 140, 9), y, {"intercept": True}
    yield "columns of several scales", X * 10.0 ** np.linspace(-6, 6, 9), y, {}


KINDS = {name: (X, y, further) for name, X, y, further in kinds()}
PENALTIES = ("lasso", "ridge", "elastic net", "none", "l1_max")


def problem(kind: str, penalty: str) -> Problem:
    X, y, further = KINDS[kind]
    base = Problem(X, y, name=f"{kind}, {penalty}", **further)
    l1, l2 = base.l1_max(), base.l2_ref()
    penalties = {
        "lasso": (0.2 * l1, 0.0),
        "ridge": (0.0, 0.1 * l2),
        "elastic net": (0.1 * l1, 0.1 * l2),
        "none": (0.0, 0.0),
        "l1_max": (l1 * (1 + 1e-12), 0.0),
    }
    return base.replace(l1=penalties[penalty][0], l2=penalties[penalty][1])


@cache
def answer(name: str, kind: str, penalty: str) -> Solution | str:
    """The solver's solution, or its reason to refuse."""
    task = problem(kind, penalty)
    before = task.digest
    reason = OURS[name].refuses(task)
    if reason is not None:
        return reason
    solution = OURS[name].setup(task, Stop(tol=1e-10 if OURS[name].claims_gap else 1e-11, time_limit=5.0))()
    assert task.digest == before, f"{name} wrote to its input"
    return solution


def unit(task: Problem) -> tuple[float, float]:
    """Loss of the best constant, and of nothing at all: the second has the rounding of the data in it."""
    bare = task.replace(l1=0.0, l2=0.0)
    c = float(task.s @ task.y / task.S) if task.intercept else 0.0
    return bare.objective(np.zeros(task.p), c), bare.objective(np.zeros(task.p), 0.0)


@cache
def best(kind: str, penalty: str) -> float:
    task = problem(kind, penalty)
    answers = [answer(name, kind, penalty) for name in OURS]
    return min(task.objective(a.coef, a.intercept) for a in answers if isinstance(a, Solution))


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OURS)
def test_refused_with_a_reason_or_right(name: str, kind: str, penalty: str) -> None:
    found = answer(name, kind, penalty)
    if isinstance(found, str):
        assert len(found) > 5
        return
    task = problem(kind, penalty)
    assert found.coef.shape == (task.p,)
    assert np.isfinite(found.coef).all()
    assert np.isfinite(found.intercept)
    scale, total = unit(task)
    allowed = 1e-9 * scale + (1e3 * EPS) ** 2 * total
    if not OURS[name].claims_gap:
        allowed += 1e-9 * total  # conic tolerances are absolute, in units that y = constant leaves undefined
    assert task.objective(found.coef, found.intercept) - best(kind, penalty) <= allowed, found
    if penalty == "l1_max" and OURS[name].claims_gap:
        assert not found.coef[task.v > 0].any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CLAIMING)
def test_converged_means_that_the_claimed_gap_is_met(name: str, kind: str) -> None:
    for penalty in PENALTIES:
        found = answer(name, kind, penalty)
        if isinstance(found, str):
            continue
        assert found.claimed_gap is not None
        assert (found.status is Status.CONVERGED) == (found.claimed_gap <= 1e-10), found


def test_the_files_of_the_folder_are_the_catalogue() -> None:
    folder = Path(__file__).parent.parent / "solvers"
    with_setup = {p.stem for p in folder.glob("*.py") if "\ndef setup(" in p.read_text(encoding="utf-8")}
    assert set(catalogue()) == with_setup
    methods = {
        "ridge_numpy",
        "fista_numpy",
        "cd_numpy",
        "cd_numba",
        "lars_numpy",
        "cvxpy_clarabel",
        "ista_numpy",
    }
    assert methods <= set(OURS)


def test_every_solver_of_ours_is_described() -> None:
    text = (Path(__file__).parent.parent / "docs" / "solvers.md").read_text(encoding="utf-8")
    for name in OURS:
        assert f"`{name}`" in text, f"docs/solvers.md does not mention {name}"


def first_supported(entry: Entry) -> Problem:
    """A problem that the solver does, not trivial."""
    for penalty in ("lasso", "ridge", "none"):
        task = problem("C intercept", penalty)
        if entry.refuses(task) is None:
            return task
    raise AssertionError(f"{entry.name} refuses everything")


@pytest.mark.parametrize("name", OURS)
def test_a_second_run_gives_the_same_bits(name: str) -> None:
    task = first_supported(OURS[name])
    one, two = (OURS[name].setup(task, Stop(tol=1e-8))() for _ in range(2))
    assert one.coef.tobytes() == two.coef.tobytes()
    assert (one.intercept, one.n_iter, one.status) == (two.intercept, two.n_iter, two.status)


@pytest.mark.parametrize("name", CLAIMING)
def test_max_iter_is_honoured_and_said(name: str) -> None:
    task = first_supported(OURS[name])
    found = OURS[name].setup(task, Stop(tol=1e-15, max_iter=1))()
    if found.status is not Status.CONVERGED:
        assert found.status in (Status.MAX_ITER, Status.STALLED)
    assert found.n_iter <= 1


@pytest.mark.parametrize("name", CLAIMING)
def test_what_floating_point_cannot_give_is_not_looped_for(name: str) -> None:
    task = first_supported(OURS[name])
    found = OURS[name].setup(task, Stop(tol=1e-300, time_limit=20.0))()
    assert found.status is Status.STALLED or (found.status is Status.CONVERGED and found.claimed_gap == 0.0)


@pytest.mark.parametrize("name", ["fista_numpy", "ista_numpy", "cd_numpy", "cd_numba", "admm_numpy"])
def test_the_time_limit_is_honoured_and_said(name: str) -> None:
    X, y = random("slow", 60, 50)
    X = X @ np.diag(np.logspace(0, -3, 50)) @ random("mix", 50, 50)[0]
    task = Problem(X, y)
    task = task.replace(l1=1e-7 * task.l1_max())
    OURS[name].setup(problem("F", "lasso"), Stop())()  # compiled before the clock starts
    found = OURS[name].setup(task, Stop(tol=1e-14, time_limit=0.05))()
    assert found.status is Status.TIME_LIMIT
    assert found.claimed_gap is not None
    assert found.claimed_gap > 1e-14


def test_least_squares_that_is_not_unique_is_of_minimum_norm_and_said() -> None:
    X, y = random("minimum norm", 12, 7)
    X[:, 4] = X[:, 0] - X[:, 1]
    for A in (X, X.T.copy()):
        target = y if A.shape[0] == 12 else y[:7]
        expected = np.linalg.lstsq(A, target, rcond=None)[0]
        for name in ("ridge_numpy", "lsmr_scipy"):
            found = solve(Problem(A, target), name)
            np.testing.assert_allclose(found.coef, expected, atol=1e-9)
            assert "minimum norm" in found.message


def test_a_ridge_on_unpenalised_columns_that_depend_on_each_other() -> None:
    X, y = random("free", 15, 30)
    X[:, 1] = 2 * X[:, 0]
    v = np.r_[0.0, 0.0, np.ones(28)]
    task = Problem(X, y, l2=0.1, penalty_weights=v, intercept=True)
    values = [solve(task, name).claimed_gap for name in ("ridge_numpy", "ridge_svd_numpy", "ridge_cg_numpy")]
    assert max(float(g or 0.0) for g in values) <= 1e-9


# ---------------------------------------------------------------------- paths


@pytest.mark.parametrize("make", [np.asfortranarray, sp.csr_array])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_paths_agree_point_by_point(make: Callable[[Any], Any], positive: bool, l2: float) -> None:
    X, y = random("path", 30, 12)
    v = np.r_[0.0, np.linspace(0.5, 2.0, 10), np.inf]
    task = Problem(make(X), y, l2=l2, intercept=True, positive=positive, penalty_weights=v)
    l1s = grid(task, 8, 1e-2)
    shuffled = [l1s[i] for i in (3, 0, 7, 5, 1, 2, 6, 4)]
    solvers = {name: hasattr(solver.module, "path") for name, solver in catalogue().items() if solver.own}
    assert sum(solvers.values()) == 10, "a method that can start from a point has a path"
    for name in [name for name, has_path in solvers.items() if has_path]:
        points = solve_path(task, shuffled, solver=name, stop=Stop(tol=1e-11))
        assert len(points) == 8
        for l1, point in zip(shuffled, points, strict=True):
            assert point.status is Status.CONVERGED, (name, l1, point)
            other = solve(task.replace(l1=l1), "cd_numpy", Stop(tol=1e-11))
            np.testing.assert_allclose(point.coef, other.coef, atol=1e-4 * np.abs(other.coef).max())
            ours = task.replace(l1=l1).objective(point.coef, point.intercept)
            theirs = task.replace(l1=l1).objective(other.coef, other.intercept)
            assert ours == pytest.approx(theirs, rel=1e-9)
            assert "cold start" not in point.message


def test_points_of_a_solver_without_a_path_are_cold_starts_and_say_so() -> None:
    X, y = random("path", 30, 12)
    task = Problem(X, y, intercept=True)
    for point in solve_path(task, grid(task, 3, 1e-1), solver="cvxpy_clarabel", stop=Stop(tol=1e-6)):
        assert point.message.endswith("cold start")


def test_a_path_refuses_what_it_cannot_do() -> None:
    X, y = random("path", 30, 12)
    with pytest.raises(ValueError, match="must be finite numbers > 0"):
        solve_path(Problem(X, y), [1.0, 0.0])
    with pytest.raises(ValueError, match="between 0 and 1"):
        grid(Problem(X, y), ratio=1.5)
    with pytest.raises(ValueError, match="l1_max is 0"):
        grid(Problem(X, 0 * y))
    with pytest.raises(ValueError, match="does not do an L1 penalty"):
        solve_path(Problem(X, y), [1.0], solver="ridge_numpy")
    assert solve_path(Problem(X, y), []) == []


def test_one_decomposition_serves_every_l2() -> None:
    X, y = random("ridge path", 10, 25)
    task = Problem(X, y, intercept=True, penalty_weights=np.r_[0.0, np.ones(24)])
    l2s = [10.0, 1.0, 1e-3, 1e-8]
    for l2, point in zip(l2s, l2_path(task, l2s, Stop(tol=1e-12)), strict=True):
        assert point.status is Status.CONVERGED
        other = solve(task.replace(l2=l2), "ridge_numpy", Stop(tol=1e-12))
        np.testing.assert_allclose(point.coef, other.coef, rtol=1e-6, atol=1e-9)


# ---------------------------------------------------------------------- the homotopy


def test_every_knot_of_the_path_is_optimal() -> None:
    X, y = random("knots", 20, 35)
    task = Problem(X, y, intercept=True)
    path = lars_path(task)
    assert path.knots[0] == pytest.approx(task.l1_max(), rel=1e-12)
    assert path.knots[-1] == 0
    assert np.all(np.diff(path.knots) <= 0)
    assert any(move < 0 for move in path.moves), "a path without a drop tests too little"
    for l1, coef, b in zip(path.knots[:-1], path.coefs, path.intercepts, strict=False):
        here = task.replace(l1=float(l1))
        r = y - X @ coef - b
        u = X.T @ r / task.n
        assert np.abs(u).max() <= l1 * (1 + 1e-9) + 1e-13
        assert (
            float(np.abs(u[coef != 0] - l1 * np.sign(coef[coef != 0])).max(initial=0.0)) <= 1e-9 * l1 + 1e-13
        )
        assert here.objective(coef, b) <= here.objective(np.zeros(35), float(y.mean())) * (1 + 1e-14)


def test_duplicates_and_ties_do_not_stop_the_path() -> None:
    X = np.array([[1.0, 0, 0, 1.0], [0, 1.0, 0, 0], [0, 0, 1.0, 0]])
    path = lars_path(Problem(X, np.array([3.0, 3.0, 1.0])))  # columns 0, 1, 3 enter together; 3 repeats 0
    np.testing.assert_allclose(path.knots[-1], 0.0)
    np.testing.assert_allclose(X @ path.coefs[-1], [3.0, 3.0, 1.0], atol=1e-14)


@pytest.mark.skipif(not DIABETES.is_dir(), reason=f"{DIABETES} is not here")
def test_the_published_path_of_the_diabetes_data() -> None:
    data = np.loadtxt(DIABETES / "diabetes_x.csv", delimiter=",", skiprows=1)
    references = json.loads((DIABETES / "published.json").read_text(encoding="utf-8"))["references"]
    published = {reference["id"]: reference for reference in references}
    path = lars_path(Problem(data[:, :10], data[:, 10], intercept=True))
    assert path.moves == published["lars_diabetes_moves"]["moves"]
    assert path.moves == [3, 9, 4, 7, 2, 10, 5, 8, 6, 1, -7, 7]
    for step in (7, 9):
        coef = np.array(published[f"lars_diabetes_beta_step{step}"]["coef"])
        np.testing.assert_allclose(path.coefs[step], coef, rtol=0, atol=1e-10)
