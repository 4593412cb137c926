"""How far identical code differs on a machine: fitted to twins, kept in and read from results/calibration."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

__all__ = ["ASSUMED", "FOLDER", "UNCALIBRATED", "Calibrated", "Noise", "fit", "noise_for"]

Matrix = NDArray[np.float64]

FOLDER = Path(__file__).resolve().parent.parent / "results" / "calibration"
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
        Of the part that each cell has for itself.
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
    dof: float
    gate: float
    apart: float = 1.0

    def variance(self, cells: int, processes: int) -> float:
        """Of the logarithm of a geometric mean over some cells and pairs of processes."""
        return (self.process**2 + self.cell**2 / cells) / processes

    def least(self, cells: int, processes: int) -> float:
        """Return the smallest ratio, > 1, that may be called a difference."""
        return math.exp(self.gate * math.sqrt(self.variance(cells, processes)))


# Before anything was measured: what is usual on a virtual machine that is shared. Reports say "assumed".
ASSUMED = Noise(process=0.02, cell=0.04, dof=4.0, gate=2.0, apart=1.5)
ASSUMED_GATES = {"setup": 1.5, "first call": 2.0, "memory": 1.1}


def fit(matrices: Sequence[Matrix]) -> tuple[float, float, float]:
    """Fit the noise to twins.

    Parameters
    ----------
    matrices : sequence of (processes, cells) arrays
        One for each run and solver: logarithms of the ratios of twins, the median over the rounds.

    Returns
    -------
    process, cell, dof : float
        As in Noise.

    Notes
    -----
    The truth is 0, so moments are about 0: two cells share the process part alone, so that the mean of their
    products is its variance. The degrees of freedom say how much the variance itself differs from one
    (solver, cell) to the next: with variances s^2 of k degrees of freedom each, drawn around true ones that
    scatter like an inverse chi-square, var(log s^2) = trigamma(k/2) + trigamma(dof/2) [smyth2004].
    """
    squares, products, logs, dofs = [], [], [], []
    for matrix in matrices:
        processes, cells = matrix.shape
        squares += [float(np.mean(matrix**2))]
        if cells > 1:
            total = matrix.sum(axis=1)
            products += [float(np.mean((total**2 - (matrix**2).sum(axis=1)) / (cells * (cells - 1))))]
        variances = np.mean(matrix**2, axis=0)
        logs += list(np.log(variances[variances > 0]) - digamma(processes / 2) + math.log(processes / 2))
        dofs += [processes] * int(np.sum(variances > 0))
    shared = max(0.0, float(np.mean(products))) if products else 0.0
    alone = max(0.0, float(np.mean(squares)) - shared)
    excess = float(np.var(logs)) - float(np.mean([polygamma(1, k / 2) for k in dofs]))
    return math.sqrt(shared), math.sqrt(alone), _dof(excess)


def _dof(excess: float) -> float:
    """Solve trigamma(dof / 2) = excess within DOF."""
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
