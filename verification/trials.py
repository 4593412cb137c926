"""Every solver on every case: run in this process, certified, one row each.

No time is measured here and no limit is hard; for that there is bench.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from solvers import Entry, Problem, Solution, SolverMissing, SolverRefused, Status, Stop

from .checks.crosscheck import Point, agreement
from .problems import CaseChanged, CaseMissing
from .problems.cells import Cell
from .proofs import Certificate, Judge
from .record import jsonable
from .verdict import TIERS


@dataclass(frozen=True)
class Attempt:
    """What came of one run: an answer, or the status that explains its absence."""

    status: Status
    message: str = ""
    solution: Solution | None = None


class _Memory:
    """What a problem's arrays hold, so that it can be put back: others are asked for the same problem.

    A solver that centres y in place would otherwise be wrong once: its second run finds y centred, and the
    next solver is judged on data that it was not given.
    """

    def __init__(self, problem: Problem) -> None:
        X: Any = problem.X
        self._sparse = X if problem.is_sparse else None
        stored = [X.data, X.indices, X.indptr] if problem.is_sparse else [X]
        others = [problem.y, problem.sample_weight, problem.penalty_weights]
        self._arrays = [*stored, *(array for array in others if array is not None)]
        self._copies = [array.copy(order="K") for array in self._arrays]

    def put_back(self) -> None:
        """Write what has changed, beneath the read-only views that it was changed beneath."""
        for array, copy in zip(self._arrays, self._copies, strict=True):
            if array.tobytes() != copy.tobytes():
                writable = array.view()
                writable.flags.writeable = True
                writable[...] = copy
        if self._sparse is not None:
            self._sparse.data, self._sparse.indices, self._sparse.indptr = self._arrays[:3]


def attempt(entry: Entry, problem: Problem, stop: Stop, configuration: Mapping[str, Any]) -> Attempt:
    """Run a solver; whatever it raises becomes a status with the words of the exception.

    Parameters
    ----------
    entry : Entry
    problem : Problem
    stop : Stop
    configuration : mapping
        Keyword arguments of the solver's setup.
    """
    before, memory = problem.digest, _Memory(problem)
    found = _attempt(entry, problem, stop, configuration)
    if problem.digest != before:
        memory.put_back()
        return Attempt(Status.FAILED, "it changed its input")
    return found


def _attempt(entry: Entry, problem: Problem, stop: Stop, configuration: Mapping[str, Any]) -> Attempt:
    try:
        if entry.version() is None:
            return Attempt(Status.MISSING, f"{entry.package} is not installed")
        reason = entry.refuses(problem)
        if reason is not None:
            return Attempt(Status.REFUSED, reason)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            solution = entry.setup(problem, stop, **configuration)()
    except SolverMissing as error:
        return Attempt(Status.MISSING, str(error))
    except SolverRefused as error:
        return Attempt(Status.REFUSED, str(error))
    except MemoryError as error:
        return Attempt(Status.MEMORY, str(error))
    except Exception as error:  # a row, and for one of ours an exit code of 1
        return Attempt(Status.FAILED, f"{type(error).__name__}: {error}")
    heard = [solution.message, *(str(w.message).split("\n")[0] for w in said)]
    return _shaped(problem, solution, "; ".join(dict.fromkeys(m for m in heard if m)))


def attempt_path(
    entry: Entry, problem: Problem, l1s: Sequence[float], stop: Stop, configuration: Mapping[str, Any]
) -> list[Attempt]:
    """Run a solver's own path; like `attempt`. Empty if it has none.

    Parameters
    ----------
    entry : Entry
    problem : Problem
    l1s : sequence of float
        Falling.
    stop : Stop
    configuration : mapping
        Keyword arguments of setup; those that the path does not take say how to get to one point.
    """
    path = getattr(entry.module, "path", None)
    if path is None or entry.version() is None or entry.refuses(problem.replace(l1=l1s[-1])) is not None:
        return []
    before, memory = problem.digest, _Memory(problem)
    takes = inspect.signature(path).parameters
    options = {k: v for k, v in configuration.items() if k in takes or "configuration" in takes}
    try:
        found = list(islice(path(problem, list(l1s), stop, **options), len(l1s)))
    except (SolverRefused, SolverMissing):
        return []
    except Exception as error:
        memory.put_back()
        return [Attempt(Status.FAILED, f"{type(error).__name__}: {error}")]
    if problem.digest != before:
        memory.put_back()
        return [Attempt(Status.FAILED, "it changed its input")]
    return [_shaped(problem, solution, solution.message) for solution in found]


def _shaped(problem: Problem, solution: Solution, message: str) -> Attempt:
    """The attempt that ended with this, if it has the shape of an answer."""
    if np.shape(solution.coef) != (problem.p,):
        return Attempt(Status.FAILED, f"coef has shape {np.shape(solution.coef)}, expected ({problem.p},)")
    return Attempt(solution.status, message, solution)


def describe(cell: Cell, problem: Problem) -> dict[str, Any]:
    """Return the columns that name a cell and its problem."""
    return {
        "cell": cell.name,
        "case": cell.case,
        "regime": cell.regime,
        "digest": problem.digest,
        "n": problem.n,
        "p": problem.p,
        "nnz": int(problem.X.nnz) if problem.is_sparse else int(problem.X.size),
        "l1": problem.l1,
        "l2": problem.l2,
        "l1_ratio": cell.l1_ratio,
        "l2_ratio": cell.l2_ratio,
        "intercept": problem.intercept,
        "positive": problem.positive,
        "weighted": problem.sample_weight is not None,
        "dtype": str(problem.X.dtype),
        "layout": problem.layout,
    }


def configurations_of(entry: Entry, every: bool) -> dict[str, dict[str, Any]]:
    """Return the solver's configurations, or the first alone; a file that cannot be read has "default"."""
    try:
        found = entry.configurations
    except Exception:  # attempt() meets the same exception and reports it
        return {"default": {}}
    return found if every else dict(list(found.items())[:1])


