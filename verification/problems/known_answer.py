"""Answers known in advance: one decorated function for each family, exact by construction.

    @known(penalty=("lasso", "ridge"), option=("plain", "intercept"))
    def tall(penalty: str, option: str) -> KnownAnswer: ...

These are whole problems (P), penalties included, so they stand beside the cases, not among them:
``known_answers()`` lists them. Every value is a multiple of a power of two unless the docstring says not.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import scipy.sparse as sp
from flint import fmpq
from numpy.typing import NDArray

from solvers import Problem

from ._homotopy import Kink, fraction, gram, lasso_path, on_path, rational
from ._known import REGISTRY, Known, KnownAnswer, answer, construct, fractions_of, known
from .generated import grid, rng_for

__all__ = ["Known", "KnownAnswer", "known", "known_answers", "mairal_yu", "path_of"]

HALF = Fraction(1, 2)
PENALTIES: dict[str, dict[str, Fraction]] = {
    "ols": {},
    "lasso": {"l1": Fraction(1, 8)},
    "ridge": {"l2": Fraction(1, 4)},
    "enet": {"l1": Fraction(1, 8), "l2": Fraction(1, 4)},
}
PENALISED = ("lasso", "ridge", "enet")


def known_answers() -> dict[str, Known]:
    """Return every known answer by name, in the order of definition."""
    return dict(REGISTRY)


def _design(name: str, n: int, p: int, bits: int = 6) -> NDArray[np.float64]:
    """Draw X (n, p), multiples of 2^-bits."""
    return grid(rng_for(name).standard_normal((n, p)), bits)


def _coef(p: int, penalty: str, positive: bool = False) -> list[Fraction]:
    """Return w* (p,): every third entry zero where an L1 penalty or the sign makes zeros, of either sign."""
    zeros = positive or penalty in ("lasso", "enet")
    return [
        Fraction(0) if zeros and j % 3 == 1 else Fraction(j + 2, 4) * (1 if positive else (-1) ** j)
        for j in range(p)
    ]


def _options(option: str, n: int, p: int) -> dict[str, Any]:
    """Return the keyword arguments of `construct` for one option of (P), or for all at once."""
    some: dict[str, dict[str, Any]] = {
        "intercept": {"intercept": Fraction(11, 4)},
        "weights": {"s": [(0, 1, 2, 4, 1)[i % 5] for i in range(n)]},
        "v": {"v": [(Fraction(1), Fraction(2), Fraction(0), HALF, None)[j % 5] for j in range(p)]},
        "positive": {"positive": True},
    }
    if option == "all":
        return {key: value for chosen in some.values() for key, value in chosen.items()}
    return some.get(option, {})


def _build(
    X: Any, penalty: str, option: str, coef: Sequence[Fraction] | None = None, **more: Any
) -> KnownAnswer:
    n, p = X.shape
    options: dict[str, Any] = _options(option, n, p) | more | PENALTIES[penalty]
    w = list(coef) if coef is not None else _coef(p, penalty, options.get("positive", False))
    w = [Fraction(0) if v is None else x for x, v in zip(w, options.get("v", [1] * p), strict=True)]
    return construct(X, w, **options)


@known(
    penalty=("ols", "lasso", "ridge", "enet"),
    option=("plain", "intercept", "weights", "v", "positive", "all"),
)
def tall(penalty: str, option: str) -> KnownAnswer:
    """Dense, 24 x 8, well-conditioned."""
    return _build(_design("known_tall", 24, 8), penalty, option)


@known(penalty=PENALISED, option=("plain", "intercept"))
def wide(penalty: str, option: str) -> KnownAnswer:
    """Dense, 12 x 30: more columns than rows; five coefficients not zero, all of them for ridge."""
    w = _coef(30, penalty)
    if penalty != "ridge":
        w = [x if j % 6 == 0 else Fraction(0) for j, x in enumerate(w)]
    return _build(_design("known_wide", 12, 30), penalty, option, w)


@known(penalty=("ols", *PENALISED), option=("plain", "all"), layout=("csc", "csr"))
def sparse(penalty: str, option: str, layout: str) -> KnownAnswer:
    """Sparse, 40 x 12, a third of the entries stored."""
    X = _design("known_sparse", 40, 12)
    X[rng_for("known_sparse_pattern").random(X.shape) > 1 / 3] = 0.0
    return _build(sp.csc_array(X), penalty, option, layout=layout)


@known(penalty=("ols", *PENALISED), bits=(8, 16))
def ill_conditioned(penalty: str, bits: int) -> KnownAnswer:
    """Dense, 24 x 8: the columns differ from one of them by 2^-bits; all coefficients of one sign."""
    X = _design("known_ill", 24, 8, bits=4)
    X = X[:, :1] + 2.0**-bits * X
    return _build(X, penalty, "plain", [Fraction(j + 2, 4) for j in range(8)])


@known(penalty=("lasso", "enet"), option=("plain", "intercept", "positive"))
def ties(penalty: str, option: str) -> KnownAnswer:
    """Degenerate: every zero coefficient lies on the boundary, u_j = l1, as at a kink of the path."""
    return _build(_design("known_ties", 24, 8), penalty, option, slack=lambda j: Fraction(1))


@known(penalty=("lasso", "enet"), option=("plain", "intercept", "all"))
def at_l1_max(penalty: str, option: str) -> KnownAnswer:
    """L1 is exactly l1_max: w* = 0, and one column is about to enter."""
    X = _design("known_l1_max", 16, 6)
    return _build(X, penalty, option, [Fraction(0)] * 6, slack=lambda j: Fraction(1, 2**j))


@known(penalty=("lasso", "enet"), option=("plain", "positive"))
def duplicates(penalty: str, option: str) -> KnownAnswer:
    """Degenerate: each column occurs twice; the lasso's optima then form a whole face."""
    X = np.repeat(_design("known_duplicates", 20, 4), 2, axis=1)
    w = [Fraction(0) if j == 1 else Fraction(j + 2, 4) for j in range(4) for _ in range(2)]
    return _build(X, penalty, option, w, slack=lambda j: HALF)


