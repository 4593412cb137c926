"""The resident memory of a process and its children, as a parent sees it while it waits."""

from __future__ import annotations

from time import monotonic

import psutil

__all__ = ["Resident", "machine_memory"]

TREE_EVERY = 1.0  # seconds between two looks at children: finding them reads every process of the machine


def machine_memory() -> int:
    """Return the bytes of memory that this process may use at most: the machine's, or its control group's."""
    total: int = psutil.virtual_memory().total
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path, encoding="ascii") as file:
                text = file.read().strip()
        except OSError:  # not Linux, or the other version of control groups
            continue
        if text.isdigit():  # else "max"
            total = min(total, int(text))
    return total


class Resident:
    """The resident memory of a process and its children, looked at from outside.

    Parameters
    ----------
    pid : int

    Attributes
    ----------
    peak : int
        Largest number of bytes seen, 0 before the first look.
    """

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._children: list[psutil.Process] = []
        self._children_due = monotonic() + TREE_EVERY
        self.peak = 0

    def look(self) -> int:
        """Return the bytes that are resident now; 0 for a process that is gone."""
        try:
            if monotonic() >= self._children_due:
                self._children = self._process.children(recursive=True)
                self._children_due = monotonic() + TREE_EVERY
            now = sum(map(_resident, [self._process, *self._children]))
        except psutil.Error:
            return 0
        self.peak = max(self.peak, now)
        return now


def _resident(process: psutil.Process) -> int:
    try:
        size: int = process.memory_info().rss
    except psutil.Error:  # it ended meanwhile
        return 0
    return size
