"""Faults of the judge: verdicts, certificate files, the trials, the checks themselves."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from solvers import Problem, Status

from ... import trials, verdict, verdict_penalty
from ...proofs import checker
from .. import check, held, judging_verdicts
from . import Wrong, planted_in_judge


@planted_in_judge("dishonest_answers")
def margin_of_a_false_claim(wrong: Wrong) -> None:
    """A claim is wrong only when it is off by a factor of a thousand."""
    wrong(verdict, "CLAIM_MARGIN", lambda honest: 1000.0)


@planted_in_judge("honest_answers")
def no_margin(wrong: Wrong) -> None:
    """A claim is wrong as soon as it is off by half."""
    wrong(verdict, "CLAIM_MARGIN", lambda honest: 1.5)


@planted_in_judge("dishonest_answers")
def implied_penalty_hardly_off(wrong: Wrong) -> None:
    """Another penalty is a verdict only from 1 % on."""
    wrong(verdict_penalty, "IMPLIED_OFF", lambda honest: 1e-2)


@planted_in_judge("dishonest_answers")
def implied_penalty_never_clear(wrong: Wrong) -> None:
    """Another penalty is a verdict only if it fits 1e20 times better."""
    wrong(verdict_penalty, "IMPLIED_GAIN", lambda honest: 1e20)


@planted_in_judge("dishonest_answers")
def infeasible_is_no_answer(wrong: Wrong) -> None:
    """A claim is not looked at where the certificate proves nothing."""

    def make(honest: Any) -> Any:
        return lambda row, reference, primal: "" if row.get("gap") is None else honest(row, reference, primal)

    wrong(verdict, "_false_claim", make)


@planted_in_judge("honest_answers")
def status_not_looked_at(wrong: Wrong) -> None:
    """A run that says it stopped early is held to a claim all the same."""

    def make(honest: Any) -> Any:
        return lambda row, reference, primal: honest(
            dict(row) | {"status": "CONVERGED", "claimed_gap": row.get("tol")}, reference, primal
        )

    wrong(verdict, "_false_claim", make)


@planted_in_judge("tiers_follow_the_bounds")
def tiers_ten_times_too_loose(wrong: Wrong) -> None:
    """A tier is met up to ten times its bound."""

    def make(honest: Any) -> Any:
        return lambda tier, at_most, at_least, reference: honest(10 * tier, at_most, at_least, reference)

    wrong(verdict, "_outcome", make)


@planted_in_judge("best_on_record")
def dual_radius_not_counted(wrong: Wrong) -> None:
    """The best dual bound is the largest one, whatever its radius."""

    def make(honest: Any) -> Any:
        def reference(rows: list[Any]) -> verdict.Reference:
            found = honest(rows)
            proven = [row for row in rows if row.get("gap") is not None]
            if not proven:
                return found
            top = max(proven, key=lambda row: float(row["dual"]))
            return replace(found, dual=float(top["dual"]), dual_radius=float(top["radius"]))

        return reference

    wrong(verdict, "_reference", make)


@planted_in_judge("best_on_record")
def first_on_record(wrong: Wrong) -> None:
    """The least primal value is the first one on record."""

    def make(honest: Any) -> Any:
        def reference(rows: list[Any]) -> verdict.Reference:
            proven = [r for r in rows if r.get("gap") is not None]
            found = honest(rows)
            return replace(found, primal=float(proven[0]["primal"])) if proven else found

        return reference

    wrong(verdict, "_reference", make)


# ---- certificate files, trials, checks ---------------------------------------------------------------------


@planted_in_judge("certificate_files")
def digest_is_enough(wrong: Wrong) -> None:
    """The checker of files believes whatever has the right digest."""

    def make(honest: Any) -> Any:
        def check_file(raw: bytes) -> str:
            head = checker.HEAD.match(raw)
            digest = hashlib.sha256(raw[head.end() :] if head else b"").hexdigest()
            checker.need(head and digest == head[1].decode(), "wrong digest")
            return "proven"

        return check_file

    wrong(checker, "check", make)


@planted_in_judge("certificate_files")
def feasibility_not_checked(wrong: Wrong) -> None:
    """The checker of files computes D(theta) without looking at the constraints."""

    def make(honest: Any) -> Any:
        def dual(self: checker.Problem, theta: checker.Row) -> Any:
            weighted = self.weighted(theta)
            return self.y.dot(weighted) / self.S - theta.dot(weighted) / (2 * self.S)

        return dual

    wrong(checker.Problem, "dual", make)


@planted_in_judge("certificate_files")
def intervals_not_checked(wrong: Wrong) -> None:
    """The checker of files takes the claimed intervals as they are."""
    wrong(checker, "check_intervals", lambda honest: lambda problem, intervals, proof: None)


@planted_in_judge("trials_tell_apart")
def digest_not_compared(wrong: Wrong) -> None:
    """A trial does not notice that a solver wrote into its input."""
    wrong(Problem, "digest", lambda honest: property(lambda self: "the same"))


@planted_in_judge("trials_tell_apart")
def exceptions_are_answers(wrong: Wrong) -> None:
    """A solver that raises is taken for one that refuses."""

    def make(honest: Any) -> Any:
        def attempt(*arguments: Any) -> trials.Attempt:
            found: trials.Attempt = honest(*arguments)
            return replace(found, status=Status.REFUSED) if found.status is Status.FAILED else found

        return attempt

    for module in (trials, check, judging_verdicts):
        wrong(module, "attempt", make)


@planted_in_judge("checks_bite")
def check_returns_early(wrong: Wrong) -> None:
    """One check returns before it has looked at anything."""

    def make(honest: Any) -> Any:
        return honest | {"row_permutation": replace(honest["row_permutation"], find=lambda subject: iter(()))}

    check.all_checks()
    wrong(check, "CHECKS", make)


@planted_in_judge("checks_bite")
def tolerances_too_loose(wrong: Wrong) -> None:
    """The checks allow ten million times what was claimed."""
    wrong(held, "CLAIM_MARGIN", lambda honest: 1e7 * honest)
