"""Problems for the checks: the same code draws them for a fixed, seeded list and for hypothesis.

What is drawn is small and tame on purpose: the columns in use are far from dependent, so that an answer to
the tolerance is no feat of any method, and everything is a multiple of a power of two, so that multiplying,
centring or repeating it is exact. What is awkward is added by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol, TypeVar
from zlib import crc32

import numpy as np
import scipy.sparse as sp

from solvers import Problem

from ..problems.generated import grid

__all__ = ["BASES", "Draw", "Kind", "Seeded", "bases", "draw_kind", "short"]

T = TypeVar("T")
BITS = 10  # entries are multiples of 2^-BITS
PENALTY_BITS = 12  # significant bits of l1 and l2
PENALTIES = ("lasso", "ridge", "enet", "ols")
LAYOUTS = ("F", "C", "csc", "csr")
# Rows are powers of two, at least 8, and so is S: means of the data are then exact, and products with S.
SHAPES = {"tall": (32, 8), "wide": (16, 40), "square": (16, 16), "sparse": (64, 24)}
WEIGHTS = (0.0, 1.0, 2.0, 1.0, 3.0, 1.0, 0.0, 0.0)  # eight of sum eight
PENALTY_WEIGHTS = (1.0, 4.0, 0.0, 0.25, np.inf, 1.0)


class Draw(Protocol):
    """Where choices come from: a seeded generator, or hypothesis, which can then make them smaller."""

    def whole(self, low: int, high: int) -> int:
        """Return a whole number, low <= it <= high."""

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of them; the first is the simplest."""


class Seeded:
    """Choices that belong to a name: always the same."""

    def __init__(self, name: str) -> None:
        self._rng = np.random.default_rng(crc32(name.encode()))

    def whole(self, low: int, high: int) -> int:
        """Return a whole number, low <= it <= high."""
        return int(self._rng.integers(low, high + 1))

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of them."""
        return options[self.whole(0, len(options) - 1)]


@dataclass(frozen=True)
class Kind:
    """A recipe for one problem; `problem()` follows it.

    Attributes
    ----------
    n, p : int
    penalty : {"lasso", "ridge", "enet", "ols"}
    ratio : int
        l1 = l1_max / ratio.
    intercept, positive, weighted, v : bool
        The options of (P); `weighted` draws whole numbers with 0 among them, `v` has 0 and inf.
    layout : {"F", "C", "csc", "csr"}
        The sparse ones store a third of the entries.
    seed : int
    """

    n: int
    p: int
    penalty: str = "lasso"
    ratio: int = 10
    intercept: bool = False
    positive: bool = False
    weighted: bool = False
    v: bool = False
    layout: str = "F"
    seed: int = 0

    @property
    def name(self) -> str:
        """All of it, for a failure's words and a test's id."""
        flags = [flag for flag in ("intercept", "positive", "weighted", "v") if getattr(self, flag)]
        ratio = [f"l1_max:{self.ratio}"] if self.penalty in ("lasso", "enet") else []
        return "/".join([f"{self.n}x{self.p}", self.penalty, *ratio, *flags, self.layout, str(self.seed)])

    def problem(self) -> Problem:
        """Draw it: a sparse linear model plus noise, y shifted by 2 where there is an intercept."""
        rng = np.random.default_rng(crc32(f"{self.n} {self.p} {self.seed}".encode()))
        X = grid(np.asfortranarray(rng.standard_normal((self.p, self.n)).T), BITS)
        if self.layout in ("csc", "csr"):
            X[rng.random((self.n, self.p)) > 1 / 3] = 0.0
        w = np.zeros(self.p)
        used = np.arange(0, self.p, max(1, self.p // 6))
        w[used] = [(-1.0) ** k * (1 + k % 3) for k in range(used.size)]
        y = grid(X @ w + rng.standard_normal(self.n), BITS) + 2.0 * self.intercept
        made: dict[str, Callable[[Any], Any]] = {
            "F": np.asfortranarray, "C": np.ascontiguousarray, "csc": sp.csc_array, "csr": sp.csr_array,
        }  # fmt: skip
        bare = Problem(
            made[self.layout](X),
            y,
            intercept=self.intercept,
            positive=self.positive,
            sample_weight=np.resize(WEIGHTS, self.n) if self.weighted else None,
            penalty_weights=np.resize(PENALTY_WEIGHTS, self.p) if self.v else None,
            name=self.name,
        )
        l1 = short(bare.l1_max() / self.ratio) if self.penalty in ("lasso", "enet") else 0.0
        root = short(np.sqrt(bare.S * bare.l2_ref() / 4)) if self.penalty in ("ridge", "enet") else 0.0
        l2 = root**2 / bare.S  # S l2 is the square of a float
        return bare.replace(l1=l1, l2=l2)


def short(x: float, bits: int = PENALTY_BITS) -> float:
    """Round to so many significant bits: products with whole numbers are then exact."""
    if x == 0:
        return 0.0
    scale = 2.0 ** (np.floor(np.log2(abs(x))) - bits + 1)
    return float(np.rint(x / scale) * scale)


def draw_kind(draw: Draw) -> Kind:
    """Draw a recipe over all that (P) has."""
    n, p = 2 ** draw.whole(3, 5), draw.whole(1, 12)
    penalty = draw.one_of(PENALTIES if p <= n // 2 else PENALTIES[:3])
    ratio = draw.one_of((10, 3, 100))
    intercept, positive, weighted, v = (draw.one_of((False, True)) for _ in range(4))
    layout, seed = draw.one_of(LAYOUTS), draw.whole(0, 1000)
    return Kind(n, p, penalty, ratio, intercept, positive, weighted, v, layout, seed)


def _fixed() -> list[Kind]:
    tall, wide, square, sparse = (Kind(n, p) for n, p in SHAPES.values())
    return [
        replace(tall, ratio=3, intercept=True),
        replace(tall, ratio=100, layout="C"),
        replace(tall, penalty="enet", intercept=True),
        replace(tall, penalty="ridge", layout="C", intercept=True),
        replace(tall, penalty="ols", intercept=True),
        replace(wide, ratio=3, layout="C", intercept=True),
        replace(wide, ratio=10),
        replace(wide, penalty="enet", intercept=True),
        replace(wide, penalty="ridge"),
        replace(square, ratio=10, intercept=True),
        replace(sparse, layout="csc", intercept=True),
        replace(sparse, ratio=3, layout="csr"),
        replace(sparse, penalty="enet", layout="csc"),
        replace(sparse, penalty="ridge", layout="csr", intercept=True),
        replace(tall, weighted=True, intercept=True),
        replace(tall, v=True, ratio=3),
        replace(tall, penalty="ridge", v=True, intercept=True),
        replace(tall, positive=True, intercept=True),
        replace(sparse, penalty="enet", positive=True, layout="csc"),
        replace(wide, penalty="enet", weighted=True, v=True, positive=True, layout="C", intercept=True),
    ]


BASES: dict[str, Kind] = {kind.name: kind for kind in _fixed()}


@cache
def _problem(name: str) -> Problem:
    return BASES[name].problem()


def bases() -> list[Problem]:
    """Return the fixed list: every regime and every option of (P)."""
    return [_problem(name) for name in BASES]
