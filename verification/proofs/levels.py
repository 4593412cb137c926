"""The levels beyond float, as functions of one point; docs/proofs.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from solvers import Problem

from .certificate import Certificate
from .exact import optimum
from .export import describe, exactly
from .integers import nearest, upward
from .judge import Judge
from .rigorous import RigorousJudge
from .stationarity import ratio


def rigorous(problem: Problem, coef: ArrayLike, intercept: float = 0.0) -> Certificate:
    """Bound the gap despite rounding; see ``RigorousJudge``."""
    return RigorousJudge(problem).certify(coef, intercept)


def exact(problem: Problem, coef: ArrayLike, intercept: float = 0.0) -> Certificate:
    """Compare with the proven optimum: the gap is the suboptimality itself, rounded up.

    Raises
    ------
    Unproven
        If the optimum could not be proven.
    """
    rough = Judge(problem).certify(coef, intercept)
    if rough.kind == "NONE":
        return replace(rough, level="exact")
    coef = np.asarray(coef, dtype=np.float64)
    best = optimum(problem, coef, intercept)
    values = [*coef.tolist(), float(intercept)] if problem.intercept else coef.tolist()
    value = exactly(describe(problem)).primal({j: Fraction(x) for j, x in enumerate(values) if x})
    gap = max(upward(value - Fraction(best.value_low)), 0.0)
    zeros = rough.certified_zeros
    if best.unique:
        zeros = (best.low == 0) & (best.high == 0)
    return replace(
        rough,
        level="exact",
        kind=f"the optimum, {best.uniqueness}",
        primal=nearest(value),
        dual=best.value_low,
        gap=gap,
        gap_rel=ratio(gap, rough.scale),
        radius=float(np.spacing(nearest(value))) + (best.value_high - best.value_low),
        alpha=None,
        certified_zeros=zeros,
        false_features=int(np.count_nonzero(zeros & (coef != 0))),
    )


LEVEL: dict[str, Callable[[Problem, ArrayLike, float], Certificate]] = {"rigorous": rigorous, "exact": exact}
