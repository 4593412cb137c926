"""The lasso path of R's lars, and The Elements of Statistical Learning's prostate table."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from solvers import Problem
from solvers.conventions import from_lars, from_sklearn_ridge

from ..problems._homotopy import Kink, fraction, gram, lasso_path, rational
from .published import Line, Solver, columns, compare, half_unit, published, read

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

EFRON = "Efron, Hastie, Johnstone, Tibshirani (2004), Least angle regression, Ann. Statist. 32:407-499"
LARS = f"R package lars (Hastie and Efron), printed output; {EFRON}"
ESL = "Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, 2nd ed., Table 3.3, p. 63"

# lars(x, y, type = "lasso") on the diabetes data: moves, summary() and the coefficients at two steps
DIABETES_MOVES = [3, 9, 4, 7, 2, 10, 5, 8, 6, 1, -7, 7]
DIABETES_RSS = [
    2621009,
    2510465,
    1700369,
    1527165,
    1365734,
    1324118,
    1308932,
    1275355,
    1270233,
    1269390,
    1264977,
    1264765,
    1263983,
]
DIABETES_CP = [
    453.726255006272,
    418.032217290298,
    143.801193388963,
    86.7410780632947,
    33.6956791165279,
    21.5052237966864,
    18.3270029796993,
    8.87749261791703,
    9.13114827526573,
    10.8435467724511,
    11.3389749748865,
    9.26676056353836,
    11,
]
DIABETES_STEPS = {
    7: [
        0,
        -197.756501135154,
        522.26484701812,
        297.15973688909,
        -103.946248766907,
        0,
        -223.926033335305,
        0,
        514.749480847553,
        54.7676806302465,
    ],
    9: [
        0,
        -227.175798242917,
        526.390594350024,
        314.950467216784,
        -237.34097311995,
        33.628274416008,
        -134.599352051782,
        111.384128693504,
        545.48259721323,
        64.606670131436,
    ],
}
DIABETES_DECIMALS = {7: 12, 9: 11}  # printed to 15 digits of the largest
DIABETES_INTERCEPT = 152.133484162896

# lars(prostate[, 1:8], lpsa) on all 97 rows: coefficients at the eight steps after the start, original units
PROSTATE_PATH = [
    [0.3573072, 0, 0, 0, 0, 0, 0, 0],
    [0.3916323, 0, 0, 0, 0.09772183, 0, 0, 0],
    [0.4729686, 0.4010287, 0, 0, 0.441893, 0, 0, 0],
    [0.4772307, 0.4343405, 0, 0, 0.46205106, 0, 0, 0.0003752489],
    [0.4945025, 0.490408, 0, 0.03525646, 0.55370843, 0, 0, 0.0013866469],
    [0.5067509, 0.5431376, -0.008040524, 0.06070074, 0.58841287, 0, 0, 0.0022898666],
    [0.5115481, 0.5748987, -0.012590999, 0.07452697, 0.61037529, 0, 0.01704893, 0.002482045],
    [0.5643413, 0.6220198, -0.021248185, 0.09671252, 0.7616734, -0.1060509, 0.04922793, 0.0044575118],
]
PROSTATE_LAMBDA_6 = 0.6286376

# Table 3.3: intercept, then the eight coefficients; test error last
TABLE = {
    "LS": [2.465, 0.68, 0.263, -0.141, 0.21, 0.305, -0.288, -0.021, 0.267, 0.521],
    "Ridge": [2.452, 0.42, 0.238, -0.046, 0.162, 0.227, 0.0, 0.04, 0.133, 0.492],
    "Lasso": [2.468, 0.533, 0.169, 0, 0.002, 0.094, 0, 0, 0, 0.479],
}
LASSO_L1 = 0.20757  # s = 0.36 is printed; 0.20743 to 0.20772 give all nine numbers

# summary(l1ce(lpsa ~ ., Prostate)): bound, Lagrangian, intercept and coefficients
L1CE_BOUND, L1CE_LAGRANGIAN = 0.9219925, 13.05806
L1CE = [0.7285, 0.4937, 0.2682, 0, 0.0093, 0.4551, 0, 0, 0.0002]


def exact_path(X: Vector, y: Vector) -> list[Kink]:
    """Return the lasso path of centred X and y, the centring and all else in rationals."""
    rows = [[rational(float(x)) for x in row] for row in X]
    t = [rational(float(x)) for x in y]
    n = len(t)
    means = [sum(column[1:], column[0]) / n for column in zip(*rows, strict=True)]
    mean = sum(t[1:], t[0]) / n
    centred = [[x - m for x, m in zip(row, means, strict=True)] for row in rows]
    return lasso_path(*gram(centred, [x - mean for x in t]))


def coef_at(kink: Kink) -> Vector:
    """Return the coefficients at a kink, correctly rounded."""
    return np.array([float(fraction(c)) for c in kink.coef])


@published(
    citation=LARS,
    standardisation="columns centred, Euclidean norm 1 (so in the file); lam = max |X'r| = n l1; intercept",
    needs="diabetes_lars",
)
def diabetes_path(solver: Solver) -> Iterator[Line]:
    """R's lars on the diabetes data: 12 moves, one of them out; Rss, Cp; coefficients at steps 7 and 9."""
    table = read("diabetes_lars", "diabetes_x.csv")
    X, y = columns(table, "y"), table["y"]
    n = len(y)
    kinks = exact_path(X, y)
    yield from compare("move", map(str, range(1, 13)), DIABETES_MOVES, [k.move for k in kinks[:-1]], 0.0)
    A, t = X - X.mean(axis=0), y - y.mean()
    rss = np.array([float(np.sum((t - A @ coef_at(k)) ** 2)) for k in kinks])
    df = np.array(
        [1 + np.count_nonzero(coef_at(k)) + (k.move < 0) for k in kinks]
    )  # lars: still in as it leaves
    cp = rss / (rss[-1] / (n - df[-1])) - n + 2 * df
    steps = [f"step {k}" for k in range(len(kinks))]
    yield from compare("Rss", steps, DIABETES_RSS, rss, half_unit(0))
    eps = float(np.finfo(np.float64).eps)
    yield from compare(
        "Cp", steps, DIABETES_CP, cp, eps * n * float(rss[0] / rss[-1]) * n
    )  # sums of n squares
    for step, printed in DIABETES_STEPS.items():
        # R computed in float64, from the Gram matrix: its condition is the square of X's
        rounding = eps * float(np.linalg.cond(A)) ** 2 * float(np.max(np.abs(printed)))
        within = half_unit(DIABETES_DECIMALS[step]) + rounding
        names = [f"step {step} {name}" for name in table if name != "y"]
        yield from compare("exact", names, printed, coef_at(kinks[step]), within)
        l1 = from_lars(float(fraction(kinks[step].lam)), n)
        found = solver(Problem(X, y, l1=l1, intercept=True))
        # A relative gap of 1e-14 leaves sqrt(1e-14) of the null residual open in the fit.
        smallest = float(np.linalg.svd(A, compute_uv=False)[-1])
        yield from compare("solver", names, printed, found.coef, 1e-7 * float(np.linalg.norm(t)) / smallest)
        if step == 7:
            yield Line("solver step 7 intercept", DIABETES_INTERCEPT, found.intercept, 1e-11)


