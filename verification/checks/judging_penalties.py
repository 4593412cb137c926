"""A check of the judge: when the penalty that an answer fits is held against its solver, rung by rung."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from .. import verdict
from ..verdict_points import SHARED, judge_points
from .check import Failure, Subject, check
from .judging_verdicts import honest_row, row

FACTOR, SLIGHT = 1.05, 1.0003  # of l1, that an answer was made for; by the second the gap hardly tells
TIGHT = 1e-12  # no start explains another penalty there

Row = dict[str, Any]


def rung(tol: float, factor: float = FACTOR, **changes: Any) -> Row:
    """A rung of one solver at which the optimum for `factor` times l1 was handed in, under a claim of tol."""
    problem, w, b = honest_row()
    other = problem.replace(l1=problem.l1 / factor)
    return row(other, w, b, "s", tol=tol, claimed_gap=tol, cell=f"l1 / {factor}") | changes


@cache
def proven(factor: float = FACTOR) -> float:
    """The gap, over N, of the optimum for `factor` times l1."""
    return float(rung(TIGHT, factor)["gap_rel"])


def cases() -> Iterator[tuple[str, Sequence[Row], Sequence[bool]]]:
    """What is handed in, and which rows are to be called WRONG for solving another penalty."""
    near, nearer = proven() / 2, proven() / 8  # less than is proven, more than a tenth of it
    fine = proven(SLIGHT) / 5
    silent, path, nothing = {"claims_gap": False}, {"continued": True}, {"implied_l1": 1e-4}
    yield "a tight rung", [rung(TIGHT)], [True]
    yield "a tight rung of one that claims no gap", [rung(TIGHT, **silent)], [True]
    yield "a tight rung of a path", [rung(TIGHT, **path)], [True]
    yield "a rung that proves what was asked for", [rung(2 * proven())], [False]
    yield "a rung that proves ten times that", [rung(near)], [False]
    yield "a loose rung of one that claims no gap", [rung(1e-8, **silent)], [False]
    yield "a fine rung", [rung(fine, SLIGHT)], [True]
    yield "a fine rung of a path", [rung(fine, SLIGHT, **path)], [False]
    yield "two rungs that lean alike", [rung(near), rung(nearer)], [False, True]
    yield "two that do not", [rung(near, 1.2, cell="l1 / 1.05"), rung(nearer)], [False, False]
    yield "an open cell, and one settled alike", [rung(near), rung(TIGHT, cell="other")], [True, True]
    yield "an open cell, and one settled otherwise", [rung(near), rung(TIGHT, 2.0)], [False, True]
    yield "no l1 at all, and no claim", [rung(TIGHT, **silent, **nothing)], [False]
    yield "no l1 at all, under a claim", [rung(TIGHT, **nothing)], [True]
    yield "a tight rung that was cut short", [rung(TIGHT, status="MAX_ITER")], [False]


def path_of(point: Row) -> Row:
    """The row of a path of this one point."""
    lists = {
        name: [value] for name, value in point.items() if name not in (*SHARED, "cell", "digest", "kind")
    }
    told = {"l1s": [point["l1"]], "statuses": [point["status"]], "claimed_gaps": [point["claimed_gap"]]}
    return point | told | {"kind": "path", "answer": "", "points": lists}


@check("another penalty is a verdict where no tolerance and no start explains it", about="judge")
def penalty_by_rungs(subject: Subject) -> Iterator[Failure]:
    """Of a loose rung alone nobody knows; of a tight one, or of two that lean alike, one does."""
    problem = honest_row()[0]
    for words, rows, expected in cases():
        found = ["solves" in result.wrong for result in verdict.judge(rows).results]
        if found != list(expected):
            yield Failure(problem, f"{words}: WRONG is {found}, expected {list(expected)}")
    for tol, factor in ((proven(SLIGHT) / 5, SLIGHT), (TIGHT, FACTOR)):
        (result,) = judge_points([path_of(rung(tol, factor))]).results
        if ("solves" in result.wrong) != (tol == TIGHT):
            yield Failure(problem, f"a path at tol {tol:.0e}: {result.wrong or 'not WRONG'}")
