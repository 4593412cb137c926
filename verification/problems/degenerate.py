"""Legal but awkward data, all tiny: a solver handles them or refuses aloud, and is never silently wrong.

They differ from a plain 20 x 8 case in one thing each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import Data, case
from .generated import HERE, LINEAR, linear_response, rng_for, toeplitz

HUGE = 2.0**498  # about 1e150: the square is still a float64
TINY = 2.0**-498


def _plain(name: str, n: int = 20, p: int = 8) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """An unremarkable X (n, p), column-major, and y (n,), to be spoilt."""
    rng = rng_for(name)
    X = toeplitz(rng, n, p, 0.5)
    return X, linear_response(rng, X, min(3, p))


@case(regime="small", shape=(20, 8), source=HERE, y=LINEAR)
def zero_column() -> Data:
    """One column is zero."""
    X, y = _plain("zero_column")
    X[:, 2] = 0.0
    return Data(X, y)


@case(regime="small", shape=(20, 8), source=HERE, y="zero")
def zero_x() -> Data:
    """Every column is zero, and so is y."""
    return Data(np.zeros((20, 8), order="F"), np.zeros(20))


@case(regime="small", shape=(20, 8), source=HERE, y=LINEAR)
def constant_columns() -> Data:
    """Two columns are constant: zero once centred, but 0.1 has no exact mean."""
    X, y = _plain("constant_columns")
    X[:, 1] = 1.0
    X[:, 4] = 0.1
    return Data(X, y)


@case(regime="small", shape=(20, 8), source=HERE, y=LINEAR)
def duplicate_columns() -> Data:
    """Two pairs of equal columns, and one pair of opposite sign: the minimiser is not unique."""
    X, y = _plain("duplicate_columns")
    X[:, 3], X[:, 5], X[:, 7] = X[:, 0], X[:, 1], -X[:, 2]
    return Data(X, y)


@case(regime="small", shape=(20, 8), source=HERE, y="the constant 0.7")
def constant_y() -> Data:
    """The response is constant: with an intercept w = 0 is optimal at every l1."""
    X, y = _plain("constant_y")
    return Data(X, np.full_like(y, 0.7))


@case(regime="small", shape=(20, 8), source=HERE, y="zero")
def zero_y() -> Data:
    """The response is zero: the problem has no scale of its own."""
    X, y = _plain("zero_y")
    return Data(X, np.zeros_like(y))


@case(regime="small", shape=(1, 8), source=HERE, y="one value")
def one_row() -> Data:
    """One row, n = 1: with an intercept there is nothing left to fit."""
    return Data(*_plain("one_row", n=1))


@case(regime="small", shape=(20, 1), source=HERE, y=LINEAR)
def one_column() -> Data:
    """One column, p = 1: the answer is a formula."""
    return Data(*_plain("one_column", p=1))


@case(regime="small", shape=(1, 1), source=HERE, y="one value")
def one_cell() -> Data:
    """One number, n = p = 1."""
    return Data(np.full((1, 1), 2.0), np.array([3.0]))


@case(regime="small", shape=(8, 200), source=HERE, y="whole numbers")
def ties() -> Data:
    """Ties: p >> n with entries +-1: many columns are equal, opposite, or tie for entry."""
    rng = rng_for("ties")
    X = np.asfortranarray(rng.integers(0, 2, (8, 200)) * 2.0 - 1.0)
    return Data(X, rng.integers(-3, 4, 8).astype(np.float64))


@case(regime="small", shape=(20, 8), source=HERE, y=LINEAR)
def huge_column() -> Data:
    """One column is 2^40 times larger than the others, one as much smaller."""
    X, y = _plain("huge_column")
    X[:, 3] *= 2.0**40
    X[:, 6] *= 2.0**-40
    return Data(X, y)


@case(regime="small", shape=(20, 8), source=HERE, y=LINEAR)
def offset_columns() -> Data:
    """Columns far from zero (1e6) that vary by 1: centring loses digits, not centring loses more."""
    X, y = _plain("offset_columns")
    return Data(np.asfortranarray(X + 1e6), y)


@case(regime="small", shape=(20, 8), source=HERE, y=LINEAR + ", times 1e150")
def huge_scale() -> Data:
    """X and y times about 1e150: squares stay below the largest float64, fourth powers do not."""
    X, y = _plain("huge_scale")
    return Data(X * HUGE, y * HUGE)


@case(regime="small", shape=(20, 8), source=HERE, y=LINEAR + ", times 1e-150")
def tiny_scale() -> Data:
    """X and y times about 1e-150: squares stay above the smallest float64, fourth powers do not."""
    X, y = _plain("tiny_scale")
    return Data(X * TINY, y * TINY)


@case(regime="small", shape=(20, 8), source=HERE, y=LINEAR + ", times 1e150")
def mixed_scale() -> Data:
    """X times about 1e-150, y times 1e150: w is about 1e300."""
    X, y = _plain("mixed_scale")
    return Data(X * TINY, y * HUGE)
