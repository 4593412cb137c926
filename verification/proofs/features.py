"""Which features the optimum uses, and which not, proven from one good answer; docs/maths.md (NONZERO)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr, solve_triangular

from .certificate import Certificate
from .judge import Judge

LARGEST = 2000  # features that may be in use: a QR of n rows and as many columns
EPS = float(np.finfo(np.float64).eps)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Features:
    """What is proven of the optimum's support.

    Attributes
    ----------
    zero : (p,) bool
        w*_j = 0 at every optimum, (ZEROS).
    used : (p,) bool or None
        w*_j != 0 at every optimum, (NONZERO); None if too many features may be in use to tell.
    """

    zero: Mask
    used: Mask | None

    def false(self, coef: ArrayLike) -> int:
        """How many coefficients are not zero and proven to be."""
        return int(np.count_nonzero(self.zero & (np.asarray(coef) != 0)))

    def missed(self, coef: ArrayLike) -> int | None:
        """How many coefficients are zero and proven not to be; None where that is not known."""
        return None if self.used is None else int(np.count_nonzero(self.used & (np.asarray(coef) == 0)))


def certified_features(judge: Judge, coef: ArrayLike, certificate: Certificate) -> Features:
    """Return what an answer and its certificate prove of the support; the smaller the gap, the more.

    Parameters
    ----------
    judge : Judge
        Of the problem.
    coef : (p,) array
    certificate : Certificate
        Of those coefficients, by that judge.
    """
    coef, scaled = np.asarray(coef, dtype=np.float64), judge.scaled
    zero = certificate.certified_zeros
    if certificate.gap is None or certificate.radius is None:
        return Features(zero, None)
    w = scaled.coefficients(coef)
    candidates = np.flatnonzero(~zero[scaled.kept] | (w != 0))
    used = np.zeros(coef.size, dtype=bool)
    if not candidates.size:
        return Features(zero, used)
    if candidates.size > min(scaled.design.n - 1, LARGEST):
        return Features(zero, None)
    A = scaled.constant.split(scaled.design.columns(candidates))[1]
    R = qr(A, mode="r")[0][: candidates.size]
    diagonal = np.abs(np.diag(R))
    if diagonal.min() <= max(A.shape) * EPS * diagonal.max():
        return Features(zero, used)  # dependent columns may share a coefficient as they like
    reach = np.linalg.norm(solve_triangular(R, np.eye(candidates.size)), axis=1)
    gap = math.ldexp(certificate.gap + certificate.radius, -2 * scaled.y_exponent)
    proven = np.abs(w[candidates]) > reach * math.sqrt(2 * scaled.S * gap)
    used[np.flatnonzero(scaled.kept)[candidates[proven]]] = True
    return Features(zero, used)