@known()
def opposite_columns() -> KnownAnswer:
    """Degenerate: x_2 = -x_1; the lasso may put the weight on either, or share it."""
    X = _design("known_opposite", 20, 4)
    base = construct(X, [Fraction(1), Fraction(0), Fraction(-2), Fraction(1)], l1=Fraction(1, 8))
    A = np.column_stack([base.problem.X, -base.problem.X[:, 0]])
    w = [HALF, *base.coef[1:], -HALF]  # 1 on x_1 is 1/2 on x_1 and -1/2 on its opposite
    return answer(base.problem.replace(X=np.asfortranarray(A)), w)


@known(penalty=("ols", *PENALISED))
def zero_column(penalty: str) -> KnownAnswer:
    """Degenerate: one column is zero; with no penalty on it any weight is optimal."""
    built = _build(_design("known_zero_column", 20, 4), penalty, "intercept")
    A = np.column_stack([built.problem.X, np.zeros(20)])
    return answer(built.problem.replace(X=np.asfortranarray(A)), [*built.coef, Fraction(0)], built.intercept)


@known(penalty=("ols", *PENALISED))
def huge_offset(penalty: str) -> KnownAnswer:
    """Y lies 2^27 from zero, which the intercept takes up and a solver must not lose digits to."""
    return _build(_design("known_offset", 24, 8), penalty, "intercept", intercept=Fraction(2**27))


@known(penalty=("ols", *PENALISED), option=("plain", "intercept", "v", "positive"))
def orthogonal(penalty: str, option: str) -> KnownAnswer:
    """Orthogonal columns of a Hadamard matrix, y any whole numbers: w_j = soft(z_j, l1 v_j) / (1 + l2 v_j).

    z = X'y / n; not a multiple of a power of two.
    """
    n, p = 16, 7
    H = np.ones((1, 1))
    while H.shape[0] < n:
        H = np.block([[H, H], [H, -H]])
    y = rng_for("known_orthogonal").integers(-9, 10, n)
    options, terms = _options(option, n, p), PENALTIES[penalty]
    v = options.get("v", [Fraction(1)] * p)
    l1, l2 = (Fraction(terms.get(name, 0)) for name in ("l1", "l2"))
    problem = Problem(
        np.asfortranarray(H[:, 1 : p + 1]),  # without the constant column: the others are centred
        y.astype(np.float64),
        l1=float(l1),
        l2=float(l2),
        intercept="intercept" in options,
        penalty_weights=np.array([np.inf if x is None else float(x) for x in v]) if option == "v" else None,
        positive="positive" in options,
    )
    w = []
    for j, v_j in enumerate(v):
        z = sum((Fraction(int(h)) * int(t) for h, t in zip(H[:, j + 1], y, strict=True)), Fraction(0)) / n
        w.append(Fraction(0) if v_j is None else _soft(z, l1 * v_j, problem.positive) / (1 + l2 * v_j))
    return answer(problem, w, Fraction(int(y.sum()), n) if problem.intercept else Fraction(0))


