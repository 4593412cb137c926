"""Published results as checks: printed numbers, who printed them, and under which standardisation.

    @published(citation="...", standardisation="...", needs="esl_prostate")
    def esl_ridge(solver: Solver) -> Iterator[Line]: ...

The numbers stand in this package with their sources; the data are other people's and stay outside: a folder
named by the environment variable L1L2_DATA, by default ``shared/data`` beside the checkout. Where a data set
is not there the check says so and counts as missing, never as passed.

A published number agrees if it lies within half a unit of its last printed digit, or within the accuracy that
the printing program's own stopping rule allows, which the check then derives.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solvers import Problem, Solution, Stop, solve

__all__ = ["DataMissing", "Line", "Published", "Solver", "published", "published_results", "read", "tight"]

Vector = NDArray[np.float64]
Solver = Callable[[Problem], Solution]
FOLDER = "L1L2_DATA"


class DataMissing(RuntimeError):
    """A data set is not on this machine; the message says where it was looked for."""


@dataclass(frozen=True)
class Line:
    """One printed number and ours.

    Attributes
    ----------
    what : str
    printed : float
    ours : float
    within : float
        Largest difference that the printed number allows.
    """

    what: str
    printed: float
    ours: float
    within: float

    @property
    def agrees(self) -> bool:
        """Whether ours lies within what was printed; the margin of 1e-6 is for the decimal's own rounding."""
        return abs(self.ours - self.printed) <= self.within * (1 + 1e-6)

    @property
    def digits(self) -> float:
        """Correct digits, as NIST counts them: see ``correct_digits``."""
        return correct_digits(self.ours, self.printed)


@dataclass(frozen=True)
class Published:
    """A named set of printed numbers; `lines(solver)` computes ours beside them."""

    name: str
    summary: str
    citation: str
    standardisation: str
    needs: str
    lines: Callable[[Solver], Iterator[Line]]

    def missing(self) -> str | None:
        """Return why the data cannot be had here, or None."""
        try:
            find(self.needs)
        except DataMissing as reason:
            return str(reason)
        return None


_REGISTRY: dict[str, Published] = {}


def published(
    *, citation: str, standardisation: str, needs: str
) -> Callable[[Callable[[Solver], Iterator[Line]]], Published]:
    """Register a function that yields Lines; `needs` is a folder of the data, or "package:<distribution>"."""

    def register(lines: Callable[[Solver], Iterator[Line]]) -> Published:
        if not lines.__doc__:
            raise ValueError(f"{lines.__name__} has no docstring: its first line is what the tables show")
        summary = lines.__doc__.strip().splitlines()[0]
        entry = Published(lines.__name__, summary, citation, standardisation, needs, lines)
        _REGISTRY[entry.name] = entry
        return entry

    return register


def published_results() -> dict[str, Published]:
    """Return every published result by name."""
    from . import published_glmnet, published_lars, published_nist  # noqa: F401 (they register themselves)

    return dict(sorted(_REGISTRY.items()))


def correct_digits(ours: float, printed: float) -> float:
    """Return -log10 |ours - printed| / |printed| (NIST StRD), or of the absolute error where printed is 0."""
    error = abs(ours - printed) / (abs(printed) if printed else 1.0)
    return math.inf if error == 0 else -math.log10(error)


def half_unit(decimals: int) -> float:
    """Return half a unit of the last of so many decimals."""
    return 0.5 * 10.0**-decimals


def compare(
    what: str, names: Iterable[str], printed: Iterable[float], ours: Iterable[float], within: float
) -> Iterator[Line]:
    """Yield a Line for each name; the three must have the same length."""
    for name, a, b in zip(names, printed, ours, strict=True):
        yield Line(f"{what} {name}".strip(), float(a), float(b), within)


def tight(solver: str | None = None, tol: float = 1e-14) -> Solver:
    """Return a function that solves to a relative gap of tol, as far as floating point goes."""
    return lambda problem: solve(problem, solver, Stop(tol=tol, time_limit=20.0))


def find(needs: str) -> Path:
    """Return the folder of a data set, or of an installed distribution.

    Raises
    ------
    DataMissing
    """
    kind, _, name = needs.rpartition(":")
    if kind == "package":
        try:
            return Path(str(distribution(name).locate_file("")))
        except PackageNotFoundError as error:
            raise DataMissing(f"{name} is not installed, which carries the data") from error
    default = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    root = Path(os.environ.get(FOLDER, default))
    if not (root / needs).is_dir():
        raise DataMissing(f"{root / needs} is not there: set {FOLDER} to the folder that holds {needs}/")
    return root / needs


def read(needs: str, file: str) -> dict[str, Vector]:
    """Return the columns of a .csv by name; the words True and False become 1 and 0."""
    head, *lines = (find(needs) / file).read_text(encoding="utf-8").split()
    rows = [
        [{"True": 1.0, "False": 0.0}.get(x) if x in ("True", "False") else float(x) for x in line.split(",")]
        for line in lines
    ]
    return dict(zip(head.replace('"', "").split(","), np.array(rows, dtype=np.float64).T, strict=True))


def columns(table: dict[str, Vector], *leave_out: str) -> Vector:
    """Return the table as a matrix (n, p), column-major, without some of its columns."""
    return np.asfortranarray(np.column_stack([x for name, x in table.items() if name not in leave_out]))


def main() -> int:
    """Print every published result and how close to its limit it comes; 1 if any number disagrees."""
    worst = 0
    for entry in published_results().values():
        if reason := entry.missing():
            print(f"{entry.name:20} MISSING   {reason}")
            continue
        lines = list(entry.lines(tight()))
        wrong = [line for line in lines if not line.agrees]
        used = max(abs(line.ours - line.printed) / line.within for line in lines if line.within)
        verdict = f"{len(wrong)} DISAGREE" if wrong else "agrees"
        count = f"{len(lines):4} numbers, {used:4.0%} of what is allowed"
        print(f"{entry.name:20} {verdict:10} {count}: {entry.summary}")
        for line in wrong:
            worst = 1
            print(f"    {line.what}: printed {line.printed!r}, ours {line.ours!r}, allowed {line.within:.1e}")
    return worst


if __name__ == "__main__":
    # Run as a script this file would be a second copy, with a registry of its own.
    from verification.checks.published import main as door

    raise SystemExit(door())
