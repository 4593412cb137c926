"""Working set with Newton steps on its face, by a Gram matrix or by products. [massias2018], [fercoq2015].

The fastest of ours for sparse solutions. One pass reads X for means, norms and A'z. A working set W grows by
violation, while l1 comes down from l1_max in a few even steps if many columns are above their bounds for so
few rows (continuation). Dense X: W has a Gram matrix (|W| a move of coordinate descent), and the support F
is solved by projected Newton steps (|F|^3/3 each), then by an active-set method on an updated Cholesky
factor (|F|^2 a change). A large Gram matrix is made of columns rounded to float32, in half the time: its
error is undone by one more step from the true residual, which is iterative refinement; where the face is too
ill-conditioned for that, it is made anew in float64. Of an X that is nearly square it is made when W is
nearly complete; where most of many columns will be in use, and they have little in common, all are swept
over first, and to the end where no Gram matrix would be cheaper. Where nearly as many columns are in use as
there are rows, the factor of the face is all that is kept. Sparse X, or W too large: descent on the
residual, and Newton by conjugate gradients (two products with A_F a step) until their rate says that a Gram
matrix, or a factor, costs less. A column is read again only when |a_j'r_old| + ||a_j|| ||r - r_old|| lets it
matter.
Dense column-major float64/float32 and CSC are used in place; row-major X with many columns, and weighted X,
is copied once, in setup. A path keeps all of that, for sparse X a Gram matrix too, and is certified in
blocks of points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ._progress import trivial
from ._threads import Team
from .problem import Problem
from .solution import Solution, Stop

SUPPORTS = {"l1", "l2", "positive", "sparse"}
CITES = ("massias2018", "lee2007", "fercoq2015", "tibshirani2012", "bertsekas1982", "hestenes1952")
PACKAGE = None


def refuses(problem: Problem) -> str | None:
    """Without an L1 penalty nothing is sparse: a factorisation is the method then."""
    if problem.l1 == 0 or not problem.is_penalised:
        return "no L1 penalty, so no sparsity to work with: use a ridge solver"
    return None


def setup(problem: Problem, stop: Stop, threads: int = 1) -> Callable[[], Solution]:
    """Read X once: means, norms, A'z."""
    from ._active_set import ActiveSet
    from ._columns import Columns

    columns = Columns.of(problem, team=Team(threads))

    def run() -> Solution:
        # Unpenalised columns may fit all of y, and what they leave is rounding: no step improves on it
        if columns.form.free.any() and (settled := trivial(columns.form, stop)):
            return settled
        state = ActiveSet(columns, stop, once=True)
        state.approach()
        return state.solve()

    return run


def path(problem: Problem, l1s: Sequence[float], stop: Stop, threads: int = 1) -> Iterator[Solution]:
    """Yield the solution at each of the falling l1s; the Gram matrix and the face are carried along."""
    from ._active_set import ActiveSet
    from ._columns import Columns
    from ._path_blocks import follow

    columns = Columns.of(problem.replace(l1=l1s[0]), many=True, team=Team(threads))
    state = ActiveSet(columns, stop)
    if columns.form.free.any():  # the same at the last l1 is the same at all of them
        settled = trivial(replace(columns.form, lam1=state.penalties(l1s[-1])), stop)
        if settled:
            yield from (replace(settled, coef=settled.coef.copy()) for _ in l1s)
            return
    yield from follow(state, l1s)
