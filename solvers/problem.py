"""The problem (P), validated once and frozen; docs/maths.md (P) states it."""

from __future__ import annotations

import hashlib
from copy import copy
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Vector = NDArray[np.float64]

# Squares of the data, and sums of 1e4 of them, must stay inside float64 (1e-308 .. 1e308).
LARGEST = 1e152
SMALLEST = 1e-152
# Columns, or a response, beyond these magnitudes are "extreme": solvers scale them by powers of two.
TINY, HUGE = 2.0**-200, 2.0**200


class ProblemError(ValueError):
    """The input is not a problem (P); the message says what, where, and what to do."""


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """One L1/L2-regularised least-squares problem, docs/maths.md (P).

    Parameters
    ----------
    X : (n, p) float64 or float32 ndarray in either memory order, or scipy sparse
        Kept in its own dtype and layout (integers become float64, sparse formats other than CSR
        become CSC, non-canonical sparse input is copied to canonical form). Held as a read-only view.
    y : (n,) array
        Response, held as float64.
    l1, l2 : float
        Absolute penalties, >= 0: lasso has l2 = 0, ridge l1 = 0, least squares neither.
    intercept : bool
        Whether b is free; it is never penalised. Without it b = 0.
    sample_weight : (n,) array, optional
        s >= 0, not all zero; integer weights equal repeated rows. Default 1.
    penalty_weights : (p,) array, optional
        v in [0, inf]: 0 = not penalised at all, inf = w_j fixed at 0. Default 1.
    positive : bool
        Whether w >= 0 is required.
    name : str
        A label; not part of the digest.

    Raises
    ------
    ProblemError
        If anything above is violated, or the data cannot be squared in float64.
    """

    X: Any
    y: Vector
    l1: float = 0.0
    l2: float = 0.0
    intercept: bool = False
    sample_weight: Vector | None = None
    penalty_weights: Vector | None = None
    positive: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        X = _sparse(self.X) if sp.issparse(self.X) else _dense(self.X)
        n, p = X.shape
        set_ = object.__setattr__
        set_(self, "X", X)
        set_(self, "y", _vector(self.y, n, "y", "one value for each row of X"))
        set_(self, "l1", _penalty(self.l1, "l1"))
        set_(self, "l2", _penalty(self.l2, "l2"))
        for flag in ("intercept", "positive"):
            if not isinstance(getattr(self, flag), bool | np.bool_):
                raise ProblemError(f"{flag} is {getattr(self, flag)!r}: pass True or False")
            set_(self, flag, bool(getattr(self, flag)))
        set_(self, "name", str(self.name))
        if self.sample_weight is not None:
            s = _vector(self.sample_weight, n, "sample_weight", "one weight for each row of X", low=0.0)
            if not s.any():
                raise ProblemError("sample_weight is zero everywhere: at least one row must count")
            set_(self, "sample_weight", s)
        if self.penalty_weights is not None:
            what = "one weight for each column of X"
            v = _vector(self.penalty_weights, p, "penalty_weights", what, low=0.0, inf_ok=True)
            set_(self, "penalty_weights", v)
        extreme = [_check_range(self.y[:, None], "y"), _check_range(X, "X")]
        set_(self, "_extreme", any(extreme))

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])

    @property
    def p(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])

    @property
    def is_sparse(self) -> bool:
        """Whether X is a scipy sparse array (CSC or CSR)."""
        return bool(sp.issparse(self.X))

    @property
    def s(self) -> Vector:
        """Sample weights, (n,), >= 0; ones by default."""
        return np.ones(self.n) if self.sample_weight is None else self.sample_weight

    @property
    def S(self) -> float:  # noqa: N802 - the name in (P)
        """Sum of the sample weights, > 0."""
        return float(self.n) if self.sample_weight is None else float(self.sample_weight.sum())

    @property
    def v(self) -> Vector:
        """Penalty weights, (p,), in [0, inf]; ones by default."""
        return np.ones(self.p) if self.penalty_weights is None else self.penalty_weights

    @property
    def is_penalised(self) -> bool:
        """Whether any column has a finite penalty weight above 0."""
        v = self.penalty_weights
        return v is None or bool(np.any((v > 0) & np.isfinite(v)))

    @property
    def layout(self) -> str:
        """Memory layout of X: "F" (column-major), "C" (row-major), "csc" or "csr"."""
        if self.is_sparse:
            return str(self.X.format)
        return "F" if self.X.flags.f_contiguous else "C"

    @property
    def is_extreme(self) -> bool:
        """Whether y or a column of X has its largest magnitude outside 2^-200 .. 2^200."""
        return bool(self._extreme)  # type: ignore[attr-defined]

    @property
    def digest(self) -> str:
        """sha256 (hex) of everything but the name. Computed anew each time, so that a change shows."""
        h = hashlib.sha256()
        h.update(f"{self.layout} {self.X.dtype} {self.X.shape} {self.l1!r} {self.l2!r} ".encode())
        h.update(f"{self.intercept} {self.positive}".encode())
        parts = (self.X.data, self.X.indices, self.X.indptr) if self.is_sparse else (_raw(self.X),)
        for part in (*parts, self.y, self.sample_weight, self.penalty_weights):
            h.update(b"|" if part is None else np.ascontiguousarray(part).view(np.uint8).data)
        return h.hexdigest()

    def replace(self, **changes: Any) -> Problem:
        """Return a copy with some fields changed; X and y are shared, and for new penalties not checked."""
        if changes.keys() <= {"l1", "l2", "name"}:
            other = copy(self)
            for name, value in changes.items():
                object.__setattr__(other, name, str(value) if name == "name" else _penalty(value, name))
            return other
        return Problem(**({f.name: getattr(self, f.name) for f in fields(self)} | changes))

    def objective(self, coef: Vector, intercept: float = 0.0) -> float:
        """Value of (P) at (coef, intercept); inf where a constraint is broken.

        Parameters
        ----------
        coef : (p,) array
        intercept : float
        """
        w = np.asarray(coef, dtype=np.float64)
        v = self.v
        if np.any(w[np.isinf(v)] != 0) or (self.positive and np.any(w < 0)):
            return float("inf")
        c = float(self.y @ self.s / self.S) if self.intercept else 0.0
        r = (self.y - c) - self.X @ w - (intercept - c)
        v = np.where(np.isinf(v), 0.0, v)  # never 0 * inf
        return float(self.s @ (r * r)) / (2 * self.S) + float(v @ (self.l1 * np.abs(w) + self.l2 / 2 * w * w))

    def l1_max(self) -> float:
        """Smallest l1 at which every penalised w_j is 0 (docs/maths.md, L1MAX); 0 if none is penalised.

        Notes
        -----
        The intercept and the unpenalised columns are fitted; with ``positive`` it is the maximum of
        u_j, not of abs(u_j).
        """
        v = self.v
        penalised = (v > 0) & np.isfinite(v)
        if not penalised.any():
            return 0.0
        r: Vector = self.s * _null_residual(self)
        u: Vector = np.asarray(self.X.T @ r, dtype=np.float64)[penalised] / self.S / v[penalised]
        return float(max(0.0, np.max(u) if self.positive else np.max(np.abs(u))))

    def l2_ref(self) -> float:
        """Unit of l2: squared Frobenius norm of X (s-weighted, centred if intercept) over S p."""
        s, S = self.s, self.S
        if self.is_sparse:
            total = float(s @ np.asarray(self.X.multiply(self.X).sum(axis=1), dtype=np.float64).ravel())
            if self.intercept:
                total -= S * float(np.sum((self.X.T @ s / S) ** 2))
        else:
            A = self.X - s @ self.X / S if self.intercept else self.X
            total = float(np.einsum("i,ij,ij->", s, A, A, dtype=np.float64))
        return max(total, 0.0) / (S * self.p)  # rounding can leave a constant column below zero

    def __repr__(self) -> str:
        flags = [f for f in ("intercept", "positive") if getattr(self, f)]
        flags += [f for f in ("sample_weight", "penalty_weights") if getattr(self, f) is not None]
        kind = f"{self.layout} {self.X.dtype}"
        rest = "".join(f", {f}" for f in flags)
        return f"Problem({self.name!r}, {self.n} x {self.p} {kind}, l1={self.l1:.6g}, l2={self.l2:.6g}{rest})"


