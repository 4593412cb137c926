"""Answers known in advance: optimal by exact arithmetic, and what our solvers find."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import scipy.sparse as sp

from solvers import Problem, Status, Stop, catalogue
from verification import certify
from verification.problems._homotopy import lasso_path, rational
from verification.problems._known import construct
from verification.problems.known_answer import KnownAnswer, known_answers, mairal_yu, path_of

TOL = 1e-9
NAMES = list(known_answers())
OURS = {name: solver for name, solver in catalogue().items() if solver.own}


@cache
def load(name: str) -> KnownAnswer:
    return known_answers()[name].load()


class Exact:
    """(P) in rationals, written down anew from its definition: no code of the house."""

    def __init__(self, problem: Problem) -> None:
        A = problem.X.toarray() if sp.issparse(problem.X) else problem.X
        self.X = [[Fraction(float(x)) for x in row] for row in A]
        self.y = [Fraction(float(x)) for x in problem.y]
        self.s = [Fraction(1)] * problem.n
        if problem.sample_weight is not None:
            self.s = [Fraction(float(x)) for x in problem.sample_weight]
        v = np.ones(problem.p) if problem.penalty_weights is None else problem.penalty_weights
        self.v = [None if x == float("inf") else Fraction(float(x)) for x in v]
        self.S = sum(self.s)
        self.l1, self.l2 = Fraction(problem.l1), Fraction(problem.l2)
        self.intercept, self.positive = problem.intercept, problem.positive

    def residual(self, w: list[Fraction], b: Fraction) -> list[Fraction]:
        return [
            t - b - sum(x * c for x, c in zip(row, w, strict=True) if c)
            for row, t in zip(self.X, self.y, strict=True)
        ]

    def objective(self, w: list[Fraction], b: Fraction) -> Fraction:
        loss = sum(s * r * r for s, r in zip(self.s, self.residual(w, b), strict=True)) / (2 * self.S)
        return loss + sum(
            v * (self.l1 * abs(c) + self.l2 * c * c / 2) for v, c in zip(self.v, w, strict=True) if c
        )

    def faults(self, w: list[Fraction], b: Fraction) -> list[str]:
        """Which optimality conditions are broken, in words."""
        pull = [s * r for s, r in zip(self.s, self.residual(w, b), strict=True)]
        found = [] if not self.intercept or sum(pull) == 0 else ["the residuals do not sum to zero"]
        found += [] if self.intercept or b == 0 else ["an intercept that is not there"]
        for j, (v, c) in enumerate(zip(self.v, w, strict=True)):
            u = sum(q * row[j] for q, row in zip(pull, self.X, strict=True)) / self.S
            if v is None:
                broken = c != 0
            elif c > 0 or (c < 0 and not self.positive):
                broken = u != v * (self.l1 * (1 if c > 0 else -1) + self.l2 * c)
            else:
                broken = c < 0 or u > self.l1 * v or (u < -self.l1 * v and not self.positive)
            found += [f"coefficient {j}: w = {c}, u = {u}"] * broken
        return found


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_optimal_in_exact_arithmetic(name: str) -> None:
    known = load(name)
    exact = Exact(known.problem)
    assert exact.faults(list(known.coef), known.intercept) == []
    fitted = [t - r for t, r in zip(exact.y, exact.residual(list(known.coef), known.intercept), strict=True)]
    assert list(known.fitted) == fitted


@pytest.mark.parametrize("name", NAMES)
def test_the_check_sees_a_change_of_one_part_in_a_million_million(name: str) -> None:
    """Moving any free coefficient breaks optimality where the answer is unique."""
    known = load(name)
    exact = Exact(known.problem)
    for j in range(known.problem.p):
        if exact.v[j] is None or not known.unique:
            continue
        w = list(known.coef)
        w[j] += Fraction(1, 10**12)
        assert exact.faults(w, known.intercept), f"w_{j} may move: the answer is not unique"


def test_the_families_cover_the_whole_of_the_problem() -> None:
    problems = [load(name).problem for name in NAMES]
    for what, has in {
        "lasso": lambda q: q.l1 > 0 and q.l2 == 0,
        "ridge": lambda q: q.l1 == 0 and q.l2 > 0,
        "elastic net": lambda q: q.l1 > 0 and q.l2 > 0,
        "least squares": lambda q: q.l1 == 0 and q.l2 == 0,
        "intercept": lambda q: q.intercept,
        "sample weights": lambda q: q.sample_weight is not None and (q.s == 0).any(),
        "v of 0 and inf": lambda q: (q.v == 0).any() and np.isinf(q.v).any(),
        "positive": lambda q: q.positive,
        "csc": lambda q: q.layout == "csc",
        "csr": lambda q: q.layout == "csr",
        "wide": lambda q: q.p > q.n,
    }.items():
        assert any(has(problem) for problem in problems), what
    worst = max(
        np.linalg.cond(q.X) for q in problems if not q.is_sparse and (np.linalg.norm(q.X, axis=0) > 0).all()
    )
    assert worst > 1e5


def test_where_the_answer_is_not_unique_another_point_is_as_good() -> None:
    assert {n for n in NAMES if not load(n).unique} == {
        "duplicates/lasso/plain", "duplicates/lasso/positive", "opposite_columns", "zero_column/ols",
    }  # fmt: skip
    for name, give, take in (("duplicates/lasso/plain", 0, 1), ("duplicates/lasso/positive", 0, 1)):
        known = load(name)
        w = list(known.coef)
        w[give], w[take] = w[give] + w[take], Fraction(0)
        assert Exact(known.problem).faults(w, known.intercept) == []
    known = load("opposite_columns")
    w = [known.coef[0] - known.coef[-1], *known.coef[1:-1], Fraction(0)]
    assert Exact(known.problem).faults(w, known.intercept) == []


def test_a_dual_point_out_of_bounds_is_no_answer() -> None:
    X = np.random.default_rng(0).integers(-8, 9, (12, 3)) / 8.0
    w = [Fraction(1), Fraction(0), Fraction(-1)]
    good = construct(X, w, l1=Fraction(1, 8), slack=lambda j: Fraction(1))
    bad = construct(X, w, l1=Fraction(1, 8), slack=lambda j: Fraction(17, 16))
    assert Exact(good.problem).faults(list(good.coef), good.intercept) == []
    assert Exact(bad.problem).faults(list(bad.coef), bad.intercept)


@pytest.mark.parametrize("p", [1, 2, 3, 4, 5, 6])
def test_the_worst_path_has_as_many_pieces_as_there_can_be(p: int) -> None:
    X, y = mairal_yu(p)
    kinks = path_of(X, y)
    assert (
        len(kinks) == (3**p + 1) // 2
    )  # one linear piece begins at each, the last at lam = 0 on the ray below
    signs = {tuple((c > 0) - (c < 0) for c in k.coef) for k in kinks}
    assert len(signs) > 1 or p == 1


def test_every_kink_of_an_exact_path_is_optimal() -> None:
    X, y = mairal_yu(4)
    exact = Exact(Problem(X, y))
    for k in path_of(X, y):
        exact.l1 = Fraction(int(k.lam.p), int(k.lam.q)) / len(y)
        assert exact.faults([Fraction(int(c.p), int(c.q)) for c in k.coef], Fraction(0)) == []


def test_a_tie_on_the_path_is_said() -> None:
    one = rational(1.0)
    with pytest.raises(ValueError, match="tie"):
        lasso_path([[one, rational(0.0)], [rational(0.0), one]], [one, one])


def curvature_ratio(problem: Problem) -> float:
    """Condition number of the Hessian over the columns that may move, as it is or with a unit diagonal."""
    A = problem.X.toarray() if problem.is_sparse else np.asarray(problem.X)
    movable = np.isfinite(problem.v) & (np.abs(A).max(axis=0) > 0)
    A, v, s = A[:, movable], problem.v[movable], problem.s
    A = A - s @ A / problem.S if problem.intercept else A
    H = (A.T * s) @ A / problem.S + problem.l2 * np.diag(v)
    d = np.sqrt(np.diag(H))
    return float(max(np.linalg.cond(H), np.linalg.cond(H / np.outer(d, d))))


@pytest.mark.parametrize("solver", OURS)
def test_our_solvers_reproduce_the_answers_within_their_tolerance(solver: str) -> None:
    """Suboptimality in exact arithmetic: what a solver claims it must have delivered.

    Where a method of first order is slow by nature, at condition numbers above 100, it may stop early and
    say so. One whose tol is no gap has claimed nothing; elsewhere it must reach the tier 1e-6.
    """
    entry, failures, done = OURS[solver], [], 0
    claim = TOL if entry.claims_gap else 1e-6
    for name in NAMES:
        known = load(name)
        problem = known.problem
        if entry.version() is None or entry.refuses(problem) is not None:
            continue
        solution = entry.setup(problem, Stop(tol=TOL, time_limit=1.0))()
        if solution.status is Status.TIME_LIMIT:  # once more: the first call may have been compiling
            solution = entry.setup(problem, Stop(tol=TOL, time_limit=1.0))()
        done += 1
        exact = Exact(problem)
        w, b = [Fraction(float(c)) for c in solution.coef], Fraction(float(solution.intercept))
        excess = exact.objective(w, b) - exact.objective(list(known.coef), known.intercept)
        certificate = certify(problem, solution.coef, solution.intercept)
        assert excess >= 0, f"{name}: the answer known in advance is not optimal"
        if certificate.gap is not None:
            assert excess <= certificate.gap + certificate.radius, f"{name}: the judge's bound is too low"
        kept = excess <= claim * certificate.scale + certificate.radius
        if not entry.claims_gap or solution.status is not Status.CONVERGED:
            kept = (kept and solution.status is Status.CONVERGED) or curvature_ratio(problem) > 100
        if not kept:
            failures.append(f"{name}: {solution.status.name}, {float(excess) / certificate.scale:.1e} N")
    if not done:
        pytest.skip(f"{solver} is missing, or refuses every known answer")
    assert not failures, "\n".join(failures)
