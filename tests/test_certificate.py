from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest
from exact_reference import ExactProblem, Optimum, rational
from flint import fmpq
from numpy.typing import NDArray
from random_problems import combinations, points, problem_of

from solvers import Problem
from verification import Certificate, Judge
from verification.proofs import dual, judge, projection, scaled

Vector = NDArray[np.float64]


@dataclass
class Tally:
    """What weak duality on random points has shown."""

    points: int = 0
    invalid: list[str] = field(default_factory=list)  # the gap is below the true suboptimality
    loose: list[str] = field(default_factory=list)  # at the optimum the gap is above it
    wrong_primal: list[str] = field(default_factory=list)
    wrong_zeros: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)  # a radius so large that nothing could fail
    radii: list[float] = field(default_factory=list)  # relative, at the optima of data of moderate size
    worst: float = 0.0  # largest (suboptimality - gap) / radius

    @property
    def faults(self) -> list[str]:
        return self.invalid + self.loose + self.wrong_primal + self.wrong_zeros + self.wide


@cache
def reference(combination: tuple[str, ...]) -> tuple[Problem, ExactProblem, Optimum]:
    problem = problem_of(combination)
    exact = ExactProblem(problem)
    return problem, exact, exact.optimum()


def check_point(
    tally: Tally,
    words: str,
    certificate: Certificate,
    exact: ExactProblem,
    best: Optimum,
    w: Vector,
    b: float,
) -> None:
    """Compare a certificate with the truth, in rationals, at one point."""
    tally.points += 1
    if certificate.gap is None or certificate.radius is None or not np.isfinite(certificate.gap):
        tally.invalid.append(f"{words}: no gap: {certificate.reason}")
        return
    primal = exact.objective([rational(x) for x in w], rational(b))
    suboptimality = primal - best.value
    gap, radius = rational(certificate.gap), rational(certificate.radius)
    if gap + radius < suboptimality:
        tally.invalid.append(f"{words}: gap {certificate.gap:.3g}, radius {certificate.radius:.3g}")
    if words.endswith("point 0") and gap > suboptimality + radius:
        tally.loose.append(f"{words}: gap {certificate.gap:.3g}, radius {certificate.radius:.3g}")
    if abs(primal - rational(certificate.primal)) > radius:
        tally.wrong_primal.append(words)
    if any(zero and x != 0 for zero, x in zip(certificate.certified_zeros, best.coef, strict=True)):
        tally.wrong_zeros.append(words)
    if radius > 0:
        ratio = max(fmpq(0), min((suboptimality - gap) / radius, fmpq(10**6)))  # in the range of float
        tally.worst = max(tally.worst, int(ratio.p) / int(ratio.q))


def check_radius(tally: Tally, words: str, problem: Problem, certificate: Certificate) -> None:
    """At an optimum of data of moderate size the radius must be small, or no gap could ever be wrong."""
    moderate = max(np.abs(problem.X).max(), np.abs(problem.y).max()) < 100 and certificate.scale > 1e-6
    if moderate and certificate.radius is not None:
        tally.radii.append(certificate.radius / certificate.scale)
        if tally.radii[-1] > 1e-8:
            tally.wide.append(f"{words}: radius {tally.radii[-1]:.1e} N")


def weak_duality(chosen: list[tuple[str, ...]]) -> Tally:
    tally = Tally()
    for combination in chosen:
        problem, exact, best = reference(combination)
        of_problem = Judge(problem)
        for k, (w, b) in enumerate(points(problem, best, np.random.default_rng(0))):
            words = f"{combination} {problem!r} point {k}"
            certificate = of_problem.certify(w, b)
            check_point(tally, words, certificate, exact, best, w, b)
            if k == 0:
                check_radius(tally, words, problem, certificate)
    return tally


def test_weak_duality_on_ten_thousand_points() -> None:
    tally = weak_duality(combinations())
    assert tally.points >= 10_000
    assert tally.faults == []
    assert tally.worst <= 1
    assert len(tally.radii) > 100
    assert np.median(tally.radii) < 1e-13


# ---- break it before trusting it ---------------------------------------------------------------------------


