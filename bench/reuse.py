"""Cells taken over from earlier records: whole or not at all, where nothing that they rest on differs.

So no ratio is between a time of this run and one of another: all solvers of a cell were measured together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from verification.record import head as read_head
from verification.record import read

__all__ = ["Reuse", "Taken", "usable"]

# What a head must have in common with another, and how it is said where it has not.
SAME = {
    "format": "the format of the record",
    "budget": "the budget",
    "longest": "the longest run",
    "ladder": "the tolerances",
    "extra": "the tolerances",
    "tiers": "the tiers",
    "threads": "the threads",
    "memory": "the limit of memory",
    "limits": "the limits",
    "most_repeats": "the rounds",
    "batch": "the rounds",
    "settings": "the solvers' settings",
    "installed_digest": "an installed package",
    "python": "Python",
    "implementation": "Python",
    "os": "the system",
    "machine": "the machine",
    "cpu": "the processor",
    "cores_allowed": "the cores allowed",
    "memory_gb": "the memory",
}
CODE = {
    "solvers": "the code that all solvers share",
    "worker": "the code that times",
    "judge": "the code that certifies",
    "cases": "the code of the cases",
    "bench": "the code that decides what runs",
}
KINDS = ("result", "path", "cv")

Taken = tuple[str, list[dict[str, Any]]]  # the name of the record, and a cell's rows


class Reuse:
    """What earlier records have for a run.

    Parameters
    ----------
    head : mapping
        The head of the run.
    records : sequence of path
        Complete records, the preferred one first.
    """

    def __init__(self, head: Mapping[str, Any], records: Sequence[Path]) -> None:
        self._head = head
        self._records = list(records)
        self._read: dict[Path, tuple[list[str], dict[str, list[dict[str, Any]]]]] = {}

    @property
    def names(self) -> list[str]:
        """Names of the records."""
        return [path.stem for path in self._records]

    def of(self, cell: str, digest: str) -> Taken | str:
        """Return a cell's rows from the first record that may be used; else why the nearest may not."""
        reasons: list[tuple[int, str]] = []
        for path in self._records:
            others, cells = self._of(path)
            rows = cells.get(cell, [])
            unfit = "" if others else _unfit(rows, digest, self._head["solvers"])
            if not others and not unfit:
                wanted = set(self._head["solvers"])
                return path.stem, [row for row in rows if row["solver"] in wanted]
            reasons.append((len(others), unfit or f"not the same: {', '.join(others)}"))
        return min(reasons, key=lambda each: each[0])[1] if reasons else "there is no earlier record"

    def _of(self, path: Path) -> tuple[list[str], dict[str, list[dict[str, Any]]]]:
        """In what a record differs, so that nothing of it can be used; and its rows by cell."""
        if path not in self._read:
            rows = read(path)
            others, cells = _differences(self._head, rows[0]), defaultdict(list)
            for row in rows if not others else ():
                if row["kind"] in KINDS:
                    cells[row["cell"]].append(row)
            self._read[path] = others, cells
        return self._read[path]


def usable(records: Path, asked: str) -> list[Path]:
    """Return the records that ``--reuse`` names: one by its path or name, or by "auto" all, the newest first.

    Raises
    ------
    ValueError
        If the one that is named is not there or was cut short.
    """
    if asked == "auto":
        return [path for path in sorted(records.glob("*.jsonl"), reverse=True) if _complete(path)]
    path = Path(asked) if Path(asked).is_file() else records / f"{asked}.jsonl"
    if not path.is_file():
        raise ValueError(f"no record {asked} to reuse in {records}")
    if not _complete(path):
        raise ValueError(f"{asked} cannot be reused: it was cut short, or is no record")
    return [path]


def _complete(path: Path) -> bool:
    first = read_head(path)
    if first is None or first.get("kind") != "run":
        return False
    return any(row["kind"] == "end" for row in read(path))


def _differences(head: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Say in what another head differs, as far as the times and the answers of its cells depend on it."""
    found = [words for name, words in SAME.items() if head.get(name) != other.get(name)]
    mine, its = head.get("code_digests") or {}, other.get("code_digests") or {}
    found += [words for name, words in CODE.items() if mine.get(name) != its.get(name)]
    if _blas(head) != _blas(other):
        found.append("BLAS")
    if changed := _changed(head, other):
        found.append(f"the code of {', '.join(changed)}")
    return list(dict.fromkeys(found))


def _changed(head: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    digests = other.get("solver_digests") or {}
    return [
        name
        for name, digest in head["solver_digests"].items()
        if digest is None or (name in digests and digests[name] != digest)
    ]


def _blas(head: Mapping[str, Any]) -> list[str]:
    """Library, version and core type of each; this process's own threads do not matter."""
    return sorted(str({**pool, "num_threads": None}) for pool in head.get("blas") or [])


def _unfit(rows: Iterable[Mapping[str, Any]], digest: str, solvers: Iterable[str]) -> str:
    """Why the rows of a cell cannot be used."""
    rows = list(rows)
    if not rows:
        return "the cell is not in the record"
    if any(row["digest"] != digest for row in rows):
        return "not the same: the data"
    there = {row["solver"] for row in rows if row["phase"] != "first_call"}
    if missing := [name for name in solvers if name not in there]:
        return f"{', '.join(missing)} did not take part"
    return ""
