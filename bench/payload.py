"""A problem on its way to a worker: arrays in a scratch .npz, everything else in the request. No pickle."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from bench.pages import Pages
from solvers import Problem

__all__ = ["Seal", "load", "nbytes", "parameters", "problem_of", "save"]

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


def load(path: str | os.PathLike[str], guarded: bool = False) -> tuple[dict[str, Any], Pages | None]:
    """Read what :func:`save` wrote, as keyword arguments of Problem.

    Parameters
    ----------
    path : path-like
    guarded : bool
        Into pages that can be read only; they come second.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays: dict[str, Any] = {name: file[name] for name in file.files}
    sparse = {name: arrays.pop(name) for name in ("shape", "format") if name in arrays}
    pages = Pages(arrays) if guarded else None
    if pages:
        arrays.update(pages.arrays)
    if sparse:
        make = sp.csc_array if str(sparse["format"]) == "csc" else sp.csr_array
        n, p = (int(k) for k in sparse["shape"])
        arrays["X"] = make((arrays.pop("data"), arrays.pop("indices"), arrays.pop("indptr")), shape=(n, p))
    return arrays, pages


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
    pages : Pages, optional
        What is in them nobody can have written into.
    """

    def __init__(self, problem: Problem, pages: Pages | None = None) -> None:
        self._pages = pages
        self._kept = [bytearray(part) for part in self._open(problem)]

    def broken(self, problem: Problem) -> bool:
        """Whether the arrays differ from what they were."""
        return self._kept != self._open(problem)  # list by list, bytes by bytes

    def _open(self, problem: Problem) -> list[memoryview]:
        """The bytes of every array that could be written into."""
        arrays = (np.ascontiguousarray(array) for array in _arrays(problem))
        return [
            array.reshape(-1).view(np.uint8).data
            for array in arrays
            if self._pages is None or not self._pages.hold(array)
        ]


def _arrays(problem: Problem) -> list[NDArray[Any]]:
    X = problem.X
    arrays = (X.data, X.indices, X.indptr) if problem.is_sparse else (X.T if problem.layout == "F" else X,)
    vectors = (getattr(problem, name) for name in _VECTORS)
    return [array for array in (*arrays, *vectors) if array is not None]


def parameters(problem: Problem) -> dict[str, Any]:
    """Return the scalars of a problem; a float survives JSON exactly."""
    return {name: getattr(problem, name) for name in ("l1", "l2", "intercept", "positive", "name")}


def problem_of(arrays: dict[str, Any], scalars: dict[str, Any]) -> Problem:
    """Put :func:`load` and :func:`parameters` together again."""
    return Problem(**arrays, **scalars)
