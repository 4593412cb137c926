"""Which tests execute which lines of verification/proofs/: those that can tell a mutant run first.

A test that does not execute a statement cannot tell what is changed in there. So each test is traced once,
line by line, and a mutant meets the tests that execute its statement, the cheapest first. (Where an answer is
kept, as by functools.cache, only the test that came first is seen to execute what made it; so one more may
survive than should, and none fewer.) What is traced is kept in .cache/, for each file of tests as long as it
and the proofs stand.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from mutation_sites import PROOFS, Mutant

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".cache" / "mutation" / "cover"

FILES = (
    "test_fine_figures.py", "test_rigorous_steps.py", "test_reduced.py", "test_scaled.py", "test_search.py",
    "test_exact_steps.py", "test_figures.py", "test_certificate.py", "test_checker.py", "test_exact.py",
    "test_faults.py", "test_features.py", "test_jobs.py", "test_known_answer.py", "test_rigorous.py",
    "test_verdict.py", "test_verdict_penalty.py",
)  # fmt: skip
# They take long and tell nothing that the others do not, or are about solvers and about processes.
LEFT_OUT = " and ".join(
    f"not {name}"
    for name in (
        "ten_thousand",
        "planted_fault_is_caught",
        "alarm",
        "killed",
        "filip",
        "nist_to",
        "our_solvers",
    )
)
COMPILED = {"_dot2": "rigorous"}  # by numba, which a tracer does not see; and the module that calls it

Lines = dict[str, list[int]]  # by module


class Tracer:
    """A pytest plugin: what each test executes of the proofs, and for how long it computes.

    Parameters
    ----------
    folder : Path
        Where the proofs are imported from.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.seen: dict[str, dict[str, Any]] = {}
        self._lines: dict[CodeType, set[int]] = {}

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        if os.path.dirname(frame.f_code.co_filename) != self.folder:
            return None
        lines = self._lines.setdefault(frame.f_code, set())
        lines.add(frame.f_lineno)

        def step(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
            lines.add(frame.f_lineno)
            return step

        return step

    def pytest_runtest_protocol(self, item: Any) -> None:
        """Begin; fixtures are the test's own, too."""
        self._lines = {}
        self._began = time.process_time()
        sys.settrace(self._enter)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """End."""
        sys.settrace(None)
        found: dict[str, set[int]] = {}
        for code, lines in self._lines.items():
            found.setdefault(Path(code.co_filename).stem, set()).update(lines)
        self.seen[nodeid] = {
            "seconds": round(time.process_time() - self._began, 3),
            "lines": {module: sorted(lines) for module, lines in found.items()},
        }


@cache
def digest(name: str) -> str:
    """Digest of the proofs, and of a file of tests."""
    summed = hashlib.sha256(LEFT_OUT.encode())
    for path in [*sorted(PROOFS.glob("*.py")), ROOT / "tests" / name]:
        summed.update(path.name.encode() + path.read_bytes())
    return summed.hexdigest()


def trace(name: str, folder: Path) -> None:
    """Run a file of tests under the tracer, in this process, and keep what is seen; raises if one fails."""
    import pytest

    tracer = Tracer(folder)
    options = ["-x", "-q", "-p", "no:cacheprovider", "-k", LEFT_OUT, str(ROOT / "tests" / name)]
    code = pytest.main(options, [tracer])
    if code:
        raise RuntimeError(f"{name} fails without a mutant (pytest's exit code {int(code)})")
    KEPT.mkdir(parents=True, exist_ok=True)
    told = {"digest": digest(name), "tests": tracer.seen}
    (KEPT / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")


def untraced() -> list[str]:
    """Return the files of tests of which nothing is kept that is of the code as it is."""
    kept = {name: KEPT / f"{name}.json" for name in FILES}
    return [n for n, path in kept.items() if not path.exists() or _read(path)["digest"] != digest(n)]


def _read(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


@cache
def _tests() -> dict[str, tuple[float, Lines]]:
    told = [_read(KEPT / f"{name}.json")["tests"] for name in FILES]
    return {name: (test["seconds"], test["lines"]) for tests in told for name, test in tests.items()}


def seconds(test: str) -> float:
    """CPU seconds of a test, traced."""
    return _tests()[test][0]


def ranked(mutant: Mutant) -> list[str]:
    """Return the tests that execute the statement of a mutant, the cheapest first.

    What stands outside of functions is executed by whoever imports it, and what numba compiles is not seen to
    be: then these are all tests of every file in which one executes the module, or the one that calls it.
    """
    lines = statement(mutant)
    module = COMPILED.get(mutant.module, mutant.module)
    if lines is None or mutant.module in COMPILED:
        files = {name.split("::")[0] for name, (_, seen) in _tests().items() if module in seen}
        chosen = [(cost, name) for name, (cost, _) in _tests().items() if name.split("::")[0] in files]
    else:
        chosen = [
            (c, name) for name, (c, seen) in _tests().items() if not lines.isdisjoint(seen.get(module, ()))
        ]
    return [name for _, name in sorted(chosen)]


def statement(mutant: Mutant) -> set[int] | None:
    """Lines of the innermost statement that a mutant stands in; None outside of functions."""
    inside, found = False, range(0)
    for node in _holders(mutant.module):  # from the outermost to the innermost
        if node.lineno <= mutant.line <= (node.end_lineno or 0):
            inside = inside or isinstance(node, ast.FunctionDef)
            found = range(node.lineno, (node.end_lineno or 0) + 1)
    return set(found) if inside else None


@cache
def _holders(module: str) -> list[Any]:
    tree = ast.parse((PROOFS / f"{module}.py").read_text(encoding="utf-8"))

    def below(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.stmt):
            yield node
        for child in ast.iter_child_nodes(node):
            yield from below(child)

    return list(below(tree))
