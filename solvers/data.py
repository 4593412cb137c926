"""Reading a user's own data: text tables, NumPy files, LIBSVM and Matrix Market, docs/data.md.

Whatever the file holds, X comes out as a float64 column-major array, or as a canonical csc_array if the
file is sparse (never densified), and y as a float64 vector. What is wrong is said with its place.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ._text_data import TARGETS, DataError, read_csv, read_svm, read_table

__all__ = ["DataError", "load"]

Vector = NDArray[np.float64]

# What decoders raise on a file that is cut short or is something else.
BROKEN = (ValueError, OverflowError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def load(path: str | Path, target: str | Path | None = None) -> tuple[Any, Vector]:
    """Read a regression problem's data.

    Parameters
    ----------
    path : path
        The suffix tells the format: .csv, .npy, .npz, .svm, .libsvm, .mtx; .csv.gz, .svm.gz and so on.
    target : path, optional
        File with y, one value a row (.mtx or .csv), for a .mtx, .npy or .npz that does not hold it.

    Returns
    -------
    X : (n, p) float64 ndarray, column-major; or canonical float64 csc_array
    y : (n,) float64 array

    Raises
    ------
    DataError
        If the file is not there, not of that format, or holds missing or infinite values.
    """
    path = Path(path)
    kind = _kind(path)
    text = {".csv": read_csv, ".svm": read_svm, ".libsvm": read_svm}
    other = {".npy": _npy, ".npz": _npz, ".mtx": _mtx}
    if kind not in text | other:
        known = ", ".join(text | other)
        raise DataError(f"{path}: no format is known by {kind or 'no suffix'!r}; give one of {known}")
    if not path.is_file():
        raise DataError(f"{path}: is {'a folder' if path.is_dir() else 'not there'}; give the path of a file")
    if kind in other:
        return _checked(path, *other[kind](path, None if target is None else _target(Path(target))))
    if target is not None:
        raise DataError(f"{path}: holds y itself, as every {kind} file; leave {target} out")
    return _checked(path, *text[kind](path))


def _kind(path: Path) -> str:
    """Suffix without .gz; a .npz is compressed already."""
    name = path.name.lower()
    return Path(name.removesuffix(".gz") if not name.endswith(".npz.gz") else name).suffix


def _target(path: Path) -> Vector:
    """Values of y from a file of its own: one column."""
    kind = _kind(path)
    if kind not in (".csv", ".mtx"):
        raise DataError(f"{path}: y is read from .csv or .mtx, not from {kind or 'no suffix'!r}")
    if not path.is_file():
        raise DataError(f"{path}: is not there; give the path of the file that holds y")
    A: Any = read_table(path)[0] if kind == ".csv" else _matrix_market(path)
    if 1 not in A.shape:
        raise DataError(f"{path}: has shape {A.shape}; y is one column")
    return np.asarray(A.toarray() if _is_sparse(A) else A).ravel()


def _checked(path: Path, X: Any, y: NDArray[Any]) -> tuple[Any, Vector]:
    """Convert to the promised types; raise if shapes differ, or a value is missing or infinite."""
    if X.ndim != 2 or 0 in X.shape:
        raise DataError(f"{path}: X has shape {X.shape}; it needs two dimensions, a row and a column")
    if y.shape not in ((X.shape[0],), (X.shape[0], 1), (1, X.shape[0])):
        raise DataError(f"{path}: y has shape {y.shape} and X {X.shape}; y is one value for each row of X")
    y = _real(path, "y", y).ravel()
    if not np.isfinite(y).all():
        i = int(np.argmin(np.isfinite(y)))
        raise DataError(f"{path}: y[{i}] is {y[i]}; remove or impute that row")
    if not _is_sparse(X):
        X = np.asfortranarray(_real(path, "X", X))
        bad = ~np.isfinite(X)
        if bad.any():
            i, j = (int(k) for k in np.unravel_index(np.argmax(bad), X.shape))
            raise DataError(f"{path}: X[{i}, {j}] is {X[i, j]}; remove or impute it")
        return X, y
    X = X.tocoo()
    values = _real(path, "X", X.data)
    if not np.isfinite(values).all():
        k = int(np.argmin(np.isfinite(values)))
        raise DataError(f"{path}: X[{X.row[k]}, {X.col[k]}] is {values[k]}; remove or impute it")
    small = max(*X.shape, X.nnz) < 2**31  # one index type for one matrix, however it was stored
    row, col = (k.astype(np.int32 if small else np.int64) for k in (X.row, X.col))
    return sp.csc_array((values, (row, col)), shape=X.shape), y  # sorted, duplicates summed


def _real(path: Path, name: str, a: NDArray[Any]) -> Vector:
    if a.dtype.kind not in "fiub":
        raise DataError(f"{path}: {name} has dtype {a.dtype}; store real numbers, such as float64")
    return a.astype(np.float64, copy=False)


# .npy, .npz


def _npy(path: Path, y: Vector | None) -> tuple[Any, NDArray[Any]]:
    """X, and y from its own file or from the last column."""
    try:
        A = np.load(path, allow_pickle=False)
    except BROKEN as error:
        raise DataError(f"{path}: cannot be read ({error}); save a plain array of numbers") from error
    if not isinstance(A, np.ndarray):
        raise DataError(f"{path}: is a .npz file by another name; rename it")
    if y is not None:
        return A, y
    if A.ndim != 2 or A.shape[1] < 2:
        raise DataError(f"{path}: has shape {A.shape}; it needs two columns at least, the last being y")
    return A[:, :-1], A[:, -1]


def _npz(path: Path, y: Vector | None) -> tuple[Any, NDArray[Any]]:
    """Arrays X, y; or scipy.sparse.save_npz's arrays and y."""
    if not zipfile.is_zipfile(path):
        raise DataError(
            f"{path}: is no .npz file, or is cut short; write it with numpy.savez(path, X=X, y=y)"
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name.lower(): np.asarray(file[name]) for name in file.files}
    except BROKEN as error:
        raise DataError(f"{path}: cannot be read ({error}); save plain arrays of numbers") from error
    here = ", ".join(sorted(arrays)) or "nothing"
    if y is None:
        found = [arrays[name] for name in TARGETS if name in arrays]
        if not found:
            raise DataError(f"{path}: holds {here} and no y; add it: numpy.savez(path, ..., y=y)")
        y = found[0]
    if "x" in arrays:
        return arrays["x"], y
    if {"data", "shape"} <= arrays.keys() and (
        {"indices", "indptr"} <= arrays.keys() or {"row", "col"} <= arrays.keys()
    ):
        try:
            return _sparse(path, arrays), y
        except BROKEN as error:
            raise (
                error if isinstance(error, DataError) else DataError(f"{path}: is no sparse matrix: {error}")
            ) from error
    raise DataError(
        f"{path}: holds {here}; it needs X, or data, indices, indptr, shape (scipy.sparse.save_npz)"
    )


