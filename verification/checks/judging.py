"""Checks of the judge itself: certificates against answers that are known exactly. No solver is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray

from solvers import Problem

from ..problems._known import KnownAnswer, construct, fractions_of
from ..problems.generated import grid, rng_for
from ..problems.known_answer import known_answers
from ..proofs import Certificate, certify
from ..proofs.exact import correct_digits, features, optimum
from .check import Failure, Subject, check

Vector = NDArray[np.float64]

NAMES = (
    "tall/ols/intercept", "tall/lasso/plain", "tall/lasso/intercept", "tall/lasso/v", "tall/ridge/intercept",
    "tall/enet/weights", "tall/enet/all", "wide/lasso/plain", "wide/ridge/plain", "sparse/lasso/plain/csc",
    "sparse/enet/all/csr", "tall/lasso/positive", "tall/ridge/positive", "orthogonal/ols/positive",
    "huge_offset/lasso", "at_l1_max/enet/intercept", "steep",
)  # fmt: skip
TENTH_OF_A_TIER = 1e-10  # of N: a radius above it would leave the tier 1e-9 undecided
DISTANCES = (1e-12, 1e-8, 1e-4, 1e-2, 1.0)


@dataclass(frozen=True)
class Point:
    """A point of a problem, and the truth about it in rationals."""

    problem: Problem
    coef: Vector
    intercept: float
    value: Fraction  # P(w, b)
    best: Fraction  # P*
    at_optimum: bool

    @property
    def off(self) -> Fraction:
        """Suboptimality."""
        return self.value - self.best


def objective(problem: Problem, coef: list[Fraction], intercept: Fraction) -> Fraction:
    """P(w, b) in rationals, written down from its definition, docs/maths.md (P)."""
    s = [Fraction(x) for x in problem.s.tolist()]
    total = Fraction(0)
    for weight, row, y in zip(s, fractions_of(problem.X), problem.y.tolist(), strict=True):
        r = Fraction(y) - intercept - sum((x * w for x, w in zip(row, coef, strict=True) if w), Fraction(0))
        total += weight * r * r
    total /= 2 * sum(s)
    l1, l2 = Fraction(problem.l1), Fraction(problem.l2)
    for v, w in zip(problem.v.tolist(), coef, strict=True):
        total += Fraction(v) * (l1 * abs(w) + l2 * w * w / 2) if w else 0
    return total


def exactly(coef: Vector) -> list[Fraction]:
    """The values of floats."""
    return [Fraction(x) for x in coef.tolist()]


@cache
def known(name: str) -> KnownAnswer:
    """A problem with its exact answer; "steep": w >= 0 with correlations far below -l1."""
    if name != "steep":
        return known_answers()[name].load()
    X = grid(rng_for("steep").standard_normal((24, 8)), 6)
    w = [Fraction(j % 3) for j in range(8)]
    return construct(X, w, l1=Fraction(1, 8), positive=True, slack=lambda j: Fraction(-3))


def rounded(answer: KnownAnswer) -> tuple[Vector, float]:
    """The optimum in float64."""
    return np.array([float(x) for x in answer.coef]), float(answer.intercept)


@cache
def points() -> list[Point]:
    """Every known answer at its rounded optimum, at points at all distances from it, and at zero."""
    made = []
    for name in NAMES:
        answer = known(name)
        problem = answer.problem
        best = objective(problem, list(answer.coef), answer.intercept)
        w, b = rounded(answer)
        rng, size = rng_for(f"judging {name}"), float(np.max(np.abs(w))) or 1.0
        far = name.startswith("huge_offset")  # points near the optimum, where a gap may come out negative
        for distance in (0.0, *DISTANCES, *(1e-9,) * 10 * far):
            moved = w + distance * size * rng.standard_normal(w.size) * np.isfinite(problem.v)
            moved = np.maximum(moved, 0.0) if problem.positive else moved
            shift = b if far else b * (1 + distance * rng.standard_normal())
            value = objective(problem, exactly(moved), Fraction(shift))
            made.append(Point(problem, moved, shift, value, best, distance == 0))
        value = objective(problem, [Fraction(0)] * w.size, Fraction(b))
        made.append(Point(problem, np.zeros(w.size), b, value, best, False))
    return made


@cache
def judged() -> list[tuple[Point, Certificate]]:
    """Every point with its certificate at level float: once a process, whose judge does not change."""
    return [(point, certify(point.problem, point.coef, point.intercept)) for point in points()]


def relative(x: Fraction, certificate: Certificate) -> str:
    """In units of N, for words."""
    return f"{float(x) / certificate.scale:.1e} N"


@check("no gap lies below the true suboptimality, no dual bound above the optimum", about="judge")
def weak_duality(subject: Subject) -> Iterator[Failure]:
    """0 <= gap, and gap + radius >= P - P* in rationals."""
    for point, found in judged():
        if found.gap is None or found.radius is None or found.dual is None:
            yield Failure(point.problem, f"no gap: {found.reason}")
        elif found.gap < 0:
            yield Failure(point.problem, f"a negative gap: {found.gap:.1e}")
        elif Fraction(found.gap) + Fraction(found.radius) < point.off:
            words = f"gap {found.gap / found.scale:.1e} N, truly {relative(point.off, found)} off"
            yield Failure(point.problem, words)
        elif Fraction(found.dual) - Fraction(found.radius) > point.best:
            yield Failure(point.problem, f"a dual bound above the optimum: {found.dual!r}")


@check("at the optimum the gap is nothing but rounding", about="judge")
def tight_at_the_optimum(subject: Subject) -> Iterator[Failure]:
    """A dual point that is needlessly bad would let every accurate answer look rough."""
    for point, found in judged():
        if point.at_optimum and found.gap is not None and found.radius is not None:
            excess = Fraction(found.gap) - point.off
            if excess > Fraction(found.radius):
                yield Failure(point.problem, f"gap {relative(excess, found)} at the optimum")


@check("the radius at an optimum leaves the tightest tier decided", about="judge")
def radius_is_small(subject: Subject) -> Iterator[Failure]:
    """A radius so large that no gap could be wrong would prove nothing."""
    for point, found in judged():
        if point.at_optimum and found.radius is not None and abs(point.intercept) < 1000:
            share = found.radius / found.scale
            if share > TENTH_OF_A_TIER:
                yield Failure(point.problem, f"radius {share:.1e} N, a tenth of a tier is {TENTH_OF_A_TIER}")


@check("the primal value is the objective", about="judge")
def primal_is_the_objective(subject: Subject) -> Iterator[Failure]:
    """Within the radius, in rationals."""
    for point, found in judged():
        if found.radius is not None and abs(Fraction(found.primal) - point.value) > Fraction(found.radius):
            off = Fraction(found.primal) - point.value
            yield Failure(point.problem, f"primal off by {relative(off, found)}")


@check("N is the objective of the null fit", about="judge")
def scale_is_the_null_fit(subject: Subject) -> Iterator[Failure]:
    """P_null by Gram-Schmidt in rationals: only b and the unpenalised columns are fitted."""
    for name in NAMES:
        answer = known(name)
        problem = answer.problem
        if problem.positive and (np.any(problem.v == 0) or problem.l1 == problem.l2 == 0):
            continue  # then it is a non-negative fit, no projection
        found = certify(problem, *rounded(answer))
        null = _null(problem)
        if abs(Fraction(found.scale) - null) > Fraction(1, 10**9) * null:
            yield Failure(problem, f"N is {found.scale!r}, the null fit has {float(null)!r}")


def _null(problem: Problem) -> Fraction:
    s = [Fraction(x) for x in problem.s.tolist()]
    rows = fractions_of(problem.X)
    free = range(problem.p) if problem.l1 == problem.l2 == 0 else np.flatnonzero(problem.v == 0)
    columns = [[Fraction(1)] * problem.n] if problem.intercept else []
    columns += [[row[j] for row in rows] for j in free]
    orthogonal: list[list[Fraction]] = []
    for column in [*columns, [Fraction(y) for y in problem.y.tolist()]]:
        rest = column
        for q in orthogonal:
            length = _inner(s, q, q)
            if length:
                factor = _inner(s, q, rest) / length
                rest = [x - factor * t for x, t in zip(rest, q, strict=True)]
        orthogonal.append(rest)
    return _inner(s, orthogonal[-1], orthogonal[-1]) / (2 * sum(s))


def _inner(s: list[Fraction], a: list[Fraction], b: list[Fraction]) -> Fraction:
    return sum((t * x * y for t, x, y in zip(s, a, b, strict=True)), Fraction(0))


@check("with one column of ones the gap is the suboptimality itself", about="judge")
def gap_in_one_dimension(subject: Subject) -> Iterator[Failure]:
    """There the best dual point is a multiple of the residual, as long as that points the right way."""
    ones = np.ones((4, 1))
    for l1, l2, positive in ((1.0, 0.0, False), (1.0, 1.0, False), (0.0, 1.0, False), (1.0, 0.5, True)):
        problem = Problem(ones, np.full(4, 4.0), l1=l1, l2=l2, positive=positive)
        best = Fraction(4 - l1) / Fraction(1 + l2)
        value = objective(problem, [best], Fraction(0))
        for w in (0.0, 0.5, 1.0, 2.0, 3.5):
            off = objective(problem, [Fraction(w)], Fraction(0)) - value
            found = certify(problem, [w])
            if found.gap is None or found.radius is None:
                continue
            if abs(Fraction(found.gap) - off) > Fraction(found.radius):
                yield Failure(problem, f"w = {w}: gap {found.gap!r}, truly {float(off)!r}")


@check("what is no point of (P) has no gap", about="judge")
def broken_points(subject: Subject) -> Iterator[Failure]:
    """Not finite, negative where that is forbidden, not zero where v is inf, b where there is none."""
    X, y = np.eye(3), np.ones(3)
    plain, none = Problem(X, y, l1=0.1), [0.0, 0.0, 0.0]
    fixed = plain.replace(penalty_weights=[1.0, np.inf, 1.0])
    points: list[tuple[Problem, list[float], float]] = [
        (plain, [0.0, np.nan, 0.0], 0.0),
        (plain, [0.0, np.inf, 0.0], 0.0),
        (plain, none, 0.5),
        (plain.replace(intercept=True), none, np.nan),
        (plain.replace(positive=True), [0.0, -1e-300, 0.0], 0.0),
        (fixed, [0.0, 1e-300, 0.0], 0.0),
    ]
    for problem, coef, b in points:
        found = certify(problem, coef, b)
        if found.kind != "NONE" or found.gap is not None or found.primal != np.inf:
            yield Failure(problem, f"coef {coef}, intercept {b}: {found.kind}, gap {found.gap}")


@check("no coefficient is proven to be zero that is not, and at the optimum some are", about="judge")
def certified_zeros(subject: Subject) -> Iterator[Failure]:
    """Docs/maths.md (ZEROS) holds at every point, however far."""
    for name in ("tall/lasso/plain", "tall/enet/weights", "wide/lasso/plain", "tall/lasso/v"):
        answer = known(name)
        true = np.array([w != 0 for w in answer.coef])
        w, b = rounded(answer)
        rng = rng_for(f"zeros {name}")
        for distance in (0.0, *DISTANCES):
            moved = w + distance * rng.standard_normal(w.size) * np.isfinite(answer.problem.v)
            zeros = certify(answer.problem, moved, b).certified_zeros
            if np.any(zeros & true):
                yield Failure(answer.problem, f"at a distance of {distance:g} a true feature is called zero")
            if distance == 0 and not np.any(zeros[np.isfinite(answer.problem.v)]):
                yield Failure(answer.problem, "at the optimum no coefficient is proven to be zero")


@check("the penalty that an answer solves is named", about="judge")
def implied_penalty(subject: Subject) -> Iterator[Failure]:
    """A known optimum, handed in as the answer to the same problem with penalties that are off."""
    for name in ("tall/lasso/plain", "tall/ridge/intercept", "tall/enet/plain", "tall/enet/weights"):
        answer = known(name)
        right = answer.problem
        for factor in (1.05, 1.001, 0.5):
            other = right.replace(l1=right.l1 / factor, l2=right.l2 / factor)
            found = certify(other, *rounded(answer))
            pairs = [(found.implied_l1, right.l1), (found.implied_l2, right.l2)]
            # the fit is linear in u, whose rounding is far below a millionth
            if any(x is None or abs(x - true) > 1e-6 * max(right.l1, right.l2) for x, true in pairs if true):
                yield Failure(other, f"named ({found.implied_l1}, {found.implied_l2}), not {right!r}")


@check("stationarity is measured in units that do not matter", about="judge")
def kkt_by_hand(subject: Subject) -> Iterator[Failure]:
    """With orthogonal columns the violation of a shifted optimum is the shift."""
    answer = known("orthogonal/lasso/intercept")
    problem = answer.problem
    w, b = rounded(answer)
    j = int(np.argmax(np.abs(w)))
    w[j] += 0.125
    length = float(np.linalg.norm(problem.y - problem.y.mean()))
    true = 0.125 / (float(np.linalg.norm(problem.X[:, j])) * length / problem.n)
    for unit in (1.0, 1024.0):
        other = problem.replace(y=problem.y * unit, l1=problem.l1 * unit)
        found = certify(other, w * unit, b * unit).kkt
        if found is None or abs(found - true) > 1e-12 * true:
            yield Failure(other, f"kkt {found}, by hand {true}")


@check("the proven optimum is the known one, from any start", about="judge")
def exact_optimum(subject: Subject) -> Iterator[Failure]:
    """Correctly rounded, and called unique only where it is."""
    for name in ("tall/lasso/intercept", "wide/lasso/plain", "tall/enet/all", "duplicates/lasso/plain",
                 "orthogonal/lasso/v", "tall/ols/weights"):  # fmt: skip
        answer = known(name)
        w, b = rounded(answer)
        for start in (w, np.zeros(w.size), -w):
            found = optimum(answer.problem, start, b, cached=False)
            value = objective(answer.problem, list(answer.coef), answer.intercept)
            if not Fraction(found.value_low) <= value <= Fraction(found.value_high):
                yield Failure(answer.problem, f"P* in [{found.value_low!r}, {found.value_high!r}]: it is not")
            elif found.unique != answer.unique:
                yield Failure(answer.problem, f"said to be {found.uniqueness}")
            elif answer.unique and not np.array_equal(found.coef, w):
                yield Failure(answer.problem, "the coefficients are not the known ones")


@check("correct digits and features are counted as they are", about="judge")
def digits_and_features(subject: Subject) -> Iterator[Failure]:
    """Coefficients off by 10^-k have k digits; a zero that is not zero is a false feature."""
    answer = known("tall/lasso/plain")
    w, _ = rounded(answer)
    exact = optimum(answer.problem, w, cached=False)
    used = w != 0
    for k in (2, 5, 11):
        off = w * (1 + 10.0**-k) + np.where(used, 0.0, 10.0**-k * np.max(np.abs(w)))
        digits = correct_digits(off, exact)
        if np.any(np.abs(digits - k) > 0.05):
            yield Failure(answer.problem, f"{k} digits are counted as {digits.tolist()}")
        counted = features(off, exact)
        if counted is None or counted.false != int(np.sum(~used)) or counted.missed:
            yield Failure(answer.problem, f"features: {counted}")
    counted = features(np.zeros(w.size), exact)
    if counted is None or counted.false or counted.missed != int(np.sum(used)):
        yield Failure(answer.problem, f"features of zero: {counted}")
