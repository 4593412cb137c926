"""Conventions and adapters: every translation proven, by its formula and by solving through the library.

``CONFORMANCE_PROBLEMS=200 pytest tests/test_conventions.py`` runs the long version: that many problems for
each adapter, over every kind that it supports (compiling those of skglm takes a while).
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from solvers import (
    Entry,
    Problem,
    Solution,
    SolverMissing,
    SolverRefused,
    Status,
    Stop,
    catalogue,
    entry,
    solve,
)
from solvers import conventions as cv
from verification import certify

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "solvers"
ADAPTERS = [name for name in catalogue() if name.startswith("peer_")]
COUNT = int(os.environ.get("CONFORMANCE_PROBLEMS", "12"))
KINDS = ("intercept", "positive", "s", "v", "v = 0", "v = inf", "l2", "ridge", "sparse", "rows", "float32")
# Small enough that each library's own measure of convergence, whatever it is, leaves less than 1e-9
TOL = {"peer_skglm": 1e-9, "peer_glmnet": 1e-20, "peer_adelie": 1e-20, "peer_sklearn_ridge": 1e-14}
Vector = NDArray[np.float64]


def installed(name: str) -> Entry:
    """The adapter, or a skip that says which package is missing."""
    found = entry(name)
    if found.version() is None:
        pytest.skip(f"{found.package} is not installed")
    return found


def draw(rng: np.random.Generator, kinds: set[str]) -> Problem:
    """A random problem of the kinds named, 5 to 60 rows and columns."""
    n, p = (int(k) for k in rng.integers(5, 61, 2))
    X = rng.standard_normal((n, p)) * rng.uniform(0.3, 3, p) + rng.uniform(-1, 1, p)
    y = X @ (rng.standard_normal(p) * (rng.random(p) < 0.3)) + rng.standard_normal(n) + 3
    if "float32" in kinds:
        X = X.astype(np.float32)
    if "sparse" in kinds:
        X[rng.random((n, p)) < 0.7] = 0.0
        X[0], X[1] = 1.0, 2.0  # no column is constant
        X = sp.csr_array(X) if "rows" in kinds else sp.csc_array(X)
    elif "rows" not in kinds:
        X = np.asfortranarray(X)
    v = rng.uniform(0.2, 2, p) if "v" in kinds else np.ones(p)
    few = rng.permutation(p)[: max(1, min(n, p) // 8)]
    if "v = 0" in kinds:
        v[few] = 0.0
    if "v = inf" in kinds:
        v[rng.random(p) < 0.2] = np.inf
    problem = Problem(
        X,
        y,
        intercept="intercept" in kinds,
        positive="positive" in kinds,
        sample_weight=rng.uniform(0, 2, n) * (rng.random(n) < 0.9) + 1e-3 if "s" in kinds else None,
        penalty_weights=v if kinds & {"v", "v = 0", "v = inf"} else None,
    )
    l1 = 0.0 if "ridge" in kinds else problem.l1_max() * 10 ** -rng.uniform(-0.05, 2)
    l2 = problem.l2_ref() * 10 ** -rng.uniform(0, 3) if kinds & {"l2", "ridge"} else 0.0
    return problem.replace(l1=l1, l2=l2)


def problems(name: str, count: int, full: bool = COUNT >= 200) -> Iterator[tuple[set[str], Problem]]:
    """``count`` problems that the adapter does not refuse, over every kind that it supports."""
    rng = np.random.default_rng(crc32(name.encode()))
    adapter, supports = entry(name), entry(name).supports
    always = {"ridge"} if "l1" not in supports else set()
    never = {"ridge", "l2"} if "l2" not in supports else set()
    if name == "peer_skglm" and not full:
        never |= {"sparse", "rows", "float32", "s", "v", "v = 0"}  # each is a compilation of many seconds
    found = 0
    for _ in range(200 * count):
        kinds = {kind for kind in KINDS if rng.random() < 0.25} | always
        problem = draw(rng, kinds - never)
        if adapter.refuses(problem) is None:
            found += 1
            yield kinds - never, problem
        if found == count:
            return
    raise AssertionError(f"{name} refuses nearly everything: {found} of {200 * count}")


def lower_bound(problem: Problem) -> float:
    """A proven lower bound on the optimum of (P), within 1e-10 of it."""
    best = solve(problem, stop=Stop(1e-15, max_iter=100_000))
    proof = certify(problem, best.coef, best.intercept)
    assert proof.kind != "NONE"
    assert proof.gap + proof.radius <= 1e-10 * proof.primal, "the reference is not good enough"
    return float(proof.dual)


def excess(problem: Problem, solution: Solution, bound: float) -> float:
    """How far an answer is above the bound, relative to it."""
    return (problem.objective(solution.coef, solution.intercept) - bound) / bound


# ---------------------------------------------------------------------- by formula
# Each library's objective as its documentation writes it, against (P) at random points: c times theirs
# minus ours must not depend on the point.


def half(r: Vector, s: Vector) -> float:
    return float(s @ (r * r)) / 2


def theirs(name: str, p: Problem) -> tuple[Callable[[Vector], float], float]:
    """(Their objective without an intercept, the multiple of it that is ours)."""
    X, y, s, n, S, v = np.asarray(p.X), p.y, p.s, p.n, p.S, p.v
    one = np.ones(n)
    if name in ("sklearn", "celer", "skglm", "statsmodels", "adelie"):
        alpha, ratio = getattr(cv, "to_sklearn_elastic_net" if name == "sklearn" else f"to_{name}")(
            p.l1, p.l2
        )
        return (
            lambda w: (
                half(y - X @ w, s) / S + alpha * float(v @ (ratio * np.abs(w) + (1 - ratio) / 2 * w * w))
            ),
            1.0,
        )
    if name == "ridge":
        alpha = cv.to_sklearn_ridge(p.l2, S)
        return lambda w: 2 * half(y - X @ w, s) + alpha * float(w @ w), 1 / (2 * S)
    if name == "benchopt":
        lmbd = cv.to_benchopt_lasso(p.l1, n)
        return lambda w: half(y - X @ w, one) + lmbd * float(np.abs(w).sum()), 1 / n
    # glmnet: y over its sd, factors over their mean, coefficients on the scale of y/sd
    sd, factors = cv.glmnet_y_sd(y, s), v / v.mean()
    lam, alpha = cv.to_glmnet(p.l1, p.l2, sd, float(v.mean()))

    def glmnet(w: Vector) -> float:
        u = w / sd
        penalty = alpha * np.abs(u) + (1 - alpha) / 2 * u * u
        return half(y / sd - X @ u, s / S) + lam / sd * float(factors @ penalty)

    return glmnet, sd**2


@pytest.mark.parametrize(
    "name", ["sklearn", "celer", "skglm", "statsmodels", "adelie", "ridge", "benchopt", "glmnet"]
)
@pytest.mark.parametrize("seed", range(10))
def test_each_documented_objective_is_ours_times_a_constant(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, p = 9, 4
    weights = {
        "sample_weight": rng.uniform(0.1, 3, n) if name in ("sklearn", "adelie", "ridge", "glmnet") else None,
        "penalty_weights": rng.uniform(0, 3, p) if name in ("celer", "adelie", "glmnet") else None,
    }
    problem = Problem(
        rng.standard_normal((n, p)),
        rng.standard_normal(n) * 7 + 3,
        l1=0.0 if name == "ridge" else rng.uniform(0.1, 2),
        l2=0.0 if name == "benchopt" else rng.uniform(0.1, 2),
        **weights,
    )
    objective, times = theirs(name, problem)
    points = rng.standard_normal((5, p)) * 4
    for w in points:
        assert times * objective(w) == pytest.approx(problem.objective(w), rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_translations_go_there_and_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    l1, l2, sd, v_mean, S, N = 10 ** rng.uniform(-6, 6, 6)
    l1 = 0.0 if seed == 0 else l1
    l2 = 0.0 if seed == 1 else l2
    n = int(rng.integers(1, 1000))
    pairs = [
        (cv.from_sklearn_elastic_net(*cv.to_sklearn_elastic_net(l1, l2)), (l1, l2)),
        (cv.from_celer(*cv.to_celer(l1, l2)), (l1, l2)),
        (cv.from_skglm(*cv.to_skglm(l1, l2)), (l1, l2)),
        (cv.from_adelie(*cv.to_adelie(l1, l2)), (l1, l2)),
        (cv.from_statsmodels(*cv.to_statsmodels(l1, l2)), (l1, l2)),
        (cv.from_glmnet(*cv.to_glmnet(l1, l2, sd, v_mean), sd, v_mean), (l1, l2)),
    ]
    for found, asked in pairs:  # alpha and l1_ratio lose the smaller penalty to rounding of the larger
        scale = (l1 + l2, l1 + l2) if found is not pairs[-1][0] else (l1 + l2 * sd, (l1 + l2 * sd) / sd)
        assert np.all(np.abs(np.subtract(found, asked)) <= 1e-15 * np.array(scale))
    single = [
        (cv.from_sklearn_ridge(cv.to_sklearn_ridge(l2, S), S), l2),
        (cv.from_benchopt_lasso(cv.to_benchopt_lasso(l1, n), n), l1),
        (cv.from_lars(cv.to_lars(l1, n), n), l1),
        (cv.from_sklearn_tol(cv.to_sklearn_tol(sd)), sd),
        (cv.from_celer_tol(cv.to_celer_tol(sd)), sd),
        (cv.from_skglm_tol(cv.to_skglm_tol(sd, N, S), N, S), sd),
        (cv.from_glmnet_thresh(cv.to_glmnet_thresh(sd)), sd),
        (cv.from_adelie_tol(cv.to_adelie_tol(sd, N, True), N, True), sd),
        (cv.from_adelie_tol(cv.to_adelie_tol(sd, N, False), N, False), sd),
    ]
    for back, there in single:
        assert back == pytest.approx(there, rel=1e-15)


def test_lars_lambda_is_the_largest_correlation() -> None:
    problem = draw(np.random.default_rng(3), {"intercept"})
    problem = problem.replace(l1=problem.l1_max() / 4)
    solution = solve(problem, stop=Stop(1e-14))
    r = problem.y - problem.X @ solution.coef - solution.intercept
    assert np.max(np.abs(problem.X.T @ r)) == pytest.approx(cv.to_lars(problem.l1, problem.n), rel=1e-6)


def test_the_unit_of_gaps_is_the_verifier_s() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        kinds = {kind for kind in ("intercept", "s", "positive", "sparse") if rng.random() < 0.5}
        problem = draw(rng, kinds)
        unit = cv.null_loss(problem.y, problem.intercept, problem.sample_weight)
        assert unit == pytest.approx(certify(problem, np.zeros(problem.p)).scale, rel=1e-12)


def test_published_fits_of_glmnet_agree_and_would_not_without_the_conversion() -> None:
    results = pytest.importorskip("statsmodels.regression.tests.results.glmnet_r_results")
    data = np.loadtxt(Path(results.__file__).parent / "lasso_data.csv", delimiter=",")
    names = [name for name in dir(results) if name.startswith("rslt_")]
    assert len(names) == 81
    far, naive = [], []
    for name in names:
        n, p, alpha, lam, *published = getattr(results, name)
        A = data[: int(n), : int(p) + 1] - data[: int(n), : int(p) + 1].mean(axis=0)
        A /= A.std(axis=0, ddof=1)
        y, X = 5.0 * A[:, 0], A[:, 1:]  # on another scale of y, where the conversion matters more
        for found, penalties in [
            (far, cv.from_glmnet(5.0 * lam, alpha, cv.glmnet_y_sd(y, np.ones(int(n))))),
            (naive, cv.from_sklearn_elastic_net(5.0 * lam, alpha)),
        ]:
            fit = solve(Problem(X, y, l1=penalties[0], l2=penalties[1]), stop=Stop(1e-12))
            found.append(np.max(np.abs(fit.coef / 5.0 - published)))
    # glmnet's thresh of 1e-7 bounds the last moves by sqrt(1e-7) sd(y); the digits printed are 7
    assert max(far) <= np.sqrt(1e-7)
    assert max(naive) > 100 * np.sqrt(1e-7)


def test_statsmodels_elastic_net_is_solved_by_the_conversion() -> None:
    linear_model = pytest.importorskip("statsmodels.regression.linear_model")
    problem = draw(np.random.default_rng(11), {"l2"})
    alpha, L1_wt = cv.to_statsmodels(problem.l1, problem.l2)
    fit = linear_model.OLS(problem.y, np.array(problem.X)).fit_regularized(
        method="elastic_net", alpha=alpha, L1_wt=L1_wt, cnvrg_tol=1e-14, zero_tol=0.0, maxiter=5000
    )
    assert excess(problem, Solution(fit.params, 0.0, Status.CONVERGED), lower_bound(problem)) <= 1e-9


# ---------------------------------------------------------------------- through the libraries


@pytest.mark.parametrize("name", ADAPTERS)
def test_adapter_solves_p_in_every_configuration(name: str, record_property: Callable[..., None]) -> None:
    adapter = installed(name)
    stop = Stop(TOL.get(name, 1e-11), max_iter=3000 if name == "peer_skglm" else 1_000_000)
    worst, ran = dict.fromkeys(adapter.configurations, 0.0), dict.fromkeys(adapter.configurations, 0)
    for kinds, problem in problems(name, COUNT):
        digest, bound = problem.digest, lower_bound(problem)
        for label, configuration in adapter.configurations.items():
            try:
                solution = adapter.setup(problem, stop, **configuration)()
            except SolverRefused:
                continue
            assert problem.digest == digest, f"{name} wrote to its input"
            far = excess(problem, solution, bound)
            assert far <= 1e-9, f"{name} {label} on {problem} {sorted(kinds)}: {far:.2g} {solution.status}"
            assert (solution.claimed_gap is not None) == adapter.claims_gap
            worst[label], ran[label] = max(worst[label], far), ran[label] + 1
    assert all(ran.values()), f"never ran: {ran}"
    record_property("worst", worst)
    print(
        f"\n{name} {adapter.version()}: worst relative error, "
        + ", ".join(f"{k} {e:.1e}" for k, e in worst.items())
    )


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_kind_that_is_said_to_be_supported_is_met(name: str) -> None:
    met = set().union(*(kinds for kinds, _ in problems(name, 80, full=True)))
    said = {
        "peer_sklearn": {"intercept", "positive", "s", "l2", "sparse", "rows", "float32"},
        "peer_sklearn_ridge": {"intercept", "positive", "s", "sparse", "rows", "float32"},
        "peer_sklearn_lars": {"intercept", "rows", "float32"},
        "peer_celer": {"intercept", "positive", "v", "v = inf", "l2", "sparse", "rows", "float32"},
        "peer_skglm": set(KINDS) - {"v = inf"},
        "peer_glmnet": set(KINDS),
        "peer_adelie": set(KINDS) - {"v = inf"},
    }
    assert said[name] <= met, said[name] - met


@pytest.mark.parametrize("name", [n for n in ADAPTERS if hasattr(entry(n).module, "path")])
def test_the_library_s_own_path_solves_p_at_each_point(name: str) -> None:
    adapter, done, refused = installed(name), 0, []
    for kinds, problem in problems(name, 12):
        if problem.l2 > 0 or problem.l1 == 0:
            continue
        l1s = [problem.l1, 3 * problem.l1, 2 * problem.l1]
        try:
            found = adapter.module.path(problem, l1s, Stop(TOL.get(name, 1e-11)))
        except SolverRefused:
            refused.append((name, "s" in kinds))
            continue
        for l1, solution in zip(sorted(l1s, reverse=True), found, strict=True):
            there = problem.replace(l1=l1)
            assert excess(there, solution, lower_bound(there)) <= 1e-9, f"{name} on {there} {sorted(kinds)}"
            done += 1
    assert done >= 9
    assert set(refused) <= {("peer_sklearn", True)}


@pytest.mark.parametrize("name", [n for n in ADAPTERS if hasattr(entry(n).module, "path")])
def test_a_path_function_refuses_an_l2_that_it_would_not_keep(name: str) -> None:
    adapter = installed(name)
    problem = draw(np.random.default_rng(0), {"l2"})
    with pytest.raises(SolverRefused, match="l2"):
        adapter.module.path(problem, [problem.l1, 2 * problem.l1], Stop(1e-6))


@pytest.mark.parametrize("name", ADAPTERS)
def test_library_defaults_run_and_are_worse_than_asked(name: str) -> None:
    adapter = installed(name)
    far = []
    for _, problem in problems(name, 5):
        digest = problem.digest
        solution = adapter.module.defaults(problem)()
        assert problem.digest == digest, f"{name} wrote to its input"
        far.append(excess(problem, solution, lower_bound(problem)))
    assert all(np.isfinite(far))
    assert min(far) < 0.05, f"the defaults of {name} do not solve (P): {far}"


@pytest.mark.parametrize(
    "name", [n for n in ADAPTERS if n not in ("peer_sklearn_ridge", "peer_sklearn_lars")]
)
def test_too_few_iterations_are_said(name: str) -> None:
    adapter = installed(name)
    rng = np.random.default_rng(1)
    X = rng.standard_normal((40, 30)) + 3 * rng.standard_normal(
        (40, 1)
    )  # correlated: no method is done at once
    problem = Problem(np.asfortranarray(X), X @ rng.standard_normal(30), l1=1e-3)
    solution = adapter.setup(problem, Stop(1e-12, max_iter=1))()
    assert solution.status is Status.MAX_ITER
    if adapter.claims_gap:
        assert solution.claimed_gap is not None
        assert solution.claimed_gap > 1e-12
        assert solution.message


@pytest.mark.parametrize("name", [n for n in ADAPTERS if entry(n).claims_gap])
def test_a_claim_is_our_relative_gap_at_the_tolerance_asked_for(name: str) -> None:
    adapter = installed(name)
    tight = 0.0
    for kinds, problem in problems(name, 12):
        for tol in (1e-2, 1e-4, 1e-6):
            solution = adapter.setup(problem, Stop(tol))()
            assert solution.status is Status.CONVERGED
            claim = solution.claimed_gap
            assert claim is not None
            assert claim <= tol * (1 + 1e-6)
            scale = certify(problem, solution.coef, solution.intercept).scale
            true = (problem.objective(solution.coef, solution.intercept) - lower_bound(problem)) / scale
            assert true <= claim + 1e-9, (
                f"{name} claims {claim:.3g} of {true:.3g} on {problem} {sorted(kinds)}"
            )
            if problem.l1 < problem.l1_max():
                tight = max(tight, claim / tol)
    assert tight > 0.5, f"its tol is not our tol: the claims reach only {tight:.3g} of it"


@pytest.mark.parametrize("name", [n for n in ADAPTERS if entry(n).claims_gap])
def test_a_claim_is_the_textbook_gap_over_n(name: str) -> None:
    adapter = installed(name)
    problem = draw(np.random.default_rng(5), {"intercept"})
    problem = problem.replace(l1=problem.l1_max() / 5)
    solution = adapter.setup(problem, Stop(1e-3))()
    r = problem.y - problem.X @ solution.coef - solution.intercept
    z, n = problem.y - problem.y.mean(), problem.n
    scaled = min(1.0, problem.l1 * n / np.max(np.abs((problem.X - problem.X.mean(axis=0)).T @ r)))
    primal = r @ r / (2 * n) + problem.l1 * np.abs(solution.coef).sum()
    dual = (z @ z - (z - scaled * r) @ (z - scaled * r)) / (2 * n)
    textbook = (primal - dual) / (z @ z / (2 * n))
    assert solution.claimed_gap is not None
    if name == "peer_sklearn":
        assert solution.claimed_gap == pytest.approx(textbook, rel=1e-6)
    else:  # its dual point is an extrapolated one where that is better
        assert 0 < solution.claimed_gap <= textbook * (1 + 1e-6)


# ---------------------------------------------------------------------- what is refused, and missing


def small(**changes: Any) -> Problem:
    rng = np.random.default_rng(7)
    X = rng.standard_normal((12, 4))
    if changes.pop("sparse", False):
        X = sp.csc_array(X)
    return Problem(X, **({"y": rng.standard_normal(12), "l1": 0.1} | changes))


V = np.array([1.0, 2.0, 0.5, 1.0])
S = np.linspace(0.5, 2, 12)
REFUSALS = [
    ("peer_sklearn", {"penalty_weights": V}, "penalty weights"),
    ("peer_sklearn", {"l1": 0.0, "l2": 1.0}, "l1 = 0"),
    ("peer_sklearn_ridge", {"l2": 1.0}, "L1"),
    ("peer_sklearn_ridge", {"l1": 0.0, "l2": 1.0, "penalty_weights": V}, "penalty weights"),
    ("peer_sklearn_lars", {"positive": True}, ">= 0"),
    ("peer_sklearn_lars", {"l2": 1.0}, "L2"),
    ("peer_sklearn_lars", {"sparse": True}, "sparse"),
    ("peer_sklearn_lars", {"sample_weight": S}, "weights"),
    ("peer_celer", {"sample_weight": S}, "sample weights"),
    ("peer_celer", {"penalty_weights": np.array([0.0, 1, 1, 1])}, "> 0"),
    ("peer_celer", {"l1": 0.0, "l2": 1.0}, "l1 = 0"),
    ("peer_celer", {"y": np.linspace(1, 2, 12) * 1e-20}, "32 bits"),
    ("peer_celer", {"y": np.linspace(1, 2, 12) * 1e20}, "32 bits"),
    ("peer_skglm", {"penalty_weights": V, "l2": 1.0}, "L2"),
    ("peer_skglm", {"penalty_weights": np.array([np.inf, 1, 1, 1])}, "infinite"),
    ("peer_skglm", {"sparse": True, "sample_weight": S}, "sparse"),
    ("peer_adelie", {"penalty_weights": np.array([np.inf, 1, 1, 1])}, "infinite"),
    *[(name, {"l1": 0.0}, "least squares") for name in ADAPTERS],
]


@pytest.mark.parametrize(("name", "changes", "words"), REFUSALS)
def test_what_a_library_cannot_do_is_refused_aloud(name: str, changes: dict[str, Any], words: str) -> None:
    reason = entry(name).refuses(small(**changes))
    assert reason is not None
    assert words in reason


def test_glmnet_refuses_what_it_would_answer_wrongly() -> None:
    glmnet = entry("peer_glmnet")
    problem = small()
    assert "constant" in (glmnet.refuses(problem.replace(y=np.full(12, 3.1))) or "")
    for X in (problem.X, sp.csc_array(problem.X)):
        dense = np.array(problem.X)
        dense[:, 2] = 1.5
        constant = problem.replace(X=sp.csc_array(dense) if sp.issparse(X) else dense)
        assert "constant columns" in (glmnet.refuses(constant) or "")
        assert glmnet.refuses(constant.replace(intercept=True)) is None
        dense[:, 2] = 0.0  # dropping this one is right
        zero = problem.replace(X=sp.csc_array(dense) if sp.issparse(X) else dense)
        assert glmnet.refuses(zero) is None


def test_configurations_that_form_a_gram_matrix_refuse_a_wide_x() -> None:
    problem = Problem(np.random.default_rng(0).standard_normal((2, 10_001)), [1.0, 2.0], l1=0.1)
    for name, how in [
        ("peer_sklearn", {"precompute": True}),
        ("peer_sklearn_lars", {"precompute": True}),
        ("peer_skglm", {"gram": True}),
        ("peer_glmnet", {"ka": 1}),
        ("peer_adelie", {"covariance": True}),
    ]:
        with pytest.raises(SolverRefused, match="p x p"):
            installed(name).setup(problem, Stop(), **how)


def test_the_gram_solver_of_skglm_takes_columns_of_zeros() -> None:
    adapter = installed("peer_skglm")
    dense = np.array(small().X)
    dense[:, 2] = 0.0
    problem = small().replace(X=np.asfortranarray(dense), l1=0.05)
    solution = adapter.setup(problem, Stop(1e-9), gram=True)()
    assert solution.status is Status.CONVERGED
    assert excess(problem, solution, lower_bound(problem)) <= 1e-9


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_missing_package_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(package: str) -> str:
        raise importlib.metadata.PackageNotFoundError(package)

    adapter = entry(name)
    monkeypatch.setattr(importlib.metadata, "version", absent)
    assert adapter.version() is None
    with pytest.raises(SolverMissing, match=str(adapter.package)):
        adapter.setup(small(), Stop())


def test_adapters_are_short_and_the_shared_layer_names_no_peer() -> None:
    names = re.compile(r"sklearn|scikit|celer\b|skglm|glmnet|adelie", re.IGNORECASE)
    for path in FOLDER.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.stem.startswith("peer_"):
            assert len(text.splitlines()) <= 80, path.name
        elif path.stem != "conventions":
            assert not names.search(text), f"{path.name} names {names.search(text)}"


def test_neither_the_judge_nor_the_bench_names_a_peer() -> None:
    names = re.compile(r"sklearn|scikit|celer\b|skglm|glmnet|adelie", re.IGNORECASE)
    campaign = "calibrate.py"  # its default choice of solvers to run twice, as a user would name them
    judges = [*ROOT.glob("verification/*.py"), *ROOT.glob("verification/proofs/*.py")]
    shared = [path for path in (*judges, *ROOT.glob("bench/**/*.py")) if path.name != campaign]
    assert len(shared) > 40
    for path in shared:
        found = names.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path.name} names {found}"


def test_importing_an_adapter_imports_no_library() -> None:
    for name in ADAPTERS:
        source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
        assert not re.search(r"^(from|import) (sklearn|celer|skglm|glmnet|adelie)", source, re.MULTILINE)


def test_every_configuration_is_explained_in_the_docs() -> None:
    text = (FOLDER.parent / "docs" / "peers.md").read_text(encoding="utf-8")
    for name in ADAPTERS:
        assert f"`{name}`" in text, name
        for label in entry(name).configurations:
            assert f"`{label}`" in text, f"{name}: {label}"


@pytest.mark.parametrize(("l1", "l2", "fits"), [
    (0.3, 0.1, True), (1e-6, 1e3, True), (0.3, 0.0, True), (0.0, 0.1, True), (1.0, 1e-9, True),
    (0.24, 1.9e-301, False), (1.0, 1e-13, False), (1e-300, 1.0, True),
])  # fmt: skip
def test_a_penalty_that_strength_and_ratio_do_not_hold_is_named(l1: float, l2: float, fits: bool) -> None:
    said = cv.lost(l1, l2, cv.from_sklearn_elastic_net(*cv.to_sklearn_elastic_net(l1, l2)))
    assert (said is None) == fits
    if said is not None:
        assert "do not hold l2" in said


def test_glmnet_loses_l2_where_the_sd_of_y_is_tiny() -> None:
    tiny = 5e-301, 1e-301
    assert cv.lost(*tiny, cv.from_glmnet(*cv.to_glmnet(*tiny, 1e-150), 1e-150))
    assert cv.lost(*tiny, cv.from_sklearn_elastic_net(*cv.to_sklearn_elastic_net(*tiny))) is None


@pytest.mark.parametrize("name", ["peer_sklearn", "peer_skglm", "peer_glmnet", "peer_adelie", "peer_celer"])
def test_such_a_problem_is_refused_not_answered_as_another(name: str) -> None:
    X = np.asfortranarray(np.eye(8)[:, :3] + 0.25)
    y = np.arange(8.0)
    problem = Problem(X, y, l1=0.5, l2=1e-14)
    assert "do not hold l2" in (entry(name).refuses(problem) or "")
    assert entry(name).refuses(problem.replace(l2=0.125)) is None
