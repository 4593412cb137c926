"""What is known of the kill matrix so far, cell by cell: a run that is cut short goes on where it stopped.

A cell is known as long as the code stands that it was measured with: that of the fault, and that of the
check, each with what it imports from this room of checks. Proofs and solvers lie outside: after a change
there every cell is measured again with ``--fresh``.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..check import all_checks

__all__ = ["Cell", "Journal", "digest_of_check", "digest_of_files", "files_of", "module_file"]

CHECKS = Path(__file__).resolve().parents[1]  # the room


@dataclass(frozen=True)
class Cell:
    """What one check made of one fault.

    Attributes
    ----------
    name : str
        The fault, or the honest solver.
    check : str
    mark : str
        As in the matrix.
    words : str
        The first failure, where it does not hold.
    seconds : float
    runs : dict of str to int
        How the solver's runs ended.
    """

    name: str
    check: str
    mark: str
    words: str = ""
    seconds: float = 0.0
    runs: Mapping[str, int] = field(default_factory=dict)


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    """Files of its room that a file imports, wherever it does so."""
    room = CHECKS if CHECKS in path.parents else path.parent
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        folder = path.parents[node.level - 1]
        base = folder.joinpath(*(node.module or "").split(".")) if node.module else folder
        modules = [base, base / "__init__", *(base / alias.name for alias in node.names)]
        files = [module.with_suffix(".py") for module in modules]
        found += [file for file in files if file.is_file() and room in file.parents]
    return tuple(dict.fromkeys(found))


def files_of(start: Iterable[Path]) -> list[Path]:
    """Return some files and all that they import within their room, sorted."""
    seen: set[Path] = set()
    left = list(start)
    while left:
        path = left.pop()
        if path not in seen:
            seen.add(path)
            left += _imports(path)
    return sorted(seen)


def digest_of_files(start: Iterable[Path]) -> str:
    """Digest of `files_of` these."""
    summed = hashlib.sha256()
    for path in files_of(start):
        name = path.relative_to(CHECKS.parents[1]).as_posix()
        summed.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return summed.hexdigest()[:16]


def module_file(name: str) -> Path:
    """Return the file of a module."""
    return Path(str(importlib.import_module(name).__file__)).resolve()


@cache
def digest_of_check(name: str) -> str:
    """Digest of a check's file, and of what it imports."""
    return digest_of_files([module_file(all_checks()[name].module)])


class Journal:
    """The cells that are known; each new one is appended to a file at once.

    Parameters
    ----------
    path : Path
        One cell a line; lines that do not apply any more stay, and count for nothing.
    digest_of_row : callable
        Digest of the fault's, or the honest solver's code, by name.
    """

    def __init__(self, path: Path, digest_of_row: Any) -> None:
        self.path = path
        self._digest_of_row = digest_of_row
        self._cells: dict[tuple[str, str, str], Cell] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    told = json.loads(line)
                except json.JSONDecodeError:  # the writer was killed in the middle of it
                    continue
                key = told.pop("key")
                self._cells[told["name"], told["check"], key] = Cell(**told)

    def key(self, name: str, check: str) -> str:
        """Return what a cell's code comes to."""
        return f"{self._digest_of_row(name)} {digest_of_check(check)}"

    def get(self, name: str, check: str) -> Cell | None:
        """Return a cell if it is known."""
        return self._cells.get((name, check, self.key(name, check)))

    def add(self, cell: Cell) -> None:
        """Take in a cell."""
        key = self.key(cell.name, cell.check)
        self._cells[cell.name, cell.check, key] = cell
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, **asdict(cell)}, ensure_ascii=False) + "\n")