def _prostate() -> tuple[list[str], Vector, Vector, Mask]:
    """Return the names, X (97, 8), lpsa and which rows are for training."""
    table = read("esl_prostate", "prostate.csv")
    X = columns(table, "lpsa", "train")
    return [name for name in table if name not in ("lpsa", "train")], X, table["lpsa"], table["train"] == 1


@published(
    citation=f"{LARS}; course script",
    standardisation="all 97 rows; columns centred, Euclidean norm 1; coefficients printed in original units",
    needs="esl_prostate",
)
def prostate_path(solver: Solver) -> Iterator[Line]:
    """R's lars on the prostate data: coefficients at every step, and one lambda."""
    names, X, y, _ = _prostate()
    A = X - X.mean(axis=0)
    norms = np.linalg.norm(A, axis=0)
    Z = A / norms
    kinks = exact_path(Z, y)
    yield Line("lambda at step 6", PROSTATE_LAMBDA_6, float(fraction(kinks[5].lam)), half_unit(7))
    for step, (printed, kink) in enumerate(zip(PROSTATE_PATH, kinks[1:], strict=True), start=1):
        labels = [f"step {step} {name}" for name in names]
        yield from compare("exact", labels, printed, coef_at(kink) / norms, half_unit(7) * 1.1)
    for step, (above, below) in enumerate(pairwise(kinks)):
        middle = (fraction(above.lam) + fraction(below.lam)) / 2
        exact = (coef_at(above) + coef_at(below)) / 2  # the path is linear between kinks
        found = solver(Problem(np.asfortranarray(Z), y, l1=from_lars(float(middle), len(y)), intercept=True))
        labels = [f"between {step} and {step + 1} {name}" for name in names]
        smallest = float(np.linalg.svd(Z, compute_uv=False)[-1])
        within = 1e-7 * float(np.linalg.norm(y - y.mean())) / smallest
        yield from compare("solver", labels, exact, found.coef, within)


