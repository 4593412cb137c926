"""What a solver is held to: its own claim, and nothing that was picked for it.

The largest suboptimality that an answer may have, relative to N, docs/maths.md (WRONG):

- one that claims a gap: what it claims, or what was asked if that is more, times the margin of a false claim;
- one that says it converged, but claims no gap: the tier 1e-6, on problems as tame as those of the checks,
  and no less than what one with a claim is held to;
- any other: what its certificate proves, so nothing more is asked of it than that it is a point of (P).

Two answers to one problem then differ by no more than docs/maths.md (AGREE) with these in the place of gaps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers import Problem, Status

from ..proofs import Certificate, Judge
from ..trials import Attempt
from ..verdict import CLAIM_MARGIN
from .check import Failure, Subject

__all__ = ["TIER", "Answer", "differences", "judged", "on_another", "trial"]

Vector = NDArray[np.float64]
TIER = 1e-6  # asked of a solver that converged and claims no gap
SILENT = (Status.REFUSED, Status.MISSING)
ANSWERED = (Status.CONVERGED, Status.MAX_ITER, Status.TIME_LIMIT, Status.STALLED)


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer that is a point of (P), and what it is held to.

    Attributes
    ----------
    problem : Problem
    coef : (p,) array
    intercept : float
    certificate : Certificate
    status : Status
    claim : float or None
        Suboptimality relative to N that the solver stands for; None: none.
    """

    problem: Problem
    coef: Vector
    intercept: float
    certificate: Certificate
    status: Status
    claim: float | None

    @property
    def proven(self) -> float:
        """Largest suboptimality that the certificate leaves open, absolute."""
        gap, radius = self.certificate.gap, self.certificate.radius
        return math.inf if gap is None or radius is None else gap + radius

    @property
    def radius(self) -> float:
        """Rounding of the certificate's figures, absolute."""
        return self.certificate.radius or 0.0

    @property
    def allowed(self) -> float:
        """Largest suboptimality that it may have, absolute."""
        if self.claim is None:
            return self.proven
        return self.claim * self.certificate.scale + CLAIM_MARGIN * self.radius

    @property
    def fitted(self) -> Vector:
        """Xw + b, (n,)."""
        return np.asarray(self.problem.X @ self.coef + self.intercept, dtype=np.float64)


def trial(subject: Subject, problem: Problem) -> Answer | Failure | None:
    """Solve; return the answer, the failure that stands in its place, or None where the solver refuses."""
    return judged(subject, problem, subject.solve(problem))


def judged(subject: Subject, problem: Problem, found: Attempt) -> Answer | Failure | None:
    """What came of an attempt, as `trial` returns it."""
    if found.status in SILENT:
        return None
    if found.solution is None or found.status not in ANSWERED:
        return Failure(problem, f"{found.status.name}: {found.message}")
    coef = np.array(found.solution.coef, dtype=np.float64)  # a copy: it may be the solver's own buffer
    certificate = Judge(problem).certify(coef, found.solution.intercept)
    if certificate.kind == "NONE":
        return Failure(problem, f"{found.status.name}, but {certificate.reason}")
    claim = claimed(subject, found, subject.tol(problem))
    return Answer(problem, coef, float(found.solution.intercept), certificate, found.status, claim)


def claimed(subject: Subject, found: Attempt, tol: float) -> float | None:
    """Largest suboptimality relative to N that an attempt stands for when tol was asked, or None."""
    if not subject.entry.claims_gap:
        return max(TIER, CLAIM_MARGIN * tol) if found.status is Status.CONVERGED else None
    assert found.solution is not None
    gap = found.solution.claimed_gap
    if gap is None:
        return CLAIM_MARGIN * tol if found.status is Status.CONVERGED else None
    return CLAIM_MARGIN * max(gap, tol)


def on_another(answer: Answer, problem: Problem, coef: Vector, intercept: float) -> Answer | Failure:
    """The answer taken to an equivalent problem, where it is as good as it was."""
    certificate = Judge(problem).certify(coef, intercept)
    if certificate.kind == "NONE":
        return Failure(problem, f"taken back from an equivalent problem: {certificate.reason}")
    return Answer(problem, coef, intercept, certificate, answer.status, answer.claim)


def differences(a: Answer, b: Answer) -> Iterator[str]:
    """Say where two answers to one problem differ by more than what they are held to."""
    ours, theirs = a.certificate.primal, b.certificate.primal
    rounding = a.radius + b.radius
    excess = ours - theirs
    allowed = a.allowed if excess > 0 else b.allowed  # either value exceeds the least by what is allowed it
    scale = a.certificate.scale
    if abs(excess) > allowed + rounding:
        yield f"objectives {_times(abs(excess), scale)} apart, allowed {_times(allowed + rounding, scale)}"
    yield from disagreement(a, b, a.allowed, b.allowed)


def disagreement(a: Answer, b: Answer, gap_a: float, gap_b: float) -> Iterator[str]:
    """Say where two answers break docs/maths.md (AGREE) at suboptimalities of gap_a and gap_b, absolute."""
    problem = a.problem
    bound = math.sqrt(2 * gap_a) + math.sqrt(2 * gap_b)
    if not math.isfinite(bound):
        return
    apart = float(np.sqrt(problem.s @ (a.fitted - b.fitted) ** 2 / problem.S))
    if apart > bound:
        yield f"fitted values {apart:.1e} apart, allowed {bound:.1e}"
    reach = coefficient_bound(a, b, bound)
    finite = np.isfinite(problem.v)
    v = problem.v[finite] if problem.l2 > 0 else np.ones(int(finite.sum()))
    moved = float(np.sqrt(v @ (a.coef - b.coef)[finite] ** 2))
    if moved > reach:
        yield f"coefficients {moved:.1e} apart, allowed {reach:.1e}"


def coefficient_bound(a: Answer, b: Answer, bound: float) -> float:
    """How far apart the coefficients may be, given how far the fitted values may, docs/maths.md (AGREE)."""
    problem = a.problem
    if problem.l2 > 0:
        return bound / math.sqrt(problem.l2)
    used = np.flatnonzero((a.coef != 0) | (b.coef != 0))
    if used.size == 0:
        return 0.0
    X = problem.X[:, used]
    A = np.asarray(X.toarray() if problem.is_sparse else X, dtype=np.float64)
    if problem.intercept:
        A = np.column_stack([A, np.ones(problem.n)])
    if A.shape[1] > problem.n:
        return math.inf
    sigma = float(np.linalg.svd(np.sqrt(problem.s)[:, None] * A, compute_uv=False)[-1])
    return bound * math.sqrt(problem.S) / sigma if sigma > 0 else math.inf


def _times(value: float, scale: float) -> str:
    return f"{value / scale:.1e} N" if scale > 0 else f"{value:.1e}"
