"""Ways to forge a certificate file: each takes an honest content and makes a false claim of it.

What a forger says is not believed: `oracle.falsehoods` tells which claims are false.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any

from .oracle import read_number

__all__ = ["FORGERS", "Content"]

Content = dict[str, Any]
Forger = Callable[[Content, Random], None]
FORGERS: dict[str, Forger] = {}

DENORMAL = "0x0.0000000000001p-1022"
FACTORS = (-1, 0, Fraction(1, 2), 1 - Fraction(1, 10**6), 1 - Fraction(1, 10**12), 1 - Fraction(1, 2**52))


def forger(forge: Forger) -> Forger:
    """Register a way to forge."""
    FORGERS[forge.__name__] = forge
    return forge


def written(x: Fraction, rng: Random) -> str:
    """A number as one of the two spellings that the format has."""
    value = x.numerator / x.denominator if x else 0.0
    return value.hex() if Fraction(value) == x and rng.random() < 0.5 else str(x)


def moved(text: str, rng: Random) -> str:
    """Another number: a little, a lot, the other sign, the next float, a denormal one."""
    x = read_number(text)
    size = abs(x) or Fraction(1)
    by = rng.choice([Fraction(1, 10**12), Fraction(1, 10**6), Fraction(1, 100), Fraction(1), Fraction(1000)])
    way = rng.choice(["add", "add", "sign", "next", "denormal", "zero"])
    if way == "sign" and x:
        return written(-x, rng)
    if way == "next":
        return math.nextafter(x.numerator / x.denominator, rng.choice([math.inf, -math.inf])).hex()
    if way == "denormal":
        return DENORMAL if rng.random() < 0.5 else f"-{DENORMAL}"
    if way == "zero" and x:
        return "0"
    return written(x + size * by * rng.choice([1, -1]), rng)


def swapped(values: list[Any], rng: Random) -> None:
    """Exchange two entries."""
    i, j = rng.randrange(len(values)), rng.randrange(len(values))
    values[i], values[j] = values[j], values[i]


# ---- the claim ---------------------------------------------------------------------------------------------


@forger
def lower_bound(c: Content, rng: Random) -> None:
    """Less than is proven: by much, by a millionth, by the last digit; negative; denormal."""
    bound = read_number(c["claim"]["bound"])
    made = [*(bound * factor for factor in FACTORS), Fraction(5e-324), Fraction(1, 10**4000)]
    c["claim"]["bound"] = written(rng.choice(made), rng)


@forger
def bound_between_floats(c: Content, rng: Random) -> None:
    """Written with more digits than a float has: it is less than the float that it is near to."""
    bound = float(read_number(c["claim"]["bound"]))
    below = Fraction(bound) - Fraction(math.ulp(bound)) * Fraction(rng.randint(1, 7), 16)
    mantissa, exponent = below, 0
    while mantissa < 1:
        mantissa, exponent = mantissa * 2, exponent - 1
    while mantissa >= 2:
        mantissa, exponent = mantissa / 2, exponent + 1
    digits = int((mantissa - 1) * 16**18)
    c["claim"]["bound"] = f"0x1.{digits:018x}p{exponent:+d}"


@forger
def other_coefficient(c: Content, rng: Random) -> None:
    """One coefficient moved, the bound as it was."""
    coef = c["claim"]["coef"]
    for _ in range(rng.choice([1, 1, 3])):
        j = rng.randrange(len(coef))
        coef[j] = moved(coef[j], rng)


@forger
def swapped_coefficients(c: Content, rng: Random) -> None:
    """Two coefficients exchanged."""
    swapped(c["claim"]["coef"], rng)


@forger
def shrunk_coefficients(c: Content, rng: Random) -> None:
    """Right support, values shrunk."""
    factor = rng.choice(
        [Fraction(1, 2), Fraction(99, 100), 1 - Fraction(1, 10**6), Fraction(0), Fraction(-1)]
    )
    c["claim"]["coef"] = [str(read_number(x) * factor) for x in c["claim"]["coef"]]


@forger
def shifted_interval(c: Content, rng: Random) -> None:
    """Beside the true coefficient, by its own width or by a lot."""
    intervals = c["claim"]["intervals"]
    j = rng.randrange(len(intervals))
    low, high = (read_number(x) for x in intervals[j])
    width = (high - low) or Fraction(1, 2**60)
    shift = rng.choice([1, 2, 10**6, 10**12]) * width * rng.choice([1, -1])
    intervals[j] = [written(low + shift, rng), written(high + shift, rng)]


@forger
def empty_interval(c: Content, rng: Random) -> None:
    """One end moved past the truth, or the two ends exchanged."""
    intervals = c["claim"]["intervals"]
    j = rng.randrange(len(intervals))
    if rng.random() < 0.3:
        intervals[j].reverse()
    else:
        k = rng.randrange(2)
        intervals[j][k] = moved(intervals[j][k], rng)


@forger
def swapped_intervals(c: Content, rng: Random) -> None:
    """Two intervals exchanged."""
    swapped(c["claim"]["intervals"], rng)


@forger
def zero_interval(c: Content, rng: Random) -> None:
    """A coefficient that is not zero is said to be."""
    intervals = c["claim"]["intervals"]
    intervals[rng.randrange(len(intervals))] = ["0", "0"]


# ---- the dual point ----------------------------------------------------------------------------------------


def cheat(c: Content) -> None:
    """Claim what D(theta) would prove if theta were feasible."""
    data = c["problem"]
    y, theta = ([read_number(x) for x in v] for v in (data["y"], c["proof"]["theta"]))
    s = [read_number(x) for x in data["sample_weight"] or ["1"] * len(y)]
    gain = sum((a * (2 * u * t - t * t) for a, u, t in zip(s, y, theta, strict=True)), Fraction(0))
    total = sum((a * u * u for a, u in zip(s, y, strict=True)), Fraction(0))
    c["claim"]["bound"] = str(max((total - gain) / (2 * sum(s)), Fraction(0)) * Fraction(1, 10**6))


@forger
def longer_theta(c: Content, rng: Random) -> None:
    """Scaled beyond its constraints."""
    factor = 1 + rng.choice([Fraction(1, 2**40), Fraction(1, 2**20), Fraction(1, 10), Fraction(10)])
    c["proof"]["theta"] = [str(read_number(t) * factor) for t in c["proof"]["theta"]]
    cheat(c)


@forger
def other_theta(c: Content, rng: Random) -> None:
    """One entry changed, two exchanged, or all of the other sign."""
    theta = c["proof"]["theta"]
    way = rng.choice(["entry", "swap", "sign", "residual"])
    if way == "entry":
        i = rng.randrange(len(theta))
        theta[i] = moved(theta[i], rng)
    elif way == "swap":
        swapped(theta, rng)
    elif way == "sign":
        c["proof"]["theta"] = [str(-read_number(t)) for t in theta]
    else:
        c["proof"]["theta"] = list(c["problem"]["y"])
    if rng.random() < 0.7:
        cheat(c)


# ---- the data ----------------------------------------------------------------------------------------------


@forger
def other_response(c: Content, rng: Random) -> None:
    """Another y under the old claims."""
    y = c["problem"]["y"]
    if rng.random() < 0.3:
        swapped(y, rng)
    i = rng.randrange(len(y))
    y[i] = moved(y[i], rng)


@forger
def other_matrix(c: Content, rng: Random) -> None:
    """An entry of X changed, two columns exchanged, or one scaled."""
    data = c["problem"]
    if "entries" in data:
        entry = rng.choice(data["entries"])
        entry[2] = moved(entry[2], rng)
        return
    way = rng.choice(["entry", "swap", "scale"])
    j = rng.randrange(len(data["columns"]))
    if way == "swap":
        swapped(data["columns"], rng)
    elif way == "scale":
        data["columns"][j] = [str(2 * read_number(x)) for x in data["columns"][j]]
    else:
        i = rng.randrange(data["n"])
        data["columns"][j][i] = moved(data["columns"][j][i], rng)


@forger
def other_penalty(c: Content, rng: Random) -> None:
    """Another l1 or l2, or weights of the penalty that were not there."""
    data = c["problem"]
    name = rng.choice(["l1", "l2", "penalty_weights"])
    if name == "penalty_weights":
        v = data[name] or ["1"] * data["p"]
        v[rng.randrange(len(v))] = rng.choice(["inf", "0", "1/2", "1000", DENORMAL])
        data[name] = v
    else:
        data[name] = moved(data[name], rng).lstrip("-")


@forger
def other_weights(c: Content, rng: Random) -> None:
    """Sample weights changed, or made up."""
    data = c["problem"]
    s = data["sample_weight"] or ["1"] * data["n"]
    s[rng.randrange(len(s))] = rng.choice(["0", "2", "1000", "1/3", DENORMAL])
    data["sample_weight"] = s


@forger
def other_flags(c: Content, rng: Random) -> None:
    """An intercept that is not there, or w >= 0 where it is not asked, and the other way round."""
    data = c["problem"]
    if rng.random() < 0.5:
        data["positive"] = not data["positive"]
        return
    data["intercept"] = not data["intercept"]
    for values, more in ((c["claim"]["coef"], "0"), (c["claim"]["intervals"], ["0", "0"])):
        if data["intercept"]:
            values.append(more)
        else:
            values.pop()
    support = c["proof"]["optimum"]["support"]
    if not data["intercept"] and support and support[-1] == data["p"]:
        _without(c["proof"]["optimum"], len(support) - 1)


# ---- the proof of the intervals ----------------------------------------------------------------------------


def _without(proof: dict[str, Any], k: int) -> int:
    """Take the k-th coefficient out of a proof; return its column."""
    column: int = proof["support"].pop(k)
    for name in ("coef", "scale", "inverse"):
        proof[name].pop(k)
    for row in proof["inverse"]:
        row.pop(k)
    return column


@forger
def smaller_support(c: Content, rng: Random) -> None:
    """A coefficient left out of the proof and said to be zero."""
    proof = c["proof"]["optimum"]
    if proof["support"]:
        j = _without(proof, rng.randrange(len(proof["support"])))
        c["claim"]["intervals"][j] = ["0", "0"]


@forger
def shifted_solution(c: Content, rng: Random) -> None:
    """The coefficients of the proof moved, the intervals with them, and any inverse."""
    proof, intervals = c["proof"]["optimum"], c["claim"]["intervals"]
    if not proof["support"]:
        return lower_bound(c, rng)
    k = rng.randrange(len(proof["support"]))
    x = read_number(proof["coef"][k])
    way = rng.choice([Fraction(1, 10**9), Fraction(1, 100), Fraction(-2)])
    proof["coef"][k] = str(x * (1 + way))
    low, high = (read_number(end) + x * way for end in intervals[proof["support"][k]])
    intervals[proof["support"][k]] = [str(low), str(high)]
    size = len(proof["support"])
    made = rng.choice(["as it is", "zero", "identity", "small", "halved"])
    if made == "zero":
        proof["inverse"] = [["0"] * size for _ in range(size)]
    elif made == "identity":
        proof["inverse"] = [["1" if i == j else "0" for j in range(size)] for i in range(size)]
    elif made == "small":
        proof["inverse"] = [[DENORMAL] * size for _ in range(size)]
    elif made == "halved":
        proof["inverse"] = [[str(read_number(x) / 2) for x in row] for row in proof["inverse"]]
    if rng.random() < 0.3:
        proof["scale"] = [rng.choice([-9998, -200, 200, 9998])] * size
    return None
