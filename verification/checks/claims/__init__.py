"""What people say about L1 and L2, each saying tested on data: one decorated function for each claim.

    @claim("L2 zeroes no weight", "L2 不會讓任何權重變成 0")
    def l2_zeroes_none() -> Finding: ...

The claims are those of the study note that the project grew out of. A finding's verdict stands only while all
of its tests pass; every coefficient in it comes from ``certified``, which accepts no answer without a proof.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers import Problem, Stop, solve
from verification.problems import Data, lookup
from verification.proofs import Certificate, certify

__all__ = ["Claim", "Finding", "Text", "Verdict", "certified", "claim", "claims", "data"]

Vector = NDArray[np.float64]

# The order of the page, whatever the order of import; a test notices a module that is not listed.
MODULES = ("definitions", "zeros", "shrinkage", "geometry", "selection", "dimension", "fitting", "errors")
PROVEN = 1e-8  # relative gap, docs/maths.md (N): at most 0.01 % of the null residual in the fit


class Text(NamedTuple):
    """The same words in English and in Traditional Chinese."""

    en: str
    zh: str


class Verdict(Enum):
    """What came of a claim. The value is what the page says."""

    HOLDS = Text("holds", "成立")
    HOLDS_IF = Text("holds if", "有條件成立")
    MISLEADING = Text("misleading", "容易誤導")
    REFUTED = Text("refuted: the data do not support this page", "資料不支持本頁的結論")


@dataclass(frozen=True)
class Finding:
    """What the data say about a claim.

    Attributes
    ----------
    verdict : Verdict
        Of the claim as the note words it.
    because : Text
        Completes the verdict: the condition, or the counter-example.
    evidence : Text
        What was computed, for a beginner; Markdown.
    tests : dict
        What must be true of the data for the verdict to stand.
    draw : callable
        draw(figure, say) draws the figure; say(en, zh) is the label in the page's language.
    size : tuple of float
        Width and height in inches.
    """

    verdict: Verdict
    because: Text
    evidence: Text
    tests: dict[str, bool]
    draw: Callable[[Any, Callable[[str, str], str]], None]
    size: tuple[float, float] = (6.4, 2.9)

    @property
    def stands(self) -> Verdict:
        """The verdict, or REFUTED if a test fails."""
        return self.verdict if all(self.tests.values()) else Verdict.REFUTED


@dataclass(frozen=True)
class Claim:
    """A saying, in both languages, and the function that tests it."""

    name: str
    says: Text
    test: Callable[[], Finding] = field(repr=False)


_REGISTRY: dict[str, Claim] = {}
_CERTIFIED: list[float] = []


def claim(en: str, zh: str) -> Callable[[Callable[[], Finding]], Claim]:
    """Register a function without arguments as the test of a claim of the note."""

    def register(test: Callable[[], Finding]) -> Claim:
        name = test.__name__
        if name in _REGISTRY and _REGISTRY[name].test.__module__ != test.__module__:
            raise ValueError(f"two claims are named {name!r}")
        _REGISTRY[name] = Claim(name, Text(en, zh), test)
        return _REGISTRY[name]

    return register


@cache
def claims() -> dict[str, Claim]:
    """Return every claim by name, in the order of the page."""
    for module in MODULES:
        importlib.import_module(f"{__name__}.{module}")
    place = {f"{__name__}.{module}": k for k, module in enumerate(MODULES)}
    return {c.name: c for c in sorted(_REGISTRY.values(), key=lambda c: place[c.test.__module__])}  # stable


@dataclass(frozen=True)
class Answer:
    """Coefficients with the proof that they are optimal, and the objective there."""

    coef: Vector
    intercept: float
    certificate: Certificate

    @property
    def zeros(self) -> int:
        """Number of coefficients that are exactly 0.0."""
        return int(np.count_nonzero(self.coef == 0.0))


def certified(problem: Problem) -> Answer:
    """Solve, and prove the answer to a relative gap of PROVEN.

    Raises
    ------
    AssertionError
        If the proof fails: no claim is judged by an answer of unknown quality.
    """
    found = solve(problem, stop=Stop(tol=1e-12))
    proof = certify(problem, found.coef, found.intercept)
    if proof.gap is None or proof.radius is None or proof.gap + proof.radius > PROVEN * proof.scale:
        raise AssertionError(f"{problem!r}: not proven optimal, {proof.gap_rel} {proof.reason}")
    _CERTIFIED.append(proof.gap_rel or 0.0)
    return Answer(found.coef, found.intercept, proof)


def count_certified() -> int:
    """Return how many answers have been proven since the process began."""
    return len(_CERTIFIED)


def data(name: str) -> Data:
    """Return a case's data; CaseMissing says which package to install."""
    return lookup(name).load()
