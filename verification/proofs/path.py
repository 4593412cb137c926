"""Certificates along a path: what the data alone decide is computed once, many points are proven together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from solvers import Problem

from .certificate import Certificate
from .judge import Judge

TOGETHER = 2**20  # coefficients of the points that are proven at once: each takes a few dozen numbers


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
    each = list(zip(l1s, points, strict=True))
    coefs = [judge.checked(coef) for _, (coef, _) in each]
    intercepts = np.array([float(b) for _, (_, b) in each])
    certificates: list[Certificate] = []
    step = max(1, TOGETHER // max(problem.p, problem.n))
    for k in range(0, len(each), step):
        together = judge.along(np.array(l1s[k : k + step], dtype=np.float64))
        some = slice(k, k + step)
        if together is not None:
            certificates += together.certify_all(np.array(coefs[some]), intercepts[some])
        else:
            of_points = zip(l1s[some], coefs[some], intercepts[some], strict=True)
            certificates += [judge.at(l1).certify(coef, b) for l1, coef, b in of_points]
    return certificates
