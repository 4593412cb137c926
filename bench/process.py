"""The parent's side of a worker: a process that holds one solver."""

from __future__ import annotations

from verification.process import Died as WorkerDied
from verification.process import Killed as WorkerKilled
from verification.process import Process

__all__ = ["Worker", "WorkerDied", "WorkerKilled"]


class Worker(Process):
    """A persistent process that holds one solver; its operations are those of bench/worker.py.

    Parameters
    ----------
    solver : str
        A name of the catalogue or ``module:function``.
    threads : int
        Threads for every numerical library in it.
    """

    def __init__(self, solver: str, threads: int = 1) -> None:
        super().__init__("bench.worker", [solver], threads)
