"""The figures of the proofs on fixed problems: no bound becomes looser or tighter unless somebody wanted it.

    python tests/figures.py      writes tests/figures.json anew: look at what changed, and say why

That a bound holds and is tight enough, other tests say; that it is the one it was, only its figures can.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from solvers import Problem  # noqa: E402
from verification import Certificate, Judge, certify  # noqa: E402
from verification.checks.draws import Kind, bases  # noqa: E402
from verification.proofs.exact import optimum  # noqa: E402
from verification.proofs.export import export  # noqa: E402
from verification.proofs.features import certified_features  # noqa: E402
from verification.proofs.held_out import held_out_reach  # noqa: E402

RECORD = Path(__file__).with_name("figures.json")
SURE = ("primal", "radius", "scale", "primal_null", "support", "false_features")
# what is nothing but rounding at the optimum, and so another number on another machine
CLEAR = ("gap", "alpha", "kkt", "implied_l1", "implied_l2", "implied_off", "implied_gain")

Figures = dict[str, Any]


def problems() -> dict[str, Problem]:
    """Every regime and option of (P), and what is awkward, on multiples of a power of two."""
    tall, wide = Kind(32, 8, intercept=True).problem(), Kind(16, 40).problem()
    sparse = Kind(64, 24, "ols", intercept=True, layout="csc").problem()
    free = np.where(np.arange(24) < 3, 0.0, 1.0)
    twice = np.asfortranarray(np.hstack([tall.X, tall.X[:, :3], -tall.X[:, 3:5]]))
    more = {
        "columns twice": tall.replace(X=twice),
        "columns twice, positive": tall.replace(X=twice, positive=True),
        "non-negative least squares": tall.replace(l1=0.0, positive=True),
        "far from zero": tall.replace(X=tall.X + 4096.0, y=tall.y - 2.0**20),
        "far apart": wide.replace(X=wide.X * 2.0 ** (np.arange(40) % 17 - 8.0)),
        "beyond": tall.replace(X=tall.X * 2.0**330, y=tall.y * 2.0**-330),
        "beyond, elastic net": tall.replace(X=tall.X * 2.0**330, y=tall.y * 2.0**-330, l2=2.0**655),
        "float32": tall.replace(X=(np.asarray(tall.X) / 3).astype(np.float32)),
        "constant column": tall.replace(X=np.asfortranarray(np.c_[tall.X, np.full(32, 0.1)])),
        "sparse, columns without a penalty": sparse.replace(l1=2.0**-5, penalty_weights=free),
        "sparse, positive without a penalty": sparse.replace(positive=True, l1=2.0**-5, penalty_weights=free),
        "sparse, some rows": sparse.replace(
            X=sp.csr_array(sparse.X), l1=0.25, sample_weight=np.arange(64) % 3.0
        ),
        "wide ridge, a column without": wide.replace(l1=0.0, l2=0.25, penalty_weights=np.arange(40) / 8),
        "elastic net, weights": tall.replace(l2=0.125, sample_weight=1 + np.arange(32) % 5 / 4.0),
        "a tie": Problem(np.array([[3.0, 1.0], [0.0, 1.0]]), [4.0, 1.0], l1=0.75),
    }
    return {problem.name: problem for problem in bases()} | more


def points(problem: Problem, best: Any) -> Iterator[tuple[str, np.ndarray, float]]:
    """The optimum, a little and far beside it, and zeros."""
    ramp = (np.arange(problem.p) % 7 - 3) / 4.0
    ramp = np.where(np.isfinite(problem.v), np.abs(ramp) if problem.positive else ramp, 0.0)
    unit = float(np.max(np.abs(best.coef), initial=0.0)) or 1.0
    b = best.intercept
    yield "optimum", best.coef, b
    yield "near", best.coef * (1 + 2.0**-8 * np.abs(ramp)), b
    yield "far", best.coef + unit * ramp, b + problem.intercept * unit
    yield "zeros", np.zeros(problem.p), 0.0


def of_certificate(found: Certificate) -> Figures:
    """What a certificate says, without what is nothing but rounding."""
    told = found.to_dict()
    names = SURE if (found.gap or 0.0) <= 100 * (found.radius or 0.0) else SURE + CLEAR
    figures: Figures = {name: told.get(name) for name in names}
    return figures | {"zeros": int(np.count_nonzero(found.certified_zeros))}


def of_problem(problem: Problem) -> Figures:
    """All figures of one problem, by what they are about."""
    best = optimum(problem, np.zeros(problem.p), cached=False)
    exactly = [*best.coef, *best.low, *best.high, best.intercept_low, best.intercept_high, best.value_low]
    figures: Figures = {
        "exact": {
            "uniqueness": best.uniqueness, "arithmetic": best.arithmetic, "tied": best.tied,
            "value": best.value, "width": best.value_high - best.value_low,
            "digest": _digest(" ".join(float(x).hex() for x in exactly)),
        }
    }  # fmt: skip
    judge = Judge(problem)
    for name, w, b in points(problem, best):
        found = judge.certify(w, b)
        figures[f"float, {name}"] = of_certificate(found)
        figures[f"rigorous, {name}"] = of_certificate(certify(problem, w, b, level="rigorous"))
        level = certify(problem, w, b, level="exact") if problem.p < 12 else found
        told = certified_features(judge, w, found)
        reach = held_out_reach(problem, problem.X[:5], 1 + np.arange(5.0), w, b, found)
        figures[f"features, {name}"] = {
            "used": None if told.used is None else int(told.used.sum()), "missed": told.missed(w),
            "reach": None if name == "optimum" else reach,
            "gap": level.gap if level.level == "exact" and name != "optimum" else None,
            "zeros": int(np.count_nonzero(level.certified_zeros)),
        }  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file.json"
            bound = export(problem, w, b, path, exact=best if name != "far" else None)
            content = json.loads(path.read_bytes())
        figures[f"file, {name}"] = {
            "bound": bound,
            "theta": _digest(" ".join(content["proof"]["theta"])),
            "intervals": _digest(
                json.dumps([content["claim"]["intervals"], content["proof"].get("optimum")])
            ),
        }
    return figures


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def main() -> None:
    """Write the record anew."""
    found = {name: of_problem(problem) for name, problem in problems().items()}
    RECORD.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
