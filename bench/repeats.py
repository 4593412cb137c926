"""Time: for each solver, cell and tier, the loosest rung that meets the tier, again and again.

For the page of the headline also the loosest that reaches any of its accuracies, by either of its measures,
unless it is clearly outrun already.

In batches of shuffled rounds over all pairs. Between two batches workers start anew, so that no ratio rests
on how the memory of one process happened to be laid out; and what is decided by then takes no further part.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import count

from bench.contests import BATCHES, Contest, Timed, affordable, due
from bench.headline import loosest, loosest_paths
from bench.noise import Noise, noise_for
from bench.state import State
from verification.environment import cpu_model
from verification.verdict import Contender, judge
from verification.verdict_points import judge_points

__all__ = ["repeat"]

RESTART_SHARE = 0.5  # of a batch's time at most is spent on starting workers anew


def repeat(state: State) -> None:
    """Repeat until all ratios are known well enough, or the budget is spent."""
    noise = noise_for(cpu_model()).noise
    items, contests = _timed(state, noise)
    most = state.plan.most_repeats - 1
    each = min(state.plan.batch, math.ceil(most / BATCHES))
    state.events.phase("time", state.budget.left)
    for batch in count():
        wanted = items if batch == 0 else _still_wanted(items, contests, noise, batch)
        turns = range(1 + batch * each, 1 + min(most, (batch + 1) * each))
        seconds = state.budget.left / max(1, BATCHES - batch)
        ends = state.budget.elapsed + seconds
        if batch > 0 and wanted and turns and seconds:
            start_anew(state, wanted, RESTART_SHARE * seconds)
        rounds = 0
        while rounds < len(turns) and _round(state, wanted, turns[rounds], ends):
            rounds += 1
        if not rounds:
            break
    if wanted and turns:
        state.note(f"the budget of {state.budget.seconds:g} s ended in batch {batch + 1} of the repeats")


def _timed(state: State, noise: Noise) -> tuple[list[Timed], list[Contest]]:
    """What is to be timed, and what it is compared with: all that reach a tier in a cell."""
    rows = [row for pair in state.pairs for row in pair.rows]
    judged, along = judge(rows), judge_points(rows)
    wrong = judged.wrong.keys() | along.wrong.keys()  # they get no times
    pairs = {
        (pair.cell.name, pair.client.solver, pair.configuration): pair
        for pair in state.pairs
        if pair.client.solver not in wrong
    }
    items: dict[tuple[Contender, int], Timed] = {}
    contests: dict[tuple[str, object], Contest] = defaultdict(list)

    def enter(who: Contender, rung: int, contest: object) -> None:
        if who not in pairs:
            return
        if (who, rung) not in items:
            items[who, rung] = Timed(pairs[who], rung)
            items[who, rung].take(next(row for row in pairs[who].rows if row["rung"] == rung), 0)
        contests[who[0], contest].append(items[who, rung])

    best = judged.loosest() | along.loosest()
    for who in pairs:
        for tier, result in best.get(who, {}).items():
            enter(who, result.row["rung"], tier)
    wanted = list(items.values())
    if state.plan.headline:
        shown = [*loosest(judged).items(), ("path", loosest_paths(along))]
        for accuracy, reached in shown:
            for who, result in reached.items():
                enter(who, result.row["rung"], accuracy)
        still = _still_wanted(list(items.values()), list(contests.values()), noise, 0)
        wanted = list(dict.fromkeys([*wanted, *still]))
    return wanted, list(contests.values())


def _still_wanted(items: list[Timed], contests: list[Contest], noise: Noise, batch: int) -> list[Timed]:
    known: dict[tuple[Timed, Timed], bool] = {}
    wanted = {id(item) for contest in contests for item in due(contest, noise, batch, known)}
    return [item for item in items if id(item) in wanted]


def start_anew(state: State, wanted: list[Timed], seconds: float) -> None:
    """Start workers anew, as far as so many seconds go: first those that serve the most for theirs."""
    serves: dict[str, int] = defaultdict(int)
    for item in wanted:
        serves[item.pair.client.solver] += 1
    clients = [client for client in state.clients if serves[client.solver]]
    clients.sort(key=lambda client: state.price(client) / serves[client.solver])
    chosen, left = [], seconds
    for client in clients:
        if state.price(client) > left:
            said = f"{client.solver}: not started anew between repeats: compiling again takes too long"
            state.note(said, aloud=False)
        else:
            left -= state.price(client)
            chosen.append(client)
    state.start(chosen)


def _round(state: State, wanted: list[Timed], turn: int, ends: float) -> bool:
    """Run everything once that the time left allows; return whether anything was run."""
    able = [item for item in wanted if not item.spoilt]
    longest = affordable([item.cost for item in able], ends - state.budget.elapsed)
    able = [item for item in able if item.cost <= longest]
    state.order.shuffle(able)
    for k, item in enumerate(able):
        left = state.budget.left
        if state.budget.elapsed >= ends or not left:
            return k > 0
        then = able[k + 1].pair if k + 1 < len(able) else None
        row = state.measurer.measure(item.pair, "repeat", item.rung, turn, state.plan.longest, then)
        item.take(row, turn)
        state.events.step(left - state.budget.left, item.pair.words)
    return bool(able)