def _esl_z() -> tuple[list[str], Vector, Vector, Mask]:
    """Return ESL's Z: every column over its sd (ddof 1) and centred, both over all 97 rows."""
    names, X, y, train = _prostate()
    return names, (X - X.mean(axis=0)) / X.std(axis=0, ddof=1), y, train


def _row(column: str, names: list[str], b: float, w: Vector, Z: Vector, y: Vector) -> Iterator[Line]:
    error = float(np.mean((y - b - Z @ w) ** 2))
    ours = [b, *w, error]
    yield from compare(column, ["intercept", *names, "test error"], TABLE[column], ours, half_unit(3))


@published(
    citation=f"{ESL}, column LS",
    standardisation="Z: mean and sd (ddof 1) of all 97 rows; fitted on the 67 training rows",
    needs="esl_prostate",
)
def esl_least_squares(solver: Solver) -> Iterator[Line]:
    """ESL's prostate table, least squares."""
    names, Z, y, train = _esl_z()
    found = solver(Problem(np.asfortranarray(Z[train]), y[train], intercept=True))
    yield from _row("LS", names, found.intercept, found.coef, Z[~train], y[~train])


@published(
    citation=f"{ESL}, column Ridge, df = 5.0",
    standardisation="Z as for LS, not centred again on the 67 rows; y less its training mean, the intercept",
    needs="esl_prostate",
)
def esl_ridge(solver: Solver) -> Iterator[Line]:
    """ESL's prostate table, ridge with five degrees of freedom."""
    names, Z, y, train = _esl_z()
    squares = np.linalg.svd(Z[train], compute_uv=False) ** 2
    alpha = float(brentq(lambda a: np.sum(squares / (squares + a)) - 5.0, 1e-3, 1e3, xtol=1e-12))
    b, n = float(y[train].mean()), int(train.sum())
    found = solver(Problem(np.asfortranarray(Z[train]), y[train] - b, l2=from_sklearn_ridge(alpha, n)))
    yield from _row("Ridge", names, b, found.coef, Z[~train], y[~train])


@published(
    citation=f"{ESL}, column Lasso, s = 0.36",
    standardisation="Z as for LS, then centred and scaled again by the 67 rows (ddof 1); coefficients for Z",
    needs="esl_prostate",
)
def esl_lasso(solver: Solver) -> Iterator[Line]:
    """ESL's prostate table, the lasso."""
    names, Z, y, train = _esl_z()
    mean, sd = Z[train].mean(axis=0), Z[train].std(axis=0, ddof=1)
    found = solver(Problem(np.asfortranarray((Z[train] - mean) / sd), y[train], l1=LASSO_L1, intercept=True))
    w = found.coef / sd
    yield from _row("Lasso", names, found.intercept - float(mean @ w), w, Z[~train], y[~train])


@published(
    citation="R package lasso2 (Turlach and Venables), man/summary.l1ce.Rd",
    standardisation="sd (ddof 1), 97 rows, lweight[32] = 6.1076 (uncorrected); sum |b_j| <= half that of LS",
    needs="esl_prostate",
)
def lasso2_bound(solver: Solver) -> Iterator[Line]:
    """The lasso in its constrained form: bound, multiplier and coefficients."""
    table = read("esl_prostate", "prostate_lasso2.csv")
    X, y = columns(table, "lpsa"), table["lpsa"]
    mean, sd, n = X.mean(axis=0), X.std(axis=0, ddof=1), len(y)
    Z = np.asfortranarray((X - mean) / sd)
    free = solver(Problem(Z, y, intercept=True))
    found = solver(Problem(Z, y, l1=L1CE_LAGRANGIAN / n, intercept=True))
    yield Line("bound", L1CE_BOUND, float(np.abs(free.coef).sum()) / 2, half_unit(7))
    # The multiplier is printed to 5 decimals; |w|_1 moves with it by at most p / smallest eigenvalue of Z'Z.
    slope = len(sd) / float(np.linalg.eigvalsh(Z.T @ Z)[0])
    yield Line("sum of |b|", L1CE_BOUND, float(np.abs(found.coef).sum()), half_unit(7) + half_unit(5) * slope)
    w = found.coef / sd
    names = ["intercept", *(name for name in table if name != "lpsa")]
    yield from compare("coefficient", names, L1CE, [found.intercept - float(mean @ w), *w], half_unit(4))
