"""Files that are not in the format, each with a right digest and a false claim somewhere in it.

Other spellings of numbers, names that occur twice or are not known, lists that are none, another encoding:
whatever might make two readers see two files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from random import Random

from ..proofs.export import seal
from .forgeries import Content, lower_bound

__all__ = ["MALFORMERS", "sealed"]

Malformer = Callable[[Content, Random], bytes]
MALFORMERS: dict[str, Malformer] = {}

SPELLINGS = (
    "nan", "inf", "-inf", "NaN", "Infinity", "1e-3", "1.5", "+1", " 1", "1 ", "1\n", "1_0", "", "-",
    "0x", "0x1p+0", "0X1.0P+0", "0x1.0p", "0x1.0p+99999", "0x1.8p-1075", "0x1.00000000000000001p+0",
    "0x2.0p+0", "0x1.0", "0x1.G000000000000p+0", "1/0", "1/-2", "1//2", "1/2/3", "1/2 ", "0b1",
    "\u0663", "\uff11", "1\u200b", "9" * 5000, "one", "\x00",
)  # fmt: skip
PLACES = ("y", "l1", "coef", "bound", "interval", "theta", "proof")


def malformer(make: Malformer) -> Malformer:
    """Register a way to be malformed."""
    MALFORMERS[make.__name__] = make
    return make


def sealed(body: bytes) -> bytes:
    """Return a file with this body, digest right."""
    return b'{"sha256": "' + hashlib.sha256(body).hexdigest().encode() + b'",\n' + body


def _body(c: Content) -> bytes:
    return seal(c).split(b"\n", 1)[1]


def put(c: Content, place: str, value: object, rng: Random) -> None:
    """Put a value where a number belongs."""
    claim, proof = c["claim"], c["proof"]
    where: dict[str, tuple[object, object]] = {
        "y": (c["problem"]["y"], rng.randrange(c["problem"]["n"])),
        "l1": (c["problem"], "l1"),
        "coef": (claim["coef"], rng.randrange(len(claim["coef"]))),
        "bound": (claim, "bound"),
        "interval": (rng.choice(claim["intervals"]), rng.randrange(2)),
        "theta": (proof["theta"], rng.randrange(len(proof["theta"]))),
        "proof": (proof["optimum"]["coef"] or proof["theta"], 0),
    }
    box, key = where[place]
    box[key] = value  # type: ignore[index]


@malformer
def other_spelling(c: Content, rng: Random) -> bytes:
    """A number that is not written as the format says."""
    put(c, rng.choice(PLACES), rng.choice(SPELLINGS), rng)
    return seal(c)


@malformer
def other_type(c: Content, rng: Random) -> bytes:
    """A number that is no string, or no number at all."""
    value = rng.choice(
        [0, 1, 0.5, True, None, [], ["1"], {}, {"1": "1"}, float("nan"), float("inf"), 10**400]
    )
    put(c, rng.choice([p for p in PLACES if p != "interval"]), value, rng)
    return seal(c)


@malformer
def name_twice(c: Content, rng: Random) -> bytes:
    """Two bounds, two lists of coefficients, two problems: readers take the first or the last."""
    lie = json.loads(json.dumps(c))
    lower_bound(lie, rng)
    name = rng.choice(["bound", "coef", "claim", "problem", "sha256", "l1"])
    body = _body(c)
    if name == "sha256":
        return sealed(b'"sha256":"' + b"0" * 64 + b'",' + body)
    value = {"claim": lie["claim"], "problem": lie["problem"] | {"l1": "1000"}, "l1": "1000"}.get(
        name, lie["claim"].get(name)
    )
    text = f'"{name}":{json.dumps(value)},'.encode()
    at = body.index(f'"{name}":'.encode())
    return sealed(body[:at] + text + body[at:])


@malformer
def name_unknown(c: Content, rng: Random) -> bytes:
    """A name that the format does not have, such as another matrix beside the first."""
    places = [c, c["problem"], c["claim"], c["proof"], c["proof"]["optimum"]]
    name = rng.choice(
        ["entries", "columns", "offset", "Bound", "bound ", "scale", "sample_weights", "comment"]
    )
    box = rng.choice(places)
    if name in box:
        name += "_"
    box[name] = [] if name in ("entries", "columns") else "0"
    return seal(c)


@malformer
def name_missing(c: Content, rng: Random) -> bytes:
    """A name that is not there."""
    box = rng.choice([c, c["problem"], c["claim"], c["proof"], c["proof"]["optimum"]])
    del box[rng.choice(list(box))]
    return seal(c)


@malformer
def other_size(c: Content, rng: Random) -> bytes:
    """A list cut short or too long; n or p that is not the data's; sizes beyond all memory."""
    lists = [
        c["problem"]["y"],
        c["claim"]["coef"],
        c["claim"]["intervals"],
        c["proof"]["theta"],
        c["proof"]["optimum"]["scale"],
        c["proof"]["optimum"]["inverse"],
        rng.choice(c["claim"]["intervals"]),
    ]
    if rng.random() < 0.5:
        name = rng.choice(["n", "p"])
        c["problem"][name] = rng.choice([0, -1, c["problem"][name] + 1, 10**9, 10**18, True, 1.0, "8", None])
        return seal(c)
    chosen = rng.choice([values for values in lists if values])
    if rng.random() < 0.5:
        chosen.pop()
    else:
        chosen.append(chosen[-1])
    return seal(c)


