"""How a working set W grows: how far above lam1 its penalties start, and how many columns enter at a time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ._columns import Columns
from ._first_pass import SLIM, TALL
from .problem import Vector

STEP = 0.3  # factor from one kappa to the next
CLEAR = 0.5, 2.0  # columns above their bounds to a row up to which kappa is 1 at once; of sparse X,
FIRST, DEEP = 4, 200  # of which also where so many times the first columns of W are fewer than the rows, and
# l1 is no smaller than a DEEPth of l1_max: a pass over X is worth more than what is drawn in for nothing
SMALL = 50  # l1 is so small where l1_max is so many times as large: nearly all above their bounds are in use
USED = 0.8  # of up to SLIM columns that are above their bounds: to take them as they come costs more
DOUBT = 320  # columns from which on a pass over X costs a tenth of their Gram matrix, or less:
MOST = 0.75  # that all will be in use is believed where so many violate their bounds after a first solution
ROWS = 16  # to a column of W up to which W may grow at once: it does not fit so many too closely
BROAD = 0.6  # of the columns, no more than the rows, that are above their bounds: descent on all of them,
HIGH = 16  # unless the rows are more than so many times the columns: few rounds then find those in use,
COUPLED = 32, 0.75  # if among so many of the worst one has less than so much in common with the others
GRAM = 20, 12  # columns to a sweep, for the price of their Gram matrix, rounded or not,
FACTOR, FIXED = 30, 3  # and that of its factor, and of what comes with it whatever its size


class Start(NamedTuple):
    """How to begin.

    Attributes
    ----------
    kappa : float
        The factor by which lam1 is raised, at least 1,
    step : float
        and that from one kappa to the next.
    whole : bool
        Whether all columns are to be taken at once;
    doubtful : bool
        or all seem to be in use, which a first solution is to confirm.
    broad : bool
        Whether descent on all the columns is to be tried before.
    """

    kappa: float
    step: float
    whole: bool
    doubtful: bool
    broad: bool


def first(k: int) -> int:
    """Columns of k that W begins with, at most."""
    return int(np.sqrt(4 * k))


def start(columns: Columns, u: Vector, lam1: Vector) -> Start:
    """Begin well above lam1: far from the solution few columns would be fitted too closely.

    They would then draw in columns that do not belong. Not so where the rows are many against the columns
    that are above their bounds: a few columns cannot fit many rows too closely. And not where nearly all
    columns will be in use, or have a Gram matrix already: then W is complete at once.

    Parameters
    ----------
    columns : Columns
    u : (k,) array
        A'z.
    lam1 : (k,) array
    """
    from ._screening import overrun

    n, k, sparse = columns.form.z.size, columns.form.k, columns.sparse
    top, above = overrun(u, lam1)
    kappa, step = 1.0, STEP
    clear = sparse and FIRST * first(k) <= n and top <= DEEP
    if above > CLEAR[sparse] * n and not clear:  # in even steps of about STEP
        stages = max(1, round(math.log(top) / -math.log(STEP)))
        step = top ** (-1.0 / stages)
        kappa = top * step if stages > 1 else 1.0
    deep = k <= TALL and top >= SMALL and columns.nearly_all(above)
    deep = not sparse and (deep or (k <= SLIM and above >= USED * k))
    broad = not sparse and columns.gram is None and DOUBT <= k <= n <= HIGH * k
    broad = broad and above >= BROAD * k and coupling(columns, u) <= COUPLED[1]
    if deep and k >= DOUBT and kappa == 1:
        return Start(kappa, step, whole=False, doubtful=True, broad=broad)
    if (deep or (columns.gram is not None and top > 1)) and k <= columns.gram_limit:
        return Start(1.0, step, whole=True, doubtful=False, broad=broad)
    return Start(kappa, step, whole=False, doubtful=False, broad=broad)


def coupling(columns: Columns, u: Vector) -> float:
    """How much a column has in common with the others, among those that correlate most with z.

    The sum of their squared correlations with it, on average: what the change of one coefficient asks of
    the others, and with it the number of sweeps that coordinate descent takes.

    Parameters
    ----------
    columns : Columns
        Dense.
    u : (k,) array
        A'z.
    """
    size = min(COUPLED[0], u.size)
    norms = np.sqrt(columns.norms_sq)
    share = np.divide(np.abs(u), norms, out=np.zeros(u.size), where=norms > 0)
    worst = np.sort(np.argpartition(-share, size - 1)[:size])
    worst = worst[norms[worst] > 0]
    G = columns.gram_block(worst, np.arange(worst.size), np.float64) / np.outer(norms[worst], norms[worst])
    return float(np.sum(G**2) / max(worst.size, 1) - 1.0)


def price(n: int, K: int, rounded: bool) -> float:
    """Sweeps over K columns of n numbers that cost as much as their Gram matrix and its factor."""
    return FIXED + K / GRAM[not rounded] + K**2 / (FACTOR * n)


def confirmed(columns: Columns, size: int, violators: int) -> bool:
    """Whether a solution on `size` columns, with so many violators, shows that all are in use."""
    k = columns.form.k
    return MOST * (k - size) <= violators and k <= columns.gram_limit


def entering(columns: Columns, size: int, support: int, violators: int, by_gram: bool) -> int:
    """How many columns may enter W.

    A pass over X costs k n; extending a Gram matrix of K columns by a others costs about a K n / 4.

    Parameters
    ----------
    columns : Columns
    size : int
        Columns in W.
    support : int
        Those that are in use.
    violators : int
        Columns outside that violate their bounds.
    by_gram : bool
        Whether W has a Gram matrix.
    """
    n, k = columns.form.z.size, columns.form.k
    room = max(4 * k // size if size else first(k), support // 2, 16)
    if size and columns.sparse and not by_gram:
        room = max(room, support, n // ROWS - size)
    return min(violators + min(violators, support // 4), room)
