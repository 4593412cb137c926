"""Certificates, verdicts and cases as tables for the terminal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from solvers import Problem

from .checks.crosscheck import breaches, matrix
from .checks.crosscheck import table as agreement_square
from .problems import table as case_rows
from .proofs import Certificate
from .verdict import TIERS, Judgement, Outcome, Result
from .verdict_penalty import IMPLIED_OFF

LEGEND = """A tier: met / answers for which it is decided. Of the tightest tier: open (no dual bound is close
enough), beyond (float64). Worst: proven lower bound on the suboptimality."""
WIDTH = 130  # of tables that go to a file or a pipe
LISTED = 10  # verdicts of one solver that are printed in full


def console() -> Console:
    """Return the terminal, or a wide page where there is none."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=WIDTH)


def certificate_table(console: Console, problem: Problem, certificate: Certificate) -> None:
    """Print what is proven about one answer."""
    table = Table(title=str(problem), title_justify="left", show_header=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("meaning")
    c = certificate
    table.add_row("primal", _figure(c.primal, 12), "P(w, b)")
    if c.gap is not None and c.radius is not None:
        over_primal = c.gap / c.primal if c.primal > 0 else None
        table.add_row("dual", _figure(c.dual, 12), "a lower bound on the optimum")
        table.add_row("gap", _figure(c.gap), f"dual point: {c.kind}")
        table.add_row("gap / N", _figure(c.gap_rel), f"N = {_figure(c.scale)}")
        table.add_row("gap / P", _figure(over_primal), "")
        table.add_row("radius / N", _figure(c.radius / c.scale if c.scale else None), "rounding, estimated")
        table.add_row("KKT", _figure(c.kkt), "largest relative violation of stationarity")
        table.add_row("support", str(c.support), f"of {problem.p}")
        table.add_row(
            "certified zeros", str(int(c.certified_zeros.sum())), "proven to be zero at any optimum"
        )
        table.add_row("false features", str(c.false_features), "not zero here, proven to be")
        if c.implied_off is not None:
            fits = "the same" if c.implied_off <= IMPLIED_OFF else f"off by {c.implied_off:.1e}"
            fitted = f"{_figure(c.implied_l1, 8)}, {_figure(c.implied_l2, 8)}"
            table.add_row(
                "penalty that fits", fits, f"l1, l2 = {fitted}; residual / {_figure(c.implied_gain)}"
            )
    console.print(table)


def progress(console: Console, rows: Iterable[dict[str, Any]], cells: int) -> Iterator[dict[str, Any]]:
    """Pass rows on, with a bar of the cells done and the time left."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=cells)
        cell = None
        for row in rows:
            if row["cell"] != cell:
                bar.advance(task, 0 if cell is None else 1)
                cell = row["cell"]
            bar.update(task, description=f"{cell} {row.get('solver', '')}")
            yield row


def verdict_tables(console: Console, judgement: Judgement, notes: list[dict[str, Any]]) -> None:
    """Print a line for each solver, then every WRONG and every failure in full."""
    by_solver: dict[str, list[Result]] = defaultdict(list)
    for result in judgement.results:
        by_solver[result.row["solver"]].append(result)
    title = "Suboptimality against the best dual bound on record"
    table = Table(title=title, title_justify="left", box=SIMPLE)
    for name in ("solver", "answers", *(f"{tier:.0e}" for tier in TIERS["float64"]), "open", "beyond"):
        table.add_column(name, justify="left" if name == "solver" else "right", no_wrap=True)
    for name in ("worst", "no answer", "verdict"):
        table.add_column(name)
    for solver, results in by_solver.items():
        table.add_row(*_solver_row(solver, results, judgement))
    console.print(table)
    console.print(LEGEND, style="dim")
    _list(console, "not run", [f"{note['cell']}: {note['message']}" for note in notes])
    for solver, verdicts in judgement.wrong.items():
        _list(console, f"WRONG {solver}", [f"{v.cell} ({v.configuration}): {v.reason}" for v in verdicts])
    for solver, results in by_solver.items():
        failed = [r.row for r in results if r.row["status"] in ("FAILED", "CRASHED", "MEMORY")]
        lines = [f"{row['cell']}: {row['status']}: {row['message']}" for row in failed]
        _list(console, f"no answer from {solver}", lines)


def _list(console: Console, head: str, lines: list[str]) -> None:
    """Print the first lines under a head; the record has them all."""
    for line in lines[:LISTED]:
        # neither markup nor emoji: a cell's name holds colons
        console.print(f"{head} on {line}", markup=False, emoji=False, highlight=False, soft_wrap=True)
    if len(lines) > LISTED:
        console.print(f"{head}: and {len(lines) - LISTED} more", markup=False)


def _solver_row(solver: str, results: list[Result], judgement: Judgement) -> list[str]:
    answered = [r for r in results if r.suboptimality is not None]
    counts: list[str] = []
    for tier in TIERS["float64"]:
        outcomes = Counter(r.tiers[tier] for r in answered if tier in r.tiers)
        told = outcomes.total() - outcomes[Outcome.BEYOND] - outcomes[Outcome.UNDECIDED]
        counts.append(f"{outcomes[Outcome.MET]}/{told}")
    tightest = Counter(r.tiers[min(r.tiers)] for r in answered)
    decided = [r.at_least for r in answered if r.at_least is not None]
    absent = Counter(r.row["status"].lower() for r in results if r.suboptimality is None)
    wrong = len(judgement.wrong.get(solver, []))
    return [
        solver,
        f"{len(answered)}/{len(results)}",
        *counts,
        str(tightest[Outcome.UNDECIDED] or ""),
        str(tightest[Outcome.BEYOND] or ""),
        _figure(max(decided, default=None), 1),
        ", ".join(f"{n} {status}" for status, n in absent.items()),
        f"[bold red]WRONG[/] in {wrong}" if wrong else "",
    ]


def agreement_table(console: Console, rows: Iterable[dict[str, Any]]) -> list[str]:
    """Print how much of docs/maths.md (AGREE) each pair of solvers uses at worst; return the breaches."""
    found = matrix(rows)
    names, square = agreement_square(found)
    if len(names) < 2:
        return []
    title = "All pairs: worst distance in % of what two certificates allow; below the diagonal: cells"
    table = Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 0, 0, 1))
    for head in ("", "", *(str(k + 1) for k in range(len(names)))):
        table.add_column(head, justify="right", no_wrap=True)
    for k, name in enumerate(names):
        table.add_row(str(k + 1), name, *square[k])
    console.print(table)
    contradictions = breaches(found)
    for words in contradictions:
        console.print(words, markup=False, emoji=False, highlight=False, soft_wrap=True)
    return [f"{a} and {b}" for (a, b), worst in found.items() if worst.share > 1]


def cases_table(console: Console) -> int:
    """Print the cases; return how many are missing."""
    table = Table(title="Cases", title_justify="left", box=SIMPLE)
    for name in ("case", "regime", "n x p", "what", "source", "status"):
        table.add_column(name, overflow="fold")
    rows = case_rows()
    for row in rows:
        shape = f"{row['n']} x {row['p']}"
        cells = (row["name"], row["regime"], shape, row["summary"], row["source"], row["status"])
        table.add_row(*(str(cell) for cell in cells))
    console.print(table)
    return sum(row["status"] != "here" for row in rows)


def _figure(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}g}"


def text_table(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    """Return a table of plain text, the first column left, the others right."""
    table = Table(title=title, title_justify="left", box=SIMPLE)
    for i, name in enumerate(head):
        table.add_column(name, justify="right" if i else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table
