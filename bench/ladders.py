"""Accuracy: every pair of a solver and a cell climbs its ladder of tolerances, each rung once.

What is judged here decides only what runs next and is not recorded: verdicts are made from the records, when
a report is printed.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Hashable
from typing import Any

import numpy as np

from bench.client import Client
from bench.measure import Pair
from bench.rounds import OUTRUN, TIERS, suboptimality
from bench.state import State
from solvers import Status

__all__ = ["climb"]

OVERRUN = 30.0  # seconds beyond the budget in which every pair may still have its loosest rung


def climb(state: State) -> None:
    """Run the ladders of all pairs."""
    _Climb(state).run()


class _Climb:
    def __init__(self, state: State) -> None:
        self.state = state
        self.pairs = state.pairs
        self.budget = state.budget
        self.order = state.order
        self.loosest = True  # whether the loosest rungs are being run
        self.duals: dict[Hashable, float] = {}  # the best bounds of the loosest rungs, by problem
        self.tried: dict[Hashable, Pair] = {}  # where a setting is tried out, by Pair.group
        self.shed = 0
        self.overtaken = 0  # pairs that have not been run at all
        self.settings: dict[Hashable, list[Pair]] = defaultdict(list)  # of one solver in one cell
        for pair in self.pairs:
            self.settings[pair.client.solver, pair.cell.name].append(pair)
        self.exhausted: set[Client] = set()
        self.outspent: Counter[str] = Counter()  # ladders cut because the solver's share was spent

    def run(self) -> None:
        """Run the loosest rung of all pairs, then whatever is cheapest next.

        A short budget so sheds the tightest rungs of the slowest pairs. The loosest rung goes to every
        solver's first setting in every cell, then to the others where they are tried out, then to the
        others elsewhere, unless they were outrun there.
        """
        self.state.events.phase("accuracy", sum(len(pair.ladder.tols) for pair in self.pairs))
        first = [pair for pair in self.pairs if pair.configuration == pair.client.configurations[0]]
        others = [pair for pair in self.pairs if pair.configuration != pair.client.configurations[0]]
        self._pass(0, first)
        for pair in others:
            self.tried.setdefault(pair.group, pair)
        self._pass(0, list(self.tried.values()))
        self._pass(0, [pair for pair in others if self.tried[pair.group] is not pair])
        self.loosest = False
        self._tighten()
        for solver, count in self.outspent.items():
            what = f"tightest rungs or further settings not run for {count} pairs"
            self.state.note(f"{solver}: its share of the budget is spent: {what}")
        about = f"the budget of {self.budget.seconds:g} s is short"
        if self.overtaken:
            self.state.note(f"{about}: {self.overtaken} of {len(self.pairs)} pairs not run at all")
        if self.shed:
            self.state.note(f"{about}: tightest rungs not run for {self.shed} of {len(self.pairs)} pairs")

    def _tighten(self) -> None:
        """Climb from the second rung on, always the pair whose last run was the shortest.

        The solvers that have spent their share come last, with what the others have left of theirs.
        """
        waiting: list[tuple[bool, float, float, int]] = []

        def wait(k: int, late: bool = False) -> None:
            pair = self.pairs[k]
            if pair.ladder.next is not None:
                heapq.heappush(waiting, (late, pair.rows[-1]["seconds"] or 0.0, self.order.random(), k))

        for k in range(len(self.pairs)):
            wait(k)
        while waiting:
            late, *_, k = heapq.heappop(waiting)
            pair = self.pairs[k]
            if not late and self._has_spent(pair.client):
                wait(k, late=True)
                continue
            assert pair.ladder.next is not None
            then = self.pairs[waiting[0][-1]] if waiting else None
            self._pass(pair.ladder.next, [pair], late, then)
            wait(k)

    def _has_spent(self, client: Client) -> bool:
        return client.spent > self.budget.allowance(len(client.configurations))

    def _pass(self, rung: int, pairs: list[Pair], late: bool = False, then: Pair | None = None) -> None:
        self.order.shuffle(pairs)
        # Small cases first: a slow solver spends its share where it gets answers. Shuffled within a case.
        pairs.sort(key=lambda pair: (pair.about["nnz"], pair.about["p"]))
        for pair, following in zip(pairs, [*pairs, then][1:], strict=True):
            needed = rung == 0 and pair.configuration == pair.client.configurations[0]  # a cell is never shed
            before = pair.steps
            beyond = self._has_spent(pair.client)
            over = not self.budget.left_for_ladders if late else not needed
            if beyond and (over or pair.client in self.exhausted):
                self._exhausted(pair, needed)
            elif needed and self.budget.elapsed > self.budget.seconds + OVERRUN:
                self._overtaken(pair)
            elif not needed and not self.budget.left_for_ladders:
                pair.ladder.shed("the budget is short")
                self.shed += 1
            elif faster := self._outrun(pair, rung):
                said = pair.ladder.shed(f"{faster} was over {OUTRUN:g} times faster, no less accurate")
                self.state.note(f"{pair.words}: {said}", aloud=False)
            else:
                settings = len(pair.client.configurations)
                self._rung(pair, rung, self.budget.limit(pair.client.spent, settings, late), following)
                if beyond and pair.rows[-1]["status"] == Status.KILLED.name:
                    self._give_up(pair.client)
            self.state.events.step(before - pair.steps, pair.words)

    def _exhausted(self, pair: Pair, needed: bool) -> None:
        allowance = self.budget.allowance(len(pair.client.configurations))
        why = f"not run: the solver spent its share of the budget ({allowance:.0f} s)"
        if needed:
            self.state.measurer.decline(pair, why)
            pair.ladder.record(None, None, 0.0)
        else:
            pair.ladder.shed(why)
            self.outspent[pair.client.solver] += 1

    def _overtaken(self, pair: Pair) -> None:
        """Decline a cell that no budget is left for, aloud."""
        self.state.measurer.decline(pair, f"not run: the budget of {self.budget.seconds:g} s is spent")
        pair.ladder.record(None, None, 0.0)
        self.overtaken += 1

    def _give_up(self, client: Client) -> None:
        """Run a solver no more: its share is spent, and it does not keep a time limit."""
        self.exhausted.add(client)
        share = f"its share of the budget ({self.budget.allowance(len(client.configurations)):.0f} s)"
        self.state.note(
            f"{client.solver}: {share} is spent and it keeps no time limit: its other cells are not run"
        )

    def _outrun(self, pair: Pair, rung: int) -> str | None:
        """Name a setting of the same solver that makes this one pointless: the best of them ranks.

        At the loosest rung the setting is judged by where it was tried out, later by the cell itself.
        """
        mine = pair if rung > 0 else self.tried.get(pair.group, pair)
        if not mine.rows or mine.rows[-1].get("primal") is None:
            return None
        last = mine.rows[-1]
        for other in self.settings[mine.client.solver, mine.cell.name]:
            if other is mine:
                continue
            for row in other.rows:
                if (
                    row["rung"] == last["rung"]
                    and row.get("primal") is not None
                    and row["primal"] <= last["primal"] + TIERS[-1] * last["scale"]
                    and OUTRUN * row["seconds"] < last["seconds"]
                ):
                    return f"setting {other.configuration}" + (
                        "" if mine is pair else f" on {mine.cell.name}"
                    )
        return None

    def _reached(self, pair: Pair, row: dict[str, Any]) -> float | None:
        """Return an upper bound on the suboptimality of a row, relative to N; inf where nothing is proven.

        By the dual bounds of the loosest rungs, whoever found them, and by the pair's own. Not by all that is
        on record: which rungs a pair climbs must not depend on who was quicker, or no two runs were the same.
        """
        if row.get("primal") is None:
            return None
        known = [r["dual"] for r in pair.rows if r.get("dual") is not None]
        key = row["digest"], row["kind"]  # a path ends at the problem of another cell
        best = max([self.duals.get(key, -np.inf), *known])
        if self.loosest:
            self.duals[key] = best
        found = suboptimality(row, best)
        return np.inf if found is None else found

    def _rung(self, pair: Pair, rung: int, limit: float, then: Pair | None) -> None:
        row = self.state.measurer.measure(pair, "ladder", rung, 0, limit, then)
        reached = self._reached(pair, row)
        if reached is None:
            pair.ladder.record(None, None, 0.0)
            return
        floor = (row["radius"] or 0.0) / row["scale"] if row["scale"] else 0.0
        said = pair.ladder.record(row["seconds"], reached, floor)
        if said:
            self.state.note(f"{pair.words}: {said}", solver=pair.client.solver, cell=pair.cell.name,
                            configuration=pair.configuration)  # fmt: skip
