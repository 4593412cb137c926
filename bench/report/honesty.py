"""Two rates of each solver: how often it gets there, and how often its own status tells the truth."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median_low

from bench.report.model import Report
from bench.report.tables import Table
from bench.report.words import number
from verification.verdict import Judgement, Result

__all__ = ["Honesty", "honesty", "honesty_table", "success_table"]


@dataclass
class Honesty:
    """What a solver said of its runs, each rung once, against what is proven of them.

    Attributes
    ----------
    kept, unproven, broken : int
        It said CONVERGED and claimed a gap: the answer's suboptimality is within it; neither that nor the
        contrary is proven; it is proven to be larger.
    admitted, modest : int
        It said that it did not arrive: true, or within tol all the same.
    delivered : list of float
        Suboptimalities at tol 1e-6 where it said CONVERGED, whatever it claims.
    """

    kept: int = 0
    unproven: int = 0
    broken: int = 0
    admitted: int = 0
    modest: int = 0
    delivered: list[float] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Runs that said something that can be checked."""
        return self.kept + self.unproven + self.broken + self.admitted + self.modest

    @property
    def rate(self) -> float | None:
        """Share of them that is shown to be true; None if there are none."""
        return (self.kept + self.admitted) / self.total if self.total else None


HONESTY_COLUMNS = [
    "solver", "true", "converged: kept", "unproven", "broken", "stopped early: true",
    "within tol all the same", "suboptimality delivered (worst)",
]  # fmt: skip
AT = 1e-6  # the tol whose delivery is shown


def honesty(judgement: Judgement) -> dict[str, Honesty]:
    """Compare what solvers said with what is proven, by solver."""
    found: dict[str, Honesty] = defaultdict(Honesty)
    for result in judgement.results:
        if result.row["phase"] == "ladder" and result.suboptimality is not None:
            _count(found[result.row["solver"]], result, judgement)
    return dict(found)


def _count(said: Honesty, result: Result, judgement: Judgement) -> None:
    row, reference = result.row, judgement.references[result.row["digest"]]
    value, at_least = result.suboptimality, result.at_least
    assert value is not None
    assert at_least is not None
    converged = row["status"] == "CONVERGED"
    if converged and row["tol"] == AT and math.isfinite(value):
        said.delivered.append(value)
    if not row.get("claims_gap"):
        return
    # One that claims less than was asked is held to what it claims, docs/maths.md (WRONG).
    claim = max(row["tol"], row.get("claimed_gap") or 0.0) if converged else row["tol"]
    within = value <= claim + reference.relative((row["radius"] or 0.0) + reference.dual_radius)
    if converged:
        said.kept += within
        said.broken += not within and at_least > claim
        said.unproven += not within and at_least <= claim
    else:
        said.modest += within
        said.admitted += not within


def honesty_table(report: Report) -> Table:
    """Whether each solver's own status tells the truth."""
    rows = []
    found = honesty(report.judgement)
    for name, solver in report.solvers.items():
        said = found.get(name)
        if said is None:
            continue
        counts = [said.kept, said.unproven, said.broken, said.admitted, said.modest]
        spread = "-"
        if said.delivered:
            spread = f"{number(median_low(said.delivered))} ({number(max(said.delivered))})"
        rate = "claims nothing" if said.rate is None else f"{100 * said.rate:.1f} % of {said.total}"
        whose = name if solver.own else f"{name} (peer)"
        rows.append([whose, rate, *(str(k) if said.total else "-" for k in counts), spread])
    return Table(
        "Honesty: does the solver's own status tell the truth?",
        "Every rung once. Where tol is documented as a duality gap, CONVERGED claims it: kept if the proven "
        "suboptimality is within the claim, broken if it is proven to be larger (ten times larger is WRONG), "
        f"else unproven. The last column is what CONVERGED at tol {number(AT)} delivered, claim or no claim.",
        HONESTY_COLUMNS,
        rows,
    )


def success_table(report: Report) -> Table:
    """How often each solver reaches each accuracy."""
    rows = []
    for name, solver in report.solvers.items():
        asked = [outcome for outcome in report.asked if outcome.solver == name]
        if not asked:
            continue
        row = [name if solver.own else f"{name} (peer)", str(len(asked))]
        for tier in report.tiers:
            states = [outcome.tiers.get(tier, "no_answer") for outcome in asked]
            judged = [state for state in states if state != "beyond"]
            met = sum(state == "met" for state in states)
            row.append(f"{100 * met / len(judged):.0f} % ({met} of {len(judged)})" if judged else "-")
        states = [state for outcome in asked for state in outcome.tiers.values()]
        row += [str(states.count("undecided")), str(states.count("beyond"))]
        rows.append(row)
    return Table(
        "Success: how often is an accuracy reached?",
        "Of the cells that the solver did not refuse, by its best setting and tolerance, within its share of "
        "the budget. What lies beyond float64 is nobody's failure; undecided counts as not reached.",
        [
            "solver",
            "cells",
            *(f"to {number(tier)}" for tier in report.tiers),
            "undecided",
            "beyond float64",
        ],
        rows,
    )
