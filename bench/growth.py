"""How the cost grows: a section of docs/performance.md, printed from one run of suite "scaling".

Not from the headline's run: nothing is compared across the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.headline import OURS, Headline, headline
from bench.report import build
from bench.report.scaling import ladders, scaling_table

__all__ = ["Growth", "growth"]

NEAR = 1e-9  # the accuracy at which the exponents are fitted


@dataclass(frozen=True)
class Growth:
    """What the section is printed from.

    Attributes
    ----------
    found : Headline
        Times of ours and of the best peer of each cell.
    entries : dict
        Cell -> entries of X that are not zero.
    supports : dict
        Cell -> coefficients that are not zero in ours, at 1e-6 or tighter.
    exponents : list of list of str
        Solver, exponent, its 95 % interval, what grows, cells.
    """

    found: Headline
    entries: dict[str, int]
    supports: dict[str, int]
    exponents: list[list[str]]


def growth(rows: Iterable[Mapping[str, Any]]) -> Growth:
    """Arrange the rows of one run of suite "scaling".

    Raises
    ------
    ValueError
        If they are headed by no run.
    """
    rows = list(rows)
    found, report = headline(rows), build(rows)
    supports: dict[str, int] = {}
    for row in rows:
        ours = row["kind"] == "result" and row["solver"] == OURS and row["phase"] == "ladder"
        if ours and row["tol"] <= 1e-6 and row["support"] is not None:
            supports.setdefault(row["cell"], row["support"])
    table = scaling_table(report, ladders(report), NEAR)
    entries = {cell.name: cell.nnz for cell in report.cells.values()}
    return Growth(found, entries, supports, table.rows)
