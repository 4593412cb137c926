"""Faults of the judge: the gap, its radius, its scale, and the levels beyond float."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from solvers import Problem

from ...proofs import Certificate, Judge, exact, judge, rigorous
from ...proofs.design import Design
from ...proofs.dual import Penalty
from ...proofs.projection import Span
from ...proofs.reduced import Outside, Reduced
from ...proofs.scaled import Scaled
from .. import judging
from . import Wrong, planted_in_judge
from .reference import Vector

Certify = Callable[..., Certificate]


def _every_certificate(wrong: Wrong, change: Callable[[Problem, Vector, float, Certificate], Any]) -> None:
    """Change each certificate that proves something."""

    def make(honest: Certify) -> Certify:
        def certify(self: Judge, coef: Any, intercept: float = 0.0) -> Certificate:
            found = honest(self, coef, intercept)
            if found.gap is None:
                return found
            changes = change(self.problem, np.asarray(coef, dtype=np.float64), intercept, found)
            return replace(found, **changes)

        return certify

    wrong(Judge, "certify", make)


def _textbook(problem: Problem, w: Vector, b: float, centred: bool) -> float | None:
    """Primal minus dual of the scaled residual, for lasso; None for the rest."""
    if problem.l2 > 0 or problem.l1 == 0 or problem.positive or problem.penalty_weights is not None:
        return None
    s, S = problem.s, problem.S
    r = problem.y - problem.X @ w - b
    theta = r - float(s @ r) / S if problem.intercept and centred else r
    u = np.abs(problem.X.T @ (s * theta)) / S
    theta = theta * min(1.0, problem.l1 / max(float(np.max(u)), 1e-300))
    dual = (float(s @ (theta * problem.y)) - float(s @ theta**2) / 2) / S
    return float(s @ r**2) / (2 * S) + problem.l1 * float(np.sum(np.abs(w))) - dual


# ---- the gap -----------------------------------------------------------------------------------------------


@planted_in_judge("weak_duality")
def gap_without_centring(wrong: Wrong) -> None:
    """With an intercept the dual point is not made orthogonal to the constant."""

    def change(problem: Problem, w: Vector, b: float, found: Certificate) -> dict[str, Any]:
        gap = _textbook(problem, w, b, centred=False)
        return {} if gap is None else {"gap": gap, "dual": found.primal - gap}

    _every_certificate(wrong, change)


@planted_in_judge("weak_duality")
def gap_by_subtraction(wrong: Wrong) -> None:
    """The gap is primal minus dual as two numbers: nothing is left of it where y lies far from zero."""

    def change(problem: Problem, w: Vector, b: float, found: Certificate) -> dict[str, Any]:
        gap = _textbook(problem, w, b, centred=True)
        return {} if gap is None else {"gap": gap, "dual": found.primal - gap}

    _every_certificate(wrong, change)


@planted_in_judge("weak_duality")
def dual_point_not_feasible(wrong: Wrong) -> None:
    """|u_j| <= l1_j is not looked at: nothing caps alpha, and nothing is charged."""

    def no_cap(honest: Any) -> Any:
        def best(linear: float, square: float, *_: Any) -> list[float]:
            return [linear / square if square else 0.0]

        return best

    def no_charge(honest: Any) -> Any:
        def penalty_side(
            self: Judge, w: Vector, u: Vector, size: Vector, inherited: Vector, move: Vector
        ) -> tuple[float, float]:
            penalty = self._scaled.penalty
            bound = self._capped | self._scaled.free
            inside = np.where(bound, np.clip(u, -penalty.l1, penalty.l1), u)
            return float(np.sum(penalty.fenchel_young(w, inside, penalty.l1))), 0.0

        return penalty_side

    wrong(judge, "best_multiple", no_cap)
    wrong(Judge, "_penalty_side", no_charge)


@planted_in_judge("weak_duality")
def unpenalised_columns_forgotten(wrong: Wrong) -> None:
    """The dual point is not projected off the columns with v_j = 0, and nothing is charged for them."""

    def init(honest: Any) -> Any:
        def make(self: Span, design: Design, members: Any, constant: bool) -> None:
            honest(self, design, members[:0], constant)

        return make

    def no_charge(honest: Any) -> Any:
        def penalty_side(
            self: Judge, w: Vector, u: Vector, size: Vector, inherited: Vector, move: Vector
        ) -> tuple[float, float]:
            free = self._scaled.free
            value, radius = honest(self, w, np.where(free, 0.0, u), size, inherited, move)
            return value, radius

        return penalty_side

    wrong(Span, "__init__", init)
    wrong(Judge, "_penalty_side", no_charge)


@planted_in_judge("weak_duality")
def gap_is_a_tenth(wrong: Wrong) -> None:
    """The gap is a tenth of what was computed: a unit slipped."""
    _every_certificate(
        wrong, lambda problem, w, b, found: {"gap": found.gap / 10 if found.gap else found.gap}
    )


@planted_in_judge("weak_duality")
def conjugate_without_l1(wrong: Wrong) -> None:
    """The conjugate of the elastic net begins at l1 + |u|/2, not at l1."""

    def make(honest: Any) -> Any:
        def fenchel_young(self: Penalty, w: Vector, u: Vector, l1: Vector) -> Vector:
            off = honest(self, w, u, l1 + 0.5 * np.abs(u))
            return np.where(self.l2 > 0, off, honest(self, w, u, l1))

        return fenchel_young

    wrong(Penalty, "fenchel_young", make)


@planted_in_judge("weak_duality")
def radius_forgotten(wrong: Wrong) -> None:
    """The rounding of the gap is given as 0."""
    _every_certificate(wrong, lambda problem, w, b, found: {"radius": 0.0})


@planted_in_judge("radius_is_small")
def radius_too_large(wrong: Wrong) -> None:
    """The rounding of the gap is a millionth of the objective, so that no gap is ever wrong."""

    def change(problem: Problem, w: Vector, b: float, found: Certificate) -> dict[str, Any]:
        return {"radius": 1e-6 * found.primal}

    _every_certificate(wrong, change)


@planted_in_judge("tight_at_the_optimum")
def both_signs_for_positive(wrong: Wrong) -> None:
    """Under w >= 0 the dual point is held to |u_j| <= l1_j, which is valid and needlessly bad."""
    wrong(Penalty, "towards", lambda honest: lambda self, u: np.abs(u))


@planted_in_judge("gap_in_one_dimension")
def alpha_is_a_half_at_most(wrong: Wrong) -> None:
    """The best multiple of the residual is halved: a valid bound that is never tight."""

    def make(honest: Any) -> Any:
        return lambda *arguments: [alpha / 2 for alpha in honest(*arguments)]

    wrong(judge, "best_multiple", make)


@planted_in_judge("primal_is_the_objective")
def l2_not_halved_by_the_judge(wrong: Wrong) -> None:
    """The judge's objective has l2 w^2 in the place of l2/2 w^2."""

    def change(problem: Problem, w: Vector, b: float, found: Certificate) -> dict[str, Any]:
        v = np.where(np.isfinite(problem.v), problem.v, 0.0)
        return {"primal": found.primal + problem.l2 / 2 * float(v @ w**2)}

    _every_certificate(wrong, change)


