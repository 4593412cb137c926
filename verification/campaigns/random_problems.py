"""Small random problems over all combinations that (P) has, and points near and far from their optima."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from solvers import Problem

from ..proofs.integers import nearest
from .exact_reference import Optimum, fraction

Point = tuple[NDArray[np.float64], float]  # coefficients, intercept

PENALTIES = ("l1", "l2", "both", "neither")
LAYOUTS = ("F", "C", "F32", "csc", "csr")
WEIGHTS = ("one", "real", "integer")
PENALTY_WEIGHTS = ("one", "zero and inf")
SCALES = [10.0**k for k in range(-16, 2)]


def combinations() -> list[tuple[str, ...]]:
    """Every combination of intercept, positive, sample weights, penalty weights, layout and penalty."""
    flags = ("no", "yes")
    return list(itertools.product(flags, flags, WEIGHTS, PENALTY_WEIGHTS, LAYOUTS, PENALTIES))


def problem_of(combination: tuple[str, ...], repeat: int = 0) -> Problem:
    """One problem of a combination, always the same one; awkward in about half of the cases."""
    rng = np.random.default_rng(crc32(f"{combination} {repeat}".encode()))
    intercept, positive, weights, penalty_weights, layout, penalty = combination
    n, p = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    X = rng.standard_normal((n, p))
    if rng.random() < 0.3:
        X = np.abs(X)
    if rng.random() < 0.2:
        X += 10.0 ** rng.integers(0, 5)  # columns with a mean far from zero
    if rng.random() < 0.2:
        X *= 10.0 ** rng.integers(-3, 4, size=p)
    if rng.random() < 0.2:
        X[:, rng.integers(p)] = X[:, rng.integers(p)]  # a duplicate
    if rng.random() < 0.1:
        X[:, rng.integers(p)] = rng.integers(0, 2)  # constant or zero
    if layout in ("csc", "csr"):
        X[rng.random((n, p)) < 0.3] = 0.0
    y = X @ rng.standard_normal(p) + rng.standard_normal(n)
    y += rng.choice([0.0, 0.0, 0.0, 1e8, 3.0])
    if rng.random() < 0.05:
        y[:] = rng.choice([0.0, 0.1])
    scale = rng.choice([1.0] * 8 + [1e-140, 1e140]) if layout != "F32" else 1.0
    y = y * scale
    s = None
    if weights == "real":
        s = rng.random(n) * (rng.random(n) < 0.7)
        s[rng.integers(n)] = rng.random() + 0.1
    elif weights == "integer":
        s = rng.integers(0, 4, size=n).astype(float)
        s[rng.integers(n)] = 2.0
    v = None
    if penalty_weights != "one":
        v = rng.choice([0.0, 0.5, 1.0, 3.7, np.inf], size=p)
    made: dict[str, Callable[[NDArray[np.float64]], Any]] = {
        "F": np.asfortranarray,
        "C": np.ascontiguousarray,
        "F32": lambda A: np.asfortranarray(A, dtype=np.float32),
        "csc": sp.csc_array,
        "csr": sp.csr_array,
    }
    problem = Problem(
        made[layout](X),
        y,
        intercept=intercept == "yes",
        positive=positive == "yes",
        sample_weight=s,
        penalty_weights=v,
    )
    l1 = (problem.l1_max() or scale) * 10.0 ** rng.uniform(-4, 0.3)
    l2 = (max(problem.l2_ref(), 0.0) or 1.0) * 10.0 ** rng.uniform(-6, 1)
    return problem.replace(l1=l1 * (penalty in ("l1", "both")), l2=l2 * (penalty in ("l2", "both")))


def points(
    problem: Problem, optimum: Optimum, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.float64], float]]:
    """The optimum rounded to float64, then points at every scale of distance from it, then far ones."""
    w = np.array([nearest(fraction(x)) for x in optimum.coef])  # inf where float64 ends
    b = nearest(fraction(optimum.intercept))
    yield w, b
    movable = np.isfinite(problem.v)
    X = np.abs(problem.X).max()
    size = float(np.max(np.abs(w), initial=0.0)) or float(np.max(np.abs(problem.y))) / (float(X) or 1.0)
    for scale in [*SCALES, 1e3]:
        sparse_move = rng.random(problem.p) < rng.choice([0.3, 1.0])
        moved = w + scale * size * rng.standard_normal(problem.p) * sparse_move * movable
        if problem.positive:
            moved = np.maximum(moved, 0.0)
        shift = scale * abs(b) * rng.standard_normal() * (rng.random() < 0.5)
        yield moved, b + shift
    yield np.zeros(problem.p), b
