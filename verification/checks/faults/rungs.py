"""Faults of the judge: when the penalty that an answer fits is held against its solver."""

from __future__ import annotations

from typing import Any

from ... import verdict_penalty, verdict_points
from . import Wrong, planted_in_judge


@planted_in_judge("penalty_by_rungs")
def loose_rungs_convict(wrong: Wrong) -> None:
    """Whatever the tolerance allows, an answer that fits another penalty is WRONG."""
    wrong(verdict_penalty, "_shown", lambda honest: lambda *_: verdict_penalty._Shown.OFF)


@planted_in_judge("penalty_by_rungs")
def never_convicts(wrong: Wrong) -> None:
    """Another penalty is explained away at any tolerance."""
    wrong(verdict_penalty, "_shown", lambda honest: lambda *_: verdict_penalty._Shown.UNCLEAR)


@planted_in_judge("penalty_by_rungs")
def dual_point_has_no_slack(wrong: Wrong) -> None:
    """A gap is the answer's, never its dual point's: beyond what was asked for it convicts at once."""
    wrong(verdict_penalty, "UNCLEAR", lambda honest: 1.0)


@planted_in_judge("penalty_by_rungs")
def guilty_everywhere(wrong: Wrong) -> None:
    """One settled cell settles all open ones of the solver, whatever penalty they lean to."""
    wrong(verdict_penalty._Fit, "same", lambda honest: lambda self, other: True)


@planted_in_judge("penalty_by_rungs")
def interpolation_is_a_penalty(wrong: Wrong) -> None:
    """A descent on its way, that fits no penalty at all, is accused of solving that."""
    wrong(verdict_penalty, "NO_PENALTY", lambda honest: 0.0)


@planted_in_judge("penalty_by_rungs")
def points_of_a_path_are_cold(wrong: Wrong) -> None:
    """Each point of a path is judged as if it had been started from zeros."""

    def make(honest: Any) -> Any:
        return lambda *arguments: [point | {"continued": False} for point in honest(*arguments)]

    wrong(verdict_points, "points_of", make)
