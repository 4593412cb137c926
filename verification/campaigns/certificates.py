"""The stand-alone checker: takes every honest certificate, and no changed, forged or malformed one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import scipy.sparse as sp

from solvers import Problem, Stop, solve

from ..problems.cells import Cell
from ..problems.suites import quick
from ..proofs import checker
from ..proofs.exact import ExactOptimum, Unproven, optimum
from ..proofs.export import export, seal
from . import Tally, campaign
from .forgeries import FORGERS, Content
from .malformed import MALFORMERS
from .oracle import falsehoods

__all__ = ["bases", "bytes_changed", "certificate", "forged", "malformed"]

CELLS = len(quick())
FILES = 500  # byte changes, forgeries, malformed files: of each
BASES = ("diabetes/", "breast_cancer/")  # quick cells whose certificates are forged, beside small problems
PARTS = 10


def certificate(problem: Problem, path: Path, *, off: float = 0.0) -> tuple[bytes, ExactOptimum | None]:
    """Return the file for a solver's answer, its coefficients off by a share, and the optimum if proven."""
    found = solve(problem, stop=Stop(tol=1e-10, max_iter=20_000, time_limit=20.0))
    try:
        best = optimum(problem, found.coef, found.intercept)
    except Unproven:
        best = None
    export(problem, found.coef * (1 + off), found.intercept, path, exact=best)
    return path.read_bytes(), best


@campaign(
    "certificates",
    parts=CELLS,
    bar="every quick cell has a certificate file, and the checker accepts it",
    short=lambda total: [f"{len(total.lines)} of {CELLS} cells"] if len(total.lines) < CELLS else [],
)
def certificates(part: int) -> Tally:
    """One file for each quick cell: its size, and whether it claims intervals."""
    cell, tally = quick()[part], Tally()
    problem = cell.problem()
    with TemporaryDirectory() as folder:
        raw, best = certificate(problem, Path(folder) / "certificate.json")
    try:
        words = checker.check(raw)
    except checker.Rejected as reason:
        tally.failures.append(f"{cell.name}: rejected: {reason}")
        return tally
    tally.counts["certificates accepted"] += 1
    tally.counts["of them with intervals"] += "only optimum" in words
    tally.largest("MB of a file", len(raw) / 1e6)
    why = "" if "only optimum" in words else "; no intervals: " + _why(best)
    tally.lines[cell.name] = f"{len(raw) / 1e6:.1f} MB, {words.removeprefix('proven: ')}{why}"
    return tally


def _why(best: ExactOptimum | None) -> str:
    if best is None:
        return "the optimum is not proven"
    return f"a support of {len(best.point.support)}, {best.uniqueness}, {best.tied} ties"


# ---- files to forge ----------------------------------------------------------------------------------------


def _toy(seed: int, **options: Any) -> Problem:
    rng = np.random.default_rng(seed)
    X = np.round(rng.standard_normal((12, 8)) * 256) / 256
    y = np.round((X[:, :3].sum(axis=1) + rng.standard_normal(12)) * 256) / 256
    return Problem(options.pop("wrap", np.asarray)(X), y, **options)


def _problems() -> Iterator[Problem]:
    """Small ones with every option of (P), and small cells of the suite quick."""
    v = [0, 1, 2, 0.3, np.inf, 1, 1, 1]
    yield _toy(1, l1=0.1)
    yield _toy(2, l1=0.1, intercept=True)
    yield _toy(3, l1=0.1, l2=0.3, intercept=True)
    yield _toy(4, l2=0.3, intercept=True)
    yield _toy(5, intercept=True)
    yield _toy(6, positive=True, intercept=True)
    yield _toy(7, l1=0.05, positive=True)
    yield _toy(8, l1=0.1, intercept=True, sample_weight=np.arange(12) / 7, penalty_weights=v)
    yield _toy(9, l1=0.1, intercept=True, wrap=sp.csc_array)
    for cell in quick():
        if isinstance(cell, Cell) and cell.name.startswith(BASES):
            yield cell.problem()


@cache
def bases(small: bool = False) -> tuple[bytes, ...]:
    """Return honest files with intervals, of a rough answer; without the larger ones if small."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        files = [
            certificate(problem, path, off=0.001)[0]
            for problem in _problems()
            if problem.n < 100 or not small
        ]
    return tuple(files)


def content_of(raw: bytes) -> Content:
    """Return what `export.seal` was given."""
    content: Content = json.loads(raw)
    del content["sha256"]
    return content


def accepted(raw: bytes) -> str | None:
    """Return the checker's words, None if it rejects; whatever else it raises is a failure of its own."""
    try:
        return checker.check(raw)
    except checker.Rejected:
        return None


def bytes_changed(rng: Random, many: int, tally: Tally, small: bool = False) -> None:
    """Change one byte each time."""
    for _ in range(many):
        raw = bytearray(rng.choice(bases(small)))
        place = rng.randrange(len(raw))
        raw[place] = rng.choice([b for b in range(256) if b != raw[place]])
        tally.counts["byte changes"] += 1
        if words := accepted(bytes(raw)):
            tally.failures.append(f"byte {place} changed: {words}")


def forged(rng: Random, many: int, tally: Tally, small: bool = False) -> None:
    """Forge in every way, digests right, until so many claims are false by exact arithmetic."""
    known: dict[str, Any] = {}
    done = 0
    while done < many:
        name = list(FORGERS)[tally.counts["forged files"] % len(FORGERS)]
        content = content_of(rng.choice(bases(small)))
        FORGERS[name](content, rng)
        tally.counts["forged files"] += 1
        words = accepted(seal(content))
        try:
            false = falsehoods(content, known)
        except Unproven:
            false = []
        if not false:
            tally.counts["of them not false after all"] += 1
            continue
        done += 1
        tally.counts["forgeries that are false"] += 1
        tally.counts[f"false by {name}"] += 1
        if words:
            tally.failures.append(f"{name}: {'; '.join(false)}: {words}")


def malformed(rng: Random, many: int, tally: Tally, small: bool = False) -> None:
    """Files that are not in the format, with a right digest."""
    for k in range(many):
        name = list(MALFORMERS)[k % len(MALFORMERS)]
        raw = MALFORMERS[name](content_of(rng.choice(bases(small))), rng)
        tally.counts["malformed files"] += 1
        if words := accepted(raw):
            tally.failures.append(f"{name}: {words}")


def _short(total: Tally) -> Iterator[str]:
    for what in ("byte changes", "forgeries that are false", "malformed files"):
        if total.counts[what] < FILES:
            yield f"{total.counts[what]} {what}, not {FILES}"
    for name in FORGERS:
        if not total.counts[f"false by {name}"]:
            yield f"no false claim by {name}"


@campaign(
    "forgeries",
    parts=PARTS,
    bar=f"the checker rejects {FILES} byte changes, {FILES} forgeries that are false by exact arithmetic, "
    f"and {FILES} malformed files",
    short=_short,
)
def forgeries(part: int) -> Tally:
    """Honest files of small problems and quick cells: changed, forged in every way, malformed."""
    rng, tally = Random(part), Tally()
    share = -(-FILES // PARTS)
    bytes_changed(rng, share, tally)
    forged(rng, share, tally)
    malformed(rng, share, tally)
    return tally
