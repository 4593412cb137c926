"""The columns of a working set side by side, for products of matrices, while memory allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._crossproduct import Crossproduct, chosen, compiled
from .problem import Vector

if TYPE_CHECKING:
    from ._columns import Columns

Index = NDArray[np.intp]

SHARE = 4  # of X's memory one part in so many may be taken by a Gram matrix, its factor and its columns,
LEAST = 8e6  # or so many bytes, where a Gram matrix leaves that
ENTERING = 0.25  # of that, what columns that enter may take
WIDTH = 32, 256  # of those, so many together: enough for the BLAS, and no more than it needs


class Gathered:
    """Columns of W, copied from X; all of them or none.

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
    A : (n, >= kept) array
        The columns at places before `kept`.
    rows : int
        Columns that enter that are to be taken together.
    """

    def __init__(self, columns: Columns, most: int, dtype: Any) -> None:
        self.columns = columns
        self.bytes = max(columns.bytes / SHARE, LEAST)
        self.column_bytes = columns.form.z.size * np.dtype(dtype).itemsize
        fit = self.room(most, 0.0)
        self.A = np.empty((columns.form.z.size, fit), dtype, order="F")  # what is never touched costs nothing
        self.kept = 0
        low, high = WIDTH
        self.rows = int(min(max(ENTERING * self.bytes / self.column_bytes, low), high))

    def room(self, most: int, others: float) -> int:
        """How many of so many columns may be kept where others take so many bytes."""
        return min(most, int(max((1 - ENTERING) * self.bytes - others, 0.0) / self.column_bytes))

    def enter(self, W: Index, places: Index, old: int, others: float) -> bool:
        """Take in columns of W at these places; there were `old` before, and others have so many bytes.

        Returns whether all of W is kept; if memory does not allow it, none is from here on.
        """
        if self.kept == old and self.room(min(W.size, self.A.shape[1]), others) == W.size:
            self.kept = W.size
            self.columns.gather_into(self.A, W[places], places)
            return True
        if self.kept:
            self.kept, self.A = 0, np.empty((self.A.shape[0], 0), self.A.dtype, order="F")
        return False

    def products(self, places: Index | None) -> Vector:
        """Return those of the columns at these places (None: of all), which rise, with all: (*, kept)."""
        A = self.A[:, : self.kept]
        if not compiled(A.shape[0], places is None):
            return (A if places is None else chosen(A, places)).T @ A
        every = np.arange(self.kept)
        a, b = (every, None) if places is None else (places, every)
        block = Crossproduct(a, b, A.shape[0], A.dtype)
        block.add(A)
        return block.sum
