"""Write certificate files that ``checker.py`` alone can check, docs/proofs.md (FILE)."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx, fmpz_mat
from numpy.typing import ArrayLike

from solvers import Problem

from . import checker
from .exact import ExactOptimum
from .integers import Integers, downward, fraction, row_matrix, upward
from .reduced import Point, Reduced
from .search import Search

GRID = 120  # bits of the dual point below its largest entry
SCALING = 200  # bits of the factor that makes it feasible
MOST = 300  # coefficients on the support, above which no intervals are claimed: the file and the check grow
PRECISE = 300  # bits of the coefficients at the centre of the intervals
WIDTH = 120  # bits: intervals are wider than they need be by 2^-WIDTH of the largest coefficient


def export(
    problem: Problem,
    coef: ArrayLike,
    intercept: float,
    path: str | Path,
    *,
    exact: ExactOptimum | None = None,
) -> float:
    """Write a certificate file for any coefficients.

    Parameters
    ----------
    problem : Problem
    coef : (p,) array
        Feasible and finite.
    intercept : float
    path : path
        Of the file, overwritten.
    exact : ExactOptimum, optional
        The proven optimum of the same problem: the bound is then the suboptimality up to about 2^-100, and
        if the optimum is unique without ties the file claims an interval for every coefficient. Without it
        the dual point comes from the residual of the coefficients themselves.

    Returns
    -------
    float
        The bound on P(w, b) - P* that the file claims.

    Raises
    ------
    ValueError
        If the coefficients are not a point of (P).
    """
    w = [float(x) for x in np.asarray(coef, dtype=np.float64)]
    w += [float(intercept)] if problem.intercept else []
    if not np.all(np.isfinite(w)) or (intercept and not problem.intercept):
        raise ValueError("the coefficients are not finite, or the intercept is not 0 though (P) has none")
    data = Integers(problem)
    reduced = Reduced(data)
    described = describe(problem)
    theta = dual_point(reduced, exact.point if exact else point_of(data, w))
    judge = exactly(described)
    point = {j: Fraction(x) for j, x in enumerate(w) if x}
    try:
        gap = judge.primal(point) - judge.dual(checker.Row(theta))
    except checker.Rejected as reason:
        raise ValueError(str(reason)) from reason
    claim: dict[str, Any] = {"coef": [x.hex() for x in w], "bound": upward(gap).hex(), "intervals": None}
    proof: dict[str, Any] = {"theta": [str(x) for x in theta]}
    if exact is not None and exact.unique and not exact.tied and len(exact.point.support) <= MOST:
        claim["intervals"], proof["optimum"] = _optimum(reduced, exact.point)
    content = {"format": checker.FORMAT, "name": problem.name, "problem": described}
    Path(path).write_bytes(seal(content | {"claim": claim, "proof": proof}))
    return upward(gap)


def seal(content: dict[str, Any]) -> bytes:
    """Return the bytes of a file: the digest of all that follows it, then the content."""
    body = json.dumps(content, indent=None, separators=(",", ":"))[1:].encode()
    return b'{"sha256": "' + hashlib.sha256(body).hexdigest().encode() + b'",\n' + body


def describe(problem: Problem) -> dict[str, Any]:
    """Return the data of (P) as the file holds them."""
    described: dict[str, Any] = {
        "n": problem.n,
        "p": problem.p,
        "intercept": problem.intercept,
        "positive": problem.positive,
        "l1": problem.l1.hex(),
        "l2": problem.l2.hex(),
        "y": _hex(problem.y),
        "sample_weight": None if problem.sample_weight is None else _hex(problem.sample_weight),
        "penalty_weights": None if problem.penalty_weights is None else _hex(problem.penalty_weights),
    }
    if problem.is_sparse:
        X = problem.X.tocoo()
        places = zip(X.row.tolist(), X.col.tolist(), _hex(X.data), strict=True)
        described["entries"] = [list(entry) for entry in places]
    else:
        described["columns"] = [_hex(problem.X[:, j]) for j in range(problem.p)]
    return described


def exactly(described: dict[str, Any]) -> checker.Problem:
    """Return the problem as the checker reads it: exact values and duals of any point."""
    return checker.Problem(tuple(described.items()))


def _hex(values: Any) -> list[str]:
    return [x.hex() for x in np.asarray(values, dtype=np.float64).tolist()]


def point_of(data: Integers, w: list[float]) -> Point:
    """The given coefficients in integer form."""
    support = [j for j, x in enumerate(w) if x and j in set(data.live)]
    W = [Fraction(w[j]) * fraction(data.column(j)[1]) / fraction(data.c_y) for j in support]
    denominator = max((x.denominator for x in W), default=1)  # powers of two
    return Point(tuple(support), tuple(int(x * denominator) for x in W), (0,) * len(W), denominator)


def dual_point(reduced: Reduced, at: Point) -> list[Fraction]:
    """Return theta (n,), exactly feasible: the residual at a point, projected and scaled in rationals.

    Rows with s_i = 0 get 0.
    """
    data = reduced.data
    weighted, _ = reduced.weighted_residual(at)
    residual = [Fraction(r, t * at.denominator) for r, t in zip(weighted, data.T, strict=True)]
    top = max(map(abs, residual), default=Fraction(0))
    unit = Fraction(2) ** (top.numerator.bit_length() - top.denominator.bit_length() - GRID)
    rough = [round(r / unit) for r in residual]
    # under positivity u_j <= 0 is wanted, and 0 only where w_j > 0
    free = {j for j in data.live if not any(x != 0 for x in data.penalties(j))}
    members = sorted(free & ({*at.support, data.p} if data.positive else free))
    while True:
        numbers, denominator = _project(reduced, members, rough)
        u = {j: (_along(data, j, numbers), data.penalties(j)) for j in data.live}
        wrong = [
            j for j, (x, (l1, l2)) in u.items() if l1 == 0 and l2 == 0 and x and (x > 0 or not data.signed(j))
        ]
        if not wrong:
            break
        members = sorted({*members, *wrong})
    factor = Fraction(1)
    for x, (l1, l2) in u.values():
        size = unit * (x if data.positive else abs(x)) / denominator
        if l1 != 0 and l2 == 0 and size > fraction(l1):
            factor = min(factor, fraction(l1) / size)
    factor = Fraction(int(factor * 2**SCALING), 2**SCALING)  # downwards
    theta = [Fraction(0)] * len(data.source.y)
    for i, x in zip(data.rows.tolist(), numbers, strict=True):
        theta[i] = factor * unit * fraction(data.c_y) * Fraction(x, denominator)
    return theta


def _along(data: Integers, j: int, numbers: list[int]) -> int:
    row = data.fresh_column(j)[0]
    return sum(x * t * r for x, t, r in zip(row, data.T, numbers, strict=True) if x)


def _project(reduced: Reduced, members: list[int], rough: list[int]) -> tuple[list[int], int]:
    """The T-weighted projection of rough on the complement of the members, over a common denominator."""
    data = reduced.data
    rank = reduced.rank_of_columns(members)
    if not rank:
        return rough, 1
    search = Search(reduced, {})
    search.w, search.sign = {j: Fraction(0) for j in members}, dict.fromkeys(members, 0)
    if rank < len(members):
        search.keep_independent(members, rank)
    kept = list(search.support)
    rows = row_matrix([data.column(j)[0] for j in kept])
    weighted = fmpz_mat(data.n, 1, [t * r for t, r in zip(data.T, rough, strict=True)])
    numbers, denominator = reduced.gram(kept).solve(rows * weighted).numer_denom()  # type: ignore[attr-defined]
    fit = numbers.transpose() * rows
    return [r * int(denominator) - int(fit[0, i]) for i, r in enumerate(rough)], int(denominator)


def _optimum(reduced: Reduced, at: Point) -> tuple[list[list[str]], dict[str, Any]]:
    """The claimed intervals, and what proves them."""
    data, k = reduced.data, len(at.support)
    c_y = fraction(data.c_y)
    w = [at.value(i) * c_y / fraction(data.column(j)[1]) for i, j in enumerate(at.support)]
    # the checker's H is in the units of (P): s_i = c_s T_i
    c_s = _weight_unit(data)
    with ctx.workprec(max(2 * GRID, 512)):
        H = arb_mat(reduced.gram(at.support))
        unit = [fraction(data.column(j)[1]) for j in at.support]
        for i, j in enumerate(at.support):
            H[i, i] = H[i, i] + arb(data.penalties(j)[1])
        diagonal = [abs(Fraction(_exactly(H[i, i]))) * c * c * c_s for i, c in enumerate(unit)]
        scale = [-_half_log(x) for x in diagonal]
        factor = [c * Fraction(2) ** e for c, e in zip(unit, scale, strict=True)]
        for i in range(k):
            for c in range(k):
                H[i, c] = H[i, c] * _ball(factor[i] * factor[c] * c_s)
        bits = 2 * k.bit_length() + 10
        M = [[round(_exactly(x) * 2**bits) for x in row] for row in H.inv().tolist()] if k else []
    largest = max((abs(x) / Fraction(2) ** e for x, e in zip(w, scale, strict=True)), default=Fraction(0))
    found = {}
    for j, x, e in zip(at.support, w, scale, strict=True):
        reach = largest * Fraction(2) ** (e - WIDTH)
        found[j] = [downward(x - reach).hex(), upward(x + reach).hex()]
    zero = [(0.0).hex(), (0.0).hex()]
    intervals = [found.get(j, zero) for j in range(data.p + data.intercept)]
    proof = {
        "support": list(at.support),
        "coef": [str(_shortened(x)) for x in w],
        "scale": scale,
        "inverse": [[str(Fraction(x, 2**bits)) for x in row] for row in M],
    }
    return intervals, proof


def _weight_unit(data: Integers) -> Fraction:
    """c_s: what s_i is T_i times of."""
    assert isinstance(data.source, Problem)
    i = int(data.rows[0])
    return Fraction(float(data.source.s[i])) / data.T[0]


def _exactly(x: arb) -> Fraction:
    mantissa, exponent = x.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _ball(x: Fraction) -> arb:
    return arb(x.numerator) / arb(x.denominator)


def _half_log(x: Fraction) -> int:
    return (x.numerator.bit_length() - x.denominator.bit_length()) // 2


def _shortened(x: Fraction) -> Fraction:
    """Round to PRECISE bits."""
    if not x:
        return x
    unit = Fraction(2) ** (x.numerator.bit_length() - x.denominator.bit_length() - PRECISE)
    return round(x / unit) * unit
