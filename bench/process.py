"""The parent's side of a worker: a process that holds one solver."""

from __future__ import annotations

import os
from typing import Any

from verification.process import Died as WorkerDied
from verification.process import Killed as WorkerKilled
from verification.process import Process
from verification.process import TooLarge as WorkerTooLarge

__all__ = ["Worker", "WorkerDied", "WorkerKilled", "WorkerTooLarge"]

STARTING = ("hello", "load")  # requests that may start a process; the others need what was loaded


class Worker(Process):
    """A persistent process that holds one solver; its operations are those of bench/worker.py.

    Parameters
    ----------
    solver : str
        A name of the catalogue or ``module:function``.
    threads : int
        Threads for every numerical library in it.
    memory : int, optional
        Bytes that it may hold.
    scratch : path-like, optional
        Folder of its log.
    """

    def __init__(
        self,
        solver: str,
        threads: int = 1,
        memory: int | None = None,
        scratch: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__("bench.worker", [solver], threads, memory, scratch)
        self._asked = 0

    def ask(self, op: str, limit: float, **request: Any) -> dict[str, Any]:
        """Send one request and wait for its answer, and for no other: see Process.ask.

        A process that has died since it was last heard of is not started again by a request that needs what
        it had loaded; and an answer that comes twice (a solver that forks may see to that) is passed over.
        """
        if op not in STARTING and not self.alive:
            raise self.death()
        self._asked += 1
        answer = super().ask(op, limit, id=self._asked, **request)
        while answer.pop("id", None) != self._asked:
            answer = self.receive(limit)
        return answer
