"""Check a certificate file with nothing but Python's standard library: ``python checker.py FILE``.

The format, (P) and the proofs stand in docs/proofs.md; all arithmetic is exact. A feasible dual point bounds
the suboptimality. Coefficients on a support and an approximate inverse of its matrix prove the only optimum.
"""

import hashlib
import json
import math
import re
import sys
from fractions import Fraction as Q
from functools import partial
from operator import mul
from pathlib import Path
from typing import Any

both = partial(zip, strict=True)
FORMAT = "l1l2 certificate 1"
HEAD = re.compile(rb'\{"sha256": "([0-9a-f]{64})",\n')
NUMBER = re.compile(r"-?0x[01]\.[0-9a-f]+p[+-][0-9]+|-?[0-9]+(/[1-9][0-9]*)?")
DATA = "n p intercept positive l1 l2 y sample_weight penalty_weights "


class Rejected(Exception):
    """The file proves nothing, or not what it claims."""


def need(true: Any, what: str) -> None:
    """Reject the file unless it is so."""
    if not true:
        raise Rejected(what)


def typed(kind: type, *values: Any) -> None:
    """Reject values of another type."""
    need(all(type(x) is kind for x in values), f"another type than {kind.__name__}")


def fields(d: Any, names: str) -> list[Any]:
    """Return the values of these names; with others, or one twice, two readers might see two files."""
    need(type(d) is tuple and sorted(k for k, _ in d) == sorted(names.split()), f"names expected: {names}")
    return [dict(d)[name] for name in names.split()]


def number(t: Any, what: str) -> Q:
    """Return the fraction that is written as float.hex() writes it, or as "a/b"."""
    need(isinstance(t, str) and NUMBER.fullmatch(t), f"{what}: not a number: {t!r:.40}")
    need("x" not in t or float.fromhex(t).hex() == t, f"{what}: not a float: {t:.40}")  # nor near to one
    return Q(float.fromhex(t)) if "x" in t else Q(t)


def numbers(texts: Any, size: int, what: str) -> list[Q]:
    """Return that many fractions."""
    need(isinstance(texts, list) and len(texts) == size, f"{what}: {size} numbers expected")
    return [number(t, what) for t in texts]