def _raw(X: NDArray[Any]) -> NDArray[Any]:
    """X's memory as one contiguous block: no copy for either order."""
    return X.T if X.flags.f_contiguous else X


def _null_residual(problem: Problem) -> Vector:
    """Residual of the s-weighted fit by the intercept and the unpenalised columns alone, (n,)."""
    s = problem.s
    root = np.sqrt(s)
    free = np.flatnonzero(problem.v == 0)
    y = problem.y
    r = y.copy()
    if problem.intercept:
        r -= s @ r / problem.S
        r -= s @ r / problem.S  # the mean's own rounding: y may lie far from 0
    if free.size == 0:
        return r
    X = problem.X[:, free]
    A = np.asarray(X.toarray() if problem.is_sparse else X, dtype=np.float64)
    if problem.intercept:
        A = A - s @ A / problem.S
    B = root[:, None] * A
    if problem.positive:
        from scipy.optimize import nnls  # imported here: it would double the time of `import solvers`

        w: Vector = nnls(B, root * r)[0]
    else:
        w = np.asarray(np.linalg.lstsq(B, root * r, rcond=None)[0], dtype=np.float64)
    return np.asarray(r - A @ w)


def _numeric(a: Any, name: str) -> NDArray[Any]:
    """As float32 (kept) or float64; raises on anything that is not real numbers."""
    try:
        a = np.asarray(a)
    except ValueError as error:
        raise ProblemError(f"{name} is not an array of numbers: {error}") from error
    if a.dtype.kind not in "fiub":
        raise ProblemError(f"{name} has dtype {a.dtype}: pass real numbers (float64 or float32)")
    if a.dtype.kind == "f" and a.dtype.itemsize > 8:
        raise ProblemError(f"{name} has dtype {a.dtype}: extended precision is not kept, pass float64")
    keep = a.dtype in (np.float64, np.float32) and a.dtype.isnative
    return a if keep else a.astype(np.float64)


