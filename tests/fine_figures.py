"""Figures of the steps inside the proofs, with a unit roundoff so coarse that every term of a bound shows.

    python tests/fine_figures.py      writes tests/fine_figures.json anew: look at what changed, and say why

A bound on rounding is made of terms of 1e-16 and of 1e-270 beside figures of about 1, and whether one of them
is there cannot be seen from the sum. So u is 2^-16 here, and what is charged for underflow 2^-12. The data
are few, and multiples of a quarter, so that float64 itself rounds next to nothing.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from solvers import Problem  # noqa: E402
from verification import Judge, certified_features, held_out_reach  # noqa: E402
from verification.proofs import judge, rigorous, rounding  # noqa: E402
from verification.proofs.exact import optimum  # noqa: E402
from verification.proofs.faces import face_span  # noqa: E402
from verification.proofs.rigorous import RigorousJudge  # noqa: E402

RECORD = Path(__file__).with_name("fine_figures.json")
COARSE, CHARGED = 2.0**-16, 2.0**-12
UNITS = (
    (rigorous, "U", COARSE), (rigorous, "TINY", CHARGED), (judge, "UNIT", COARSE), (rounding, "UNIT", COARSE),
)  # fmt: skip

N, P = 8, 6
Figures = dict[str, Any]


@contextmanager
def coarse(charged: float = CHARGED) -> Iterator[None]:
    """Let u and the charge for underflow be coarse."""
    before = [getattr(module, name) for module, name, _ in UNITS]
    try:
        for module, name, value in UNITS:
            setattr(module, name, charged if name == "TINY" else value)
        yield
    finally:
        for (module, name, _), value in zip(UNITS, before, strict=True):
            setattr(module, name, value)


def matrix(n: int = N, p: int = P) -> np.ndarray:
    """Multiples of a quarter, up to 2, with no pattern to speak of."""
    i, j = np.arange(n)[:, None], np.arange(p)
    return np.asfortranarray(((7 * i + 5 * j * j + 3 * i * j * j + i * i) % 17 - 8) / 4.0)


def problems() -> dict[str, Problem]:
    """Every way that the bounds are made of."""
    X, y = matrix(), np.array([3.0, -1.0, 0.5, 2.0, -4.0, 1.0, 0.25, -2.5])
    s = np.array([9.0, 1.0, 4.0, 0.0, 9.0, 4.0, 1.0, 4.0])  # squares of sum 32: roots and means are exact
    v = np.array([1.0, 0.5, np.inf, 2.0, 1.0, 0.25])
    free = np.array([0.0, 1.0, 0.5, 0.0, 1.0, 2.0])
    holes = np.where(np.add.outer(np.arange(N), np.arange(P)) % 3 == 0, 0.0, X)
    lasso = Problem(X, y, l1=0.25)
    both = {"intercept": True, "sample_weight": s}
    return {
        "lasso": lasso,
        "lasso, C order, intercept, weights": lasso.replace(X=np.ascontiguousarray(X), **both),
        "lasso, v": lasso.replace(penalty_weights=v, **both),
        "lasso, positive": lasso.replace(positive=True, **both),
        "lasso, a column of zeros": lasso.replace(X=X * (np.arange(P) != 4)),
        "lasso, csc": lasso.replace(X=sp.csc_array(holes), **both),
        "lasso, csr": lasso.replace(X=sp.csr_array(holes)),
        "elastic net": lasso.replace(l2=0.125, penalty_weights=v),
        "elastic net, intercept": lasso.replace(l2=0.125, X=X * 2.0 ** np.arange(P), y=y * 16, **both),
        "elastic net, csr": lasso.replace(X=sp.csr_array(holes), l2=0.5, **both),
        "elastic net, positive": lasso.replace(l2=0.125, positive=True, penalty_weights=v, **both),
        "elastic net, some l2 too small": lasso.replace(l2=1.0, penalty_weights=2.0 ** -np.arange(0, 24, 4)),
        "elastic net, weights far apart": lasso.replace(
            l1=2.0**30, l2=1.0, penalty_weights=np.where(np.arange(P) % 2, 1.0, 2.0**-28), **both
        ),
        "ridge": lasso.replace(l1=0.0, l2=0.25, **both),
        "ridge, positive": lasso.replace(l1=0.0, l2=0.25, positive=True),
        "two free": lasso.replace(penalty_weights=free, **both),
        "two free, csc": lasso.replace(X=sp.csc_array(holes), penalty_weights=free, **both),
        "two free, positive": lasso.replace(penalty_weights=free, positive=True, **both),
        "least squares": lasso.replace(l1=0.0, intercept=True),
        "least squares, positive": lasso.replace(l1=0.0, positive=True),
        "far from zero": lasso.replace(X=X + 64.0, y=y + 1024.0, **both),
        "wide": Problem(matrix(4, 9), y[:4], l1=0.25, l2=0.0, intercept=True),
    }


def points(problem: Problem) -> Iterator[tuple[str, Problem, np.ndarray, float]]:
    """Zeros; some coefficients; and a response that they fit, nearly and exactly."""
    w = np.resize([0.5, -0.25, 0.0, 1.5, 0.0, -1.0, 0.75], problem.p)
    w = np.where(np.isfinite(problem.v), np.abs(w) if problem.positive else w, 0.0)
    b = -0.75 * problem.intercept
    yield "zeros", problem, np.zeros(problem.p), 0.0
    yield "zeros, a small response", problem.replace(y=problem.y / 32), np.zeros(problem.p), 0.0
    yield "some", problem, w, -b
    z = problem.X @ w + b
    yield "near", problem.replace(y=z + np.resize([0.25, -0.25, 0.25, -0.25, 0.0], problem.n)), w, b
    yield "exact", problem.replace(y=z), w, b


def of_rigorous(problem: Problem, w: np.ndarray, b: float) -> Figures:
    """What each step of the rigorous bound returns; nothing where it is done in rationals."""
    proof = RigorousJudge(problem)
    figures: Figures = {"norm": proof._norm, "in floats": proof._in_range}
    if not proof._in_range:
        return figures
    scaled = proof._scaled
    scaled_w, scaled_b = scaled.coefficients(w), b * 2.0**-scaled.y_exponent
    hi, lo, error = proof._residual(scaled_w, scaled_b)
    figures["residual"] = [hi, lo, error]
    for wanted in (1.0, 2.0**40):
        figures[f"dual point, {wanted}"] = proof._dual(hi + lo, scaled_w, wanted)
    alpha, q, u, its, _ = proof._dual(hi + lo, scaled_w, 1.0)
    figures["sharp"] = proof._sharp(np.arange(u.size), q)
    figures["brackets"] = proof._brackets(scaled_w, alpha * u, alpha * its)
    ramp = np.linspace(-1.0, 1.0, u.size) * (1 + float(np.max(scaled.penalty.l1)))
    figures["brackets, far"] = [
        proof._brackets(scaled_w, way * ramp, np.full(u.size, size))
        for way in (1.0, -1.0) for size in (0.0, 0.125)
    ]  # fmt: skip
    found = proof.certify(w, b)
    names = ("primal", "dual", "gap", "gap_rel", "radius", "alpha", "false_features", "support")
    figures["certificate"] = [getattr(found, name) for name in names]
    figures["zeros"] = found.certified_zeros
    part = np.linspace(-0.25, 0.125, hi.size)
    proof._residual = lambda w, b: (hi - part, lo + part, error)  # type: ignore[method-assign]
    found = proof.certify(w, b)
    figures["certificate, much of the residual in its low part"] = [getattr(found, name) for name in names]
    figures["theta"] = [float(x) for x in proof.theta(w, b)]
    return figures


def reaches() -> Figures:
    """How far from the optimum its zeros are still proven, at each level, and its features."""
    figures: Figures = {}
    with coarse(2.0**-40):
        for name, problem in zeroed().items():
            best = optimum(problem, np.zeros(problem.p), cached=False)
            zeros = np.flatnonzero((best.coef == 0) & np.isfinite(problem.v))
            ramp = np.where(best.coef != 0, 1.0, 0.0) * 2.0 ** -(np.arange(problem.p) % 3)
            for level, judge in (("float", Judge(problem)), ("rigorous", RigorousJudge(problem))):

                def proven(t: float, j: int, judge: Any = judge, best: Any = best, ramp: Any = ramp) -> bool:
                    found = judge.certify(best.coef + t * ramp, best.intercept)
                    return bool(found.certified_zeros[j])

                figures[f"{name}, {level}"] = [_last(proven, j) for j in zeros.tolist()]
            judge = Judge(problem)

            def used(t: float, j: int, judge: Judge = judge, best: Any = best, ramp: Any = ramp) -> bool:
                w = best.coef + t * ramp
                found = certified_features(judge, w, judge.certify(w, best.intercept)).used
                return found is not None and bool(found[j])

            support = np.flatnonzero(best.coef).tolist()
            figures[f"{name}, used"] = [_last(used, j) for j in support]
    return figures


def zeroed() -> dict[str, Problem]:
    """Problems whose optimum has zeros."""
    made = problems()
    names = ("lasso, C order, intercept, weights", "lasso, positive", "lasso, csc", "elastic net", "lasso, v")
    return {name: made[name].replace(l1=made[name].l1_max() / 2) for name in names}


def _last(holds: Callable[[float, int], bool], j: int) -> float:
    """Where it ceases to hold, from 0 on; -1 if it does not hold there."""
    if not holds(0.0, j):
        return -1.0
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle, j) else (low, middle)
    return low


def of_judge(problem: Problem, w: np.ndarray, b: float) -> Figures:
    """What each step of the float certificate returns."""
    proof = Judge(problem)
    scaled, point = proof.scaled, proof._point(w, np.array(b))
    u0, u_fit = scaled.design.correlate(point.directions).T
    span = face_span(scaled, point.w, point.at.r) if problem.positive and scaled.free.any() else scaled.span
    beta, rest = span.split(point.at.r)
    gap = proof._smallest_gap(point.w, point.at, point.span, (point.beta, point.theta), u0, u0 + u_fit)
    (found,) = proof._prove(point)
    sizes = np.linspace(0.25, 1.0, u0.size)
    return {
        "scaled": [scaled.null, scaled.scale, scaled.S, scaled.mean, scaled.y, scaled.magnitude],
        "design": [scaled.design.norm, scaled.design.rough, scaled.design.shift, scaled.design.exponent],
        "penalty": [scaled.penalty.l1, scaled.penalty.l2, scaled.free, proof._capped],
        "residual": list(vars(point.at).values()),
        "span": [span.members, beta, rest, *span.split(scaled.y)],
        "u": [u0, u_fit],
        "most": [proof._most(scaled.design.root * way * 2.0**-16, 0 * u0, point.at.r) for way in (1, -1)]
        + [proof._most(0 * point.theta, 2.0**-16 + 0 * u0, point.at.r * size) for size in (1, 64)],
        "gap": [gap.value, gap.radius, gap.alpha],
        "penalty side": [
            proof._penalty_side(point.w, way * u0, sizes, sizes / 8, sizes / 4) for way in (1, 3)
        ],
        "held out": held_out_reach(problem, problem.X[:3], np.array([1.0, 0.5, 2.0]), w, b, found),
        "used": features.used if (features := certified_features(proof, w, found)).used is not None else None,
        "certificate": {k: v for k, v in found.to_dict().items() if k not in ("kind", "level", "reason")},
        "zeros": found.certified_zeros,
    }


def plain(value: Any) -> Any:
    """Lists, numbers and texts alone, as JSON has them."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    return float(f"{value:.12g}") if isinstance(value, float) else value


