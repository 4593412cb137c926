"""The parent's side of a worker: a process that holds one solver."""

from __future__ import annotations

import os
import signal
from typing import Any

from verification.process import Died as WorkerDied
from verification.process import Killed as WorkerKilled
from verification.process import Process
from verification.process import TooLarge as WorkerTooLarge

__all__ = ["Worker", "WorkerDied", "WorkerKilled", "WorkerTooLarge"]

BODY_MOST = 1 << 33  # bytes that may follow an answer: no coefficients that fit into a machine take more
STARTING = ("hello", "load")  # requests that may start a process; the others need what was loaded


class Worker(Process):
    """A persistent process that holds one solver; its operations are those of bench/worker.py.

    An answer is a line of JSON; what is too large for that (coefficients) follows it as bare bytes.

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
        """Send one request and wait for its answer: see Process.ask."""
        self.send(op, **request)
        return self.answer(limit)

    def send(self, op: str, **request: Any) -> None:
        """Send one request; the next call is that for its :meth:`answer`.

        A process that has died since it was last heard of is not started again by a request that needs what
        it had loaded.
        """
        if op not in STARTING and not self.alive:
            raise self.death()
        self._asked += 1
        self._signal(signal.SIGCONT)
        super().send(op, id=self._asked, **request)

    def answer(self, limit: float) -> dict[str, Any]:
        """Wait for the answer to the last request, and for no other.

        One that comes twice (a solver that forks may see to that) is passed over.

        Between two requests the process is stopped, with all its threads and children: whatever a solver has
        left running would compute beside the timed call of another.
        """
        answer: dict[str, Any] = {}
        while answer.pop("id", None) != self._asked:
            answer = self._with_body(self.receive(limit), limit)
        self._signal(signal.SIGSTOP)
        return answer

    def _with_body(self, answer: dict[str, Any], limit: float) -> dict[str, Any]:
        """Add what follows an answer: so many bytes as it says."""
        size = answer.pop("bytes", 0)
        if not (isinstance(size, int) and 0 <= size < BODY_MOST):
            raise self.garbled()
        return answer | {"body": self.body(size, limit)} if size else answer

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and to its children that are in its group."""
        if self.pid is None:
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:  # it has ended meanwhile: the next request will tell
            return
