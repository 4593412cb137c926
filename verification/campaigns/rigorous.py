"""Level "rigorous" on random points: never below the truth in rationals, whatever the scales."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice
from zlib import crc32

import numpy as np

from solvers import Problem

from ..proofs import Judge
from ..proofs.design import Vector
from ..proofs.rigorous import RigorousJudge
from . import Tally, campaign
from .exact_reference import ExactProblem, fraction, rational
from .random_problems import Point, combinations, points, problem_of

__all__ = ["FAMILIES", "trials"]

TRIALS = 10_000
PARTS = 60
PROBLEMS = 5  # of each family in a part
POINTS = 10  # of each problem, at all distances from the optimum


def _rng(name: str) -> np.random.Generator:
    return np.random.default_rng(crc32(name.encode()))


def _some(name: str, keep: Callable[[tuple[str, ...]], bool]) -> Problem:
    """A problem of some combination, drawn by name."""
    chosen = [c for c in combinations() if keep(c)]
    return problem_of(chosen[_rng(name).integers(len(chosen))], crc32(name.encode()))


def any_options(name: str) -> Problem:
    """All of (P): y at 1e+-140 among them."""
    return _some(name, lambda _: True)


def cancellation(name: str) -> Problem:
    """Columns whose mean is up to 1e9 times their spread, y + 1e8: the residual is what is left over."""
    rng = _rng(name)
    base = _some(name, lambda c: c[4] in ("F", "C"))
    X = rng.standard_normal(base.X.shape) + 10.0 ** rng.integers(4, 10)
    y = X @ rng.standard_normal(base.p) + rng.standard_normal(base.n) + 1e8
    l1 = base.replace(X=X, y=y, l1=0.0, l2=0.0).l1_max() * 10.0 ** rng.uniform(-6, 0)
    return base.replace(X=X, y=y, l1=l1 * (base.l1 > 0))


def _scaled(name: str, x: float, y: float) -> Problem:
    """A problem of (P) in other units of X and y."""
    base = _some(name, lambda c: c[4] != "F32" and c[2] != "real")
    unit = 1.0 / float(np.max(np.abs(base.y)) or 1.0)  # 1e+-140 among them: moderate first
    with np.errstate(under="ignore", over="ignore"):
        return base.replace(X=base.X * x, y=base.y * unit * y, l1=base.l1 * unit * x * y, l2=base.l2 * x * x)


def far(name: str) -> Problem:
    """X and y each in units of 1e-100, 1 or 1e100."""
    rng = _rng(name)
    x, y = rng.choice([(100, 0), (-100, 0), (0, 100), (0, -100), (100, -100), (-100, 100)])
    return _scaled(name, 10.0**x, 10.0**y)


def subnormal(name: str) -> Problem:
    """A third of the entries of X and y below the normal range, the others at 1, or all near 1e-145."""
    rng = _rng(name)
    x, y = rng.choice([(0, 0), (-145, 0), (0, -145), (-145, -145), (-140, -148), (140, -140)])
    base = _scaled(name, 10.0**x, 10.0**y)
    X = base.X.toarray() if base.is_sparse else base.X
    return base.replace(X=_third_tiny(X, rng), y=_third_tiny(base.y, rng))


def _third_tiny(a: Vector, rng: np.random.Generator) -> Vector:
    """A third of the entries below the normal range; not the largest of a column, which (P) must keep."""
    size = np.abs(a)
    chosen = (rng.random(a.shape) < 1 / 3) & (size < size.max(axis=0))
    return np.where(chosen, np.ldexp(rng.integers(-(2**40), 2**40, a.shape).astype(float), -1074), a)


FAMILIES: dict[str, Callable[[str], Problem]] = {
    f.__name__: f for f in (any_options, cancellation, far, subnormal)
}


def trials(problem: Problem, name: str, tally: Tally, many: int = POINTS) -> None:
    """Try points at all distances from the optimum of one problem."""
    rng = _rng(name)
    exact = ExactProblem(problem)
    best = exact.optimum()
    value_of_best = fraction(best.value)
    rough, judge = Judge(problem), RigorousJudge(problem)
    step = max(1, 21 // (many - 1))
    some = [*islice(points(problem, best, rng), 0, None, step), _tiny(problem, rng)]
    for k, (w, b) in enumerate(some):
        words = f"{name}, point {k}"
        if not (np.all(np.isfinite(w)) and np.isfinite(b)):
            continue  # the optimum itself is beyond float64
        estimate, found = rough.certify(w, b), judge.certify(w, b)
        if estimate.gap is None or not np.isfinite(estimate.gap):
            tally.counts["points where float has no gap"] += 1
            continue
        tally.counts["trials"] += 1
        tally.counts["of them in rationals"] += "rationals" in found.kind
        if found.gap is None or found.radius is None or found.dual is None or not np.isfinite(found.gap):
            tally.failures.append(f"{words}: not finite, though float is")
            continue
        value = fraction(exact.objective([rational(x) for x in w], rational(b)))
        excess = value - value_of_best
        if Fraction(found.gap) < excess:
            tally.failures.append(f"{words}: gap {found.gap:.3g} is below the truth")
        if Fraction(found.dual) > value_of_best:
            tally.failures.append(f"{words}: dual {found.dual:.17g} is above P*")
        if abs(Fraction(found.primal) - value) > Fraction(found.radius):
            tally.failures.append(f"{words}: P is off by more than the radius {found.radius:.3g}")
        if any(zero and x != 0 for zero, x in zip(found.certified_zeros, best.coef, strict=True)):
            tally.failures.append(f"{words}: a certified zero is none")


def _tiny(problem: Problem, rng: np.random.Generator) -> Point:
    """Coefficients below the normal range."""
    w: Vector = np.ldexp(rng.integers(0, 2**30, problem.p) * np.isfinite(problem.v), -1074)
    return w, 5e-324 * problem.intercept


def _short(total: Tally) -> Iterator[str]:
    if total.counts["trials"] < TRIALS:
        yield f"{total.counts['trials']} trials, not {TRIALS}"


@campaign(
    "rigorous",
    parts=PARTS,
    bar=f"{TRIALS} trials: never below the truth in rationals, finite wherever float is",
    short=_short,
)
def rigorous(part: int) -> Tally:
    """All options of (P); heavy cancellation; scales of 1e+-100; subnormals. Ten points of each problem."""
    return run(f"{family} {part}.{k}" for family in FAMILIES for k in range(PROBLEMS))


def run(names: Iterable[str]) -> Tally:
    """Try the problems of these names, the family first."""
    tally = Tally()
    for name in names:
        family = name.split()[0]
        before = tally.counts["trials"]
        trials(FAMILIES[family](name), name, tally)
        tally.counts[family] += tally.counts["trials"] - before
    return tally
