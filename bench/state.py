"""A run under way: who takes part, on which cells, and what is left of the budget."""

from __future__ import annotations

import random
from typing import Any

from bench.client import Client, Handle, Store
from bench.jobs import task_of
from bench.measure import Append, Measurer, Pair, describe
from bench.past import Past
from bench.plan import Events, Plan
from bench.rounds import JOB_LADDER, Budget, Ladder
from bench.twins import parse
from verification.problems import CaseChanged, CaseMissing

__all__ = ["State"]


class State:
    """Everything that the phases of a run share.

    Parameters
    ----------
    plan : Plan
    append : callable
        Takes each row, and returns when it is safe.
    events : Events
    scratch : str
        Folder for problems on their way to the workers.
    past : Past
        What is on record already.
    """

    def __init__(self, plan: Plan, append: Append, events: Events, scratch: str, past: Past) -> None:
        self.plan = plan
        self.past = past
        self.append = append
        self.events = events
        self.store = Store(scratch)
        self.budget = Budget(plan.budget, plan.longest)
        self.order = random.Random(plan.seed)
        self.clients = [
            Client(name, scratch, plan.limits, plan.threads, past.processes[name], plan.memory)
            for name in plan.solvers
        ]
        self.pairs: list[Pair] = []
        self.measurer = Measurer(append, self.budget, past)

    def note(self, text: str, aloud: bool = True, **about: Any) -> None:
        """Put words on record and, unless they are of no consequence, on the screen."""
        if self.past.said(text):
            return
        self.append({"kind": "note", "run": self.plan.run, "message": text, **about})
        if aloud:
            self.events.say(text)

    def introduce(self) -> None:
        """Start the workers, load the cells, and pair them."""
        self.events.phase("starting", len(self.clients) + len(self.plan.cells))
        for client in self.clients:
            client.worker.start()  # all at once: nothing is timed yet
        for client in self.clients:
            about = {"solver": client.solver, **parse(client.solver).columns, **client.hello()}
            if not self.past.introduced(client.solver):
                self.append({"kind": "solver", "run": self.plan.run, **about})
            if client.dead is not None:
                self.events.say(f"{client.solver}: {client.dead['status']}: {client.dead['message']}")
            self.events.step(1, client.solver)
        self.budget.settings = sum(len(client.configurations) for client in self.clients)
        for cell in self.plan.cells:
            try:
                problem = cell.problem()
                handle = self.store.handle(problem, task_of(cell, problem))
            except (CaseMissing, CaseChanged) as error:
                self.note(f"{cell.name}: not measured: {error}", cell=cell.name)
            else:
                self.pairs += self._pairs(cell, handle)
            self.events.step(1, cell.name)

    def _pairs(self, cell: Any, handle: Handle) -> list[Pair]:
        kind = "result" if cell.job == "solve" else cell.job
        about = {"kind": kind, "run": self.plan.run, "suite": self.plan.suite,
                 "threads": self.plan.threads, **describe(cell, handle)}  # fmt: skip
        pairs = []
        for client in self.clients:
            solver = {
                "solver": client.solver,
                **parse(client.solver).columns,
                "own": client.about.get("own", not client.solver.startswith("peer_")),
                "claims_gap": client.about.get("claims_gap", False),
                "package": client.about.get("package"),
                "package_version": client.about.get("package_version"),
            }
            for configuration in client.settings(handle.task):
                columns = {**about, **solver, "configuration": configuration}
                ladder = Ladder(bool(solver["claims_gap"]), tols=self.plan.tols)
                if handle.task.many:
                    ladder = Ladder(ladder.claims_gap, **JOB_LADDER)
                pairs.append(Pair(client, configuration, cell, handle, columns, ladder))
        return pairs

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
