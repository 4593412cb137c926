"""Is the claim of a certificate file false? By exact arithmetic, without the checker.

Numbers are read as they are written, not as floats; the optimum is that of ``proofs.exact``. A claim counts
as false only where that is proven; whether one is true is not asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ..proofs.exact import ExactOptimum, RationalProblem, optimum
from ..proofs.integers import Integers, fraction

__all__ = ["coefficients", "falsehoods", "read_number"]

HEX = re.compile(r"(-?)0x([0-9a-f]+)(?:\.([0-9a-f]*))?p([+-]?[0-9]+)")
RATIO = re.compile(r"-?[0-9]+(/[0-9]+)?")
MOST = 5000  # binary exponents beyond it are not looked at


def read_number(text: Any) -> Fraction:
    """Return the exact value of what is written; ValueError if it is no number."""
    if isinstance(text, str) and RATIO.fullmatch(text):
        return Fraction(text)
    found = HEX.fullmatch(text) if isinstance(text, str) else None
    if found is None or abs(int(found[4])) > MOST:
        raise ValueError(f"not a number: {text!r:.40}")
    digits = found[3] or ""
    value = Fraction(int(found[2] + digits, 16)) * Fraction(2) ** (int(found[4]) - 4 * len(digits))
    return -value if found[1] else value


def falsehoods(content: Mapping[str, Any], known: dict[str, Any] | None = None) -> list[str]:
    """Return what is proven to be false in a file's content; empty if nothing is.

    Parameters
    ----------
    content : mapping
        As ``export.seal`` takes it.
    known : dict, optional
        Keeps optima between calls, by the data of the problem.

    Raises
    ------
    ValueError, KeyError, TypeError
        Where the content is no certificate.
    """
    data = content["problem"]
    key = json.dumps(data, sort_keys=True)
    known = {} if known is None else known
    if key not in known:
        problem = _problem(data)
        known[key] = problem, optimum(problem, np.zeros(problem.p))
    problem, best = known[key]
    star = coefficients(problem, best)
    w = [read_number(x) for x in content["claim"]["coef"]]
    found = []
    if not _feasible(problem, w):
        found.append("the coefficients break a constraint")
    elif read_number(content["claim"]["bound"]) < _value(problem, w) - _value(
        problem, [x for _, x, _ in star]
    ):
        found.append("the bound is below the true suboptimality")
    if content["claim"]["intervals"] is not None:
        found += _false_intervals(content["claim"]["intervals"], best, star)
    theta = [read_number(x) for x in content["proof"]["theta"]]
    if not _dual_feasible(problem, theta):
        found.append("theta is infeasible")
    return found


def _problem(data: Mapping[str, Any]) -> RationalProblem:
    n, p = data["n"], data["p"]
    if "columns" in data:
        columns = [[read_number(x) for x in column] for column in data["columns"]]
    else:
        columns = [[Fraction(0)] * n for _ in range(p)]
        for i, j, x in data["entries"]:
            columns[j][i] = read_number(x)
    s, v = data["sample_weight"], data["penalty_weights"]
    if any(len(c) != n for c in columns) or len(columns) != p or len(data["y"]) != n:
        raise ValueError("the sizes do not agree")
    return RationalProblem(
        columns,
        [read_number(x) for x in data["y"]],
        read_number(data["l1"]),
        read_number(data["l2"]),
        data["intercept"],
        data["positive"],
        None if s is None else [read_number(x) for x in s],
        None if v is None else [None if x == "inf" else read_number(x) for x in v],
    )


def _weights(problem: RationalProblem) -> list[Fraction]:
    return [Fraction(x) for x in problem.sample_weight or [1] * len(problem.y)]


def _penalty_weights(problem: RationalProblem) -> list[Fraction | None]:
    given: Sequence[Any] = problem.penalty_weights or [1] * problem.p
    return [None if x is None else Fraction(x) for x in given]


def coefficients(problem: RationalProblem, best: ExactOptimum) -> list[tuple[Fraction, Fraction, Fraction]]:
    """(low, middle, high) of each coefficient of the optimum, b last."""
    data = Integers(problem)
    zero = (Fraction(0), Fraction(0), Fraction(0))
    found = [zero] * (problem.p + problem.intercept)
    for k, j in enumerate(best.point.support):
        unit = fraction(data.c_y / data.column(j)[1])
        low, high = best.point.ends(k)
        found[j] = (low * unit, best.point.value(k) * unit, high * unit)
    return found


def _feasible(problem: RationalProblem, w: Sequence[Fraction]) -> bool:
    if len(w) != problem.p + problem.intercept:
        raise ValueError("one coefficient for each column is expected, b last")
    v = _penalty_weights(problem)
    fixed = all(x == 0 for x, v_j in zip(w, v, strict=False) if v_j is None)
    return fixed and (not problem.positive or min(w[: problem.p]) >= 0)


def _value(problem: RationalProblem, w: Sequence[Fraction]) -> Fraction:
    """P(w, b), by the definition."""
    s, v = _weights(problem), _penalty_weights(problem)
    residual = [Fraction(y) for y in problem.y]
    for j, x in enumerate(w):
        if x:
            column = problem.columns[j] if j < problem.p else [1] * len(residual)
            residual = [r - Fraction(a) * x for r, a in zip(residual, column, strict=True)]
    loss = sum((a * r * r for a, r in zip(s, residual, strict=True)), Fraction(0))
    l1, l2 = Fraction(problem.l1), Fraction(problem.l2)
    penalty = sum(
        (v_j * (l1 * abs(x) + l2 * x * x / 2) for x, v_j in zip(w, v, strict=False) if v_j), Fraction(0)
    )
    return loss / (2 * sum(s)) + penalty


def _false_intervals(
    intervals: Sequence[Sequence[Any]],
    best: ExactOptimum,
    star: Sequence[tuple[Fraction, Fraction, Fraction]],
) -> list[str]:
    if len(intervals) != len(star):
        raise ValueError("one interval for each coefficient is expected, b last")
    found = ["the optimum is not the only one"] if best.uniqueness == "not unique" else []
    for j, (interval, (low, _, high)) in enumerate(zip(intervals, star, strict=True)):
        left, right = (read_number(x) for x in interval)
        if best.unique and (left > high or right < low):
            found.append(f"interval {j} misses the true coefficient")
    return found


def _dual_feasible(problem: RationalProblem, theta: Sequence[Fraction]) -> bool:
    """Whether D(theta) is finite."""
    if len(theta) != len(problem.y):
        raise ValueError("theta has another length than y")
    s, v = _weights(problem), _penalty_weights(problem)
    weighted = [a * t for a, t in zip(s, theta, strict=True)]
    if problem.intercept and sum(weighted) != 0:
        return False
    for column, v_j in zip(problem.columns, v, strict=True):
        if v_j is None or (problem.l2 and v_j):
            continue
        u = sum((Fraction(a) * t for a, t in zip(column, weighted, strict=True)), Fraction(0)) / sum(s)
        if (u if problem.positive else abs(u)) > v_j * Fraction(problem.l1):
            return False
    return True
