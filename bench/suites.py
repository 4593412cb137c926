"""Which cells a run measures, and how long it may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from verification.problems import cases
from verification.problems.cells import Cell, grid, option_cells, user_cells

__all__ = ["SUITES", "Suite", "cells_of"]


@dataclass(frozen=True)
class Suite:
    """A named choice of cells.

    Attributes
    ----------
    name : str
    summary : str
    budget : float
        Seconds for everything, unless --budget says otherwise.
    longest : float
        Upper limit in seconds for one run of a solver.
    cells : callable
        Returns the cells.
    """

    name: str
    summary: str
    budget: float
    longest: float
    cells: Callable[[], list[Cell]]


def _lasso(case: str, *ratios: float) -> list[Cell]:
    """Lasso at l1_max / ratio; a negative ratio stands for the cell with an intercept."""
    return [Cell(case, "lasso", l1_ratio=abs(ratio), intercept=ratio < 0) for ratio in ratios]


def _ridge(case: str, l2_ratio: float, intercept: bool) -> Cell:
    return Cell(case, "ridge", l2_ratio=l2_ratio, intercept=intercept)


def _enet(case: str, l1_ratio: float, intercept: bool) -> Cell:
    return Cell(case, "enet", l1_ratio=l1_ratio, l2_ratio=0.1, intercept=intercept)


def smoke() -> list[Cell]:
    """One cell of each kind, of small data."""
    return [
        *_lasso("diabetes", -100),
        _ridge("diabetes", 0.01, intercept=False),
        *_lasso("small_wide", 10),
        _enet("small_sparse", 10, intercept=True),
    ]


def quick() -> list[Cell]:
    """Every l1 from l1_max/3 to l1_max/100 in every regime; not the full cross: it ends in minutes."""
    return [
        *_lasso("diabetes", -3, 10, -100),
        _ridge("diabetes", 0.01, intercept=True),
        *_lasso("diabetes2", -10, 30, -100),
        _ridge("diabetes2", 0.01, intercept=False),
        _enet("diabetes2", 10, intercept=True),
        *_lasso("breast_cancer", -10, 100),
        _ridge("breast_cancer", 1.0, intercept=True),
        _enet("breast_cancer", 30, intercept=True),
        *_lasso("digits", 3, -30, -100),
        _ridge("digits", 0.01, intercept=True),
        *_lasso("nci60", -3, 10, -30, -100),
        _ridge("nci60", 0.01, intercept=True),
        _enet("nci60", 10, intercept=False),
        *_lasso("bbc_news_raw", -3, 10, -30, 100),
        _ridge("bbc_news_raw", 1.0, intercept=False),
        _enet("bbc_news_raw", 10, intercept=True),
        *_lasso("wide_toeplitz", 3, -10, 100),
        _enet("wide_toeplitz", 30, intercept=True),
        *_lasso("tall_toeplitz", 3, -10, -30, 100),
        _ridge("tall_toeplitz", 0.01, intercept=True),
        *_lasso("sparse_powerlaw", -10, 100),
        _enet("sparse_powerlaw", 30, intercept=False),
    ]


def full() -> list[Cell]:
    """Every case but the degenerate ones at every penalty, and all options of (P) on small data."""
    awkward = cases("degenerate")
    plain = [cell for name, case in cases(full=True).items() if name not in awkward for cell in grid(case)]
    return list(dict.fromkeys([*plain, *option_cells()]))


SUITES = {
    "smoke": Suite("smoke", "a minute at most: one cell of each kind, small data", 40.0, 5.0, smoke),
    "quick": Suite(
        "quick", "under five minutes: real and generated data in every regime", 240.0, 10.0, quick
    ),
    "full": Suite("full", "hours: every case at every penalty", 4 * 3600.0, 120.0, full),
}


def cells_of(suite: str, data: str | None = None, pattern: str | None = None) -> tuple[Suite, list[Cell]]:
    """Return a suite and its cells.

    Parameters
    ----------
    suite : str
        Of SUITES; with `data` only its budget counts.
    data : str, optional
        The user's own file: its cells take the place of the suite's, under the name "data".
    pattern : str, optional
        Keep the cells whose names match, e.g. ``nci60/lasso/*``.

    Raises
    ------
    ValueError
        No such suite, or no cell left; the message says what there is.
    """
    if suite not in SUITES:
        raise ValueError(f"no suite {suite!r}; there are: {', '.join(SUITES)}")
    chosen = SUITES[suite]
    if data is not None:
        own = Suite("data", f"your file {data}", chosen.budget, chosen.longest, lambda: user_cells(data))
        chosen = own
    cells = chosen.cells()
    if pattern is not None:
        kept = [cell for cell in cells if fnmatchcase(cell.name, pattern)]
        if not kept:
            raise ValueError(f"no cell matches {pattern!r}; the first of {len(cells)} is {cells[0].name}")
        cells = kept
    return chosen, cells
