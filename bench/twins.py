"""Twins: a solver that runs under a second name, so that a run measures its own noise.

``cd_numba@twin`` is cd_numba again, in a process of its own: whatever a comparison of the two says, the truth
is "no difference" (an A/A test).  ``cd_numba@slow15`` is cd_numba whose timed calls are made 15 % longer by
busy computing: a difference of known size, to be found.  The rows of both say `twin_of` and `slowdown`, and
no report ranks them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import perf_counter

__all__ = ["Spec", "parse", "prolong", "twin_names"]

_TWIN = re.compile(r"(?P<solver>.+)@(?:twin|slow(?P<percent>[1-9][0-9]{0,2}))")


@dataclass(frozen=True)
class Spec:
    """What a worker is started with.

    Attributes
    ----------
    name : str
        As the rows have it: ``cd_numba@slow15``.
    solver : str
        What runs: ``cd_numba``, or ``module:function``.
    slowdown : float
        Share by which the timed calls are made longer, >= 0.
    """

    name: str
    solver: str
    slowdown: float = 0.0

    @property
    def twin_of(self) -> str | None:
        """The solver whose twin it is; None for a solver under its own name."""
        return None if self.name == self.solver else self.solver

    @property
    def columns(self) -> dict[str, str | float | None]:
        """What a row says of it."""
        return {"twin_of": self.twin_of, "slowdown": self.slowdown}


def parse(name: str) -> Spec:
    """Split a name into the solver and what is done to it.

    Raises
    ------
    ValueError
        If there is an @ that begins neither ``@twin`` nor ``@slow`` and a percentage from 1 to 999.
    """
    if "@" not in name:
        return Spec(name, name)
    found = _TWIN.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r}: a twin is named solver@twin, or solver@slow15 for one slowed by 15 %")
    return Spec(name, found["solver"], int(found["percent"] or 0) / 100)


def twin_names(solvers: str | None) -> list[str]:
    """Return the names of A/A twins of solvers that are separated by commas; none for None."""
    return [f"{name.strip()}@twin" for name in (solvers or "").split(",") if name.strip()]


def prolong(start: float, slowdown: float) -> float:
    """Compute until the time since `start` has grown by its share `slowdown`; return the clock's time.

    Parameters
    ----------
    start : float
        Of the call to be made longer, by ``perf_counter``.
    slowdown : float
        0.15: 15 % longer.

    Notes
    -----
    Busy, not asleep: a slower solver keeps its core, its caches and its clock frequency.
    """
    now = perf_counter()
    until = start + (1.0 + slowdown) * (now - start)
    while slowdown and now < until:
        now = perf_counter()
    return now
