"""A run: ladders first, then repeats; one thing at a time, everything on record before the next begins.

While a worker times, this process waits in a system call; certificates are computed between the runs.
What is judged here decides only what runs next and is not recorded: verdicts are made from the records,
when a report is printed.
"""

from __future__ import annotations

import heapq
import random
import tempfile
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from bench.client import Client, Handle, Limits, Store
from bench.measure import Append, Measurer, Pair, describe
from bench.rounds import LADDER, TIERS, Budget, Ladder, Repeats, suboptimality
from solvers import Status
from verification.problems import CaseChanged, CaseMissing
from verification.verdict import judge

__all__ = ["Events", "Plan", "execute"]

OUTRUN = 4.0  # times faster: a setting of the same solver that makes another not worth its tighter rungs


class Events:
    """Whoever watches a run; this one watches nothing."""

    def say(self, text: str) -> None:
        """Take a message about something that was left out."""

    def phase(self, name: str, total: float) -> None:
        """Note the beginning of a phase of `total` steps, or seconds."""

    def step(self, amount: float, text: str) -> None:
        """Note progress, and what is being done."""


@dataclass(frozen=True)
class Plan:
    """What a run measures.

    Parameters
    ----------
    run : str
        Identity of the run, in every row.
    suite : str
    cells : sequence of Cell
    solvers : sequence of str
        Names of the catalogue, or ``module:function``.
    budget : float
        Seconds for everything.
    seed : int
        Of the order in which pairs are run.
    longest : float
        Upper limit in seconds for one run; a run is killed at 1.5 times its limit plus 1 s.
    tols : sequence of float
        The ladder, loosest first.
    most_repeats : int
        Rounds at most for one rung.
    threads : int
        Threads of each worker's numerical libraries.
    limits : Limits
    """

    run: str
    suite: str
    cells: Sequence[Any]
    solvers: Sequence[str]
    budget: float = 270.0
    seed: int = 0
    longest: float = 10.0
    tols: tuple[float, ...] = LADDER
    most_repeats: int = 15
    threads: int = 1
    limits: Limits = field(default_factory=Limits)


