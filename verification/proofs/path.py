"""Certificates along a path: what the data alone decide is computed once, X is read for many at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from solvers import Problem

from .certificate import Certificate
from .judge import Judge
from .points import Point

TOGETHER = 32  # points whose correlations with X are one product; two columns of p numbers each


def certify_path(
    problem: Problem,
    l1s: Sequence[float],
    points: Iterable[tuple[ArrayLike, float]],
    judge: Judge | None = None,
) -> list[Certificate]:
    """Prove how far each point of a path is from the optimum of (P) at its l1.

    Parameters
    ----------
    problem : Problem
        Its own l1 plays no part.
    l1s : sequence of float
    points : iterable of (coef (p,), intercept)
        One for each l1; ``[(s.coef, s.intercept) for s in solve_path(...)]``.
    judge : Judge, optional
        Of the problem at any l1, if there is one already.

    Returns
    -------
    list of Certificate
        As ``certify`` gives them for each point alone, up to the rounding that their radius covers.

    Raises
    ------
    ValueError
        If there are not as many points as l1s, or one has another shape than (p,).
    """
    judge = judge or Judge(problem)
    certificates: list[Certificate | None] = []
    waiting: list[tuple[int, Judge, Point]] = []

    def prove() -> None:
        if not waiting:
            return
        directions = np.hstack([point.directions for _, _, point in waiting])
        u = judge.correlate(directions)
        for k, (i, here, point) in enumerate(waiting):
            certificates[i] = here.prove(point, u[:, 2 * k], u[:, 2 * k + 1])
        waiting.clear()

    for l1, (coef, intercept) in zip(l1s, points, strict=True):
        here = judge.at(l1)
        point = here.point(coef, float(intercept))
        certificates.append(point if isinstance(point, Certificate) else None)
        if not isinstance(point, Certificate):
            waiting.append((len(certificates) - 1, here, point))
        if len(waiting) == TOGETHER:
            prove()
    prove()
    return [certificate for certificate in certificates if certificate is not None]
