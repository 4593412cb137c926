"""What R's glmnet printed: its vignette, and the 81 fits that statsmodels ships."""

from __future__ import annotations

import csv
import importlib.util
import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem, Solution
from solvers.conventions import from_benchopt_lasso, from_glmnet, glmnet_y_sd

from .published import DataMissing, Line, Solver, columns, compare, find, half_unit, published, read

Vector = NDArray[np.float64]

VIGNETTE = "Hastie, Qian, Tay, An Introduction to glmnet (vignette of glmnet 4.1-8)"
STANDARD = "columns centred, sd 1 (ddof 0); y over its sd inside: l2 = lambda (1 - alpha) / sd(y); intercept"
THRESH = 1e-7  # glmnet's default: a sweep may leave sd(x_j) |dw_j| up to sqrt(THRESH) sd(y)

CVX = [
    1.389118,
    0.007991,
    0.731234,
    0.031119,
    -0.866793,
    0.564867,
    0.069678,
    0.358346,
    0,
    0.070565,
    0.173464,
    -0.027472,
    -0.01796,
    -1.138053,
    -0.07099,
    0,
    0,
    0,
    0,
    -1.097528,
]
S05_SUPPORT = [1, 3, 5, 6, 14, 20]
S05 = [0.261311, 1.005547, 0.267714, -0.4476485, 0.2379287, -0.8230862, -0.5553678]
FIRST_8 = {  # lambda: intercept and seven coefficients
    0.1: [0.150928072, 1.320597195, 0, 0.675110234, 0, -0.817411518, 0.521436671, 0.004829335],
    0.06284188312697471: [0.145832036, 1.340981414, 0, 0.70834714, 0, -0.848087765, 0.554823782, 0.038519738],
}
PREDICTED = {  # lambda: the first five fitted values
    0.05: [-1.3362652, 2.5894245, 0.5872868, 2.0977222, 1.643628],
    0.06284188312697471: [-1.3574653, 2.5776672, 0.5846421, 2.0280562, 1.5780633],
}
PATH: dict[str, list[Any]] = {
    "Df": [0, 2, 2, 2, 2, 2],
    "%Dev": [0, 5.53, 14.59, 22.11, 28.36, 33.54],
    "Lambda": [1.631, 1.486, 1.354, 1.234, 1.124, 1.024],
}
WEIGHTED: dict[str, list[Any]] = {
    "Df": [0, 4, 7, 7, 8, 9, 10, 11, 14, 17, 17, 17, 19, 20, 20, 20, 20],
    "%Dev": [
        0,
        17.89,
        44.45,
        65.67,
        78.5,
        85.39,
        88.67,
        90.25,
        91.01,
        91.38,
        91.54,
        91.6,
        91.63,
        91.64,
        91.64,
        91.65,
        91.65,
    ],
    "Lambda": [
        7.939,
        4.889,
        3.011,
        1.854,
        1.142,
        0.7033,
        0.4331,
        0.2667,
        0.1643,
        0.1012,
        0.0623,
        0.0384,
        0.0236,
        0.0146,
        0.009,
        0.0055,
        0.0034,
    ],
}


def _quickstart() -> tuple[Vector, Vector]:
    table = read("glmnet_quickstart", "QuickStartExample.csv")
    return columns(table, "y"), table["y"]


def _fit(
    solver: Solver, X: Vector, y: Vector, lam: float, alpha: float = 1.0, s: Vector | None = None
) -> tuple[Solution, Vector, float]:
    """Fit in glmnet's convention; return the solution, the coefficients in X's units and their intercept."""
    weights = np.ones(len(y)) if s is None else s
    mean = weights @ X / weights.sum()
    sd = np.sqrt(weights @ (X - mean) ** 2 / weights.sum())
    l1, l2 = from_glmnet(lam, alpha, glmnet_y_sd(y, weights))
    Z = np.asfortranarray((X - mean) / sd)
    found = solver(Problem(Z, y, l1=l1, l2=l2, intercept=True, sample_weight=s))
    w = found.coef / sd
    return found, w, found.intercept - float(mean @ w)


@published(
    citation=f"{VIGNETTE}, Appendix 2: glmnet with thresh 1e-20, lars and CVXR agree",
    standardisation="none, no intercept: min ||y - Xb||^2 + 8 |b|_1",
    needs="glmnet_quickstart",
)
def glmnet_cvx(solver: Solver) -> Iterator[Line]:
    """A lasso that three programs printed to six decimals, and CVXR's to full precision."""
    X, y = _quickstart()
    found = solver(Problem(X, y, l1=from_benchopt_lasso(8 / 2, len(y))))
    names = [f"V{j}" for j in range(1, X.shape[1] + 1)]
    yield from compare("printed", names, CVX, found.coef, half_unit(6))
    stored = (find("glmnet_quickstart") / "CVXResults_beta.csv").read_text(encoding="utf-8").split()
    yield from compare("CVXR", names, map(float, stored), found.coef, 1e-8)  # ECOS stops at a gap of 1e-8


