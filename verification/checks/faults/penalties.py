"""Faults that solve another objective than (P): penalties and weights misread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers import Problem, Solution, Stop

from . import descend, planted
from .reference import Descent, Vector


def _scaled(problem: Problem, stop: Stop, l1: float, l2: float) -> Solution:
    return descend(problem.replace(l1=l1 * problem.l1, l2=l2 * problem.l2), stop)


@planted("right_tall")
def l1_times_1_001(problem: Problem, stop: Stop) -> Solution:
    """l1 is a thousandth too large."""
    return _scaled(problem, stop, 1.001, 1.0)


@planted("right_every_l1")
def l1_times_1_05(problem: Problem, stop: Stop) -> Solution:
    """l1 is 5 % too large."""
    return _scaled(problem, stop, 1.05, 1.0)


@planted("right_known_answers")
def loss_over_n(problem: Problem, stop: Stop) -> Solution:
    """The loss is divided by n, not by 2 n."""
    return _scaled(problem, stop, 0.5, 0.5)


@planted("right_ridge")
def l2_not_halved(problem: Problem, stop: Stop) -> Solution:
    """The penalty is l2 w^2, not l2/2 w^2."""
    return _scaled(problem, stop, 1.0, 2.0)


@planted("right_elastic_net")
def penalties_swapped(problem: Problem, stop: Stop) -> Solution:
    """l1_ratio is read as the share of l2."""
    return descend(problem.replace(l1=problem.l2, l2=problem.l1), stop)


@planted("response_scale")
def l2_in_units_of_y(problem: Problem, stop: Stop) -> Solution:
    """l2 is multiplied by the standard deviation of y, as in glmnet."""
    return _scaled(problem, stop, 1.0, float(np.std(problem.y)) or 1.0)


@planted("objective_scale")
def n_for_the_sum_of_weights(problem: Problem, stop: Stop) -> Solution:
    """The penalties are multiplied by n where S is meant."""

    def penalties(self: Descent) -> tuple[Vector, Vector]:
        l1, l2 = Descent.penalties(self)
        return l1 * problem.n / self.S, l2 * problem.n / self.S

    return descend(problem, stop, penalties=penalties)


@planted("repeated_rows")
def rows_times_weights(problem: Problem, stop: Stop) -> Solution:
    """Rows are multiplied by s, not by its square root."""
    return descend(problem, stop, roots=lambda self: self.s)


@planted("absent_rows")
def weight_zero_counts(problem: Problem, stop: Stop) -> Solution:
    """A sample weight of 0 is taken for a missing one, and becomes 1."""
    return descend(problem, stop, weights=lambda self: np.where(problem.s == 0, 1.0, problem.s))


@planted("right_penalty_weights")
def v_on_l1_only(problem: Problem, stop: Stop) -> Solution:
    """The weights v multiply l1, not l2."""

    def penalties(self: Descent) -> tuple[Vector, Vector]:
        return Descent.penalties(self)[0], np.full(self.kept.size, self.S * problem.l2)

    return descend(problem, stop, penalties=penalties)


@planted("right_penalty_weights")
def v_zero_is_one(problem: Problem, stop: Stop) -> Solution:
    """A penalty weight of 0 is taken for a missing one, and becomes 1."""
    return descend(problem.replace(penalty_weights=np.where(problem.v == 0, 1.0, problem.v)), stop)


@planted("fixed_column")
def v_inf_is_a_million(problem: Problem, stop: Stop) -> Solution:
    """A penalty weight of inf becomes 1e6: ridge leaves a small coefficient there."""
    return descend(problem.replace(penalty_weights=np.minimum(problem.v, 1e6)), stop)


@planted("penalty_units")
def v_sums_to_p(problem: Problem, stop: Stop) -> Solution:
    """Penalty weights are rescaled to sum to p, as in glmnet."""
    v = problem.v
    mean = float(np.mean(v[np.isfinite(v)])) if np.isfinite(v).any() else 0.0
    return descend(problem.replace(penalty_weights=v / mean if mean > 0 else v), stop)


@planted("column_scale")
def penalty_on_standardised_columns(problem: Problem, stop: Stop) -> Solution:
    """Columns are divided by their standard deviation, and so the penalty falls on other coefficients."""

    def penalties(self: Descent) -> tuple[Vector, Vector]:
        sd = np.sqrt(np.mean(self.A**2, axis=0))
        l1, l2 = Descent.penalties(self)
        return l1 * sd, l2 * sd**2

    return descend(problem, stop, penalties=penalties)


@planted("column_scale")
def column_scaling_not_undone(problem: Problem, stop: Stop) -> Solution:
    """Returns the coefficients of the columns divided by their norms."""
    found = Descent(problem, stop)
    norm = np.ones(problem.p)
    norm[found.kept] = np.sqrt(found.curvature / found.S)
    right = found.solve()
    return replace(right, coef=right.coef * norm)
