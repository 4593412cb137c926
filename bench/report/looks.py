"""How a solver is drawn, the same in every figure: colour, dashes, marker.

Colours are Okabe and Ito's, which the colour-blind can tell apart; the marker says the same again.  Ours are
drawn in long strokes, peers dotted; where the colours are used up, the strokes change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["COLOURS", "GREY", "Look", "looks"]

GREY = "#9a9a9a"  # of lines that have no name
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
OURS = ((), (11, 4), (9, 3, 2, 3), (5, 4))  # lengths of strokes and gaps; () is a solid line
PEERS = ((2, 2), (6, 2, 2, 2))
# matplotlib's name and plotly's
MARKERS = (
    ("o", "circle"), ("s", "square"), ("D", "diamond"), ("^", "triangle-up"), ("v", "triangle-down"),
    ("P", "cross"), ("X", "x"), ("*", "star"), ("<", "triangle-left"), (">", "triangle-right"),
    ("h", "hexagon"), ("p", "pentagon"),
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """Colour, dashes (in points, empty if solid) and marker (matplotlib's name and plotly's)."""

    colour: str
    dashes: tuple[int, ...]
    marker: str
    symbol: str


def looks(owners: Iterable[tuple[str, bool]]) -> dict[str, Look]:
    """Return the look of each solver.

    Parameters
    ----------
    owners : iterable of (name, whether it is ours)
        In the order of the run, so that the same run is drawn alike each time.
    """
    found: dict[str, Look] = {}
    seen = {True: 0, False: 0}
    for k, (name, own) in enumerate(owners):
        strokes = OURS if own else PEERS
        turn, place = divmod(seen[own], len(COLOURS))
        seen[own] += 1
        found[name] = Look(COLOURS[place], strokes[turn % len(strokes)], *MARKERS[k % len(MARKERS)])
    return found
