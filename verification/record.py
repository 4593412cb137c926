"""Records: one JSON object a line, appended and never edited.

A row is with the kernel before the next run starts, so that whatever ends the process (a kill, a crash) costs
at most the row being written; and it is forced to the disk within five seconds or with the next row after
that, so that a power cut costs no more than that.  A torn last line is skipped on reading, and counted; the
next writer ends it and says so in a row of kind "torn".  Two runs never write to one file: the writer holds a
lock on it.  Values without a JSON form are written so that any JSON reader copes: nan as null, infinities as
the strings "inf" and "-inf"; :func:`read` turns those into floats again.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

__all__ = [
    "RecordError", "RecordLocked", "Recorder", "check_room", "head", "jsonable", "read", "read_counting",
]  # fmt: skip

SYNC_EVERY = 5.0  # seconds; a disk takes ten milliseconds for it, more than many a run that is measured
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False)
_INFINITIES = {"inf": math.inf, "-inf": -math.inf}


class RecordError(OSError):
    """Records cannot be written here; the message says where, why and what to do."""


class RecordLocked(RecordError):
    """Another process is writing this record."""


def jsonable(value: Any) -> Any:
    """Return `value` in a form that every JSON reader accepts.

    Parameters
    ----------
    value : object
        Scalars (Python's or numpy's), strings, None, and lists, tuples, sets and mappings of these.

    Returns
    -------
    object
        The same with nan as None, +-inf as "inf" / "-inf", numpy scalars as Python's, sets sorted to lists.

    Raises
    ------
    TypeError
        For anything else: a record holds flat data, never an object in disguise.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return [jsonable(item) for item in sorted(value)]
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    if isinstance(value, os.PathLike):
        return str(value)
    raise TypeError(f"a record cannot hold a {type(value).__name__}: {value!r}")


class Recorder:
    """Append rows to one file, each on the disk when :meth:`append` returns.

    Parameters
    ----------
    path : path-like
        The .jsonl file; it and its folder are made if absent.

    Raises
    ------
    RecordLocked
        Another process has the file open for writing.
    RecordError
        The file cannot be opened or, from :meth:`append`, written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._due = 0.0  # by the clock, when rows are to be forced to the disk
        self._waiting = False  # whether there are any
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # "a+": a torn last line of an earlier, killed run has to be read to be noticed.
            # Unbuffered: a row that could not be written must not wait to be written later.
            self._file = open(self.path, "ab+", buffering=0)  # noqa: SIM115 held, with its lock, until close()
        except OSError as error:
            raise RecordError(f"cannot write records to {self.path}: {error.strerror or error}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise RecordLocked(
                f"{self.path} is being written by another run: wait, or start a new one"
            ) from error
        try:
            self._end_torn_line()
        except RecordError:
            self._file.close()
            raise

    def _end_torn_line(self) -> None:
        last = _last_line(self._file)
        if last and not last.endswith(b"\n"):
            self._write(b"\n")
            if _row(last) is None:
                words = f"the line above was cut short after {len(last)} bytes: its writer was ended"
                self.append({"kind": "torn", "message": words})

    def _write(self, line: bytes) -> None:
        try:
            while line:  # on a disk that fills up, a part may be written before the error
                line = line[self._file.write(line) :]
        except OSError as error:
            raise RecordError(
                f"cannot append to {self.path}: {error.strerror or error}; every row before this one is safe"
            ) from error
        self._waiting = True
        if monotonic() >= self._due:
            self.sync()

    def sync(self) -> None:
        """Wait until every row is on the disk."""
        if not self._waiting:
            return
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            why = error.strerror or error
            words = f"cannot keep {self.path}: {why}; the rows of the last seconds may be lost"
            raise RecordError(words) from error
        self._waiting, self._due = False, monotonic() + SYNC_EVERY

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one row: no kill of this process loses it any more."""
        line = _line(row)
        # A lone surrogate, as a library's message may hold, has a JSON escape and no UTF-8.
        self._write(line.encode(errors="backslashreplace") + b"\n")

    def rename(self, path: str | os.PathLike[str]) -> None:
        """Give the file another name, in the same folder; the lock stays with it."""
        os.rename(self.path, path)
        self.path = Path(path)

    def close(self) -> None:
        """Wait until every row is on the disk, and give up the lock."""
        try:
            self.sync()
        finally:
            self._file.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _line(row: Mapping[str, Any]) -> str:
    """Return a row as JSON. Most hold nothing that has to be made jsonable first."""
    try:
        return _ENCODER.encode(row)
    except (TypeError, ValueError):  # numpy's scalars, sets, paths; nan, inf
        return _ENCODER.encode(jsonable(row))


def _last_line(file: BinaryIO) -> bytes:
    """Return what stands behind the last complete line, or that line if nothing does."""
    place, tail = file.seek(0, os.SEEK_END), b""
    while place and b"\n" not in tail[:-1]:
        start = max(0, place - (1 << 16))
        file.seek(start)
        tail = file.read(place - start) + tail
        place = start
    return tail[tail.rfind(b"\n", 0, -1) + 1 :]


def _row(line: bytes) -> dict[str, Any] | None:
    """Return the row that a line holds; None if it was torn."""
    try:
        row = json.loads(line)
    except ValueError:  # includes invalid UTF-8: a line cut in the middle of a character
        return None
    return {key: _restore(value) for key, value in row.items()} if isinstance(row, dict) else None


def _restore(value: Any) -> Any:
    return _INFINITIES.get(value, value) if isinstance(value, str) else value


def read_counting(path: str | os.PathLike[str]) -> tuple[list[dict[str, Any]], int]:
    """Read a record; return its rows and the number of torn lines that were skipped."""
    rows: list[dict[str, Any]] = []
    torn = 0
    with open(path, "rb") as file:
        for line in file:
            if not line.strip():
                continue
            row = _row(line)
            if row is None:
                torn += 1
            else:
                rows.append(row)
    return rows, torn


def head(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the first row of a record; None if there is none."""
    with open(path, "rb") as file:
        return _row(file.readline())


def read(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read the rows of a record, in the order of writing; a torn line (a killed writer) is left out."""
    return read_counting(path)[0]


def check_room(folder: str | os.PathLike[str], needed: int = 50_000_000) -> None:
    """Say before hours of work that the results could not be kept.

    Parameters
    ----------
    folder : path-like
        Where records and reports will go; made if absent.
    needed : int
        Bytes that must be free.

    Raises
    ------
    RecordError
        The folder cannot be made or written, or the disk has less than `needed` bytes left.
    """
    folder = Path(folder)
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(probe, "wb") as file:
            file.write(b"probe\n" * 1000)
            file.flush()
            os.fsync(file.fileno())
        probe.unlink()
    except OSError as error:
        raise RecordError(
            f"{folder} cannot be written ({error.strerror or error}): nothing was measured. "
            "Free it, or choose another folder with --results."
        ) from error
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise RecordError(
            f"{folder} has {free / 1e6:.0f} MB left, a run wants {needed / 1e6:.0f}: nothing was measured. "
            "Free some space, or choose another folder with --results."
        )
