"""Check a certificate file with nothing but Python's standard library: ``python checker.py FILE``.

The format and (P) stand in docs/proofs.md. Nothing is trusted but the data; all arithmetic is exact:

1. the digest of the bytes;
2. the bound: P(w, b) of the claimed coefficients less D(theta) of a dual point found to be feasible is at
   least the suboptimality, by weak duality; it must not exceed the claimed bound;
3. the intervals, if claimed: with coefficients on a support and an approximate inverse M of its matrix H,
   e = ||I - M H|| < 1 proves H regular and its exact solution within ||M rho|| / (1 - e) of them (rho: their
   residual). Signs, and |u_j| < l1_j elsewhere, that hold so far away prove it the only optimum.
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


class Rejected(Exception):
    """The file proves nothing, or not what it claims."""


def need(true: Any, what: str) -> None:
    """Reject the file unless it is so."""
    if not true:
        raise Rejected(what)


def numbers(texts: Any, size: int, what: str) -> list[Q]:
    """Return that many fractions, each from float.hex() or from "a/b"."""
    need(isinstance(texts, list) and len(texts) == size, f"{what}: {size} numbers expected")
    for t in texts:
        need(isinstance(t, str) and NUMBER.fullmatch(t) is not None, f"{what}: not a number: {t!r:.40}")
    return [Q(float.fromhex(t)) if "x" in t else Q(t) for t in texts]


class Row:
    """A vector of fractions as integers over one denominator, so that products are quick."""

    def __init__(self, values: list[Any], den: int = 0) -> None:
        self.den = den or math.lcm(*(x.denominator for x in values))
        self.num = values if den else [x.numerator * (self.den // x.denominator) for x in values]

    def dot(self, other: "Row") -> Q:
        """Return the inner product."""
        return Q(sum(map(mul, self.num, other.num)), self.den * other.den)

    def plus(self, other: "Row", factor: Q) -> "Row":
        """Return self + factor * other."""
        den = math.lcm(self.den, other.den * factor.denominator)
        a, b = den // self.den, factor.numerator * (den // (other.den * factor.denominator))
        return Row([a * x + b * y for x, y in both(self.num, other.num)], den)


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that occurs twice: two readers might see two files."""
    need(len({k for k, _ in pairs}) == len(pairs), "a name occurs twice")
    return dict(pairs)


class Problem:
    """(P): columns x_j (the constant last, if b is free), s, S, y, l1_j, l2_j; signed: w_j >= 0."""

    def __init__(self, d: dict[str, Any]) -> None:
        n, p, b = d["n"], d["p"], d["intercept"]
        need(type(n) is int and type(p) is int and min(n, p) >= 1, "n, p: positive integers expected")
        need(type(b) is bool and type(d["positive"]) is bool, "flags: true or false expected")
        s, v = d["sample_weight"], d["penalty_weights"]
        weights = [Q(1)] * n if s is None else numbers(s, n, "sample_weight")
        self.s, self.S, self.y, self.n = Row(weights), sum(weights), Row(numbers(d["y"], n, "y")), n
        need(min(weights) >= 0 and self.S > 0, "sample_weight: not negative, not all zero")
        v = ["1"] * p if v is None else v
        self.fixed = [x == "inf" for x in v] + [False] * b  # w_j = 0
        factors = numbers(["0" if x == "inf" else x for x in v], p, "penalty_weights") + [Q(0)] * b
        l1, l2 = numbers([d["l1"], d["l2"]], 2, "l1, l2")
        need(min(l1, l2, *factors) >= 0, "penalties: not negative")
        self.l1, self.l2 = [l1 * x for x in factors], [l2 * x for x in factors]
        self.signed = [d["positive"]] * p + [False] * b
        if "columns" in d:
            need(len(d["columns"]) == p, "columns: p expected")
            X = [numbers(c, n, f"column {j}") for j, c in enumerate(d["columns"])]
        else:
            X, seen = [[Q(0)] * n for _ in range(p)], set()
            for i, j, x in d["entries"]:
                need(type(i) is int and type(j) is int and 0 <= i < n and 0 <= j < p, "entries: outside")
                need((i, j) not in seen, f"entry ({i}, {j}) occurs twice")
                seen.add((i, j))
                X[j][i] = numbers([x], 1, "entries")[0]
        self.columns = [Row(c) for c in X] + [Row([Q(1)] * n)] * b
        self.live = [j for j in range(p + b) if not self.fixed[j]]

    def weighted(self, r: Row) -> Row:
        """Return s_i r_i."""
        return Row(list(map(mul, self.s.num, r.num)), self.s.den * r.den)

    def residual(self, at: dict[int, Q]) -> Row:
        """Return y - sum_j x_j w_j."""
        r = self.y
        for j, w in at.items():
            r = r.plus(self.columns[j], -w)
        return r

    def primal(self, at: dict[int, Q]) -> Q:
        """Return P(w, b)."""
        for j, w in at.items():
            need(not self.fixed[j] and not (self.signed[j] and w < 0), f"coefficient {j} breaks a constraint")
        r = self.residual(at)
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


