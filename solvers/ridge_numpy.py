"""Ridge by Cholesky, primal or dual by shape, with iterative refinement; least squares by QR. [golub2013].

The Gram matrix costs n k min(n, k), its factor min(n, k)^3 / 3, and X is read once or twice more
(_ridge_gram.py) or, where it has to be centred by a copy, twice for each step of refinement. Where the
factorisation breaks down (nearly no penalty, dependent columns) the singular values of A take its place,
and the message says so. Least squares uses QR, with a complete orthogonal decomposition where the columns
are dependent: the solution of minimum norm.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._factorised import (
    Elimination,
    MinimumNorm,
    Spectrum,
    full_rank_qr,
    gram_correction,
    refine,
)
from ._memory import refuse_beyond
from ._progress import trivial
from ._standard_form import StandardForm, is_least_squares, standard_form
from .problem import Problem
from .solution import Solution, Stop

SUPPORTS = {"l2", "ols", "sparse"}
CITES = ("golub2013",)
PACKAGE = None


def refuses(problem: Problem) -> str | None:
    """Refuse what does not fit in memory: the Gram matrix, or for least squares X itself, densified."""
    if is_least_squares(problem):
        return refuse_beyond(problem.n, problem.p, "X, dense,") if problem.is_sparse else None
    side = min(problem.n, problem.p)
    return refuse_beyond(side, side, "the Gram matrix")


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Nothing yet: whether X has to be copied shows on the way."""
    from ._ridge_gram import ridge

    def run() -> Solution:
        quick = ridge(problem, stop)
        if quick is not None:
            return quick
        form = standard_form(problem)
        return trivial(form, stop) or (_least_squares if form.free.all() else _ridge)(form, stop)

    return run


def _least_squares(form: StandardForm, stop: Stop) -> Solution:
    A = form.dense()
    quick = full_rank_qr(A)
    if quick is not None:
        return refine(form, stop, lambda w, r: w + quick(r), "")
    general = MinimumNorm(A)
    message = general.message
    if not general.unique and form.exponents is not None:
        message += " in the scaled columns"
    return refine(form, stop, lambda w, r: w + general(r), message)


def _ridge(form: StandardForm, stop: Stop) -> Solution:
    out = Elimination(form)
    message = out.message
    try:
        correct = gram_correction(form, out)
    except np.linalg.LinAlgError:
        solution = None
    else:
        solution = refine(form, stop, correct, message)
    if solution is None or solution.claimed_gap is None or not solution.claimed_gap <= stop.tol:
        said = "the Gram matrix is not definite enough in floating point: singular values instead"
        second = refine(
            form, stop, Spectrum(form, out).correction(), "; ".join(filter(None, (message, said)))
        )
        if solution is None or second.claimed_gap < solution.claimed_gap:  # type: ignore[operator]
            return second
    return solution
