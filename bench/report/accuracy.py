"""Accuracy in words: how far predictions can be off, features wrongly kept or lost, correct digits."""

from __future__ import annotations

from statistics import median_low

from bench.report.model import Outcome, Report
from bench.report.tables import Table
from bench.report.words import digits, number, percent, predictions

__all__ = ["accuracy_table", "features", "in_words", "meaning_table"]

COLUMNS = [
    "solver", "cells proven", "predictions within", "worst", "digits", "worst", "false features",
    "missed features", "suboptimality (worst)", "self-certified gap (worst)",
]  # fmt: skip


def features(count: int | None, kind: str) -> str:
    """Spell a number of false or missed features."""
    if count is None:
        return f"{kind} features not counted"
    return f"{count or 'no'} {kind} feature{'' if count == 1 else 's'}"


def meaning_table(report: Report) -> Table:
    """Say what the wanted accuracies mean."""
    rows = [[number(tier), percent(tier), f"{digits(tier):.0f}"] for tier in report.tiers]
    return Table(
        "What an accuracy means",
        "Predictions: root mean square distance to the optimum's, at most, in percent of the null residual "
        "(of sd(y) where there is an intercept and nothing else is free).",
        ["accuracy", "predictions within", "correct digits"],
        rows,
    )


def accuracy_table(report: Report) -> Table:
    """How accurate each solver's best answers are, in words first and in gaps after."""
    rows = []
    for name, solver in report.solvers.items():
        asked = [outcome for outcome in report.asked if outcome.solver == name]
        found = [outcome for outcome in asked if outcome.best is not None]
        if not found:
            continue
        bests = [outcome.best for outcome in found if outcome.best is not None]
        middle, worst = median_low(bests), max(bests)
        gaps = [outcome.self_gap for outcome in found if outcome.self_gap is not None]
        rows.append(
            [
                name if solver.own else f"{name} (peer)",
                f"{len(found)} of {len(asked)}",
                percent(middle),
                percent(worst),
                f"{digits(middle):.0f}",
                f"{digits(worst):.0f}",
                _counted([outcome.false_features for outcome in found]),
                _counted([outcome.missed_features for outcome in found]),
                f"{number(middle)} ({number(worst)})",
                f"{number(median_low(gaps))} ({number(max(gaps))})" if gaps else "-",
            ]
        )
    return Table(
        "Accuracy of the best answers",
        "Of each solver's most accurate answer in each cell: the median over the cells, and the worst. "
        "False features: coefficients that are not zero and proven to be. The last two columns are relative "
        "to N; suboptimality is against the best dual bound on record, the self-certified gap is what the "
        "answer proves by itself.",
        COLUMNS,
        rows,
    )


def _counted(counts: list[int | None]) -> str:
    """Spell counts over cells: their sum, and in how many cells."""
    known = [count for count in counts if count is not None]
    if not known:
        return "not counted"
    where = sum(count > 0 for count in known)
    return f"{sum(known)} in {where} cell{'s' if where != 1 else ''}" if where else "none"


def in_words(outcome: Outcome) -> str:
    """Say how accurate an answer is."""
    if outcome.best is None:
        return ""
    parts = [predictions(outcome.best), f"{digits(outcome.best):.0f} digits"]
    if outcome.false_features is not None:
        parts.append(features(outcome.false_features, "false"))
    if outcome.missed_features is not None:
        parts.append(features(outcome.missed_features, "missed"))
    return ", ".join(parts)
