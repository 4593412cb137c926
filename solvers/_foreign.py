"""What the adapters to other libraries share: layouts that compiled code takes, and warnings made answers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from .conventions import null_loss
from .problem import Problem
from .registry import SolverRefused
from .solution import Solution, Status

T = TypeVar("T")
Fits = Callable[[], list[Solution]]  # run() of a path


def column_major(X: Any, copy: bool = False) -> Any:
    """X as float64, column by column: Fortran order, or CSC with 32-bit indices.

    Returns X itself, read-only as it is, where nothing has to change and no copy is asked for, so
    ``out is X`` tells whether the arrays are the problem's own.

    Raises
    ------
    ValueError
        If a sparse X has more entries than 32-bit indices can count.
    """
    sparse: bool = sp.issparse(X)
    if not sparse:
        return np.array(X, dtype=np.float64, order="F", copy=True if copy else None)
    if X.nnz > np.iinfo(np.int32).max:
        raise ValueError(f"X has {X.nnz} entries: 32-bit indices do not reach that far")
    ready = X.format == "csc" and X.dtype == np.float64 and X.indices.dtype == X.indptr.dtype == np.int32
    if ready:
        return X.copy() if copy else X
    C = X.tocsc()
    parts = C.data.astype(np.float64), C.indices.astype(np.int32), C.indptr.astype(np.int32)
    return sp.csc_array(parts, shape=C.shape)


def heard(call: Callable[[], T]) -> tuple[T, str]:
    """Result of a call, and the text of every ``ConvergenceWarning`` that it gave ("" if none).

    Such warnings are told by the name of their class, which several libraries share. Others go their
    usual way, and no filter is left behind.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    told = [w for w in caught if w.category.__name__ == "ConvergenceWarning"]
    for w in caught:
        if w not in told:
            warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
    return result, "; ".join(str(w.message) for w in told)


def writable(X: Any) -> Any:
    """X in arrays flagged writable, for compiled code that only reads but does not declare it.

    A view where the memory allows it, else a copy. That nothing is written is checked from outside:
    by the digest of the problem, before and after.
    """
    sparse: bool = sp.issparse(X)
    if sparse:
        parts = writable(X.data), writable(X.indices), writable(X.indptr)
        return type(X)(parts, shape=X.shape)
    view = X.view()
    try:
        view.flags.writeable = True
    except ValueError:
        return X.copy(order="K")
    return view


