"""The proven optimum against sign patterns tried one by one, against NIST, and against wrong starts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from flint import fmpq

from solvers import Problem, Stop, solve
from verification import certify
from verification.campaigns.exact_reference import ExactProblem
from verification.campaigns.random_problems import combinations, problem_of
from verification.checks.published import DataMissing
from verification.checks.published_nist import NAMES, Dataset, dataset
from verification.problems.known_answer import known_answers
from verification.proofs import exact as module
from verification.proofs.exact import (
    FULL_DIGITS,
    ExactOptimum,
    Features,
    RationalProblem,
    Unproven,
    correct_digits,
    features,
    optimum,
)

CERTIFIED = 15  # significant digits of NIST's certified values


def fraction(x: fmpq) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def toy(n: int = 30, p: int = 12, seed: int = 0, **options: object) -> Problem:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = X @ (rng.standard_normal(p) * (np.arange(p) % 3 == 0)) + rng.standard_normal(n)
    return Problem(X, y, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("part", range(6))
def test_it_is_the_optimum_that_trying_all_patterns_finds(part: int) -> None:
    unique = 0
    chosen = np.random.default_rng(4).permutation(len(combinations()))[part::24]
    for combination in [combinations()[i] for i in chosen]:
        problem = problem_of(combination)
        reference = ExactProblem(problem).optimum()
        start = np.random.default_rng(part).standard_normal(problem.p)
        found = optimum(problem, start, cached=False)
        assert Fraction(found.value_low) <= fraction(reference.value) <= Fraction(found.value_high)
        if not found.unique:
            continue
        unique += 1
        for j, w in enumerate(map(fraction, reference.coef)):
            assert Fraction(found.low[j]) <= w <= Fraction(found.high[j])
            assert found.coef[j] == w.numerator / w.denominator  # correctly rounded
        b = fraction(reference.intercept)
        assert found.intercept == b.numerator / b.denominator
        assert Fraction(found.intercept_low) <= b <= Fraction(found.intercept_high)
        assert found.intercept_high - found.intercept_low <= 4 * np.spacing(abs(found.intercept))
    assert unique > 10


@pytest.mark.parametrize("name", list(known_answers()))
def test_answers_known_in_advance(name: str) -> None:
    answer = known_answers()[name].load()
    try:
        found = optimum(answer.problem, np.zeros(answer.problem.p), cached=False)
    except Unproven as reason:
        pytest.skip(str(reason))
    counted = answer.problem.s > 0
    fitted = [z.numerator / z.denominator for z in answer.fitted]
    assert np.array_equal(found.fitted[counted], np.array(fitted)[counted])
    assert found.unique or not answer.unique
    if found.unique:
        for low, w, high in zip(found.low, answer.coef, found.high, strict=True):
            assert Fraction(low) <= w <= Fraction(high)


@pytest.mark.parametrize("name", NAMES)
def test_nist_to_all_certified_digits(name: str) -> None:
    data = published(name)
    found = optimum(RationalProblem(data.columns, data.y, intercept=data.intercept))
    assert found.unique
    ends = list(zip(found.low, found.high, strict=True))
    if data.intercept:
        ends.insert(0, (found.intercept_low, found.intercept_high))
    for (low, high), printed in zip(ends, data.coef, strict=True):
        unit = Fraction(Decimal(1).scaleb(printed.adjusted() - CERTIFIED + 1 if printed else -CERTIFIED))
        # the interval's ends are floats, on either side of the exact value
        float_unit = Fraction(np.spacing(abs(float(printed))))
        assert Fraction(high) - Fraction(low) <= 2 * float_unit
        assert Fraction(low) - unit / 2 <= Fraction(printed) <= Fraction(high) + unit / 2


def test_filip_through_float_columns_has_fewer_digits_than_through_decimals() -> None:
    data = published("Filip")
    found = optimum(data.problem(), cached=False)
    certified = np.array([float(x) for x in data.coef[1:]])
    digits = -np.log10(np.max(np.abs(found.coef - certified) / np.abs(certified)))
    assert 7 < digits < 8


def published(name: str) -> Dataset:
    try:
        return dataset(name)
    except DataMissing as reason:
        pytest.skip(f"NIST's files are not here: {reason}")


@pytest.mark.parametrize("start", ["zero", "noise", "dense", "opposite"])
@pytest.mark.parametrize("options", [{"l1": 0.05}, {"l1": 0.05, "l2": 0.1, "intercept": True},
                                     {"l1": 0.01, "positive": True}], ids=str)  # fmt: skip
def test_a_wrong_support_is_repaired(start: str, options: dict[str, object]) -> None:
    problem = toy(20, 60, **options)
    right = solve(problem, "active_set_numba", Stop(tol=1e-10, time_limit=5.0)).coef
    rng = np.random.default_rng(1)
    wrong = {
        "zero": np.zeros(60),
        "noise": right + 1e-9 * rng.standard_normal(60),
        "dense": rng.standard_normal(60),
        "opposite": -right,
    }[start]
    found = optimum(problem, wrong, cached=False)
    assert found.unique
    np.testing.assert_allclose(found.coef, right, atol=1e-5)


def test_ridge_wider_than_its_rows_agrees_with_the_square_form() -> None:
    problem = toy(8, 40, l2=0.3, intercept=True, penalty_weights=np.r_[0.0, np.linspace(0.5, 2, 39)])
    wide = optimum(problem, cached=False)
    assert wide.unique
    # the same rows twice with half the weight each: then it is not wide
    X, y = np.tile(problem.X, (4, 1)), np.tile(problem.y, 4)
    square = optimum(Problem(X, y, l2=0.3, intercept=True, penalty_weights=problem.v), cached=False)
    assert np.array_equal(wide.coef, square.coef)
    assert wide.value == square.value


def test_ties_and_duplicates() -> None:
    X = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    double = optimum(Problem(X, [4.0, 1.0], l1=0.5), cached=False)
    assert double.uniqueness == "not unique"
    assert double.fitted.tolist() == [3.0, 0.0]  # unique all the same
    assert np.isnan(correct_digits([1.0, 2.0, 0.0], double)).all()
    assert features([1.0, 2.0, 0.0], double) is None
    edge = optimum(Problem(np.eye(2), [4.0, 1.0], l1=0.5), cached=False)
    assert edge.unique
    assert edge.tied == 1
    assert edge.coef.tolist() == [3.0, 0.0]


def test_columns_that_are_tied_alike_are_not_called_another_optimum() -> None:
    """Both would have to leave zero upwards, and only one way and the other they cancel."""
    X = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    found = optimum(Problem(X, [4.0, 1.0], l1=0.5, positive=True), cached=False)
    assert found.tied == 2
    assert found.uniqueness == "undecided"


def test_the_largest_support_for_rationals_is_the_limit_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    tie = Problem(np.array([[3.0, 1.0], [0.0, 1.0]]), [4.0, 1.0], l1=0.75)  # at 7/6, which no ball holds
    monkeypatch.setattr(module, "LARGEST_RATIONAL", 1)
    found = optimum(tie, cached=False)
    assert (found.coef.tolist(), found.tied, found.arithmetic) == ([7 / 6, 0.0], 1, "rationals")
    assert found.steps <= 3  # no more bits were tried before: on a support of one rationals are cheap
    monkeypatch.setattr(module, "LARGEST_RATIONAL", 0)
    with pytest.raises(Unproven, match="on a support of 1"):
        optimum(tie, cached=False)


def test_a_third_is_rounded_correctly_and_enclosed() -> None:
    third = optimum(RationalProblem([["0.3"]], ["0.1"]))
    assert third.coef[0] == 1 / 3
    assert Fraction(third.low[0]) < Fraction(1, 3) < Fraction(third.high[0])


def test_correct_digits_as_nist_counts_them() -> None:
    problem = Problem(np.eye(4), [8.0, 4.0, 0.0, 0.5], l1=0.25)
    found = optimum(problem, cached=False)
    assert found.coef.tolist() == [7.0, 3.0, 0.0, 0.0]
    digits = correct_digits([7.0, 3.003, 7e-5, 0.0], found)
    assert digits[0] == digits[3] == FULL_DIGITS
    np.testing.assert_allclose(digits[1:3], [3.0, 5.0], atol=1e-12)
    assert correct_digits([np.nan, -3.0, np.inf, 0.0], found).tolist()[:3] == [0.0, 0.0, 0.0]
    assert not np.signbit(correct_digits([14.0, 3.0, 0.0, 0.0], found)).any()  # -log10(1) is 0, not -0
    assert features([7.0, 0.0, 1e-9, 0.0], found) == Features(1, 1)
    with pytest.raises(ValueError, match="shape"):
        correct_digits([1.0], found)


def test_it_is_kept_by_digest_and_by_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(module.__file__).parents[2] / ".cache" / "exact" == module.CACHE
    monkeypatch.setattr(module, "CACHE", tmp_path / "a" / "folder")  # made where it is not
    optimum(toy(l1=0.2))
    problem = toy(l1=0.1)
    first = optimum(problem)
    monkeypatch.setattr(module, "_prove", None)  # a second proof would fail
    again = optimum(problem)
    assert isinstance(again, ExactOptimum)
    assert again.point == first.point
    assert np.array_equal(again.coef, first.coef)
    assert again.value_low == first.value_low
    monkeypatch.setattr(module, "_code", lambda: "other code")
    with pytest.raises(TypeError):
        optimum(problem)


def test_sparse_float32_and_extreme_scales_are_read_exactly() -> None:
    base = toy(l1=0.1, intercept=True)
    X = np.round(base.X * 64) / 64
    dense = optimum(base.replace(X=X), cached=False)
    for other in (sp.csc_array(X), sp.csr_array(X), X.astype(np.float32)):
        assert np.array_equal(optimum(base.replace(X=other), cached=False).coef, dense.coef)
    far = optimum(base.replace(X=X * 2.0**400, y=base.y * 2.0**-400), cached=False)
    assert np.array_equal(far.coef, dense.coef * 2.0**-800)


def test_a_support_that_is_too_large_is_refused_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verification.proofs.search.LARGEST", 5)
    with pytest.raises(Unproven, match="limit is 5"):
        optimum(toy(), cached=False)


def test_rows_count_alike_unless_weights_say_otherwise() -> None:
    mean = optimum(RationalProblem([[1, 1, 1]], [1, 2, 6]))
    assert mean.coef.tolist() == [3.0]
    weighted = optimum(RationalProblem([[1, 1, 1]], [1, 2, 6], sample_weight=[2, 0, 1]))
    assert weighted.coef[0] == 8 / 3
    assert np.isnan(weighted.fitted[1])


def test_of_a_start_with_too_many_coefficients_the_largest_are_kept() -> None:
    problem = toy(4, 30, l1=0.1)
    coef = np.arange(30) - 14.5
    kept = module._start(module.Integers(problem), coef, 0.0)
    assert len(kept) == 20  # five for each row
    assert set(kept) == set(np.argsort(-np.abs(coef))[:20].tolist())


@pytest.mark.parametrize("size", [0.0, 1e-9, 0.5])
def test_level_exact_measures_from_the_optimum_itself(size: float) -> None:
    problem = toy(l1=0.1, intercept=True)
    best = optimum(problem, cached=False)
    moved = best.coef + size * (np.arange(problem.p) == 1)
    found = certify(problem, moved, best.intercept, level="exact")
    assert found.gap is not None
    assert found.radius is not None
    assert 0 <= found.gap <= certify(problem, moved, best.intercept, level="rigorous").gap
    assert found.gap == pytest.approx(found.primal - best.value, abs=found.radius)
    assert found.gap <= 2 * np.spacing(found.primal) or size > 0
    assert np.array_equal(found.certified_zeros, (best.low == 0) & (best.high == 0))
    assert found.false_features == np.sum(found.certified_zeros & (moved != 0))


def test_level_exact_knows_how_well_it_knows_the_value() -> None:
    for seed in range(5):
        problem = toy(l1=0.1, seed=seed)
        best = optimum(problem, cached=False)
        found = certify(problem, best.coef, level="exact")
        assert best.value_high > best.value_low  # a real number, between two floats
        assert found.radius == np.spacing(found.primal) + (best.value_high - best.value_low)
        assert (found.dual, found.alpha, found.kind) == (best.value_low, None, "the optimum, unique")
        assert found.gap_rel == (found.gap or 0.0) / found.scale


def test_level_exact_where_there_is_no_one_optimum_or_no_point() -> None:
    twins = Problem(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), [4.0, 0.5], l1=0.5)
    found = certify(twins, [1.5, 1.5, 0.0], level="exact")
    assert (found.kind, found.gap) == ("the optimum, not unique", 0.0)
    assert found.certified_zeros.tolist() == certify(twins, [1.5, 1.5, 0.0]).certified_zeros.tolist()
    moved = certify(twins, [1.5, 1.5, 1e-3], level="exact")
    assert (moved.gap or 0.0) > 0
    none = certify(twins, [np.nan, 0.0, 0.0], level="exact")
    assert (none.level, none.kind, none.gap) == ("exact", "NONE", None)


def test_rounding_outwards_at_the_ends_of_the_range() -> None:
    from verification.proofs.integers import downward, nearest, upward

    huge = Fraction(2) ** 1025
    assert (upward(huge), downward(huge)) == (np.inf, np.finfo(float).max)
    assert (upward(-huge), downward(-huge)) == (-np.finfo(float).max, -np.inf)
    assert (nearest(huge), nearest(-huge)) == (np.inf, -np.inf)
    third = Fraction(1, 3)
    assert Fraction(downward(third)) < third < Fraction(upward(third))
    assert upward(third) - downward(third) == np.spacing(1 / 3)
    assert upward(Fraction(1, 4)) == downward(Fraction(1, 4)) == 0.25


def test_zeros_stay_zeros_in_integers() -> None:
    from verification.proofs.integers import dyadic

    numbers, unit = dyadic(np.zeros(3))
    assert (numbers, unit) == ([0, 0, 0], 1)
    numbers, unit = dyadic(np.array([0.0, 0.75, -3.0, 2.0**-60]))
    assert [float(Fraction(x) * Fraction(int(unit.p), int(unit.q))) for x in numbers] == [
        0,
        0.75,
        -3,
        2.0**-60,
    ]
    X = np.array([[1.0, 0.0], [2.0, 0.0], [-1.0, 0.0]])
    assert optimum(Problem(X, np.zeros(3), l1=0.1), cached=False).value == 0
    found = optimum(Problem(X, [3.0, 3.0, 3.0], l2=1.0), cached=False)
    assert found.coef.tolist() == [6 / 9, 0.0]  # x'y / (x'x + n l2)