def _vector(
    a: Any, size: int, name: str, what: str, *, low: float | None = None, inf_ok: bool = False
) -> Vector:
    a = _numeric(a, name).astype(np.float64, copy=False)
    if a.shape != (size,):
        hint = "; flatten it with .ravel()" if a.size == size else ""
        raise ProblemError(f"{name} has shape {a.shape}, expected ({size},): {what}{hint}")
    bad = np.isnan(a) if inf_ok else ~np.isfinite(a)
    if bad.any():
        i = int(np.argmax(bad))
        raise ProblemError(f"{name}[{i}] is {a[i]}: remove or impute it")
    if low is not None and (a < low).any():
        i = int(np.argmax(a < low))
        raise ProblemError(f"{name}[{i}] is {a[i]}: it must be at least {low:g}")
    return _locked(np.ascontiguousarray(a))


def _locked(a: NDArray[Any]) -> NDArray[Any]:
    a = a.view()
    a.flags.writeable = False
    return a


def _penalty(value: Any, name: str) -> float:
    try:
        value = float(value)
    except (TypeError, ValueError) as error:
        raise ProblemError(f"{name} is {value!r}: pass a number >= 0") from error
    if not 0 <= value < float("inf"):
        raise ProblemError(f"{name} is {value}: it must be finite and >= 0")
    return value


def _shape(X: Any) -> None:
    if X.ndim != 2:
        raise ProblemError(f"X has {X.ndim} dimension(s), expected 2: (rows, columns)")
    if 0 in X.shape:
        raise ProblemError(f"X has shape {X.shape}: it needs at least one row and one column")


def _dense(X: Any) -> NDArray[Any]:
    X = _numeric(X, "X")
    _shape(X)
    bad = ~np.isfinite(X)
    if bad.any():
        i, j = (int(k) for k in np.unravel_index(np.argmax(bad), X.shape))
        raise ProblemError(f"X[{i}, {j}] is {X[i, j]}: remove or impute it")
    if not (X.flags.f_contiguous or X.flags.c_contiguous):
        X = np.asfortranarray(X)  # a strided slice: one copy, said in the docs
    return _locked(X)


def _sparse(X: Any) -> Any:
    _shape(X)
    X = X if X.format in ("csc", "csr") else X.tocsc()
    make = sp.csc_array if X.format == "csc" else sp.csr_array
    try:
        A = make((_numeric(X.data, "X.data"), X.indices, X.indptr), shape=X.shape)
        A.check_format(full_check=True)
    except ProblemError:
        raise
    except ValueError as error:
        raise ProblemError(f"X is not a valid sparse matrix: {error}") from error
    if not A.has_canonical_format:
        A = A.copy()
        A.sum_duplicates()
    bad = ~np.isfinite(A.data)
    if bad.any():
        k = int(np.argmax(bad))
        major = int(np.searchsorted(A.indptr, k, side="right") - 1)
        i, j = (int(A.indices[k]), major) if A.format == "csc" else (major, int(A.indices[k]))
        raise ProblemError(f"X[{i}, {j}] is {A.data[k]}: remove or impute it")
    A.data, A.indices, A.indptr = _locked(A.data), _locked(A.indices), _locked(A.indptr)
    return A


def column_magnitudes(X: Any) -> Vector:
    """Return the largest magnitude in each column, (p,)."""
    if sp.issparse(X):
        out: Any = X
        return np.asarray(abs(out).max(axis=0).toarray(), dtype=np.float64).ravel()
    return np.maximum(X.max(axis=0), -X.min(axis=0)).astype(np.float64)


def _check_range(X: Any, name: str) -> bool:
    """Refuse what float64 cannot square (better than a silent wrong answer); say whether X is extreme."""
    top: Vector = column_magnitudes(X)
    for bad, word in ((top > LARGEST, "overflows"), ((top < SMALLEST) & (top > 0), "underflows")):
        if bad.any():
            j = int(np.argmax(bad))
            where = f"{name}[:, {j}]" if name == "X" else name
            raise ProblemError(f"{where} reaches {top[j]:.3g} in magnitude; its square {word}: rescale it")
    return bool(np.any((top > HUGE) | ((top < TINY) & (top > 0))))
