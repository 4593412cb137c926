"""Generated data: seeded by the case's name, the same bits on every machine.

A new case changes no old one, for each draws from ``default_rng(crc32(name))``. Data are rounded to
multiples of 2^-20 (``grid``), and everything after the draw uses elementwise operations in a fixed
order or ``math.fsum``, never BLAS: so neither a BLAS, nor a numpy release, nor the number of threads
changes a bit. Where 2^-20 would destroy what the case is about, its docstring says what stands instead.
"""

from __future__ import annotations

import math
from typing import Any
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from . import Data, case

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

HERE = "generated here"
LINEAR = "sparse linear model plus noise"


def rng_for(name: str) -> np.random.Generator:
    """Return the generator of random numbers that belongs to a name."""
    return np.random.default_rng(crc32(name.encode()))


def grid(a: Matrix, bits: int = 20) -> Matrix:
    """Round to the nearest multiple of 2^-bits, keeping the memory order."""
    return np.rint(a * 2.0**bits) * 2.0**-bits


def toeplitz(rng: np.random.Generator, n: int, p: int, rho: float) -> Matrix:
    """Draw an (n, p) column-major matrix whose columns j, k correlate rho^|j - k|, each of variance 1.

    An AR(1) recurrence along the columns, x_j = rho x_{j-1} + sqrt(1 - rho^2) e_j: O(n p), where the
    Cholesky factor of the covariance would cost O(p^3) and depend on LAPACK.
    """
    X = np.asfortranarray(rng.standard_normal((p, n)).T)  # drawn column by column
    fresh = math.sqrt(1.0 - rho * rho)
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + fresh * X[:, j]
    return grid(X)


def linear_response(rng: np.random.Generator, X: Any, support: int, snr: float = 4.0) -> Vector:
    """Return y = Xw + noise, rounded; w has ``support`` nonzeros, spread evenly, of alternating sign.

    Parameters
    ----------
    X : (n, p) array or csc_array
    snr : float
        Ratio of the norms of Xw and of the noise.
    """
    n, p = X.shape
    z = np.zeros(n)
    for k, j in enumerate(np.linspace(0, p - 1, support).astype(int)):
        column = X[:, j] if isinstance(X, np.ndarray) else X[:, [j]].toarray()[:, 0]
        z += (-1.0) ** k * (1.0 + k % 4) * column  # a loop, for X @ w is summed in BLAS's order
    noise = grid(rng.standard_normal(n))
    level = math.sqrt(math.fsum((z * z).tolist()) / math.fsum((noise * noise).tolist())) / snr
    y: Vector = z + level * noise
    return grid(y)


def powerlaw(rng: np.random.Generator, n: int, p: int, top: float, exponent: float) -> sp.csc_array:
    """Draw an (n, p) sparse matrix whose k-th densest column holds about n top k^-exponent entries.

    Columns are shuffled, entries multiples of 2^-20 in (0, 1]; no column is empty.
    """
    ranks = np.arange(1, p + 1, dtype=np.float64)
    counts = np.maximum(1, np.rint(n * top * ranks**-exponent)).astype(np.int64)
    columns = np.repeat(rng.permutation(p), counts)
    rows = rng.integers(0, n, size=columns.size)
    cells = np.unique(columns * n + rows)  # a cell drawn twice counts once; sorted, hence canonical CSC
    columns, indices = np.divmod(cells, n)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=p))])
    values = rng.integers(1, 2**20 + 1, size=cells.size) * 2.0**-20
    return sp.csc_array((values, indices.astype(np.int32), indptr.astype(np.int32)), shape=(n, p))


def _toeplitz_case(name: str, n: int, p: int, rho: float, support: int) -> Data:
    rng = rng_for(name)
    X = toeplitz(rng, n, p, rho)
    return Data(X, linear_response(rng, X, support))


