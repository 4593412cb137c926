"""Published results: our solvers find what was printed, and a solver that does not is seen."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from solvers import Problem, Solution, SolverRefused, Status, Stop, catalogue, entry, solve
from verification import certify
from verification.checks import published_nist
from verification.checks.published import FOLDER, Published, correct_digits, published_results, tight

RESULTS = published_results()
SOLVED = [name for name in RESULTS if name != "nist_strd"]
DIRECT = [name for name, e in catalogue().items() if name.startswith("ridge_") and "ols" in e.supports]


def have(name: str) -> Published:
    result = RESULTS[name]
    if reason := result.missing():
        pytest.skip(f"{name}: {reason}")
    return result


@pytest.mark.parametrize("name", RESULTS)
def test_what_was_printed_is_found(name: str) -> None:
    lines = list(have(name).lines(tight()))
    assert lines
    assert [line for line in lines if not line.agrees] == []


@pytest.mark.parametrize("name", SOLVED)
def test_a_solver_that_is_off_by_one_percent_is_seen(name: str) -> None:
    def shrunk(problem: Problem) -> Solution:
        found = tight()(problem)
        return Solution(found.coef * 0.99, found.intercept, Status.CONVERGED)

    assert [line for line in have(name).lines(shrunk) if not line.agrees]


@pytest.mark.parametrize("name", [name for name in SOLVED if name not in ("esl_least_squares",)])
def test_a_penalty_that_is_off_by_five_percent_is_seen(name: str) -> None:
    def other(problem: Problem) -> Solution:
        return tight()(problem.replace(l1=problem.l1 * 1.05, l2=problem.l2 * 1.05))

    assert [line for line in have(name).lines(other) if not line.agrees]


def test_each_says_its_source_and_its_standardisation() -> None:
    for result in RESULTS.values():
        assert result.citation, result.name
        assert result.standardisation, result.name


def test_a_missing_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    reason = RESULTS["esl_ridge"].missing()
    assert reason is not None
    assert str(tmp_path / "esl_prostate") in reason
    assert FOLDER in reason


@pytest.mark.parametrize("name", published_nist.NAMES)
def test_one_unit_of_the_last_certified_digit_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison in decimals is sharp: a change in the 15th digit is a disagreement."""
    have("nist_strd")
    coef, sds, residual = published_nist.exact_estimates(name)
    off = [c + c.scaleb(-14) for c in coef]
    monkeypatch.setattr(published_nist, "exact_estimates", lambda _: (off, sds, residual))
    monkeypatch.setattr(published_nist, "NAMES", (name,))
    wrong = [line for line in RESULTS["nist_strd"].lines(tight()) if not line.agrees]
    assert len(wrong) == len(coef)


@pytest.mark.parametrize("name", published_nist.NAMES)
@pytest.mark.parametrize("solver", DIRECT)
def test_factorisations_keep_the_digits_that_the_conditioning_leaves(solver: str, name: str) -> None:
    """Forward error of a backward stable method (Higham 2002, Theorem 20.1), columns scaled to norm 1."""
    have("nist_strd")
    problem = published_nist.dataset(name).problem()
    if (reason := entry(solver).refuses(problem)) is not None:
        pytest.skip(f"{solver}: {reason}")
    exact = np.array([float(x) for x in published_nist.float_optimum(name)])
    A = np.column_stack([np.ones(problem.n), problem.X]) if problem.intercept else np.asarray(problem.X)
    norms = np.linalg.norm(A, axis=0)
    x, r = exact * norms, problem.y - A @ exact
    singular = np.linalg.svd(A / norms, compute_uv=False)
    condition = singular[0] / singular[-1]
    relative = condition * (1 + condition * np.linalg.norm(r) / (singular[0] * np.linalg.norm(x)))
    error = problem.n * A.shape[1] * np.finfo(float).eps * relative * np.linalg.norm(x) / np.abs(x).min()
    found = solve(problem, solver, Stop(tol=1e-14))
    estimates = np.append(found.intercept, found.coef) if problem.intercept else found.coef
    _, digits = published_nist.digits_of(name, estimates)
    assert digits >= -np.log10(error)


@pytest.mark.parametrize("name", published_nist.NAMES)
def test_every_solver_of_ours_is_as_near_nist_s_optimum_as_it_claims(name: str) -> None:
    have("nist_strd")
    problem = published_nist.dataset(name).problem()
    best = [Fraction(x) for x in published_nist.float_optimum(name)]

    def half_mean_square(estimates: list[Fraction]) -> Fraction:
        rows = [[Fraction(1)] * problem.intercept + [Fraction(float(x)) for x in row] for row in problem.X]
        loss = Fraction(0)
        for row, t in zip(rows, problem.y, strict=True):
            loss += (Fraction(float(t)) - sum(a * b for a, b in zip(row, estimates, strict=True))) ** 2
        return loss / (2 * problem.n)

    for solver in (e for e in catalogue().values() if e.own and e.claims_gap):
        try:
            found = solve(problem, solver.name, Stop(tol=1e-9, time_limit=0.2))
        except SolverRefused:
            continue
        if found.status is not Status.CONVERGED:
            continue
        w = [Fraction(float(found.intercept))] * problem.intercept + [Fraction(float(c)) for c in found.coef]
        certificate = certify(problem, found.coef, found.intercept)
        assert certificate.radius is not None
        excess = half_mean_square(w) - half_mean_square(best)
        assert 0 <= excess <= 1e-9 * certificate.scale + certificate.radius, solver.name


def test_correct_digits() -> None:
    assert correct_digits(1.0, 1.0) == float("inf")
    assert round(correct_digits(1.001, 1.0), 6) == 3.0
    assert round(correct_digits(-1e-5, 0.0), 6) == 5.0
