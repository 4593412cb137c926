"""What the adapters to other libraries share: layouts that compiled code takes, and warnings made answers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp

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
