"""From rows of digits to tables: pure functions, for the terminal, Markdown and reports alike."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from .digits import OPTIMUM

__all__ = [
    "Digits",
    "Table",
    "by_cell",
    "by_solver",
    "in_words",
    "markdown",
    "nist_table",
    "reference_table",
    "references",
    "summary_table",
]

FULL = 9.0  # digits from which an answer counts as exact: those of the cap, less a margin for its rounding
WORDS = (
    (FULL, "exact"),
    (6.0, "six digits or more"),
    (3.0, "three to six digits"),
    (1.0, "one to three digits"),
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A title, the head, and rows of text; the first column names the rows."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Digits:
    """What one solver showed over all cells.

    Attributes
    ----------
    solver : str
    answers, proven : int
        Cells with an answer, and those of them whose coefficients are proven.
    exact : int
        Proven cells in which the worst coefficient has at least FULL digits.
    least, median : float or None
        Median over the proven cells of the worst and of the median coefficient's digits; None without any.
    false, missed : int
        Features, over the proven cells.
    endings : dict of str to int
        How the runs ended, in words.
    """

    solver: str
    answers: int
    proven: int
    exact: int
    least: float | None
    median: float | None
    false: int
    missed: int
    endings: Mapping[str, int]


def in_words(least: float) -> str:
    """Accuracy of the worst coefficient in words."""
    return next((words for digits, words in WORDS if least >= digits), "no digit")


def by_solver(rows: Iterable[Row]) -> list[Digits]:
    """Return one summary a solver, in the order of the rows."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in _results(rows):
        groups[row["solver"]].append(row)
    return [_summary(solver, group) for solver, group in groups.items()]


def _summary(solver: str, group: Sequence[Row]) -> Digits:
    answered = [row for row in group if row.get("least") is not None]
    proven = [row for row in answered if row["measure"] == "coefficients"]
    return Digits(
        solver,
        len(answered),
        len(proven),
        sum(row["least"] >= FULL for row in proven),
        median(row["least"] for row in proven) if proven else None,
        median(row["median"] for row in proven) if proven else None,
        sum(row["false"] or 0 for row in proven),
        sum(row["missed"] or 0 for row in proven),
        dict(Counter(row["status"].lower() for row in group)),
    )


def references(rows: Iterable[Row]) -> dict[str, str]:
    """Return, for each cell, why its digits are those of the objective; "" where its optimum is proven."""
    return {row["cell"]: row["why"] for row in _results(rows) if row.get("why") is not None}


def by_cell(rows: Iterable[Row]) -> list[Table]:
    """Return one table a case: solvers down, cells across, the digits and the features in each field."""
    found = list(_results(rows))
    cases: dict[str, dict[str, None]] = defaultdict(dict)  # case -> cells, in order
    solvers = dict.fromkeys(row["solver"] for row in found)
    fields: dict[tuple[str, str], str] = {}
    for row in found:
        cases[row["case"]][row["cell"]] = None
        fields[row["solver"], row["cell"]] = _field(row)
    tables = []
    for case, cells in cases.items():
        head = ("solver", *(cell.removeprefix(f"{case}/") for cell in cells))
        lines = ((solver, *(fields.get((solver, cell), "") for cell in cells)) for solver in solvers)
        tables.append(Table(case, head, tuple(line for line in lines if any(line[1:]))))
    return tables


def _field(row: Row) -> str:
    """``worst / median``, false features as +k, missed ones as -k, and how it ended if not well."""
    if row.get("least") is None:
        return "" if row["status"] == "REFUSED" else row["status"].lower()
    words = f"{row['least']:.1f} / {row['median']:.1f}"
    if row["measure"] == "objective":
        words = f"({row['least']:.1f})"
    words += f" +{row['false']}" if row["false"] else ""
    words += f" -{row['missed']}" if row["missed"] else ""
    return words if row["status"] == "CONVERGED" else f"{words} {row['status'].lower()}"


def summary_table(rows: Iterable[Row]) -> Table:
    """Return ``by_solver`` as a table."""
    head = ("solver", "answers", "proven", "exact", "worst", "median", "false", "missed", "not converged")
    lines = []
    for d in by_solver(rows):
        other = ", ".join(f"{n} {ending}" for ending, n in d.endings.items() if ending != "converged")
        counts = (str(x) for x in (d.answers, d.proven, d.exact))
        digits = ("" if x is None else f"{x:.1f}" for x in (d.least, d.median))
        lines.append((d.solver, *counts, *digits, str(d.false), str(d.missed), other))
    return Table("By solver", head, tuple(lines))


def reference_table(rows: Iterable[Row]) -> Table:
    """Return the cells whose coefficients are not proven, and why."""
    lines = tuple((cell, why) for cell, why in references(rows).items() if why)
    return Table("Not proven", ("cell", "why the digits are those of the objective"), lines)


def nist_table(lines: Mapping[str, str]) -> Table:
    """Return what the campaign `nist` has on record: digits through the decimals, and through float64."""
    rows = []
    for name, words in lines.items():
        decimals, _, floats = words.partition("; ")
        rows.append((name, decimals.removeprefix("decimals: "), floats.removeprefix("float64 columns: ")))
    return Table(
        "NIST StRD", ("problem", "from the published decimals", "through float64 columns"), tuple(rows)
    )


def markdown(table: Table) -> str:
    """Return a table in Markdown."""
    lines = ["| " + " | ".join(table.head) + " |", "|---" * len(table.head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in table.rows)])


def _results(rows: Iterable[Row]) -> Iterable[Row]:
    return (row for row in rows if row.get("kind", "result") == "result" and row["solver"] != OPTIMUM)
