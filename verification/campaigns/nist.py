"""NIST's Statistical Reference Datasets at level "exact": every certified digit, through rational columns."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import numpy as np

from ..checks.published import DataMissing
from ..checks.published_nist import CERTIFIED, NAMES, Dataset, dataset, digits_of
from ..proofs.exact import ExactOptimum, RationalProblem, optimum
from . import Tally, campaign
from .oracle import coefficients

__all__ = ["certified", "float_digits"]


def certified(data: Dataset, best: ExactOptimum) -> list[bool]:
    """Return, for each coefficient, whether its proven interval rounds to the certified digits.

    Both ends lie within half a unit of the last of 15 digits; a certified zero within half of 1e-15.
    """
    problem = RationalProblem(data.columns, data.y, intercept=data.intercept)
    star = coefficients(problem, best)
    if data.intercept:
        star.insert(0, star.pop())  # NIST's B0 comes first
    found = []
    for (low, _, high), printed in zip(star, data.coef, strict=True):
        last = printed.adjusted() - CERTIFIED + 1 if printed else -CERTIFIED
        half = Fraction(Decimal(1).scaleb(last)) / 2
        found.append(max(abs(low - Fraction(printed)), abs(high - Fraction(printed))) <= half)
    return found


def float_digits(name: str) -> tuple[float, float]:
    """Return the fewest digits of the optimum of the float64 columns: of NIST's, and of its own."""
    problem = dataset(name).problem()
    best = optimum(problem)
    estimates = [best.intercept] * problem.intercept + best.coef.tolist()
    return digits_of(name, np.array(estimates))


def _short(total: Tally) -> Iterator[str]:
    if len(total.lines) < len(NAMES):
        yield f"{len(total.lines)} of {len(NAMES)} problems"


@campaign(
    "nist",
    parts=len(NAMES),
    bar=f"all {CERTIFIED} certified digits of the {len(NAMES)} StRD problems, through rational columns",
    short=_short,
)
def nist(part: int) -> Tally:
    """Each StRD problem from the published decimals, and what its float64 columns leave of the digits."""
    name, tally = NAMES[part], Tally()
    try:
        data = dataset(name)
    except DataMissing as reason:
        tally.failures.append(f"{name}: {reason}")
        return tally
    best = optimum(RationalProblem(data.columns, data.y, intercept=data.intercept))
    right = certified(data, best)
    tally.counts["coefficients"] += len(right)
    tally.counts[f"with all {CERTIFIED} certified digits"] += sum(right)
    if not all(right) or not best.unique:
        tally.failures.append(f"{name}: {sum(right)} of {len(right)} coefficients, {best.uniqueness}")
    of_nist, of_itself = float_digits(name)
    exact = f"all {CERTIFIED} digits of {sum(right)} of {len(right)} coefficients"
    tally.lines[name] = (
        f"decimals: {exact}; float64 columns: {min(of_nist, 15.95):.1f} digits of NIST's, "
        f"{min(of_itself, 15.95):.1f} of their own optimum"
    )
    return tally
