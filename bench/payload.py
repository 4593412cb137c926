"""A problem on its way to a worker: arrays in a scratch .npz, everything else in the request. No pickle."""

from __future__ import annotations

import os
from typing import Any
from zlib import crc32

import numpy as np
import scipy.sparse as sp

from solvers import Problem

__all__ = ["Seal", "load", "nbytes", "parameters", "problem_of", "save"]

COPIED = 32_000_000  # bytes of a problem's arrays that a worker holds twice, so that a change is seen at once
_VECTORS = ("y", "sample_weight", "penalty_weights")


def save(path: str | os.PathLike[str], problem: Problem) -> None:
    """Write the arrays of a problem, X in its own dtype and memory order.

    Parameters
    ----------
    path : path-like
        A .npz file.
    problem : Problem
        The penalties and the flags are not written: see :func:`parameters`.
    """
    arrays: dict[str, Any] = {}
    if problem.is_sparse:
        X = problem.X
        arrays.update(data=X.data, indices=X.indices, indptr=X.indptr, shape=np.array(X.shape))
        arrays["format"] = np.array(X.format)
    else:
        arrays["X"] = problem.X  # .npy keeps Fortran order
    for name in _VECTORS:
        vector = getattr(problem, name)
        if vector is not None:
            arrays[name] = vector
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what :func:`save` wrote, as keyword arguments of Problem."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    if "X" not in arrays:
        make = sp.csc_array if str(arrays.pop("format")) == "csc" else sp.csr_array
        n, p = (int(k) for k in arrays.pop("shape"))
        arrays["X"] = make((arrays.pop("data"), arrays.pop("indices"), arrays.pop("indptr")), shape=(n, p))
    return arrays


def nbytes(arrays: dict[str, Any]) -> int:
    """Return the bytes that loaded arrays take."""
    total = 0
    for array in arrays.values():
        parts = (
            [getattr(array, name) for name in ("data", "indices", "indptr")]
            if sp.issparse(array)
            else [array]
        )
        total += sum(part.nbytes for part in parts)
    return total


class Seal:
    """Tells whether something was written into the arrays of a problem.

    Parameters
    ----------
    problem : Problem
        As it is now; other problems of the same arrays can be checked too.

    Notes
    -----
    Arrays of up to COPIED bytes are compared with a copy: that is exact, and takes a third of the time.
    Of larger ones the CRC-32 is kept: a change that it misses has one chance in four thousand million.
    """

    def __init__(self, problem: Problem) -> None:
        memory = _memory(problem)
        copied = sum(part.nbytes for part in memory) <= COPIED
        self._kept: list[bytearray] | int = [bytearray(part) for part in memory] if copied else _crc(memory)

    def broken(self, problem: Problem) -> bool:
        """Whether the arrays differ from what they were."""
        memory = _memory(problem)
        if isinstance(self._kept, int):
            return self._kept != _crc(memory)
        return self._kept != memory  # list by list, bytes by bytes


def _memory(problem: Problem) -> list[memoryview]:
    """The bytes of every array."""
    X = problem.X
    arrays = (X.data, X.indices, X.indptr) if problem.is_sparse else (X.T if problem.layout == "F" else X,)
    vectors = (getattr(problem, name) for name in _VECTORS)
    present = (array for array in (*arrays, *vectors) if array is not None)
    return [np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for array in present]


def _crc(memory: list[memoryview]) -> int:
    total = 0
    for part in memory:
        total = crc32(part, total)
    return total


def parameters(problem: Problem) -> dict[str, Any]:
    """Return the scalars of a problem; a float survives JSON exactly."""
    return {name: getattr(problem, name) for name in ("l1", "l2", "intercept", "positive", "name")}


def problem_of(arrays: dict[str, Any], scalars: dict[str, Any]) -> Problem:
    """Put :func:`load` and :func:`parameters` together again."""
    return Problem(**arrays, **scalars)
