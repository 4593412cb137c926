"""The optimum of small problems (P) in exact rationals, by trying sign patterns. Uses no solver of ours."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_mat

from solvers import Problem


def rational(x: float) -> fmpq:
    """The value of a finite float, exactly."""
    return fmpq(*float(x).as_integer_ratio())


@dataclass(frozen=True)
class Optimum:
    """An optimal point; `coef` has exact zeros, `value` is P*."""

    coef: list[fmpq]
    intercept: fmpq
    value: fmpq


class ExactProblem:
    """A problem (P) whose data are read as rationals.

    Parameters
    ----------
    problem : Problem
        A few rows and columns; the search takes up to 3^p exact solves.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        X = problem.X.toarray() if problem.is_sparse else np.asarray(problem.X)
        self.X = [[rational(x) for x in row] for row in X]
        self.y = [rational(y) for y in problem.y]
        self.s = [rational(s) for s in problem.s]
        self.S = sum(self.s, fmpq(0))
        v = [None if np.isinf(v) else rational(v) for v in problem.v]
        weights = [fmpq(0) if v_j is None else v_j for v_j in v]  # left out, below
        self.l1 = [v_j * rational(problem.l1) for v_j in weights]
        self.l2 = [v_j * rational(problem.l2) for v_j in weights]
        self.columns = [j for j, v_j in enumerate(v) if v_j is not None]

    def objective(self, coef: list[fmpq], intercept: fmpq) -> fmpq:
        """P(w, b) for a feasible point."""
        total = fmpq(0)
        for row, y, s in zip(self.X, self.y, self.s, strict=True):
            r = y - intercept - sum((x * w for x, w in zip(row, coef, strict=True) if w != 0), fmpq(0))
            total += s * r * r
        total /= 2 * self.S
        for j in self.columns:
            total += self.l1[j] * abs(coef[j]) + self.l2[j] * coef[j] * coef[j] / 2
        return total

    def optimum(self) -> Optimum:
        """An optimum whose support has independent columns; the conditions are checked exactly."""
        H, g = self._normal_equations()
        guess = _Guess(H, g, self)
        for pattern in guess.in_order():
            found = self._conditions_hold(H, g, pattern)
            if found is not None:
                coef, intercept = found
                return Optimum(coef, intercept, self.objective(coef, intercept))
        raise AssertionError("no sign pattern satisfies the optimality conditions")

    def _normal_equations(self) -> tuple[list[list[fmpq]], list[fmpq]]:
        """Hessian and linear term over the finite columns, the constant last if there is an intercept."""
        rows = [[row[j] for j in self.columns] + [fmpq(1)] * self.problem.intercept for row in self.X]
        k = len(self.columns) + self.problem.intercept
        H = [[fmpq(0)] * k for _ in range(k)]
        g = [fmpq(0)] * k
        for row, y, s in zip(rows, self.y, self.s, strict=True):
            for a in range(k):
                g[a] += s * row[a] * y / self.S
                for b in range(k):
                    H[a][b] += s * row[a] * row[b] / self.S
        for a, j in enumerate(self.columns):
            H[a][a] += self.l2[j]
        return H, g

    def _conditions_hold(
        self, H: list[list[fmpq]], g: list[fmpq], pattern: tuple[int, ...]
    ) -> tuple[list[fmpq], fmpq] | None:
        q = len(self.columns)
        active = [a for a in range(q) if pattern[a]] + [q] * self.problem.intercept
        l1 = [self.l1[j] for j in self.columns]
        w = [fmpq(0)] * len(g)
        if active:
            A = fmpq_mat(len(active), len(active), [H[a][b] for a in active for b in active])
            right = [g[a] - (l1[a] * pattern[a] if a < q else 0) for a in active]
            try:
                solution = A.solve(fmpq_mat(len(active), 1, right))
            except ZeroDivisionError:
                return None  # dependent columns: another pattern has an optimum too
            for k, a in enumerate(active):
                w[a] = solution[k, 0]
        for a in range(q):
            u = g[a] - sum((H[a][b] * w[b] for b in range(len(w))), fmpq(0))  # at w_a = 0, l2 plays no part
            if pattern[a]:
                signed = self.problem.positive or l1[a] > 0
                if signed and w[a] * pattern[a] < 0:
                    return None
            elif u > l1[a] or (u < -l1[a] and not self.problem.positive):
                return None
        coef = [fmpq(0)] * self.problem.p
        for a, j in enumerate(self.columns):
            coef[j] = w[a]
        return coef, w[q] if self.problem.intercept else fmpq(0)


class _Guess:
    """Sign patterns, those that come closest in float64 first: an order, not a decision."""

    def __init__(self, H: list[list[fmpq]], g: list[fmpq], exact: ExactProblem) -> None:
        self.H = np.array([[_float(h) for h in row] for row in H]).reshape(len(g), len(g))
        self.g = np.array([_float(x) for x in g])
        self.l1 = np.array([_float(exact.l1[j]) for j in exact.columns])
        self.positive = exact.problem.positive
        self.q = len(exact.columns)

    def in_order(self) -> list[tuple[int, ...]]:
        signs = [(0, 1) if self.positive or l1 == 0 else (-1, 0, 1) for l1 in self.l1]
        return sorted(itertools.product(*signs), key=self._violation)

    def _violation(self, pattern: tuple[int, ...]) -> float:
        q, sign = self.q, np.array(pattern, dtype=float)
        active = np.append(sign != 0, np.ones(len(self.g) - q, dtype=bool))
        w = np.zeros(len(self.g))
        target = self.g - np.append(self.l1 * sign, np.zeros(len(self.g) - q))
        if active.any():
            w[active] = np.linalg.lstsq(self.H[np.ix_(active, active)], target[active], rcond=None)[0]
        u = (self.g - self.H @ w)[:q]
        size = np.sqrt(np.abs(np.diag(self.H)[:q])) + 1e-300
        wrong_sign = np.where((self.l1 > 0) | self.positive, np.maximum(-w[:q] * sign, 0) * size, 0.0)
        outside = np.where(sign == 0, np.maximum((u if self.positive else abs(u)) - self.l1, 0) / size, 0.0)
        # fewest coefficients first among equals: dependent columns are then met last
        return float(wrong_sign.sum() + outside.sum()) + 1e-12 * float(np.abs(sign).sum())


def _float(x: fmpq) -> float:
    return int(x.p) / int(x.q)


def fraction(x: fmpq) -> Fraction:
    """The same number as a Fraction."""
    return Fraction(int(x.p), int(x.q))
