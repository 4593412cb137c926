"""kill -9 at random moments: the record at the end equals that of an undisturbed run, times aside.

    python tests/killing.py --kills 20

measures the smoke suite twice: once undisturbed, and once by starting the same command again after each kill.
Solvers with several settings are left out, for which setting goes on is decided by times.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from verification.record import read_counting

ROOT = Path(__file__).resolve().parent.parent

# One setting each, and an exact answer at the loosest rung for both families, so that the dual bound which
# ladders are judged by does not depend on who was faster.
SOLVERS = "lars_numpy,ridge_numpy,active_set_numba,cd_numpy,cd_numba,fista_numpy,admm_numpy,lbfgsb_scipy"

KEY = ("solver", "configuration", "cell", "digest", "phase", "rung")
CERTIFICATE = (
    "status",
    "answer",
    "primal",
    "dual",
    "gap",
    "radius",
    "scale",
    "support",
    "false_features",
    "missed_features",
)


def command(results: Path, *flags: str) -> list[str]:
    """The command line of a run whose records go to `results`."""
    return [sys.executable, "-m", "bench", "run", "--results", str(results), *flags]


def start(results: Path, *flags: str) -> subprocess.Popen[bytes]:
    """Start a run; its output goes to a log beside the records."""
    results.mkdir(parents=True, exist_ok=True)
    with open(results / "log", "ab") as log:
        return subprocess.Popen(
            command(results, *flags),
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def workers_of(pid: int) -> list[int]:
    """Ids of the workers that a run has started."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.Error):  # gone, or about to be
            if "bench.worker" in child.cmdline():
                found.append(child.pid)
    return found


def outcomes(rows: Sequence[dict[str, Any]]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What came of each measurement: status and certificate. Its rounds are one: their number is a time's."""
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in rows:
        if row.get("phase", "first_call") != "first_call":
            outcome = tuple(row.get(name) for name in CERTIFICATE)
            key = tuple(row[name] for name in KEY)
            assert found.setdefault(key, outcome) == outcome, f"two outcomes of {key}"
    return found


def measured_twice(rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Measurements that are on record more than once."""
    keys = [
        (*(row[name] for name in KEY), row["round"])
        for row in rows
        if row.get("phase", "first_call") != "first_call"
    ]
    return [key for key in set(keys) if keys.count(key) > 1]


def written(results: Path) -> int:
    """Bytes on record."""
    return sum(path.stat().st_size for path in (results / "records").glob("*.jsonl"))


def kill_after(process: subprocess.Popen[bytes], seconds: float, results: Path, grown: float = 0.0) -> bool:
    """Kill a run, and see that its workers go too; return whether it was still under way.

    Parameters
    ----------
    seconds : float
        From now; or
    grown : float
        in place of that, bytes more on record, if > 0: starting takes longer than what is to be measured.
    """
    wanted, ends = written(results) + grown, time.monotonic() + seconds
    while process.poll() is None:
        if written(results) < wanted if grown else time.monotonic() < ends:
            time.sleep(0.002)
            continue
        workers = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(workers, timeout=10)
        assert not alive, f"{len(alive)} workers outlived the run"
        return True
    return False


def killed(
    results: Path, kills: int, longest: float, rng: random.Random, *flags: str, size: int = 0
) -> tuple[Path, int]:
    """Kill a run so many times and let it end; return its record and how often it was under way then.

    A run that ends before it is killed is complete: another start would be another run. With `size`, the
    bytes of an undisturbed record, three kills of four come while it is written, the others within `longest`
    seconds.
    """
    done = 0
    for _ in range(kills):
        process = start(results, *flags)
        grown = rng.uniform(1.0, 2 * size / kills) if size and rng.random() < 0.75 else 0.0
        if not kill_after(process, rng.uniform(0.0, longest), results, grown):
            break
        done += 1
    else:
        process = start(results, *flags)
    code = process.wait()
    assert code == 0, (results / "log").read_text()[-2000:]
    (record,) = (results / "records").glob("*.jsonl")
    return record, done


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--suite", default="smoke")
    parser.add_argument("--solvers", default=SOLVERS)
    parser.add_argument("--budget", type=float, default=150.0)
    chosen = parser.parse_args()
    flags = ["--suite", chosen.suite, "--solvers", chosen.solvers, "--budget", str(chosen.budget)]
    flags += ["--rounds", "3"]  # how many there are is a matter of time, and is not compared
    with tempfile.TemporaryDirectory(prefix="killing-") as scratch:
        began = time.monotonic()
        record, _ = killed(Path(scratch) / "undisturbed", 0, 0.0, random.Random(0), *flags)
        duration = time.monotonic() - began
        expected, _ = read_counting(record)
        rng = random.Random(chosen.seed)
        longest, size = 2 * duration / chosen.kills, record.stat().st_size
        record, done = killed(Path(scratch) / "killed", chosen.kills, longest, rng, *flags, size=size)
        rows, torn = read_counting(record)
    wanted, found = outcomes(expected), outcomes(rows)
    different = [key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)]
    kinds = [row["kind"] for row in rows]
    print(
        f"{done} kills of {chosen.kills} while under way; continued {kinds.count('resume')} times, "
        f"{torn} torn lines; {len(wanted)} measurements undisturbed, {len(found)} killed, "
        f"{len(measured_twice(rows))} measured twice, {len(different)} different"
    )
    for key in different:
        print(key, wanted.get(key), found.get(key), sep="\n  ")
    return int(bool(different) or bool(measured_twice(rows)))


if __name__ == "__main__":
    sys.exit(main())
