"""The best answer of a run to each problem, kept small: what it proves of the support judges the others."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from verification import Certificate, Features, Judge, certified_features

__all__ = ["BestAnswers"]


BETTER = 0.5  # of the gap that features were proven by: what a smaller step adds to them is not worth a QR


class BestAnswers:
    """By digest of the problem, the answer with the smallest proven gap, as its nonzero coefficients."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[float, NDArray[np.intp], NDArray[np.float64], float]] = {}
        self._features: dict[str, tuple[float, Features]] = {}  # with the proven gap that they rest on

    def offer(
        self, digest: str, coef: NDArray[np.float64], intercept: float, certificate: Certificate
    ) -> None:
        """Take an answer if it is the best so far."""
        if certificate.gap is None or certificate.radius is None:
            return
        proven = certificate.gap + certificate.radius
        if digest not in self._answers or proven < self._answers[digest][0]:
            j = np.flatnonzero(coef)
            self._answers[digest] = (proven, j, np.asarray(coef[j], dtype=np.float64), intercept)

    def proven(self, digest: str) -> float:
        """Return the proven gap of the best answer, inf if there is none."""
        return self._answers[digest][0] if digest in self._answers else math.inf

    def features(self, digest: str, judge: Callable[[], Judge]) -> Features | None:
        """Return what the best answer proves of the support, or one with a gap hardly larger.

        None while no answer is proven at all.
        """
        if digest not in self._answers:
            return None
        proven, j, values, intercept = self._answers[digest]
        if digest not in self._features or proven < BETTER * self._features[digest][0]:
            its = judge()
            coef = np.zeros(its.problem.p)
            coef[j] = values
            self._features[digest] = proven, certified_features(its, coef, its.certify(coef, intercept))
        return self._features[digest][1]
