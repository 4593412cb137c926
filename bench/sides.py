"""The two records of a comparison: what each holds, whether they may be compared, and by which anchors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.report import Report, build
from bench.report.model import Timing
from verification.record import read

__all__ = ["Key", "Side", "anchors", "unlike"]

# What must be the same for two records to be comparable, by the head's words for it; packages are below.
MACHINE = ("cpu", "machine", "cores_allowed", "threads", "python", "implementation")
SETTINGS = ("ladder", "extra", "longest", "tiers")
CORE = ("numpy", "scipy", "numba", "llvmlite")
Key = tuple[str, str, float]  # solver, cell, tier


@dataclass
class Side:
    """One of the two records."""

    name: str
    rows: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Side:
        """Read a record."""
        return cls(path.stem, read(path))

    @cached_property
    def report(self) -> Report:
        """The record, judged."""
        return build(self.rows)

    @cached_property
    def results(self) -> list[dict[str, Any]]:
        """Rows of runs, twins left out."""
        return [row for row in self.rows if row["kind"] == "result" and not row.get("twin_of")]

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digest of the problem, by cell."""
        return {row["cell"]: row["digest"] for row in self.results}

    @cached_property
    def reused(self) -> set[str]:
        """Cells that were taken over from another record."""
        return {row["cell"] for row in self.results if row.get("reused")}

    @cached_property
    def timings(self) -> dict[Key, Timing]:
        """Every time of the record."""
        return {
            (solver, cell, tier): timing
            for (solver, cell), outcome in self.report.outcomes.items()
            for tier, timing in outcome.timings.items()
        }

    @cached_property
    def code(self) -> dict[str, tuple[Any, ...]]:
        """What identifies each solver's code: the digests of its file and of those it shares, its package."""
        head = self.report.head
        shared = (head.get("code_digests") or {}).get("solvers")
        return {
            name: (
                (head.get("solver_digests") or {}).get(name),
                solver.version,
                shared if solver.own else None,
            )
            for name, solver in self.report.solvers.items()
        }

    @cached_property
    def _rungs(self) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
        found: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
        for row in self.results:
            if row["phase"] in ("ladder", "repeat"):
                found[row["solver"], row["cell"], row["configuration"], row["tol"]].append(row)
        return found

    def of_rung(self, key: Key, column: str) -> list[float]:
        """Values of a column in the rounds that a time is the median of."""
        timing = self.timings[key]
        rows = self._rungs[key[0], key[1], timing.configuration, timing.tol]
        return [row[column] for row in rows if row.get(column) is not None]

    @cached_property
    def first_calls(self) -> dict[tuple[str, str, str, bool], list[float]]:
        """Seconds of first calls by solver, setting, kind of problem, and whether anything was compiled."""
        found: dict[tuple[str, str, str, bool], list[float]] = defaultdict(list)
        for row in self.results:
            if row["phase"] == "first_call" and row.get("decoy") and row.get("seconds"):
                key = (row["solver"], row["configuration"], row["decoy"], bool(row.get("compiled_anew")))
                found[key].append(row["seconds"])
        return found


def unlike(a: Side, b: Side) -> list[str]:
    """Say in what the machines and the settings of two records differ; nothing where they are comparable."""
    first, second = a.report.head, b.report.head
    pairs = {name: (first.get(name), second.get(name)) for name in (*MACHINE, *SETTINGS)}
    packages = [head.get("packages") or {} for head in (first, second)]
    pairs |= {name: (packages[0].get(name), packages[1].get(name)) for name in CORE}
    both = a.report.loaded.keys() & b.report.loaded.keys()
    pairs["BLAS"] = (_blas(a, both), _blas(b, both))
    return [f"{name}: {one} there, {other} here" for name, (one, other) in pairs.items() if one != other]


def _blas(side: Side, solvers: Iterable[str]) -> list[str]:
    """Libraries of linear algebra that the workers of some solvers had loaded."""
    pools = (pool for name in solvers for pool in side.report.loaded[name] or ())
    form = "{internal_api} {version} {architecture}, {num_threads} thread"
    return sorted({form.format(**pool) for pool in pools if pool.get("user_api") == "blas"})


def anchors(a: Side, b: Side, chosen: str | None = None) -> list[str]:
    """Solvers that can anchor a comparison: the same code in both records, those with the most times first.

    Parameters
    ----------
    a, b : Side
    chosen : str, optional
        Use this one alone.

    Raises
    ------
    ValueError
        If there is none, or the chosen one is no anchor; the message says why.
    """
    times = a.timings.keys() & b.timings.keys()
    counts = {name: sum(key[0] == name for key in times) for name in a.code.keys() & b.code.keys()}
    same = [name for name in counts if a.code[name] == b.code[name] and counts[name]]
    if chosen is not None:
        if chosen not in counts:
            raise ValueError(f"{chosen} cannot be the anchor: it is not in both records")
        if chosen not in same:
            why = "its code is not the same in both" if counts[chosen] else "it has no times in common"
            raise ValueError(f"{chosen} cannot be the anchor: {why}")
        return [chosen]
    if not same:
        raise ValueError("no anchor: no solver has the same code and a time in both records")
    return sorted(same, key=lambda name: (-counts[name], not name.startswith("peer_"), name))
