"""How far identical code differs on a machine: fitted to twins, kept in and read from results/calibration."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

__all__ = ["ASSUMED", "FOLDER", "UNCALIBRATED", "Calibrated", "Noise", "Twins", "fit", "noise_for"]

Vector = NDArray[np.float64]
Twins = Sequence[Sequence[Vector]]  # by cell and process: logarithms of the ratios, round by round

FOLDER = Path(__file__).resolve().parent.parent / "results" / "calibration"
HELD = 0.95  # share of the ratios of twins that the gate holds
DOF = (1.0, 60.0)  # within which the degrees of freedom of the calibration are sought


@dataclass(frozen=True)
class Noise:
    """How far two copies of the same code differ.

    Attributes
    ----------
    process : float
        Standard deviation of the logarithm of a ratio from one pair of processes to the next, of the part
        that all cells share: where code and data came to lie in memory, what a neighbour did meanwhile.
    cell : float
        Of the part that each cell has for itself, however many rounds there are.
    single : float
        Of what a single round adds; a median over many of them adds less in proportion to 1 / sqrt(rounds).
    dof : float
        Degrees of freedom that this is worth beside what a run shows of its own scatter.
    gate : float
        A ratio of twins is within this many of these standard deviations 19 times in 20; nothing smaller is
        called a difference.
    apart : float
        How much further than that, >= 1, the ratios of two runs differ: a machine is not the same from one
        run to the next, and not all solvers mind alike.
    """

    process: float
    cell: float
    single: float
    dof: float
    gate: float
    apart: float = 1.0

    def to_dict(self) -> dict[str, float]:
        """Return it JSON-able."""
        return asdict(self)

    def times(self, factor: float) -> Noise:
        """Return a noise whose standard deviations are so many times as large."""
        return replace(
            self, process=factor * self.process, cell=factor * self.cell, single=factor * self.single
        )

    def variance(self, cells: int, processes: int, rounds: float) -> float:
        """Of the logarithm of a geometric mean over cells and pairs of processes, of so many rounds each."""
        alone = self.cell**2 + self.single**2 / rounds
        return (self.process**2 + alone / cells) / processes

    def least(self, cells: int, processes: int, rounds: float) -> float:
        """Return the smallest ratio, > 1, that may be called a difference."""
        return math.exp(self.gate * math.sqrt(self.variance(cells, processes, rounds)))


# Before anything was measured: what is usual on a virtual machine that is shared. Reports say "assumed".
ASSUMED = Noise(process=0.02, cell=0.04, single=0.2, dof=4.0, gate=2.0, apart=1.5)
ASSUMED_GATES = {"setup": 1.5, "first call": 2.0, "memory": 1.1}


def fit(twins: Sequence[Twins]) -> Noise:
    """Fit the noise to the twins of some runs.

    Parameters
    ----------
    twins : sequence of Twins
        One for each run and solver. Of cells that were measured in fewer processes than others the same
        number is taken from all.

    Returns
    -------
    Noise
        With `apart` 1: that takes pairs of runs.

    Notes
    -----
    The truth is 0, so moments are about 0. Two cells share the process part alone, so that the mean of their
    products is its variance. What is left of the medians' and of the single rounds' mean squares gives the
    two other parts. The degrees of freedom say how much the variance differs from one (solver, cell) to the
    next: with variances s^2 of k degrees of freedom each, around true ones that scatter like an inverse
    chi-square, var(log s^2) = trigamma(k/2) + trigamma(dof/2) [smyth2004]. The gate holds 19 in 20 of the
    single cells and of the geometric means over all cells, each in units of its own standard deviation.
    """
    twins = [[cell[: min(map(len, some))] for cell in some] for some in twins]
    medians = [np.array([[float(np.median(block)) for block in cell] for cell in some]).T for some in twins]
    rounds = float(np.mean([block.size for some in twins for cell in some for block in cell]))
    once = float(np.mean([np.mean(block**2) for some in twins for cell in some for block in cell]))
    often = float(np.mean([np.mean(matrix**2) for matrix in medians]))
    shared = max(0.0, float(np.mean([_products(matrix) for matrix in medians])))
    single = max(0.0, once - often) / (1 - 1 / rounds) if rounds > 1 else 0.0
    cell = max(0.0, often - shared - single / rounds)
    bare = Noise(math.sqrt(shared), math.sqrt(cell), math.sqrt(single), _dof(medians), gate=0.0)
    alone = [np.abs(m.mean(axis=0)) / math.sqrt(bare.variance(1, len(m), rounds)) for m in medians]
    whole = [abs(m.mean()) / math.sqrt(bare.variance(m.shape[1], len(m), rounds)) for m in medians]
    gate = max(float(np.quantile(np.concatenate(alone), HELD)), float(np.quantile(whole, HELD)))
    return replace(bare, gate=gate)


def _products(matrix: Vector) -> float:
    """Mean product of two cells of the same process; 0 if there is one cell."""
    cells = matrix.shape[1]
    if cells == 1:
        return 0.0
    return float(np.mean((matrix.sum(axis=1) ** 2 - (matrix**2).sum(axis=1)) / (cells * (cells - 1))))


def _dof(medians: Sequence[Vector]) -> float:
    """Degrees of freedom of the variances of single cells, within DOF."""
    variances = [np.mean(matrix**2, axis=0) for matrix in medians]
    logs = [
        np.log(some[some > 0]) - digamma(len(matrix) / 2) + math.log(len(matrix) / 2)
        for some, matrix in zip(variances, medians, strict=True)
    ]
    excess = float(np.var(np.concatenate(logs)) - np.mean([polygamma(1, len(m) / 2) for m in medians]))
    low, high = DOF
    if excess >= polygamma(1, low / 2):
        return low
    if excess <= polygamma(1, high / 2):
        return high
    return float(brentq(lambda dof: polygamma(1, dof / 2) - excess, low, high))


@dataclass(frozen=True)
class Calibrated:
    """A noise and where it comes from.

    Attributes
    ----------
    noise : Noise
        Of times.
    gates : dict
        For "setup", "first call" and "memory": the ratio, > 1, that the same code stays within from one run
        to the next.
    source : str
        In words: the calibration, its machine; or that it is assumed.
    same_machine : bool
        Whether it was measured on a processor of the same name.
    """

    noise: Noise
    gates: dict[str, float]
    source: str
    same_machine: bool


UNCALIBRATED = Calibrated(ASSUMED, ASSUMED_GATES, "assumed: nothing was calibrated", False)


def noise_for(cpu: str | None, folder: Path = FOLDER) -> Calibrated:
    """Return the noise for a processor: the newest calibration on one of its name, else the newest at all.

    Parameters
    ----------
    cpu : str or None
        As the head of a record has it.
    folder : path
        Where calibrations are kept.
    """
    found = sorted(_read(folder), key=lambda one: (one["cpu"] == cpu, one["started"]))
    if not found:
        return UNCALIBRATED
    best = found[-1]
    same = best["cpu"] == cpu
    where = "on this processor" if same else f"on another processor ({best['cpu']})"
    source = f"calibrated {where}, {best['started'][:10]}, {best['decisions']} decisions between twins"
    return Calibrated(Noise(**best["noise"]), best["gates"], source, same)


def _read(folder: Path) -> Iterable[dict[str, Any]]:
    for path in folder.glob("*.json"):
        yield json.loads(path.read_text(encoding="utf-8"))
