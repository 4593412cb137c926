"""The door: `python -m verification <command>`; `--help` lists the commands, `door.py` the exit codes.

Further commands stand in `doors/`, one file a subject.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any, NoReturn

import numpy as np
import typer

from solvers import ProblemError

from . import doors  # noqa: F401 (they register themselves)
from .door import CannotRun, app, end, main


@app.command()
def certify(
    data: Annotated[Path, typer.Argument(help="X and y: .csv .npz .svm .libsvm .mtx (.gz).")],
    coef: Annotated[Path, typer.Option(help="The coefficients to judge: .npy, .csv or .txt.")],
    l1: Annotated[float, typer.Option(help="L1 penalty of (P), absolute.")] = 0.0,
    l2: Annotated[float, typer.Option(help="L2 penalty of (P), absolute.")] = 0.0,
    intercept: Annotated[
        float | None, typer.Option(help="The answer's b; without it (P) has no intercept.")
    ] = None,
    positive: Annotated[bool, typer.Option("--positive", help="(P) with w >= 0.")] = False,
    sample_weight: Annotated[Path | None, typer.Option(help="File with s, one a row.")] = None,
    penalty_weights: Annotated[Path | None, typer.Option(help="File with v, one a column, 0 to inf.")] = None,
    tol: Annotated[float | None, typer.Option(help="Exit 1 unless a relative gap of this is proven.")] = None,
    level: Annotated[str, typer.Option(help="float, rigorous or exact: docs/proofs.md.")] = "float",
    save: Annotated[
        Path | None, typer.Option(help="Write a certificate file that proofs/checker.py checks by itself.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Prove how far any coefficients, whoever computed them, are from the optimum of (P)."""
    from solvers import Problem
    from solvers.data import DataError, load

    from .printing import certificate_table, console
    from .proofs import certify as prove
    from .proofs.exact import Unproven, optimum
    from .proofs.export import export
    from .record import jsonable

    try:
        X, y = load(data)
        problem = Problem(
            X,
            y,
            l1=l1,
            l2=l2,
            intercept=intercept is not None,
            positive=positive,
            sample_weight=None if sample_weight is None else _numbers(sample_weight),
            penalty_weights=None if penalty_weights is None else _numbers(penalty_weights),
            name=data.name,
        )
        certificate = prove(problem, _numbers(coef), intercept or 0.0, level=level)
        if save is not None:
            best = optimum(problem, _numbers(coef), intercept or 0.0) if level == "exact" else None
            export(problem, _numbers(coef), intercept or 0.0, save, exact=best)
    except (DataError, ProblemError, ValueError, Unproven) as error:
        raise CannotRun(str(error)) from error
    if as_json:
        print(json.dumps(jsonable({"digest": problem.digest, **certificate.to_dict()})))
    else:
        certificate_table(console(), problem, certificate)
    if certificate.gap is None or certificate.gap_rel is None or certificate.radius is None:
        end(1, f"nothing is proven: {certificate.reason}", quiet=as_json)
    proven = certificate.gap + certificate.radius
    if tol is not None and proven > tol * certificate.scale:
        end(1, f"a relative gap of {tol:g} is not proven: {certificate.gap_rel:.2e}", quiet=as_json)
    end(0, f"proven: at most {certificate.gap_rel:.2e} N above the optimum", quiet=as_json)