def check_intervals(problem: Problem, intervals: list[Any], proof: dict[str, Any]) -> None:
    """Prove the only optimum, and that the claimed intervals contain it."""
    columns, S, l1, signed = problem.columns, problem.S, problem.l1, problem.signed
    support, k = proof["support"], len(proof["support"])
    need(sorted(set(support)) == support and set(support) <= set(problem.live), "support: columns in order")
    need(len(proof["scale"]) == k and all(type(e) is int and abs(e) < 9999 for e in proof["scale"]), "scale")
    scale, w = [Q(2) ** e for e in proof["scale"]], numbers(proof["coef"], k, "coef")
    M = [Row(numbers(proof["inverse"][i], k, "inverse")) for i in range(k)]
    weighted = [problem.weighted(columns[j]) for j in support]
    H = [[columns[i].dot(c) * a * b for i, a in both(support, scale)] for c, b in both(weighted, scale)]
    for i, j in enumerate(support):
        H[i][i] += S * problem.l2[j] * scale[i] ** 2
    rows = list(map(Row, H))  # H is symmetric: these are its columns too
    off = max([Q(0), *(sum(abs((i == c) - m.dot(h)) for c, h in enumerate(rows)) for i, m in enumerate(M))])
    need(off < 1, "the inverse is not one")
    free = [l1[j] == 0 and not signed[j] for j in support]
    sign = [0 if f else (x > 0) - (x < 0) for f, x in both(free, w)]
    r = problem.weighted(problem.residual(dict(both(support, w))))
    slope = [columns[j].dot(r) - S * (l1[j] * g + problem.l2[j] * x) for j, g, x in both(support, sign, w)]
    rho = Row([g * a for g, a in both(slope, scale)])
    error = max((abs(m.dot(rho)) for m in M), default=Q(0)) / (1 - off)  # of w_j / scale_j
    reach = [error * a for a in scale]
    need(all(f or abs(x) > e for f, x, e in both(free, w, reach)), "a sign on the support is not proven")
    need(all(x > 0 or not signed[j] for j, x in both(support, w)), "a coefficient is negative")
    sizes = [Row(list(map(abs, c.num)), c.den) for c in columns]
    moved = Row([Q(0)] * problem.n)  # s times the residual, at most
    for j, e in both(support, reach):
        moved = moved.plus(problem.weighted(sizes[j]), e)
    for j in set(problem.live) - set(support):
        u = columns[j].dot(r)
        most = (u if signed[j] else abs(u)) + sizes[j].dot(moved)
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
        content = json.loads(b"{" + raw[head.end() :], object_pairs_hook=unique_keys)
        need(content["format"] == FORMAT, f"not a {FORMAT}")
        problem, claim, proof = Problem(content["problem"]), content["claim"], content["proof"]
        w = numbers(claim["coef"], len(problem.columns), "claim.coef (b last)")
        bound, theta = numbers([claim["bound"]], 1, "bound")[0], numbers(proof["theta"], problem.n, "theta")
        gap = problem.primal({j: x for j, x in enumerate(w) if x}) - problem.dual(Row(theta))
        need(gap <= bound, "the bound is not proven: the gap of theta exceeds it")
        if claim["intervals"] is None:
            return f"proven: at most {float(bound):.6g} above the optimum"
        check_intervals(problem, claim["intervals"], proof["optimum"])
        return f"proven: at most {float(bound):.6g} above the only optimum, every coefficient in its interval"
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        raise Rejected(f"not in the format: {type(error).__name__}: {error}") from error


if __name__ == "__main__":
    try:
        print(check(Path(sys.argv[1]).read_bytes()))
    except Rejected as reason:
        sys.exit(f"rejected: {reason}")