@published(citation=f"{VIGNETTE}, p. 4, 5 and 8", standardisation=STANDARD, needs="glmnet_quickstart")
def glmnet_coefficients(solver: Solver) -> Iterator[Line]:
    """Coefficients and fitted values at four lambdas, as accurate as glmnet's default thresh."""
    X, y = _quickstart()
    within = np.sqrt(THRESH) * float(y.std()) / float(X.std(axis=0).min())
    _, w, b = _fit(solver, X, y, 0.5)
    yield from compare(
        "s=0.5 in the support: V", map(str, S05_SUPPORT), S05_SUPPORT, 1 + np.flatnonzero(w), 0.0
    )
    yield from compare("s=0.5", ["intercept", *(f"V{j}" for j in S05_SUPPORT)], S05, [b, *w[w != 0]], within)
    for lam, printed in FIRST_8.items():
        _, w, b = _fit(solver, X, y, lam)
        names = ["intercept", *(f"V{j}" for j in range(1, 8))]
        yield from compare(f"s={lam:.6g}", names, printed, [b, *w[:7]], within)
    for lam, printed in PREDICTED.items():
        _, w, b = _fit(solver, X, y, lam)
        rows = [f"row {i}" for i in range(1, 6)]
        reach = within * float(np.linalg.norm(X[:5], axis=1).max())
        yield from compare(f"fitted, s={lam:.6g}", rows, printed, b + X[:5] @ w, reach)


def _table(
    solver: Solver, printed: dict[str, list[Any]], length: int, alpha: float, s: Vector | None
) -> Iterator[Line]:
    """Yield Df, the share of the deviance explained and lambda along a path, as print(fit) does."""
    X, y = _quickstart()
    weights = np.ones(len(y)) if s is None else s
    share = weights / weights.sum()
    mean, centre = share @ X, float(share @ y)
    sd = np.sqrt(share @ (X - mean) ** 2)
    largest = float(np.max(np.abs(((X - mean) / sd).T @ (share * (y - centre))))) / alpha
    for k, (df, dev, lam) in enumerate(zip(printed["Df"], printed["%Dev"], printed["Lambda"], strict=True)):
        ours = largest * 1e-4 ** (k / (length - 1))
        yield Line(f"row {k + 1} Lambda", lam, ours, _as_printed(lam))
        # at lambda_max itself rounding decides on which side of it one is
        _, w, b = _fit(solver, X, y, ours * (1 + 1e-12 * (k == 0)), alpha, s)
        loss = float(share @ (y - b - X @ w) ** 2) / float(share @ (y - centre) ** 2)
        yield Line(f"row {k + 1} Df", df, float(np.count_nonzero(w)), 0.0)
        yield Line(f"row {k + 1} %Dev", dev, 100 * (1 - loss), half_unit(2) + 100 * THRESH)


def _as_printed(x: float) -> float:
    """Return half a unit of the last digit of R's print: four significant digits, at most four decimals."""
    return max(0.5 * 10.0 ** (math.floor(math.log10(x)) - 3), half_unit(4))


@published(citation=f"{VIGNETTE}, p. 4, print(fit)", standardisation=STANDARD, needs="glmnet_quickstart")
def glmnet_path(solver: Solver) -> Iterator[Line]:
    """The first rows of a lasso path: features, deviance explained, lambda."""
    yield from _table(solver, PATH, 100, 1.0, None)


@published(
    citation=f"{VIGNETTE}, p. 7, alpha = 0.2, weights of 1 and 2, nlambda = 20",
    standardisation=f"{STANDARD}; means and sds weighted",
    needs="glmnet_quickstart",
)
def glmnet_weighted(solver: Solver) -> Iterator[Line]:
    """A weighted elastic net along its path."""
    yield from _table(solver, WEIGHTED, 20, 0.2, np.repeat([1.0, 2.0], 50))


def _statsmodels() -> tuple[ModuleType, Vector]:
    """Return the module of fits, loaded by itself (statsmodels' own import is heavy), and the data."""
    folder = find("package:statsmodels") / "statsmodels" / "regression" / "tests" / "results"
    file = folder / "glmnet_r_results.py"
    if not file.exists():
        raise DataMissing(f"this statsmodels has no {file}")
    spec = importlib.util.spec_from_file_location("glmnet_r_results", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with (folder / "lasso_data.csv").open(newline="", encoding="utf-8") as lines:
        return module, np.array(list(csv.reader(lines)), dtype=np.float64)


@published(
    citation="statsmodels (Perktold, Seabold, Taylor and others), 81 fits by R's glmnet in its tests",
    standardisation="columns and y centred, sd 1 (ddof 1), no intercept; y over its sd inside",
    needs="package:statsmodels",
)
def glmnet_81_fits(solver: Solver) -> Iterator[Line]:
    """Lasso, elastic net and ridge at 81 settings of n, p, alpha and lambda."""
    module, data = _statsmodels()
    names = sorted(
        (name for name in vars(module) if name.startswith("rslt_")), key=lambda name: int(name[5:])
    )
    for name in names:
        n, p, alpha, lam, *printed = (float(x) for x in getattr(module, name))
        rows = data[: int(n), : int(p) + 1]
        rows = (rows - rows.mean(axis=0)) / rows.std(axis=0, ddof=1)
        y, X = rows[:, 0], np.asfortranarray(rows[:, 1:])
        l1, l2 = from_glmnet(lam, alpha, glmnet_y_sd(y, np.ones(len(y))))
        found = solver(Problem(X, y, l1=l1, l2=l2))
        yield from compare(
            name, [f"w{j}" for j in range(1, int(p) + 1)], printed, found.coef, np.sqrt(THRESH)
        )
