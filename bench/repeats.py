"""Time: for each solver, cell and tier, the loosest rung that meets the tier, again and again."""

from __future__ import annotations

import numpy as np

from bench.rounds import Repeats
from bench.state import State
from verification.verdict import judge
from verification.verdict_points import judge_points

__all__ = ["repeat"]


def repeat(state: State) -> None:
    """Repeat, in shuffled rounds over all pairs, until the budget is spent or nothing gains by it."""
    rows = [row for pair in state.pairs for row in pair.rows]
    judged, along = judge(rows), judge_points(rows)
    best = judged.loosest() | along.loosest()
    most = state.plan.most_repeats
    timed: dict[tuple[int, int], Repeats] = {}
    for k, pair in enumerate(state.pairs):
        if pair.client.solver in judged.wrong or pair.client.solver in along.wrong:
            continue  # it gets no times
        for reached in best.get((pair.cell.name, pair.client.solver, pair.configuration), {}).values():
            timed[k, reached.row["rung"]] = Repeats([reached.row["seconds"]], most)
    state.events.phase("time", state.budget.left)
    left = state.budget.left
    for turn in range(1, most):
        due = [key for key, repeats in timed.items() if repeats.wanted]
        state.order.shuffle(due)
        for k, rung in due:
            if not state.budget.left:
                state.note(f"the budget of {state.budget.seconds:g} s ended in round {turn} of the repeats")
                return
            pair, repeats = state.pairs[k], timed[k, rung]
            row = state.measurer.measure(pair, "repeat", rung, turn, state.plan.longest)
            # A repeat without an answer is on record as such; it is not tried again.
            repeats.seconds.append(np.inf if row.get("seconds") is None else row["seconds"])
            state.events.step(left - state.budget.left, pair.words)
            left = state.budget.left
        if not due:
            return
