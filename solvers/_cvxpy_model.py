"""(P) as a cvxpy problem, written from (P) itself and from nothing of the standard form.

Units are chosen so that a conic solver sees numbers near 1: columns by their largest magnitude, y by its
standard deviation, and the objective by the loss of the best constant, which makes an absolute tolerance of
the solver's one relative to that loss.
"""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from .problem import Problem, Vector
from .solution import Solution, Status, Stop

# An iteration factors a system that holds X: about nnz(X) min(n, p) operations. Beyond this many one
# iteration takes more than a second at a billion operations a second, and a solve takes minutes.
OPERATIONS = 1e9
# Each entry of X passes through cvxpy's Python and becomes part of a sparse matrix, some microseconds each.
ENTRIES = 200_000

# A penalty this many times larger than the data, in the units below, drowns them in float64: 1 / sqrt(eps).
RANGE = 2.0**26


def refuse_conic(problem: Problem) -> str | None:
    """Reason not to hand the problem to a conic solver: seconds an iteration, or numbers too far apart."""
    nnz = problem.X.nnz if problem.is_sparse else problem.X.size
    work = float(nnz) * min(problem.n, problem.p)
    if work > OPERATIONS:
        return f"nnz(X) min(n, p) is {work:.1e}, over {OPERATIONS:.0e}: one factorisation would take seconds"
    if nnz > ENTRIES:
        return f"X has {nnz} entries, over {ENTRIES}: to write them as a conic problem alone takes seconds"
    units = _units(problem.X)
    y_unit = _units(problem.y[:, None])[0]
    v = np.where(np.isinf(problem.v), 0.0, problem.v)
    with np.errstate(over="ignore"):
        largest = max(np.max(problem.l1 * v / units / y_unit), np.max(problem.l2 * v / units / units))
    if largest > RANGE:
        return f"a penalty is {largest:.1e} times its column's scale: beyond what a conic solver resolves"
    return None


@dataclass
class Model:
    """A cvxpy problem in scaled units, and the way back.

    Attributes
    ----------
    task : cvxpy.Problem
    """

    problem: Problem
    task: Any
    w: Any
    b: Any
    keep: Any
    units: Vector  # (number kept,)
    y_unit: float
    y_shift: float

    def solution(self, status: Status, n_iter: int, message: str) -> Solution:
        """Coefficients of (P) from the solved task."""
        coef = np.zeros(self.problem.p)
        if self.keep.size and self.w.value is not None:
            coef[self.keep] = self.w.value / self.units * self.y_unit
            if self.problem.positive:
                coef = np.maximum(coef, 0.0)
        b = 0.0
        if self.problem.intercept:
            b = self.y_shift + (0.0 if self.b.value is None else float(self.b.value) * self.y_unit)
        return Solution(coef, b, status, n_iter, None, message)


def model(problem: Problem) -> Model:
    """Write (P) down, without rows of weight 0 and columns whose coefficient is 0 or may as well be."""
    cp: Any = importlib.import_module("cvxpy")  # it does not declare what it exports
    rows = np.flatnonzero(problem.s)
    y, s, S, v = problem.y[rows], problem.s[rows], problem.S, problem.v
    X = problem.X[rows] if rows.size < problem.n else problem.X
    keep = np.flatnonzero(np.isfinite(v) & _matters(X, problem.intercept))
    X, v = X[:, keep], v[keep]
    shift = float(s @ y / S) if problem.intercept else 0.0
    spread = y - shift
    y_unit = float(np.sqrt(s @ spread**2 / S)) or 1.0
    units = _units(X)
    X = X.astype(np.float64)
    X = X @ sp.diags_array(1.0 / units) if problem.is_sparse else X / units
    w = cp.Variable(max(keep.size, 1))
    b = cp.Variable()
    residual = cp.Variable(rows.size)
    fit = X @ w if keep.size else 0 * w[0]
    constraints = [residual == spread / y_unit - fit - (b if problem.intercept else 0.0)]
    # In these units (P) is divided by y_unit^2, the loss of the best constant times two
    cost = cp.sum_squares(cp.multiply(np.sqrt(s / S), residual))
    if keep.size:
        l1 = 2 * problem.l1 * v / (units * y_unit)
        l2 = problem.l2 * v / units**2
        if l1.any():
            cost += l1 @ (w if problem.positive else cp.abs(w))
        if l2.any():
            cost += cp.sum_squares(cp.multiply(np.sqrt(l2), w))
        if problem.positive:
            constraints.append(w >= 0)
    task = cp.Problem(cp.Minimize(cost), constraints)
    return Model(problem, task, w, b, keep, units, y_unit, shift)


def _units(X: Any) -> Vector:
    """Largest magnitude of each column, 1 for a zero column, (p,)."""
    if X.shape[1] == 0:
        return np.zeros(0)
    top, low = X.max(axis=0), X.min(axis=0)
    if sp.issparse(X):
        top, low = top.toarray().ravel(), low.toarray().ravel()
    size = np.maximum(top, -low).astype(np.float64)
    return np.where(size > 0, size, 1.0)


def _matters(X: Any, intercept: bool) -> Any:
    """Columns that are not zero, nor constant beside an intercept, (p,): those are free to be anything."""
    top, low = X.max(axis=0), X.min(axis=0)
    if sp.issparse(X):
        top, low = top.toarray().ravel(), low.toarray().ravel()
    return (top > low) if intercept else (top != 0) | (low != 0)


def solver_run(problem: Problem, stop: Stop, solver: str, options: dict[str, Any]) -> Callable[[], Solution]:
    """A new cvxpy problem, to be solved once: a second solve of the same one would start warm.

    Parameters
    ----------
    solver : str
        cvxpy's name.
    options : dict
        The solver's own settings.
    """
    import cvxpy as cp

    written = model(problem)

    def run() -> Solution:
        began = time.perf_counter()
        message = ""
        with warnings.catch_warnings(record=True):  # "may be inaccurate": said by the status instead
            warnings.simplefilter("always")
            try:
                written.task.solve(solver=solver, **options)
                answer = written.task.status
            except cp.error.SolverError as error:
                return written.solution(Status.FAILED, 0, str(error).split("\n")[0])
        stats = written.task.solver_stats
        n_iter = int(stats.num_iters or 0) if stats is not None else 0
        late = stop.time_limit is not None and time.perf_counter() - began >= stop.time_limit
        if answer == cp.OPTIMAL:
            status = Status.CONVERGED
        elif late:
            status = Status.TIME_LIMIT
        elif n_iter >= stop.max_iter:
            status = Status.MAX_ITER
        else:
            status = Status.STALLED if written.w.value is not None else Status.FAILED
        if answer != cp.OPTIMAL:
            message = f"{solver} ended with {answer}"
        return written.solution(status, n_iter, message)

    return run
