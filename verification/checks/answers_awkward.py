"""Answers that must be right on data that trip a solver."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem

from ..problems.generated import grid, rng_for
from .answers import right
from .draws import BITS, Kind, short


def lasso_of(X: Any, y: NDArray[np.float64], ratio: float, name: str, intercept: bool = False) -> Problem:
    """The lasso of some data at l1_max / ratio."""
    bare = Problem(X, y, intercept=intercept, name=name)
    return bare.replace(l1=short(bare.l1_max() / ratio))


@right("on columns given twice, turned round, or near each other")
def right_duplicates() -> Iterator[Problem]:
    """The lasso's answer is then not the only one, its fit is."""
    for penalty, intercept in product(("lasso", "enet"), (False, True)):
        problem = Kind(32, 8, penalty, intercept=intercept).problem()
        for words, columns in (
            ("twice", problem.X),
            ("turned round", -problem.X),
            ("nearly twice", problem.X + 0.25 * np.roll(problem.X, 1, axis=0)),
        ):
            X = np.asfortranarray(np.hstack([problem.X, columns[:, :4]]))
            yield problem.replace(X=X, name=f"{problem.name}, four columns {words}")


@right("with columns that are constant or zero")
def right_constant_columns() -> Iterator[Problem]:
    """First, last, and among the others."""
    for penalty, intercept in product(("lasso", "enet"), (False, True)):
        problem = Kind(32, 8, penalty, intercept=intercept).problem()
        for value, j in product((0.0, 1.0, 0.1, -7.3), (0, 3, 7)):
            X = np.array(problem.X, order="F")
            X[:, j] = value
            yield problem.replace(X=X, name=f"{problem.name}, column {j} is {value}")


@right("with one row, one column, or both")
def right_single() -> Iterator[Problem]:
    """A formula each."""
    X = grid(rng_for("right_single").standard_normal((12, 6)), BITS)
    y = X[:, 0] - 2 * X[:, 5] + 1.0
    for intercept in (False, True):
        yield lasso_of(X[:, :1], y, 3, "one column", intercept)
        yield lasso_of(-X[:, :1], y, 3, "one column, turned round", intercept)
        yield lasso_of(X[:2, :3], y[:2], 3, "two rows", intercept)
    yield lasso_of(X[:1], y[:1], 3, "one row")
    yield lasso_of(X[:1, :1], y[:1], 3, "one entry")
    yield Problem(X[:1], y[:1], l2=0.5, name="one row, ridge")
    yield Problem(X[:, :1], y, l2=0.5, intercept=True, name="one column, ridge")


