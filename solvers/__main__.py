"""The solvers' door: ``python -m solvers list`` and ``python -m solvers solve DATA --l1 .. --l2 ..``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from . import Problem, ProblemError, SolverMissing, SolverRefused, Stop, catalogue, solve
from .data import DataError, load

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()


@app.command("list")
def list_(markdown: Annotated[bool, typer.Option(help="as the README has it")] = False) -> None:
    """List the catalogue: what each solver does, and the version of its package."""
    if markdown:
        print(catalogue_markdown())
        return
    table = Table(Column("solver", no_wrap=True), "does", "package", "summary")
    for name, solver in catalogue().items():
        package = f"{solver.package} {solver.version() or 'missing'}" if solver.package else "own"
        table.add_row(name, " ".join(sorted(solver.supports)), package, escape(solver.summary))
    console.print(table)


def catalogue_markdown() -> str:
    """Table of the catalogue for the README."""
    lines = ["| solver | what it is | does |", "|---|---|---|"]
    for name, solver in catalogue().items():
        summary = solver.summary.split(" [")[0].rstrip(".")
        lines.append(f"| [`{name}`](solvers/{name}.py) | {summary} | {' '.join(sorted(solver.supports))} |")
    return "\n".join(lines)


@app.command("solve")
def solve_(
    data: Annotated[Path, typer.Argument(help=".csv, .npz, .svm, .libsvm or .mtx (docs/data.md)")],
    l1: Annotated[float | None, typer.Option(help="absolute; default: l1_max / 10")] = None,
    l2: Annotated[float, typer.Option(help="absolute")] = 0.0,
    intercept: Annotated[bool, typer.Option(help="fit an intercept")] = True,
    positive: Annotated[bool, typer.Option(help="require w >= 0")] = False,
    solver: Annotated[str | None, typer.Option(help="a name of the list, or module:function")] = None,
    tol: Annotated[float, typer.Option(help="relative duality gap")] = 1e-9,
    threads: Annotated[int, typer.Option(min=1, help="of the solver and its libraries")] = 1,
    output: Annotated[Path | None, typer.Option(help="write the coefficients here (.npy)")] = None,
) -> None:
    """Solve (P) on a file of data. What is printed is the solver's claim: ``verification certify`` judges."""
    X, y = load(data)
    problem = Problem(X, y, l1=l1 or 0.0, l2=l2, intercept=intercept, positive=positive, name=data.name)
    if l1 is None:
        problem = problem.replace(l1=problem.l1_max() / 10)
    solution = solve(problem, solver, Stop(tol), threads=threads)
    print(problem)
    claim = "no gap claimed" if solution.claimed_gap is None else f"claimed gap {solution.claimed_gap:.1e}"
    print(f"{solution.status.name}: {solution.status.value}; {claim}; {solution.message}".rstrip("; "))
    nonzero = np.flatnonzero(solution.coef)
    value = problem.objective(solution.coef, solution.intercept)
    print(f"objective {value!r}, intercept {solution.intercept!r}, {nonzero.size} nonzero coefficients")
    for j in nonzero[np.argsort(-np.abs(solution.coef[nonzero]))][:20]:
        print(f"  w[{j}] = {float(solution.coef[j])!r}")
    if output is not None:
        np.save(output, solution.coef)


def main() -> None:
    """Run a command; exit 0 all well, 2 could not run, the last line says why."""
    try:
        app()
    except (ProblemError, DataError, SolverRefused, SolverMissing, KeyError, OSError, ValueError) as error:
        print(f"exit 2: could not run: {error.args[0] if error.args else error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
