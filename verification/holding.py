"""Solvers held to every check, each in a process of its own, and what is printed of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from .checks.check import Check, all_checks
from .checks.shrink import snippet
from .isolate import Isolated, Report, Spec

__all__ = ["example", "hold", "listing", "summary"]

GIVE_UP = 3  # checks that may be killed before the others are not tried
SHRINK = 20.0  # seconds for one smallest example


def hold(screen: Console, process: Isolated, names: Sequence[str]) -> list[Report]:
    """Hold a solver to checks; print a line for each that fails, and go on.

    A solver that had to be killed GIVE_UP times is not held to the rest: each would be waited for.
    """
    found: list[Report] = []
    who = f"{process.spec.solver} {process.spec.configuration}".strip()
    with screen.status(who) as status:
        for k, name in enumerate(names):
            status.update(f"{who}: {name} ({k + 1}/{len(names)})")
            report = process.check(name)
            found.append(report)
            if not report.holds:
                for line in words(report):
                    say(screen, f"{who} fails {name}: {line}")
            if sum(each.status == "KILLED" for each in found) >= GIVE_UP:
                say(screen, f"{who}: killed {GIVE_UP} times; {len(names) - k - 1} checks not tried")
                break
    return found


def hold_own(screen: Console, specs: Sequence[Spec]) -> tuple[dict[str, list[str]], list[str]]:
    """Hold a user's own solvers to every check, and show a smallest failing example of each that fails.

    Parameters
    ----------
    screen : Console
    specs : sequence of Spec

    Returns
    -------
    failed : dict of str to list of str
        The checks that each solver fails; empty for one that fails none.
    not_run : list of str
        Why a solver could not be run: its module cannot be read, or it refuses everything.
    """
    failed: dict[str, list[str]] = {}
    not_run: list[str] = []
    held = []
    for spec in specs:
        with Isolated(spec) as process:
            if reason := process.reason():
                not_run.append(f"{spec.solver}: {reason}")
                continue
            reports = hold(screen, process, list(all_checks("solver")))
            held.append((spec, reports))
            failed[spec.solver] = [report.check for report in reports if not report.holds]
            answers = sum(report.answers for report in reports)
            if not answers and not failed[spec.solver]:
                not_run.append(f"{spec.solver}: it refuses every problem")
            if program := example(process, reports):
                say(screen, f"\nA smallest failing example that was found:\n\n{program}\n")
    if held:
        summary(screen, held)
    return failed, not_run


def words(report: Report) -> list[str]:
    """What a report that does not hold says: why it ended, or its smallest failures."""
    if report.status != "DONE":
        at = f", on {report.failures[0].problem}" if report.failures else ""
        return [f"{report.status}: {report.words}{at}"]
    lines = [
        f"{failure.words} (on {failure.problem.name or failure.problem})" for failure in report.failures[:2]
    ]
    more = report.count - len(lines)
    return [*lines, f"and {more} more"] if more > 0 else lines


def example(process: Isolated, reports: Sequence[Report]) -> str:
    """Return the smallest failing example of all checks as a program that shows it; empty if none."""
    failing = [(report.check, failure) for report in reports for failure in report.failures]
    if not failing:
        return ""
    shrinkable = [pair for pair in failing if all_checks()[pair[0]].find_on is not None]
    check, failure = min(shrinkable or failing, key=lambda pair: pair[1].size)
    if shrinkable and not failure.words.startswith(("KILLED", "CRASHED")):
        failure = process.shrink(check, failure, SHRINK)
    return f"# {check}: {failure.words}\n{snippet(check, failure, process.spec.solver)}"


def summary(screen: Console, held: Sequence[tuple[Spec, list[Report]]]) -> tuple[int, int]:
    """Print a line for each solver and setting; return the runs with an answer, and the failed checks."""
    table = Table(title="Held to the checks", title_justify="left", box=SIMPLE)
    for name in ("solver", "setting", "runs", "answers", "refused", "checks", "failed", "seconds"):
        table.add_column(name, justify="left" if name in ("solver", "setting") else "right", no_wrap=True)
    totals: Counter[str] = Counter()
    for spec, reports in held:
        ended: Counter[str] = Counter()
        for report in reports:
            ended.update(report.runs)
        answers = sum(report.answers for report in reports)
        failed = sum(not report.holds for report in reports)
        totals.update(answers=answers, failed=failed)
        cells = (ended.total(), answers, ended.total() - answers, len(reports), failed)
        seconds = f"{sum(report.seconds for report in reports):.0f}"
        table.add_row(spec.solver, spec.configuration, *map(str, cells), seconds)
    screen.print(table)
    return totals["answers"], totals["failed"]


def listing(checks: Mapping[str, Check], *, markdown: bool) -> str:
    """Return the checks with what each holds a solver to: as a table, or in two columns."""
    if markdown:
        rows = [f"| `{name}` | {check.summary} |" for name, check in sorted(checks.items())]
        return "\n".join(["| check | holds a solver to |", "|---|---|", *rows])
    width = max(map(len, checks))
    return "\n".join(f"{name:{width}}  {check.summary}" for name, check in checks.items())


def say(screen: Console, line: str) -> None:
    """Print a line as it is: names of problems hold colons and brackets."""
    screen.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)
