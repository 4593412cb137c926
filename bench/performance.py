"""docs/performance.md, printed from one record: how fast at the same proven accuracy, and against whom."""

from __future__ import annotations

import math

from bench.growth import Growth
from bench.headline import ACCURACIES, MEASURES, OURS, Best, Headline
from bench.report.words import number

__all__ = ["page"]

BARS = {MEASURES[0]: 0.5, MEASURES[1]: 0.4}  # what the geometric mean at 1e-9 is held to
PATH_BAR = 0.5


def _contestants(solvers: list[str]) -> list[str]:
    """Say who took part, for a budget is shared by all: the command would need SOLVERS= to repeat the run."""
    return ["", f"Solvers in the run (`SOLVERS=`): {', '.join(solvers)}."] if solvers else []


def page(found: Headline, record: str, grown: Growth | None = None) -> str:
    """Return the page in Markdown, with how the cost grows if that was measured."""
    head = found.head
    lines = [
        "# How fast, proven",
        "",
        f"`{OURS}` beside the libraries, in one run of `make bench SUITE=headline`, each on one thread,",
        "at the best of its settings. A time is setup + run, cold, the median of its rounds; an answer",
        "counts only if its accuracy is proven. This page is printed from the record of that run:",
        "",
        f"    python -m bench performance {record} --write",
        "",
        f"Commit {str(head.get('commit'))[:12]}, {head.get('cpu')}, {head.get('budget'):g} s. Paths are of",
        "`make bench SUITE=paths`. What an accuracy means stands in [maths.md](maths.md) (N).",
        *_contestants(head.get("solvers") or []),
        "",
        "## The verdict",
        "",
        *(f"- {line}" for line in _verdict(found)),
        "",
        "## Each cell, by suboptimality",
        "",
        "Milliseconds of ours, of the best peer, and the ratio. Passes: how often ours read X. Floor: two",
        "reads of X and the Gram matrix of the final support, by the BLAS.",
        "",
        *_cells(found, MEASURES[0]),
        "",
        "## Each cell, self-certified",
        "",
        "The same, counting only what an answer proves by itself.",
        "",
        *_cells(found, MEASURES[1]),
        "",
        *_paths(found),
        *(_growth(grown) if grown else []),
    ]
    return "\n".join(lines) + "\n"


def _lost(found: Headline, measure: str, accuracy: float, what: str, where: str) -> list[str]:
    """Cells that a peer wins, the worst first."""
    ratios = [(found.ratio(measure, accuracy, cell), cell) for cell in found.cells]
    lost = [(ratio, cell) for ratio, cell in ratios if ratio is not None and ratio > 1.0]
    return [
        f"**{what}** on {cell}{where}: {found.peers[measure, accuracy, cell].solver}, "
        f"ours takes {ratio:.2f} times as long."
        for ratio, cell in sorted(lost, reverse=True)
    ]


def _verdict(found: Headline) -> list[str]:
    """In words: peers that win first, then the means against what they are held to."""
    key = MEASURES[0], 1e-9
    ratios = {cell: ratio for cell in found.cells if (ratio := found.ratio(*key, cell)) is not None}
    said = _lost(found, *key, "A peer wins", "")
    for cell, (mine, best) in found.paths.items():
        if mine and best and (ratio := mine.seconds / best.seconds) > 1.0:
            said.append(f"**A peer wins** on {cell}: {best.solver}, ours takes {ratio:.2f} times as long.")
    for measure in MEASURES:
        for accuracy in ACCURACIES:
            if (measure, accuracy) != key:
                where = f" at {number(accuracy)} by {measure}"
                said += _lost(found, measure, accuracy, "A peer is first", where)
    absent = [cell for cell in found.cells if (*key, cell) not in found.ours]
    if absent:
        said.append(f"Ours has no time at 1e-9 on {', '.join(absent)}.")
    for measure, bar in BARS.items():
        mean, count = found.geometric_mean(measure, 1e-9)
        said.append(_against(f"At 1e-9 by {measure}: geometric mean of the ratio", mean, count, bar, "cells"))
    over = {
        cell: (ratio, bar)
        for cell, ratio in ratios.items()
        if (bar := found.bar(cell) or math.inf) and ratio > bar
    }
    words = ", ".join(f"{cell} ({ratio:.2f} over {bar:.2f})" for cell, (ratio, bar) in over.items())
    said.append(
        f"Cells above max(0.9, 1.25 floor / best peer): {len(over)} of {len(ratios)}"
        + (f": {words}." if over else ".")
    )
    slow = []
    reached = 0
    for cell in found.cells:
        last, near = (found.ours.get((MEASURES[1], tier, cell)) for tier in (ACCURACIES[-1], 1e-9))
        reached += last is not None
        if last and near and last.seconds > 1.3 * near.seconds:
            slow.append(f"{cell} ({last.seconds / near.seconds:.2f})")
    said.append(
        f"At 1e-13 (or what float64 allows), self-certified: {reached} of {len(found.cells)} cells; "
        f"more than 1.3 times the time of 1e-9 in {len(slow)}" + (f": {', '.join(slow)}." if slow else ".")
    )
    sooner, both = found.before_anyone()
    said.append(f"Ours is at 1e-13 before any peer is at 1e-4 in {sooner} of {both} cells, by suboptimality.")
    mean, count = found.path_mean()
    what = "Paths of 100 points, ours certified at 1e-9 at each, the best peer within 1e-6: mean ratio"
    said.append(_against(what, mean, count, PATH_BAR, "paths"))
    above = [f"{path} ({ratio:.2f})" for path, ratio in found.path_ratios().items() if ratio > PATH_BAR]
    if above:
        said.append(f"Single paths above {PATH_BAR}: {', '.join(above)}.")
    return said


