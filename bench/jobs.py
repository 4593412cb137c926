"""What can be timed of a solver besides one solve: its defaults, a path, a cross-validation.

A job is done inside the worker, as a whole: setup and run of every point are in its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from solvers import Entry, Problem, Solution, Stop

__all__ = [
    "SOLVE",
    "Answers",
    "Late",
    "Task",
    "fold_problems",
    "packed",
    "prepare",
    "task_of",
    "unpacked",
    "unpacked_one",
]

Run = Callable[[], "Answers"]
Floats = NDArray[np.float64]


class Late(Exception):
    """The time limit passed between two points of a path; the text says how far it came."""


@dataclass(frozen=True)
class Task:
    """What a worker is to do with a problem; JSON-able.

    Parameters
    ----------
    job : {"solve", "defaults", "path", "cv"}
    l1s : tuple of float
        Of a path, falling.
    folds : int
        Of a cross-validation.
    seed : str
        By which the rows are dealt to the folds.
    """

    job: str
    l1s: tuple[float, ...] = ()
    folds: int = 0
    seed: str = ""

    @property
    def many(self) -> bool:
        """Whether it has many answers."""
        return bool(self.l1s)

    @property
    def answers(self) -> int:
        """How many."""
        return max(1, len(self.l1s)) * max(1, self.folds)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return vars(self).copy()

    def on(self, problem: Problem) -> Task:
        """Return the same job on another problem (the decoy): a few points from its own l1_max to its l1."""
        if not self.l1s:
            return self
        return replace(self, l1s=falling_to(problem, 5))


SOLVE = Task("solve")
POINTS = {"path": 100, "cv": 50}
FOLDS = 5


def task_of(cell: Any, problem: Problem) -> Task:
    """Return what a cell (``verification.problems.cells.Cell``) asks of a worker; `problem` is the cell's."""
    if cell.job == "solve":
        return SOLVE
    folds = min(FOLDS, problem.n) if cell.job == "cv" else 0
    return Task(cell.job, falling_to(problem, POINTS[cell.job]), folds, cell.case)


@dataclass(frozen=True)
class Answers:
    """What came of a job.

    Attributes
    ----------
    solutions : list of Solution
        One; of a path one for each l1; of a cross-validation those of the first fold, then the second...
    scores : (folds, points) array or None
        Mean squared errors (weighted by s) on the rows left out.
    """

    solutions: list[Solution]
    scores: NDArray[np.float64] | None = None


def falling_to(problem: Problem, points: int) -> tuple[float, ...]:
    """Return l1 from l1_max down to the problem's own, evenly spaced in the logarithm."""
    top = max(problem.l1_max(), problem.l1)
    return tuple(float(l1) for l1 in np.geomspace(top, problem.l1, points))


def fold_of(n: int, folds: int, seed: str) -> NDArray[np.intp]:
    """Return the fold (n,) of each row: sizes that differ by one at most, dealt by name."""
    return np.random.default_rng(crc32(f"{seed}/folds".encode())).permutation(n) % folds


def fold_problems(problem: Problem, task: Task) -> Iterator[tuple[Problem, NDArray[np.intp]]]:
    """Yield, for each fold, the problem of the rows outside it, and the rows in it.

    The memory layout is the problem's own.
    """
    fold = fold_of(problem.n, task.folds, task.seed)
    for k in range(task.folds):
        kept, left_out = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        s = problem.sample_weight
        X = problem.X[kept]
        if problem.layout == "F":
            X = np.asfortranarray(X)
        yield (
            problem.replace(X=X, y=problem.y[kept], sample_weight=None if s is None else s[kept]),
            left_out,
        )


def prepare(entry: Entry, problem: Problem, stop: Stop, task: Task, **options: Any) -> Run:
    """Set the job up; the returned run() does it, once.

    Raises
    ------
    SolverRefused, SolverMissing
        With the reason.
    """
    if task.job == "solve":
        run = entry.setup(problem, stop, **options)
        return lambda: Answers([run()])
    if task.job == "defaults":
        run = entry.defaults(problem, Stop(time_limit=stop.time_limit))
        return lambda: Answers([run()])
    if task.job == "path":
        return lambda: Answers(list(_along(entry, problem, stop, task, perf_counter(), options)))
    if task.job == "cv":
        return lambda: _cross_validate(entry, problem, stop, task, options)
    raise ValueError(f"no job {task.job!r}")


def _along(
    entry: Entry, problem: Problem, stop: Stop, task: Task, began: float, options: dict[str, Any]
) -> Iterator[Solution]:
    """Yield the points of a path; give up where the time limit passes between two of them."""
    for k, solution in enumerate(entry.path(problem, task.l1s, stop, **options), 1):
        yield solution
        spent = perf_counter() - began
        if stop.time_limit is not None and spent > stop.time_limit and k < len(task.l1s):
            raise Late(f"{k} of {len(task.l1s)} points in {spent:.3g} s")


def _cross_validate(
    entry: Entry, problem: Problem, stop: Stop, task: Task, options: dict[str, Any]
) -> Answers:
    began, solutions, scores = perf_counter(), [], []
    for training, rows in fold_problems(problem, task):
        fold = list(_along(entry, training, stop, task, began, options))
        coefs = np.array([solution.coef for solution in fold])
        fit = (problem.X[rows] @ coefs.T) + np.array([solution.intercept for solution in fold])
        s = problem.s[rows]
        scores.append(s @ (problem.y[rows, None] - fit) ** 2 / max(float(s.sum()), np.finfo(float).tiny))
        solutions += fold
    return Answers(solutions, np.array(scores))


def packed(solutions: Sequence[Solution]) -> bytes:
    """Pack the intercepts of k answers, how many coefficients of each are not zero, which, and those."""
    coefs = [np.asarray(solution.coef, dtype=np.float64) for solution in solutions]
    used = [np.flatnonzero(coef) for coef in coefs]
    parts = (
        np.array([solution.intercept for solution in solutions], dtype=np.float64),
        np.array([places.size for places in used], dtype=np.int64),
        *(places.astype(np.int64, copy=False) for places in used),
        *(coef[places] for coef, places in zip(coefs, used, strict=True)),
    )
    return b"".join(part.tobytes() for part in parts)


def unpacked(body: bytes, k: int, p: int) -> tuple[Any, NDArray[np.float64]]:
    """Return coefficients (k, p) as a CSR array, and intercepts (k,); ValueError if they are not there."""
    counts, places, values, b = _parts(body, k, p)
    ends = np.concatenate([[0], np.cumsum(counts)])
    return sp.csr_array((values, places, ends), shape=(k, p)), b


def unpacked_one(body: bytes, p: int) -> tuple[NDArray[np.float64], float]:
    """Return the coefficients (p,) and the intercept of one answer; ValueError if they are not there."""
    _, places, values, b = _parts(body, 1, p)
    coef = np.zeros(p)
    coef[places] = values
    return coef, float(b[0])


def _parts(body: bytes, k: int, p: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, Floats]:
    words = np.frombuffer(body, dtype=np.int64)
    counts, rest = words[k : 2 * k], words[2 * k :]
    total = int(counts.sum())
    if counts.size != k or counts.min(initial=0) < 0 or rest.size != 2 * total:
        raise ValueError(f"{words.size} words are not {k} answers")
    places = rest[:total]
    if total and not 0 <= places.min() <= places.max() < p:
        raise ValueError(f"coefficients {places.min()} to {places.max()} of {p}")
    return counts, places, rest[total:].view(np.float64), words[:k].view(np.float64)
