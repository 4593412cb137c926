"""The optimum itself, proven: level "exact", docs/proofs.md (EXACT).

The support and the signs come from any solution, repaired where they are wrong; the coefficients from the
reduced system in ball arithmetic or in rationals; strict dual feasibility outside the support and a regular
reduced matrix prove that they are the only optimum. Ties are decided in rationals.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from solvers import Problem, solve

from .integers import Integers, RationalProblem, downward, fraction, nearest, upward
from .reduced import Outside, Point, Reduced, SingularError
from .search import Search, Unproven
from .wide import is_wide

__all__ = ["ExactOptimum", "Features", "RationalProblem", "Unproven", "correct_digits", "features", "optimum"]

Vector = NDArray[np.float64]

BITS = (256, 512, 1024, 2048)
RATIONAL = 150  # supports up to this size go to rationals as soon as 256 bits leave something undecided
LARGEST_RATIONAL = 500  # above it, rationals take minutes
FULL_DIGITS = 53 * math.log10(2)  # what a correctly rounded float64 has
CACHE = Path(__file__).parents[2] / ".cache" / "exact"


@dataclass(frozen=True, eq=False)
class ExactOptimum:
    """A proven optimum of a problem (P).

    Attributes
    ----------
    uniqueness : {"unique", "not unique", "undecided"}
        Whether the coefficients are the only optimal ones; the fitted values always are.
    coef : (p,) array
        w*, each the float64 nearest to the exact value (one optimum of several if not unique).
    low, high : (p,) array
        Intervals that contain the exact coefficients.
    intercept, intercept_low, intercept_high : float
        The same of b*.
    value, value_low, value_high : float
        P*.
    fitted : (n,) array
        X w* + b*, rounded; unique even where w* is not. Rows with s_i = 0 are NaN.
    arithmetic : str
        "balls of 256 bits" or "rationals".
    steps : int
        Steps of the active-set method, 1 or 2 if the start had the right support and signs.
    tied : int
        Coefficients that are zero although u_j is at its bound.
    point : Point
        The coefficients in integer form, for proofs built on this one.
    """

    uniqueness: str
    coef: Vector
    low: Vector
    high: Vector
    intercept: float
    intercept_low: float
    intercept_high: float
    value: float
    value_low: float
    value_high: float
    fitted: Vector
    arithmetic: str
    steps: int
    tied: int
    point: Point

    @property
    def unique(self) -> bool:
        """Whether the coefficients are proven to be the only optimum."""
        return self.uniqueness == "unique"


@dataclass(frozen=True)
class Features:
    """False features: not zero, though w*_j = 0. Missed ones: zero, though w*_j is not."""

    false: int
    missed: int


def optimum(
    problem: Problem | RationalProblem,
    coef: ArrayLike | None = None,
    intercept: float = 0.0,
    *,
    cached: bool = True,
) -> ExactOptimum:
    """Prove the optimum of (P).

    Parameters
    ----------
    problem : Problem or RationalProblem
    coef : (p,) array, optional
        Any coefficients to start from; by default those of the catalogue's fastest solver.
    intercept : float
        Not used but as a start.
    cached : bool
        Whether a Problem's result is kept in, and taken from, .cache/exact/<digest>.json.

    Returns
    -------
    ExactOptimum

    Raises
    ------
    Unproven
        If it could not be proven: the support is too large, or the search did not end.
    """
    path = CACHE / f"{problem.digest}.json" if cached and isinstance(problem, Problem) else None
    if path is not None and (known := _load(path)) is not None:
        return known
    if coef is None:
        coef = solve(problem).coef if isinstance(problem, Problem) else np.zeros(problem.p)
    data = Integers(problem)
    search = Search(Reduced(data), _start(data, np.asarray(coef, dtype=np.float64), intercept))
    search.in_floats()
    found = _prove(search)
    if path is not None:
        _save(path, found)
    return found


def _start(data: Integers, coef: Vector, intercept: float) -> dict[int, Fraction]:
    c_y = fraction(data.c_y)
    finite = np.flatnonzero(np.isfinite(coef) & (coef != 0)).tolist()
    if len(finite) > 5 * data.n:  # most of it is what a solver left on the way to zero
        finite = sorted(finite, key=lambda j: -abs(coef[j]))[: 5 * data.n]
    finite = [j for j in finite if data.v[j] is not None]
    start = {j: Fraction(coef[j]) * fraction(data.column(j)[1]) / c_y for j in finite}
    if data.intercept and math.isfinite(intercept):
        start[data.p] = Fraction(intercept) / c_y
    return start


def _prove(search: Search) -> ExactOptimum:
    data = search.data
    for bits in BITS:
        try:
            at, outside = search.in_balls(bits)
        except SingularError:
            continue
        signs = [at.sign(k) for k in range(len(at.support))]
        open_ = bool(outside.open) or any(
            s != search.sign[j] for j, s in zip(at.support, signs, strict=True) if search.sign[j]
        )
        if not open_ and _rounds(data, at):
            return _result(search, at, outside, f"balls of {bits} bits")
        if len(at.support) <= RATIONAL and not is_wide(data, at.support):
            break
    if is_wide(data, search.support) or len(search.support) > LARGEST_RATIONAL:
        size = len(search.support)
        raise Unproven(f"{BITS[-1]} bits leave a tie or a rounding open, on a support of {size}")
    at, outside = search.in_rationals()
    return _result(search, at, outside, "rationals")


def _unscaled(data: Integers, at: Point, k: int) -> tuple[Fraction, Fraction, Fraction]:
    """(low, middle, high) of the k-th coefficient in the units of (P)."""
    j = at.support[k]
    unit = fraction(data.c_y / data.column(j)[1])
    low, high = at.ends(k)
    return low * unit, at.value(k) * unit, high * unit


def _rounds(data: Integers, at: Point) -> bool:
    """Whether each interval has one nearest float64."""
    ends = [_unscaled(data, at, k) for k in range(len(at.support))]
    return all(nearest(low) == nearest(high) for low, _, high in ends)


def _result(search: Search, at: Point, outside: Outside, arithmetic: str) -> ExactOptimum:
    data = search.data
    columns = np.zeros((3, data.p + 1))
    for k, j in enumerate(at.support):
        low, middle, high = _unscaled(data, at, k)
        columns[:, j] = downward(low), nearest(middle), upward(high)
    low_value, value, high_value = objective_range(search.reduced, at, search.sign)
    fitted = np.full(len(data.source.y), np.nan)
    fitted[data.rows] = search.reduced.ranges(at)
    return ExactOptimum(
        uniqueness=_uniqueness(search, at, outside),
        coef=columns[1, :-1],
        low=columns[0, :-1],
        high=columns[2, :-1],
        intercept=float(columns[1, -1]),
        intercept_low=float(columns[0, -1]),
        intercept_high=float(columns[2, -1]),
        value=nearest(value),
        value_low=downward(low_value),
        value_high=upward(high_value),
        fitted=fitted,
        arithmetic=arithmetic,
        steps=search.steps,
        tied=len(outside.tied),
        point=at,
    )


def objective_range(reduced: Reduced, at: Point, sign: dict[int, int]) -> tuple[Fraction, Fraction, Fraction]:
    """(low, middle, high) of P*: at the optimum it is 1/2 (Y'TY - sum_j (X_j'TY - L1_j sign_j) W_j)."""
    data = reduced.data
    total = Fraction(sum(t * y * y for t, y in zip(data.T, data.Y, strict=True)))
    slack = Fraction(0)
    for k, (j, right) in enumerate(zip(at.support, reduced.right(at.support), strict=True)):
        weight = fraction(right - data.penalties(j)[0] * sign[j])
        total -= weight * at.value(k)
        slack += abs(weight) * Fraction(at.rad[k], at.denominator)
    unit = fraction(data.c_y) ** 2 / (2 * data.total)
    return unit * (total - slack), unit * total, unit * (total + slack)


def _uniqueness(search: Search, at: Point, outside: Outside) -> str:
    """Look for another optimum: a direction that moves no fitted value, and no coefficient out of bounds."""
    if not outside.tied:
        return "unique"  # the reduced matrix is regular, and every other column is strictly inside
    edge = dict(outside.tied)
    data = search.data
    if not any(data.signed(j) for j in at.support) and not any(data.free(j) for j in edge):
        # sum_j u_j d_j = 0 for such a direction d; here that is l1 sum |d_j| over the tied ones
        return "unique"
    wider = sorted({*at.support, *edge})
    if search.reduced.rank(wider) == len(wider):
        return "unique"
    for d in search.reduced.null_vectors(wider):
        for way in (1, -1):
            if all(way * x * edge.get(j, 0) >= 0 for j, x in zip(wider, d, strict=True)):
                return "not unique"
    return "undecided"


def correct_digits(coef: ArrayLike, exact: ExactOptimum) -> Vector:
    """Count the correct decimal digits of each coefficient, as NIST's StRD does (log relative error).

    Parameters
    ----------
    coef : (p,) array
    exact : ExactOptimum

    Returns
    -------
    (p,) array
        -log10(|w_j - w*_j| / |w*_j|), between 0 and that of correct rounding (15.95); where w*_j = 0, full
        if w_j = 0 and else -log10(|w_j| / max |w*|). NaN where the optimum is not proven to be unique.
    """
    coef = np.asarray(coef, dtype=np.float64)
    if coef.shape != exact.coef.shape:
        raise ValueError(f"coef has shape {coef.shape}, expected {exact.coef.shape}")
    if not exact.unique:
        return np.full(coef.shape, np.nan)
    true = exact.coef
    size = np.where(true != 0, np.abs(true), np.max(np.abs(true), initial=0.0))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        digits = -np.log10(np.abs(coef - true) / size)
    digits[coef == true] = FULL_DIGITS
    return np.where(np.isnan(digits), 0.0, np.clip(digits, 0.0, FULL_DIGITS)) + 0.0  # no -0.0


def features(coef: ArrayLike, exact: ExactOptimum) -> Features | None:
    """Count false and missed features; None where the optimum is not proven to be unique."""
    if not exact.unique:
        return None
    chosen, true = np.asarray(coef) != 0, (exact.low != 0) | (exact.high != 0)
    return Features(int(np.sum(chosen & ~true)), int(np.sum(~chosen & true)))


@cache
def _code() -> str:
    """Digest of the code that proves: results of other code are not taken from the cache."""
    here = Path(__file__).parent
    h = hashlib.sha256()
    for name in ("integers.py", "reduced.py", "wide.py", "search.py", "exact.py"):
        h.update((here / name).read_bytes())
    return h.hexdigest()


ARRAYS = ("coef", "low", "high", "fitted")


def _save(path: Path, found: ExactOptimum) -> None:
    row: dict[str, Any] = {k: v for k, v in asdict(found).items() if k not in (*ARRAYS, "point")}
    row = {k: v.hex() if isinstance(v, float) else v for k, v in row.items()}
    row |= {name: [x.hex() for x in getattr(found, name).tolist()] for name in ARRAYS}
    at = found.point
    row["point"] = {
        "support": at.support,
        "mid": [hex(x) for x in at.mid],
        "rad": [hex(x) for x in at.rad],
        "denominator": hex(at.denominator),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{id(found)}.tmp")
    scratch.write_text(json.dumps({"code": _code()} | row))
    scratch.replace(path)  # two processes may prove the same problem


def _load(path: Path) -> ExactOptimum | None:
    if not path.exists():
        return None
    row = json.loads(path.read_text())
    if row.pop("code") != _code():
        return None
    at = row.pop("point")
    point = Point(
        tuple(at["support"]),
        tuple(int(x, 16) for x in at["mid"]),
        tuple(int(x, 16) for x in at["rad"]),
        int(at["denominator"], 16),
    )
    for name in ARRAYS:
        row[name] = np.array([float.fromhex(x) for x in row[name]])
    for name in ("intercept", "value"):
        for end in ("", "_low", "_high"):
            row[name + end] = float.fromhex(row[name + end])
    return ExactOptimum(**row, point=point)
