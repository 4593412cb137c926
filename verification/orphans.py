"""What a process leaves behind when it dies: its children become ours (Linux), and are ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from glob import glob

import psutil

__all__ = ["MARK", "adopt_orphans", "end_orphans"]

MARK = "L1L2_STARTED_AS"  # environment variable by which the descendants of one process are known


def adopt_orphans() -> None:
    """Ask the kernel to make this process the parent of whatever its descendants leave behind."""
    if sys.platform == "linux":
        PR_SET_CHILD_SUBREAPER = 36
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_orphans(leader: int, mark: str) -> int:
    """Kill what a process that has died left behind, and return how many there were.

    Parameters
    ----------
    leader : int
        Its id: also that of the session that it led.
    mark : str
        Its MARK: a child that has left the session still has it.
    """
    count = 0
    while found := [pid for pid in _children() if _belongs(pid, leader, mark)]:
        for pid in found:
            os.kill(pid, signal.SIGKILL)  # ours until it is waited for, so that the id is still its own
        for pid in found:
            os.waitpid(pid, 0)
        count += len(found)  # and their own children, which are ours by now
    return count


def _children() -> Iterator[int]:
    """Ids of the children of this process; psutil would read every process of the machine."""
    for path in glob("/proc/self/task/*/children"):
        with open(path, encoding="ascii") as file:
            yield from map(int, file.read().split())


def _belongs(pid: int, leader: int, mark: str) -> bool:
    if pid == leader:
        return False  # it is waited for by whoever started it
    try:
        return os.getsid(pid) == leader or psutil.Process(pid).environ().get(MARK) == mark
    except (ProcessLookupError, psutil.Error):  # a zombie of another session
        return False
