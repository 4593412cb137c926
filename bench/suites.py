"""Which cells a run measures, and how long it may take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from solvers import ProblemError
from verification.problems import cases
from verification.problems.cells import Cell, user_cells
from verification.problems.suites import full, headline, quick, scaling, smoke

__all__ = ["SUITES", "Suite", "cells_of", "repeated"]


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
    headline : bool
        Whether all that the page of the headline shows is timed.
    """

    name: str
    summary: str
    budget: float
    longest: float
    cells: Callable[[], list[Cell]]
    headline: bool = False


def _job(job: str, *names: str) -> list[Cell]:
    """A path, or its cross-validation, of each case: lasso down to l1_max / 100, with an intercept."""
    return [Cell(name, "lasso", l1_ratio=100.0, intercept=True, job=job) for name in names]


def quick_jobs() -> list[Cell]:
    """One path and one cross-validation, of small cases: many answers to certify in each."""
    return [*_job("path", "diabetes2"), *_job("cv", "hitters")]


CROSS_VALIDATED = (
    "diabetes2",
    "digits",
    "hitters",
    "khan",
    "nci60",
    "bbc_news_raw",
    "wide_toeplitz",
    "tall_large",
)


def full_jobs() -> list[Cell]:
    """The path of every case but the degenerate ones, and the cross-validation of those of moderate size."""
    names = [name for name in cases(full=True) if name not in cases("degenerate")]
    return [*_job("path", *names), *_job("cv", *CROSS_VALIDATED)]


def path_jobs() -> list[Cell]:
    """A path of each shape that the headline compares, and of real data."""
    return _job("path", *PATHS)


PATHS = (
    "wide_large",
    "square_large",
    "tall_correlated",
    "tall_large",
    "sparse_large",
    "nci60",
    "bbc_news_raw",
    "digits",
)


SUITES = {
    "smoke": Suite("smoke", "a minute at most: one cell of each kind, small data", 40.0, 5.0, smoke),
    "quick": Suite(
        "quick",
        "under five minutes: real and generated data in every regime",
        260.0,
        10.0,
        lambda: [*quick(), *quick_jobs()],
    ),
    "headline": Suite(
        "headline",
        "ten minutes or more: the shapes that are usually compared, and real data, to the last digit",
        600.0,
        20.0,
        headline,
        headline=True,
    ),
    "paths": Suite("paths", "ten minutes: their paths of 100 points", 600.0, 60.0, path_jobs, headline=True),
    "scaling": Suite(
        "scaling", "an hour: cost against n, p, density, correlation and support", 3600.0, 60.0, scaling
    ),
    "full": Suite(
        "full", "hours: every case at every penalty", 4 * 3600.0, 120.0, lambda: [*full(), *full_jobs()]
    ),
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
        No such suite, or no cell left; the message says what there is. Or no problem can be made of the
        user's data: said before anything starts.
    """
    if suite not in SUITES:
        raise ValueError(f"no suite {suite!r}; there are: {', '.join(SUITES)}")
    chosen = SUITES[suite]
    if data is not None:
        own = Suite("data", f"your file {data}", chosen.budget, chosen.longest, lambda: user_cells(data))
        chosen = own
    cells = chosen.cells()
    if data is not None:
        try:
            cells[0].problem()
        except ProblemError as error:
            raise ValueError(f"{data}: {error}") from error
    if pattern is not None:
        kept = [cell for cell in cells if fnmatchcase(cell.name, pattern)]
        if not kept:
            raise ValueError(f"no cell matches {pattern!r}; the first of {len(cells)} is {cells[0].name}")
        cells = kept
    return chosen, cells


def repeated(head: Mapping[str, Any]) -> tuple[Suite, list[Cell]]:
    """Return what a record measured, to be measured again.

    Parameters
    ----------
    head : mapping
        The record's row of kind "run".
    """
    names = {field.name for field in fields(Cell)}
    cells = [Cell(**{key: value for key, value in cell.items() if key in names}) for cell in head["cells"]]
    return Suite(head["suite"], head["summary"], head["budget"], head["longest"], lambda: cells), cells