@dataclass(frozen=True)
class Centred:
    """Data of a library that fits no intercept, or none on a sparse X.

    Attributes
    ----------
    X : (n, p)
        Column-major; centred if it is dense and there is an intercept (then a copy).
    y : (n,)
        A copy, centred if there is an intercept.
    means : (p,) array or None
        Weighted column means of the X passed; None without intercept.
    y_mean : float
    """

    X: Any
    y: NDArray[np.float64]
    means: NDArray[np.float64] | None
    y_mean: float

    def intercepts(self, coefs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Intercepts (k,) that belong to the rows of coefs (k, p); zeros without one."""
        return np.zeros(len(coefs)) if self.means is None else self.y_mean - coefs @ self.means


def centred(problem: Problem) -> Centred:
    """Take the intercept out of a problem by its weighted means; a sparse X stays as it is."""
    X = column_major(problem.X)
    if not problem.intercept:
        return Centred(X, problem.y.copy(), None, 0.0)
    s, S = problem.s, problem.S
    means, y_mean = np.asarray(X.T @ s) / S, float(s @ problem.y) / S
    if not problem.is_sparse:
        if X is problem.X:
            X = X - means
        else:
            X -= means
    return Centred(X, problem.y - y_mean, means, y_mean)


def falling(problem: Problem, l1s: Sequence[float]) -> NDArray[np.float64]:
    """l1s from the largest down, for a library's path function.

    Raises
    ------
    SolverRefused
        If l2 > 0: their paths keep the ratio of l1 to l2, ours keeps l2.
    """
    if problem.l2 > 0:
        raise SolverRefused("its path keeps the ratio of l1 to l2, not l2")
    return np.sort(np.asarray(l1s, dtype=np.float64))[::-1]


def relative(problem: Problem, gap: Any) -> NDArray[np.float64]:
    """Gaps of (P) over N (every column penalised); 0 where y is 0."""
    N = null_loss(problem.y, problem.intercept, problem.sample_weight)
    return np.asarray(gap, dtype=np.float64) / N if N > 0 else np.zeros(np.shape(gap))


def too_wide(problem: Problem, sparse_ok: bool = False) -> None:
    """Refuse a configuration that forms a p x p matrix where that is not sensible.

    Raises
    ------
    SolverRefused
        If X has more than 10,000 columns (0.8 GB), or is sparse unless ``sparse_ok``.
    """
    if problem.p > 10_000 or (problem.is_sparse and not sparse_ok):
        raise SolverRefused("this configuration forms a p x p matrix: p <= 10000, X dense")


def along(
    coefs: NDArray[np.float64],
    intercepts: Any,
    done: Any,
    n_iter: Any = 0,
    claims: Any = None,
    message: str = "",
) -> list[Solution]:
    """One Solution for each row of coefs (k, p); the rest has k entries, or is one for all."""
    rows = np.ascontiguousarray(coefs, dtype=np.float64)
    k = len(rows)
    b, ok, steps = (np.broadcast_to(a, k) for a in (intercepts, done, n_iter))
    claimed = [None] * k if claims is None else np.broadcast_to(claims, k).tolist()
    status = [Status.CONVERGED if each else Status.MAX_ITER for each in ok]
    return [Solution(rows[i], float(b[i]), status[i], int(steps[i]), claimed[i], message) for i in range(k)]


def fitted(model: Any, problem: Problem, X: Any = None, **how: Any) -> Solution:
    """Fit an estimator (``fit``, ``coef_``, ``intercept_``); MAX_ITER if it warns, no claim.

    Parameters
    ----------
    model : object
    problem : Problem
    X : (n, p), optional
        Default: the problem's own.
    **how
        Further keywords of ``fit``.
    """
    if problem.sample_weight is not None:
        how["sample_weight"] = problem.sample_weight
    _, message = heard(lambda: model.fit(problem.X if X is None else X, problem.y, **how))
    n_iter = getattr(model, "n_iter_", None)
    steps = 0 if n_iter is None else int(np.max(n_iter))
    b = float(np.asarray(model.intercept_).item())
    return along(np.atleast_2d(model.coef_), b, not message, steps, None, message)[0]


def last(fits: Fits) -> Callable[[], Solution]:
    """Run of a path of which only the last point is wanted."""
    return lambda: fits()[-1]


def descent(problem: Problem, points: int) -> NDArray[np.float64]:
    """Multiples of the penalty that lead by ``points`` warm starts from below l1_max down to 1 (the last).

    l1_max itself is left out: the answer there is 0, and a library was seen never to return from it.
    """
    if points == 1 or problem.l1 == 0:
        return np.ones(1)
    return np.geomspace(max(problem.l1_max() / problem.l1, 1.0), 1.0, points + 1)[1:]


def largest_curvature(problem: Problem) -> float:
    """Largest ||x_j||_s^2 / S, columns as they are; 1 if X is 0."""
    sparse: bool = problem.is_sparse
    squares = problem.X.multiply(problem.X).T @ problem.s if sparse else problem.s @ np.square(problem.X)
    return float(np.max(squares)) / problem.S or 1.0


def has_zero_norm(X: Any) -> bool:
    """Whether the squared norm of some column is 0, as computed; a copy is made of few columns only."""
    sparse: bool = sp.issparse(X)
    likely = X if sparse else X[:, np.square(X[0]) == 0]
    squares = (likely.multiply(likely) if sparse else np.square(likely)).sum(axis=0)
    return bool(np.any(squares == 0))


def has_constant_column(X: Any) -> bool:
    """Whether some column holds one value only, and that not 0."""
    sparse: bool = sp.issparse(X)
    if sparse:
        C = X.tocsc()
        full = np.flatnonzero(np.diff(C.indptr) == C.shape[0])
        return any(np.ptp(C.data[C.indptr[j] : C.indptr[j + 1]]) == 0 != C.data[C.indptr[j]] for j in full)
    likely = np.flatnonzero((X[0] == X[-1]) & (X[0] != 0))
    return bool((X[:, likely] == X[0, likely]).all(axis=0).any())
