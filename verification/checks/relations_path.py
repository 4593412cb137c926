"""What holds along the path of falling l1, docs/maths.md (PATH)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np

from solvers import Problem

from ..problems._homotopy import Kink, fraction
from ..problems.known_answer import path_of
from .check import Failure, Subject, check
from .draws import Kind, bases, short
from .held import Answer, differences, judged, trial

ABOVE = (1 + 1e-12, 1.5, 64.0)  # multiples of l1_max
FALLING = (2, 4, 16, 64)  # l1_max over these


def penalised_by_l1() -> list[Problem]:
    """The fixed problems that have an L1 penalty."""
    return [problem for problem in bases() if problem.l1 > 0]


@check("from l1_max on every penalised coefficient is exactly zero", on=penalised_by_l1)
def zeros_above_l1_max(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """To the last bit for a solver that claims a gap; else as small as its claim makes them."""
    if problem.l1 == 0:
        return
    top = problem.l1_max()
    for factor in ABOVE:
        found = trial(subject, problem.replace(l1=top * factor))
        if isinstance(found, Failure):
            yield found
        if not isinstance(found, Answer):
            continue
        penalised = problem.v > 0
        w = np.abs(found.coef[penalised])
        if subject.entry.claims_gap and w.any():
            yield Failure(found.problem, f"l1 = {factor:g} l1_max, and a coefficient is {np.max(w):.1e}")
        null = found.certificate.primal_null
        if found.certificate.primal - null > found.allowed + found.radius:
            excess = (found.certificate.primal - null) / found.certificate.scale
            yield Failure(found.problem, f"l1 = {factor:g} l1_max: {excess:.1e} N above the optimum")


@check("as l1 falls, the L1 norm and the fit grow, and the objective falls", on=penalised_by_l1)
def monotone_path(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """By as much as what the answers are held to leaves them room for."""
    if problem.l1 == 0:
        return
    top = problem.l1_max()
    found = [trial(subject, problem.replace(l1=top / k)) for k in FALLING]
    yield from (answer for answer in found if isinstance(answer, Failure))
    for a, b in pairwise(found):
        if isinstance(a, Answer) and isinstance(b, Answer):
            yield from (Failure(b.problem, words) for words in turned_back(a, b))


def turned_back(a: Answer, b: Answer) -> Iterator[str]:
    """Where the path from a to b, of the smaller l1, goes the wrong way."""
    room = a.allowed + b.allowed + a.radius + b.radius
    if not math.isfinite(room):
        return
    step = a.problem.l1 - b.problem.l1
    norm_a, norm_b = l1_norm(a), l1_norm(b)
    if norm_a - norm_b > room / step:
        yield f"the L1 norm falls by {norm_a - norm_b:.1e}, room for {room / step:.1e}"
    rest_a = a.certificate.primal - a.problem.l1 * norm_a
    rest_b = b.certificate.primal - b.problem.l1 * norm_b
    room_b = b.problem.l1 * room / step + b.allowed + a.radius + b.radius
    if rest_b - rest_a > room_b:
        yield f"the loss grows by {rest_b - rest_a:.1e}, room for {room_b:.1e}"
    if b.certificate.primal - a.certificate.primal > b.allowed + a.radius + b.radius:
        yield f"the objective grows by {b.certificate.primal - a.certificate.primal:.1e}"


def l1_norm(a: Answer) -> float:
    """sum_j v_j |w_j|."""
    v = np.where(np.isfinite(a.problem.v), a.problem.v, 0.0)
    return float(v @ np.abs(a.coef))


@cache
def known_path(seed: int) -> tuple[Problem, list[Kink]]:
    """A small lasso and its exact path."""
    problem = Kind(16, 6, seed=seed).problem()
    return problem, path_of(np.asarray(problem.X), problem.y)


@check("between two kinks of the path the coefficients are linear in l1")
def linear_between_kinks(subject: Subject) -> Iterator[Failure]:
    """Three points within each piece of an exact path: the middle one's fit is the mean of the others'."""
    for seed in (1, 2):
        problem, kinks = known_path(seed)
        lams = [float(fraction(kink.lam)) / problem.n for kink in kinks]
        for high, low in pairwise(lams):
            middle, step = (high + low) / 2, 0.375 * (high - low)
            found = [trial(subject, problem.replace(l1=middle + k * step)) for k in (1, 0, -1)]
            yield from (answer for answer in found if isinstance(answer, Failure))
            answers = [answer for answer in found if isinstance(answer, Answer)]
            if len(answers) == len(found):
                yield from bent(*answers)


def bent(a: Answer, b: Answer, c: Answer) -> Iterator[Failure]:
    """Whether b is further from the mean of a and c than the three may be from the exact path."""
    off = float(np.linalg.norm(b.fitted - (a.fitted + c.fitted) / 2)) / math.sqrt(b.problem.n)
    reach = [math.sqrt(2 * answer.allowed) for answer in (a, b, c)]
    bound = reach[1] + (reach[0] + reach[2]) / 2
    if off > bound:
        yield Failure(b.problem, f"fitted values {off:.1e} off the line, allowed {bound:.1e}")


@check("a path with warm starts gives the answers of cold starts", on=penalised_by_l1)
def warm_start(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """For solvers with a path of their own."""
    if problem.l1 == 0:
        return
    top = problem.l1_max()
    points = [problem.replace(l1=short(top / k)) for k in FALLING]
    for point, found in zip(points, subject.path(problem, [point.l1 for point in points]), strict=False):
        cold, warm = trial(subject, point), judged(subject, point, found)
        yield from (answer for answer in (cold, warm) if isinstance(answer, Failure))
        if isinstance(cold, Answer) and isinstance(warm, Answer):
            yield from (Failure(point, f"cold and warm: {words}") for words in differences(cold, warm))
