"""Named lists of cells: what the suites of bench measure, and what verification proves its digits on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from solvers import Problem

from . import cases
from .cells import Cell, degenerate_cells, grid, option_cells

__all__ = [
    "KnownCell",
    "enet",
    "full",
    "headline",
    "known",
    "lasso",
    "quick",
    "regression",
    "ridge",
    "scaling",
    "smoke",
]


def lasso(case: str, *ratios: float) -> list[Cell]:
    """Lasso at l1_max / ratio; a negative ratio stands for the cell with an intercept."""
    return [Cell(case, "lasso", l1_ratio=abs(ratio), intercept=ratio < 0) for ratio in ratios]


def ridge(case: str, l2_ratio: float, intercept: bool) -> Cell:
    """Ridge at l2_ratio * l2_ref."""
    return Cell(case, "ridge", l2_ratio=l2_ratio, intercept=intercept)


def enet(case: str, l1_ratio: float, intercept: bool) -> Cell:
    """Elastic net at l1_max / l1_ratio and l2_ref / 10."""
    return Cell(case, "enet", l1_ratio=l1_ratio, l2_ratio=0.1, intercept=intercept)


def smoke() -> list[Cell]:
    """One cell of each kind, of small data."""
    return [
        *lasso("diabetes", -100),
        ridge("diabetes", 0.01, intercept=False),
        *lasso("small_wide", 10),
        enet("small_sparse", 10, intercept=True),
    ]


def quick() -> list[Cell]:
    """Every l1 from l1_max/3 to l1_max/100 in every regime; not the full cross: it ends in minutes."""
    return [
        *lasso("diabetes", -3, 10, -100),
        ridge("diabetes", 0.01, intercept=True),
        *lasso("diabetes2", -10, 30, -100),
        ridge("diabetes2", 0.01, intercept=False),
        enet("diabetes2", 10, intercept=True),
        *lasso("breast_cancer", -10, 100),
        ridge("breast_cancer", 1.0, intercept=True),
        enet("breast_cancer", 30, intercept=True),
        *lasso("digits", 3, -30, -100),
        ridge("digits", 0.01, intercept=True),
        *lasso("nci60", -3, 10, -30, -100),
        ridge("nci60", 0.01, intercept=True),
        enet("nci60", 10, intercept=False),
        *lasso("bbc_news_raw", -3, 10, -30, 100),
        ridge("bbc_news_raw", 1.0, intercept=False),
        enet("bbc_news_raw", 10, intercept=True),
        *lasso("wide_toeplitz", 3, -10, 100),
        enet("wide_toeplitz", 30, intercept=True),
        *lasso("tall_toeplitz", 3, -10, -30, 100),
        ridge("tall_toeplitz", 0.01, intercept=True),
        *lasso("sparse_powerlaw", -10, 100),
        enet("sparse_powerlaw", 30, intercept=False),
    ]


HEADLINE = {
    # the shapes on which solvers are usually compared, at l1_max / ratio
    "wide_large": (10, 100),
    "square_large": (10, 100),
    "tall_correlated": (100,),
    "tall_large": (1000,),
    "sparse_large": (10, 50),
    # real data of each regime
    "nci60": (10, 100),
    "khan": (10, 100),
    "bbc_news_raw": (10, 100),
    "bbc_bigrams_raw": (10, 100),
    "digits": (100,),
    "caravan": (100,),
    "diabetes2": (100,),
    "spectra": (100,),
}


def headline() -> list[Cell]:
    """The largest shapes and real data of each regime, lasso with and without an intercept."""
    return [cell for case, ratios in HEADLINE.items() for cell in lasso(case, *ratios, *(-r for r in ratios))]


def scaling() -> list[Cell]:
    """One thing grows at a time: n, p, density, correlation, the support; the largest sizes last."""
    return [cell for name in cases("scaling") for cell in lasso(name, 10, 100)]


def full() -> list[Cell]:
    """Every case but the degenerate ones at every penalty, and all options of (P) on small data."""
    awkward = cases("degenerate")
    plain = [cell for name, case in cases(full=True).items() if name not in awkward for cell in grid(case)]
    return list(dict.fromkeys([*plain, *option_cells()]))


@dataclass(frozen=True)
class KnownCell:
    """An answer known in advance, in the place of a cell."""

    case: str
    regime: str = "small"
    l1_ratio: None = None
    l2_ratio: None = None

    @property
    def name(self) -> str:
        """``known/<name of the answer>``."""
        return f"known/{self.case}"

    def problem(self) -> Problem:
        """Return the problem (P)."""
        from .known_answer import known_answers  # flint, which no other suite needs

        return known_answers()[self.case].load().problem.replace(name=self.name)


def known() -> list[KnownCell]:
    """Return every answer known in advance."""
    from .known_answer import known_answers

    return [KnownCell(name) for name in known_answers()]


# One cell of each of the largest cases: the others take minutes to prove, and some solvers minutes to solve.
LARGE = ("bbc_news_raw", "sparse_powerlaw")


def _dealt_out(cells: Iterable[Cell]) -> list[Cell]:
    """Deal the combinations of options out over the cases, each to one of them; other layouts to all."""
    hands: dict[str, list[Cell]] = {}
    for cell in cells:
        hands.setdefault(cell.case, []).append(cell)
    return [
        cell
        for first, hand in enumerate(hands.values())
        for k, cell in enumerate(hand)
        if k % len(hands) == first or cell.layout or cell.dtype != "float64"
    ]


def regression() -> list[Cell | KnownCell]:
    """Every option of (P), every awkward case, every known answer, and what is affordable of the suite quick.

    About three minutes of processor time for all solvers. A combination of options is tried on one of the
    small cases, so that each case has every option and every penalty, but not every combination.

    Left out: l1 at or above l1_max, where nothing is left to compare, and l1 is not rounded, so that another
    BLAS makes another problem of it.
    """
    affordable = [cell for cell in quick() if cell.case not in LARGE or cell in lasso(cell.case, 10, -10)]
    small = [*_dealt_out(option_cells()), *degenerate_cells(), *affordable]
    kept = [cell for cell in small if cell.l1_ratio is None or cell.l1_ratio > 1]
    return [*known(), *dict.fromkeys(kept)]
