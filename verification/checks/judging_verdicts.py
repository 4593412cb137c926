"""Checks of the judge itself: verdicts, certificate files, the trials. No solver is looked at."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from solvers import Entry, Problem, Solution, Status, Stop

from .. import verdict
from ..proofs import Judge, certify, checker
from ..proofs.exact import optimum
from ..proofs.export import export, seal
from ..trials import attempt
from .check import Failure, Subject, check
from .judging import Vector, exactly, known, objective, points, rounded

TOL = 1e-9
CLOSE = 1e-12  # of N: what rigorous may add to the gap of the rounded optimum, docs/proofs.md


@check("level rigorous is never below the truth, and as tight as it promises", about="judge")
def rigorous_holds(subject: Subject) -> Iterator[Failure]:
    """At every point of the known answers, in rationals."""
    for point in points():
        found = certify(point.problem, point.coef, point.intercept, level="rigorous")
        if found.gap is None or found.dual is None or found.radius is None:
            yield Failure(point.problem, f"no gap: {found.reason}")
        elif Fraction(found.gap) < point.off or Fraction(found.dual) > point.best:
            yield Failure(point.problem, f"gap {found.gap:.17g}, truly {float(point.off):.17g}")
        elif abs(Fraction(found.primal) - point.value) > Fraction(found.radius):
            yield Failure(point.problem, f"primal {found.primal!r} is not within {found.radius:.1e}")
        elif point.at_optimum and Fraction(found.gap) - point.off > Fraction(CLOSE) * Fraction(found.scale):
            yield Failure(point.problem, f"gap {found.gap / found.scale:.1e} N at the optimum")


@check("two problems of one shape are not taken for each other", about="judge")
def each_problem_its_own(subject: Subject) -> Iterator[Failure]:
    """The same coefficients on problems that differ in one thing: y, l1, a weight, a sign."""
    base = known("tall/lasso/intercept").problem
    w, b = rounded(known("tall/lasso/intercept"))
    w = np.abs(w)
    s = np.ones(base.n)
    s[0] = 2.0
    others = (
        base, base.replace(y=-base.y), base.replace(l1=2 * base.l1), base.replace(l2=0.5),
        base.replace(sample_weight=s), base.replace(penalty_weights=np.arange(base.p) + 1.0),
        base.replace(positive=True), base.replace(X=-base.X),
    )  # fmt: skip
    for problem in others:
        found = certify(problem, w, b)
        true = float(objective(problem, exactly(w), Fraction(b)))
        if abs(found.primal - true) > 1e-12 * true:  # n = 24 terms of like size
            yield Failure(problem, f"the objective is {true!r}, the certificate says {found.primal!r}")


# ---- verdicts ----------------------------------------------------------------------------------------------


def row(problem: Problem, coef: Vector, b: float, solver: str, **changes: Any) -> dict[str, Any]:
    """What a trial writes about an answer that claims a gap of TOL."""
    certificate = Judge(problem).certify(coef, b).to_dict()
    made = {
        "kind": "result", "cell": problem.name or "made", "digest": problem.digest, "solver": solver,
        "configuration": "default", "own": True, "claims_gap": True, "status": "CONVERGED",
        "claimed_gap": TOL, "tol": TOL, "dtype": "float64", "l1": problem.l1, "l2": problem.l2,
    }  # fmt: skip
    return certificate | made | changes


def off_by(problem: Problem, w: Vector, b: float, share: float) -> Vector:
    """Coefficients whose suboptimality is `share` of N, within 1e-6 of it: along one direction."""
    scale = Judge(problem).certify(w, b).scale
    best = objective(problem, exactly(w), Fraction(b))
    direction = np.where(w != 0, 1.0, 0.0) / np.linalg.norm(problem.X)
    low, high = 0.0, 1.0
    for _ in range(25):
        t = (low + high) / 2
        value = objective(problem, exactly(w + t * direction), Fraction(b)) - best
        low, high = (t, high) if value < Fraction(share * scale) else (low, t)
    return w + high * direction


@cache
def honest_row() -> tuple[Problem, Vector, float]:
    """The problem of the verdicts, and its optimum."""
    answer = known("tall/lasso/intercept")
    return answer.problem, *rounded(answer)


@check("a false claim, another penalty, a broken constraint: each is WRONG", about="judge")
def dishonest_answers(subject: Subject) -> Iterator[Failure]:
    """Beside the right answer on record, and where that matters without it."""
    problem, w, b = honest_row()
    right = row(problem, w, b, "right")
    false: dict[str, dict[str, Any]] = {
        "claims a hundredth of its gap": row(problem, off_by(problem, w, b, 100 * TOL), b, "s"),
        "claims a twentieth of its gap": row(problem, off_by(problem, w, b, 20 * TOL), b, "s"),
        "returns zeros": row(problem, np.zeros(w.size), b, "s"),
        "returns nan": row(problem, np.full(w.size, np.nan), b, "s"),
        "claims 0.5, is off by more": row(problem, 100 + w, b, "s", claimed_gap=0.5),
    }
    for words, dishonest in false.items():
        if not verdict.judge([right, dishonest]).wrong.get("s"):
            yield Failure(problem, f"not WRONG, though it {words}")
    for factor in (1.05, 1.001, 0.5):
        other = problem.replace(l1=problem.l1 / factor)
        for claims in (True, False):
            alone = verdict.judge([row(other, w, b, "s", claims_gap=claims, tol=1e-12, claimed_gap=1e-12)])
            if not any(f"l1 x {factor:.4f}" in found.reason for found in alone.wrong.get("s", ())):
                yield Failure(other, f"not named, though it solves l1 x {factor}")
    negative = problem.replace(positive=True)
    if not verdict.judge([row(negative, w, b, "s")]).wrong:
        yield Failure(negative, "not WRONG, though negative")


@check("no verdict against what was promised and kept", about="judge")
def honest_answers(subject: Subject) -> Iterator[Failure]:
    """The optimum, answers as far off as the margin allows, and those that claim nothing."""
    problem, w, b = honest_row()
    right = row(problem, w, b, "right")
    close, far = off_by(problem, w, b, 5 * TOL), off_by(problem, w, b, 1e-3)
    kept = {
        "right": right,
        "within the margin": row(problem, close, b, "s"),
        "claims what it is off by": row(problem, far, b, "s", claimed_gap=1e-3),
        "says that it stopped early": row(problem, far, b, "s", status="MAX_ITER"),
        "claims no gap": row(problem, far, b, "s", claims_gap=False, status="MAX_ITER"),
    }
    for words, honest in kept.items():
        wrong = verdict.judge([right, honest | {"solver": "s"}]).wrong.get("s")
        if wrong:
            yield Failure(problem, f"{words}, and WRONG: {wrong[0].reason}")


@check("a tier is met where that is proven, missed where the contrary is, and else neither", about="judge")
def tiers_follow_the_bounds(subject: Subject) -> Iterator[Failure]:
    """Rows made by hand, N = 1, P* = 1, D* within a hundredth of a tier."""
    problem = honest_row()[0]
    base = row(*honest_row(), "right") | {"scale": 1.0, "primal": 1.0, "dual": 1 - 1e-12, "gap": 1e-12}
    base |= {"radius": 1e-15, "claimed_gap": None, "implied_off": None}
    met, missed, beyond = verdict.Outcome.MET, verdict.Outcome.MISSED, verdict.Outcome.BEYOND
    expected: list[tuple[float, float, tuple[verdict.Outcome, ...]]] = [
        (0.9e-3, 1e-15, (met, missed, missed)),
        (1.1e-3, 1e-15, (missed, missed, missed)),
        (0.9e-6, 1e-15, (met, met, missed)),
        (3e-6, 1e-15, (met, missed, missed)),
        (0.9e-9, 1e-15, (met, met, met)),
        (3e-9, 1e-15, (met, met, missed)),
        (5e-10, 1e-7, (met, met, beyond)),
    ]
    for off, radius, outcomes in expected:
        mine = base | {
            "solver": "s",
            "primal": 1 + off,
            "gap": off + 1e-12,
            "dual": 1 - 1e-12,
            "radius": radius,
        }
        best = base | {"radius": radius}
        found = tuple(verdict.judge([best, mine]).results[1].tiers.values())
        if found != outcomes:
            yield Failure(problem, f"{off:g} off, radius {radius:g}: {[o.name for o in found]}")


@check("the reference is the best dual bound and the least primal value", about="judge")
def best_on_record(subject: Subject) -> Iterator[Failure]:
    """Whoever found them; a bound with a large radius is not a better one."""
    problem = honest_row()[0]
    base = row(*honest_row(), "right") | {"scale": 1.0, "implied_off": None, "claimed_gap": None}
    values = [(1.5, 0.5, 0.0), (1.1, 0.9, 0.01), (1.2, 0.95, 0.5), (1.3, 0.8, 0.0)]
    rows = [base | {"primal": p, "dual": d, "gap": p - d, "radius": r} for p, d, r in values]
    found = verdict.judge(rows).references[problem.digest]
    if (found.primal, found.dual, found.dual_radius) != (1.1, 0.9, 0.01):
        yield Failure(problem, f"primal {found.primal}, dual {found.dual} +- {found.dual_radius}")


# ---- certificate files -------------------------------------------------------------------------------------


@cache
def certificate_file() -> bytes:
    """A file about an answer a little off the optimum, with intervals."""
    answer = known("tall/lasso/intercept")
    w, b = rounded(answer)
    best = optimum(answer.problem, w, b, cached=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        export(answer.problem, w * 1.001, b, path, exact=best)
        return path.read_bytes()


def forged(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The same with one thing changed, and a digest that fits."""
    content: dict[str, Any] = json.loads(certificate_file())
    del content["sha256"]
    change(content)
    return seal(content)


