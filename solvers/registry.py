"""The folder is the list: every file of this folder that defines ``setup`` is a solver, named by its file."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ._threads import limited
from .problem import Problem
from .solution import Solution, Status, Stop

Run = Callable[[], Solution]
FOLDER = Path(__file__).parent
UNTOLD = 1e-3  # relative gap that a user's function without ``tol`` claims


class SolverRefused(ValueError):
    """The solver does not do this kind of problem."""


class SolverMissing(ImportError):
    """The package that the solver drives is not installed."""


@dataclass(frozen=True)
class Entry:
    """One solver of the catalogue; its module is read when first asked for.

    Attributes
    ----------
    name : str
        File name without ``.py``, or ``module:function`` for a user's own.
    """

    name: str
    _module: Callable[[], Any] = field(repr=False)

    @property
    def module(self) -> Any:
        """The solver's module; importing it must be cheap (heavy imports belong in ``setup``)."""
        return self._module()

    @property
    def summary(self) -> str:
        """First line of the file's docstring."""
        return (self.module.__doc__ or "").strip().split("\n")[0]

    @property
    def supports(self) -> frozenset[str]:
        """Among "l1", "l2", "ols", "positive", "sparse"."""
        return frozenset(self.module.SUPPORTS)

    @property
    def cites(self) -> tuple[str, ...]:
        """Keys into the bibliography of docs/maths.md."""
        return tuple(getattr(self.module, "CITES", ()))

    @property
    def package(self) -> str | None:
        """Distribution that does the work, None for our own code."""
        package: str | None = getattr(self.module, "PACKAGE", None)
        return package

    @property
    def own(self) -> bool:
        """Whether the method is written here (a peer_* adapter only converts conventions)."""
        return not self.name.startswith("peer_")

    @property
    def claims_gap(self) -> bool:
        """Whether its documented tol is a duality gap, so that "converged" is a claim to be judged."""
        return bool(getattr(self.module, "CLAIMS_GAP", self.own))

    @property
    def takes_tol(self) -> bool:
        """Whether an accuracy can be asked of it; a function without ``tol`` claims UNTOLD always."""
        return bool(getattr(self.module, "TAKES_TOL", True))

    @property
    def least_tol(self) -> float:
        """Relative gap that it claims whatever is asked: 0, or UNTOLD."""
        return 0.0 if self.takes_tol else UNTOLD

    @property
    def configurations(self) -> dict[str, dict[str, Any]]:
        """Named keyword arguments of ``setup``; a solver's time in a cell is the best of them."""
        return dict(getattr(self.module, "CONFIGURATIONS", {"default": {}}))

    @property
    def path_configurations(self) -> dict[str, dict[str, Any]]:
        """Those of its configurations that its ``path`` takes; none if it has no path of its own."""
        native = getattr(self.module, "path", None)
        if native is None:
            return {}
        taken = inspect.signature(native).parameters
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values()):
            return self.configurations
        return {
            name: options for name, options in self.configurations.items() if options.keys() <= taken.keys()
        }

    def version(self) -> str | None:
        """Version of the package, "own" without one, None if it is not installed."""
        if self.package is None:
            return "own"
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return None

    def refuses(self, problem: Problem) -> str | None:
        """Say why this problem is not for this solver, or return None."""
        for need, why in _needs(problem):
            if need not in self.supports:
                return f"does not do {why}"
        reason: str | None = self.module.refuses(problem)
        return reason

    def _ask(self, problem: Problem) -> None:
        """Raise unless the package is installed and the solver takes the problem."""
        if self.version() is None:
            raise SolverMissing(f"{self.name}: the package {self.package} is not installed")
        reason = self.refuses(problem)
        if reason is not None:
            raise SolverRefused(f"{self.name}: {reason}")

    def setup(self, problem: Problem, stop: Stop, **configuration: Any) -> Run:
        """Prepare a cold start; the returned run() is to be called once.

        Raises
        ------
        SolverMissing
            If the package is not installed.
        SolverRefused
            If ``refuses`` gives a reason.
        """
        self._ask(problem)
        run: Run = self.module.setup(problem, stop, **configuration)
        return run

    @contextmanager
    def on_threads(self, threads: int) -> Iterator[dict[str, Any]]:
        """Hold the libraries to so many threads inside; yields keyword arguments for ``setup`` and ``path``.

        A solver whose ``setup`` takes ``threads`` divides its work itself, and its libraries are held to one.

        Raises
        ------
        ValueError
            If threads < 1.
        """
        divides = threads > 1 and "threads" in inspect.signature(self.module.setup).parameters
        with limited(1 if divides else threads):
            yield {"threads": threads} if divides else {}

    def defaults(self, problem: Problem, stop: Stop) -> Run:
        """Prepare what one gets without any setting: a peer as its documentation shows, ours with Stop().

        Parameters
        ----------
        stop : Stop
            ``Stop()``, with or without a time limit, which our own solvers keep.

        Raises
        ------
        SolverMissing, SolverRefused
            As ``setup``.
        """
        self._ask(problem)
        native: Callable[[Problem], Run] | None = getattr(self.module, "defaults", None)
        run: Run = self.module.setup(problem, stop) if native is None else native(problem)
        return run

    def path(
        self, problem: Problem, l1s: Sequence[float], stop: Stop, **configuration: Any
    ) -> Iterable[Solution]:
        """One solution for each of the falling l1s > 0, each from the one before.

        Raises
        ------
        SolverMissing, SolverRefused
            As ``setup``; and if the solver has no path of its own.
        """
        self._ask(problem.replace(l1=l1s[-1]))
        native: Callable[..., Iterable[Solution]] | None = getattr(self.module, "path", None)
        if native is None:
            raise SolverRefused(f"{self.name}: has no path of its own: every point would be a cold start")
        return native(problem, l1s, stop, **configuration)


