"""Certificates of a path or of a cross-validation, as columns of one row: a list for each figure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.jobs import Task, fold_problems
from solvers import Problem
from verification import Certificate, Judge, certify_path

__all__ = ["certified"]

# Lists of a row, one entry for each point. Secondary figures are kept to six digits.
FULL = ("primal", "dual")
SHORT = ("gap", "radius", "implied_l1", "implied_l2", "implied_off", "implied_gain")


def certified(
    problem: Problem, task: Task, coefs: Any, intercepts: NDArray[np.float64], judge: Judge | None = None
) -> dict[str, Any]:
    """Certify every point of a job.

    Parameters
    ----------
    problem : Problem
    task : Task
        "path" or "cv".
    coefs : (k, p) sparse array
    intercepts : (k,) array
        k points: those of the path, or of the first fold, then of the second, ...
    judge : Judge, optional
        Of the problem.

    Returns
    -------
    dict
        The sums ``primal``, ``dual``, ``gap``, ``radius`` over the points, which decide what runs next
        and nothing else; the largest ``gap_rel``; and, in ``points``, a list for each figure.
    """
    found: list[Certificate] = []
    scales: list[float] = []
    for here, its_judge, rows in _parts(problem, task, len(intercepts), judge):
        points = ((coefs[[k]].toarray()[0], float(intercepts[k])) for k in rows)
        found += certify_path(here, task.l1s, points, its_judge)
        scales += [found[-1].scale] * len(rows)
    totals = {name: _sum(found, name) for name in ("primal", "dual", "gap", "radius")}
    lists: dict[str, list[Any]] = {name: [getattr(c, name) for c in found] for name in FULL}
    lists |= {name: [_short(getattr(c, name)) for c in found] for name in SHORT}
    lists |= {"support": [c.support for c in found], "scale": scales}
    gaps = [c.gap_rel for c in found if c.gap_rel is not None]
    return {
        **totals,
        "scale": max(scales),
        "gap_rel": max(gaps) if len(gaps) == len(found) else None,
        "support": max(lists["support"]),
        "certificate": "; ".join(dict.fromkeys(c.reason for c in found if c.reason)) or "points",
        "l1s": list(task.l1s),
        "points": lists,
    }


def _parts(problem: Problem, task: Task, k: int, judge: Judge | None) -> Any:
    """Yield (problem, judge, its points) of each path in a job."""
    if task.job == "path":
        yield problem, judge, range(k)
        return
    each = len(task.l1s)
    for fold, (training, _) in enumerate(fold_problems(problem, task)):
        yield training, None, range(fold * each, (fold + 1) * each)


def _sum(found: list[Certificate], name: str) -> float | None:
    values = [getattr(certificate, name) for certificate in found]
    return None if None in values else float(np.sum(values))


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
