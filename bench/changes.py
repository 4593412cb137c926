"""A comparison of two records in words and as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bench.compare import Change, Compared
from bench.inference import Finding
from bench.report.tables import Table, tier_name
from bench.report.words import cells
from bench.sides import Key

__all__ = ["changes_table", "said"]

SHOWN = 12  # cells that are named one by one


def _ratio(change: Change | None) -> str:
    """Spell a change: its ratio, the interval of a time, and what it shows."""
    if change is None:
        return "-"
    text = f"{change.ratio:.3f}"
    if change.estimate is not None:
        low, high = change.estimate.interval
        text += f" ({low:.3f} to {high:.3f})" if change.estimate.rounds > 1 else " (single rounds)"
    return text + {Finding.SLOWER: " MORE", Finding.FASTER: " less", Finding.NONE: ""}[change.finding]


def changes_table(found: Compared) -> Table:
    """Return one row for each solver that both records have."""
    named = {name for changes in (found.time, *found.gated.values()) for name in changes}
    names = sorted(named.union(found.guilty, found.anchors.values()))
    lost, gained = (Counter(key[0] for key in keys) for keys in (found.lost, found.gained))
    rows = []
    for name in names:
        alone = Counter(change.finding for key, change in found.cells.items() if key[0] == name)
        time = found.time.get(name)
        rows.append(
            [
                name,
                "anchor" if time is None and name in found.anchors.values() else _ratio(time),
                "-" if time is None else f"{alone[Finding.SLOWER]} / {alone[Finding.FASTER]} of {time.over}",
                *(_ratio(changes.get(name)) for changes in found.gated.values()),
                f"{lost[name]} / {gained[name]}",
            ]
        )
    return Table(
        f"{found.second} against {found.first}",
        "Second over first; above 1 the second takes more. Times are ratios to an anchor of the same run, "
        "over all cells and tiers, with a 95 % interval. Setup, first call and memory are judged by a gate.",
        ["solver", "time", "slower / faster alone", *found.gated, "tiers lost / gained"],
        rows,
    )


def said(found: Compared) -> list[str]:
    """Return what the comparison shows, in sentences: the bad news first."""
    lines = [f"{name} is WRONG now: {why}" for name, why in sorted(found.wrong.items())]
    lines += _accuracy(found.lost, "no longer proves") + _times(found) + _single(found)
    for what, changes in found.gated.items():
        lines += [
            f"{name}: {what} x {change.ratio:.3f} (the same code has differed by up to "
            f"x {found.calibrated.gates[what]:.3f})"
            for name, change in sorted(changes.items())
            if change.finding is not Finding.NONE
        ]
    lines += _accuracy(found.gained, "now proves")
    names = Counter(found.anchors.values())
    lines.append(
        f"anchors: {', '.join(f'{name} for {count}' for name, count in names.most_common())} of the times; "
        f"they took {found.drift:.3f} times as long, which is the machine"
    )
    lines.append(f"noise: {found.calibrated.source}")
    return lines + [f"left out: {why}" for why in found.left_out]


def _accuracy(keys: Iterable[Key], what: str) -> list[str]:
    """One sentence for each solver and tier."""
    where: dict[tuple[str, float], list[str]] = {}
    for name, cell, tier in keys:
        where.setdefault((name, tier), []).append(cell)
    return [
        f"{name} {what} {tier_name(tier)} in {cells(len(found))}: {', '.join(found[:3])}"
        + (", ..." if len(found) > 3 else "")
        for (name, tier), found in sorted(where.items())
    ]


def _times(found: Compared) -> list[str]:
    """Whose times changed over all cells, the slowest first; then those whose did not, by name."""
    lines = []
    for name, change in sorted(found.time.items(), key=lambda item: -item[1].ratio):
        if change.finding is not Finding.NONE and change.estimate is not None:
            low, high = change.estimate.interval
            lines.append(
                f"{name} is {change.finding.value}: {change.ratio:.3f} times its time "
                f"(95 % interval {low:.3f} to {high:.3f}; over {change.over} times)"
            )
    same = sorted(name for name, change in found.time.items() if change.finding is Finding.NONE)
    if same:
        lines.append(f"{Finding.NONE.value} over all times: {', '.join(same)}")
    return lines


def _single(found: Compared) -> list[str]:
    """Single times that changed, the slowest first."""
    changed = {key: change for key, change in found.cells.items() if change.finding is not Finding.NONE}
    lines = [
        f"{name} on {cell} to {tier_name(tier)} alone is {change.finding.value}: x {change.ratio:.3f}"
        for (name, cell, tier), change in sorted(changed.items(), key=lambda item: -item[1].ratio)
    ]
    more = [f"and {len(lines) - SHOWN} more single times that changed"] if len(lines) > SHOWN else []
    return lines[:SHOWN] + more