def _needs(problem: Problem) -> list[tuple[str, str]]:
    needs = []
    if problem.l1 > 0 and problem.is_penalised:
        needs.append(("l1", "an L1 penalty"))
    if problem.l2 > 0 and problem.is_penalised:
        needs.append(("l2", "an L2 penalty"))
    if not needs:
        needs.append(("ols", "least squares without a penalty"))
    if problem.positive:
        needs.append(("positive", "coefficients constrained to be >= 0"))
    if problem.is_sparse:
        needs.append(("sparse", "a sparse X"))
    return needs


def _is_solver(path: Path) -> bool:
    """Whether the file defines ``setup``; one that does not parse counts, so that it is heard of."""
    stat = path.stat()
    return _defines_setup(path, stat.st_mtime_ns, stat.st_size)


@cache
def _defines_setup(path: Path, mtime: int, size: int) -> bool:
    """Parse a file once for each of its versions."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError:
        return True
    return any(isinstance(node, ast.FunctionDef) and node.name == "setup" for node in tree.body)


@cache
def _imported(name: str) -> ModuleType:
    return importlib.import_module(f"{__package__}.{name}")


def catalogue() -> dict[str, Entry]:
    """Every solver of the folder by name, ours first, in alphabetical order."""
    names = [path.stem for path in FOLDER.glob("[a-z]*.py") if _is_solver(path)]
    names.sort(key=lambda name: (name.startswith("peer_"), name))
    return {name: Entry(name, lambda name=name: _imported(name)) for name in names}  # type: ignore[misc]


def entry(name: str) -> Entry:
    """Look a solver up: a name of the catalogue, or ``module:function`` for a user's own.

    Raises
    ------
    KeyError
        If there is none of that name; the message lists those that exist.
    """
    if ":" in name:
        return Entry(name, lambda: _UserSolver.load(name))
    path = FOLDER / f"{name}.py"  # to list the folder takes longer than many a solve
    if not (name.isidentifier() and name[0].islower() and path.is_file() and _is_solver(path)):
        raise KeyError(f"no solver {name!r}; there are: {', '.join(catalogue())}")
    return Entry(name, lambda: _imported(name))


class _UserSolver:
    """A user's function ``solve(X, y, l1, l2, [tol], [intercept]) -> coef | (coef, intercept)`` as a solver.

    It claims what it was asked for: a relative gap of ``tol``, or of UNTOLD if it takes no ``tol``.
    """

    SUPPORTS = frozenset({"l1", "l2", "ols", "sparse"})
    CLAIMS_GAP = True

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name, self.function = name, function
        self.__doc__ = function.__doc__ or f"A user's own solver, {name}."
        self.keywords = set(inspect.signature(function).parameters)
        self.TAKES_TOL = "tol" in self.keywords

    @classmethod
    @cache
    def load(cls, name: str) -> _UserSolver:
        module, _, function = name.partition(":")
        return cls(name, getattr(importlib.import_module(module), function))

    def refuses(self, problem: Problem) -> str | None:
        if problem.intercept and "intercept" not in self.keywords:
            return "does not take the keyword intercept"
        if problem.sample_weight is not None or problem.penalty_weights is not None:
            return "a user's function takes no weights"
        return None

    def setup(self, problem: Problem, stop: Stop) -> Run:
        offered = {"tol": stop.tol, "intercept": problem.intercept}
        keywords = {key: value for key, value in offered.items() if key in self.keywords}

        def run() -> Solution:
            try:
                result = self.function(problem.X, problem.y, problem.l1, problem.l2, **keywords)
            except NotImplementedError as error:
                raise SolverRefused(f"{self.name}: {str(error) or 'not implemented'}") from error
            coef, intercept = result if isinstance(result, tuple) else (result, 0.0)
            claim = stop.tol if self.TAKES_TOL else UNTOLD
            if np.iscomplexobj(coef):  # numpy would drop the imaginary part
                raise TypeError("returned complex coefficients")
            coef = np.asarray(coef, dtype=np.float64)
            return Solution(coef, float(intercept), Status.CONVERGED, 0, claim)

        return run
