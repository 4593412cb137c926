"""What a figure shows, before it is drawn: page.js and plots.py both draw from these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.report.looks import GREY

__all__ = ["ACCURACY", "DIGITS", "RATIO", "SECONDS", "SHARE", "Axis", "Chart", "Line"]


@dataclass(frozen=True)
class Axis:
    """A label, and how its values are spelt: a key of plots.SPELT and of page.js's spell."""

    label: str
    unit: str = ""
    log: bool = True
    reverse: bool = False


SECONDS = Axis("setup + run", "seconds")
ACCURACY = Axis("proven suboptimality, relative to N", "accuracy")
RATIO = Axis("time over the fastest's, at most", "ratio")
SHARE = Axis("share of the cells", "share", log=False)
DIGITS = Axis("correct digits of the objective", "digits", log=False)


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes
    ----------
    name : str
        Of a solver (drawn in its look, obeys the toggle), or of whatever else.
    x, y : sequences of float
    notes : sequence of str
        What is said of each point beside its coordinates; empty if nothing is.
    colour : str
        Where it is no solver's: of COLOURS, or grey.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    notes: Sequence[str] = ()
    colour: str = ""

    @property
    def named(self) -> bool:
        """Whether the line is worth a name in a legend: grey ones are not."""
        return self.colour != GREY


@dataclass(frozen=True)
class Chart:
    """Lines on two axes.

    Attributes
    ----------
    key : str
        Unique in the report; the name of its file.
    marks : tuple of float
        Heights at which a grey line goes across.
    steps : bool
        Whether lines are steps, as a distribution's.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    lines: list[Line] = field(default_factory=list)
    marks: tuple[float, ...] = ()
    steps: bool = False
