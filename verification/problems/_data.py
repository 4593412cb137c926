"""What a case yields: X and y, read-only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Data:
    """What a case yields; frozen by ``Case.load``.

    Parameters
    ----------
    X : (n, p) float64 ndarray, column-major unless documented, or canonical csc_array
    y : (n,) float64 array
    """

    X: Any
    y: NDArray[np.float64]

    @property
    def is_sparse(self) -> bool:
        """Whether X is a scipy sparse array."""
        return bool(sp.issparse(self.X))

    @property
    def layout(self) -> str:
        """Memory layout of X: "F" (column-major), "C" (row-major), "csc" or "csr"."""
        if self.is_sparse:
            return str(self.X.format)
        return "F" if self.X.flags.f_contiguous else "C"

    @property
    def nnz(self) -> int:
        """Number of stored entries: n p if dense."""
        return int(self.X.nnz if self.is_sparse else self.X.size)

    @property
    def nbytes(self) -> int:
        """Bytes that X and y take."""
        return sum(part.nbytes for part in self._parts())

    def _parts(self) -> tuple[NDArray[Any], ...]:
        X = self.X
        return (X.data, X.indices, X.indptr, self.y) if self.is_sparse else (X, self.y)

    def frozen(self) -> Data:
        """Make every array read-only, in place, and return self."""
        if self.is_sparse and not self.X.has_canonical_format:  # asked while scipy can still note the answer
            raise ValueError("X is not canonical: sort its indices and sum its duplicates")
        for part in self._parts():
            part.flags.writeable = False
        return self
