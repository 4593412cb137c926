"""A cell is one problem (P): a case, its penalties, and the options of (P).

Penalties are relative, so that they mean the same on every case: l1 = l1_max / l1_ratio and
l2 = l2_ratio * l2_ref, both of the problem with the same options. Names are stable and say it all:
``nci60/lasso/l1_max:10/intercept``, ``digits/enet/l1_max:10/l2_ref_x0.1``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem

from . import Case, cases, lookup, user_case
from .generated import rng_for

__all__ = ["Cell", "all_cells", "degenerate_cells", "grid", "option_cells", "user_cells"]

Vector = NDArray[np.float64]

L1_RATIOS = (3.0, 10.0, 30.0, 100.0)
RIDGE_RATIOS = (1.0, 0.01)
ENET_RATIOS = ((10.0, 0.1),)
OPTION_CASES = ("small_wide", "small_tall", "small_sparse")
JOBS = ("solve", "path", "cv")


@dataclass(frozen=True)
class Cell:
    """One problem by name; small, picklable and made of JSON's types.

    Parameters
    ----------
    case : str
        Name of a case, or of the user's file.
    penalty : {"lasso", "ridge", "enet", "ols"}
    l1_ratio, l2_ratio : float, optional
        l1 = l1_max / l1_ratio, l2 = l2_ratio * l2_ref; None where the penalty has no such term.
    intercept, positive : bool
        As in (P).
    weighted : bool
        Sample weights: multiples of 1/4 from 0 to 3, drawn by the case's name (``sample_weights``).
    v : bool
        Penalty weights with 0 and inf among them, drawn by the case's name (``penalty_weights``).
    l1, l2 : float, optional
        Absolute penalties; they take the place of the ratios.
    dtype : {"float64", "float32"}
        What X is rounded to.
    layout : str
        "" as the case has it; "F", "C", "csc" or "csr" to convert (a dense case stays dense).
    path : str
        The user's file; "" for a case of ours.
    job : {"solve", "path", "cv"}
        What is asked on this problem: its solution; the path of lasso from l1_max down to its l1; or the
        cross-validation of that path. ``problem()`` is the one at the path's end, the hardest of it.
    """

    case: str
    penalty: str
    l1_ratio: float | None = None
    l2_ratio: float | None = None
    intercept: bool = False
    positive: bool = False
    weighted: bool = False
    v: bool = False
    l1: float | None = None
    l2: float | None = None
    dtype: str = "float64"
    layout: str = ""
    path: str = ""
    job: str = "solve"

    def __post_init__(self) -> None:
        wants = {"lasso": (True, False), "ridge": (False, True), "enet": (True, True), "ols": (False, False)}
        if self.penalty not in wants:
            raise ValueError(f"penalty is {self.penalty!r}: one of {', '.join(wants)}")
        for name, wanted in zip(("l1", "l2"), wants[self.penalty], strict=True):
            given = [k for k in (name, f"{name}_ratio") if getattr(self, k) is not None]
            if len(given) != wanted:
                need = f"give {name} or {name}_ratio" if wanted else f"leave {name} out"
                raise ValueError(f"{self.penalty} of {self.case} has {' and '.join(given) or 'none'}: {need}")
        if self.l1_ratio is not None and not self.l1_ratio > 0:
            raise ValueError(f"l1_ratio is {self.l1_ratio}: it divides l1_max, so it is > 0")
        if self.job not in JOBS:
            raise ValueError(f"job is {self.job!r}: one of {', '.join(JOBS)}")
        if self.job != "solve" and not (self.l1_ratio or 0) > 1:
            raise ValueError(
                f"a {self.job} of {self.case} goes from l1_max down to l1_max / l1_ratio: give it > 1"
            )

    @property
    def name(self) -> str:
        """Unique and stable; records are joined on it."""
        parts = [self.case, self.penalty]
        for key, text in (
            ("l1_ratio", "l1_max:{:g}"),
            ("l1", "l1={:g}"),
            ("l2_ratio", "l2_ref_x{:g}"),
            ("l2", "l2={:g}"),
        ):
            value = getattr(self, key)
            parts += [] if value is None else [text.format(value)]
        parts += [flag for flag in ("intercept", "positive", "weighted", "v") if getattr(self, flag)]
        parts += [self.dtype] if self.dtype != "float64" else []
        parts += [self.layout] if self.layout else []
        return "/".join(parts + ([self.job] if self.job != "solve" else []))

    @property
    def source(self) -> Case:
        """The case, with its regime and its data."""
        return user_case(self.path) if self.path else lookup(self.case)

    @property
    def regime(self) -> str:
        """The case's regime: "wide", "tall", "sparse" or "small"."""
        return self.source.regime

    def problem(self) -> Problem:
        """Return the problem (P); arrays are shared between the cells of a case where they can be.

        l1_max and l2_ref are rounded to 12 digits, so that the last bits of a BLAS product do not enter
        the digest; but l1_ratio <= 1 means l1 >= l1_max exactly, and takes it as it is. Where l1_max is
        0 (y is constant, say) so is l1: the cell is then least squares.

        Raises
        ------
        CaseMissing
            If the case's package is not installed.
        ProblemError, solvers.data.DataError
            If the user's data are not a problem, or not a readable file.
        """
        bare = self._bare()
        l1, l2 = self.l1 or 0.0, self.l2 or 0.0
        if self.l1_ratio is not None:
            l1 = _scales(self._options())[0] / self.l1_ratio
            l1 = l1 if self.l1_ratio <= 1 else _rounded(l1)
        if self.l2_ratio is not None:
            l2 = _rounded(_scales(self._options())[1] * self.l2_ratio)
        return bare.replace(l1=l1, l2=l2, name=self.name)

    def _options(self) -> Cell:
        """The cell without its penalties: what l1_max and l2_ref depend on."""
        return replace(self, penalty="ols", l1_ratio=None, l2_ratio=None, l1=None, l2=None, job="solve")

    def _bare(self) -> Problem:
        data = self.source.load()
        n, p = data.X.shape
        return Problem(
            _converted(data.X, self.dtype, self.layout),
            data.y,
            intercept=self.intercept,
            positive=self.positive,
            sample_weight=sample_weights(self.case, n) if self.weighted else None,
            penalty_weights=penalty_weights(self.case, p) if self.v else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields and the name, JSON-able."""
        return {"name": self.name} | asdict(self)


@lru_cache(maxsize=4096)
def _scales(options: Cell) -> tuple[float, float]:
    """(l1_max, l2_ref) of a cell without penalties."""
    problem = options._bare()
    return problem.l1_max(), problem.l2_ref()


def _rounded(value: float) -> float:
    return float(f"{value:.12g}")


def _converted(X: Any, dtype: str, layout: str) -> Any:
    """X in that dtype and layout; itself if it is so already."""
    if X.dtype != dtype:
        X = X.astype(dtype)
    if isinstance(X, np.ndarray):
        return np.asarray(X, order="C" if layout == "C" else "F" if layout == "F" else "K")
    return X.asformat(layout) if layout in ("csc", "csr") else X


def sample_weights(case: str, n: int) -> Vector:
    """Sample weights that belong to a case's name: (n,), multiples of 1/4 in [0, 3], the first one 1."""
    s = rng_for(f"{case}/sample_weights").integers(0, 13, n) / 4
    s[0] = 1.0
    return s


def penalty_weights(case: str, p: int) -> Vector:
    """Penalty weights that belong to a case's name: (p,), multiples of 1/8 in [1/4, 3], with 0 and inf.

    One in twenty columns, but at most three, is not penalised (0); one in twenty is left out (inf);
    at least one of each where p >= 4.
    """
    rng = rng_for(f"{case}/penalty_weights")
    v = rng.integers(2, 25, p) / 8
    if p >= 4:
        order = rng.permutation(p)
        free, fixed = min(3, max(1, p // 20)), max(1, p // 20)
        v[order[:free]] = 0.0
        v[order[free : free + fixed]] = np.inf
    return v


def grid(
    case: Case | str,
    l1_ratios: Sequence[float] = L1_RATIOS,
    penalties: Sequence[str] = ("lasso", "ridge", "enet"),
    intercepts: Sequence[bool] = (False, True),
    *,
    ridge_ratios: Sequence[float] = RIDGE_RATIOS,
    enet_ratios: Sequence[tuple[float, float]] = ENET_RATIOS,
    **options: Any,
) -> list[Cell]:
    """Return the cells of one case: every listed penalty, with and without an intercept.

    Parameters
    ----------
    case : Case or str
    l1_ratios : sequence of float
        Of the lasso: l1 = l1_max / ratio.
    penalties : sequence of {"lasso", "ridge", "enet", "ols"}
    intercepts : sequence of bool
    ridge_ratios : sequence of float
        l2 = ratio * l2_ref.
    enet_ratios : sequence of (l1 ratio, l2 ratio)
    **options
        Fields of Cell for all of them: positive, weighted, v, dtype, layout, path.
    """
    name = case if isinstance(case, str) else case.name
    ratios: dict[str, list[tuple[float | None, float | None]]] = {
        "lasso": [(r, None) for r in l1_ratios],
        "ridge": [(None, r) for r in ridge_ratios],
        "enet": list(enet_ratios),
        "ols": [(None, None)],
    }
    return [
        Cell(name, penalty, l1, l2, intercept, **options)
        for penalty in penalties
        for l1, l2 in ratios[penalty]
        for intercept in intercepts
    ]


def option_cells(chosen: Iterable[str] = OPTION_CASES) -> Iterator[Cell]:
    """Yield every combination of penalty, intercept, positive, sample and penalty weights on small cases.

    And, for each penalty, float32 and the other memory layout.
    """
    for name in chosen:
        for intercept, positive, weighted, v in product((False, True), repeat=4):
            yield from grid(
                name,
                (10.0,),
                ("lasso", "ridge", "enet", "ols"),
                (intercept,),
                ridge_ratios=(0.1,),
                positive=positive,
                weighted=weighted,
                v=v,
            )
        layout = {"F": "C", "C": "F", "csc": "csr"}[lookup(name).load().layout]
        for cell in grid(name, (10.0,), intercepts=(True,), ridge_ratios=(0.1,)):
            yield replace(cell, dtype="float32")
            yield replace(cell, layout=layout)


def degenerate_cells() -> Iterator[Cell]:
    """Yield the awkward cases at each penalty, at and above l1_max, and the least squares of each."""
    for name in cases("degenerate"):
        yield from grid(name, (0.5, 1.0, 10.0), ("lasso", "ridge", "enet", "ols"), ridge_ratios=(0.1,))
    for name, intercept in product(("zero_y", "zero_x", "constant_y", "one_row"), (False, True)):
        yield Cell(name, "lasso", l1=0.5, intercept=intercept)  # l1_max may be 0 there


def all_cells(full: bool = False) -> list[Cell]:
    """Return what ``make verify`` goes through: all of (P), every case; with ``full`` the large ones too."""
    apart = {*cases("degenerate"), *OPTION_CASES}
    chosen = [c for name, c in cases(full=full).items() if name not in apart]
    plain = [cell for c in chosen for cell in grid(c, (10.0, 100.0), ridge_ratios=(0.1,))]
    return [*plain, *option_cells(), *degenerate_cells()]


def user_cells(path: str | Path, l1_ratios: Sequence[float] = L1_RATIOS, **choices: Any) -> list[Cell]:
    """Return the cells of the user's own file (``--data``), named after it.

    Parameters
    ----------
    path : path
        Formats: docs/data.md.
    l1_ratios, **choices
        As for ``grid``.

    Raises
    ------
    solvers.data.DataError
        If the file cannot be read.
    """
    mine = user_case(path)
    return grid(mine, l1_ratios, path=str(Path(path).resolve()), **choices)
