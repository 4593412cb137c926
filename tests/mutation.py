"""Mutation testing over verification/proofs/: change one thing in the code, and see whether a test fails.

    python tests/mutation.py                     the samples on record (seeded), into results/mutation/
    python tests/mutation.py --sample 2          the second of them alone
    python tests/mutation.py --only implied.py   every mutant of one file, nothing written

Each mutant takes the place of its module in a child of this process, in which the tests that execute it run
until the first failure, the cheapest first (mutation_cover.py). One that no test fails survives, and needs a
reason in results/mutation/reasons.csv.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

import mutation_cover as cover
import mutation_record as record
from mutation_sites import PROOFS, Mutant, mutants, mutated

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / ".cache" / "mutation" / "verification" / "proofs"  # what it keeps, it keeps in there
PRELOADED = ("flint", "numba", "pytest", "scipy.linalg", "scipy.optimize", "scipy.sparse.linalg", "typer")
LIMIT = 240.0  # seconds on the clock for one mutant, one that waits for something included
SLACK, TIMES = 5.0, 10.0  # CPU seconds of a test, and times what it takes traced: after that it hangs
FIRST = 24  # tests before the files of all others are read
MEMORY = 8 * 2**30  # bytes: one that asks for more has failed


class Elsewhere(MetaPathFinder):
    """Finds verification.proofs in the copy."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Find that package only; its modules are found beside it."""
        if fullname != "verification.proofs":
            return None
        return spec_from_file_location(fullname, COPY / "__init__.py", submodule_search_locations=[str(COPY)])


def copied(mutant: Mutant | None) -> None:
    """Copy the folder of proofs, with one change; times are kept, so that compiled code stays valid."""
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(PROOFS, COPY, ignore=shutil.ignore_patterns("__pycache__"))
    if mutant is not None:
        (COPY / f"{mutant.module}.py").write_text(mutated(mutant.module, mutant.site), encoding="utf-8")


class Impatient:
    """A pytest plugin: a test that computes for far longer than it should ends the process."""

    def pytest_runtest_protocol(self, item: Any) -> None:
        """Set the clock; what it sends, SIGPROF, is not caught."""
        signal.setitimer(signal.ITIMER_PROF, SLACK + TIMES * cover.seconds(item.nodeid))


def tests(mutant: Mutant) -> int:
    """Run the tests that may tell a mutant in this process, which is a child; return pytest's exit code."""
    import pytest

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # three quarters of the time until the first test
    ranked = cover.ranked(mutant)
    for names in (ranked[:FIRST], ranked[FIRST:]):
        options = ["-x", "-q", "-p", "no:cacheprovider", *names]
        if names and (code := pytest.main(options, [Impatient()])):
            return int(code)
    return 0


def trial(mutant: Mutant | None, traced: str = "") -> str:
    """Fork, run, and say how it ended: "killed", "survived", "hung" or "died".

    Without a mutant a file of tests is traced, on the copy too: whether its tests pass there is seen by that.
    """
    copied(mutant)
    child = os.fork()
    if child == 0:
        os.setsid()
        code = 1
        try:
            sys.meta_path.insert(0, Elsewhere())
            if mutant is None:
                cover.trace(traced, COPY)
                code = 0
            else:
                quiet = os.open(os.devnull, os.O_WRONLY)
                os.dup2(quiet, 1)
                os.dup2(quiet, 2)
                code = tests(mutant)
        finally:
            os._exit(min(max(code, 0), 100))
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline or mutant is None:
        done, status = os.waitpid(child, os.WNOHANG)
        if done and os.WIFSIGNALED(status):
            return "hung" if os.WTERMSIG(status) == signal.SIGPROF else "died"
        if done:
            return record.SURVIVED if os.WEXITSTATUS(status) == 0 else "killed"
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"


def main() -> int:
    """Run the sample, or all mutants of one file; return the exit code."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--only", help="all mutants of one file of proofs/; nothing is written")
    options.add_argument(
        "--sample", type=int, choices=range(1, len(record.SAMPLES) + 1), help="that one alone"
    )
    options.add_argument("--again", action="store_true", help="those on record too")
    options.add_argument("--survivors", action="store_true", help="of those on record, the survivors again")
    options.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    given = options.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for name in PRELOADED:
        importlib.import_module(name)
    end = time.monotonic() + given.seconds
    if given.only:
        run(mutants(given.only.removesuffix(".py")), {}, end, lambda _: None)
        return 0
    which = record.SAMPLES if given.sample is None else (record.SAMPLES[given.sample - 1],)
    codes = [of_sample(one, given, end) for one in which]
    return max(codes)


def of_sample(which: record.Sample, given: argparse.Namespace, end: float) -> int:
    """Run a sample as far as there is time, keep what is known, print the page; return the exit code."""
    chosen = record.sample(which)
    known = {} if given.again else record.on_record(which)
    if given.survivors:
        known = {key: outcome for key, outcome in known.items() if outcome != record.SURVIVED}
    outcomes = run(chosen, known, end, partial(record.write, which))
    record.write_page()
    if len(outcomes) < len(chosen):
        print(f"exit 2: {len(outcomes)} of {len(chosen)} done; the same command goes on")
        return 2
    code, words = record.conclude(outcomes)
    print(f"exit {code}: seed {which.seed}: {words}")
    return code


def run(
    chosen: list[Mutant],
    known: dict[record.Key, str],
    end: float,
    keep: Callable[[dict[record.Key, str]], None],
) -> dict[record.Key, str]:
    """Try those whose outcome is not known, until a time on the clock; all that is known then is kept."""
    for name in cover.untraced():
        if trial(None, name) != record.SURVIVED:  # tests that fail anyway would kill everything
            raise SystemExit(f"exit 2: {name} fails without a mutant")
    outcomes = {mutant.key: known[mutant.key] for mutant in chosen if mutant.key in known}
    for k, mutant in enumerate(chosen, 1):
        if mutant.key in outcomes or time.monotonic() > end:
            continue
        began = _computed()
        outcomes[mutant.key] = trial(mutant)
        change = f"{mutant.module}.py:{mutant.line}: {mutant.before} -> {mutant.after}".replace("\n", " ")
        spent = f"{_computed() - began:.1f} s"
        print(f"{k}/{len(chosen)} {outcomes[mutant.key]}, {spent}: {change}", flush=True)
        keep({other.key: outcomes[other.key] for other in chosen if other.key in outcomes})
    return outcomes


def _computed() -> float:
    """CPU seconds of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