@case(regime="wide", shape=(200, 5000), source=HERE, y=LINEAR)
def wide_toeplitz() -> Data:
    """Neighbouring columns correlate 0.5."""
    return _toeplitz_case("wide_toeplitz", 200, 5000, 0.5, support=20)


@case(regime="tall", shape=(5000, 200), source=HERE, y=LINEAR)
def tall_toeplitz() -> Data:
    """Neighbouring columns correlate 0.9."""
    return _toeplitz_case("tall_toeplitz", 5000, 200, 0.9, support=40)


@case(regime="sparse", shape=(2000, 20000), source=HERE, y=LINEAR)
def sparse_powerlaw() -> Data:
    """Column densities follow a power law, as words do."""
    rng = rng_for("sparse_powerlaw")
    X = powerlaw(rng, 2000, 20000, top=0.5, exponent=0.5)
    return Data(X, linear_response(rng, X, 200))


@case(regime="wide", shape=(60, 700), source=HERE, y="one component's amount plus noise")
def spectra() -> Data:
    """Spectra: smooth curves, neighbouring columns correlate more than 0.9999."""
    rng = rng_for("spectra")
    n, p, components = 60, 700, 12
    amounts = grid(rng.uniform(0.0, 1.0, (components, n)))
    centres = grid(rng.uniform(0.0, p, components))
    widths = grid(rng.uniform(60.0, 160.0, components))
    position = np.arange(p, dtype=np.float64)
    X = np.zeros((n, p), order="F")
    for amount, centre, width in zip(amounts, centres, widths, strict=True):
        X += np.outer(amount, 1.0 / (1.0 + ((position - centre) / width) ** 2))  # Lorentzian: no exp, no libm
    return Data(grid(X), grid(amounts[0] + 0.02 * rng.standard_normal(n)))


@case(regime="small", shape=(100, 30), source=HERE, y=LINEAR + ", shifted by 1e8")
def huge_offset() -> Data:
    """Huge offset: with an intercept the answer is that of y unshifted; textbook gaps break."""
    rng = rng_for("huge_offset")
    X = toeplitz(rng, 100, 30, 0.5)
    return Data(X, linear_response(rng, X, 6) + 1e8)  # exact: 2^-20 to 1e8 is 47 bits


@case(regime="small", shape=(100, 30), source=HERE, y="3 plus whole multiples of 2^-40")
def nearly_constant_y() -> Data:
    """Nearly constant y: varies by 1e-10 of itself, which an intercept must not lose."""
    rng = rng_for("nearly_constant_y")
    X = toeplitz(rng, 100, 30, 0.5)
    return Data(X, 3.0 + np.rint(linear_response(rng, X, 6) * 64) * 2.0**-40)


@case(regime="small", shape=(40, 90), source=HERE, y=LINEAR)
def small_wide() -> Data:
    """Small and wide: carries every combination of options of (P)."""
    return _toeplitz_case("small_wide", 40, 90, 0.5, support=5)


@case(regime="small", shape=(90, 15), source=HERE, y=LINEAR)
def small_tall() -> Data:
    """Small and tall, in row-major order: carries every combination of options of (P)."""
    rng = rng_for("small_tall")
    X = toeplitz(rng, 90, 15, 0.5)
    return Data(np.ascontiguousarray(X), linear_response(rng, X, 5))


@case(regime="small", shape=(60, 80), source=HERE, y=LINEAR)
def small_sparse() -> Data:
    """Small and sparse: carries every combination of options of (P)."""
    rng = rng_for("small_sparse")
    X = powerlaw(rng, 60, 80, top=0.6, exponent=0.5)
    return Data(X, linear_response(rng, X, 8))


@case(regime="wide", shape=(200, 10000), source=HERE, y=LINEAR, tags=("full",))
def wide_large() -> Data:
    """Neighbouring columns correlate 0.5."""
    return _toeplitz_case("wide_large", 200, 10000, 0.5, support=20)