@malformer
def list_that_is_none(c: Content, rng: Random) -> bytes:
    """A string or an object whose members look like the list's."""
    p, n = c["problem"]["p"], c["problem"]["n"]
    made = {"penalty_weights": p, "sample_weight": n, "y": n}
    name = rng.choice(list(made))
    c["problem"][name] = rng.choice(["1" * made[name], {str(k): "1" for k in range(1, made[name] + 1)}])
    return seal(c)


@malformer
def negative_weight(c: Content, rng: Random) -> bytes:
    """Weights below zero, or all zero: (P) is not convex then, or nothing at all."""
    data = c["problem"]
    which = rng.choice(["sample_weight", "penalty_weights", "l1", "l2", "zero"])
    if which == "zero":
        data["sample_weight"] = ["0"] * data["n"]
    elif which in ("l1", "l2"):
        data[which] = rng.choice(["-1", "-1/1000000", "-0x0.0000000000001p-1022"])
    else:
        size = data["n"] if which == "sample_weight" else data["p"]
        data[which] = ["1"] * (size - 1) + [rng.choice(["-1", "-1/3", "-0x0.0000000000001p-1022"])]
    return seal(c)


@malformer
def support_in_disorder(c: Content, rng: Random) -> bytes:
    """A column of the support twice, out of order, out of range, a flag, or one that is left out of (P)."""
    proof, p = c["proof"]["optimum"], c["problem"]["p"]
    if len(proof["support"]) < 2:
        return negative_weight(c, rng)
    k = rng.randrange(1, len(proof["support"]))
    proof["support"][k] = rng.choice([proof["support"][k - 1], -1, p + 1, True, 0.5, "1", None, 10**30])
    return seal(c)


@malformer
def other_encoding(c: Content, rng: Random) -> bytes:
    """Another text encoding, a byte order mark, bytes after the end, a digest in capitals."""
    body = _body(c)
    way = rng.choice(
        ["utf-16", "bom", "after", "two", "capitals", "not utf-8", "surrogate", "comment", "deep"]
    )
    if way == "utf-16":
        return sealed(b"\x00" + body.decode().encode("utf-16-le"))
    if way == "bom":
        return b"\xef\xbb\xbf" + sealed(body)
    if way == "after":
        return sealed(body + rng.choice([b"}", b"{}", b"\x00", b"]"]))
    if way == "two":
        return sealed(body + b"\n" + sealed(body))
    if way == "capitals":
        head, rest = sealed(body).split(b"\n", 1)
        return head.upper().replace(b"SHA256", b"sha256") + b"\n" + rest
    if way == "not utf-8":
        return sealed(body.replace(b'"name":"', b'"name":"\xff', 1))
    if way == "surrogate":
        return sealed(body.replace(b'"name":"', b'"name":"\xed\xa0\x80', 1))
    if way == "comment":
        return sealed(b"/* */" + body)
    return sealed(body.replace(b'"name":', b'"name":' + b"[" * 100_000, 1))


@malformer
def other_format(c: Content, rng: Random) -> bytes:
    """Another version of the format, or other things in the place of objects."""
    way = rng.choice(["format", "claim", "proof", "problem", "optimum", "flags"])
    if way == "format":
        c["format"] = rng.choice(["l1l2 certificate 2", "", None, ["l1l2 certificate 1"]])
    elif way == "optimum":
        c["proof"]["optimum"] = rng.choice([None, [], {}, "support"])
    elif way == "flags":
        c["problem"][rng.choice(["intercept", "positive"])] = rng.choice([0, 1, None, "true", []])
    else:
        c[way] = rng.choice([None, [], "x", 1, [list(item) for item in c[way].items()]])
    return seal(c)