@right("whichever column carries the response")
def right_each_column() -> Iterator[Problem]:
    """One column does, first, last or between: a solver that leaves one out is seen."""
    for n, p in ((32, 6), (16, 24)):
        X = grid(np.asfortranarray(rng_for(f"each column {p}").standard_normal((n, p))), BITS)
        noise = grid(0.25 * rng_for("each column, noise").standard_normal(n), BITS)
        for j in range(p) if p < n else (0, 1, p // 2, p - 2, p - 1):
            yield lasso_of(X, 4 * X[:, j] + noise, 10, f"{n} x {p}, column {j} alone", intercept=j % 2 == 1)


@right("whichever row stands out")
def right_each_row() -> Iterator[Problem]:
    """One row is large, first, last or between: a solver that leaves one out is seen."""
    problem = Kind(16, 4, "lasso", 10, intercept=True).problem()
    for i in range(problem.n):
        y = np.array(problem.y)
        y[i] += 16.0
        yield problem.replace(y=y, name=f"{problem.name}, row {i} stands out")


@right("on data of one sign")
def right_one_sign() -> Iterator[Problem]:
    """X all positive or all negative, y too: with and without an intercept."""
    problem = Kind(32, 8, "lasso", 10).problem()
    X, y = np.abs(problem.X), np.abs(problem.y) + 1.0
    for sign_x, sign_y, intercept in product((1.0, -1.0), (1.0, -1.0), (False, True)):
        words = f"X {'> 0' if sign_x > 0 else '< 0'}, y {'> 0' if sign_y > 0 else '< 0'}"
        yield lasso_of(sign_x * X, sign_y * y, 10, words, intercept)


@right("on whole numbers, zeros and ones")
def right_whole_numbers() -> Iterator[Problem]:
    """Counts and indicators, with ties."""
    rng = rng_for("right_whole_numbers")
    for seed, intercept in product(range(2), (False, True)):
        X = rng.integers(0, 4, (32, 8)).astype(np.float64)
        y = (X[:, 0] - X[:, 3] + rng.integers(-2, 3, 32)).astype(np.float64)
        yield lasso_of(X, y, 10, f"counts {seed}", intercept)
        yield lasso_of(
            (X > 1).astype(np.float64), (y > 0).astype(np.float64), 10, f"indicators {seed}", intercept
        )


@right("in any units")
def right_units() -> Iterator[Problem]:
    """X and y times 2^30 or 2^-30, each by itself; columns of units that differ by 2^10."""
    for penalty, intercept in product(("lasso", "ridge"), (False, True)):
        problem = Kind(32, 8, penalty, intercept=intercept).problem()
        for x, y in product((2.0**-30, 1.0, 2.0**30), repeat=2):
            changes = {"l1": problem.l1 * x * y, "l2": problem.l2 * x * x}
            name = f"{problem.name}, X times {x:.0e}, y times {y:.0e}"
            yield problem.replace(X=problem.X * x, y=problem.y * y, name=name, **changes)
    problem = Kind(32, 8, "lasso", intercept=True).problem()
    units = 2.0 ** np.linspace(-5, 5, 8).round()
    yield lasso_of(problem.X * units, problem.y, 10, "columns in units of their own", True)


@right("at every l1, however small or large")
def right_every_l1() -> Iterator[Problem]:
    """From a millionth of l1_max to a thousand times it, and 0 beside an L2 penalty."""
    for penalty, intercept in product(("lasso", "enet"), (False, True)):
        problem = Kind(32, 8, penalty, intercept=intercept).problem()
        for ratio in (1e6, 1e4, 1e3, 30.0, 2.0, 1.1, 0.9, 1e-3):
            yield problem.replace(l1=problem.l1_max() / ratio, name=f"{problem.name}, l1_max / {ratio:g}")


@right("at every l2, however small or large")
def right_every_l2() -> Iterator[Problem]:
    """From a millionth of its unit to a million times it."""
    for penalty, intercept in product(("ridge", "enet"), (False, True)):
        problem = Kind(32, 8, penalty, intercept=intercept).problem()
        for factor in (1e-6, 1e-3, 1.0, 1e3, 1e6):
            l2 = problem.l2_ref() * factor
            yield problem.replace(l2=l2, name=f"{problem.name}, l2_ref x {factor:g}")


@right("where y is constant, zero, or fitted exactly")
def right_trivial() -> Iterator[Problem]:
    """The least that can be asked."""
    problem = Kind(32, 8, "lasso", intercept=True).problem()
    for value in (0.0, 0.7, -1e3):
        yield problem.replace(y=np.full(32, value), l1=0.5, name=f"y is {value}")
    yield problem.replace(y=np.zeros(32), l1=0.5, intercept=False, name="y is zero, no intercept")
    exact = problem.X @ np.array([1.0, -2.0, 0, 0, 0, 3.0, 0, 0])
    for ratio in (10.0, 1e4):
        yield lasso_of(problem.X, exact, ratio, f"y is a sum of columns, l1_max / {ratio:g}")


@right("on float32 data, to the bound of float32")
def right_float32() -> Iterator[Problem]:
    """Data that have no shorter form than 24 bits."""
    for penalty, intercept in product(("lasso", "ridge", "enet"), (False, True)):
        problem = Kind(32, 8, penalty, intercept=intercept).problem()
        thirds = (np.asarray(problem.X) / 3).astype(np.float32)
        yield problem.replace(X=thirds, l1=problem.l1 / 3, l2=problem.l2 / 9, name=f"{problem.name}, float32")