@planted_in_judge("primal_is_the_objective")
def weights_ignored_by_the_judge(wrong: Wrong) -> None:
    """Sample weights are not looked at."""

    def make(honest: Any) -> Any:
        return lambda self, problem: honest(self, problem.replace(sample_weight=None))

    wrong(Scaled, "__init__", make)


@planted_in_judge("scale_is_the_null_fit")
def relative_to_y(wrong: Wrong) -> None:
    """N is the objective at w = 0, b = 0, though b and the unpenalised columns could be fitted."""

    def change(problem: Problem, w: Vector, b: float, found: Certificate) -> dict[str, Any]:
        N = float(problem.s @ problem.y**2) / (2 * problem.S)
        return {"scale": N, "gap_rel": (found.gap or 0.0) / N if N else 0.0}

    _every_certificate(wrong, change)


@planted_in_judge("broken_points")
def constraints_not_looked_at(wrong: Wrong) -> None:
    """A negative coefficient under w >= 0, or one with v_j = inf, gets a certificate like any other."""

    def make(honest: Any) -> Any:
        def broken(self: Judge, coef: Vector, b: float) -> str:
            reason: str = honest(self, coef, b)
            return "" if "positive" in reason or "inf" in reason else reason

        return broken

    wrong(Judge, "_broken", make)


