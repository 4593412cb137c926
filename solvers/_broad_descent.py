"""Coordinate descent on all the columns at once, for as long as it costs less than a Gram matrix.

Where the rows are no fewer than the columns, and most columns will be in use, a working set has little to
leave out. Unless columns are strongly correlated few sweeps then tell which ones are in use, and not many
more reach the solution, each at the price of two products with the columns.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .problem import Vector

if TYPE_CHECKING:
    from ._columns import Columns

ROUNDS = 20  # sweeps over all columns, at most
TRIED = 2  # sweeps over all columns before the next one shows whether it is slow: where more than
FALLING, CROWDED = 0.5, 0.8  # so much of the largest change is left, or so much of the rows is in use
SETTLED = 0.06  # of the support may have changed its signs in a sweep over all columns
ROUGH = 1e-3  # of a sweep's largest change is left by those over the support after it, while signs change
SLOWING = 1.25  # times as many sweeps as their rate so far tells: the last errors are the slowest


class Outcome(Enum):
    """How a descent ended."""

    SLOW = "too slow: columns are too correlated, or too many are in use"
    SETTLED = "signs hold, or nearly, and what is left costs less by a Gram matrix"
    DONE = "changes are as small as was asked for"


def broad_descent(
    columns: Columns, W: NDArray[np.intp], w: Vector, r: Vector, lam1: Vector, enough: float,
    price: Callable[[int], float], afresh: bool, until: float = math.inf,
) -> Outcome:  # fmt: skip
    """Sweep over W, then over its support, in turn; w and r are changed in place.

    Parameters
    ----------
    columns : Columns
    W : (K,) array
    w, lam1 : (K,) arrays
    r : (n,) array
        The residual at w.
    enough : float
        Largest change of the fit by one coordinate, squared, at which to end.
    price : callable
        Sweeps over so many columns that cost as much as to do without them.
    afresh : bool
        Whether w is yet to be found: then it ends early where it is slow.
    until : float
        When to end whatever is reached, by `time.perf_counter`.
    """
    last = math.inf
    for k in range(ROUNDS):
        sign = np.sign(w)
        moved = [columns.sweep(W, w, r, lam1)]
        flips = int(np.count_nonzero(sign != np.sign(w)))
        if flips == 0 and moved[0] <= enough:
            return Outcome.DONE
        at = np.flatnonzero(w)
        its, cols, bounds, settled = w[at], W[at], lam1[at], flips <= SETTLED * at.size
        target = max(enough, ROUGH * moved[0] if flips else 0.0)
        if afresh and k == TRIED and (moved[0] > FALLING * last or at.size > CROWDED * r.size):
            return Outcome.SLOW
        budget, dear = price(at.size), False
        while moved[-1] > target and not dear and (settled or len(moved) == 1):
            moved.append(columns.sweep(cols, its, r, bounds))
            dear = settled and len(moved) > 2 and _left(moved, enough) > budget
            dear |= time.perf_counter() > until
        w[at] = its
        if dear:
            break
        last = moved[0]
    return Outcome.SETTLED


def _left(moved: list[float], enough: float) -> float:
    """Sweeps until the largest change is `enough`, at the rate of the last two."""
    rate = math.log(moved[-3] / moved[-1]) / 2 if moved[-1] > 0 else math.inf
    if not (rate > 0 and enough > 0):
        return math.inf
    return SLOWING * (math.log(moved[-1]) - math.log(enough)) / rate
