"""The order in which rungs are climbed, on a clock of our own: who gets what is left of a budget."""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from bench.ladders import climb
from bench.past import Past
from bench.plan import Events, Plan
from bench.rounds import DEFAULTS_SHARE, LADDER, LADDER_SHARE, Budget, Ladder
from bench.state import State
from verification.problems.cells import Cell


@dataclass(eq=False)
class Solver:
    solver: str
    spent: float = 0.0
    configurations: tuple[str, ...] = ("default",)


class Machine:
    """A run of pairs whose every run takes as long as it is said to, and reaches what was asked."""

    def __init__(self, seconds: dict[str, float], cells: int, budget: float) -> None:
        self.now = 0.0
        self.seconds = seconds
        self.ran: list[tuple[str, str, int]] = []
        self.notes: list[str] = []
        self.budget = Budget(budget, settings=len(seconds), clock=lambda: self.now)
        self.order, self.events, self.measurer = random.Random(0), Events(), self
        clients = [Solver(name) for name in seconds]
        self.pairs: list[Any] = [self._pair(client, f"cell {k}") for client in clients for k in range(cells)]

    def _pair(self, client: Any, cell: str) -> Any:
        return SimpleNamespace(
            client=client, configuration="default", cell=SimpleNamespace(name=cell), ladder=Ladder(),
            about={"nnz": 1, "p": 1}, rows=[], steps=1, words=f"{client.solver} on {cell}",
            group=(client.solver, cell),
        )  # fmt: skip

    def measure(
        self, pair: Any, phase: str, rung: int, turn: int, limit: float, then: Any = None
    ) -> dict[str, Any]:
        took = min(self.seconds[pair.client.solver], limit)
        self.now += took
        pair.client.spent += took
        self.ran.append((pair.client.solver, pair.cell.name, rung))
        row = {"seconds": took, "status": "CONVERGED", "primal": 1 + LADDER[rung], "dual": 1.0, "scale": 1.0,
               "radius": 1e-16, "digest": pair.cell.name, "kind": "result", "rung": rung}  # fmt: skip
        pair.rows.append(row)
        return row

    def note(self, text: str, **about: Any) -> None:
        self.notes.append(text)

    def rungs(self, solver: str) -> int:
        return sum(ran[0] == solver for ran in self.ran)


def test_a_solver_that_has_spent_its_share_goes_on_with_what_the_others_have_left() -> None:
    machine = Machine({"quick": 0.01, "slow": 0.5}, cells=2, budget=10.0)  # shares of 3.75 s
    climb(machine)  # type: ignore[arg-type]
    assert machine.rungs("quick") == machine.rungs("slow") == 2 * len(LADDER)
    assert {ran[0] for ran in machine.ran[-4:]} == {"slow"}, "after all others"
    assert not machine.notes


def test_and_not_beyond_the_ladders_share_of_the_budget_aloud() -> None:
    machine = Machine({"quick": 0.01, "slow": 0.5}, cells=4, budget=8.0)
    climb(machine)  # type: ignore[arg-type]
    assert machine.rungs("quick") == 4 * len(LADDER)
    assert LADDER_SHARE * 8.0 <= machine.now <= LADDER_SHARE * 8.0 + 0.5
    assert any("slow: its share of the budget is spent" in note for note in machine.notes)


@pytest.mark.parametrize(("job", "share"), [("path", DEFAULTS_SHARE), ("solve", LADDER_SHARE)])
def test_the_ladders_have_the_part_of_calls_without_settings_where_there_are_none(
    job: str, share: float, tmp_path: Any
) -> None:
    cells = [Cell("diabetes", "lasso", l1_ratio=3.0, job=job)]
    state = State(Plan("t", "t", cells, []), lambda row: None, Events(), str(tmp_path), Past())
    state.introduce()
    assert state.budget.ladders == share
