"""The parent's side of a worker: start it, ask it, and kill it when its time is up."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from verification.environment import pinned_environment

__all__ = ["Worker", "WorkerDied", "WorkerKilled"]

ROOT = Path(__file__).resolve().parent.parent
LOG_KEPT = 1_000_000  # bytes of a worker's output that may pile up between two requests


class WorkerDied(RuntimeError):
    """The process ended without an answer; the text says how."""


class WorkerKilled(RuntimeError):
    """No answer within the hard limit; the process and its children were killed."""


def _how(code: int | None) -> str:
    if code is None:
        return "closed its end of the protocol"
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        hint = " (out of memory?)" if -code == signal.SIGKILL else ""
        return f"the process died of {name}{hint}"
    return f"the process ended itself with exit code {code}"


class Worker:
    """A persistent process that holds one solver.

    Parameters
    ----------
    solver : str
        A name of the catalogue or ``module:function``.
    threads : int
        Threads for every numerical library in it.

    Notes
    -----
    It is started by the first request, and again by the first one after a crash or a kill; `generation`
    counts the starts, so that the caller knows when what it loaded is gone.
    """

    def __init__(self, solver: str, threads: int = 1) -> None:
        self.solver = solver
        self.threads = threads
        self.generation = 0
        self._process: subprocess.Popen[bytes] | None = None
        # Appending, so that truncating it between requests is safe while the worker holds it open.
        self._log = tempfile.NamedTemporaryFile(mode="ab", suffix=".log")  # noqa: SIM115 closed in close()
        self._buffer = b""

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process if it does not run."""
        if self.alive:
            return
        paths = [str(ROOT), *(path for path in sys.path if path)]
        environment = pinned_environment(self.threads, PYTHONPATH=os.pathsep.join(dict.fromkeys(paths)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", self.solver],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            start_new_session=True,  # a group of its own, so that a kill reaches the solver's children too
        )
        self._buffer = b""
        self.generation += 1

    def ask(self, op: str, limit: float, **request: Any) -> dict[str, Any]:
        """Send one request and wait for its answer.

        Parameters
        ----------
        op : str
            hello, load, warm_up, run or environment.
        limit : float
            Seconds until the process group is killed.
        **request
            The arguments of the operation, JSON-able.

        Raises
        ------
        WorkerKilled
            When the limit passed.
        WorkerDied
            When the process ended without an answer.
        """
        self.start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        self._trim_log()
        try:
            process.stdin.write(json.dumps({"op": op, **request}).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise WorkerDied(self._last_words()) from None
        deadline = monotonic() + limit
        descriptor = process.stdout.fileno()
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - monotonic()))
            if not ready:
                self.kill()
                raise WorkerKilled(f"no answer within {limit:.3g} s: killed")
            chunk = os.read(descriptor, 1 << 16)
            if not chunk:
                raise WorkerDied(self._last_words())
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        """How the process ended, and the last line it wrote."""
        assert self._process is not None
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            code = None
        self.kill()
        with open(self._log.name, "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - 2000))
            lines = log.read().decode(errors="replace").strip().splitlines()
        said = f"; it last wrote: {lines[-1][:200]}" if lines else ""
        return _how(code) + said

    def _trim_log(self) -> None:
        if os.fstat(self._log.fileno()).st_size > LOG_KEPT:
            self._log.truncate(0)

    def kill(self) -> None:
        """End the process and whatever it started."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:  # the whole group is gone already
            process.poll()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # an unsent request to a process that is no more
                    continue

    def close(self) -> None:
        """End the process and drop its log."""
        self.kill()
        self._log.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
