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


def column_major(X: Any) -> Any:
    """X as float64, column by column: Fortran order, or CSC with 32-bit indices.

    Returns X itself, read-only as it is, where nothing has to change, so ``out is X`` tells whether
    the arrays are the problem's own.

    Raises
    ------
    ValueError
        If a sparse X has more entries than 32-bit indices can count.
    """
    sparse: bool = sp.issparse(X)
    if not sparse:
        return np.asarray(X, dtype=np.float64, order="F")
    if X.nnz > np.iinfo(np.int32).max:
        raise ValueError(f"X has {X.nnz} entries: 32-bit indices do not reach that far")
    if X.format == "csc" and X.dtype == np.float64 and X.indices.dtype == X.indptr.dtype == np.int32:
        return X
    C = X.tocsc()
    parts = C.data.astype(np.float64), C.indices.astype(np.int32), C.indptr.astype(np.int32)
    return sp.csc_array(parts, shape=C.shape)


def heard(call: Callable[[], T], category: type[Warning]) -> tuple[T, str]:
    """Result of a call, and the text of the warnings of one category that it gave ("" if none).

    Other warnings go their usual way. No filter is left behind.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", category)
        result = call()
    mine = [str(w.message) for w in caught if issubclass(w.category, category)]
    for w in caught:
        if not issubclass(w.category, category):
            warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
    return result, "; ".join(mine)


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

    def intercept(self, coef: NDArray[np.float64]) -> float:
        """Intercept that belongs to coef, 0.0 without one."""
        return 0.0 if self.means is None else self.y_mean - float(self.means @ coef)


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


def fitted(model: Any, problem: Problem, trouble: type[Warning], X: Any = None, **how: Any) -> Solution:
    """Fit an estimator (``fit``, ``coef_``, ``intercept_``); MAX_ITER if it warns of ``trouble``, no claim.

    Parameters
    ----------
    model : object
    problem : Problem
    trouble : type
        Category of the warning by which the library says that it did not converge.
    X : (n, p), optional
        Default: the problem's own.
    **how
        Further keywords of ``fit``.
    """
    if problem.sample_weight is not None:
        how["sample_weight"] = problem.sample_weight
    _, message = heard(lambda: model.fit(problem.X if X is None else X, problem.y, **how), trouble)
    coef = np.array(model.coef_, dtype=np.float64).ravel()
    n_iter = getattr(model, "n_iter_", None)
    status = Status.MAX_ITER if message else Status.CONVERGED
    steps = 0 if n_iter is None else int(np.max(n_iter))
    return Solution(coef, float(np.asarray(model.intercept_).item()), status, steps, None, message)


def descent(problem: Problem, points: int) -> NDArray[np.float64]:
    """Multiples of the penalty that lead, by ``points`` warm starts, from l1_max down to 1 (the last)."""
    if points == 1 or problem.l1 == 0:
        return np.ones(1)
    return np.geomspace(max(problem.l1_max() / problem.l1, 1.0), 1.0, points)


def has_constant_column(X: Any) -> bool:
    """Whether some column holds one value only, be it 0."""
    sparse: bool = sp.issparse(X)
    if sparse:
        C = X.tocsc()
        empty = np.diff(C.indptr) == 0
        full = np.flatnonzero(np.diff(C.indptr) == C.shape[0])
        return bool(empty.any()) or any(np.ptp(C.data[C.indptr[j] : C.indptr[j + 1]]) == 0 for j in full)
    likely = np.flatnonzero(X[0] == X[-1])
    return bool((X[:, likely] == X[0, likely]).all(axis=0).any())
