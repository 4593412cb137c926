"""From the rows of a record to a Report: verdicts, the best of each solver's settings, and its times."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from bench.floor import heard
from bench.noise import noise_for
from bench.report.model import Cell, Outcome, Point, Report, Solver, Timing, Twin, settled
from verification.record import read_counting
from verification.verdict import TIERS, Contender, Judgement, Result, Wrong, judge
from verification.verdict import Outcome as Tier
from verification.verdict_points import KINDS, judge_points

__all__ = ["build", "read_report"]

MEASURED = ("ladder", "repeat")
# What to show of a solver that gave no answer in a cell: the most telling of its settings' statuses.
MEASURED = ("ladder", "repeat")
TELLING = ("CRASHED", "KILLED", "MEMORY", "FAILED", "TIME_LIMIT", "MISSING", "REFUSED")
Loosest = Mapping[Contender, Mapping[float, Result]]  # None where the times are withheld
UNMET = (Tier.UNDECIDED, Tier.BEYOND, Tier.MISSED)


def read_report(path: str | os.PathLike[str]) -> Report:
    """Read a record and judge it."""
    rows, torn = read_counting(path)
    report = build(rows)
    report.torn = torn
    return report


def build(rows: Iterable[Mapping[str, Any]]) -> Report:
    """Judge the rows of one run and arrange what came of them.

    Raises
    ------
    ValueError
        If the rows are headed by no run.
    """
    of_kind: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        of_kind[row["kind"]].append(row)
    if not of_kind["run"]:
        raise ValueError("the record has no run row: it was cut at the very beginning, or is no record")
    results = of_kind["result"]
    judgement = judge(results)
    cells = _cells(of_kind["run"][0], results)
    along = judge_points(row for kind in KINDS for row in of_kind[kind])
    names = [cell["name"] for cell in of_kind["run"][0]["cells"]]
    order = {name: k for k, name in enumerate(dict.fromkeys([*cells, *names]))}
    wrong = {
        solver: [*judgement.wrong.get(solver, ()), *along.wrong.get(solver, ())]
        for solver in (*judgement.wrong, *along.wrong)
    }
    twins = {
        row["solver"]: Twin(row["solver"], row["twin_of"], row.get("slowdown") or 0.0)
        for row in (*of_kind["solver"], *results)
        if row.get("twin_of")
    }
    report = Report(
        head=dict(of_kind["run"][0]),
        tiers=TIERS["float64"],
        solvers={row["solver"]: _solver(row) for row in of_kind["solver"] if row["solver"] not in twins},
        cells=cells,
        outcomes={},
        wrong={solver: _reasons(found, order) for solver, found in wrong.items() if solver not in twins},
        judgement=judgement,
        notes=[row["message"] for row in of_kind["note"]],
        first_calls=_first_calls(row for row in results if row["solver"] not in twins),
        loaded={row["solver"]: row.get("blas") for row in of_kind["environment"]},
        end=dict(of_kind["end"][-1]) if of_kind["end"] else None,
        twins=twins,
        along=along,
        noise=noise_for(of_kind["run"][0].get("cpu")),
    )
    loosest = judgement.loosest()
    answers: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in judgement.results:
        if result.row["phase"] in MEASURED:
            answers[result.row["solver"], result.row["cell"]].append(result)
    for (solver, cell), found in answers.items():
        outcomes = report.twin_outcomes if solver in twins else report.outcomes
        known = None if solver in wrong else loosest
        outcomes[solver, cell] = _outcome(solver, cell, found, judgement, known)
    report.noise = heard(report)
    return report


def _solver(row: Mapping[str, Any]) -> Solver:
    name = row["solver"]
    return Solver(
        name=name,
        own=row.get("own", not name.startswith("peer_")),
        version=row.get("package_version"),
        package=row.get("package"),
        summary=row.get("summary", row.get("message", "")),
        claims_gap=row.get("claims_gap", False),
        configurations=row.get("configurations", {}),
    )


def _cells(head: Mapping[str, Any], results: Iterable[Mapping[str, Any]]) -> dict[str, Cell]:
    """Return the cells that were measured, in the order of the suite (they were measured shuffled)."""
    found = {row["cell"]: _cell(row) for row in results}
    order = {cell["name"]: k for k, cell in enumerate(head["cells"])}
    return {name: found[name] for name in sorted(found, key=lambda name: order.get(name, len(order)))}


def _cell(row: Mapping[str, Any]) -> Cell:
    return Cell(row["cell"], row["case"], row["regime"], row["penalty"], row["n"], row["p"], row["nnz"])


def _reasons(found: Iterable[Wrong], order: Mapping[str, int]) -> dict[str, str]:
    """Return the reason in each cell, in the suite's order: that at the tightest tolerance tells most."""
    last: dict[tuple[str, str], list[str]] = defaultdict(list)
    for wrong in found:
        last[wrong.cell, wrong.configuration].append(wrong.reason)
    told: dict[str, list[str]] = defaultdict(list)
    for (cell, configuration), reasons in last.items():
        setting = "" if configuration == "default" else f"setting {configuration} "
        more = f" (and at {len(reasons) - 1} looser tolerances)" if len(reasons) > 1 else ""
        told[cell].append(f"{setting}{reasons[-1]}{more}")
    return {cell: "; ".join(told[cell]) for cell in sorted(told, key=order.__getitem__)}


