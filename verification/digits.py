"""How many digits of an answer are correct: against the proven optimum where there is one.

Where the optimum is out of reach, or the coefficients are not unique, the digits are those of the objective:
-log10 of the suboptimality relative to the objective of the best constant (of 0 without intercept), and the
row says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Entry, Problem, Solution, Stop

from .problems import CaseChanged, CaseMissing
from .proofs import Judge
from .proofs.exact import ExactOptimum, Unproven, correct_digits, features, optimum
from .trials import Attempt, asked, configurations_of, describe, result_row

__all__ = ["CAP", "OPTIMUM", "Yardstick", "measured", "stop_for", "yardstick"]

OPTIMUM = "the optimum"  # the solver's name in the row of the proven optimum
CAP = 10.0  # digits that are counted: rounding, and another BLAS, decide on the rest
TOL = 1e-10  # what is asked of every solver
WORK = 4e8  # entries of X that the iterations may go through
ITERATIONS = (100, 2000)  # at least, at most

Answer = Callable[[Any, Entry, Problem, Stop], Attempt]  # (cell, entry, problem, stop)


def stop_for(problem: Problem, tol: float = TOL) -> Stop:
    """Return what is asked of every solver on a problem: iterations, not seconds, so that it repeats."""
    entries = problem.X.nnz if problem.is_sparse else problem.X.size
    least, most = ITERATIONS
    limit = int(min(max(WORK / max(entries, 1), least), most))
    return asked(Stop(tol=tol, max_iter=limit), problem)


@dataclass(frozen=True)
class Yardstick:
    """What the answers to one problem are measured against.

    Attributes
    ----------
    exact : ExactOptimum or None
        The proven optimum.
    why : str
        Why digits are those of the objective; empty where they are those of the coefficients.
    """

    exact: ExactOptimum | None
    why: str = ""

    def coefficients(self, solution: Solution) -> NDArray[np.float64]:
        """Correct digits of each coefficient, the intercept's last: (p,) or (p + 1,), uncapped.

        The intercept's error is relative to the larger of |b*| and max |z*|: with centred data b* itself may
        be nothing but rounding.
        """
        assert self.exact is not None
        digits = correct_digits(solution.coef, self.exact)
        size = max(abs(self.exact.intercept), float(np.nanmax(np.abs(self.exact.fitted))))
        off = abs(solution.intercept - self.exact.intercept)
        return np.append(digits, CAP if off == 0 else max(-math.log10(off / size), 0.0) if size else 0.0)


def yardstick(problem: Problem, start: Solution | None = None) -> Yardstick:
    """Prove the optimum, or say why not.

    Parameters
    ----------
    problem : Problem
    start : Solution, optional
        Any answer; it changes what the proof costs, not what it says.
    """
    try:
        exact = optimum(problem, *(() if start is None else (start.coef, start.intercept)))
    except Unproven as reason:
        return Yardstick(None, f"unproven: {reason}")
    return Yardstick(exact, "" if exact.unique else exact.uniqueness)


def measured(
    cells: Iterable[Any],
    entries_of: Callable[[Any], Sequence[Entry]],
    answer: Answer,
    *,
    tol: float = TOL,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of each cell in turn: a row of `trials`, and the digits.

    Parameters
    ----------
    cells : iterable of Cell or KnownCell
    entries_of : callable
        The solvers that are asked on a cell.
    answer : callable
        Asks one of them.

    Yields
    ------
    dict
        As in ``trials.rows``, the proven optimum last under the name OPTIMUM; with measure ("coefficients" or
        "objective"), why, least, median (digits, at most CAP; None without an answer), false, missed
        (features; None where not known).
    """
    for cell in cells:
        try:
            problem = cell.problem()
        except (CaseMissing, CaseChanged) as error:
            yield {"kind": "note", "cell": cell.name, "message": str(error)}
            continue
        stop = stop_for(problem, tol)
        found = [(entry, answer(cell, entry, problem, stop)) for entry in entries_of(cell)]
        yield from _rows(cell, problem, stop, found)


def _rows(
    cell: Any, problem: Problem, stop: Stop, found: Sequence[tuple[Entry, Attempt]]
) -> Iterator[dict[str, Any]]:
    judge = Judge(problem)
    about = {"kind": "result", "phase": "verify", "rung": 0, "round": 0, **describe(cell, problem)}
    rows = []
    for entry, attempt in found:
        name = next(iter(configurations_of(entry, every=False)))
        rows.append(result_row(about, entry, name, stop.tol, judge, attempt))
    answers = [a.solution for _, a in found if a.solution is not None]
    finite = [s for s in answers if np.all(np.isfinite(s.coef)) and math.isfinite(s.intercept)]
    if not answers:
        yield from rows
        return
    stick = yardstick(problem, finite[0] if finite else None)
    optimal = [] if stick.exact is None else [about | _optimum_row(stick.exact, rows)]
    best = max((row["dual"] - row["radius"] for row in [*rows, *optimal] if row.get("dual") is not None),
               default=-math.inf)  # fmt: skip
    for row, (_, attempt) in zip(rows, found, strict=True):
        yield row | _digits(stick, problem, best, row, attempt.solution)
    yield from optimal


def _optimum_row(exact: ExactOptimum, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the proven optimum as a row, so that claims are held against the truth."""
    nobody = {"solver": OPTIMUM, "own": False, "claims_gap": False, "package": None, "configuration": ""}
    scale = max(row.get("scale") or 0.0 for row in rows)
    values = {"primal": exact.value_high, "dual": exact.value_low, "gap": exact.value_high - exact.value_low}
    return nobody | {"status": "CONVERGED", "message": "", "tol": 0.0, "radius": 0.0, "scale": scale} | values


def _digits(
    stick: Yardstick, problem: Problem, best: float, row: Mapping[str, Any], solution: Solution | None
) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "measure": "objective" if stick.why else "coefficients",
        "why": stick.why,
        "least": None,
        "median": None,
        "false": None,
        "missed": None,
    }
    if solution is None:
        return columns
    if stick.why or stick.exact is None:
        digits = _objective_digits(row, problem, best)
        return columns | {"least": digits, "median": digits}
    counted = np.minimum(stick.coefficients(solution), CAP)
    found = features(solution.coef, stick.exact)
    return columns | {
        "least": float(np.min(counted)),
        "median": float(np.median(counted)),
        "false": None if found is None else found.false,
        "missed": None if found is None else found.missed,
    }


def _objective_digits(row: Mapping[str, Any], problem: Problem, best: float) -> float:
    """Digits of the suboptimality; what is below its rounding counts as rounding."""
    primal, radius = row.get("primal"), row.get("radius")
    if not isinstance(primal, float) or radius is None or not math.isfinite(primal):
        return 0.0
    excess = max(primal - best, radius)
    if excess <= 0:
        return CAP
    unit = float(np.max(np.abs(problem.y))) or 1.0
    y, s = problem.y / unit, problem.s / float(np.max(problem.s))  # 1e+-150 among them
    constant = float(s @ y) / float(np.sum(s)) if problem.intercept else 0.0
    spread = float(s @ (y - constant) ** 2) / (2 * float(np.sum(s)))
    ratio = excess / unit / unit / spread if spread else math.inf
    return min(max(-math.log10(ratio), 0.0), CAP) if ratio > 0 else CAP
