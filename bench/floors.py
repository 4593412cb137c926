"""The floor under every time: two reads of X, and the Gram matrix of the final support, by the BLAS.

Measured in the same run as the solvers, so that a ratio to it means something.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.state import State

__all__ = ["floor", "measure_floors"]

ROUNDS = 5
OURS = "active_set_numba"


def floor(problem: Problem, coef: NDArray[np.float64]) -> dict[str, Any]:
    """Time two products X'r and the Gram matrix of the support of coef, (p,).

    Returns
    -------
    dict
        ``support``; ``reads_seconds`` and ``gram_seconds``, each the median of five.
    """
    X, r = problem.X, np.linspace(-1.0, 1.0, problem.n)
    support = np.flatnonzero(coef)
    F = X[:, support] if problem.is_sparse else np.asfortranarray(X[:, support])
    Xt, Ft = X.T, F.T

    def reads() -> None:
        Xt @ r
        Xt @ r

    return {
        "support": int(support.size),
        "reads_seconds": _median(reads),
        "gram_seconds": _median(lambda: Ft @ F) if support.size else 0.0,
    }


def _median(work: Callable[[], Any]) -> float:
    work()
    seconds = []
    for _ in range(ROUNDS):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return median(seconds)


def measure_floors(state: State) -> None:
    """Put the floor of every cell with an L1 penalty on record, measured in the process of our solver."""
    client = next((client for client in state.clients if client.solver == OURS), None)
    if client is None:
        return
    pairs = [pair for pair in state.pairs if pair.client is client and pair.handle.task.job == "solve"]
    for pair in pairs:
        if pair.handle.problem.l1 > 0 and (found := client.floor(pair.handle)):
            about = {"cell": pair.cell.name, "digest": pair.handle.digest}
            state.append({"kind": "floor", "run": state.plan.run, **about, **found})
