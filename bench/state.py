"""A run under way: who takes part, on which cells, and what is left of the budget."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import asdict
from time import monotonic
from typing import Any

from bench.client import Client, Handle, Store
from bench.jobs import task_of
from bench.machine import Watch
from bench.measure import Append, Measurer, Pair, describe
from bench.past import Past
from bench.plan import Events, Plan
from bench.residents import Residents
from bench.rounds import DEFAULTS_SHARE, JOB_LADDER, Budget, Ladder
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
        self.began = monotonic()
        self.plan = plan
        self.past = past
        self.append = append
        self.events = events
        self.store = Store(scratch)
        self.budget = Budget(plan.budget, plan.longest)
        self.order = random.Random(plan.seed)
        residents = Residents()
        self.clients = [
            Client(name, scratch, plan.limits, plan.threads, past.processes[name], plan.memory, residents)
            for name in plan.solvers
        ]
        self.pairs: list[Pair] = []
        self.reused: dict[str, list[str]] = defaultdict(list)  # cells by the record they are taken over from
        self.again: dict[str, list[str]] = defaultdict(list)  # cells that are not, by the reason
        self.measurer = Measurer(append, self.budget, past, self.look)
        self.watch = Watch(lambda: [pid for client in self.clients if (pid := client.worker.pid)])
        self.starting = 0.0  # seconds that starting all workers took
        self.forking = 0.0  # seconds until workers were under way, and those before them gone
        self.making = 0.0  # seconds that making the problems took

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
        began = monotonic()
        for client in self.clients:
            client.worker.start()  # all at once: nothing is timed yet
        self.forking = monotonic() - began
        for client in self.clients:
            about = {"solver": client.solver, **parse(client.solver).columns, **client.hello()}
            if not self.past.introduced(client.solver):
                self.append({"kind": "solver", "run": self.plan.run, **about})
            if client.dead is not None:
                self.events.say(f"{client.solver}: {client.dead['status']}: {client.dead['message']}")
            self.events.step(1, client.solver)
        self.starting = monotonic() - began
        self.budget.settings = sum(len(client.configurations) for client in self.clients)
        if not self.plan.defaults or all(cell.job != "solve" for cell in self.plan.cells):
            self.budget.ladders = DEFAULTS_SHARE
        for cell in self.plan.cells:
            try:
                began = monotonic()
                problem = cell.problem()
                handle = self.store.handle(problem, task_of(cell, problem))
                self.making += monotonic() - began
            except (CaseMissing, CaseChanged) as error:
                self.note(f"{cell.name}: not measured: {error}", cell=cell.name)
            else:
                if not self._taken_over(cell, handle):
                    self.pairs += self._pairs(cell, handle)
            self.events.step(1, cell.name)
        self._say_what_is_reused()

    def _taken_over(self, cell: Any, handle: Handle) -> bool:
        """Take a cell over from an earlier record, with the rows of all its solvers, if that may be."""
        if self.plan.reuse is None:
            return False
        found = self.plan.reuse.of(cell.name, handle.digest)
        if isinstance(found, str):
            self.again[found].append(cell.name)
            return False
        record, rows = found
        for row in rows:
            self.measurer.take_over({**row, "run": self.plan.run, "suite": self.plan.suite}, record)
        self.reused[record].append(cell.name)
        return True

    def _say_what_is_reused(self) -> None:
        """Put on record what was taken over and what was not, by reason."""
        for record, names in self.reused.items():
            self.note(f"reused, not measured in this run: {len(names)} cells of {record}", cells=names)
        for reason, names in self.again.items():
            self.note(f"not reused: {len(names)} cells: {reason}", cells=names)

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
            for configuration in client.settings(handle.task)[: self.plan.settings]:
                columns = {**about, **solver, "configuration": configuration}
                ladder = Ladder.within(self.plan.longest, bool(solver["claims_gap"]), self.plan.tols)
                if handle.task.many:
                    ladder = Ladder(ladder.claims_gap, **JOB_LADDER)
                pairs.append(Pair(client, configuration, cell, handle, columns, ladder))
        return pairs

    def price(self, client: Client) -> float:
        """Seconds that it takes to have a solver's worker started anew as warm as it is."""
        return self.starting / len(self.clients) + client.invested

    def start(self, clients: list[Client]) -> None:
        """Start workers anew, all at once, and wait until they are there."""
        if not self.measurer.live:
            return  # what comes next is on record
        began = monotonic()
        for client in clients:
            client.worker.strike()  # all at once: their memory is given back side by side
        for client in clients:
            client.worker.kill()
        for client in clients:
            client.worker.start()
        self.forking += monotonic() - began
        for client in clients:
            client.wake()

    def look(self, last: bool = False) -> None:
        """Look at the machine if it is time; nothing is being timed."""
        if not self.watch.due and not last:
            return
        look = self.watch.look()
        about = {"kind": "machine", "run": self.plan.run, "at": self.measurer.measured}
        found = {**asdict(look), "disturbed": look.words}
        self.append({**about, "elapsed": self.budget.elapsed, **found})
        if look.words and self.watch.disturbed == 1:
            self.events.say(f"the machine is disturbed: {look.words}")

    def conclude(self) -> None:
        """Record what the workers had loaded, what the time went into, and that the run is complete."""
        for client in self.clients:
            loaded = client.environment()
            if loaded:
                self.append({"kind": "environment", "run": self.plan.run, "solver": client.solver, **loaded})
        self.look(last=True)
        if self.watch.disturbed:
            self.note(f"the machine was disturbed: {self.watch.words}")
        about = {"pairs": len(self.pairs), "elapsed": self.budget.elapsed, "machine": self.watch.summary()}
        self.append({"kind": "end", "run": self.plan.run, **about, **self._shares()})

    def _shares(self) -> dict[str, float]:
        """Seconds since this start (`since`, in seconds of the budget) by what they went into: all of them.

        Bookkeeping is whatever this process did while no worker was asked, but for certificates, for making
        problems and for ending and starting processes; and what is around the timed part of a run: handing
        over, collecting garbage. What it did while a worker took its next problem is in the time of loading,
        and in `beside` once more.
        """
        waited: dict[str, float] = defaultdict(float)
        for client in self.clients:
            for op, seconds in client.waited.items():
                waited[op] += seconds
        lasted = monotonic() - self.began
        own = lasted - sum(waited.values()) - self.measurer.certifying - self.making - self.forking
        around = sum(client.around for client in self.clients)
        beside = self.measurer.beside
        return {
            "since": max(0.0, self.budget.elapsed - lasted),
            "timed": sum(client.timed for client in self.clients),
            "lost": sum(client.lost for client in self.clients),
            "floors": waited["floor"],
            "starting": self.forking + waited["hello"],
            "loading": waited["load"] + waited["release"] + self.making + sum(beside.values()),
            "warming": waited["warm_up"],
            "certifying": self.measurer.certifying - beside["certifying"],
            "bookkeeping": own + around + waited["environment"] - beside["bookkeeping"],
            "beside": sum(beside.values()),
        }
