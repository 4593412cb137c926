"""Whether a solver solves another penalty than it was given, docs/maths.md (WRONG), (IMPLIED).

An answer may fit another penalty although the solver is right: a path that starts from the point before
stops at once where the tolerance is loose, and returns that point, the exact optimum at another l1. So what
fits is held against the solver only if the tolerance does not explain it, or the same fits again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

__all__ = ["IMPLIED_GAIN", "IMPLIED_OFF", "Row", "contender", "number", "other_penalties"]

IMPLIED_OFF = 1e-4
IMPLIED_GAIN = 100.0
IMPLIED_SUPPORT = 4
NO_PENALTY = 0.01  # a fitted l1 (or l2, without l1) below this share of the nominal one is none
UNCLEAR = 10.0  # times what was asked for: within that the gap may be the dual point's, not the answer's
FINE = 1e-9  # a tol at which no solver leaves the start from another penalty as it was
SAME = 0.1  # two answers fit the same penalty if their deviations differ by less than this share

Row = Mapping[str, Any]
Contender = tuple[str, str, str]  # cell, solver, configuration


class _Shown(Enum):
    """What an answer that fits another penalty shows."""

    KEPT = "nothing: it proves the gap that was asked for"
    UNCLEAR = "nothing by itself: its suboptimality, or a tenth of its gap, is within what was asked for"
    OFF = "that it is another problem's"


@dataclass(frozen=True)
class _Fit:
    """A penalty that an answer fits.

    Attributes
    ----------
    moved : (float, float)
        Of l1 and of l2, from the nominal to the fitted, relative to the nominal (to l1 + l2 if that is 0).
    clear : bool
        Whether it fits so much better than the nominal one, and so far from it, that it can be a verdict.
    words : str
        E.g. "l1 x 1.0500".
    """

    moved: tuple[float, float]
    clear: bool
    words: str

    def same(self, other: _Fit) -> bool:
        """Whether two answers lean to the same penalty."""
        size = max(map(abs, self.moved))
        return all(abs(a - b) <= SAME * size for a, b in zip(self.moved, other.moved, strict=True))


def number(row: Row, key: str) -> float | None:
    """Return a number of a row; "inf" and "-inf" are how JSON holds them."""
    value = row.get(key)
    return None if value is None else float(value)


def contender(row: Row) -> Contender:
    """Return (cell, solver, configuration)."""
    return row["cell"], row["solver"], row["configuration"]


def other_penalties(rows: Sequence[Row], short: Callable[[Row], tuple[float, float]]) -> list[str]:
    """Return for each row the penalty that it solves instead of its problem's, in words, or "".

    Only the tightest rung of a contender that ended CONVERGED is looked at: there another penalty shows best.

    Parameters
    ----------
    rows : sequence of mappings
    short : callable
        Returns the self-certified gap and the suboptimality of a row, both relative to N.
    """
    arrived: dict[Contender, list[Row]] = defaultdict(list)
    for row in rows:
        if number(row, "gap") is None or number(row, "tol") is None:
            continue  # nothing is proven; or it was asked for nothing: no rung
        if row.get("status", "CONVERGED") == "CONVERGED":  # else it says itself that it has not arrived
            arrived[contender(row)].append(row)
    found: dict[int, tuple[Row, _Fit, _Shown]] = {}
    for rungs in arrived.values():
        row = min(rungs, key=_tol)  # the first of equals
        fit = _fit(row)
        if fit is not None and fit.clear:
            found[id(row)] = row, fit, _shown(row, fit, rungs, short)
    convicted: dict[str, list[_Fit]] = defaultdict(list)
    for row, fit, shown in found.values():
        if shown is _Shown.OFF:
            convicted[row["solver"]].append(fit)

    def verdict(row: Row) -> str:
        if id(row) not in found:
            return ""
        _, fit, shown = found[id(row)]
        # what a loose rung leaves open, another cell may have settled
        guilty = shown is _Shown.OFF or any(fit.same(other) for other in convicted[row["solver"]])
        return f"solves {fit.words}" if guilty else ""

    return [verdict(row) for row in rows]


def _tol(row: Row) -> float:
    return number(row, "tol") or 0.0


def _shown(row: Row, fit: _Fit, rungs: Iterable[Row], short: Callable[[Row], tuple[float, float]]) -> _Shown:
    """What the tightest rung shows; where that is unclear, whether a looser one leans to the same penalty."""
    tol, (gap, suboptimality) = _tol(row), short(row)
    if tol > 0 and gap <= tol:
        return _Shown.KEPT
    loose = tol > FINE or bool(row.get("continued"))
    # of a solver whose tol is no gap nobody knows what a loose one explains
    if loose and (not row.get("claims_gap") or suboptimality <= tol or gap <= UNCLEAR * tol):
        looser = [_fit(other) for other in rungs if _tol(other) > tol]
        return _Shown.OFF if any(other and fit.same(other) for other in looser) else _Shown.UNCLEAR
    return _Shown.OFF


def _fit(row: Row) -> _Fit | None:
    """What a row fits; None if that is not known, or no penalty at all by a solver that claims no gap.

    Where p > n the latter is how descent looks on its way (it interpolates first): its accuracy says more.
    """
    off, gain = number(row, "implied_off"), number(row, "implied_gain")
    if off is None or gain is None or (number(row, "support") or 0) < IMPLIED_SUPPORT:
        return None
    nominal = [number(row, name) or 0.0 for name in ("l1", "l2")]
    fitted = [number(row, f"implied_{name}") or 0.0 for name in ("l1", "l2")]
    which = 0 if nominal[0] > 0 else 1
    if not row.get("claims_gap") and fitted[which] < NO_PENALTY * nominal[which]:
        return None
    total = sum(nominal)
    first, second = ((there - here) / (here or total) for here, there in zip(nominal, fitted, strict=True))
    words = []
    for name, here, there in zip(("l1", "l2"), nominal, fitted, strict=True):
        if here > 0 and abs(there - here) > IMPLIED_OFF / 2 * here:
            words.append(f"{name} x {round(there / here, 4) + 0.0:.4f}")  # + 0.0: no "-0.0000"
        elif here == 0 and abs(there) > IMPLIED_OFF / 2 * total:
            words.append(f"{name} = {there:.3g}")
    said = " and ".join(words) or f"another penalty, off by {off:.0e}"
    return _Fit((first, second), off > IMPLIED_OFF and gain >= IMPLIED_GAIN, said)
