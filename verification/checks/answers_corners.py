"""Answers that must be right in corners: a few rows or columns, small units, directions of little spread."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from solvers import Problem

from ..problems.generated import grid, rng_for
from .answers import right
from .draws import BITS, Kind, short

FEW = ((2, 1), (2, 3), (3, 2), (3, 5), (4, 2), (5, 3), (5, 5), (12, 2))


@right("with a few rows or columns, whichever way they lean")
def right_few() -> Iterator[Problem]:
    """Where a formula is tempting, and where the sign of a correlation is all that there is."""
    for (n, p), intercept, sign in product(FEW, (False, True), (1.0, -1.0)):
        X = grid(np.asfortranarray(rng_for(f"right_few {n} {p}").standard_normal((n, p))), BITS)
        X[:, 1:] = X[:, 1:] + X[:, :1]  # correlated
        X[:, 0] *= sign
        bare = Problem(X, 2 * X[:, 0] + X[:, -1] + 1.0, intercept=intercept)
        l1, l2 = short(bare.l1_max() / 10), short(bare.l2_ref() / 4)
        for name, penalties in (
            ("lasso", {"l1": l1}), ("ridge", {"l2": l2}), ("enet", {"l1": l1, "l2": l2}),
        ):  # fmt: skip
            what = f"{n} x {p}, {name}, correlated {'alike' if sign > 0 else 'against'}"
            yield bare.replace(name=what, **penalties)


@right("where a column in small units carries the response")
def right_small_columns() -> Iterator[Problem]:
    """Its coefficient is as large as its entries are small; penalised so little that it stays."""
    cases = [*product(("lasso", "ols"), (False, True), (7,)), ("lasso", False, 14), ("lasso", False, 26)]
    for penalty, intercept, bits in cases:
        problem = Kind(32, 6, "ols", intercept=intercept).problem()
        X, y = np.array(problem.X), 4 * problem.X[:, 2] + grid(problem.y / 8, BITS)
        X[:, 2] *= 2.0**-bits
        l1 = short(float(abs(X[:, 2] @ y)) / (10 * problem.n)) if penalty == "lasso" else 0.0
        yield problem.replace(X=X, y=y, l1=l1, name=f"32 x 6, {penalty}, a column times 2^-{bits}")


@right("where a direction of little spread carries the response")
def right_thin_directions() -> Iterator[Problem]:
    """The response is the small difference of two columns: no rank may be cut there."""
    Z = grid(rng_for("right_thin_directions").standard_normal(32), BITS)
    for penalty, intercept, bits in (*product(("ols", "ridge"), (False, True), (7,)), ("ols", True, 13)):
        problem = Kind(32, 6, "ols", intercept=intercept).problem()
        X, y = np.array(problem.X), 4 * Z + grid(problem.y / 8, BITS)
        X[:, 4] = X[:, 1] + 2.0**-bits * Z
        l2 = 2.0**-20 if penalty == "ridge" else 0.0
        yield problem.replace(X=X, y=y, l2=l2, name=f"32 x 6, {penalty}, two columns 2^-{bits} apart")
