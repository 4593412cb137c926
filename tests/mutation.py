"""Mutation testing over verification/proofs/: change one thing in the code, and see whether a test fails.

    python tests/mutation.py                     the sample on record (seeded), into results/mutation/
    python tests/mutation.py --only implied.py   every mutant of one file, nothing written

Each mutant takes the place of its module in a child of this process, in which the tests of the proofs run
until the first failure. One that no test fails survives, and needs a reason in results/mutation/reasons.csv.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import signal
import sys
import time
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path

import mutation_record as record
from mutation_sites import PROOFS, Mutant, mutants, mutated

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / ".cache" / "mutation" / "verification" / "proofs"  # what it keeps, it keeps in there
PRELOADED = ("flint", "numba", "pytest", "scipy.linalg", "scipy.optimize", "scipy.sparse.linalg", "typer")
LIMIT = 240.0  # seconds for one mutant; all of the tests take a tenth of that on a quiet machine

# What can tell a mutant of a module, the likeliest first; all of it runs against one that survives.
JUDGE = ["test_certificate.py", "test_faults.py", "test_verdict.py", "test_rigorous.py"]
EXACT = ["test_exact.py", "test_checker.py", "test_rigorous.py"]
TESTS = {
    "checker": ["test_checker.py"], "export": ["test_checker.py", "test_rigorous.py"],
    "rigorous": ["test_rigorous.py", "test_faults.py"], "_dot2": ["test_rigorous.py"],
    "features": ["test_features.py", "test_faults.py"], "held_out": ["test_jobs.py"],
    "path": ["test_jobs.py", *JUDGE], "points": [*JUDGE, "test_jobs.py"],
    **dict.fromkeys(("levels", "exact", "integers", "reduced", "search", "wide"), EXACT),
}  # fmt: skip
# They take long and tell nothing that the others do not, or start processes, in which nothing is mutated.
LEFT_OUT = (
    "not ten_thousand and not planted_fault_is_caught and not stands_alone and not alarm and not killed "
    "and not matrix and not published and not nist and not filip"
)


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


def tests(module: str) -> int:
    """Run the tests of a module in this process, which is a child; return pytest's exit code."""
    import pytest

    sys.meta_path.insert(0, Elsewhere())
    files = [str(ROOT / "tests" / name) for name in TESTS.get(module, JUDGE)]
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-k", LEFT_OUT, *files]))


def trial(mutant: Mutant | None, module: str) -> str:
    """Fork, run, and say how it ended: "killed", "survived", "hung" or "died"."""
    copied(mutant)
    child = os.fork()
    if child == 0:
        os.setsid()
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        code = 1
        try:
            code = tests(module)
        finally:
            os._exit(min(max(code, 0), 100))
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            if os.WIFSIGNALED(status):
                return "died"
            return "survived" if os.WEXITSTATUS(status) == 0 else "killed"
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
    options.add_argument("--again", action="store_true", help="those on record too")
    options.add_argument("--survivors", action="store_true", help="of those on record, the survivors again")
    options.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    given = options.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for name in PRELOADED:
        importlib.import_module(name)
    chosen = mutants(given.only.removesuffix(".py")) if given.only else record.sample()
    known = {} if given.again or given.only else record.on_record()
    if given.survivors:
        known = {key: outcome for key, outcome in known.items() if outcome != record.SURVIVED}
    outcomes = run(chosen, known, given.seconds)
    if given.only:
        return 0
    record.write(outcomes)
    if len(outcomes) < len(chosen):
        print(f"exit 2: {len(outcomes)} of {len(chosen)} done; the same command goes on")
        return 2
    code, words = record.conclude(outcomes)
    print(f"exit {code}: {words}")
    return code


def run(chosen: list[Mutant], known: dict[record.Key, str], seconds: float) -> dict[record.Key, str]:
    """Try those whose outcome is not known, as long as there is time."""
    outcomes: dict[record.Key, str] = {}
    untouched: dict[str, str] = {}
    end = time.monotonic() + seconds
    for k, mutant in enumerate(chosen, 1):
        outcome = known.get(mutant.key)
        if outcome is None and time.monotonic() < end:
            if mutant.module not in untouched:  # tests that fail anyway would kill everything
                untouched[mutant.module] = trial(None, mutant.module)
            if untouched[mutant.module] != record.SURVIVED:
                raise SystemExit(f"exit 2: the tests of {mutant.module} fail without a mutant")
            outcome = trial(mutant, mutant.module)
            change = f"{mutant.module}.py:{mutant.line}: {mutant.before} -> {mutant.after}"
            print(f"{k}/{len(chosen)} {outcome}: {change}", flush=True)
        if outcome is not None:
            outcomes[mutant.key] = outcome
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
