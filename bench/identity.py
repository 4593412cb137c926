"""What makes two runs the same, and two measurements: code, data, settings, machine."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.twins import parse
from solvers import catalogue

__all__ = ["code_digests", "installed_digest", "same_run", "solver_digest"]

ROOT = Path(__file__).resolve().parent.parent
SOLVERS = ROOT / "solvers"

# What runs in a worker's process beside the solver; a test follows the imports.
WORKER = ("worker", "accept", "decoy", "jobs", "pages", "payload", "peak", "twins", "floors")

# What may differ between the starts of one run: the name, the moment, and what no measurement depends on.
VOLATILE = frozenset({"run", "started", "load", "argv", "commit", "dirty"})


def same_run(head: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two headers ask for the same measurements by the same code on the same machine."""
    return _asked(head) == _asked(other)


def _asked(head: Mapping[str, Any]) -> dict[str, Any]:
    asked = {key: value for key, value in head.items() if key not in VOLATILE}
    # Neither the order they were loaded in nor this process's threads matter: it waits while workers time.
    asked["blas"] = sorted(str({**pool, "num_threads": None}) for pool in head.get("blas", []))
    return asked


def solver_digest(name: str) -> str | None:
    """Return the digest of a solver's file and of every file of ``solvers/`` that it imports.

    Parameters
    ----------
    name : str
        Of the catalogue, or ``module:function``, of which the module's own file alone is known.
    """
    name = parse(name).solver
    module = name.partition(":")[0] if ":" in name else f"solvers.{name}"
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return None
    found, waiting = set(), [Path(spec.origin)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return _digest(found)


def _imported(path: Path) -> list[Path]:
    """Files of ``solvers/`` that a file of it imports, inside its functions too."""
    if path.parent != SOLVERS:
        return []
    names = sorted(_names(path.read_bytes()))
    return [file for name in names if (file := SOLVERS / f"{name}.py").is_file()]


@lru_cache(maxsize=256)  # most solvers share most of what they import
def _names(source: bytes) -> frozenset[str]:
    """Names of modules that may be of ``solvers/`` and that a file of it imports."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # it fails in its worker, with words
        return frozenset()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.removeprefix("solvers.") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").removeprefix("solvers").removeprefix(".")
            names |= {module} if module else {alias.name for alias in node.names}
    return frozenset(names)


def code_digests() -> dict[str, str]:
    """Return digests of the code that every measurement rests on, by what it does.

    Returns
    -------
    dict
        solvers (the shared files: problem, solution, registry ...), worker (times), judge (certifies),
        cases (the data and the cells), bench (decides what runs).
    """
    own = {SOLVERS / f"{name}.py" for name in catalogue()}
    bench = set((ROOT / "bench").glob("*.py"))
    worker = {ROOT / "bench" / f"{name}.py" for name in WORKER}
    verification = ROOT / "verification"
    return {
        "solvers": _digest(set(SOLVERS.glob("*.py")) - own),
        "worker": _digest(worker),
        "judge": _digest((verification / "proofs").rglob("*.py")),
        "cases": _digest((verification / "problems").rglob("*.py")),
        "bench": _digest([*(bench - worker), verification / "verdict.py", verification / "record.py"]),
    }


def installed_digest() -> str:
    """Return the digest of the names and versions of everything that is installed."""
    installed = sorted({f"{found.name}=={found.version}" for found in metadata.distributions()})
    return hashlib.sha256("\n".join(installed).encode()).hexdigest()


def _digest(paths: Iterable[Path]) -> str:
    """Return one digest of files, by name and content."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