class Row:
    """A vector of fractions as integers over one denominator; a sparse one at the places `at`."""

    def __init__(self, values: list[Any], den: int = 0, at: list[int] | None = None) -> None:
        self.den, self.at = den or math.lcm(*(x.denominator for x in values)), at
        self.num = values if den else [x.numerator * (self.den // x.denominator) for x in values]

    def dot(self, other: "Row") -> Q:
        """Return the inner product with a vector that is not sparse."""
        num = other.num if self.at is None else [other.num[i] for i in self.at]
        return Q(sum(map(mul, self.num, num)), self.den * other.den)

    def plus(self, terms: list[tuple["Row", Q]]) -> "Row":
        """Return self + sum of factor * vector; self is not sparse."""
        den = math.lcm(self.den, *(c.den * factor.denominator for c, factor in terms))
        num = [den // self.den * x for x in self.num]
        for c, factor in terms:
            times = factor.numerator * (den // (c.den * factor.denominator))
            for i, x in both(range(len(num)) if c.at is None else c.at, c.num):
                num[i] += times * x
        return Row(num, den)


class Problem:
    """(P): columns x_j (the constant last, if b is free), s, S, y, l1_j, l2_j; signed: w_j >= 0."""

    def __init__(self, d: tuple[tuple[str, Any], ...], most: int = 2**40) -> None:
        how = "columns" if "columns" in dict(d) else "entries"
        n, p, b, positive, l1, l2, y, s, v, X = fields(d, DATA + how)
        typed(int, n, p)
        need(0 < min(n, p) <= max(n, p) <= most, "n, p: no sizes")
        v = ["1"] * p if v is None else v
        typed(bool, b, positive)
        typed(list, v, X)
        weights = [Q(1)] * n if s is None else numbers(s, n, "sample_weight")
        self.s, self.S, self.y, self.n = Row(weights), sum(weights), Row(numbers(y, n, "y")), n
        self.live = {j for j in range(p + b) if j == p or v[j] != "inf"}  # elsewhere w_j = 0
        factors = numbers(["0" if x == "inf" else x for x in v], p, "penalty_weights") + [Q(0)] * b
        l1, l2 = numbers([l1, l2], 2, "l1, l2")
        need(min(l1, l2, *factors, *weights) >= 0 < self.S, "weights, penalties: not negative, not all zero")
        self.l1, self.l2 = [l1 * x for x in factors], [l2 * x for x in factors]
        self.signed, self.zero = [positive] * p + [False] * b, Row([0] * n, 1)
        found: list[dict[int, Q]] = [{} for _ in range(p)]  # row -> x_ij
        for j, c in both(range(p), X) if how == "columns" else []:
            found[j] = dict(enumerate(numbers(c, n, f"column {j}")))
        for i, j, x in X if how == "entries" else []:
            typed(int, i, j)
            need(0 <= i < n and 0 <= j < p and i not in found[j], f"entry ({i}, {j}): outside, or twice")
            found[j][i] = number(x, "entries")
        self.columns = [Row(list(c.values()), 0, list(c)) for c in found] + [Row([Q(1)] * n)] * b

    def weighted(self, r: Row) -> Row:
        """Return s_i r_i, r not sparse."""
        return Row(list(map(mul, self.s.num, r.num)), self.s.den * r.den)

    def primal(self, at: dict[int, Q]) -> Q:
        """Return P(w, b)."""
        for j, w in at.items():
            need(j in self.live and (w >= 0 or not self.signed[j]), f"coefficient {j} breaks a constraint")
        r = self.y.plus([(self.columns[j], -w) for j, w in at.items()])
        penalty = sum(self.l1[j] * abs(w) + self.l2[j] * w * w / 2 for j, w in at.items())
        return r.dot(self.weighted(r)) / (2 * self.S) + penalty

    def dual(self, theta: Row) -> Q:
        """Return D(theta) <= P*, its constraints found to hold."""
        weighted = self.weighted(theta)
        value = self.y.dot(weighted) / self.S - theta.dot(weighted) / (2 * self.S)
        for j in self.live:
            u = self.columns[j].dot(weighted) / self.S
            excess = (u if self.signed[j] else abs(u)) - self.l1[j]
            if excess > 0:
                need(self.l2[j] > 0, f"theta is not feasible: column {j}")
                value -= excess**2 / (2 * self.l2[j])
        return value


def check_intervals(problem: Problem, intervals: Any, optimum: Any) -> None:
    """Prove the only optimum, and that the claimed intervals contain it."""
    support, w, scale, inverse = fields(optimum, "support coef scale inverse")
    columns, S, l1, signed, k = problem.columns, problem.S, problem.l1, problem.signed, len(support)
    typed(int, *support, *scale)
    need(sorted({*support} & problem.live) == support, "support: columns in order expected")
    need(len(scale) == len(inverse) == k and all(abs(e) < 9999 for e in scale), "scale, inverse: no size")
    w, scale = numbers(w, k, "coef"), [Q(2) ** e for e in scale]
    M = [Row(numbers(row, k, "inverse")) for row in inverse]
    H = []  # its rows, which are its columns
    for j, b in both(support, scale):
        c = problem.weighted(problem.zero.plus([(columns[j], b)]))
        d = S * problem.l2[j] * b
        H.append(Row([(columns[i].dot(c) + d * (i == j)) * a for i, a in both(support, scale)]))
    off = max([Q(0), *(sum(abs((i == c) - m.dot(h)) for c, h in enumerate(H)) for i, m in enumerate(M))])
    need(off < 1, "the inverse is not one")
    r = problem.weighted(problem.y.plus([(columns[j], -x) for j, x in both(support, w)]))
    penalty = [l1[j] * ((x > 0) - (x < 0)) + problem.l2[j] * x for j, x in both(support, w)]
    rho = Row([(columns[j].dot(r) - S * g) * a for j, g, a in both(support, penalty, scale)])
    error = max((abs(m.dot(rho)) for m in M), default=Q(0)) / (1 - off)  # of w_j / scale_j
    reach = [error * a for a in scale]
    signs = [x > e if signed[j] else l1[j] == 0 or abs(x) > e for j, x, e in both(support, w, reach)]
    need(all(signs), "a sign on the support is not proven")
    sizes = [Row(list(map(abs, c.num)), c.den, c.at) for c in columns]
    moved = problem.weighted(problem.zero.plus([(sizes[j], e) for j, e in both(support, reach)]))
    for j in problem.live - set(support):
        u = columns[j].dot(r)
        most = (u if signed[j] else abs(u)) + sizes[j].dot(moved)  # within `moved` of the exact residual
        need(most < S * l1[j], f"coefficient {j} is not proven to be zero")
    found = dict(both(support, both(w, reach)))
    need(len(intervals) == len(columns), "intervals: one a coefficient, b last")
    for j, interval in enumerate(intervals):
        (low, high), (x, e) = numbers(interval, 2, "interval"), found.get(j, (Q(0), Q(0)))
        need(low <= x - e and x + e <= high, f"interval {j} does not contain the proven one")


def check(raw: bytes) -> str:
    """Return what the file's bytes prove, in words; raise Rejected otherwise."""
    head: Any = HEAD.match(raw)
    need(head and hashlib.sha256(raw[head.end() :]).hexdigest() == head[1].decode(), "wrong digest")
    try:
        content = json.loads(raw.decode(), object_pairs_hook=tuple)  # an object: pairs
        _, form, _, data, claim, proof = fields(content, "sha256 format name problem claim proof")
        need(form == FORMAT, f"not a {FORMAT}")
        coef, text, intervals = fields(claim, "coef bound intervals")
        theta, *optimum = fields(proof, "theta" if intervals is None else "theta optimum")
        problem = Problem(data, len(raw))
        w = numbers(coef, len(problem.columns), "claim.coef (b last)")
        bound, dual = number(text, "bound"), problem.dual(Row(numbers(theta, problem.n, "theta")))
        gap = problem.primal({j: x for j, x in enumerate(w) if x}) - dual
        need(gap <= bound, "the bound is not proven: the gap of theta exceeds it")
        words = f"proven: at most {text} (about {float(bound):.3g}) above the"
        if intervals is None:
            return f"{words} optimum"
        check_intervals(problem, intervals, optimum[0])
        return f"{words} only optimum, every coefficient in its interval"
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Rejected(f"not in the format: {type(error).__name__}: {error}") from error


if __name__ == "__main__":
    try:
        print(check(Path(sys.argv[1]).read_bytes()))
    except Rejected as reason:
        sys.exit(f"rejected: {reason}")
