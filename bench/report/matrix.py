"""Every pair of solvers: won, tied, lost, and the ratio of their times over the cells both have solved."""

from __future__ import annotations

from bench.overall import Tally, means, penalised, solved, win_tie_loss
from bench.report.model import Report
from bench.report.pairwise import geometric_mean
from bench.report.tables import Table
from bench.report.words import WANTED, duration, group_name, number

__all__ = ["matrix_table", "means_table"]


def matrix_table(report: Report, tier: float) -> Table:
    """Every solver (row) against every other (column)."""
    cells = list(report.cells)
    names = [name for name in report.solvers if any(report.timing(name, cell, tier) for cell in cells)]
    rows = [[name, *[""] * len(names)] for name in names]
    shades: dict[tuple[int, int], str] = {}
    met = solved(report, tier, cells)
    for k, first in enumerate(names):
        for j, second in enumerate(names[:k]):
            ratio = _ratio(report, first, second, tier)
            if ratio is None:
                continue
            tally = win_tie_loss(report, first, second, tier, cells, met)
            rows[k][j + 1], rows[j][k + 1] = _entry(tally, ratio), _entry(_turned(tally), 1 / ratio)
            if tally.wins != tally.losses:
                won = tally.wins > tally.losses
                shades[k, j + 1], shades[j, k + 1] = ("better", "worse") if won else ("worse", "better")
    return Table(
        f"Pair by pair, at {number(tier)}",
        "The row's solver against the column's: cells won - tied - lost of those that both have solved; the "
        "geometric mean of the ratios of their times there (below 1: the row's is faster); and the cells "
        "that the row's (+) or the column's (-) alone has solved. The cells of a pair are decided together, "
        "by the noise that is named below. No other solver plays a part in a pair. Blue: won more than lost; "
        "orange: the contrary.",
        ["", *names],
        rows,
        shades,
    )


def _ratio(report: Report, first: str, second: str, tier: float) -> float | None:
    pairs = [(report.timing(first, cell, tier), report.timing(second, cell, tier)) for cell in report.cells]
    ratios = [a.seconds / b.seconds for a, b in pairs if a is not None and b is not None]
    return geometric_mean(ratios) if ratios else None


def _turned(tally: Tally) -> Tally:
    """The same, seen from the other side."""
    return Tally(tally.losses, tally.ties, tally.wins, tally.only_second, tally.only_first)


def _entry(tally: Tally, ratio: float) -> str:
    alone = "".join(
        f" {sign}{count}" for sign, count in (("+", tally.only_first), ("-", tally.only_second)) if count
    )
    return f"{tally.wins}-{tally.ties}-{tally.losses} {ratio:.2g}x{alone}"


def means_table(report: Report, tier: float = WANTED) -> Table:
    """Mean times in each regime that no failure flatters, of the solvers that were asked for all of it."""
    groups = report.groups()
    columns: list[dict[str, float]] = []
    for _, _, cells in groups:
        times = penalised(report, tier, cells)
        most = max(map(len, times.values()), default=0)
        columns.append(means({name: found for name, found in times.items() if len(found) == most}))
    rows = [
        [name, *(duration(column[name]) if name in column else "-" for column in columns)]
        for name in report.solvers
        if any(name in column for column in columns)
    ]
    return Table(
        f"Mean time to {number(tier)}, failures penalised",
        "Shifted geometric mean, the shift a tenth of the median time; a cell that is not proven to be "
        f"solved costs the longest time that was allowed, {report.head['longest']:g} s. Of the solvers that "
        "refused no cell that another was asked to solve; a dash for the others.",
        ["solver", *(group_name(regime, family) for regime, family, _ in groups)],
        rows,
    )
