"""Lasso paths of the real data of a run, each point certified."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.report.charts import Axis, Chart, Line
from bench.report.looks import COLOURS, GREY
from bench.report.model import Report
from solvers import Problem, Stop, solve_path
from verification import certify
from verification.problems import Case, lookup, user_case

__all__ = ["Path", "path", "paths"]

POINTS = 30
DEPTH = 1e-2  # the smallest l1 over l1_max
LIMIT = 1.0  # seconds for a point
NAMED, DRAWN = 12, 60  # features


@dataclass(frozen=True)
class Path:
    """A path, or why there is none.

    Attributes
    ----------
    case : str
    chart : Chart or None
    said : str
        How well it is proven, and what is not drawn.
    """

    case: str
    chart: Chart | None
    said: str


def paths(report: Report) -> Iterator[Path]:
    """Yield the path of each real case of the run, and of the user's own file."""
    files = {cell["case"]: cell.get("path") for cell in report.head["cells"] if cell.get("case")}
    for name in dict.fromkeys(cell.case for cell in report.cells.values()):
        try:
            case = user_case(files[name]) if files.get(name) else lookup(name)
            if case.tags & {"real", "user"}:
                yield path(_lasso(case), name)
        except KeyError:
            continue  # a case that this checkout does not have
        except Exception as error:  # data that are gone, a solver that fails: no reason to have no report
            yield Path(name, None, f"Not drawn: {type(error).__name__}: {error}")


def _lasso(case: Case) -> Problem:
    data = case.load()
    return Problem(data.X, data.y, intercept=True, name=case.name)


def path(problem: Problem, title: str) -> Path:
    """Solve and certify the lasso path of one problem, from l1_max to DEPTH times that."""
    solutions = solve_path(problem, n_l1=POINTS, ratio=DEPTH, stop=Stop(tol=1e-9, time_limit=LIMIT))
    fractions = np.geomspace(1.0, DEPTH, POINTS)
    top = problem.l1_max()
    worst = 0.0
    for fraction, solution in zip(fractions, solutions, strict=True):
        gap = certify(problem.replace(l1=top * float(fraction)), solution.coef, solution.intercept).gap_rel
        worst = max(worst, math.inf if gap is None else gap)
    table = np.array([solution.coef for solution in solutions])  # (POINTS, p)
    height = np.abs(table).max(axis=0)
    entered = int(np.count_nonzero(height))
    shown = np.argsort(-height, kind="stable")[: min(DRAWN, entered)]
    chart = Chart(f"path {title}", title, Axis("l1 / l1_max", reverse=True), Axis("coefficient", log=False))
    largest = np.argsort(-np.abs(table[-1, shown]), kind="stable")[:NAMED]
    for rank, k in enumerate(largest):
        chart.lines.append(_line(f"x{shown[k]}", fractions, table[:, shown[k]], COLOURS[rank % len(COLOURS)]))
    others = [k for k in range(len(shown)) if k not in set(largest.tolist())]
    chart.lines[:0] = [_line(f"x{shown[k]}", fractions, table[:, shown[k]], GREY) for k in others]
    said = f"{title}: {entered} of {problem.p} features enter"
    said += f", the {len(shown)} largest are drawn" if entered > len(shown) else ""
    said += f"; the largest self-certified gap on the path is {worst:.0e} N."
    return Path(title, chart, said)


def _line(name: str, fractions: NDArray[Any], coefs: NDArray[Any], colour: str) -> Line:
    """One feature, from the point before it enters on."""
    first = max(0, int(np.flatnonzero(coefs)[0]) - 1)
    return Line(name, fractions[first:].tolist(), coefs[first:].tolist(), colour=colour)