def of_problem(problem: Problem) -> Figures:
    """All figures of one problem, by point and step."""
    figures: Figures = {}
    with coarse():
        for name, there, w, b in points(problem):
            steps = {"rigorous": of_rigorous(there, w, b), "float": of_judge(there, w, b)}
            for level, found in steps.items():
                figures |= {f"{name}, {level}, {step}": plain(value) for step, value in found.items()}
    return figures


def constants() -> Figures:
    """What is written in capitals in the files of the proofs."""
    names = sorted(
        path.stem for path in Path(judge.__file__).parent.glob("[a-z_]*.py") if path.stem != "__init__"
    )
    modules = {name: vars(importlib.import_module(f"verification.proofs.{name}")) for name in names}
    return {
        f"{name}.{constant}": value
        if isinstance(value, int)
        else list(value)
        if isinstance(value, tuple)
        else value.hex()
        for name, known in modules.items()
        for constant, value in sorted(known.items())
        if constant.isupper() and isinstance(value, int | float | tuple)
    }


def main() -> None:
    """Write the record anew, one figure a line."""
    made = {"constants": constants(), "zeros": plain(reaches())} | {
        name: of_problem(problem) for name, problem in problems().items()
    }
    blocks = []
    for name, figures in made.items():
        rows = [f"  {json.dumps(step)}: {json.dumps(value)}" for step, value in figures.items()]
        blocks.append(f" {json.dumps(name)}: {{\n" + ",\n".join(rows) + "\n }")
    RECORD.write_text("{\n" + ",\n".join(blocks) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