@planted_in_judge("certified_zeros")
def zeros_without_reach(wrong: Wrong) -> None:
    """A coefficient is called zero as soon as |u_j| < l1_j, however large the gap."""

    def change(problem: Problem, w: Vector, b: float, found: Certificate) -> dict[str, Any]:
        r = problem.y - problem.X @ w - b
        u = np.abs(problem.X.T @ (problem.s * r)) / problem.S
        return {"certified_zeros": u < problem.l1 * problem.v}

    _every_certificate(wrong, change)


@planted_in_judge("kkt_by_hand")
def kkt_in_units_of_y(wrong: Wrong) -> None:
    """The violation of stationarity is absolute: it changes with the units of y."""

    def change(problem: Problem, w: Vector, b: float, found: Certificate) -> dict[str, Any]:
        return {"kkt": (found.kkt or 0.0) * float(np.max(np.abs(problem.y)))}

    _every_certificate(wrong, change)


@planted_in_judge("implied_penalty")
def implied_without_weights(wrong: Wrong) -> None:
    """The penalty that fits is fitted as if every w_j had the same sign."""

    def make(honest: Any) -> Any:
        return lambda u, rounding, regressors, nominal: honest(u, rounding, np.abs(regressors), nominal)

    wrong(judge, "implied_penalty", make)


@planted_in_judge("each_problem_its_own")
def certificate_of_a_cached_problem(wrong: Wrong) -> None:
    """What depends on the problem alone is kept by its shape, and served to others of that shape."""
    kept: dict[tuple[Any, ...], Judge] = {}

    def make(honest: Any) -> Any:
        def init(self: Judge, problem: Problem) -> None:
            honest(self, problem)
            flags = problem.intercept, problem.positive, tuple(np.isfinite(problem.v)), tuple(problem.s > 0)
            first = kept.setdefault((problem.n, problem.p, problem.is_sparse, *flags), self)
            self._scaled = first._scaled

        return init

    wrong(Judge, "__init__", make)


@planted_in_judge("rigorous_holds")
def rigorous_without_rounding(wrong: Wrong) -> None:
    """Level rigorous counts the unit roundoff as 0."""
    wrong(rigorous, "U", lambda honest: 0.0)
    wrong(rigorous, "TINY", lambda honest: 0.0)


@planted_in_judge("rigorous_holds")
def rigorous_and_loose(wrong: Wrong) -> None:
    """Level rigorous takes a unit roundoff of 2^-40: valid, and useless."""
    wrong(rigorous, "U", lambda honest: 2.0**-40)


@planted_in_judge("exact_optimum")
def support_taken_on_trust(wrong: Wrong) -> None:
    """The columns outside the support that a solver found are not looked at."""
    wrong(Reduced, "outside", lambda honest: lambda self, at: Outside([], [], []))


@planted_in_judge("digits_and_features")
def digits_of_the_largest(wrong: Wrong) -> None:
    """Correct digits are counted relative to the largest coefficient, not to each."""

    def make(honest: Any) -> Any:
        def correct_digits(coef: Any, best: exact.ExactOptimum) -> Vector:
            error = np.abs(np.asarray(coef) - best.coef) / np.max(np.abs(best.coef))
            return np.clip(-np.log10(np.maximum(error, 1e-300)), 0.0, exact.FULL_DIGITS)

        return correct_digits

    wrong(judging, "correct_digits", make)


@planted_in_judge("digits_and_features")
def false_features_not_counted(wrong: Wrong) -> None:
    """A feature counts as false only if its coefficient is above 1e-3."""

    def make(honest: Any) -> Any:
        return lambda coef, best: honest(np.where(np.abs(coef) > 1e-3, coef, 0.0), best)

    wrong(judging, "features", make)
