"""Verdicts on paths and cross-validations: each point is judged as a problem of its own, a path by its worst.

Pure functions of rows, like verdict.py: a better dual bound at a point re-judges every old row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .verdict import TIERS, Judgement, Outcome, Result, Row, Wrong, judge

__all__ = ["KINDS", "PathResult", "bands", "exact_curve", "judge_points", "points_of"]

KINDS = ("path", "cv")  # of rows whose certificates are lists, one entry for each point
WORST = (Outcome.NO_ANSWER, Outcome.MISSED, Outcome.UNDECIDED, Outcome.BEYOND, Outcome.MET)
SHARED = ("solver", "configuration", "tol", "claims_gap", "own", "dtype", "l2")


@dataclass(frozen=True)
class PathResult(Result):
    """One row of many points, judged: every figure is that of its worst point.

    Attributes
    ----------
    points : int
        How many it has; 0 if there was no answer.
    met, self_met : dict of float to int
        How many of them meet each tier: by suboptimality, and by the gap that they prove by themselves.
    gap_rel : float or None
        Largest self-certified gap, relative to N.
    """

    points: int
    met: dict[float, int]
    self_met: dict[float, int]
    gap_rel: float | None


def points_of(row: Row, lists: dict[str, list[Any]] | None) -> list[dict[str, Any]]:
    """Return one row of kind "result" for each point of a row; none if it has no answer.

    Parameters
    ----------
    row : mapping
    lists : dict or None
        Its ``points``, or those of the row that had the same answer first.
    """
    if not lists:
        return []
    shared = {name: row.get(name) for name in SHARED}
    l1s = row["l1s"]
    return [
        {
            **shared,
            **{name: values[k] for name, values in lists.items()},
            "cell": f"{row['cell']}#{k}",
            "digest": f"{row['digest']}/{row['kind']}#{k}",
            "l1": l1s[k % len(l1s)],
            "status": row["statuses"][k],
            "claimed_gap": row["claimed_gaps"][k],
            "continued": True,  # from another penalty: that of the point before
        }
        for k in range(len(lists["primal"]))
    ]


def judge_points(rows: Iterable[Row]) -> Judgement:
    """Judge rows of the kinds "path" and "cv" (others are passed over).

    Returns
    -------
    Judgement
        Its results are PathResult, in the order of the rows; its references are those of the points.
    """
    chosen = [row for row in rows if row.get("kind") in KINDS]
    answers = {_answer(row): row["points"] for row in chosen if row.get("points")}
    points = [points_of(row, row.get("points") or answers.get(_answer(row))) for row in chosen]
    inner = judge(point for each in points for point in each)
    judged = iter(inner.results)
    results: list[Result] = [
        _worst(row, [next(judged) for _ in each]) for row, each in zip(chosen, points, strict=True)
    ]
    wrong: dict[str, list[Wrong]] = defaultdict(list)
    for result in results:
        if result.wrong:
            row = result.row
            wrong[row["solver"]].append(Wrong(row["cell"], row["configuration"], result.wrong))
    own = frozenset(row["solver"] for row in chosen if row.get("own"))
    return Judgement(results, inner.references, dict(wrong), own)


def _answer(row: Row) -> tuple[Any, ...]:
    """What two rows share whose coefficients are bitwise the same: only the first has the points."""
    return row["digest"], row["kind"], row.get("answer")


def _worst(row: Row, points: list[Result]) -> PathResult:
    tiers = TIERS[row.get("dtype") or "float64"]
    if not points:
        nothing = dict.fromkeys(tiers, Outcome.NO_ANSWER)
        return PathResult(
            row, None, None, nothing, nothing, "", 0, dict.fromkeys(tiers, 0), dict.fromkeys(tiers, 0), None
        )
    reasons = [point.wrong for point in points if point.wrong]
    # of the last, where the support is largest: it tells most
    some = f"at {len(reasons)} of {len(points)} points, the last: {reasons[-1]}" if reasons else ""
    return PathResult(
        row,
        max(_number(point.suboptimality) for point in points),
        max(_number(point.at_least) for point in points),
        {tier: _combined(point.tiers[tier] for point in points) for tier in tiers},
        {tier: _combined(point.self_tiers[tier] for point in points) for tier in tiers},
        some,
        len(points),
        {tier: sum(point.tiers[tier] is Outcome.MET for point in points) for tier in tiers},
        {tier: sum(point.self_tiers[tier] is Outcome.MET for point in points) for tier in tiers},
        row.get("gap_rel"),
    )


def _number(value: float | None) -> float:
    return float("inf") if value is None else value


def _combined(outcomes: Iterable[Outcome]) -> Outcome:
    found = set(outcomes)
    return next(outcome for outcome in WORST if outcome in found)


def bands(row: Row) -> tuple[list[float], list[float]]:
    """Lower and upper bounds on the exact cross-validation curve that a row's certificates prove, (HELD)."""
    # A record spells infinity: a fold without a bound
    pairs = [(float(a), float(b)) for a, b in zip(row["scores"], row["score_radius"], strict=True)]
    return [max(0.0, score - radius) for score, radius in pairs], [score + radius for score, radius in pairs]


def exact_curve(rows: Iterable[Row]) -> tuple[list[float], list[float]]:
    """Bounds on the exact curve of one cell by all its rows together; crossed where two contradict."""
    found = [bands(row) for row in rows if row.get("scores") and row.get("score_radius")]
    low = [max(values) for values in zip(*(each[0] for each in found), strict=True)]
    high = [min(values) for values in zip(*(each[1] for each in found), strict=True)]
    return low, high