def _soft(z: Fraction, threshold: Fraction, positive: bool) -> Fraction:
    if positive:
        return max(z - threshold, Fraction(0))
    return max(z - threshold, Fraction(0)) + min(z + threshold, Fraction(0))


@known(penalty=("ols", *PENALISED), layout=("csc", "csr"))
def disjoint(penalty: str, layout: str) -> KnownAnswer:
    """Sparse columns without a common row, with sample weights: each coefficient has its own formula.

    w_j = soft(c_j, l1) / (a_j + l2) with a_j = sum s x^2 / S, c_j = sum s x y / S.
    """
    n, p = 24, 6
    rng = rng_for("known_disjoint")
    X, y = np.zeros((n, p)), rng.integers(-9, 10, n)
    X[np.arange(n), np.arange(n) % p] = rng.integers(1, 5, n)
    s = [(1, 2, 3, 0, 1)[i % 5] for i in range(n)]
    l1, l2 = (Fraction(PENALTIES[penalty].get(name, 0)) for name in ("l1", "l2"))
    w = []
    for j in range(p):
        a = Fraction(sum(s[i] * int(X[i, j]) ** 2 for i in range(n)), sum(s))
        c = Fraction(sum(s[i] * int(X[i, j]) * int(y[i]) for i in range(n)), sum(s))
        w.append(_soft(c, l1, False) / (a + l2))
    A = sp.csr_array(X) if layout == "csr" else sp.csc_array(X)
    weights = np.array(s, dtype=np.float64)
    return answer(Problem(A, y.astype(np.float64), float(l1), float(l2), sample_weight=weights), w)


def mairal_yu(p: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the (p, p) X and y whose lasso path has the most pieces there can be, (3^p + 1)/2.

    Mairal and Yu (2012), "Complexity analysis of the lasso regularization path", ICML: from (X, y) make
    [X, 2 a y; 0, a t] and [y; t], t != 0, with 0 < a < lam/(2 y'y + t^2), lam the smallest kink so far. The
    new column joins after all others; as its weight grows, what is left of y runs from y to -y, and the old
    path is run through backwards, then again for -y: 3 k - 1 pieces from k. Here t = 1, and a is a power of
    two between a quarter and a half of its bound, so that every entry is exact.
    """
    X, y = np.ones((1, 1)), np.ones(1)
    for _ in range(p - 1):
        smallest = path_of(X, y)[-2].lam
        bound = float(fraction(smallest)) / (2 * float(y @ y) + 1)
        a = 2.0 ** (np.ceil(np.log2(bound)) - 2)
        X = np.block([[X, 2 * a * y[:, None]], [np.zeros((1, X.shape[1])), np.array([[a]])]])
        y = np.append(y, 1.0)
    return np.asfortranarray(X), y


def path_of(X: NDArray[np.float64], y: NDArray[np.float64]) -> list[Kink]:
    """Return the exact lasso path of float data, no intercept; lam = n l1."""
    rows = [[rational(x) for x in row] for row in fractions_of(X)]
    return lasso_path(*gram(rows, [rational(float(t)) for t in y]))


@cache
def _worst_path(p: int) -> list[Kink]:
    return path_of(*mairal_yu(p))


@known(p=(2, 3, 4, 5), piece=("first", "middle", "last"))
def worst_path(p: int, piece: str) -> KnownAnswer:
    """A point on the path of Mairal and Yu with (3^p + 1)/2 pieces."""
    X, y = mairal_yu(p)
    kinks = _worst_path(p)
    k = {"first": 1, "middle": len(kinks) // 2, "last": len(kinks) - 1}[piece]
    l1 = float(fraction(kinks[k - 1].lam + kinks[k].lam)) / (2 * p)  # within a piece, rounded to a float
    w = on_path(kinks, rational(l1) * fmpq(p))
    return answer(Problem(X, y, l1=l1), [fraction(x) for x in w])
