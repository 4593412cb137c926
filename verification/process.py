"""A process that is spoken to by JSON lines, and killed with its children when its time is up."""

from __future__ import annotations

import ctypes
import json
import math
import os
import secrets
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, ClassVar

from .environment import pinned_environment
from .memory import Resident
from .orphans import MARK, adopt_orphans, children, end_orphans

__all__ = ["Died", "Killed", "Process", "TooLarge", "die_with_parent"]

ROOT = Path(__file__).resolve().parent.parent
LOG_KEPT = 1_000_000  # bytes of output that may pile up between two requests
LAST_WORDS = 2000  # bytes of output that are read for the last line
LINE_MOST = 64_000_000  # bytes of a line; the largest of ours has a few millions
POLLS = (0.01, 0.2)  # seconds between two looks at a process that is waited for: at first, and at last


class Died(RuntimeError):
    """The process ended without an answer; the text says how.

    Attributes
    ----------
    signal : int
        That it died of, 0 if of none.
    """

    def __init__(self, words: str, signal: int = 0) -> None:
        super().__init__(words)
        self.signal = signal

    @property
    def slain(self) -> bool:
        """Whether it was killed from outside, which a solver may have no part in.

        By the kernel when the machine ran out of memory, or by an operator.
        """
        return self.signal == signal.SIGKILL


class Killed(RuntimeError):
    """It broke a limit, and was killed together with its children; the text says which."""


class TooLarge(Killed):
    """The limit was that of memory."""


def die_with_parent() -> None:
    """Ask the kernel to end this process when the parent is gone, even in the middle of a run (Linux).

    What its descendants leave behind stays below it, so that the parent can tell whose it is.
    """
    adopt_orphans()
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
    memory : int, optional
        Bytes that may be resident, those of its children included.
    scratch : path-like, optional
        Folder of its log; the system's for temporary files if not given.
    environment : mapping, optional
        Variables of its environment besides those that are pinned.

    Attributes
    ----------
    peak : int
        Bytes that were resident at most during the last request, as seen while waiting; 0 if it was short.

    Notes
    -----
    It is started by the first request, and again by the first one after its death; `generation` counts the
    starts, so that the caller knows when what it had loaded is gone.
    """

    _leaders: ClassVar[set[int]] = set()  # ids of all that run

    def __init__(
        self,
        module: str,
        arguments: Sequence[str] = (),
        threads: int = 1,
        memory: int | None = None,
        scratch: str | os.PathLike[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.command = [sys.executable, "-m", module, *arguments]
        self.threads = threads
        self.environment = dict(environment or {})
        self.memory = memory
        self.generation = 0
        self.peak = 0
        self._process: subprocess.Popen[bytes] | None = None
        # Appending, so that truncating it is safe while the process holds it open. Closed in close().
        self._log = tempfile.NamedTemporaryFile("ab", suffix=".log", dir=scratch)  # noqa: SIM115
        self._buffer = bytearray()
        self._mark = ""
        self._before: set[int] = set()  # ids of the children that this process had when it was started

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Id of the process, None if there is none."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process if it does not run."""
        if self.alive:
            return
        self.kill()
        adopt_orphans()
        self._mark, self._before = secrets.token_hex(8), children()
        # "" is where a user's module lives
        paths = [str(ROOT), *(os.path.abspath(path) for path in sys.path)]
        extra = self.environment | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), MARK: self._mark}
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=pinned_environment(self.threads, **extra),
            start_new_session=True,  # a group of its own, so that a kill reaches its children too
        )
        self._leaders.add(self._process.pid)
        self._buffer = bytearray()
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
            When the limit passed; TooLarge when it was that of memory.
        Died
            When the process ended without an answer, or wrote what is none.
        """
        self.send(op, **request)
        return self.receive(limit)

    def send(self, op: str, **request: Any) -> None:
        """Send one request, and do not wait; raises Died if there is nobody to read it."""
        self.start()
        self._trim_log()
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"op": op, **request}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self.death() from None

    def receive(self, limit: float) -> dict[str, Any]:
        """Wait for the next line of a process that answers a request with several; raises as `ask` does."""
        line = self._line(limit)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):  # the second for a line of nothing but brackets
            answer = None
        if not isinstance(answer, dict):
            raise self.garbled()
        return answer

    def garbled(self) -> Died:
        """Kill a process that wrote what is no answer; return the error to be raised."""
        self.kill()
        return Died("the process wrote something else into the protocol: killed")

    def body(self, size: int, limit: float) -> bytes:
        """Wait for so many bytes that follow the line that was received last; raises as `ask` does."""
        self._wait(limit, lambda: len(self._buffer) >= size)
        body = bytes(self._buffer[:size])
        del self._buffer[:size]
        return body

    def _line(self, limit: float) -> bytes:
        self.peak = 0
        self._wait(limit, lambda: b"\n" in self._buffer, LINE_MOST)
        line, self._buffer = self._buffer.split(b"\n", 1)
        return bytes(line)

    def _wait(self, limit: float, complete: Callable[[], bool], most: float = math.inf) -> None:
        """Read until it is complete, with an eye on the memory of the process and on the size of its log."""
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = monotonic() + limit
        descriptor = self._process.stdout.fileno()
        resident: Resident | None = None
        pause, longest = POLLS
        while not complete():
            left = deadline - monotonic()
            if select.select([descriptor], [], [], max(0.0, min(pause, left)))[0]:
                chunk = os.read(descriptor, 1 << 16)
                if not chunk:
                    raise self.death()
                self._buffer += chunk
                if len(self._buffer) > most:
                    raise self.garbled()
            elif not self.alive and not select.select([descriptor], [], [], 0)[0]:
                raise self.death()  # without an end of the pipe: a child that it forked holds it open
            elif left > 0:
                pause = min(2 * pause, longest)
                resident = resident or Resident(self._process.pid)
                self._look(resident)
            if left <= 0 and not complete():
                self.kill()
                raise Killed(f"no answer within {limit:.3g} s: killed")

    def _look(self, resident: Resident) -> None:
        self._trim_log()
        resident.look()
        self.peak = resident.peak
        if self.memory is not None and self.peak > self.memory:
            self.kill()
            sizes = f"{self.peak / 1e9:.2f} GB resident, the limit is {self.memory / 1e9:.2f} GB"
            raise TooLarge(f"{sizes}: killed")

    def death(self) -> Died:
        """Say how the process ended, and the last line it wrote."""
        if self._process is None:
            return Died("the process has ended")
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            code = None
        self.kill()
        with open(self._log.name, "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - LAST_WORDS))
            lines = log.read().decode(errors="replace").strip().splitlines()
        said = f"; it last wrote: {lines[-1][:200]}" if lines else ""
        return Died(how_it_ended(code) + said, signal=max(0, -(code or 0)))

    def _trim_log(self) -> None:
        if os.fstat(self._log.fileno()).st_size > LOG_KEPT:
            self._log.truncate(0)

    def strike(self) -> None:
        """Have the process and its group ended, without waiting for it: `kill` does."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:  # the whole group is gone already
            self._process.poll()

    def kill(self) -> None:
        """End the process and whatever it started."""
        self.strike()
        process, self._process = self._process, None
        if process is None:
            return
        process.wait()
        self._leaders.discard(process.pid)
        end_orphans(process.pid, self._mark, self._before | self._leaders)
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