def _shift(numbers: list[str], k: int, by: float) -> None:
    numbers[k] = (float.fromhex(numbers[k]) + by).hex()


def _beside(content: dict[str, Any]) -> None:
    """An interval that lies beside the coefficient."""
    k = content["proof"]["optimum"]["support"][0]
    high = float.fromhex(content["claim"]["intervals"][k][1])
    width = 2.0**-40 * max(abs(high), 1.0)
    content["claim"]["intervals"][k] = [(high + width).hex(), (high + 2 * width).hex()]


def _half_bound(content: dict[str, Any]) -> None:
    content["claim"]["bound"] = (float.fromhex(content["claim"]["bound"]) / 2).hex()


def _double_theta(content: dict[str, Any]) -> None:
    content["proof"]["theta"] = [str(2 * Fraction(x)) for x in content["proof"]["theta"]]


def _other_inverse(content: dict[str, Any]) -> None:
    inverse = content["proof"]["optimum"]["inverse"]
    content["proof"]["optimum"]["inverse"] = [["0"] * len(line) for line in inverse]


FORGERIES: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "a bound of half the suboptimality": _half_bound,
    "an interval beside the coefficient": _beside,
    "an infeasible theta": _double_theta,
    "another y": lambda c: _shift(c["problem"]["y"], 0, 1.0),
    "other coefficients": lambda c: _shift(c["claim"]["coef"], 0, 1.0),
    "no inverse": _other_inverse,
}


