"""What a long run has measured so far, cell by cell: one that is cut short goes on where it stopped.

    half = Halfway("baseline", "tol 1e-10", *names)
    for cell in cells:
        if cell.name not in half.done:
            half.keep(cell.name, measure(cell))
    half.finished()

The digest of a run is that of its code, of what is installed and of what was asked: another one begins anew.
"""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["Halfway", "run_digest"]

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "halfway"
ROOMS = ("solvers", "verification")


def run_digest(*asked: str) -> str:
    """Return what a run comes to: the code of both rooms, everything that is installed, what was asked."""
    total = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            total.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    installed = sorted({f"{found.name}=={found.version}" for found in metadata.distributions()})
    total.update("\0".join([*installed, "", *asked]).encode())
    return total.hexdigest()[:16]


class Halfway:
    """The cells that are measured; each new one is appended to a file of the cache at once.

    Parameters
    ----------
    what : str
        Which kind of run; the file's name begins with it.
    *asked : str
        What the results depend on besides code and packages; another run has another file.

    Attributes
    ----------
    path : Path
        One cell a line.
    done : dict
        Name of the cell -> what was kept of it, JSON-able.
    """

    def __init__(self, what: str, *asked: str) -> None:
        self.path = CACHE / f"{what}-{run_digest(*asked)}.jsonl"
        self.done: dict[str, Any] = {}
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        for line in lines:
            if not line:
                continue
            try:
                cell, value = json.loads(line)
            except json.JSONDecodeError:  # the writer was killed in the middle of it
                continue
            self.done[cell] = value

    def keep(self, cell: str, value: Any) -> None:
        """Take in what was measured on a cell."""
        self.done[cell] = value
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:  # a line feed first: the last line may be torn
            file.write("\n" + json.dumps([cell, value], ensure_ascii=False) + "\n")

    def finished(self) -> None:
        """Drop the file: the results stand elsewhere, and the next run begins anew."""
        self.path.unlink(missing_ok=True)