@case(regime="wide", shape=(1000, 5000), source=HERE, y=LINEAR, tags=("full",))
def square_large() -> Data:
    """Neighbouring columns correlate 0.5."""
    return _toeplitz_case("square_large", 1000, 5000, 0.5, support=100)


@case(regime="tall", shape=(20000, 200), source=HERE, y=LINEAR, tags=("full",))
def tall_large() -> Data:
    """Neighbouring columns correlate 0.9."""
    return _toeplitz_case("tall_large", 20000, 200, 0.9, support=40)


@case(regime="tall", shape=(5000, 1000), source=HERE, y=LINEAR, tags=("full",))
def tall_correlated() -> Data:
    """Neighbouring columns correlate 0.9."""
    return _toeplitz_case("tall_correlated", 5000, 1000, 0.9, support=100)


@case(regime="sparse", shape=(10000, 50000), source=HERE, y=LINEAR, tags=("full",))
def sparse_large() -> Data:
    """Column densities follow a power law, as words do."""
    rng = rng_for("sparse_large")
    X = powerlaw(rng, 10000, 50000, top=0.5, exponent=0.5)
    return Data(X, linear_response(rng, X, 500))


def conditioned(name: str, condition: float, n: int = 120, p: int = 40) -> Data:
    """Return data whose singular values fall geometrically from 1 to 1/condition.

    X = U diag(sigma) V', with U and V products of four Householder reflections each. Rounding to 2^-20
    would lift every singular value below about 1e-5, so only the reflecting vectors are rounded; their
    dot products are taken with ``math.fsum`` and the rest is elementwise, which reproduces every bit.
    Entries carry errors of about 1e-16, so the smallest singular values are as given to about 1e-16
    absolute: at 1e16 the condition number is "about 1e16", no more.
    """
    rng = rng_for(name)
    X = np.zeros((n, p), order="F")
    for j in range(p):
        # Binary exponents and a linear mantissa: a power would bring in the C library's last bit.
        X[j, j] = _exp2(-math.log2(condition) * j / (p - 1))
    for _ in range(4):
        X = _reflected(grid(rng.standard_normal(n)), X)
        X = np.asfortranarray(_reflected(grid(rng.standard_normal(p)), X.T).T)
    return Data(X, linear_response(rng, X, 8))


def _exp2(t: float) -> float:
    """2^t to 20 bits: exact powers of two times a mantissa rounded to multiples of 2^-20."""
    whole = math.floor(t)
    return math.ldexp(round(2.0 ** (t - whole) * 2**20) / 2**20, whole)


def _reflected(h: Vector, A: Matrix) -> Matrix:
    """Return (I - 2 h h'/h'h) A."""
    scale = 2.0 / math.fsum((h * h).tolist())
    out = A.copy()
    for j in range(A.shape[1]):
        out[:, j] -= scale * math.fsum((h * A[:, j]).tolist()) * h
    return out


@case(regime="small", shape=(120, 40), source=HERE, y=LINEAR)
def cond_1e00() -> Data:
    """Condition number 1: orthogonal columns."""
    return conditioned("cond_1e00", 1e0)


@case(regime="small", shape=(120, 40), source=HERE, y=LINEAR)
def cond_1e04() -> Data:
    """Condition number 1e4."""
    return conditioned("cond_1e04", 1e4)


@case(regime="small", shape=(120, 40), source=HERE, y=LINEAR)
def cond_1e08() -> Data:
    """Condition number 1e8."""
    return conditioned("cond_1e08", 1e8)


@case(regime="small", shape=(120, 40), source=HERE, y=LINEAR)
def cond_1e12() -> Data:
    """Condition number 1e12."""
    return conditioned("cond_1e12", 1e12)


@case(regime="small", shape=(120, 40), source=HERE, y=LINEAR)
def cond_1e16() -> Data:
    """Condition number about 1e16: singular to working precision."""
    return conditioned("cond_1e16", 1e16)