def without_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alpha is not limited by the constraints |u_j| <= l1_j."""

    def best_multiple(linear: float, square: float, *_: object) -> list[float]:
        return [linear / square if square else 0.0]

    monkeypatch.setattr(judge, "best_multiple", best_multiple)
    monkeypatch.setattr(judge.Judge, "_penalty_side", _uncharged)


def _uncharged(
    self: Judge, w: Vector, u: Vector, product: Vector, inherited: Vector, move: Vector
) -> tuple[float, float]:
    """The side of the penalty without a charge for infeasible u_j."""
    penalty = self._scaled.penalty
    bound = self._capped | self._scaled.free
    with np.errstate(invalid="ignore"):
        terms = penalty.fenchel_young(w, np.where(bound, np.clip(u, -penalty.l1, penalty.l1), u), penalty.l1)
    return float(np.sum(terms)), float(np.sum((product + inherited) * np.abs(w)))


def without_projection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpenalised columns are treated as if they were not there."""
    original = projection.Span.__init__

    def init(self: projection.Span, design: object, members: Vector, constant: bool) -> None:
        original(self, design, members[:0], constant)  # type: ignore[arg-type]

    monkeypatch.setattr(projection.Span, "__init__", init)
    monkeypatch.setattr(judge.Judge, "_penalty_side", _uncharged)
    monkeypatch.setattr(judge, "face_span", lambda scaled, w, r: scaled.span)


def textbook_gap(problem: Problem, coef: Vector, intercept: float, centred: bool) -> float:
    """Primal minus dual from the data as they come; for lasso."""
    s, y = problem.s, problem.y
    r = y - problem.X @ coef - intercept
    theta = r - s @ r / problem.S if problem.intercept and centred else r
    u = np.abs(problem.X.T @ (s * theta)) / problem.S
    theta = theta * min(1.0, problem.l1 / max(float(u.max()), 1e-300))
    primal = s @ r**2 / (2 * problem.S) + problem.l1 * np.abs(coef).sum()
    return float(primal - (s @ (theta * y) - s @ theta**2 / 2) / problem.S)


def lasso_by_the_textbook(monkeypatch: pytest.MonkeyPatch, centred: bool) -> None:
    certify = Judge.certify

    def certify_textbook(self: Judge, coef: Vector, intercept: float = 0.0) -> Certificate:
        honest, problem = certify(self, coef, intercept), self.problem
        if problem.l2 > 0 or problem.l1 == 0 or problem.positive or problem.penalty_weights is not None:
            return honest
        return replace(honest, gap=textbook_gap(problem, coef, intercept, centred))

    monkeypatch.setattr(Judge, "certify", certify_textbook)


def textbook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Primal minus dual: right in exact arithmetic."""
    lasso_by_the_textbook(monkeypatch, centred=True)


def without_centring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dual point is not orthogonal to the constant."""
    lasso_by_the_textbook(monkeypatch, centred=False)


def without_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding is forgotten."""
    monkeypatch.setattr(judge, "gamma", lambda *_: 0.0)


def swapped_conjugate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The conjugate of the elastic net forgets its l1."""
    original = dual.Penalty.fenchel_young

    def wrong(self: dual.Penalty, w: Vector, u: Vector, l1: Vector) -> Vector:
        return np.where(self.l2 > 0, original(self, w, u, l1 + 0.5 * np.abs(u)), original(self, w, u, l1))

    monkeypatch.setattr(dual.Penalty, "fenchel_young", wrong)


def weights_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows with weight zero count."""
    original = scaled.Scaled.__init__

    def init(self: scaled.Scaled, problem: Problem) -> None:
        original(self, problem.replace(sample_weight=None))

    monkeypatch.setattr(scaled.Scaled, "__init__", init)


FAULTS = [
    without_centring,
    without_cap,
    without_projection,
    textbook,
    without_rounding,
    swapped_conjugate,
    weights_ignored,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(
    fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    assert weak_duality(combinations()[::7]).faults


def test_the_planted_faults_sit_on_combinations_that_pass_without_them() -> None:
    assert weak_duality(combinations()[::7]).faults == []