@app.command()
def run(
    solvers: Annotated[str | None, typer.Option(help="Names separated by commas [default: all].")] = None,
    solver: Annotated[
        list[str] | None,
        typer.Option(
            help="Your own, module:function: held to every check; with --solvers, --cells, --data or --suite "
            "run beside the others too. May be repeated."
        ),
    ] = None,
    suite: Annotated[
        str | None, typer.Option(help="standard, or full: the large cases too [default: standard].")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Your own data in place of the cases.")] = None,
    cells: Annotated[str | None, typer.Option(help="Only cells of this name, e.g. 'nci60/lasso/*'.")] = None,
    tol: Annotated[
        float | None, typer.Option(help="Relative gap that is asked [default: 1e-9; in the checks 1e-10].")
    ] = None,
    time_limit: Annotated[float, typer.Option(help="Seconds a run, soft.")] = 20.0,
    every_configuration: Annotated[
        bool, typer.Option("--every-configuration", help="All settings of a peer, not its first.")
    ] = False,
    record: Annotated[Path | None, typer.Option(help="Append the rows to this .jsonl file.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on a verdict against any solver.")] = False,
    checks: Annotated[bool, typer.Option(help="Whether to hold your own solvers to the checks.")] = True,
) -> None:
    """Run every solver on every case, certify every answer, and judge; hold your own to every check."""
    from solvers import Stop

    from .printing import agreement_table, console, progress, verdict_tables
    from .trials import rows
    from .verdict import judge

    sys.path.insert(0, "")  # where a user's own module:function lives
    screen = console()
    failed_checks: list[str] = []
    if solver and checks:
        failed_checks = _held(screen, solver, tol or 1e-10, time_limit)
        if not any((solvers, suite, data, cells)):
            _end_of_checks(failed_checks)
    chosen = _cells(suite or "standard", data, cells)
    entries = _entries(solvers, solver or [])
    stop = Stop(tol=tol or 1e-9, time_limit=time_limit)
    screen.print(f"{len(chosen)} cells, {len(entries)} solvers, tol {stop.tol:g}", highlight=False)
    stream = rows(chosen, entries, stop, every_configuration=every_configuration)
    found = list(progress(screen, _recorded(stream, record), len(chosen)))
    judgement = judge(found)
    verdict_tables(screen, judgement, [row for row in found if row["kind"] == "note"])
    contradictions = agreement_table(screen, found)
    if not any(row.get("certificate") for row in found):
        end(2, "could not run: no answer was judged")
    failed = sorted({r.row["solver"] for r in judgement.results if r.row["own"] and _failed(r.row)})
    against = judgement.against(strict)
    if against or failed or failed_checks or contradictions:
        verdicts = {"WRONG": against, "failed": failed, "failing checks": failed_checks}
        verdicts["contradictions of the verifier"] = contradictions
        words = [f"{word}: {', '.join(names)}" for word, names in verdicts.items() if names]
        end(1, f"{'; '.join(words)} (why stands above)")
    peers = f"; WRONG among the peers: {', '.join(sorted(judgement.wrong))}" if judgement.wrong else ""
    end(0, f"all well: no verdict against any solver of ours{peers}")


def _held(screen: Any, names: list[str], tol: float, time_limit: float) -> list[str]:
    """Hold a user's own solvers to every check; return those that fail any."""
    from .holding import hold_own
    from .isolate import Spec

    specs = [Spec(name, tol=tol, time_limit=time_limit) for name in names]
    failed, not_run = hold_own(screen, specs)
    if not_run:
        raise CannotRun("; ".join(not_run))
    return [f"{name} ({len(checks)} checks)" for name, checks in failed.items() if checks]


def _end_of_checks(failed: list[str]) -> NoReturn:
    """Leave after the checks alone."""
    if failed:
        end(1, f"failing checks: {', '.join(failed)} (which and why stands above)")
    end(0, "all well: no check fails")


@app.command()
def cases() -> None:
    """List the cases and whether their data are here."""
    from .printing import cases_table, console

    missing = cases_table(console())
    end(0, f"all well: {missing} case(s) missing" if missing else "all well: every case is here")


def _failed(row: Mapping[str, Any]) -> bool:
    return row["status"] in ("FAILED", "CRASHED", "MEMORY")


def _numbers(path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Read a vector from .npy, or from text with commas, blanks or lines between the numbers."""
    try:
        if path.suffix == ".npy":
            return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64).ravel()
        return np.array(path.read_text().replace(",", " ").split(), dtype=np.float64)
    except (OSError, ValueError) as error:
        raise CannotRun(f"{path}: not a vector of numbers: {error}") from error


def _cells(suite: str, data: Path | None, pattern: str | None) -> list[Any]:
    from solvers.data import DataError

    from .problems.cells import all_cells, user_cells

    if suite not in ("standard", "full"):
        raise CannotRun(f"suite is {suite!r}: one of standard, full")
    try:
        found = all_cells(full=suite == "full") if data is None else user_cells(data)
    except (DataError, ProblemError) as error:
        raise CannotRun(str(error)) from error
    chosen = [cell for cell in found if pattern is None or fnmatch(cell.name, pattern)]
    if not chosen:
        raise CannotRun(f"no cell is called {pattern!r}; there are {len(found)}, such as {found[0].name}")
    return chosen


def _entries(names: str | None, own: list[str]) -> list[Any]:
    from solvers import catalogue, entry

    try:
        listed = (
            list(catalogue())
            if names is None
            else [name.strip() for name in names.split(",") if name.strip()]
        )
        return [entry(name) for name in [*listed, *own]]
    except KeyError as error:
        raise CannotRun(str(error.args[0])) from error


def _recorded(stream: Any, path: Path | None) -> Any:
    if path is None:
        yield from stream
        return
    from .environment import provenance
    from .record import Recorder

    with Recorder(path) as recorder:
        recorder.append({"kind": "run", "suite": "verify", **provenance()})
        for row in stream:
            recorder.append(row)
            yield row


if __name__ == "__main__":
    main()
