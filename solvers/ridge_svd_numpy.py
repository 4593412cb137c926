"""Ridge by the singular values of A: one decomposition for every l2. [golub2013], [hoerl1970].

About 4 n k min(n, k) to 14 n k min(n, k) once, then 2 k min(n, k) for each l2. No Gram matrix is formed, so
nearly dependent columns and penalties near 0 do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ._factorised import Elimination, Spectrum, refine
from ._memory import refuse_beyond
from ._progress import trivial
from ._standard_form import StandardForm, standard_form
from ._warm import rescaled
from .problem import Problem
from .solution import Solution, Stop

SUPPORTS = {"l2", "sparse"}
CITES = ("golub2013", "hoerl1970")
PACKAGE = None


def refuses(problem: Problem) -> str | None:
    """Refuse an X that does not fit in memory as a dense array."""
    return refuse_beyond(problem.n, problem.p, "X, dense,")


def setup(problem: Problem, stop: Stop) -> Callable[[], Solution]:
    """Standard form, as X lies in memory."""
    form = standard_form(problem)
    return lambda: next(_along(form, [1.0], stop))


def l2_path(problem: Problem, l2s: Sequence[float], stop: Stop) -> Iterator[Solution]:
    """Solve the ridge problem for each l2 > 0, in the order given, from one decomposition."""
    form = standard_form(problem.replace(l2=l2s[0]))
    yield from _along(form, [l2 / l2s[0] for l2 in l2s], stop)


def _along(form: StandardForm, multiples: Sequence[float], stop: Stop) -> Iterator[Solution]:
    spectrum = None
    for multiple in multiples:
        here = rescaled(form, l2=multiple)
        settled = trivial(here, stop)
        if settled is not None:
            yield settled
            continue
        if spectrum is None:
            spectrum = Spectrum(form, Elimination(form))
        yield refine(here, stop, spectrum.correction(multiple), spectrum.out.message)
