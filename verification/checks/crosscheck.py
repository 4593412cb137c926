"""All solvers against each other: every pair on every problem, within docs/maths.md (AGREE).

Two certificates imply the bounds, so a breach convicts neither solver: it convicts the verifier. Pure
functions, from answers to shares of the bound, and from these to a matrix of the worst.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem

from ..proofs import Certificate

__all__ = ["Agreement", "Point", "agreement", "breaches", "matrix", "table"]

Vector = NDArray[np.float64]
LARGEST = 400  # columns in use by anybody beyond which no singular value is computed: fits are compared alone


@dataclass(frozen=True, eq=False)
class Point:
    """An answer and its certificate."""

    solver: str
    coef: Vector
    intercept: float
    certificate: Certificate

    @property
    def proven(self) -> float | None:
        """Gap plus radius, absolute; None where nothing is proven."""
        gap, radius = self.certificate.gap, self.certificate.radius
        return None if gap is None or radius is None else gap + radius


def agreement(problem: Problem, points: Sequence[Point]) -> dict[tuple[str, str], float]:
    """How much of what (AGREE) allows two answers each pair uses; more than 1 is a breach.

    Parameters
    ----------
    problem : Problem
    points : sequence of Point
        One for each solver; those without a certificate are left out.

    Returns
    -------
    dict of (solver, solver) to float
        The largest share over the bounds that apply: of the fitted values, and of the coefficients.
    """
    proven = [point for point in points if point.proven is not None]
    W = np.array([point.coef for point in proven]).T  # (p, k)
    if not proven:
        return {}
    Z = np.asarray(problem.X @ W) + np.array([point.intercept for point in proven])  # (n, k)
    rate = _rate(problem, W)
    weight = np.where(np.isfinite(problem.v), problem.v, 0.0) if problem.l2 > 0 else np.ones(problem.p)
    found = {}
    for i, k in combinations(range(len(proven)), 2):
        a, b = proven[i], proven[k]
        bound = math.sqrt(2 * (a.proven or 0.0)) + math.sqrt(2 * (b.proven or 0.0))
        fits = float(np.sqrt(problem.s @ (Z[:, i] - Z[:, k]) ** 2 / problem.S))
        coefs = float(np.sqrt(weight @ (W[:, i] - W[:, k]) ** 2))
        found[a.solver, b.solver] = max(_share(fits, bound), _share(coefs, bound * rate))
    return found


def _share(apart: float, bound: float) -> float:
    if apart == 0 or math.isinf(bound):
        return 0.0
    return apart / bound if bound > 0 else math.inf


def _rate(problem: Problem, W: Vector) -> float:
    """Largest distance of coefficients for a distance 1 of fitted values; inf where there is none."""
    if problem.l2 > 0:
        return 1 / math.sqrt(problem.l2)
    used = np.flatnonzero(np.any(W != 0, axis=1))
    if used.size > min(problem.n, LARGEST):
        return math.inf
    X = problem.X[:, used]
    A = np.asarray(X.toarray() if problem.is_sparse else X, dtype=np.float64)
    if problem.intercept:
        A = np.column_stack([A, np.ones(problem.n)])
    if A.shape[1] == 0:
        return 0.0
    if A.shape[1] > problem.n:
        return math.inf
    sigma = np.linalg.svd(np.sqrt(problem.s)[:, None] * A, compute_uv=False)
    if sigma[-1] <= max(A.shape) * np.finfo(np.float64).eps * sigma[0]:
        return math.inf  # dependent, as far as floating point can tell
    return math.sqrt(problem.S) / float(sigma[-1])


@dataclass(frozen=True)
class Agreement:
    """Worst share of one pair, and where.

    Attributes
    ----------
    share : float
        Of what (AGREE) allows.
    cell : str
    cells : int
        On how many both were proven.
    """

    share: float
    cell: str
    cells: int


Row = Mapping[str, Any]


def matrix(rows: Iterable[Row]) -> dict[tuple[str, str], Agreement]:
    """Return the worst agreement of each pair over rows of kind "agreement" (cell, a, b, share)."""
    found: dict[tuple[str, str], Agreement] = {}
    for row in rows:
        if row.get("kind") != "agreement":
            continue
        for a, b, share in row["pairs"]:
            before = found.get((a, b), Agreement(-1.0, "", 0))
            worst = max(before, Agreement(float(share), row["cell"], 0), key=lambda each: each.share)
            found[a, b] = Agreement(worst.share, worst.cell, before.cells + 1)
    return found


def breaches(found: Mapping[tuple[str, str], Agreement]) -> list[str]:
    """Say which pairs contradict each other: each convicts the verifier."""
    return [
        f"the verifier contradicts itself: certificates of {a} and {b} on {worst.cell} allow a distance that "
        f"is exceeded {worst.share:.3g} times"
        for (a, b), worst in found.items()
        if worst.share > 1
    ]


def table(found: Mapping[tuple[str, str], Agreement]) -> tuple[list[str], list[list[str]]]:
    """Return the solvers, and a square of the worst shares in per cent as text ("" on the diagonal).

    Above the diagonal the share, below it the number of cells.
    """
    names = sorted({name for pair in found for name in pair})
    square = [["" for _ in names] for _ in names]
    for (a, b), worst in found.items():
        i, k = sorted((names.index(a), names.index(b)))
        square[i][k] = f"{100 * worst.share:.0f}"
        square[k][i] = str(worst.cells)
    return names, square
