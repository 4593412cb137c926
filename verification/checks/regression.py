"""Has any answer become worse? The rows of a run against those of the committed baseline.

A row is one solver on one cell: how it ended, whether it kept its claim, and its correct digits. What fails
is a loss of more than MARGIN digits, a new WRONG, a claim that is made no more, and a row that is gone. Where
the data of a cell have changed nothing is compared, and that is all that is said.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ..digits import OPTIMUM
from ..verdict import judge

__all__ = [
    "BASELINE",
    "LEFT_OUT",
    "MARGIN",
    "Baseline",
    "Change",
    "Entry",
    "Kind",
    "compare",
    "entries",
    "left_out",
    "read",
    "written",
]

BASELINE = Path(__file__).resolve().parents[2] / "results" / "baseline" / "digits.csv"
MARGIN = 0.5  # digits that may be lost
LISTED = 10  # changes of a kind that does not fail, which are printed
DIGEST = 10  # hexadecimal digits of a problem's digest that are kept
COLUMNS = ("cell", "data", "solver", "outcome", "measure", "least", "median")

LEFT_OUT = "left out"  # took too long when the baseline was made; not run again
BY_THE_CLOCK = ("time_limit", "killed")  # another machine stops elsewhere: no digits to compare
ENDED_WELL = ("kept", "converged")


@dataclass(frozen=True)
class Entry:
    """One row of the baseline.

    Attributes
    ----------
    cell, solver : str
    data : str
        First digits of the problem's digest.
    outcome : str
        "kept": it says that it converged, claims a gap, and that holds. "converged": it says so and claims no
        gap. "WRONG": docs/maths.md (WRONG). Else its status, or LEFT_OUT.
    measure : str
        What the digits are of: "coefficients" or "objective".
    least, median : float or None
        Correct digits, of the worst coefficient and of the median one; None without an answer.
    """

    cell: str
    data: str
    solver: str
    outcome: str
    measure: str = ""
    least: float | None = None
    median: float | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What rows are joined on."""
        return self.cell, self.solver

    @property
    def digits(self) -> str:
        """The digits in words."""
        if self.least is None or self.median is None:
            return "none"
        of = "" if self.measure == "coefficients" else " of the objective"
        return f"{self.least:.2f} (median {self.median:.2f}){of}"


@dataclass(frozen=True)
class Baseline:
    """What is committed: the rows, and what they were made with."""

    entries: tuple[Entry, ...]
    versions: Mapping[str, str]

    def left_out(self) -> set[tuple[str, str]]:
        """Return (cell, solver) of the pairs that are not run."""
        return {e.key for e in self.entries if e.outcome == LEFT_OUT}


class Kind(Enum):
    """What may have become of a row. The value is the word that is printed."""

    LOSS = "loss"
    WRONG = "WRONG"
    CLAIM = "claim"
    VANISHED = "vanished"
    DATA = "data changed"
    ABSENT = "not compared"
    NEW = "new"
    GAIN = "gain"

    @property
    def fails(self) -> bool:
        """Whether it is a regression."""
        return self in (Kind.LOSS, Kind.WRONG, Kind.CLAIM, Kind.VANISHED)


@dataclass(frozen=True)
class Change:
    """One difference, with its reason in a line."""

    kind: Kind
    cell: str
    solver: str
    words: str

    def __str__(self) -> str:
        who = f"{self.solver} on {self.cell}" if self.solver else self.cell
        return f"{self.kind.value}: {who}" + (f": {self.words}" if self.words else "")