def _first_calls(results: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Longest first call by solver: what compilation and late imports cost, once for each kind of problem."""
    longest: dict[str, float] = {}
    for row in results:
        if row["phase"] == "first_call" and row["seconds"] is not None:
            longest[row["solver"]] = max(longest.get(row["solver"], 0.0), row["seconds"])
    return longest


def _proven(result: Result, judgement: Judgement) -> float:
    """Proven upper bound on the relative suboptimality, rounding included; inf if there is none."""
    value = result.suboptimality
    if value is None or not math.isfinite(value):
        return math.inf
    reference = judgement.references[result.row["digest"]]
    return value + reference.relative((result.row["radius"] or 0.0) + reference.dual_radius)


def _outcome(
    solver: str, cell: str, found: list[Result], judgement: Judgement, loosest: Loosest | None
) -> Outcome:
    best = min(found, key=lambda result: _proven(result, judgement))
    value = _proven(best, judgement)
    if not math.isfinite(value):
        shown = next((r.row for status in TELLING for r in found if r.row["status"] == status), best.row)
        return Outcome(solver, cell, shown["status"], shown["message"] or "")
    reference = judgement.references[best.row["digest"]]
    outcome = Outcome(
        solver,
        cell,
        best.row["status"],
        best.row["message"] or "",
        best=value,
        self_gap=best.row["gap_rel"],
        relative_to_optimum=value * reference.scale / reference.primal if reference.primal > 0 else None,
        false_features=best.row["false_features"],
        missed_features=best.row.get("missed_features"),
        tiers={tier: _tier(found, tier) for tier in best.tiers},
    )
    if loosest is not None:
        outcome.points = _points(found, judgement)
        outcome.timings = _timings(found, loosest)
    return outcome


def _tier(found: Iterable[Result], tier: float) -> str:
    reached = {result.tiers.get(tier) for result in found}
    if Tier.MET in reached:
        return "met"
    name = next((outcome for outcome in UNMET if outcome in reached), Tier.NO_ANSWER)
    return name.name.lower()


def _points(found: Iterable[Result], judgement: Judgement) -> list[Point]:
    rungs: dict[tuple[str, int], list[Result]] = defaultdict(list)
    for result in found:
        if result.row["seconds"] is not None and math.isfinite(_proven(result, judgement)):
            rungs[result.row["configuration"], result.row["rung"]].append(result)
    return [
        Point(
            configuration=configuration,
            rung=rung,
            tol=same[0].row["tol"],
            seconds=settled((result.row["round"], result.row["seconds"]) for result in same),
            suboptimality=max(_proven(result, judgement) for result in same),
            gap_rel=same[0].row["gap_rel"],
            status=same[0].row["status"],
        )
        for (configuration, rung), same in sorted(rungs.items())
    ]


def _timings(found: list[Result], best: Loosest) -> dict[float, Timing]:
    """For each tier, the time of the loosest rung that meets it, in the fastest setting."""
    timings: dict[float, Timing] = {}
    for contender in dict.fromkeys(result.contender for result in found):
        for tier, rung in best.get(contender, {}).items():
            same = [
                result.row
                for result in found
                if result.contender == contender
                and result.row["rung"] == rung.row["rung"]
                and result.tiers.get(tier) is Tier.MET
            ]
            timing = Timing(
                rounds=tuple(row["seconds"] for row in same),
                configuration=rung.row["configuration"],
                tol=rung.row["tol"],
                processes=tuple(row.get("process") or 1 for row in same),
                turns=tuple(row["round"] for row in same),
            )
            if tier not in timings or timing.seconds < timings[tier].seconds:
                timings[tier] = timing
    return timings
