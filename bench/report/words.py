"""The verdict in words, and how numbers are spelt. Every sentence that holds a time names its measure."""

from __future__ import annotations

import math

from bench.report.model import Outcome, Report
from bench.report.pairwise import Comparison, Standing, standing

__all__ = [
    "HOW_TIMED", "MEASURE", "WANTED", "calm", "coverage", "digits", "duration", "family_name", "group_name",
    "headlines", "limitations", "mark", "number", "percent", "times", "verdict", "wanted", "wrong_first",
    "wrong_lines",
]  # fmt: skip

WANTED = 1e-6  # the accuracy of the headlines; the tables give the others
MEASURE = "suboptimality (P(w) - D*) / N against the best dual bound on record"
HOW_TIMED = (
    "Times are setup + run from cold starts, geometric means over the cells that both have solved to that "
    f"accuracy. Accuracy is the proven {MEASURE}. Nothing uncertified has a time, and there is no overall "
    "winner."
)

_FAMILY = {"l1": "lasso and elastic net", "ridge": "ridge"}
_MARKS = {
    "REFUSED": "refused",
    "MISSING": "missing",
    "FAILED": "FAILED",
    "CRASHED": "CRASHED",
    "KILLED": "KILLED",
    "MEMORY": "MEMORY",
    "TIME_LIMIT": "no time",
}


def duration(seconds: float) -> str:
    """Spell seconds with three digits at most: 850 us, 12 ms, 1.3 s."""
    for unit, name in ((1e-6, "us"), (1e-3, "ms")):
        if seconds < 999.5 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} s"


def number(value: float | None) -> str:
    """Spell an accuracy: one digit and its power of ten; a dash where there is none."""
    if value is None or math.isnan(value):
        return "-"
    return "0" if value == 0 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e+")


def percent(suboptimality: float) -> str:
    """Spell how far predictions can be from the optimum's: ||z - z*|| <= sqrt(.) ||y - z_null||.

    In percent of the null residual, which is sd(y) where the intercept is all that is not penalised.
    """
    value = 100 * math.sqrt(max(0.0, suboptimality))
    if not math.isfinite(value) or value > 100:
        return "over 100 %"
    if value < 0.001:
        return "under 0.001 %"
    return f"{value:.2g} %" if value < 10 else f"{value:.0f} %"


def predictions(suboptimality: float) -> str:
    """Say it of an answer."""
    spelt = percent(suboptimality)
    if spelt.startswith("over"):
        return f"predictions may be {spelt} off"
    return f"predictions within {spelt.removeprefix('under ')} of optimal"


def digits(suboptimality: float) -> float:
    """Return the correct digits of the objective, relative to N; 16 at most."""
    return 16.0 if suboptimality <= 1e-16 else max(0.0, -math.log10(suboptimality))


def wanted(tier: float) -> str:
    """Spell a wanted accuracy: "0.1 % (1e-6)"."""
    return f"{percent(tier)} ({number(tier)})"


def times(ratio: float) -> str:
    """Spell a ratio of times, >= 1."""
    return f"{ratio:.2f}x" if ratio < 9.95 else f"{ratio:.0f}x"


def mark(outcome: Outcome | None, wrong: bool) -> str:
    """Put an outcome in one word: its proven suboptimality, or what explains its absence."""
    if outcome is None:
        return "not run"
    if wrong:
        return "WRONG"
    if outcome.best is not None:
        return number(outcome.best)
    return _MARKS.get(outcome.status, f"{outcome.status}, no proof")


def family_name(family: str) -> str:
    """Spell "l1" or "ridge"."""
    return _FAMILY[family]


def group_name(regime: str, family: str) -> str:
    """Spell a heading: "wide, lasso and elastic net"."""
    return f"{regime}, {family_name(family)}"


def cells(count: int) -> str:
    """Spell a number of cells."""
    return f"{count} cell{'s' if count != 1 else ''}"


def against(comparison: Comparison) -> str:
    """Say how the first of a comparison stands to the second."""
    over = f"geometric mean over {cells(len(comparison.cells))} where both are certified"
    over += "" if comparison.repeated else "; single rounds, so without an interval"
    if comparison.repeated and not comparison.shown:
        return f"no difference shown to {comparison.second} ({over})"
    if comparison.ratio < 1:
        return f"{times(1 / comparison.ratio)} faster than {comparison.second} ({over})"
    return f"{times(comparison.ratio)} slower than {comparison.second} ({over})"


