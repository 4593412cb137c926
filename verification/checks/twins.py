"""Relations: a problem and an equivalent one have the same answers, once these are taken back.

    @relation("a permutation of the rows changes nothing")
    def row_permutation(problem: Problem) -> Iterator[Twin]: ...

No reference is needed: the solver is compared with itself, both answers held to what it claims.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem

from .check import Failure, Subject, check
from .draws import bases
from .held import Answer, differences, on_another, trial

__all__ = [
    "RELATIONS",
    "Back",
    "Twin",
    "TwinsOf",
    "compare",
    "relation",
    "same",
    "shifted",
    "taken_from",
    "times",
]

Vector = NDArray[np.float64]
Back = Callable[[Vector, float], tuple[Vector, float]]


def same(coef: Vector, intercept: float) -> tuple[Vector, float]:
    """Take an answer back as it is."""
    return coef, intercept


def times(coef: NDArray[Any] | float = 1.0, intercept: float = 1.0) -> Back:
    """Take an answer back by multiplying it."""
    return lambda w, b: (np.asarray(w * coef), b * intercept)


def taken_from(places: NDArray[np.int64]) -> Back:
    """Take an answer back by picking coefficient `places[j]` for column j."""
    return lambda w, b: (w[places], b)


def shifted(by: Callable[[Vector], float]) -> Back:
    """Take an answer back by adding by(coef) to its intercept."""
    return lambda w, b: (w, b + by(w))


@dataclass(frozen=True)
class Twin:
    """An equivalent problem.

    Attributes
    ----------
    problem : Problem
    back : callable
        Takes (coef, intercept) of its answer to an answer of the first problem, of the same suboptimality
        relative to N or less.
    words : str
        How it differs, where a relation has more than one.
    """

    problem: Problem
    back: Back = same
    words: str = ""


TwinsOf = Callable[[Problem], Iterator[Twin]]
RELATIONS: dict[str, TwinsOf] = {}


def relation(summary: str, on: Callable[[], Iterable[Problem]] = bases) -> Callable[[TwinsOf], TwinsOf]:
    """Register a function from a problem to its twins (none where it does not apply) as a check."""

    def register(twins: TwinsOf) -> TwinsOf:
        def find(subject: Subject, problem: Problem) -> Iterator[Failure]:
            yield from compare(subject, problem, twins(problem))

        find.__name__, find.__module__ = twins.__name__, twins.__module__
        check(summary, on=on)(find)
        RELATIONS[twins.__name__] = twins
        return twins

    return register


def compare(subject: Subject, problem: Problem, twins: Iterable[Twin]) -> Iterator[Failure]:
    """Solve a problem and its twins; yield where the answers contradict each other, or are none."""
    first: Answer | Failure | None = None
    for k, twin in enumerate(twins):
        first = trial(subject, problem) if k == 0 else first
        second = trial(subject, twin.problem)
        if isinstance(first, Failure):
            yield first
            return
        if isinstance(second, Failure):
            yield Failure(problem, _said(twin, second.words))
        if isinstance(first, Answer) and isinstance(second, Answer):
            taken = on_another(second, problem, *twin.back(second.coef, second.intercept))
            words = [taken.words] if isinstance(taken, Failure) else differences(first, taken)
            yield from (Failure(problem, _said(twin, line)) for line in words)


def _said(twin: Twin, words: str) -> str:
    return f"{twin.words}: {words}" if twin.words else words
