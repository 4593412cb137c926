"""Certificates of a path or of a cross-validation, as columns of one row: a list for each figure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.jobs import Task, fold_problems
from solvers import Problem
from verification import Certificate, Judge, certify_path, held_out_reach

__all__ = ["certified"]

Part = tuple[Problem, Judge | None, "NDArray[np.intp] | None", range]
Known = dict[int, dict[bytes, Any]]  # by the first point of a fold, what held_out_reach knows of its columns

# Lists of a row, one entry for each point. Secondary figures are kept to six digits.
FULL = ("primal", "dual")
SHORT = ("gap", "radius", "implied_l1", "implied_l2", "implied_off", "implied_gain")


def certified(
    problem: Problem,
    task: Task,
    coefs: Any,
    intercepts: NDArray[np.float64],
    judge: Judge | None = None,
    known: Known | None = None,
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
    known : dict, optional
        Kept by the caller from one answer to the same cross-validation to the next: they share most supports.

    Returns
    -------
    dict
        The sums ``primal``, ``dual``, ``gap``, ``radius`` over the points, which decide what runs next
        and nothing else; the largest ``gap_rel``; in ``points`` a list for each figure; and
        ``score_radius``, how far each score may be from that of the exact path.
    """
    found: list[Certificate] = []
    reach: list[Any] = []
    known = {} if known is None else known
    for here, its_judge, left_out, rows in _parts(problem, task, len(intercepts), judge):
        dense = coefs[rows.start : rows.stop].toarray()
        points = [(w, float(intercepts[k])) for w, k in zip(dense, rows, strict=True)]
        proven = certify_path(here, task.l1s, points, its_judge)
        found += proven
        if left_out is not None:
            of_fold = known.setdefault(rows.start, {})
            reach.append(_score_radius(problem, here, left_out, points, proven, of_fold))
    scales = [certificate.scale for certificate in found]
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
        "score_radius": np.mean(reach, axis=0).tolist() if reach else None,
    }


def _parts(problem: Problem, task: Task, k: int, judge: Judge | None) -> Iterator[Part]:
    """Yield (problem, judge, rows left out, its points) of each path in a job."""
    if task.job == "path":
        yield problem, judge, None, range(k)
        return
    each = len(task.l1s)
    for fold, (training, left_out) in enumerate(fold_problems(problem, task)):
        yield training, None, left_out, range(fold * each, (fold + 1) * each)


def _score_radius(
    problem: Problem,
    training: Problem,
    left_out: NDArray[np.intp],
    points: list[tuple[NDArray[np.float64], float]],
    proven: list[Certificate],
    known: dict[bytes, Any],
) -> NDArray[np.float64]:
    """How far the mean squared error of each point may be from the exact path's, docs/maths.md (HELD)."""
    X, y, s = problem.X[left_out], problem.y[left_out], problem.s[left_out]
    radii = []
    for (coef, b), certificate in zip(points, proven, strict=True):
        h = held_out_reach(training, X, s, coef, b, certificate, known)
        error = float(s @ (y - X @ coef - b) ** 2) / float(s.sum()) if s.any() else 0.0
        radii.append(2 * h * math.sqrt(error) + h * h)
    return np.array(radii)


def _sum(found: list[Certificate], name: str) -> float | None:
    values = [getattr(certificate, name) for certificate in found]
    return None if None in values else float(np.sum(values))


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
