"""The columns of a working set side by side, for products of matrices: as many as memory allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .problem import Vector

if TYPE_CHECKING:
    from ._columns import Columns

Index = NDArray[np.intp]

SHARE = 4  # of X's memory one part in so many may be taken by a Gram matrix, its factor and its columns,
LEAST = 8e6  # or so many bytes, where a Gram matrix leaves that
ENTERING, BLOCK = 0.25, 0.0625  # of that, what columns that enter may take, and a block of others
WIDTH = 32, 256  # columns of a block: enough for the BLAS, and no more than it needs


class Gathered:
    """Columns of W, the first of them kept and the others copied from X whenever they are needed.

    Parameters
    ----------
    columns : Columns
        Of a dense X.
    most : int
        Columns that W may come to have.
    dtype : dtype
        float64; or float32, each column then multiplied by its ``scale``.

    Attributes
    ----------
    kept : int
        Columns at places before this one lie side by side in memory.
    """

    def __init__(self, columns: Columns, most: int, dtype: Any) -> None:
        self.columns = columns
        self.bytes = max(columns.bytes / SHARE, LEAST)
        self.column_bytes = columns.form.z.size * np.dtype(dtype).itemsize
        fit = self.room(most, 0.0)
        self.A = np.empty((columns.form.z.size, fit), dtype, order="F")  # what is never touched costs nothing
        self.kept = 0
        low, high = WIDTH
        self.rows, self.width = (
            int(min(max(share * self.bytes / self.column_bytes, low), high)) for share in (ENTERING, BLOCK)
        )

    def room(self, most: int, others: float) -> int:
        """How many of so many columns may be kept where others take so many bytes."""
        return min(most, int(max((1 - ENTERING - BLOCK) * self.bytes - others, 0.0) / self.column_bytes))

    def enter(self, W: Index, places: Index, old: int, others: float) -> None:
        """Take in columns of W at these places; there were `old` before, and others have so many bytes."""
        if self.kept == old:
            self.kept = max(old, self.room(min(W.size, self.A.shape[1]), others))
        places = places[places < self.kept]
        self.columns.gather_into(self.A, W[places], places)

    def some(self, W: Index, places: Index) -> Vector:
        """Return the columns at these places, rising: (n, *), column-major."""
        lo, hi = int(places[0]), int(places[-1]) + 1
        if hi <= self.kept:
            return self.A[:, lo:hi] if hi - lo == places.size else self.A[:, places]
        A = np.empty((self.A.shape[0], places.size), self.A.dtype, order="F")
        self.columns.gather_into(A, W[places], np.arange(places.size))
        return A

    def blocks(self, W: Index) -> Iterator[tuple[slice, Vector]]:
        """Yield places and their columns, until all of W have come."""
        if self.kept:
            yield slice(0, self.kept), self.A[:, : self.kept]
        for lo in range(self.kept, W.size, self.width):
            hi = min(lo + self.width, W.size)
            yield slice(lo, hi), self.some(W, np.arange(lo, hi))