@check("the stand-alone checker takes honest files and no forgery", about="judge")
def certificate_files(subject: Subject) -> Iterator[Failure]:
    """A changed byte, and claims that are false although the digest was computed anew."""
    problem = honest_row()[0]
    raw = certificate_file()
    if _verdict_on(raw):
        yield Failure(problem, f"an honest file is rejected: {_verdict_on(raw)}")
    half = len(raw) // 2
    if not _verdict_on(raw[:half] + bytes([raw[half] ^ 1]) + raw[half + 1 :]):
        yield Failure(problem, "a changed byte is accepted")
    for words, change in FORGERIES.items():
        if not _verdict_on(forged(change)):
            yield Failure(problem, f"accepted with {words}")


def _verdict_on(raw: bytes) -> str:
    try:
        checker.check(raw)
    except checker.Rejected as reason:
        return str(reason) or "rejected"
    return ""


# ---- trials ------------------------------------------------------------------------------------------------


class _Scripted:
    """A solver that does one thing."""

    SUPPORTS = frozenset({"l1", "l2"})

    def __init__(self, run: Callable[[Problem], Any]) -> None:
        self.run = run

    def refuses(self, problem: Problem) -> str | None:
        return "not today" if problem.l2 else None

    def setup(self, problem: Problem, stop: Stop) -> Callable[[], Any]:
        return lambda: self.run(problem)


def _scribbles(problem: Problem) -> Solution:
    problem.y.flags.writeable = True
    problem.y[0] += 1.0
    return Solution(np.zeros(problem.p), 0.0, Status.CONVERGED)


def _raises(problem: Problem) -> Solution:
    raise ZeroDivisionError


def _without_memory(problem: Problem) -> Solution:
    raise MemoryError


@check("a trial tells apart what may go wrong", about="judge")
def trials_tell_apart(subject: Subject) -> Iterator[Failure]:
    """Input written to, a wrong shape, an exception, no memory, a refusal."""
    scripts: dict[str, tuple[Callable[[Problem], Any], Status]] = {
        "writes into y": (_scribbles, Status.FAILED),
        "raises": (_raises, Status.FAILED),
        "has no memory": (_without_memory, Status.MEMORY),
        "returns a column": (lambda q: Solution(np.zeros((q.p, 1)), 0.0, Status.CONVERGED), Status.FAILED),
        "answers": (lambda q: Solution(np.zeros(q.p), 0.0, Status.MAX_ITER), Status.MAX_ITER),
    }
    for words, (run, status) in scripts.items():
        problem = Problem(np.eye(3), np.ones(3), l1=0.1)
        solver = _Scripted(run)
        found = attempt(Entry("scripted", lambda solver=solver: solver), problem, Stop(), {})  # type: ignore[misc]
        if found.status is not status:
            yield Failure(problem, f"one that {words} is {found.status.name}")
    refused = Problem(np.eye(3), np.ones(3), l1=0.1, l2=0.1)
    found = attempt(Entry("scripted", lambda: _Scripted(_raises)), refused, Stop(), {})
    if found.status is not Status.REFUSED:
        yield Failure(refused, f"one that refuses is {found.status.name}")