def entries(rows: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Return the entries of a run's rows (``digits.measured``); refused and missing solvers have none."""
    rows = list(rows)
    found = []
    for result in judge(rows).results:
        row = result.row
        if row["status"] in ("REFUSED", "MISSING") or row["solver"] == OPTIMUM:
            continue
        outcome = row["status"].lower()
        if outcome == "converged" and row["claims_gap"] and row.get("claimed_gap") is not None:
            outcome = "kept"
        if result.wrong:
            outcome = "WRONG"
        answered = row.get("least") is not None and outcome not in BY_THE_CLOCK
        least, median = (round(row[key], 2) if answered else None for key in ("least", "median"))
        measure = row.get("measure", "") if answered else ""
        data = row["digest"][:DIGEST]
        found.append(Entry(row["cell"], data, row["solver"], outcome, measure, least, median))
    return found


def left_out(rows: Iterable[Mapping[str, Any]], pairs: set[tuple[str, str]]) -> list[Entry]:
    """Return the entries of the pairs (cell, solver) that took too long."""
    data = {row["cell"]: row["digest"][:DIGEST] for row in rows if row["kind"] == "result"}
    return [Entry(cell, data[cell], solver, LEFT_OUT) for cell, solver in pairs]


def compare(
    baseline: Baseline, current: Sequence[Entry], absent: Mapping[str, str], asked: set[tuple[str, str]]
) -> list[Change]:
    """Compare a run with the baseline.

    Parameters
    ----------
    baseline : Baseline
    current : sequence of Entry
    absent : mapping
        Cell or solver -> why it could not be tried here (its package is not installed).
    asked : set of (cell, solver)
        The pairs of this run; the baseline's others are not looked at.

    Returns
    -------
    list of Change
        The failing ones first.
    """
    now = {e.key: e for e in current}
    data = {e.cell: e.data for e in current}
    before = {e.key: e for e in baseline.entries if e.key in asked}
    found: list[Change] = []
    changed = sorted({e.cell for e in before.values() if data.get(e.cell, e.data) != e.data})
    found += [Change(Kind.DATA, cell, "", "") for cell in changed]
    told: set[str] = set()
    for key, old in before.items():
        why = absent.get(old.cell) or absent.get(old.solver)
        if old.cell in changed or old.outcome == LEFT_OUT:
            continue
        if why:
            name = old.cell if old.cell in absent else old.solver
            found += [Change(Kind.ABSENT, name, "", why)] if name not in told else []
            told.add(name)
        elif key not in now:
            found.append(Change(Kind.VANISHED, *key, f"was {old.outcome}, {old.digits} digits"))
        else:
            found += _against(old, now[key])
    for key, new in now.items():
        if key not in before and new.cell not in changed:
            kind = Kind.WRONG if new.outcome == "WRONG" else Kind.NEW
            found.append(Change(kind, *key, f"{new.outcome}, {new.digits} digits"))
    order = list(Kind)
    return sorted(found, key=lambda c: (order.index(c.kind), c.solver, c.cell))


def _against(old: Entry, new: Entry) -> list[Change]:
    """Compare one row on the same data."""
    words = f"{old.digits} -> {new.digits} digits"
    if new.outcome == "WRONG" and old.outcome != "WRONG":
        return [Change(Kind.WRONG, *new.key, f"was {old.outcome}; {words}")]
    if old.outcome in ENDED_WELL and new.outcome not in (*ENDED_WELL, "WRONG"):
        return [Change(Kind.CLAIM, *new.key, f"{old.outcome} -> {new.outcome}; {words}")]
    if old.least is None or new.least is None:
        lost = old.least is not None and new.outcome not in BY_THE_CLOCK
        return [Change(Kind.LOSS, *new.key, f"{new.outcome}: {words}")] if lost else []
    if old.measure != new.measure:  # the proof reaches further, or less far: another measure
        return [Change(Kind.NEW, *new.key, words)]
    assert old.median is not None
    assert new.median is not None
    gained = max(new.least - old.least, new.median - old.median)
    lost_digits = max(old.least - new.least, old.median - new.median)
    if round(lost_digits, 2) > MARGIN:
        return [Change(Kind.LOSS, *new.key, words)]
    return [Change(Kind.GAIN, *new.key, words)] if round(gained, 2) > MARGIN else []


def shown(changes: Sequence[Change]) -> list[str]:
    """Return the lines to print: all that fail, the first LISTED of each other kind and how many more."""
    lines = []
    for kind in Kind:
        found = [str(change) for change in changes if change.kind is kind]
        most = len(found) if kind.fails else LISTED
        lines += found[:most]
        lines += [f"{kind.value}: and {len(found) - most} more"] if len(found) > most else []
    return lines


def written(baseline: Baseline) -> str:
    """Return the file: versions as comments, then one row a line, sorted."""
    out = io.StringIO()
    for name, version in sorted(baseline.versions.items()):
        out.write(f"# {name} {version}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for e in sorted(baseline.entries, key=lambda e: e.key):
        digits = ("" if x is None else f"{x:.2f}" for x in (e.least, e.median))
        writer.writerow((e.cell, e.data, e.solver, e.outcome, e.measure, *digits))
    return out.getvalue()


def read(path: Path = BASELINE) -> Baseline:
    """Read a baseline.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If a line is not as ``written`` makes them.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    versions = dict(line[2:].split(" ", 1) for line in lines if line.startswith("#"))
    head, *rows = csv.reader(line for line in lines if not line.startswith("#"))
    if tuple(head) != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise ValueError(f"{path} is not a baseline: its columns are not {', '.join(COLUMNS)}")
    found = []
    for *words, least, median in rows:
        digits = (float(x) if x else None for x in (least, median))
        found.append(Entry(*words, *digits))  # type: ignore[arg-type]
    return Baseline(tuple(found), versions)
