"""NIST's Statistical Reference Datasets: least squares with certified values of 15 digits.

Twice: exactly, in rationals from the published decimals, which every certified digit must survive; and
through float64 columns, as any solver has to take them. The optimum of those rounded columns is another
problem's (Filip: powers up to x^10), so both are reported: digits against the certificate, and what the
exact optimum of the float64 columns itself has of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from solvers import Problem

from ..problems._homotopy import fraction, gram, rational
from .published import Line, Solver, correct_digits, find, published

__all__ = ["NAMES", "Dataset", "dataset", "digits_of", "float_optimum"]

FOLDER = "nist_strd"
POWERS = {"Pontius": 2, "Filip": 10} | {f"Wampler{k}": 5 for k in range(1, 6)}
NAMES = ("Norris", "Pontius", "NoInt1", "NoInt2", "Filip", "Longley", *(f"Wampler{k}" for k in range(1, 6)))
CERTIFIED = 15  # significant digits


@dataclass(frozen=True)
class Dataset:
    """One of NIST's problems.

    Attributes
    ----------
    intercept : bool
    columns : tuple of tuples of Fraction
        (p, n): the predictors from the published decimals, powers exact.
    y : tuple of Fraction
    coef, sd : tuple of Decimal
        Certified estimates, the intercept's first, and their standard deviations.
    residual_sd : Decimal
    """

    intercept: bool
    columns: tuple[tuple[Fraction, ...], ...]
    y: tuple[Fraction, ...]
    coef: tuple[Decimal, ...]
    sd: tuple[Decimal, ...]
    residual_sd: Decimal

    def problem(self) -> Problem:
        """Return the least squares problem in float64: each power rounded once."""
        X = np.array([[float(x) for x in column] for column in self.columns]).T
        return Problem(np.asfortranarray(X), np.array([float(t) for t in self.y]), intercept=self.intercept)


@cache
def _parse(path: Path) -> Dataset:
    lines = path.read_text(encoding="ascii").splitlines()
    start = next(i for i, line in enumerate(lines) if i >= 60 - 2 and line.startswith("Data:")) + 1
    rows = [[Fraction(Decimal(x)) for x in line.split()] for line in lines[start:] if line.strip()]
    y, *predictors = zip(*rows, strict=True)
    if degree := POWERS.get(path.stem):
        predictors = [tuple(x**k for x in predictors[0]) for k in range(1, degree + 1)]
    head = [line.split() for line in lines[30:start]]
    estimates = [words for words in head if len(words) == 3 and words[0][0] == "B" and words[0][1:].isdigit()]
    spread = next(words[-1] for words in head if words[:2] == ["Standard", "Deviation"])
    return Dataset(
        estimates[0][0] == "B0",
        tuple(predictors),
        tuple(y),
        tuple(Decimal(words[1]) for words in estimates),
        tuple(Decimal(words[2]) for words in estimates),
        Decimal(spread),
    )


def dataset(name: str) -> Dataset:
    """Read one of NAMES.

    Raises
    ------
    DataMissing
        If the files are not there.
    """
    return _parse(find(FOLDER) / f"{name}.dat")


def _design(columns: tuple[tuple[Fraction, ...], ...], intercept: bool) -> list[list[fmpq]]:
    rows = [[rational(x) for x in row] for row in zip(*columns, strict=True)]
    return [[fmpq(1), *row] for row in rows] if intercept else rows


def exact_estimates(name: str) -> tuple[list[Decimal], list[Decimal], Decimal]:
    """Return the estimates, their standard deviations and the residual one, to 40 digits."""
    data = dataset(name)
    y = [rational(t) for t in data.y]
    A = _design(data.columns, data.intercept)
    G, c = gram(A, y)
    k = len(c)
    inverse = fmpq_mat(k, k, [x for row in G for x in row]).inv()
    w = [sum((inverse[i, j] * c[j] for j in range(k)), fmpq(0)) for i in range(k)]
    rss = sum((t * t for t in y), fmpq(0)) - sum((a * b for a, b in zip(w, c, strict=True)), fmpq(0))
    with localcontext(prec=40):
        variance = _decimal(rss) / (len(y) - k)
        sds = [(variance * _decimal(inverse[j, j])).sqrt() for j in range(k)]
        return [_decimal(x) for x in w], sds, variance.sqrt()


def _decimal(x: fmpq) -> Decimal:
    return Decimal(int(x.p)) / Decimal(int(x.q))


@cache
def float_optimum(name: str) -> tuple[Fraction, ...]:
    """Return the exact least squares solution for the float64 columns, the intercept first."""
    problem = dataset(name).problem()
    columns = tuple(tuple(Fraction(float(x)) for x in column) for column in np.asarray(problem.X).T)
    G, c = gram(_design(columns, problem.intercept), [rational(float(t)) for t in problem.y])
    k = len(c)
    w = fmpq_mat(k, k, [x for row in G for x in row]).solve(fmpq_mat(k, 1, c))
    return tuple(fraction(w[i, 0]) for i in range(k))


def digits_of(name: str, estimates: NDArray[np.float64]) -> tuple[float, float]:
    """Return the fewest correct digits of any estimate: of NIST's, and of the float64 columns' optimum."""
    certified = [float(x) for x in dataset(name).coef]
    exact = [float(x) for x in float_optimum(name)]
    return tuple(  # type: ignore[return-value]
        min(correct_digits(float(a), b) for a, b in zip(estimates, reference, strict=True))
        for reference in (certified, exact)
    )


@published(
    citation="NIST/ITL Statistical Reference Datasets, linear regression; each file names its own source",
    standardisation="none: columns are the published decimals and their powers; intercept if there is a B0",
    needs=FOLDER,
)
def nist_strd(solver: Solver) -> Iterator[Line]:
    """NIST StRD in rationals: estimates, standard deviations, all certified digits."""
    del solver  # the decimals themselves; solvers take float64 columns, whose digits `solver_digits` gives
    for name in NAMES:
        data = dataset(name)
        coef, sds, residual = exact_estimates(name)
        first = 0 if data.intercept else 1
        pairs = [(f"B{first + j}", a, b) for j, (a, b) in enumerate(zip(data.coef, coef, strict=True))]
        pairs += [(f"sd of B{first + j}", a, b) for j, (a, b) in enumerate(zip(data.sd, sds, strict=True))]
        pairs.append(("residual sd", data.residual_sd, residual))
        for what, printed, ours in pairs:
            # The difference is taken in decimals: as floats the 15th digit is lost.
            unit = 10.0 ** (printed.adjusted() - CERTIFIED + 1) if printed else 10.0**-CERTIFIED
            yield Line(f"{name} {what}", 0.0, float(ours - printed), unit / 2)


def solver_digits(name: str, solver: Solver) -> tuple[float, float]:
    """Return ``digits_of`` a solver's estimates on one data set."""
    problem = dataset(name).problem()
    found = solver(problem)
    w = np.append(found.intercept, found.coef) if problem.intercept else found.coef
    return digits_of(name, w)
