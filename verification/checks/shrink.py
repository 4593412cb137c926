"""From a failing problem to a small one that still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem, ProblemError, Status

from .check import CHECKS, Failure

__all__ = ["smaller", "snippet"]

Find = Callable[[Problem], Iterable[Failure]]
READABLE = 400  # entries of a problem that is printed
DIGITS = (0, 1, 2)  # decimals that entries are rounded to, the fewest first


def smaller(find: Find, failure: Failure, seconds: float) -> Iterator[Failure]:
    """Yield ever smaller failures: fewer options, rows, columns and digits.

    Parameters
    ----------
    find : callable
        The failures on one problem.
    failure : Failure
        Where to start.
    seconds : float
        Nothing new is tried after that.

    Notes
    -----
    Greedy: the first change under which it still fails is kept, until none is left. A wrong answer does not
    turn into none at all, which may be another fault.
    """
    deadline = monotonic() + seconds
    kind = _kind(failure.words)
    best = failure.problem
    found = True
    while found:
        found = False
        for candidate in simpler(best):
            if monotonic() > deadline:
                return
            same = [f for f in find(candidate) if _kind(f.words) == kind]
            if same:
                best, found = candidate, True
                yield Failure(candidate, same[0].words)
                break


def _kind(words: str) -> str:
    """Status of an attempt that brought no answer; empty for an answer that is wrong."""
    head = words.split(":")[0].split(",")[0]
    return head if head in Status.__members__ and head not in ("CONVERGED", "STALLED") else ""


def simpler(problem: Problem) -> Iterator[Problem]:
    """Problems that are simpler in one thing, the boldest changes first."""
    changes: list[dict[str, Any]] = [
        {"sample_weight": None} if problem.sample_weight is not None else {},
        {"penalty_weights": None} if problem.penalty_weights is not None else {},
        {"positive": False} if problem.positive else {},
        {"intercept": False} if problem.intercept else {},
        {"l2": 0.0} if problem.l2 > 0 and problem.l1 > 0 else {},
        {"X": problem.X.toarray(order="F")} if problem.is_sparse else {},
        {"X": np.asfortranarray(problem.X, dtype=np.float64)} if problem.X.dtype != np.float64 else {},
        {"X": np.asfortranarray(problem.X)} if problem.layout == "C" and min(problem.X.shape) > 1 else {},
    ]
    yield from (problem.replace(name="", **change) for change in changes if change)
    for axis, size in ((0, problem.n), (1, problem.p)):
        for kept in fewer(size):
            yield from _cut(problem, axis, kept)
    yield from rounded(problem)


def fewer(size: int) -> Iterator[NDArray[np.int64]]:
    """Subsets of range(size): without one half, one quarter, ..., without one."""
    chunk = size // 2
    while chunk >= 1:
        for start in range(0, size, chunk):
            kept = np.r_[0:start, min(start + chunk, size) : size]
            if 0 < kept.size < size:
                yield kept
        chunk //= 2


def _cut(problem: Problem, axis: int, kept: NDArray[np.int64]) -> Iterator[Problem]:
    """The rows or columns that are kept; nothing where what is left is no problem."""
    changes: dict[str, Any] = {"name": ""}
    if axis == 0:
        s = problem.sample_weight
        changes |= {
            "X": problem.X[kept],
            "y": problem.y[kept],
            "sample_weight": None if s is None else s[kept],
        }
    else:
        v = problem.penalty_weights
        changes |= {"X": problem.X[:, kept], "penalty_weights": None if v is None else v[kept]}
    try:
        yield problem.replace(**changes)
    except ProblemError:  # every weight is zero
        return


def rounded(problem: Problem) -> Iterator[Problem]:
    """Fewer digits: of X, of y, of each penalty; only where that changes something."""
    for digits in DIGITS:
        X: Any = problem.X
        values = X.data if problem.is_sparse else X
        shorter = np.round(values, digits)
        if longest(values) > digits and not np.array_equal(values, shorter):
            if problem.is_sparse:
                X = type(X)((shorter, X.indices, X.indptr), shape=X.shape)
            yield problem.replace(X=X if problem.is_sparse else shorter, name="")
        if longest(problem.y) > digits and not np.array_equal(problem.y, np.round(problem.y, digits)):
            yield problem.replace(y=np.round(problem.y, digits), name="")
    for name in ("l1", "l2"):
        value = getattr(problem, name)
        for digits in (1, 2, 3):
            shorter_value = float(f"{value:.{digits}g}")
            if shorter_value == value:
                break
            yield problem.replace(**{name: shorter_value}, name="")


def longest(values: NDArray[Any]) -> int:
    """Most decimals that one of the values is written with."""
    return max((len(repr(float(x)).partition(".")[2]) for x in np.ravel(values)), default=0)


def snippet(check: str, failure: Failure, solver: str) -> str:
    """Return a program that shows the failure; every number is written so that it is read back the same.

    A check that takes no single problem is run as a whole; so is one whose problem is too large to read.
    """
    subject = f'Subject(entry("{solver}"))'
    problem = failure.problem
    if CHECKS[check].find_on is None or failure.size > READABLE:
        lines = [
            "from solvers import entry",
            "from verification.checks.check import Subject, all_checks",
            "",
            f'for failure in all_checks()["{check}"].find({subject}):',
            "    print(failure.problem, failure.words)",
        ]
        return "\n".join(lines)
    X = _array(problem.X.toarray() if problem.is_sparse else problem.X)
    arrays = [f"X = scipy.sparse.{problem.layout}_array({X})" if problem.is_sparse else f"X = {X}"]
    arrays.append(f"y = {_list(problem.y)}")
    keywords = [f"{name}={getattr(problem, name)!r}" for name in ("l1", "l2") if getattr(problem, name)]
    keywords += [f"{name}=True" for name in ("intercept", "positive") if getattr(problem, name)]
    for name in ("sample_weight", "penalty_weights"):
        if getattr(problem, name) is not None:
            arrays.append(f"{name} = {_list(getattr(problem, name))}")
            keywords.append(f"{name}={name}")
    imports = "import numpy as np\n" + ("import scipy.sparse\n" if problem.is_sparse else "")
    lines = [
        f"{imports}",
        "from solvers import Problem, entry",
        "from verification.checks.check import Subject, all_checks",
        "",
        *arrays,
        f"problem = Problem({', '.join(['X', 'y', *keywords])})",
        f'for failure in all_checks()["{check}"].find_on({subject}, problem):',
        "    print(failure.words)",
    ]
    return "\n".join(lines)


def _list(values: NDArray[Any]) -> str:
    return f"np.array([{', '.join(_number(x) for x in values)}])"


def _array(X: Any) -> str:
    rows = ",\n".join(f"    [{', '.join(_number(x) for x in row)}]" for row in X)
    options = ", dtype=np.float32" if X.dtype == np.float32 else ""
    options += ', order="F"' if X.flags.f_contiguous and not X.flags.c_contiguous else ""
    return f"np.array([\n{rows},\n]{options})"


def _number(x: Any) -> str:
    """The shortest decimal that is read back as this float."""
    return "np.inf" if np.isinf(x) else repr(float(x)).removesuffix(".0")
