"""Answers that must be right where a shortcut fails: unsafe screening, small steps, zeros too soon."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import scipy.sparse as sp

from solvers import Problem

from ..problems.generated import grid, rng_for
from .answers import right
from .answers_awkward import lasso_of
from .draws import BITS, Kind

BELOW = (1.0005, 1.01, 1.1, 1.3, 1.6, 1.9)  # l1_max over these
CORRELATIONS = (0.9, 0.99, 0.999)  # of neighbours


@right("just below l1_max, also where a small correlation grows faster than l1 falls")
def right_below_l1_max() -> Iterator[Problem]:
    """With l1 falling, u_1 of the second column grows three times as fast as l1: strong rules do not hold."""
    rng = rng_for("right_below_l1_max")
    for n, p, intercept in ((48, 8, False), (48, 8, True), (48, 40, True)):
        Z = rng.standard_normal((n, p))
        Z[:, :2] = np.linalg.qr(Z[:, :2] - Z[:, :2].mean(axis=0))[0] * np.sqrt(n)
        y = 4 * Z[:, 0] + 12 * Z[:, 1] + rng.standard_normal(n) / 16
        Z[:, 1] -= 3 * Z[:, 0]
        for ratio in BELOW:
            name = f"{n} x {p}, turned against each other, l1_max / {ratio:g}"
            yield lasso_of(np.asfortranarray(grid(Z, BITS)), grid(y, BITS), ratio, name, intercept)


@right("where columns matter together that do not alone")
def right_suppressed() -> Iterator[Problem]:
    """The response is a difference of near twins: one of each pair hardly correlates with it."""
    rng = rng_for("right_suppressed")
    for p, intercept in product((12, 140), (False, True)):
        X = rng.standard_normal((48, p))
        X[:, 1] = X[:, 0] + X[:, 1] / 2
        X[:, 3] = X[:, 2] - X[:, 3] / 2
        y = 8 * (X[:, 0] - X[:, 1]) + 8 * (X[:, 2] + X[:, 3]) + 4 * X[:, 0] + rng.standard_normal(48) / 4
        for ratio in (10, 30):
            name = f"48 x {p}, near twins, l1_max / {ratio}"
            yield lasso_of(np.asfortranarray(grid(X, BITS)), grid(y, BITS), ratio, name, intercept)


@right("where a column with a single entry carries the response")
def right_single_entries() -> Iterator[Problem]:
    """Indicators of one row, as in text: dense, and in both sparse layouts."""
    for layout, intercept in product(("F", "csc", "csr"), (False, True)):
        problem = Kind(64, 24, "lasso", 10, intercept, layout=layout).problem()
        X = problem.X.toarray() if problem.is_sparse else np.array(problem.X, order="F")
        y = np.array(problem.y)
        for j, i in ((0, 63), (9, 0), (23, 31)):
            X[:, j] = 0.0
            X[i, j] = 4.0
            y[i] += 64.0
        by_columns: Any = np.asfortranarray(X) if layout == "F" else sp.csc_array(X)
        stored = by_columns.tocsr() if layout == "csr" else by_columns
        for ratio in (2, 10):
            name = f"64 x 24 {layout}, single entries, l1_max / {ratio}"
            yield lasso_of(stored, y, ratio, name, intercept)


@right("on correlated columns, where small steps are no sign of arrival")
def right_correlated() -> Iterator[Problem]:
    """Each column leans on the one before."""
    rng = rng_for("right_correlated")
    for rho, intercept in product(CORRELATIONS, (False, True)):
        X = rng.standard_normal((60, 15))
        for j in range(1, 15):
            X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho * rho) * X[:, j]
        y = X[:, 2] - X[:, 9] + X[:, 12] + rng.standard_normal(60) / 4
        for ratio in (10, 1000):
            name = f"60 x 15, neighbours correlated by {rho}, l1_max / {ratio}"
            yield lasso_of(np.asfortranarray(grid(X, BITS)), grid(y, BITS), ratio, name, intercept)
