"""From rows on record to verdicts, docs/maths.md (SUB), (TIER), (WRONG).

Pure functions: nothing is solved or certified here, so a better dual bound re-judges every old row.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from .verdict_penalty import Contender, Row, contender, number, other_penalties

__all__ = [
    "CLAIM_MARGIN",
    "TIERS",
    "Contender",
    "Judgement",
    "Outcome",
    "Reference",
    "Result",
    "Row",
    "Wrong",
    "judge",
]

TIERS = {"float64": (1e-3, 1e-6, 1e-9), "float32": (1e-3, 1e-6)}
CLAIM_MARGIN = 10.0  # a claim is wrong when it is off by more than this factor


class Outcome(Enum):
    """Whether a tier is met. The value is the help text."""

    MET = "met: proven"
    MISSED = "missed: proven, or the best dual bound is within a tenth of the tier"
    UNDECIDED = "undecided: no dual bound on record is within a tenth of the tier"
    BEYOND = "beyond float64: rounding alone exceeds the tier"
    NO_ANSWER = "no answer: see the status"


@dataclass(frozen=True)
class Reference:
    """The best that is on record for one problem, whoever found it.

    Attributes
    ----------
    dual, dual_radius : float
        D*, the dual bound with the largest dual - radius; -inf, 0 if there is none.
    primal, primal_radius : float
        P_best, the least primal value, and its rounding.
    scale : float
        N.
    """

    dual: float
    dual_radius: float
    primal: float
    primal_radius: float
    scale: float

    def relative(self, value: float) -> float:
        """Return value / N, 0 / 0 being 0."""
        if self.scale > 0:
            return value / self.scale
        return 0.0 if value <= 0 else math.inf

    @property
    def width(self) -> float:
        """How far D* may be from P*, relative to N."""
        return self.relative(self.primal - self.dual + self.dual_radius + self.primal_radius)


@dataclass(frozen=True)
class Result:
    """One row, judged.

    Attributes
    ----------
    row : mapping
    suboptimality : float or None
        (P(w) - D*) / N, clipped at 0; None if there are no coefficients, inf where they break a constraint.
    at_least : float or None
        Proven lower bound on the true suboptimality, relative to N; 0 if none.
    tiers, self_tiers : dict of float to Outcome
        By suboptimality against D*, and by the gap that the answer proves by itself.
    wrong : str
        Why the answer is WRONG, or an empty string.
    """

    row: Row
    suboptimality: float | None
    at_least: float | None
    tiers: dict[float, Outcome]
    self_tiers: dict[float, Outcome]
    wrong: str

    @property
    def contender(self) -> Contender:
        """Return (cell, solver, configuration)."""
        return contender(self.row)


@dataclass(frozen=True)
class Wrong:
    """A verdict: where, and why."""

    cell: str
    configuration: str
    reason: str


@dataclass(frozen=True)
class Judgement:
    """All verdicts on a set of rows.

    Attributes
    ----------
    results : list of Result
        In the order of the rows.
    references : dict of str to Reference
        By digest of the problem.
    wrong : dict of str to list of Wrong
        By solver; one entry for each cell, configuration and reason. Its times are withheld in all cells.
    own : frozenset of str
        The solvers that are not adapters of other packages.
    """

    results: list[Result]
    references: dict[str, Reference]
    wrong: dict[str, list[Wrong]]
    own: frozenset[str]

    def loosest(self) -> dict[Contender, dict[float, Result]]:
        """Return, for each contender, the loosest rung that meets each tier; unmet tiers are absent."""
        best: dict[Contender, dict[float, Result]] = defaultdict(dict)
        for result in self.results:
            reached = best[result.contender]
            for tier, outcome in result.tiers.items():
                looser = tier not in reached or _tol(result.row) > _tol(reached[tier].row)
                if outcome is Outcome.MET and looser and number(result.row, "tol") is not None:
                    reached[tier] = result
        return dict(best)

    def against(self, strict: bool = False) -> list[str]:
        """Return the solvers that a door must exit with 1 for: ours that are WRONG; with strict, any."""
        return sorted(solver for solver in self.wrong if strict or solver in self.own)


def judge(rows: Iterable[Row]) -> Judgement:
    """Judge rows of kind "result" (others are passed over).

    Parameters
    ----------
    rows : iterable of mappings
        As written by verification.record, "inf" and null included.

    Returns
    -------
    Judgement
    """
    results = [row for row in rows if row.get("kind", "result") == "result"]
    by_digest: dict[str, list[Row]] = defaultdict(list)
    for row in results:
        by_digest[row["digest"]].append(row)
    references = {digest: _reference(group) for digest, group in by_digest.items()}
    penalties = other_penalties(results, lambda row: _short(row, references[row["digest"]]))
    judged = [
        _judge_row(row, references[row["digest"]], penalty)
        for row, penalty in zip(results, penalties, strict=True)
    ]
    wrong: dict[str, list[Wrong]] = defaultdict(list)
    for result in judged:
        found = Wrong(result.row["cell"], result.row["configuration"], result.wrong)
        if result.wrong and found not in wrong[result.row["solver"]]:
            wrong[result.row["solver"]].append(found)
    own = frozenset(row["solver"] for row in results if row.get("own"))
    return Judgement(judged, references, {k: v for k, v in wrong.items() if v}, own)


def _tol(row: Row) -> float:
    return number(row, "tol") or 0.0


def _proven(row: Row) -> bool:
    return number(row, "gap") is not None


def _reference(rows: list[Row]) -> Reference:
    """The best dual bound and the least primal value of one problem."""
    dual, dual_radius, primal, primal_radius = -math.inf, 0.0, math.inf, 0.0
    for row in filter(_proven, rows):
        value, bound, radius = float(row["primal"]), float(row["dual"]), float(row["radius"])
        if bound - radius > dual - dual_radius:
            dual, dual_radius = bound, radius
        if value < primal:
            primal, primal_radius = value, radius
    scale = max((number(row, "scale") or 0.0 for row in rows), default=0.0)
    return Reference(dual, dual_radius, primal, primal_radius, scale)


def _short(row: Row, reference: Reference) -> tuple[float, float]:
    """The self-certified gap, and the suboptimality, of a row that has both."""
    primal, gap = float(row["primal"]), float(row["gap"])
    return reference.relative(gap), reference.relative(primal - reference.dual)


def _judge_row(row: Row, reference: Reference, penalty: str) -> Result:
    tiers = TIERS[row.get("dtype") or "float64"]
    primal = number(row, "primal")
    if primal is None:
        nothing = dict.fromkeys(tiers, Outcome.NO_ANSWER)
        return Result(row, None, None, nothing, nothing, "")
    radius = number(row, "radius") or 0.0
    if not _proven(row):  # a constraint is broken, or the coefficients are not finite
        suboptimality = at_least = at_most = math.inf
    else:
        suboptimality = max(0.0, reference.relative(primal - reference.dual))
        at_most = reference.relative(primal - reference.dual + radius + reference.dual_radius)
        at_least = reference.relative(primal - reference.primal - radius - reference.primal_radius)
    gap = number(row, "gap")
    own = math.inf if gap is None else reference.relative(gap + radius)
    return Result(
        row,
        suboptimality,
        max(0.0, at_least),
        {tier: _outcome(tier, at_most, at_least, reference) for tier in tiers},
        {tier: _self_outcome(tier, own, reference.relative(radius)) for tier in tiers},
        "; ".join(reason for reason in (_false_claim(row, reference, primal), penalty) if reason),
    )


def _outcome(tier: float, at_most: float, at_least: float, reference: Reference) -> Outcome:
    if at_most <= tier:
        return Outcome.MET
    if at_least > tier:
        return Outcome.MISSED
    if reference.relative(reference.dual_radius) > tier:
        return Outcome.BEYOND
    return Outcome.MISSED if reference.width <= tier / 10 else Outcome.UNDECIDED


def _self_outcome(tier: float, at_most: float, radius: float) -> Outcome:
    if at_most <= tier:
        return Outcome.MET
    return Outcome.BEYOND if radius > tier else Outcome.MISSED


def _false_claim(row: Row, reference: Reference, primal: float) -> str:
    """Whether it claims a gap where the least primal value on record is far below.

    One that says CONVERGED and names no gap claims what was asked for. One that names a gap is held to that:
    to no less than the finest tier, for a claim has rounding of its own.
    """
    claim, asked = number(row, "claimed_gap"), number(row, "tol")
    if not row.get("claims_gap") or row.get("status") != "CONVERGED" or (claim is None and asked is None):
        return ""
    finest = TIERS[row.get("dtype") or "float64"][-1]
    held = asked if claim is None else max(claim, finest if asked is None else min(asked, finest))
    assert held is not None
    if not _proven(row):
        why = row.get("reason") or "the answer breaks a constraint or is not finite"
        return f"claims {held:.0e}, but {why}"
    radius = (number(row, "radius") or 0.0) + reference.primal_radius
    off = reference.relative(primal - reference.primal)
    if off > CLAIM_MARGIN * (held + reference.relative(radius)):
        return f"claims {held:.0e}, proven off by at least {max(0.0, off - reference.relative(radius)):.0e}"
    return ""
