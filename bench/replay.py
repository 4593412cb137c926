"""The measured rounds as pytest-benchmark's statistics and JSON.

pytest-benchmark reads a clock before and after each round.  The clock it is given here (bench/test_bench.py)
shows the seconds that a worker measured, so its statistics are of those and of nothing else.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Clock", "write_json"]

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Clock:
    """A clock that shows measured seconds.

    Attributes
    ----------
    now : float
        What it shows: 0 before a round, the round's seconds after it.
    """

    now: float = 0.0

    def rewind(self) -> None:
        """Go back to 0, before a round."""
        self.now = 0.0

    def rounds(self, seconds: Sequence[float]) -> Callable[[], None]:
        """Return a function that moves the clock on by each of `seconds` in turn."""
        waiting = iter(seconds)

        def next_round() -> None:
            self.now = next(waiting)

        return next_round


def write_json(record: Path, results: Path) -> Path:
    """Write <run>.pytest-benchmark.json by replaying a record through pytest-benchmark.

    Parameters
    ----------
    record : path
        A run's .jsonl.
    results : path
        Folder for the file.

    Raises
    ------
    RuntimeError
        If pytest fails; the message holds the end of what it printed.
    """
    target = results / f"{record.stem}.pytest-benchmark.json"
    command = [
        sys.executable, "-m", "pytest", f"{ROOT / 'bench' / 'test_bench.py'}::test_time", "-q",
        "-p", "no:cacheprovider", "-W", "ignore:Not saving anything",
        "--benchmark-quiet", f"--replay={record}", f"--benchmark-json={target}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    nothing = 5  # pytest's exit code when no test was collected
    if done.returncode not in (0, nothing):
        raise RuntimeError(
            f"pytest-benchmark could not replay {record.name}:\n{done.stdout[-2000:]}{done.stderr[-1000:]}"
        )
    return target
