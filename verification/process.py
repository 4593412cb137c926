"""A process that is spoken to by JSON lines, and killed with its children when its time is up."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from .environment import pinned_environment

__all__ = ["Died", "Killed", "Process", "die_with_parent"]

ROOT = Path(__file__).resolve().parent.parent
LOG_KEPT = 1_000_000  # bytes of output that may pile up between two requests
LAST_WORDS = 2000  # bytes of output that are read for the last line


class Died(RuntimeError):
    """The process ended without an answer; the text says how."""


class Killed(RuntimeError):
    """No answer within the hard limit; the process and its children were killed."""


def die_with_parent() -> None:
    """Ask the kernel to end this process when the parent is gone, even in the middle of a run (Linux)."""
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def how_it_ended(code: int | None) -> str:
    """Say what an exit code means."""
    if code is None:
        return "it closed its end of the protocol"
    if code >= 0:
        return f"the process ended itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the process died of {name}" + (" (out of memory?)" if -code == signal.SIGKILL else "")


class Process:
    """A module of ours, run in a process of its own, that answers each line of JSON with one.

    Parameters
    ----------
    module : str
    arguments : sequence of str
    threads : int
        Threads for every numerical library in it.

    Notes
    -----
    It is started by the first request, and again by the first one after its death; `generation` counts the
    starts, so that the caller knows when what it had loaded is gone.
    """

    def __init__(self, module: str, arguments: Sequence[str] = (), threads: int = 1) -> None:
        self.command = [sys.executable, "-m", module, *arguments]
        self.threads = threads
        self.generation = 0
        self._process: subprocess.Popen[bytes] | None = None
        # Appending, so that truncating it between requests is safe while the process holds it open.
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
        self.kill()
        paths = [
            str(ROOT),
            *(os.path.abspath(path) for path in sys.path),
        ]  # "" is where a user's module lives
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=pinned_environment(self.threads, PYTHONPATH=os.pathsep.join(dict.fromkeys(paths))),
            start_new_session=True,  # a group of its own, so that a kill reaches its children too
        )
        self._buffer = b""
        self.generation += 1

    def ask(self, op: str, limit: float, **request: Any) -> dict[str, Any]:
        """Send one request and wait for its answer.

        Parameters
        ----------
        op : str
            What is asked for.
        limit : float
            Seconds until the process group is killed.
        **request
            The arguments of the operation, JSON-able.

        Raises
        ------
        Killed
            When the limit passed.
        Died
            When the process ended without an answer.
        """
        self.start()
        self._trim_log()
        self._send({"op": op, **request})
        return self.receive(limit)

    def _send(self, request: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Died(self._last_words()) from None

    def receive(self, limit: float) -> dict[str, Any]:
        """Wait for the next line of a process that answers a request with several; raises as `ask` does."""
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = monotonic() + limit
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - monotonic()))
            if not ready:
                self.kill()
                raise Killed(f"no answer within {limit:.3g} s: killed")
            chunk = os.read(descriptor, 1 << 16)
            if not chunk:
                raise Died(self._last_words())
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
            log.seek(max(0, os.fstat(log.fileno()).st_size - LAST_WORDS))
            lines = log.read().decode(errors="replace").strip().splitlines()
        said = f"; it last wrote: {lines[-1][:200]}" if lines else ""
        return how_it_ended(code) + said

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

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
