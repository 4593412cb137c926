"""What a process leaves behind when it dies: its children become ours (Linux), and are ended.

Each process of ours adopts the orphans among its own descendants while it lives, so that they stay below it;
when it dies, whatever is left below it becomes the child of the process that started it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Collection
from glob import glob

import psutil

__all__ = ["MARK", "adopt_orphans", "children", "end_orphans"]

MARK = "L1L2_STARTED_AS"  # environment variable by which the descendants of one process are known


def adopt_orphans() -> None:
    """Ask the kernel to make this process the parent of whatever its descendants leave behind."""
    if sys.platform == "linux":
        PR_SET_CHILD_SUBREAPER = 36
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_orphans(leader: int, mark: str, spared: Collection[int] = ()) -> int:
    """Kill what a process that has died left behind, and return how many there were.

    Parameters
    ----------
    leader : int
        Its id: also that of the session that it led.
    mark : str
        Its MARK: a child that has left the session still has it, unless it has cleared its environment too.
    spared : collection of int
        Ids of children of this process that the dead one has no part in: that were there before it, or that
        this process has started meanwhile. One of another session that is none of these was left behind.
    """
    count = 0
    while found := [pid for pid in children() if _belongs(pid, leader, mark, spared)]:
        for pid in found:
            os.kill(pid, signal.SIGKILL)  # ours until it is waited for, so that the id is still its own
        for pid in found:
            os.waitpid(pid, 0)
        count += len(found)  # and their own children, which are ours by now
    return count


def children() -> set[int]:
    """Ids of the children of this process (Linux); psutil would read every process of the machine."""
    found: set[int] = set()
    for path in glob("/proc/self/task/*/children"):
        with open(path, encoding="ascii") as file:
            found.update(map(int, file.read().split()))
    return found


def _belongs(pid: int, leader: int, mark: str, spared: Collection[int]) -> bool:
    if pid == leader:
        return False  # it is waited for by whoever started it
    try:
        session = os.getsid(pid)
    except ProcessLookupError:  # somebody else has waited for it
        return False
    if session == leader:
        return True
    try:
        its = psutil.Process(pid).environ().get(MARK)
    except psutil.Error:  # a zombie has none
        its = None
    if its is not None:
        return its == mark
    return session != os.getsid(0) and pid not in spared
