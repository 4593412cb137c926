"""How a solver behaves from call to call: it changes nothing, keeps nothing, and says what is so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem, Solution, Status

from ..proofs import Judge
from ..proofs.exact import Unproven, optimum
from ..trials import Attempt
from .answers import tame, wrong
from .check import Failure, Subject, check
from .draws import Kind, bases
from .held import ANSWERED, SILENT, Answer, judged, trial

MANY = 300  # calls on one tiny problem
FEWEST = 4  # coefficients that are float32 numbers by chance: once in 2^(29 FEWEST)


def generic() -> list[Problem]:
    """Problems for which the whole of (P) is not needed: one of each penalty, and a sparse one."""
    kinds = [Kind(32, 8, "lasso", intercept=True), Kind(32, 8, "ridge"), Kind(32, 8, "enet", intercept=True)]
    return [kind.problem() for kind in (*kinds, Kind(64, 24, "lasso", layout="csc"), Kind(32, 8, "ols"))]


def bits(found: Attempt) -> bytes | None:
    """Everything that a call returned, as bytes; None if it returned no answer."""
    if found.solution is None or found.status not in ANSWERED:
        return None
    coef = np.asarray(found.solution.coef, dtype=np.float64)
    return coef.tobytes() + np.float64(found.solution.intercept).tobytes()


def writable(problem: Problem) -> tuple[Problem, list[NDArray[Any]]]:
    """The problem on arrays of its own, that nothing keeps from being written to, and these."""
    X: Any = problem.X
    y = np.array(problem.y)
    stored = (X.data, X.indices, X.indptr) if problem.is_sparse else (X,)
    own = [np.array(a, order="K") for a in stored]
    mine = problem.replace(X=type(X)(tuple(own), shape=X.shape) if problem.is_sparse else own[0], y=y)
    views = (mine.X.data, mine.X.indices, mine.X.indptr) if problem.is_sparse else (mine.X,)
    for view in (*views, mine.y):  # as a user's own arrays are, when no Problem stands between
        view.flags.writeable = True
    return mine, [*own, y]


@check("the input is as it was, also where its memory may be written to", on=bases)
def input_untouched(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """Not one bit of X, y, s or v changes."""
    own, arrays = writable(problem)
    before = [a.copy() for a in arrays]
    found = trial(subject, own)
    if isinstance(found, Failure):
        yield found
    if any(a.tobytes() != b.tobytes() for a, b in zip(arrays, before, strict=True)):
        yield Failure(problem, "it changed its input")


@check("a second run gives the same bits", on=bases)
def same_bits(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """Three runs in a row."""
    first = bits(subject.solve(problem))
    for k in (2, 3):
        if bits(subject.solve(problem)) != first:
            yield Failure(problem, f"run {k} gives other bits than run 1")


def elsewhere_in(problem: Problem) -> Problem:
    """Return a problem that differs in rows in the middle of X, and nowhere near its edges."""
    rows = np.arange(problem.n)
    middle = slice(problem.n // 4, 3 * problem.n // 4)
    rows[middle] = rows[middle][::-1]
    return problem.replace(X=problem.X[rows], name=f"{problem.name}, other rows in the middle")


@check("what was solved before plays no part", on=generic)
def no_memory(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """The same bits after problems that differ in one thing each: y, X, l1, l2, the flags."""
    others = [
        elsewhere_in(problem),
        problem.replace(y=problem.y[::-1]),
        problem.replace(y=2 * problem.y + 1),
        problem.replace(X=problem.X[::-1]),
        problem.replace(l1=problem.l1 / 2, l2=2 * problem.l2),
        problem.replace(intercept=not problem.intercept),
    ]
    alone = [bits(subject.solve(other)) for other in others]
    first = bits(subject.solve(problem))
    yield from wrong(subject, problem)  # the answer to one of the others is kept as faithfully as its own
    for other, before in zip(others, alone, strict=True):
        yield from wrong(subject, other)  # one and the same answer to all has the same bits, too
        if bits(subject.solve(other)) != before:
            yield Failure(other, "other bits than before another problem was solved")
        if bits(subject.solve(problem)) != first:
            yield Failure(problem, "other bits than before another problem was solved")


@check("an answer is not changed by the next call", on=generic)
def answer_kept(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """It is no view of a buffer that is used again, nor of anything that is handed out again."""
    found = subject.solve(problem)
    before = bits(found)
    subject.solve(problem.replace(y=problem.y[::-1]))
    if bits(found) != before:
        yield Failure(problem, "the answer changed when another problem was solved")
    elif found.solution is not None and np.asarray(found.solution.coef).flags.writeable:
        found.solution.coef[...] = np.nan  # it is the caller's now
        if bits(subject.solve(problem)) != before:
            yield Failure(problem, "what the caller wrote into an answer came back in the next one")


@check("data that changed in place are read anew", on=generic)
def buffer_reused(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """A new problem in the same memory, at the same addresses, of the same shape."""
    own, arrays = writable(problem)
    subject.solve(own)
    arrays[0][...] = arrays[0] * 3.0  # X, or the entries of a sparse one
    arrays[-1][...] = arrays[-1][::-1].copy()
    changed = own.replace(name=f"{problem.name}, changed in place")
    apart, _ = writable(changed)
    here, there = bits(subject.solve(changed)), bits(subject.solve(apart))
    if here != there:
        yield Failure(apart, "other bits for the same numbers in memory that held another problem")


@check(f"the answer after {MANY} calls is the first")
def many_calls(subject: Subject) -> Iterator[Failure]:
    """One tiny problem, again and again."""
    problem = Kind(8, 3, "lasso", intercept=True).problem()
    if subject.solve(problem).status in SILENT:
        problem = Kind(8, 3, "ridge").problem()
    first = subject.solve(problem)
    if first.status in SILENT:
        return
    before = bits(first)
    for k in range(2, MANY + 1):
        if bits(subject.solve(problem)) != before:
            yield Failure(problem, f"call {k} gives other bits than call 1")
            return


@check("coefficients have the digits of float64", on=generic)
def double_precision(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """Not all of them are float32 numbers."""
    found = trial(subject, problem)
    if not isinstance(found, Answer):
        return
    w = found.coef[found.coef != 0]
    if w.size >= FEWEST and np.array_equal(w, w.astype(np.float32).astype(np.float64)):
        yield Failure(problem, f"all {w.size} coefficients are float32 numbers")


@check("it says converged where its gap is within what was asked, and only there", on=bases)
def honest_status(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """For a solver that claims a gap; on tame problems any solver is to converge."""
    found = subject.solve(problem)
    solution, tol = found.solution, subject.stop.tol
    if found.status not in ANSWERED or solution is None:
        return
    if found.status is not Status.CONVERGED and tame(problem):
        yield Failure(problem, f"{found.status.name} on a well-conditioned problem: {found.message}")
    gap = solution.claimed_gap
    if not subject.entry.claims_gap or gap is None:
        return
    if not gap >= -_rounding_of_a_difference(problem, solution):
        yield Failure(problem, f"claims a gap of {gap}")
    if found.status is not Status.CONVERGED and gap <= tol:
        yield Failure(problem, f"{found.status.name}, yet claims a gap of {gap:.1e}, and {tol:.1e} was asked")


def _rounding_of_a_difference(problem: Problem, solution: Solution) -> float:
    """How far below zero a computed primal - dual may lie, over N: two sums of n + p terms (ROUND)."""
    certificate = Judge(problem).certify(solution.coef, solution.intercept)
    terms = (problem.n + problem.p) * float(np.finfo(np.float64).eps)  # twice gamma_(n + p)
    return terms * certificate.primal / certificate.scale if certificate.scale > 0 else 0.0


@check("the gap that it claims is no smaller than its proven suboptimality", on=bases)
def honest_gap(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """Against the exact optimum."""
    found = subject.solve(problem)
    answer = judged(subject, problem, found)
    if not isinstance(answer, Answer) or not subject.entry.claims_gap or found.solution is None:
        return
    gap = found.solution.claimed_gap
    try:
        best = optimum(problem)
    except Unproven:
        return
    least = answer.certificate.primal - best.value_high - answer.radius
    if gap is not None and least > gap * answer.certificate.scale + answer.radius:
        yield Failure(problem, f"claims {gap:.1e}, proven off by {least / answer.certificate.scale:.1e} N")
