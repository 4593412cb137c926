"""The lasso's path in exact rationals, kink by kink: a reference for small problems.

The path of min 1/2 ||y - Xw||^2 + lam ||w||_1 is linear in lam between kinks (Osborne, Presnell, Turlach
2000; Efron, Hastie, Johnstone, Tibshirani 2004), so its kinks are rational if X and y are. lam = n l1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from flint import fmpq, fmpq_mat

ZERO = fmpq(0)


@dataclass(frozen=True)
class Kink:
    """Where the path bends.

    Attributes
    ----------
    lam : fmpq
        In units of |X_j'r|.
    coef : tuple of fmpq
        The lasso's solution there, (p,).
    move : int
        j + 1 if w_j joins the support below lam, -(j + 1) if it leaves, 0 at the end of the path, lam = 0.
    """

    lam: fmpq
    coef: tuple[fmpq, ...]
    move: int


def rational(x: float | Fraction) -> fmpq:
    """Return the exact value of a finite float or of a fraction."""
    return fmpq(*x.as_integer_ratio())


def fraction(x: fmpq) -> Fraction:
    """Return the same number as a ``fractions.Fraction``."""
    return Fraction(int(x.p), int(x.q))


def gram(X: Sequence[Sequence[fmpq]], y: Sequence[fmpq]) -> tuple[list[list[fmpq]], list[fmpq]]:
    """Return X'X (p, p) and X'y (p,)."""
    columns = list(zip(*X, strict=True))
    G = [[sum((a * b for a, b in zip(c, d, strict=True)), ZERO) for d in columns] for c in columns]
    return G, [sum((a * b for a, b in zip(c, y, strict=True)), ZERO) for c in columns]


def lasso_path(G: list[list[fmpq]], c: list[fmpq], *, max_kinks: int = 100_000) -> list[Kink]:
    """Return every kink, from the largest lam down to 0.

    Parameters
    ----------
    G : (p, p) list of lists of fmpq
        X'X.
    c : (p,) list of fmpq
        X'y.
    max_kinks : int

    Raises
    ------
    ValueError
        If two events fall on one lam (a tie), or the columns of a support depend on each other, or there
        are more than max_kinks.
    """
    p = len(c)
    j = max(range(p), key=lambda k: abs(c[k]))
    lam, active, sign = abs(c[j]), [j], {j: 1 if c[j] > 0 else -1}
    if sum(abs(ck) == lam for ck in c) > 1:
        raise ValueError(f"a tie at the start of the path, lam = {lam}")
    kinks = [Kink(lam, (ZERO,) * p, j + 1)]
    while len(kinks) < max_kinks:
        at, slope = _segment(G, c, active, sign)
        lam, move = _next_event(G, c, active, at, slope, lam)
        coef = [ZERO] * p
        for k, a, b in zip(active, at, slope, strict=True):
            coef[k] = a - lam * b
        kinks.append(Kink(lam, tuple(coef), move))
        if move == 0:
            return kinks
        j = abs(move) - 1
        if move < 0:
            active.remove(j)
        else:
            u = c[j] - sum((G[j][k] * coef[k] for k in active), ZERO)
            active.append(j)
            sign[j] = 1 if u > 0 else -1
    raise ValueError(f"the path has more than {max_kinks} kinks")


def _segment(
    G: list[list[fmpq]], c: list[fmpq], active: list[int], sign: dict[int, int]
) -> tuple[list[fmpq], list[fmpq]]:
    """Return (a, b) with w(lam) = a - lam b on the support."""
    k = len(active)
    A = fmpq_mat(k, k, [G[i][j] for i in active for j in active])
    right = fmpq_mat(k, 2, [x for j in active for x in (c[j], fmpq(sign[j]))])
    try:
        both = A.solve(right)
    except ZeroDivisionError as error:
        raise ValueError(f"the columns {sorted(active)} depend on each other") from error
    return [both[i, 0] for i in range(k)], [both[i, 1] for i in range(k)]


def _next_event(
    G: list[list[fmpq]], c: list[fmpq], active: list[int], at: list[fmpq], slope: list[fmpq], lam: fmpq
) -> tuple[fmpq, int]:
    """Return the largest lam below the present one at which a coefficient joins or leaves, and the move."""
    best, moves = ZERO, [0]
    events: list[tuple[fmpq, int]] = []
    for j, a, b in zip(active, at, slope, strict=True):
        if b != 0:
            events.append((a / b, -(j + 1)))
    for j in set(range(len(c))) - set(active):
        # u_j(lam) = base + lam * rate; it joins where |u_j| = lam
        base = c[j] - sum((G[j][k] * a for k, a in zip(active, at, strict=True)), ZERO)
        rate = sum((G[j][k] * b for k, b in zip(active, slope, strict=True)), ZERO)
        for bound in (1, -1):
            if bound - rate != 0:
                events.append((base / (bound - rate), j + 1))
    for where, move in events:
        if where >= lam or where < best:  # where == lam: the event that led here
            continue
        if where > best:
            best, moves = where, [move]
        elif where > 0:
            moves.append(move)
    if len(set(moves)) > 1:
        raise ValueError(f"a tie: the moves {moves} share lam = {best}")
    return best, moves[0]


def on_path(kinks: list[Kink], lam: fmpq) -> tuple[fmpq, ...]:
    """Return the lasso's solution at any lam >= 0, exactly: linear between the kinks."""
    if lam >= kinks[0].lam:
        return kinks[0].coef
    for above, below in pairwise(kinks):
        if lam >= below.lam:
            t = (above.lam - lam) / (above.lam - below.lam)
            return tuple(a + t * (b - a) for a, b in zip(above.coef, below.coef, strict=True))
    raise ValueError(f"lam is {lam}: it must be >= 0")