def headline(report: Report, regime: str, family: str, stand: Standing | None, tier: float) -> str:
    """Say who is fastest on some cells at a tier; a peer that wins is named as such, first."""
    where = f"{group_name(regime, family)}, {tier:.0e}".replace("e-0", "e-")
    if stand is None:
        return f"{where}: nobody is certified."
    own = report.solvers[stand.leader].own
    others = [c for c in stand.against if report.solvers[c.second].own != own]
    level = bool(others) and others[0].repeated and not others[0].shown
    who = stand.leader if own else f"a peer {'leads' if level else 'wins'}: {stand.leader}"
    text = f"{where}: {who} {duration(stand.seconds)} (certified in {len(stand.solved)} of {stand.of} cells)"
    said = [stand.runner_up()]
    text += f", {against(said[0])}" if said[0] else ", nobody else is certified in nearly as many"
    if not others:
        text += "; no peer is certified there" if own else "; none of ours is certified there"
    elif said[0] is None or report.solvers[said[0].second].own == own:
        said.append(others[0])
        text += f"; the closest {'peer' if own else 'of ours'}: {against(others[0])}"
    ahead = [c for c in stand.against if c.ratio > 1 and (c.shown or not c.repeated) and c not in said]
    if ahead:
        text += f"; but {against(ahead[0])}"
        text += f", and than {len(ahead) - 1} more on few cells" if len(ahead) > 1 else ""
    if not stand.unanimous:
        text += "; no solver is faster than each of the others here"
    return text + "."


def headlines(report: Report, tier: float = WANTED) -> list[str]:
    """Return one sentence for each regime and family; those that a peer wins come first."""
    found = []
    for regime, family, cells in report.groups():
        stand = standing(report, tier, cells)
        lost = stand is not None and not report.solvers[stand.leader].own
        found.append((not lost, headline(report, regime, family, stand, tier)))
    return [text for _, text in sorted(found, key=lambda item: item[0])]  # sorted is stable: order of regimes


def coverage(report: Report) -> str:
    """Say how many pairs that were not refused have a proven suboptimality, and whether that is enough."""
    asked, proven = len(report.asked), len(report.proven)
    if asked == 0:
        return "No pair of a solver and a cell was asked anything."
    share = proven / asked
    word = "as it should be" if share >= 0.9 else "FEWER than the 90 % there should be"
    refused = len(report.outcomes) - asked
    return (
        f"{proven} of {asked} pairs (solver, cell) that were not refused have a proven suboptimality: "
        f"{100 * share:.1f} %, {word}. Refused or missing, and named below: {refused}."
    )


def wrong_lines(report: Report) -> list[str]:
    """Say who is WRONG, where and why; nobody's times are shown who is."""
    lines = []
    for solver, reasons in sorted(report.wrong.items()):
        whose = "ours" if report.solvers[solver].own else "a peer"
        lines += [f"WRONG: {solver} ({whose}) on {cell}: {reason}" for cell, reason in reasons.items()]
    return lines


def wrong_first(report: Report) -> list[str]:
    """Return a sentence for each solver that is WRONG."""
    lines = []
    for solver, reasons in sorted(report.wrong.items()):
        # A named penalty says more than a broken claim.
        where, why = max(reasons.items(), key=lambda item: "solves" in item[1])
        lines.append(
            f"{solver} is WRONG in {cells(len(reasons))}: its times are withheld in all. On {where}: {why}"
        )
    return lines


def calm(report: Report) -> list[str]:
    """Return what is to be said of a run where nobody is WRONG, and of one that was cut short."""
    lines = [] if report.wrong else ["No wrong claim by any solver, at any tolerance."]
    cut = "The run was cut short: this report is of what it had measured."
    return [*lines, *([] if report.end else [cut])]


def verdict(report: Report) -> list[str]:
    """Return the sentences that stand first."""
    return [*wrong_first(report), *calm(report), *headlines(report), coverage(report)]


def limitations(report: Report) -> list[str]:
    """Return what these figures do not say."""
    head = report.head
    lines = [
        f"One machine ({head.get('cpu')}, {head.get('cores_allowed')} cores), {head.get('threads')} thread "
        "per solver; other processors, caches and thread counts order solvers differently.",
        "Intervals rest on the rounds and processes of this run and on what twins have shown (noise "
        "floor); with single rounds there is no interval, and nothing is shown.",
        "Cells are cold starts; paths and cross-validations have tables of their own, where the run has any.",
        "The first call (import and compilation) is not in the times; it has a column of its own.",
        "Certificates are computed in float64 with an estimated radius; the rigorous level is apart.",
        "A geometric mean weighs a microsecond problem like a second-long one; the table of cells has both.",
    ]
    if report.torn:
        lines.append(f"{report.torn} torn line(s) of the record were skipped.")
    if head.get("dirty"):
        lines.append("The checkout had uncommitted changes.")
    return lines
