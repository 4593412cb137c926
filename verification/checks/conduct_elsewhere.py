"""Conduct on other data than the unremarkable dense lasso of conduct.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import scipy.sparse as sp

from solvers import Problem

from .check import Failure, Subject, check
from .conduct import NAP, TIMES, _cpu, _queue, tame, traces

CALLS = 200
SETTLED = 20  # calls until what is allocated once is allocated
LEAK = 48 * 2**20  # bytes: allocators keep some megabytes, an array kept from every call is more
LEFT = CALLS // 2  # files or threads: pools open a few, once


def elsewhere() -> list[Problem]:
    """Wide, sparse, with both penalties, with the other one, with an intercept."""
    tall, wide = tame(), tame(16, 48)
    changes: dict[str, dict[str, Any]] = {
        "sparse": {"X": sp.csc_array(tall.X)},
        "by rows": {"X": sp.csr_array(tall.X)},
        "ridge": {"l1": 0.0, "l2": tall.l1},
        "elastic net": {"l2": tall.l1},
        "intercept": {"intercept": True},
    }
    return [wide, *(tall.replace(name=f"tame, {name}", **change) for name, change in changes.items())]


@check("it computes and does not wait, on wide, sparse and other data too", on=elsewhere)
def does_not_sleep_elsewhere(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """As `does_not_sleep`: idle for less than it computes, in the best of some runs."""
    subject.solve(problem)
    runs = []
    for _ in range(TIMES):
        wall, cpu, queue = time.perf_counter(), _cpu(), _queue()
        subject.solve(problem)
        wall, cpu, queue = time.perf_counter() - wall, _cpu() - cpu, _queue() - queue
        runs.append((wall - cpu - queue, cpu))
    idle, cpu = min(runs)
    if idle > max(cpu, NAP):
        words = f"idle for {1000 * idle:.0f} ms of a run with {1000 * cpu:.1f} ms of computing"
        yield Failure(problem, words)


@check("the process is as it was, also after wide, sparse and other data", on=elsewhere)
def process_as_it_was_elsewhere(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """As `process_as_it_was`."""
    yield from traces(subject, problem)


@check(f"{CALLS} calls leave no memory, open files or threads behind")
def leaves_nothing_behind(subject: Subject) -> Iterator[Failure]:
    """What is kept from every call ends a service after a day."""
    problem, process = tame(64, 12), psutil.Process()
    for _ in range(SETTLED):
        subject.solve(problem)
    files, threads, memory = process.num_fds(), threading.active_count(), process.memory_info().rss
    for _ in range(CALLS):
        subject.solve(problem)
    if (grown := process.memory_info().rss - memory) > LEAK:
        yield Failure(problem, f"{grown / 2**20:.0f} MiB more after {CALLS} calls")
    if (opened := process.num_fds() - files) > LEFT:
        yield Failure(problem, f"{opened} more open files after {CALLS} calls")
    if (started := threading.active_count() - threads) > LEFT:
        yield Failure(problem, f"{started} more threads after {CALLS} calls")
