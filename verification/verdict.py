"""From rows on record to verdicts, docs/maths.md (SUB), (TIER), (WRONG).

Pure functions: nothing is solved or certified here, so a better dual bound re-judges every old row.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

TIERS = {"float64": (1e-3, 1e-6, 1e-9), "float32": (1e-3, 1e-6)}
CLAIM_MARGIN = 10.0  # a claim is wrong when it is off by more than this factor
IMPLIED_OFF = 1e-4
NO_PENALTY = 0.01  # a fitted penalty below this share of the nominal one is none
IMPLIED_GAIN = 100.0
IMPLIED_SUPPORT = 4

Row = Mapping[str, Any]
Contender = tuple[str, str, str]  # cell, solver, configuration


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
        return _contender(self.row)


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
                if outcome is Outcome.MET and looser and _number(result.row, "tol") is not None:
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
    tightest = _tightest(results)
    judged = [
        _judge_row(row, references[row["digest"]], tightest.get(_contender(row)) is row) for row in results
    ]
    wrong: dict[str, list[Wrong]] = defaultdict(list)
    for result in judged:
        found = Wrong(result.row["cell"], result.row["configuration"], result.wrong)
        if result.wrong and found not in wrong[result.row["solver"]]:
            wrong[result.row["solver"]].append(found)
    own = frozenset(row["solver"] for row in results if row.get("own"))
    return Judgement(judged, references, {k: v for k, v in wrong.items() if v}, own)


def _number(row: Row, key: str) -> float | None:
    value = row.get(key)
    return None if value is None else float(value)  # "inf" and "-inf" are how JSON holds them


def _contender(row: Row) -> Contender:
    return row["cell"], row["solver"], row["configuration"]


def _tol(row: Row) -> float:
    return _number(row, "tol") or 0.0


def _proven(row: Row) -> bool:
    return _number(row, "gap") is not None


def _reference(rows: list[Row]) -> Reference:
    """The best dual bound and the least primal value of one problem."""
    dual, dual_radius, primal, primal_radius = -math.inf, 0.0, math.inf, 0.0
    for row in filter(_proven, rows):
        value, bound, radius = float(row["primal"]), float(row["dual"]), float(row["radius"])
        if bound - radius > dual - dual_radius:
            dual, dual_radius = bound, radius
        if value < primal:
            primal, primal_radius = value, radius
    scale = max((_number(row, "scale") or 0.0 for row in rows), default=0.0)
    return Reference(dual, dual_radius, primal, primal_radius, scale)


def _tightest(rows: list[Row]) -> dict[Contender, Row]:
    """Row of the tightest rung that ended CONVERGED, by contender; the first of equals."""
    found: dict[Contender, Row] = {}
    for row in filter(_proven, rows):
        if row.get("status", "CONVERGED") != "CONVERGED" or _number(row, "tol") is None:
            continue  # it says itself that it has not arrived; or it was asked for nothing: no rung
        key = _contender(row)
        if key not in found or _tol(row) < _tol(found[key]):
            found[key] = row
    return found


def _judge_row(row: Row, reference: Reference, is_tightest: bool) -> Result:
    tiers = TIERS[row.get("dtype") or "float64"]
    primal = _number(row, "primal")
    if primal is None:
        nothing = dict.fromkeys(tiers, Outcome.NO_ANSWER)
        return Result(row, None, None, nothing, nothing, "")
    radius = _number(row, "radius") or 0.0
    if not _proven(row):  # a constraint is broken, or the coefficients are not finite
        suboptimality = at_least = at_most = math.inf
    else:
        suboptimality = max(0.0, reference.relative(primal - reference.dual))
        at_most = reference.relative(primal - reference.dual + radius + reference.dual_radius)
        at_least = reference.relative(primal - reference.primal - radius - reference.primal_radius)
    gap = _number(row, "gap")
    own = math.inf if gap is None else reference.relative(gap + radius)
    return Result(
        row,
        suboptimality,
        max(0.0, at_least),
        {tier: _outcome(tier, at_most, at_least, reference) for tier in tiers},
        {tier: _self_outcome(tier, own, reference.relative(radius)) for tier in tiers},
        _why_wrong(row, reference, primal, is_tightest),
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


def _why_wrong(row: Row, reference: Reference, primal: float, is_tightest: bool) -> str:
    reasons = [_false_claim(row, reference, primal), _other_penalty(row, reference) if is_tightest else ""]
    return "; ".join(reason for reason in reasons if reason)


def _false_claim(row: Row, reference: Reference, primal: float) -> str:
    """Whether it claims a gap where the least primal value on record is far below."""
    claim = _number(row, "claimed_gap")
    if not row.get("claims_gap") or row.get("status") != "CONVERGED" or claim is None:
        return ""
    tol = max(_tol(row), claim)  # one that claims less than was asked is held to what it claims
    if not _proven(row):
        why = row.get("reason") or "the answer breaks a constraint or is not finite"
        return f"claims {tol:.0e}, but {why}"
    radius = (_number(row, "radius") or 0.0) + reference.primal_radius
    off = reference.relative(primal - reference.primal)
    if off > CLAIM_MARGIN * (tol + reference.relative(radius)):
        return f"claims {tol:.0e}, proven off by at least {max(0.0, off - reference.relative(radius)):.0e}"
    return ""


def _other_penalty(row: Row, reference: Reference) -> str:
    """Whether the stationarity conditions fit another penalty than the problem's.

    Not where the answer proves the gap that was asked for: on a loose rung an unfinished answer may lean
    towards any penalty. Nor where what fits is no penalty at all, by a solver that claims no gap: where
    p > n that is how descent looks on its way (it interpolates first), and its accuracy says the rest.
    """
    gap = _number(row, "gap")
    if gap is not None and _tol(row) > 0 and reference.relative(gap) <= _tol(row):
        return ""
    off, gain = _number(row, "implied_off"), _number(row, "implied_gain")
    if off is None or gain is None or (_number(row, "support") or 0) < IMPLIED_SUPPORT:
        return ""
    if off <= IMPLIED_OFF or gain < IMPLIED_GAIN:
        return ""
    fitted_share = max(
        abs(_number(row, f"implied_{name}") or 0.0) / (_number(row, name) or math.inf)
        for name in ("l1", "l2")
    )
    if not row.get("claims_gap") and fitted_share < NO_PENALTY:
        return ""
    words = []
    total = sum(_number(row, name) or 0.0 for name in ("l1", "l2"))
    for name in ("l1", "l2"):
        nominal, fitted = _number(row, name) or 0.0, _number(row, f"implied_{name}") or 0.0
        if nominal > 0 and abs(fitted - nominal) > IMPLIED_OFF / 2 * nominal:
            words.append(f"{name} x {round(fitted / nominal, 4) + 0.0:.4f}")  # + 0.0: no "-0.0000"
        elif nominal == 0 and abs(fitted) > IMPLIED_OFF / 2 * total:
            words.append(f"{name} = {fitted:.3g}")
    return "solves " + (" and ".join(words) or f"another penalty, off by {off:.0e}")
