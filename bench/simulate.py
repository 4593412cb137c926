"""Campaigns that were never run, drawn from a fitted noise: to choose how long a real one must be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.noise import Noise
from bench.power import Decision, Session, decisions
from bench.report.model import Timing

__all__ = ["Design", "campaign", "drawn"]


@dataclass(frozen=True)
class Design:
    """What a session measures.

    Attributes
    ----------
    solvers : sequence of str
        The last is the anchor.
    cells, processes, rounds : int
        Rounds are those of one process.
    slowdowns : tuple of float
        Planted in every session, each in a twin of its own.
    """

    solvers: Sequence[str] = ("a", "b", "anchor")
    cells: int = 4
    processes: int = 3
    rounds: int = 5
    slowdowns: tuple[float, ...] = (0.15,)


def drawn(number: int, noise: Noise, design: Design, rng: np.random.Generator) -> Session:
    """Draw one session.

    Notes
    -----
    `noise` is of a ratio; a solver has half of its variance. The variance of a (solver, cell) is scaled by
    a draw from the inverse chi-square with the noise's degrees of freedom, of mean 1: it is that scatter of
    variances which the degrees of freedom were fitted to.
    """
    processes = tuple(1 + turn // design.rounds for turn in range(design.processes * design.rounds))
    turns = tuple(range(1, 1 + len(processes)))
    half = math.sqrt(0.5)
    times = {}
    for solver in design.solvers:
        loud = np.ones(design.cells)
        if noise.dof > 2:
            loud = (noise.dof - 2) / rng.chisquare(noise.dof, design.cells)
        for planted in (None, 0.0, *design.slowdowns):
            shared = rng.normal(0, half * noise.process, design.processes)
            for cell in range(design.cells):
                scale = half * math.sqrt(loud[cell])
                own = rng.normal(0, noise.cell, design.processes)
                offset = np.repeat(scale * own + shared, design.rounds)
                logs = -6.0 + offset + scale * rng.normal(0, noise.single, offset.size)
                logs += math.log1p(planted or 0.0)
                key = solver, planted, f"cell {cell}"
                times[key] = Timing(tuple(np.exp(logs)), "default", 1e-6, processes, turns)
    return Session(number, times)


def campaign(noise: Noise, design: Design, sessions: int, seed: int = 0) -> list[Decision]:
    """Return every decision of a campaign that was drawn, each half judged by the other as in a real one."""
    rng = np.random.default_rng(seed)
    return decisions([drawn(k, noise, design, rng) for k in range(sessions)], design.solvers[-1])