def _sparse(path: Path, arrays: dict[str, NDArray[Any]]) -> Any:
    for name in ("indices", "indptr", "shape", "row", "col"):
        if name in arrays and (arrays[name].dtype.kind not in "iu" or arrays[name].ndim != 1):
            raise DataError(
                f"{path}: {name} is {arrays[name].dtype} of shape {arrays[name].shape}; store whole numbers"
            )
    shape = tuple(arrays["shape"].tolist())
    if len(shape) != 2:
        raise DataError(f"{path}: shape is {shape}; it needs rows and columns")
    data = _real(path, "data", arrays["data"])
    if "row" in arrays:
        return sp.coo_array((data, (arrays["row"], arrays["col"])), shape=shape)
    fits = [
        name for name, size in (("csc", shape[1]), ("csr", shape[0])) if arrays["indptr"].size == size + 1
    ]
    if "format" in arrays:
        label = arrays["format"].item()
        fits = [label.decode() if isinstance(label, bytes) else str(label)]
    if fits not in (["csc"], ["csr"]):
        what = (
            f"format {fits[0]!r}"
            if len(fits) == 1
            else f"indptr of {arrays['indptr'].size} for shape {shape}"
        )
        raise DataError(
            f"{path}: {what} is neither surely CSC nor surely CSR; add format='csc' or format='csr'"
        )
    make = sp.csc_array if fits == ["csc"] else sp.csr_array
    X = make((data, arrays["indices"], arrays["indptr"]), shape=shape)
    X.check_format(full_check=True)
    return X


# .mtx


def _mtx(path: Path, y: Vector | None) -> tuple[Any, NDArray[Any]]:
    """X, and y from its own file, from NAME_y.mtx or NAME_b.mtx beside NAME.mtx, or from the last column."""
    A = _matrix_market(path)
    if y is None:
        stem = re.sub(r"\.mtx(\.gz)?$", "", path.name, flags=re.IGNORECASE)
        beside = [path.with_name(f"{stem}_{x}.mtx{gz}") for x in "yb" for gz in ("", ".gz")]
        y = next((_target(file) for file in beside if file.is_file()), None)
    if y is not None:
        return A, y
    if A.shape[1] < 2:
        raise DataError(
            f"{path}: has one column and no {stem}_y.mtx beside it; y is the last of several columns"
        )
    if not _is_sparse(A):
        return A[:, :-1], A[:, -1]
    A = A.tocsc()
    return A[:, :-1], A[:, [-1]].toarray()


def _matrix_market(path: Path) -> Any:
    from scipy.io import mmread

    try:
        return mmread(str(path))
    except BROKEN as error:
        raise DataError(f"{path}: is not Matrix Market, or is cut short: {error}") from error


def _is_sparse(A: Any) -> bool:
    return bool(sp.issparse(A))