def rows(
    cells: Sequence[Cell], entries: Sequence[Entry], stop: Stop, *, every_configuration: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield a row of kind "result" for each solver on each cell, one of kind "note" for a missing case.

    After each cell one of kind "agreement": how much of docs/maths.md (AGREE) each pair of answers uses.

    Parameters
    ----------
    cells : sequence of Cell
    entries : sequence of Entry
    stop : Stop
        What is asked of every solver; where X is float32, no less than the tightest tier of float32.
    every_configuration : bool
        Whether to run all configurations of a solver, or its first one.
    """
    for cell in cells:
        try:
            problem = cell.problem()
        except (CaseMissing, CaseChanged) as error:
            yield {"kind": "note", "cell": cell.name, "message": str(error)}
            continue
        judge = Judge(problem)
        about = {"kind": "result", "phase": "verify", "rung": 0, "round": 0, **describe(cell, problem)}
        wanted, points = asked(stop, problem), list[Point]()
        for entry in entries:
            for name, configuration in configurations_of(entry, every_configuration).items():
                found = attempt(entry, problem, wanted, configuration)
                certificate = None
                if found.solution is not None:
                    certificate = judge.certify(found.solution.coef, found.solution.intercept)
                    who = f"{entry.name} {name}" if every_configuration else entry.name
                    points.append(Point(who, found.solution.coef, found.solution.intercept, certificate))
                yield {**about, **told_of(entry, name, wanted.tol), **_judged(found, certificate)}
        pairs = [[a, b, share] for (a, b), share in agreement(problem, points).items()]
        yield {"kind": "agreement", "cell": cell.name, "digest": problem.digest, "pairs": jsonable(pairs)}


def result_row(
    about: Mapping[str, Any], entry: Entry, configuration: str, tol: float, judge: Judge, found: Attempt
) -> dict[str, Any]:
    """Return the row of one run: what it was about, who ran, what came of it, and the certificate."""
    solution = found.solution
    certificate = None if solution is None else judge.certify(solution.coef, solution.intercept)
    return {**about, **told_of(entry, configuration, tol), **_judged(found, certificate)}


def told_of(entry: Entry, configuration: str, tol: float) -> dict[str, Any]:
    """Return the columns that say who was asked for what."""
    return {**_claims(entry), "configuration": configuration, "tol": tol}


def asked(stop: Stop, problem: Problem) -> Stop:
    """What is asked of a solver: where X is float32, no less than the tightest tier of float32."""
    return replace(stop, tol=max(stop.tol, min(TIERS["float32"]))) if problem.X.dtype == np.float32 else stop


def _claims(entry: Entry) -> dict[str, Any]:
    columns: dict[str, Any] = {"solver": entry.name, "own": entry.own}
    try:
        package = {"package": entry.package, "package_version": entry.version()}
        return columns | {"claims_gap": entry.claims_gap} | package
    except Exception:  # attempt() meets the same exception and reports it
        return columns | {"claims_gap": False, "package": None, "package_version": None}


def _judged(found: Attempt, certificate: Certificate | None) -> dict[str, Any]:
    row: dict[str, Any] = {"status": found.status.name, "message": found.message}
    if found.solution is None or certificate is None:
        return row
    figures = certificate.to_dict()
    row |= {"n_iter": found.solution.n_iter, "claimed_gap": found.solution.claimed_gap}
    return row | {"certificate": figures.pop("kind"), **jsonable(figures)}
