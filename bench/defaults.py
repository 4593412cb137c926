"""What one gets without any setting: each library as its documentation shows, ours by ``solve(problem)``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bench.jobs import Task
from bench.measure import Pair
from bench.rounds import DEFAULTS_SHARE, Ladder
from bench.state import State
from solvers import Status

__all__ = ["measure_defaults"]

PHASE = "defaults"
ROUNDS = 3
BRIEF = 0.1  # seconds; a call that took longer is not repeated
LONG = 2.0  # seconds of the quickest ladder run in a cell: a solver that slow is not tried without settings


def measure_defaults(state: State) -> None:
    """Call every solver on every cell without settings; one row at least for each.

    Everyone once, then cheap ones twice more while time lasts. Where the solver took long with settings, or
    the budget is spent, the row says that it was not tried.
    """
    firsts: dict[tuple[str, str], Pair] = {}
    for pair in state.pairs:
        if pair.handle.task.job == "solve":
            firsts.setdefault((pair.client.solver, pair.cell.name), pair)
    quickest, unanswered = _quickest(state.pairs), _unanswered(state.pairs)
    tries = [(key, _without_settings(pair)) for key, pair in firsts.items()]
    state.order.shuffle(tries)
    tries.sort(key=lambda each: quickest.get(each[0], 0.0))  # the cheap ones first: most get an answer
    state.events.phase("defaults", len(tries))
    left_out, brief = 0, []
    for (key, pair), then in zip(tries, [*(pair for _, pair in tries), None][1:], strict=True):
        if key not in quickest:
            status, message = unanswered.get(key, (Status.TIME_LIMIT.name, "not run"))
            state.measurer.decline(pair, f"not tried: with settings: {message}", PHASE, status)
        elif why := _why_not(state, quickest[key]):
            state.measurer.decline(pair, why, PHASE)
            left_out += 1
        elif _quick(state.measurer.measure(pair, PHASE, 0, 0, state.plan.longest, then)):
            brief.append(pair)
        state.events.step(1, pair.words)
    for turn in range(1, ROUNDS):
        for pair, then in zip(brief, [*brief, None][1:], strict=True):
            if not _short(state):
                state.measurer.measure(pair, PHASE, 0, turn, state.plan.longest, then)
    if left_out:
        state.note(
            f"defaults not tried for {left_out} of {len(tries)} pairs: slow with settings, or a short budget"
        )


def _quick(row: dict[str, Any]) -> bool:
    return row["seconds"] is not None and bool(row["seconds"] <= BRIEF)


def _short(state: State) -> bool:
    return state.budget.elapsed > DEFAULTS_SHARE * state.budget.seconds


def _without_settings(pair: Pair) -> Pair:
    """The pair as it is called by default: no configuration, no tolerance."""
    about = pair.about | {"configuration": PHASE}
    handle = replace(pair.handle, task=Task(PHASE))
    return Pair(pair.client, PHASE, pair.cell, handle, about, Ladder(tols=()))


def _quickest(pairs: list[Pair]) -> dict[tuple[str, str], float]:
    """Seconds of the quickest answer in the ladders, by solver and cell."""
    found: dict[tuple[str, str], float] = {}
    for pair in pairs:
        key = pair.client.solver, pair.cell.name
        for row in pair.rows:
            if row.get("primal") is not None and row["seconds"] is not None:
                found[key] = min(found.get(key, row["seconds"]), row["seconds"])
    return found


def _unanswered(pairs: list[Pair]) -> dict[tuple[str, str], tuple[str, str]]:
    """Status and words of the first row of each solver in each cell."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for pair in pairs:
        for row in pair.rows[:1]:
            found.setdefault((pair.client.solver, pair.cell.name), (row["status"], row["message"] or ""))
    return found


def _why_not(state: State, seconds: float) -> str:
    if seconds > LONG:
        return f"not tried: with settings it took {seconds:.2g} s"
    if _short(state):
        return "not tried: the budget is short"
    return ""
