"""Answers against the exact optimum, one family of problems a check.

    @right("with more columns than rows")
    def right_wide() -> Iterator[Problem]: ...

An answer is right if it is not WRONG by docs/maths.md (WRONG), the exact optimum being P_best; one that
claims no gap must reach the tier 1e-6; and on a tame problem any solver is to arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from solvers import Problem, Status, Stop, solve

from ..proofs import Certificate, Judge
from ..proofs.exact import Unproven, optimum
from ..record import jsonable
from ..trials import Attempt, asked
from ..verdict import CLAIM_MARGIN, Result, judge
from .check import Failure, Subject, check
from .held import TIER, Answer, judged

__all__ = ["right", "tame", "truth", "verdict_on", "wrong"]

TAME = 100.0  # condition number of the Hessian on the support


@dataclass(frozen=True)
class Truth:
    """The best point of a problem.

    Attributes
    ----------
    certificate : Certificate
        Of the optimal coefficients, rounded.
    condition : float
        Condition number of the Hessian on their support, as it is or with a unit diagonal.
    """

    certificate: Certificate
    condition: float


_TRUTHS: dict[str, Truth] = {}  # by digest: many checks ask for the same


def truth(problem: Problem) -> Truth:
    """Return the exact optimum's certificate; where it is beyond proof, our best answer's."""
    digest = problem.digest
    if digest not in _TRUTHS:
        try:
            best = optimum(problem)
            coef, intercept = best.coef, best.intercept
        except Unproven:
            found = solve(problem, stop=Stop(tol=1e-13, time_limit=20.0))
            coef, intercept = found.coef, found.intercept
        _TRUTHS[digest] = Truth(Judge(problem).certify(coef, intercept), condition(problem, coef))
    return _TRUTHS[digest]


def condition(problem: Problem, coef: Any) -> float:
    """Condition number of the Hessian over the columns in use; inf where it is singular."""
    used = np.flatnonzero(coef)
    if used.size == 0:
        return 1.0
    X = problem.X[:, used]
    A = np.asarray(X.toarray() if problem.is_sparse else X, dtype=np.float64)
    s, v = problem.s, problem.v[used]
    A = A - s @ A / problem.S if problem.intercept else A
    H = (A.T * s) @ A / problem.S + problem.l2 * np.diag(v)
    d = np.sqrt(np.diag(H))
    if not np.all(d > 0):
        return float("inf")
    return float(max(np.linalg.cond(H), np.linalg.cond(H / np.outer(d, d))))


def tame(problem: Problem) -> bool:
    """Whether no method has an excuse: the columns in use at the optimum are far from dependent."""
    return truth(problem).condition <= TAME


def wrong(subject: Subject, problem: Problem, arrives: bool = True) -> Iterator[Failure]:
    """Yield why the answer to a problem is not right, if it is not.

    Parameters
    ----------
    subject : Subject
    problem : Problem
    arrives : bool
        Whether to stop far from the optimum of a tame problem is wrong too, if it says that it did.
    """
    found = subject.solve(problem)
    answer = judged(subject, problem, found)
    if isinstance(answer, Failure):
        yield answer
    if not isinstance(answer, Answer):
        return
    verdict, best = verdict_on(subject, answer, found), truth(problem)
    off, tol = verdict.at_least or 0.0, subject.tol(problem)
    arrived = CLAIM_MARGIN * tol if subject.entry.claims_gap else max(TIER, CLAIM_MARGIN * tol)
    reasons = verdict.wrong
    if not subject.entry.takes_tol and max(best.condition, condition(problem, answer.coef)) > TAME:
        # it may stop early, and where its columns are nearly dependent that can look like another penalty
        reasons = "; ".join(words for words in reasons.split("; ") if not words.startswith("solves"))
    if reasons:
        yield Failure(problem, reasons)
    elif off > arrived and best.condition <= TAME and (arrives or found.status is Status.CONVERGED):
        words = f"proven off by at least {off:.1e} N, with a condition number of {best.condition:.0f}"
        yield Failure(problem, f"{found.status.name}, {words}")


def verdict_on(subject: Subject, answer: Answer, found: Attempt) -> Result:
    """Judge an answer with the exact optimum on record, as a report would."""
    problem = answer.problem
    about = {"cell": problem.name, "digest": problem.digest, "l1": problem.l1, "l2": problem.l2}
    about |= {"configuration": "", "dtype": str(problem.X.dtype), "own": True}
    mine = {"solver": subject.entry.name, "claims_gap": subject.entry.claims_gap, "status": found.status.name}
    mine["tol"] = asked(subject.stop, problem).tol
    mine["claimed_gap"] = None if found.solution is None else found.solution.claimed_gap
    theirs = {"solver": "the exact optimum", "claims_gap": False, "status": "STALLED"}
    best = truth(problem).certificate
    rows = [about | mine | _figures(answer.certificate), about | theirs | _figures(best)]
    return judge(rows).results[0]


def _figures(certificate: Certificate) -> dict[str, Any]:
    figures = jsonable(certificate.to_dict())
    return {name: value for name, value in figures.items() if name != "kind"}  # a row's kind is another thing


Problems = Callable[[], Iterable[Problem]]


def right(summary: str) -> Callable[[Problems], Problems]:
    """Register a family of problems as the check that every answer to them is right."""

    def register(problems: Problems) -> Problems:
        def find(subject: Subject, problem: Problem) -> Iterator[Failure]:
            yield from wrong(subject, problem)

        find.__name__, find.__module__ = problems.__name__, problems.__module__
        drawn = cache(lambda: list(problems()))
        check(f"answers are right {summary}", on=drawn)(find)
        return problems

    return register
