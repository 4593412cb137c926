"""Faults that show on some data only: wide, sparse, duplicates, constant columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from solvers import Problem, Solution, Stop

from . import descend, planted
from .descent import plainly
from .reference import Descent, Vector


@planted("right_wide")
def wide_first_columns(problem: Problem, stop: Stop) -> Solution:
    """Where p > n only the first n columns are visited."""
    return plainly(problem, stop, order=lambda self: range(min(self.w.size, problem.n)))


@planted("right_ridge")
def dual_form_without_n(problem: Problem, stop: Stop) -> Solution:
    """Where p > n ridge is solved in n unknowns, with l2 in the place of n l2."""
    ridge = problem.p > problem.n and problem.l1 == 0
    return descend(problem.replace(l2=problem.l2 / problem.n) if ridge else problem, stop)


@planted("dense_as_sparse")
def sparse_last_entry_lost(problem: Problem, stop: Stop) -> Solution:
    """The last stored entry of each sparse column is not read."""

    def matrix(self: Descent) -> Vector:
        if not problem.is_sparse:
            return Descent.matrix(self)
        A: Any = problem.X.tocsc()
        data = A.data.astype(np.float64)
        data[A.indptr[1:][np.diff(A.indptr) > 0] - 1] = 0.0
        return sp.csc_array((data, A.indices, A.indptr), shape=A.shape).toarray()[:, self.kept]

    return descend(problem, stop, matrix=matrix)


@planted("duplicate_column")
def duplicates_share_nothing(problem: Problem, stop: Stop) -> Solution:
    """Equal columns are solved once, and each copy gets the whole coefficient."""
    X: Any = problem.X.toarray() if problem.is_sparse else problem.X
    _, first, copy = np.unique(X, axis=1, return_index=True, return_inverse=True)
    copy = copy.ravel()
    only = np.zeros(problem.p, dtype=bool)
    only[first] = True
    found = descend(problem.replace(penalty_weights=np.where(only, problem.v, np.inf)), stop)
    return replace(found, coef=np.where(np.isfinite(problem.v), found.coef[first][copy], 0.0))


@planted("right_constant_columns")
def nan_on_constant_columns(problem: Problem, stop: Stop) -> Solution:
    """A column without spread is divided by its standard deviation."""
    solver = Descent(problem, stop)
    found = solver.solve()
    coef = found.coef.copy()
    coef[solver.kept[solver.curvature == 0]] = np.nan
    return replace(found, coef=coef)


@planted("zero_column")
def raises_on_zero_columns(problem: Problem, stop: Stop) -> Solution:
    """A column of zeros ends in a division by zero."""
    solver = Descent(problem, stop)
    for square in solver.curvature.tolist():
        1 / square
    return solver.solve()


@planted("right_constant_columns")
def zero_columns_dropped(problem: Problem, stop: Stop) -> Solution:
    """Columns of zeros are dropped, and the coefficients returned have no place for them."""
    solver = Descent(problem, stop)
    found = solver.solve()
    return replace(found, coef=np.delete(found.coef, solver.kept[solver.curvature == 0]))
