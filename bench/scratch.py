"""A folder for data on their way to the workers; what a killed run left behind is removed by the next."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["scratch_folder"]

PREFIX = "l1l2-bench-"
LOCK = "in-use"


@contextmanager
def scratch_folder(where: str | os.PathLike[str] | None = None) -> Iterator[str]:
    """Make a folder, hold a lock in it, and remove it afterwards.

    Parameters
    ----------
    where : path-like, optional
        The folder it is made in; the system's for temporary files if not given.
    """
    place = Path(where or tempfile.gettempdir())
    _sweep(place)
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=place)
    try:
        unlocked = os.path.join(folder, "new")
        with open(unlocked, "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.rename(unlocked, os.path.join(folder, LOCK))  # by this name it has never been free
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(place: Path) -> None:
    """Remove the folders of runs that are no more: their locks are free."""
    for folder in place.glob(f"{PREFIX}*"):
        try:
            with open(folder / LOCK, "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # in use, another user's, or being made at this moment
            continue