def _against(what: str, mean: float, count: int, bar: float, things: str) -> str:
    if math.isnan(mean):
        return f"{what}: none to compare."
    verdict = "met" if mean <= bar else f"missed by {mean - bar:.2f}"
    return f"{what} {mean:.2f} over {count} {things}; held to {bar}: {verdict}."


def _cells(found: Headline, measure: str, grown: Growth | None = None) -> list[str]:
    """Each cell: of what size, if that is what varies, else with the floor under it."""
    size, floor = (["entries", "in use"], []) if grown else ([], ["floor"])
    heads = ["cell", *size, *map(number, ACCURACIES), "best peer at 1e-9", "passes", *floor]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for cell in found.cells:
        peer = found.peers.get((measure, 1e-9, cell))
        columns = [cell]
        if grown:
            columns += [_count(grown.entries[cell]), str(grown.supports.get(cell, ""))]
        columns += [_cell(found, measure, tier, cell) for tier in ACCURACIES]
        columns += [
            f"{peer.solver} ({peer.configuration})" if peer else "none",
            f"{found.passes[cell]:.1f}" if cell in found.passes else "",
        ]
        if not grown:
            seconds = found.floor(cell)
            columns.append("" if seconds is None else _ms(seconds))
        lines.append(f"| {' | '.join(columns)} |")
    means = [f"**{m:.2f}** ({n})" for m, n in (found.geometric_mean(measure, tier) for tier in ACCURACIES)]
    blank = [""] * len(size), ["", "", *([""] * len(floor))]
    lines.append(f"| {' | '.join(['**geometric mean**', *blank[0], *means, *blank[1]])} |")
    return lines


def _cell(found: Headline, measure: str, tier: float, cell: str) -> str:
    ours, peer = found.ours.get((measure, tier, cell)), found.peers.get((measure, tier, cell))
    ratio = found.ratio(measure, tier, cell)
    both = f"{_time(ours)} / {_time(peer)}"
    return both if ratio is None else f"{both} = {ratio:.2f}"


def _paths(found: Headline) -> list[str]:
    if not found.paths:
        return []
    lines = ["## Paths of 100 points", "", "| path | ours | best peer | ratio |", "|---|---|---|---|"]
    for cell, (ours, peer) in found.paths.items():
        ratio = f"{ours.seconds / peer.seconds:.2f}" if ours and peer else ""
        who = f"{_time(peer)} {peer.solver} ({peer.configuration})" if peer else "none within 1e-6 everywhere"
        lines.append(f"| {cell} | {_time(ours)} | {who} | {ratio} |")
    return lines


def _growth(grown: Growth) -> list[str]:
    """How the cost grows: each cell by suboptimality, and the exponents."""
    found, key = grown.found, (MEASURES[0], 1e-9)
    head = found.head
    mean, count = found.geometric_mean(*key)
    said = [f"Geometric mean of the ratio at 1e-9 by {key[0]}: {mean:.2f} over {count} cells."]
    alone = [c for c in found.cells if (*key, c) in found.ours and (*key, c) not in found.peers]
    absent = [c for c in found.cells if (*key, c) not in found.ours]
    said += [f"No peer has a time at 1e-9 on {', '.join(alone)}."] if alone else []
    said += [f"Ours has no time at 1e-9 on {', '.join(absent)}."] if absent else []
    lines = [
        "",
        "## How the cost grows",
        "",
        "One thing grows at a time, in one run of `make bench SUITE=scaling`:",
        f"commit {str(head.get('commit'))[:12]}, {head.get('cpu')}, {head.get('budget'):g} s.",
        "Milliseconds as above, by suboptimality; in use are the coefficients that are not zero. A dash: not",
        "reached in the time that the run had for it.",
        *_contestants(head.get("solvers") or []),
        "",
        *(f"- {line}" for line in [*_lost(found, *key, "A peer wins", ""), *said]),
        "",
        *_cells(found, key[0], grown),
    ]
    if grown.exponents:
        lines += [
            "",
            "Time to 1e-9 as a power of what grows, by least squares on logarithms, of the solvers that",
            "reach it at three sizes, with its 95 % interval, which from three is wide. Correlations of",
            "neighbours grow as c = 1 / (1 - correlation).",
            "",
            *_exponents(grown.exponents),
        ]
    return lines


def _exponents(found: list[list[str]]) -> list[str]:
    """One row for each thing that grows, one column for each solver."""
    solvers = list(dict.fromkeys(row[0] for row in found))
    grows: dict[str, dict[str, str]] = {}
    for solver, exponent, interval, sizes, cells in found:
        what = grows.setdefault(f"`{cells}` | {sizes.split(' = ')[0]}", {})
        what[solver] = f"{exponent} ({interval})"
    return [
        f"| cells | grows | {' | '.join(solvers)} |",
        "|---|---|" + "---|" * len(solvers),
        *(
            f"| {what} | {' | '.join(row.get(solver, '') for solver in solvers)} |"
            for what, row in grows.items()
        ),
    ]


def _time(best: Best | None) -> str:
    return "-" if best is None else _ms(best.seconds)


def _count(entries: int) -> str:
    return f"{entries:.3g}".replace("e+0", "e")


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.3g}"
