"""Long trials of the proofs, in parts: `python -m verification campaign NAME`; a little of each is a test.

    @campaign("weak-duality", parts=24, bar="...")
    def weak_duality(part: int) -> Tally: ...

A part is always the same trials. What they showed is kept under results/campaigns/, a file for each campaign.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["CAMPAIGNS", "RESULTS", "Campaign", "Tally", "campaign", "campaigns", "keep", "kept"]

RESULTS = Path(__file__).resolve().parents[2] / "results" / "campaigns"
SHOWN = 20  # failures of a part that are kept in words
# Modules of this folder that define no campaign.
TOOLS = {"exact_reference", "forgeries", "malformed", "oracle", "random_problems"}


@dataclass
class Tally:
    """What trials have shown.

    Attributes
    ----------
    counts : dict of str to int
        How many trials of which kind; sums over the parts.
    worst : dict of str to float
        Figures of which the largest counts.
    lines : dict of str to str
        One line about each thing looked at.
    failures : list of str
        What should not have been, with the problem it was seen on.
    """

    counts: Counter[str] = field(default_factory=Counter)
    worst: dict[str, float] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def largest(self, name: str, value: float) -> None:
        """Remember the largest value of a figure."""
        self.worst[name] = max(self.worst.get(name, value), value)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, JSON-able; the first failures only."""
        counts, failures = dict(self.counts), self.failures[:SHOWN]
        return {"counts": counts, "worst": self.worst, "lines": self.lines, "failures": failures}

    def add(self, other: Tally) -> None:
        """Take in the trials of another part."""
        self.counts.update(other.counts)
        for name, value in other.worst.items():
            self.largest(name, value)
        self.lines.update(other.lines)
        self.failures += other.failures


@dataclass(frozen=True)
class Campaign:
    """A campaign: its parts, and what they must show.

    Attributes
    ----------
    name, summary : str
    bar : str
        What must hold, in words.
    parts : int
    run : callable
        One part, the same trials each time.
    short : callable
        From the tally of all parts: what falls short of the bar, besides the failures; a list of words.
    """

    name: str
    summary: str
    bar: str
    parts: int
    run: Callable[[int], Tally]
    short: Callable[[Tally], Iterable[str]]


CAMPAIGNS: dict[str, Campaign] = {}


def campaign(
    name: str, *, parts: int, bar: str, short: Callable[[Tally], Iterable[str]] = lambda _: ()
) -> Callable[[Callable[[int], Tally]], Callable[[int], Tally]]:
    """Register a function of the part's number; its docstring's first line says what is tried."""

    def register(run: Callable[[int], Tally]) -> Callable[[int], Tally]:
        summary = (run.__doc__ or "").strip().splitlines()[0]
        CAMPAIGNS[name] = Campaign(name, summary, bar, parts, run, short)
        return run

    return register


@cache
def _scan() -> None:
    for name in sorted({module.name for module in pkgutil.iter_modules(__path__)} - TOOLS):
        importlib.import_module(f"{__name__}.{name}")


def campaigns() -> dict[str, Campaign]:
    """Return every campaign by name."""
    _scan()
    return dict(CAMPAIGNS)


def kept(name: str) -> dict[int, Tally]:
    """Return the parts of a campaign that are on record."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return {}
    parts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["parts"]
    return {
        int(part): Tally(Counter(t["counts"]), t["worst"], t["lines"], t["failures"])
        for part, t in parts.items()
    }


def keep(of: Campaign, parts: dict[int, Tally], versions: dict[str, str | None]) -> Tally:
    """Write the parts and their sum; return the sum."""
    total = Tally()
    for part in sorted(parts):
        total.add(parts[part])
    content = {
        "campaign": of.name,
        "what": of.summary,
        "must": of.bar,
        "parts_of": of.parts,
        "versions": versions,
        "total": {"counts": dict(total.counts), "worst": total.worst, "failures": len(total.failures)},
        "parts": {str(part): parts[part].to_dict() for part in sorted(parts)},
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (RESULTS / f"{of.name}.json").write_text(text + "\n", encoding="utf-8")
    return total
