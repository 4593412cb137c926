"""Whether a run was louder than the calibration says: its own A/A twins tell."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.inference import Estimate, estimate
from bench.noise import Calibrated

if TYPE_CHECKING:
    from bench.report.model import Report

__all__ = ["heard"]

FEWEST = 5  # ratios of twins below which a run says nothing of its own noise


def heard(report: Report) -> Calibrated:
    """Return the report's noise, louder by as much as the run's own twins differ more than it says."""
    noise = report.noise.noise
    scores = [
        one.log**2 / noise.variance(1, one.processes, one.rounds / one.processes) for one in _ratios(report)
    ]
    louder = math.sqrt(sum(scores) / len(scores)) if len(scores) >= FEWEST else 1.0
    if louder <= 1:
        return report.noise
    source = f"{report.noise.source}, times {louder:.2f}: the twins of this run differed so much more"
    return replace(report.noise, noise=noise.times(louder), source=source)


def _ratios(report: Report) -> list[Estimate]:
    """Each time of an A/A twin over that of its solver; of tiers that the same rungs meet, one."""
    found: dict[tuple[str, ...], Estimate] = {}
    for twin in report.twins.values():
        for cell in report.cells if twin.slowdown == 0 else ():
            for tier in report.tiers:
                first, second = report.timing(twin.name, cell, tier), report.timing(twin.of, cell, tier)
                if first is not None and second is not None:
                    rungs = (f"{first.configuration} {first.tol}", f"{second.configuration} {second.tol}")
                    found[(twin.name, cell, *rungs)] = estimate([(first, second)], report.noise.noise)
    return list(found.values())
