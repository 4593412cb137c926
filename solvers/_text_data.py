"""The text formats of a user's data: .csv and .svm, read line by line so that errors have a line number.

Each line goes through C in one piece (split, map); a faster, vectorised reader could not say where.
"""

from __future__ import annotations

import csv
import gzip
import math
import re
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Vector = NDArray[np.float64]

TARGETS = ("y", "target")  # names of the response, in either case, wherever a file gives names
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "."}
PAIRS = re.compile(r"(?:\s*[+-]?\d{1,18}:[^\s:]+(?=\s|$))*\s*")
MOST_COLUMNS = 10**8  # beyond it a feature's index is a hash or an identifier


class DataError(ValueError):
    """The file cannot be read as (X, y); the message says what, where, and what to do."""


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line) of a text file or of its .gz, without blank lines."""
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line := line.strip():
                    yield number, line
    except (EOFError, OSError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is not readable text ({error}); is it whole, and UTF-8?") from error


# .csv


def read_csv(path: Path) -> tuple[Vector, Vector]:
    """Rows of numbers, X and y: y is the column named y or target, else the last one."""
    A, names = read_table(path)
    if A.shape[1] < 2:
        raise DataError(f"{path}: has one column; features and y are separated by , ; | a tab or blanks")
    hits = [j for j, name in enumerate(names) if name.lower() in TARGETS]
    if len(hits) > 1:
        raise DataError(f"{path}: columns {hits[0] + 1} and {hits[1] + 1} are both named as y; rename one")
    j = hits[0] if hits else A.shape[1] - 1
    return np.delete(A, j, axis=1), A[:, j].copy()


def read_table(path: Path) -> tuple[Vector, list[str]]:
    """Values (rows, columns), and the columns' names ([] where the file gives none)."""
    names: list[str] | None = None
    values = array("d")
    separator, width, labels = "", 0, 0  # labels: whether a first column of row names is left out
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        if not separator:
            line = line.removeprefix("#").strip() if line.startswith("#") else line  # numpy.savetxt's header
            separator = _separator(line)
        cells = _cells(line, separator)
        if names is None:
            names = [cell.strip() for cell in cells]
            names = names if _is_header(where, names) else []
            if names:
                continue
        if not width:
            width = len(cells)
            if names and names[0] == "":
                labels = 1  # a column without a name holds row names, as pandas and R write them
            elif names and width == len(names) + 1:
                labels, names = 1, ["", *names]
        if len(cells) != (len(names) or width):
            raise DataError(
                f"{where}: has {len(cells)} cells, {len(names) or width} expected; is one missing?"
            )
        try:
            numbers = list(map(float, cells[labels:]))
        except ValueError:
            raise _bad_cell(where, cells, names, labels) from None
        if not math.isfinite(sum(numbers)) and not all(map(math.isfinite, numbers)):
            raise _bad_cell(where, cells, names, labels)
        values.extend(numbers)
    if not width:
        raise DataError(f"{path}: holds no rows of numbers")
    return np.frombuffer(values).reshape(-1, width - labels), (names or [])[labels:]


def _separator(line: str) -> str:
    """The first of tab ; | , that stands outside quotes, else blanks. ; before , for 1,5;2,5 exists."""
    bare = re.sub(r'"[^"]*"', "", line)
    return next((mark for mark in "\t;|," if mark in bare), " ")


def _cells(line: str, separator: str) -> list[str]:
    """Cells as they stand, with the blanks around them."""
    if '"' in line:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    return line.split() if separator == " " else line.split(separator)


def _is_header(where: str, cells: list[str]) -> bool:
    """Whether the first line names the columns: some cell is a word, and not one for "missing"."""
    words = [cell for cell in cells if not _is_number(cell)]
    if any(cell.lower() not in MISSING for cell in words):
        return True
    if words == [""] and cells == ["", *map(str, range(len(cells) - 1))]:
        return True  # pandas writes the default names of columns so
    if words:
        raise _bad_cell(where, cells, [], 0)
    return False


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _bad_cell(where: str, cells: list[str], names: list[str], labels: int) -> DataError:
    """The error for the first cell that is not a finite number."""
    fit = (_is_number(cell) and math.isfinite(float(cell)) for cell in cells[labels:])
    j = labels + list(fit).index(False)
    place = f"{where}, column {j + 1}" + (f" ({names[j]})" if names else "")
    cell = cells[j].strip()
    if cell.lower() in MISSING:
        return DataError(f"{place}: the value is missing ({cell!r}); remove or impute it")
    if _is_number(cell):
        return DataError(f"{place}: {cell} is not finite; remove or rescale it")
    if re.fullmatch(r"[+-]?\d+,\d+([eE][+-]?\d+)?", cell):
        return DataError(f"{place}: {cell!r} has a decimal comma; write {cell.replace(',', '.')}")
    return DataError(f"{place}: {cell!r} is not a number; drop the column, or encode it as numbers first")


# .svm, .libsvm


def read_svm(path: Path) -> tuple[Any, Vector]:
    """Lines "y index:value ... # comment"; indices start at 0 if any index is 0, else at 1."""
    y, values, indices, ends, numbers = array("d"), array("d"), array("q"), array("q", [0]), array("q")
    for number, line in _lines(path):
        fields = line.partition("#")[0].split(maxsplit=1)
        if not fields:
            continue
        pairs = fields[1] if len(fields) > 1 else ""
        flat = pairs.replace(":", " ").split()
        try:
            y.append(float(fields[0]))
            indices.extend(map(int, flat[::2]))
            values.extend(map(float, flat[1::2]))
        except (ValueError, OverflowError):
            raise _bad_field(f"{path}, line {number}", fields[0], pairs) from None
        if not PAIRS.fullmatch(pairs):  # "1:2:3 4" would pass as 1:2 and 3:4
            raise _bad_field(f"{path}, line {number}", fields[0], pairs)
        ends.append(len(values))
        numbers.append(number)
    column = np.frombuffer(indices, dtype=np.int64)
    if not column.size:
        raise DataError(f"{path}: holds no index:value pair")
    end = np.frombuffer(ends, dtype=np.int64)
    rows = np.repeat(np.arange(len(y)), end[1:] - end[:-1])
    outside = (column < 0) | (column > MOST_COLUMNS)
    if outside.any():
        k = int(np.argmax(outside))
        where = f"{path}, line {numbers[rows[k]]}"
        raise DataError(f"{where}: index {column[k]} is outside 0 .. {MOST_COLUMNS}; number the features")
    order = np.lexsort((column, rows))
    twice = (np.diff(rows[order]) == 0) & (np.diff(column[order]) == 0)
    if twice.any():
        k = order[int(np.argmax(twice))]
        raise DataError(f"{path}, line {numbers[rows[k]]}: index {column[k]} occurs twice; keep one")
    column = column - (0 if column.min() == 0 else 1)
    shape = (len(y), int(column.max()) + 1)
    return sp.coo_array((np.frombuffer(values), (rows, column)), shape=shape), np.frombuffer(y).copy()


def _bad_field(where: str, label: str, pairs: str) -> DataError:
    """The error for the first field that does not read."""
    if not _is_number(label):
        return DataError(f"{where}: {label!r} is no value of y; one number comes first, then index:value")
    for field in pairs.split():
        if field.lower().startswith("qid:"):
            return DataError(f"{where}: {field!r} is a query of a ranking problem; remove the qid fields")
        if not PAIRS.fullmatch(field) or not _is_number(field.partition(":")[2]):
            return DataError(f"{where}: {field!r} is not index:value, such as 7:0.25")
    return DataError(f"{where}: cannot be read as y index:value ...")
