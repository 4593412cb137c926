"""Answers that must be right on data where a narrow shortcut shows: what drawn data have by chance never."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from solvers import Problem

from ..problems.generated import grid, rng_for
from .answers import right, wrong
from .answers_awkward import lasso_of
from .check import Failure, Subject, check
from .draws import LAYOUTS, Kind

SHIFT = 1024.0
LARGE = 2.0**12  # an outlier, in units of the other entries
FINE = 20  # bits of data whose columns differ by little


@right("on data that take all digits of float64, in every layout")
def right_full_digits() -> Iterator[Problem]:
    """Other data here are short numbers, which single precision holds; far from zero it would be seen."""
    sizes = ((32, 8, "lasso"), (32, 8, "ridge"), (32, 8, "enet"), (32, 8, "ols"))
    for (n, p, penalty), layout in product((*sizes, (640, 67, "lasso")), LAYOUTS):
        problem = Kind(n, p, penalty, 3, intercept=True).problem()
        X = stored((problem.X + SHIFT) / 3, layout)
        changes: dict[str, Any] = {"l1": problem.l1 / 21, "l2": problem.l2 / 9}
        name = f"{problem.name}, (X + {SHIFT:g}) / 3, y / 7, {layout}"
        yield problem.replace(X=X, y=problem.y / 7, name=name, **changes)


def stored(A: NDArray[np.float64], layout: str) -> Any:
    """Return the data in a layout; a sparse one then stores every entry."""
    if layout in ("csc", "csr"):
        return sp.csc_array(A) if layout == "csc" else sp.csr_array(A)
    return np.array(A, order="F" if layout == "F" else "C")


@right("with hundreds of rows and of columns at once")
def right_both_sides() -> Iterator[Problem]:
    """Where both sides are cut into blocks: the last rows and columns of each are in use."""
    for (n, p), intercept in product(((150, 133), (135, 265)), (False, True)):
        yield Kind(n, p, "lasso", 3, intercept).problem()
        yield Kind(n, p, "enet", 3, intercept).problem()
        yield Kind(n, p, "lasso", 3, intercept, layout="csr").problem()


@cache
def near_twins() -> list[Problem]:
    """All columns are one, but for 2^-7: a gap leaves the objective off by itself, not by its square."""
    made = []
    for (n, p), seed in product(((32, 8), (16, 24)), range(6)):
        rng = rng_for(f"right_near_twins {n} {p} {seed}")
        X = rng.standard_normal((n, 1)) + 2.0**-7 * rng.standard_normal((n, p))
        y = 4 * X[:, -1] + rng.standard_normal(n) / 4
        for ratio in (3, 30)[: 1 + (seed < 4)]:
            name = f"{n} x {p}, near twins {seed}, l1_max / {ratio}"
            made.append(lasso_of(np.asfortranarray(grid(X, FINE)), grid(y, FINE), ratio, name, seed % 2 == 1))
    return made


@check(
    "answers are right on near twins, where a gap that is not small enough leaves the wrong one in use",
    on=near_twins,
)
def right_near_twins(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """One that says that it did not arrive has an excuse: descent creeps from twin to twin."""
    yield from wrong(subject, problem, arrives=False)


@right("where a single entry of y or X is thousands of times the others")
def right_outliers() -> Iterator[Problem]:
    """Nothing may be clipped, and no row left out, because it is unusual."""
    for layout, intercept in product(("F", "csc"), (False, True)):
        problem = Kind(256, 8, "lasso", 10, intercept, layout=layout).problem()
        y = np.array(problem.y)
        y[5] = LARGE
        yield lasso_of(problem.X, y, 10, f"{problem.name}, y[5] is {LARGE:g}", intercept)
        A = problem.X.toarray() if problem.is_sparse else np.array(problem.X, order="F")
        A[5, 0] = LARGE
        X: Any = sp.csc_array(A) if problem.is_sparse else A
        yield problem.replace(X=X, name=f"{problem.name}, X[5, 0] is {LARGE:g}")


@right("where rows of X are zero, or repeated with another response")
def right_empty_rows() -> Iterator[Problem]:
    """Rows that say nothing of the coefficients count in S all the same."""
    for penalty, intercept in product(("lasso", "ridge", "enet"), (False, True)):
        problem = Kind(32, 8, penalty, 10, intercept).problem()
        for words, source in (("zero", None), ("repeated", [8, 8, 9, 9])):
            X = np.array(problem.X, order="F")
            X[[0, 3, 16, 31]] = 0.0 if source is None else X[source]
            yield problem.replace(X=X, name=f"{problem.name}, four rows {words}")
