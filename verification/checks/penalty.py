"""Whether it was this penalty that was solved, and as accurately everywhere as on plain data."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np

from solvers import Problem, Status

from ..proofs import Judge
from ..verdict_penalty import IMPLIED_GAIN
from . import answers_awkward, answers_rare, answers_shapes, answers_sizes
from .answers import TAME, truth, verdict_on
from .check import Failure, Subject, check
from .draws import Kind, bases
from .held import Answer, differences, judged, trial

EXACT = 1e-12  # suboptimality over N that no tolerance leaves by chance on every problem
FLOOR = 1e-9  # the tightest tier: nobody is held to more than a hundred times this
WIDER = (
    "right_sparse", "right_many_rows", "right_many_columns", "right_square", "right_ridge", "right_intercept",
    "right_elastic_net", "right_through_the_origin", "right_duplicates", "right_constant_columns",
    "right_each_column", "right_each_row", "right_one_sign", "right_whole_numbers", "right_units",
    "right_every_l1", "right_odd_sizes", "right_between_sizes", "right_beyond_sizes",
    "right_sparse_otherwise", "right_below_l1_max", "right_suppressed", "right_single_entries",
)  # fmt: skip


@cache
def many_in_use() -> list[Problem]:
    """Problems with a support of six or more: the penalty is then read off the stationarity conditions."""
    kinds = [
        Kind(64, 16, penalty, ratio, intercept, seed=ratio)
        for penalty, ratio, intercept in product(("lasso", "enet"), (3, 10, 100), (False, True))
    ]
    ridges = [Kind(64, 16, "ridge", intercept=intercept) for intercept in (False, True)]
    wide = [Kind(32, 64, "lasso", ratio, True, seed=ratio) for ratio in (3, 10)]
    sparse = [
        Kind(64, 24, penalty, 10, intercept, layout=layout)
        for penalty, intercept, layout in product(("lasso", "ridge", "enet"), (False, True), ("csc", "csr"))
    ]
    made = [kind.problem() for kind in (*kinds, *ridges, *wide, *sparse)]
    single = [*made[:6], *made[-12:]]
    return made + [
        problem.replace(X=problem.X.astype(np.float32), name=f"{problem.name}, float32") for problem in single
    ]


@check(
    "the penalty that the answer solves is the one asked for, at l1_max / 3, / 10 and / 100", on=many_in_use
)
def penalty_asked_for(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """The second rule of docs/maths.md (WRONG): it needs no claim, and sees l1 x 1.001 at once."""
    found = subject.solve(problem)
    answer = judged(subject, problem, found)
    if isinstance(answer, Failure):
        yield answer
    if isinstance(answer, Answer):
        reasons = verdict_on(subject, answer, found).wrong.split("; ")
        yield from (Failure(problem, words) for words in reasons if words.startswith("solves"))


def ridges() -> list[Problem]:
    """Those of the fixed list that the dual form is written down for."""
    return [problem for problem in bases() if is_plain_ridge(problem)]


def is_plain_ridge(problem: Problem) -> bool:
    """Whether it has an L2 penalty and nothing else but perhaps an intercept."""
    weighted = problem.sample_weight is not None or problem.penalty_weights is not None
    return problem.l1 == 0 and problem.l2 > 0 and not weighted and not problem.positive


@check("a ridge is its dual form: w = X'a with (XX' + n l2 I) a = y", on=ridges)
def ridge_dual_form(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """Computed here, on centred data if there is an intercept, and certified like any answer."""
    found = trial(subject, problem)
    if isinstance(found, Failure):
        yield found
    if (
        not isinstance(found, Answer)
        or problem.sample_weight is not None
        or problem.penalty_weights is not None
    ):
        return
    A = np.asarray(problem.X.toarray() if problem.is_sparse else problem.X, dtype=np.float64)
    means, y_mean = A.mean(axis=0) * problem.intercept, float(problem.y.mean()) * problem.intercept
    A = A - means
    kernel = A @ A.T + problem.n * problem.l2 * np.eye(problem.n)
    w = A.T @ np.linalg.solve(kernel, problem.y - y_mean)
    b = y_mean - float(means @ w)
    dual = Answer(problem, w, b, Judge(problem).certify(w, b), Status.CONVERGED, None)
    yield from (Failure(problem, words) for words in differences(found, dual))


@cache
def wider() -> list[Problem]:
    """Tame problems of every family that a plain function of X, y, l1 and l2 may be given."""
    rooms = (answers_shapes, answers_awkward, answers_sizes, answers_rare)
    families = {name: made for room in rooms for name, made in vars(room).items()}
    problems = [problem for name in WIDER for problem in families[name]()]
    return [problem for problem in problems if truth(problem).condition <= TAME]


@cache
def plain() -> list[Problem]:
    """Unremarkable lassos, tall and wide."""
    made = [*answers_shapes.right_tall(), *answers_shapes.right_wide()]
    return [problem for problem in made if truth(problem).condition <= TAME]


@check("one that does not take tol and is exact on plain data is so on other tame data")
def even_accuracy(subject: Subject) -> Iterator[Failure]:
    """Its claim of 1e-3 would let much pass: it is held to what it does, docs/maths.md (EVEN)."""
    if subject.entry.takes_tol:
        return
    found = [(problem, subject.solve(problem)) for problem in plain()]
    shares = [off(judged(subject, problem, each)) for problem, each in found]
    if max(shares) > EXACT:
        return  # it stops by a tolerance of its own, and what that leaves differs from problem to problem
    allowed = IMPLIED_GAIN * FLOOR
    for problem in wider():
        answer = trial(subject, problem)
        if isinstance(answer, Failure):
            yield answer
        elif off(answer) > allowed:
            yield Failure(problem, f"{off(answer):.1e} N off, on plain data at most {max(shares):.1e} N")


def off(answer: Answer | Failure | None) -> float:
    """Proven suboptimality relative to N, at least 0."""
    if not isinstance(answer, Answer):
        return 0.0
    best = truth(answer.problem).certificate
    excess = answer.certificate.primal - best.primal - answer.radius - (best.radius or 0.0)
    return max(0.0, excess / best.scale) if best.scale > 0 else 0.0
