"""Standard forms that differ in their penalties only: what does not depend on l1 and l2 is computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from ._standard_form import StandardForm, standard_form
from .problem import Problem, Vector
from .solution import Solution, Stop

SHARED = ("norms_sq", "free", "free_fit", "free_basis", "scale")


def rescaled(form: StandardForm, l1: float = 1.0, l2: float = 1.0) -> StandardForm:
    """The form with lam1 and lam2 multiplied by positive numbers; the data are shared, not copied."""
    new = replace(form, lam1=form.lam1 * l1, lam2=form.lam2 * l2)
    new.__dict__.update({name: form.__dict__[name] for name in SHARED if name in form.__dict__})
    return new


def forms(
    problem: Problem, l1s: Sequence[float], order: Literal["K", "F", "C"] = "K"
) -> Iterator[StandardForm]:
    """One form for each l1 > 0, on the same data."""
    first = standard_form(problem.replace(l1=l1s[0]), order)
    for name in SHARED:
        if name != "free_basis":  # only some need it
            getattr(first, name)
    for l1 in l1s:
        yield rescaled(first, l1=l1 / l1s[0])


def warm(
    problem: Problem,
    l1s: Sequence[float],
    stop: Stop,
    minimise: Callable[[StandardForm, Stop, Vector], Solution],
    order: Literal["K", "F", "C"] = "K",
) -> Iterator[Solution]:
    """Solve for each l1 in turn, each from the solution before."""
    coef = None
    for form in forms(problem, l1s, order):
        solution = minimise(form, stop, form.start(coef))
        coef = solution.coef
        yield solution
