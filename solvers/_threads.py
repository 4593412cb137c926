"""Threads: how many the libraries under a solver may take, and a team that divides a solver's own work."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

T = TypeVar("T")

GRAIN = 1e6  # operations, half a millisecond of them, that are worth waking another thread for,
PRODUCT = 0.1  # where one in a product of matrices, whose numbers are read once for many, counts so much


class Team:
    """Threads that divide work whose pieces do not depend on one another; alone, one does it where it stands.

    The work has to let go of the interpreter: compiled loops do, and products of matrices by numpy (scipy's
    calls of the BLAS do not). The pieces depend on the size alone, so that a rerun gives the same bits.

    Parameters
    ----------
    size : int
        At least 1.
    """

    def __init__(self, size: int = 1) -> None:
        self.size = size
        self._others: Any = None
        if size > 1:
            self._others = _pool(size - 1)

    def divide(self, work: Callable[[int, int], T], items: int, cost: float) -> list[T]:
        """Return what ``work(lo, hi)`` gives for each of the ranges that range(items) is divided into.

        Parameters
        ----------
        work : callable
        items : int
        cost : float
            Operations an item takes.
        """
        if self.size == 1:
            return [work(0, items)]
        parts = max(min(self.size, items, int(items * cost / GRAIN)), 1)
        ends = [items * part // parts for part in range(parts + 1)]
        others = [self._others.submit(work, *ends[part : part + 2]) for part in range(1, parts)]
        return [work(0, ends[1]), *(other.result() for other in others)]


@cache
def _pool(size: int) -> Any:
    """Threads that wait for work until the process ends: the BLAS keeps memory for each."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(size, thread_name_prefix="l1l2")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of its parent's threads


class _Limits:
    """The libraries' threads: as they were, once the last of the calls that limit them is over."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.calls = 0
        self.modules = 0  # loaded when the libraries were last looked for
        self.shared: Any = None  # libraries with one number for the process, the BLAS above all
        self.openmp: Any = None
        self.before: Any = None  # what the shared ones had before the first call

    def enter(self, threads: int) -> Any:
        """Limit them; returns what restores OpenMP's number, which belongs to the calling thread."""
        with self.lock:
            if self.calls == 0 and len(sys.modules) != self.modules:
                found, self.modules = ThreadpoolController(), len(sys.modules)
                apis = {pool["user_api"] for pool in found.info()}
                self.shared = found.select(user_api=list(apis - {"openmp"}))
                self.openmp = found.select(user_api="openmp")
            before, openmp = (libraries.limit(limits=threads) for libraries in (self.shared, self.openmp))
            if self.calls == 0:
                self.before = before
            self.calls += 1
            return openmp

    def leave(self, openmp: Any) -> None:
        """Restore OpenMP's number, and that of the others if no other call is under way."""
        with self.lock:
            self.calls -= 1
            if self.calls == 0:
                self.before.restore_original_limits()
            openmp.restore_original_limits()


_LIMITS = _Limits()


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Hold the libraries that are loaded (BLAS, OpenMP) to so many threads inside, and leave them as before.

    They are looked for again when Python has imported more since. Where calls overlap, in threads of the
    caller's own, the last that began counts for the BLAS of all.

    Raises
    ------
    ValueError
        If threads < 1.
    """
    if threads < 1:
        raise ValueError(f"threads is {threads}: it must be at least 1")
    openmp = _LIMITS.enter(threads)
    try:
        yield
    finally:
        _LIMITS.leave(openmp)
