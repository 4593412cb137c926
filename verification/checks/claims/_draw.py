"""Colours and small helpers of the figures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Okabe and Ito's, which the colour-blind can tell apart
L1, L2, GREY, GOOD, BAD = "#0072B2", "#D55E00", "#777777", "#009E73", "#CC79A7"
CYCLE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#444444",
    "#7A5195",
    "#8C564B",
    "#999933",
)


def penalty_axis(axes: Any, label: str) -> None:
    """Make the horizontal axis a logarithmic one of lambda."""
    axes.set_xscale("log")
    axes.set_xlabel(label)


def three(x: float) -> str:
    """Return three significant digits, without an exponent where that can be read."""
    if 1e3 <= abs(x) < 1e6:
        return f"{x:.0f}"
    return f"{x:.3g}" if x == 0 or 1e-3 <= abs(x) < 1e3 else f"{x:.2e}"


def percent(x: float) -> str:
    """Return a share as a whole percentage."""
    return f"{100 * x:.0f} %"


def bars(axes: Any, heights: NDArray[np.float64], names: list[str], colours: Any) -> None:
    """Draw bars with a slanted name under each."""
    axes.bar(range(len(heights)), heights, color=colours)
    axes.set_xticks(range(len(heights)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.grid(visible=False, axis="x")