def execute(plan: Plan, append: Append, events: Events | None = None) -> None:
    """Measure a plan.

    Parameters
    ----------
    plan : Plan
    append : callable
        Takes each row, and returns when it is safe.
    events : Events, optional
        Told of progress and of everything that was left out.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, threadpool_limits(plan.threads):
        run = _Run(plan, append, events or Events(), scratch)
        try:
            run.introduce()
            run.climb()
            run.repeat()
            run.conclude()
        finally:
            for client in run.clients:
                client.close()


class _Run:
    def __init__(self, plan: Plan, append: Append, events: Events, scratch: str) -> None:
        self.plan = plan
        self.append = append
        self.events = events
        self.store = Store(scratch)
        self.budget = Budget(plan.budget, plan.longest)
        self.order = random.Random(plan.seed)
        self.clients = [Client(name, scratch, plan.limits, plan.threads) for name in plan.solvers]
        self.pairs: list[Pair] = []
        self.best_dual: dict[str, float] = {}  # by problem digest, in this run
        self.measurer = Measurer(append)
        self.tried: dict[Hashable, Pair] = {}  # where a setting is tried out, by Pair.group
        self.shed = 0
        self.exhausted: set[Client] = set()
        self.outspent: Counter[str] = Counter()  # ladders cut because the solver's share was spent

    def note(self, text: str, **about: Any) -> None:
        """Say aloud, on the screen and in the record."""
        self.append({"kind": "note", "run": self.plan.run, "message": text, **about})
        self.events.say(text)

    # -- who and what ------------------------------------------------------------------------------------

    def introduce(self) -> None:
        """Start the workers, load the cells, and pair them."""
        self.events.phase("starting", len(self.clients) + len(self.plan.cells))
        for client in self.clients:
            client.worker.start()  # all at once: nothing is timed yet
        for client in self.clients:
            self.append({"kind": "solver", "run": self.plan.run, "solver": client.solver, **client.hello()})
            if client.dead is not None:
                self.events.say(f"{client.solver}: {client.dead['status']}: {client.dead['message']}")
            self.events.step(1, client.solver)
        self.budget.settings = sum(len(client.configurations) for client in self.clients)
        for cell in self.plan.cells:
            try:
                handle = self.store.handle(cell.problem())
            except (CaseMissing, CaseChanged) as error:
                self.note(f"{cell.name}: not measured: {error}", cell=cell.name)
            else:
                self.pairs += self._pairs(cell, handle)
            self.events.step(1, cell.name)

    def _pairs(self, cell: Any, handle: Handle) -> list[Pair]:
        about = {"kind": "result", "run": self.plan.run, "suite": self.plan.suite, **describe(cell, handle)}
        pairs = []
        for client in self.clients:
            solver = {
                "solver": client.solver,
                "own": client.about.get("own", not client.solver.startswith("peer_")),
                "claims_gap": client.about.get("claims_gap", False),
                "package": client.about.get("package"),
                "package_version": client.about.get("package_version"),
            }
            for configuration in client.configurations:
                columns = {**about, **solver, "configuration": configuration}
                ladder = Ladder(bool(solver["claims_gap"]), tols=self.plan.tols)
                pairs.append(Pair(client, configuration, cell, handle, columns, ladder))
        return pairs

    # -- accuracy: every rung once -----------------------------------------------------------------------

    def climb(self) -> None:
        """Run the ladders: the loosest rung of all pairs, then whatever is cheapest next.

        A short budget so sheds the tightest rungs of the slowest pairs. The loosest rung goes to every
        solver's first setting in every cell, then to the others where they are tried out, then to the
        others elsewhere, unless they were outrun there.
        """
        self.events.phase("accuracy", sum(len(pair.ladder.tols) for pair in self.pairs))
        first = [pair for pair in self.pairs if pair.configuration == pair.client.configurations[0]]
        others = [pair for pair in self.pairs if pair.configuration != pair.client.configurations[0]]
        self._pass(0, first)
        for pair in others:
            self.tried.setdefault(pair.group, pair)
        self._pass(0, list(self.tried.values()))
        self._pass(0, [pair for pair in others if self.tried[pair.group] is not pair])
        self._tighten()
        for solver, count in self.outspent.items():
            what = f"tightest rungs or further settings not run for {count} pairs"
            self.note(f"{solver}: its share of the budget is spent: {what}")
        if self.shed:
            about = f"the budget of {self.budget.seconds:g} s is short"
            self.note(f"{about}: tightest rungs not run for {self.shed} of {len(self.pairs)} pairs")

    def _tighten(self) -> None:
        """Climb from the second rung on, always the pair whose last run was the shortest."""
        waiting: list[tuple[float, float, int]] = []

        def wait(k: int) -> None:
            pair = self.pairs[k]
            if pair.ladder.next is not None:
                heapq.heappush(waiting, (pair.rows[-1]["seconds"] or 0.0, self.order.random(), k))

        for k in range(len(self.pairs)):
            wait(k)
        while waiting:
            k = heapq.heappop(waiting)[-1]
            rung = self.pairs[k].ladder.next
            assert rung is not None
            self._pass(rung, [self.pairs[k]])
            wait(k)

    def _pass(self, rung: int, pairs: list[Pair]) -> None:
        self.order.shuffle(pairs)
        # Small cases first: a slow solver spends its share where it gets answers. Shuffled within a case.
        pairs.sort(key=lambda pair: (pair.about["nnz"], pair.about["p"]))
        for pair in pairs:
            needed = rung == 0 and pair.configuration == pair.client.configurations[0]  # a cell is never shed
            before = pair.steps
            spent = pair.client.spent
            allowance = self.budget.allowance(len(pair.client.configurations))
            if spent > allowance and (not needed or pair.client in self.exhausted):
                self._exhausted(pair, needed)
            elif not needed and not self.budget.left_for_ladders:
                pair.ladder.shed("the budget is short")
                self.shed += 1
            elif faster := self._outrun(pair, rung):
                said = pair.ladder.shed(f"{faster} was over {OUTRUN:g} times faster, no less accurate")
                self.append({"kind": "note", "run": self.plan.run, "message": f"{pair.words}: {said}"})
            else:
                self._rung(pair, rung, self.budget.limit(spent, len(pair.client.configurations)))
                if spent > allowance and pair.rows[-1]["status"] == Status.KILLED.name:
                    self._give_up(pair.client)
            self.events.step(before - pair.steps, pair.words)

    def _exhausted(self, pair: Pair, needed: bool) -> None:
        allowance = self.budget.allowance(len(pair.client.configurations))
        why = f"not run: the solver spent its share of the budget ({allowance:.0f} s)"
        if needed:
            self.measurer.decline(pair, why)
            pair.ladder.record(None, None, 0.0)
        else:
            pair.ladder.shed(why)
            self.outspent[pair.client.solver] += 1

    def _give_up(self, client: Client) -> None:
        """Run a solver no more: its share is spent, and it does not keep a time limit."""
        self.exhausted.add(client)
        share = f"its share of the budget ({self.budget.allowance(len(client.configurations)):.0f} s)"
        self.note(
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
        for other in self.pairs:
            if other is mine or other.client is not mine.client or other.cell is not mine.cell:
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

    def _rung(self, pair: Pair, rung: int, limit: float) -> None:
        row = self.measurer.measure(pair, "ladder", rung, 0, limit)
        if row.get("primal") is None:
            pair.ladder.record(None, None, 0.0)
            return
        duals = self.best_dual
        if row["dual"] is not None:
            duals[pair.handle.digest] = max(duals.get(pair.handle.digest, -np.inf), row["dual"])
        best = duals.get(pair.handle.digest, -np.inf)
        reached = suboptimality(row, best)
        floor = (row["radius"] or 0.0) / row["scale"] if row["scale"] else 0.0
        said = pair.ladder.record(row["seconds"], np.inf if reached is None else reached, floor)
        if said:
            self.note(f"{pair.words}: {said}", solver=pair.client.solver, cell=pair.cell.name,
                      configuration=pair.configuration)  # fmt: skip

    # -- time: the loosest rung that meets a tier, again and again ---------------------------------------

    def repeat(self) -> None:
        """Repeat, in shuffled rounds over all pairs, until the budget is spent or nothing gains by it."""
        judged = judge(row for pair in self.pairs for row in pair.rows)
        best = judged.loosest()
        timed: dict[tuple[int, int], Repeats] = {}
        for k, pair in enumerate(self.pairs):
            if pair.client.solver in judged.wrong:
                continue  # it gets no times
            for reached in best.get((pair.cell.name, pair.client.solver, pair.configuration), {}).values():
                timed[k, reached.row["rung"]] = Repeats([reached.row["seconds"]], self.plan.most_repeats)
        self.events.phase("time", self.budget.left)
        left = self.budget.left
        for turn in range(1, self.plan.most_repeats):
            due = [key for key, repeats in timed.items() if repeats.wanted]
            self.order.shuffle(due)
            for k, rung in due:
                if not self.budget.left:
                    self.note(f"the budget of {self.budget.seconds:g} s ended in round {turn} of the repeats")
                    return
                pair, repeats = self.pairs[k], timed[k, rung]
                row = self.measurer.measure(pair, "repeat", rung, turn, self.plan.longest)
                # A repeat without an answer is on record as such; it is not tried again.
                repeats.seconds.append(np.inf if row.get("seconds") is None else row["seconds"])
                self.events.step(left - self.budget.left, pair.words)
                left = self.budget.left
            if not due:
                return

    def conclude(self) -> None:
        """Record what the workers had loaded, and that the run is complete."""
        for client in self.clients:
            loaded = client.environment()
            if loaded:
                self.append({"kind": "environment", "run": self.plan.run, "solver": client.solver, **loaded})
        about = {
            "elapsed": self.budget.elapsed,
            "certifying": self.measurer.certifying,
            "pairs": len(self.pairs),
        }
        self.append({"kind": "end", "run": self.plan.run, **about})
