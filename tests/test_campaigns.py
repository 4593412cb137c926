"""A little of each long trial, and that each can fail."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np
import pytest

from solvers import Problem
from verification import campaigns as module
from verification.campaigns import Campaign, Tally, campaigns, cost, keep, kept
from verification.campaigns.certificates import (
    accepted,
    bases,
    bytes_changed,
    certificate,
    content_of,
    forged,
    malformed,
)
from verification.campaigns.forgeries import FORGERS
from verification.campaigns.oracle import falsehoods, read_number
from verification.campaigns.random_problems import combinations
from verification.campaigns.rigorous import FAMILIES, run
from verification.campaigns.tightness import TIGHT, compare
from verification.campaigns.weak_duality import SHIFT, weak_duality
from verification.problems.suites import quick
from verification.proofs import checker
from verification.proofs.export import seal
from verification.proofs.rigorous import RigorousJudge

TRIALS = 60


def test_weak_duality_with_a_shifted_response() -> None:
    tally = weak_duality(combinations()[::24], SHIFT)
    assert tally.counts["points"] >= 400
    assert tally.failures == []


@pytest.mark.parametrize("family", FAMILIES)
def test_rigorous_is_never_below_the_truth(family: str) -> None:
    tally = run(f"{family} test.{k}" for k in range(8))
    assert tally.counts["trials"] >= 60
    assert tally.failures == []


def test_a_rigorous_bound_that_is_too_low_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = RigorousJudge.certify

    def low(self: RigorousJudge, *point: object) -> object:
        from dataclasses import replace

        found = honest(self, *point)  # type: ignore[arg-type]
        return found if found.gap is None else replace(found, gap=found.gap * 0.999)

    monkeypatch.setattr(RigorousJudge, "certify", low)
    assert run(f"cancellation test.{k}" for k in range(4)).failures


@pytest.mark.parametrize(
    "name", ["diabetes/lasso/l1_max:100/intercept", "breast_cancer/ridge/l2_ref_x1/intercept"]
)
def test_rigorous_is_tight_on_a_quick_cell(name: str) -> None:
    cell = next(cell for cell in quick() if cell.name == name)
    tally = Tally()
    assert compare(cell.problem(), name, tally, np.random.default_rng(0)) <= TIGHT
    assert tally.failures == []


def test_the_cost_of_rigorous_is_measured_and_a_slow_one_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "SHORTEST", 0.002)
    problem = next(cell for cell in quick() if cell.case == "diabetes").problem()
    tally = Tally()
    cost.compare(problem, "diabetes", tally)
    assert tally.counts["points"] == 2
    assert all(value > 1 for value in tally.worst.values())
    honest = RigorousJudge.certify

    def slow(self: RigorousJudge, *point: object) -> object:
        for _ in range(15):
            honest(self, *point)  # type: ignore[arg-type]
        return honest(self, *point)  # type: ignore[arg-type]

    monkeypatch.setattr(RigorousJudge, "certify", slow)
    tally = Tally()
    cost.compare(problem, "diabetes", tally)
    assert len(tally.failures) == 2


def test_the_checker_takes_the_certificate_of_a_quick_cell(tmp_path: Path) -> None:
    cell = next(cell for cell in quick() if cell.case == "diabetes2")
    raw, best = certificate(cell.problem(), tmp_path / "file")
    assert best is not None
    assert "only optimum" in checker.check(raw)


@pytest.mark.parametrize("tried", [bytes_changed, forged, malformed])
def test_no_changed_forged_or_malformed_file_is_taken(tried: object) -> None:
    tally = Tally()
    tried(Random(0), 2 * TRIALS, tally, small=True)  # type: ignore[operator]
    assert tally.failures == []


def test_every_way_to_forge_makes_a_false_claim_somewhere() -> None:
    tally = Tally()
    forged(Random(1), 40 * len(FORGERS), tally, small=True)  # one of them is false one time in ten
    assert [name for name in FORGERS if not tally.counts[f"false by {name}"]] == []


def test_a_checker_that_believes_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "check_intervals", lambda *_: None)
    tally = Tally()
    forged(Random(0), TRIALS, tally, small=True)
    assert tally.failures


def test_a_bound_written_with_more_digits_than_a_float_has_is_read_as_written() -> None:
    """Read as the float near to it, the claim would be true; as written it is not."""
    assert read_number("0x1.00000000000000001p+0") == 1 + Fraction(1, 16**17)
    content = content_of(bases(True)[0])
    bound = float.fromhex(content["claim"]["bound"])
    text = bound.hex().replace("p", "0000p")
    assert float.fromhex(text) == bound
    content["claim"]["bound"] = text
    with pytest.raises(checker.Rejected, match="not a float"):
        checker.check(seal(content))


def test_honest_files_hold_no_falsehood() -> None:
    for raw in bases(True):
        assert falsehoods(content_of(raw)) == []
        assert accepted(raw)


def test_a_sparse_certificate_holds_its_entries_only(tmp_path: Path) -> None:
    import scipy.sparse as sp

    rng = np.random.default_rng(0)
    X = sp.random_array((40, 2000), density=0.01, rng=rng, format="csc")
    problem = Problem(X, rng.standard_normal(40), l1=0.01, intercept=True)
    raw, best = certificate(problem, tmp_path / "file")
    assert best is not None
    assert len(raw) < 60 * X.nnz + 150 * problem.p + 40_000
    assert "proven" in checker.check(raw)


def test_parts_are_kept_and_summed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    mine = Campaign("mine", "what", "must", 2, lambda part: Tally(), lambda total: ())
    parts = {k: Tally(Counter(points=k + 1), {"worst": float(k)}, {str(k): "line"}) for k in range(2)}
    parts[1].failures.append("a failure")
    total = keep(mine, parts, {})
    assert total.counts == {"points": 3}
    assert total.worst == {"worst": 1.0}
    assert total.failures == ["a failure"]
    assert kept("mine") == parts
    known = {
        "weak-duality",
        "rigorous",
        "rigorous-quick",
        "rigorous-cost",
        "certificates",
        "forgeries",
        "nist",
    }
    assert set(campaigns()) == known


def test_nist_in_the_last_certified_digit() -> None:
    from dataclasses import replace

    from verification.campaigns.nist import certified, float_digits
    from verification.checks.published import DataMissing
    from verification.checks.published_nist import dataset
    from verification.proofs.exact import RationalProblem, optimum

    try:
        data = dataset("Filip")
    except DataMissing as reason:
        pytest.skip(f"NIST's files are not here: {reason}")
    best = optimum(RationalProblem(data.columns, data.y, intercept=data.intercept))
    assert certified(data, best) == [True] * 11
    off = replace(data, coef=tuple(c + c.scaleb(-14) for c in data.coef))
    assert certified(off, best) == [False] * 11
    of_nist, of_itself = float_digits("Filip")
    assert 7 < of_nist < 8
    assert of_itself > 15
