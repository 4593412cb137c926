"""What is on record of a run already, when it was cut short: its rows are not measured again.

A run is continued by running it again from its beginning: whatever is on record is taken from there, together
with the clock at that time, so that what was decided is decided alike; then measuring goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["Key", "Past", "key"]

Key = tuple[Any, ...]

# Which measurement a row is of. A first call is none: each process has its own.
_KEY = ("solver", "configuration", "cell", "digest", "phase", "rung", "round")


def key(row: Mapping[str, Any]) -> Key:
    """Return what tells one measurement of a run from another."""
    return tuple(row.get(name) for name in _KEY)


class Past:
    """The rows that earlier starts of a run left.

    Parameters
    ----------
    rows : iterable of mappings
        In the order of writing.

    Attributes
    ----------
    measured : int
        Largest `at` on record.
    elapsed : float
        Seconds of the budget that were spent when the last row was written.
    processes : dict
        Number of processes that each solver has had.
    reused : set of (str, int)
        Rows that were taken over from other records: their records and numbers.
    complete : bool
        Whether nothing is left to measure.
    """

    def __init__(self, rows: Iterable[dict[str, Any]] = ()) -> None:
        self._rows: dict[Key, dict[str, Any]] = {}
        self._said: set[str] = set()
        self._solvers: set[str] = set()
        self.measured = 0
        self.elapsed = 0.0
        self.processes: dict[str, int] = defaultdict(int)
        self.reused: set[tuple[str, int]] = set()
        self.complete = False
        for row in rows:
            self._take(row)

    def _take(self, row: dict[str, Any]) -> None:
        if row["kind"] == "end":
            self.complete = True
        elif row["kind"] == "note":
            self._said.add(row["message"])
        elif row["kind"] == "solver":
            self._solvers.add(row["solver"])
        elif "reused" in row:
            self.measured = max(self.measured, row["at"])
            self.reused.add((row["reused"], row["was"]))
        elif "phase" in row:
            self.measured = max(self.measured, row["at"])
            self.elapsed = max(self.elapsed, row["elapsed"])
            who = row["solver"]
            self.processes[who] = max(self.processes[who], row["process"] or 0)
            if row["phase"] != "first_call":
                self._rows[key(row)] = row

    def __len__(self) -> int:
        """Return the number of measurements."""
        return len(self._rows)

    def find(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the row on record of the measurement that `row` is about to be, if there is one."""
        return self._rows.get(key(row))

    def said(self, note: str) -> bool:
        """Whether a note is on record."""
        return note in self._said

    def introduced(self, solver: str) -> bool:
        """Whether a solver has said who it is."""
        return solver in self._solvers
