"""The kill matrix: every fault against every check, each fault in a process of its own, nothing cut short."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from solvers import Entry, Stop, catalogue, entry

from ...isolate import Isolated, Report, Spec
from ...proofs import exact
from ..check import Subject, all_checks
from ..held import ANSWERED
from . import faults, honest_solver
from .defects import DEFECTS
from .journal import Cell, Journal, digest_of_files, module_file

__all__ = ["HONEST", "Row", "false_alarms", "honest", "read", "rows", "subject", "verdicts", "write"]

TOL = 1e-10  # what every solver under test is asked for
TIME_LIMIT = 1.0  # seconds, soft: many a fault never arrives
HONEST = "honest"
# No run of the solver in which faults are planted takes a third of that. Honest ones are waited for: some
# compile, and what they are held against is proven meanwhile and kept.
PATIENCE = 8.0  # seconds, hard, for one run: then the process is killed
WAITED = 60.0
LIMIT = 120.0  # seconds, hard, for one check; LONGEST for honest solvers, slow ones may use all of each run
LONGEST = 600.0
MARKS = {"KILLED": "hung", "CRASHED": "died", "FAILED": "raised"}
HOLDS, FAILS = ".", "x"
HEAD = ("fault", "answers")  # the first columns of the file


@dataclass(frozen=True)
class Row:
    """What came of one fault, or of one honest solver.

    Attributes
    ----------
    name : str
    marks : dict of str to str
        By check: "." it holds, "x" it found failures, "hung" no end within the limit, "died" the process
        ended, "raised" the check itself raised.
    answers : int
        Runs of the solver that ended with an answer.
    words : dict of str to str
        By check that does not hold: its first failure.
    seconds : dict of str to float
    """

    name: str
    marks: dict[str, str]
    answers: int = 0
    words: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def killers(self) -> list[str]:
        """The checks that did not hold."""
        return sorted(name for name, mark in self.marks.items() if mark != HOLDS)


def subject(name: str) -> Subject:
    """Make the subject of a fault, of the honest reference, or of a solver of the catalogue.

    Called in the process in which the checks run: a fault of the judge is put in place there.
    """
    fault = faults().get(name)
    if fault is not None and fault.plant is not None:
        fault.plant(_put)
        _put(exact, "_save", lambda save: lambda *_: None)  # what it proves is not for others to take on
    solver = fault.solver if fault is not None else honest_solver() if name == HONEST else name
    module, _, attribute = solver.partition(":")
    return Subject(_entry(module, attribute), stop=Stop(tol=TOL, time_limit=TIME_LIMIT))


def honest() -> list[str]:
    """Return the honest solvers: the reference in which faults are planted, and all of ours."""
    return [HONEST, *(name for name, solver in catalogue().items() if solver.own)]


def _put(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    setattr(owner, name, make(getattr(owner, name)))


def _entry(module: str, attribute: str) -> Entry:
    if not attribute:
        return entry(module)
    solver = getattr(importlib.import_module(module), attribute)
    # With all of (P) and a time limit to keep, so not under the name of a user's function, module:function.
    return Entry(f"{module}.{attribute}", lambda: solver)


def _mark(report: Report) -> str:
    if report.status == "DONE":
        return FAILS if report.count else HOLDS
    return MARKS[report.status]


def _words(report: Report) -> str:
    if report.status != "DONE" or not report.failures:
        return report.words
    first = report.failures[0]  # the smallest
    return f"{first.problem.name or repr(first.problem)}: {first.words}"


def checks_of(name: str) -> list[str]:
    """Return the checks that a fault, or an honest solver, can have to do with.

    Those of the judge look at no solver, so that they cannot tell two of them apart.
    """
    fault = faults().get(name)
    judge = fault.plant is not None if fault is not None else name == HONEST
    return list(all_checks(None if judge else "solver"))


def row(name: str, checks: Sequence[str] | None = None, journal: Journal | None = None) -> Row:
    """Hold one fault, or one honest solver, to checks: by default to all that it has to do with.

    What the journal knows is not measured again; what is measured is told to it, check by check.
    """
    wanted = checks_of(name) if checks is None else checks
    found = {check: journal.get(name, check) if journal is not None else None for check in wanted}
    for cell in measured(name, [check for check, cell in found.items() if cell is None]):
        found[cell.check] = cell
        if journal is not None:
            journal.add(cell)
    return assembled(name, [cell for cell in found.values() if cell is not None])


def measured(name: str, checks: Sequence[str]) -> Iterator[Cell]:
    """Hold one fault, or one honest solver, to checks, one after the other in one process."""
    if not checks:
        return
    spec = Spec(factory=f"{__name__}:subject", arguments=(name,), tol=TOL, time_limit=TIME_LIMIT)
    if name in catalogue():
        spec = Spec(name, tol=TOL)
    with Isolated(spec, PATIENCE if name in faults() else WAITED) as held:
        for check in checks:
            report = held.check(check, LIMIT if name in faults() else LONGEST)
            words = "" if report.holds else _words(report)
            yield Cell(name, check, _mark(report), words, round(report.seconds, 3), report.runs)


def assembled(name: str, cells: Iterable[Cell]) -> Row:
    """Put a row together from its cells."""
    cells = list(cells)
    return Row(
        name,
        marks={cell.check: cell.mark for cell in cells},
        answers=sum(cell.runs.get(status.name, 0) for cell in cells for status in ANSWERED),
        words={cell.check: cell.words for cell in cells if cell.mark != HOLDS},
        seconds={cell.check: cell.seconds for cell in cells},
    )


@cache
def digest_of_row(name: str) -> str:
    """Digest of the code of a fault, or of an honest solver: its file, and what it imports from its room."""
    fault = faults().get(name)
    theme = f"{__package__}.{fault.theme if fault is not None else 'reference'}"
    file = module_file(f"solvers.{name}" if name in catalogue() else theme)
    return digest_of_files([file, module_file(f"{__package__}.reference")])


def rows(names: Sequence[str], workers: int, journal: Journal | None = None) -> Iterable[Row]:
    """Hold each to its checks, `workers` at a time, after the first one alone: what it proves is kept."""
    yield row(names[0], journal=journal)
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda name: row(name, journal=journal), names[1:])


def verdicts(
    found: Mapping[str, Row], honest: Mapping[str, Row] | None = None, *, every_check: bool = True
) -> list[str]:
    """Say what is wrong with the matrix: a fault that survives, a check that kills nothing, a false alarm.

    Parameters
    ----------
    found : dict of str to Row
        By fault.
    honest : dict of str to Row, optional
        By honest solver.
    every_check : bool
        Whether each check must kill something.
    """
    wrong = []
    for fault in faults().values():
        if fault.name not in found:
            continue
        row = found[fault.name]
        if not row.killers:
            wrong.append(f"{fault.name} survives")
        elif row.marks.get(fault.killed_by) in (None, HOLDS, "raised"):
            by = ", ".join(row.killers)
            wrong.append(
                f"{fault.name} is not killed by {fault.killed_by}, the check named for it, but by {by}"
            )
    for check in all_checks() if every_check else ():
        if all(row.marks.get(check) in (None, HOLDS) for row in found.values()):
            wrong.append(f"{check} kills nothing")
    for row in (honest or {}).values():
        for check in false_alarms(row):
            wrong.append(f"{check}: a false alarm on {row.name}: {row.words.get(check, row.marks[check])}")
        for solver, check in DEFECTS:
            if solver == row.name and row.marks.get(check) == HOLDS:
                wrong.append(f"{check} raises no alarm on {solver} any more: it is no defect")
    return wrong


def false_alarms(row: Row) -> list[str]:
    """Return the checks that an honest solver does not pass, and whose alarm is not known to be deserved."""
    return [check for check in row.killers if (row.name, check) not in DEFECTS]


def write(path: Path, found: Iterable[Row]) -> None:
    """Write the matrix: one line a fault, one column a check."""
    checks = sorted(all_checks())  # in the order of names: that of modules is that of their import
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*HEAD, *checks])
        for row in found:
            writer.writerow([row.name, row.answers, *(row.marks.get(check, "") for check in checks)])


def read(path: Path) -> dict[str, Row]:
    """Read a matrix that was written, with the checks that it knows."""
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    found = {}
    for line in lines:
        name, answers = (line.pop(column) for column in HEAD)
        found[name] = Row(name, {check: mark for check, mark in line.items() if mark}, int(answers))
    return found
