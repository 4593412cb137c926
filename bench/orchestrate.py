"""A run: ladders, defaults, repeats; one thing at a time, everything on record before the next begins.

While a worker times, this process waits in a system call; certificates are computed between the runs.
"""

from __future__ import annotations

import gc

from threadpoolctl import threadpool_limits

from bench.defaults import measure_defaults
from bench.floors import measure_floors
from bench.ladders import climb
from bench.measure import Append
from bench.past import Past
from bench.plan import Events, Plan
from bench.repeats import repeat
from bench.scratch import scratch_folder
from bench.state import State

__all__ = ["execute"]


def execute(plan: Plan, append: Append, events: Events | None = None, past: Past | None = None) -> None:
    """Measure a plan.

    Parameters
    ----------
    plan : Plan
    append : callable
        Takes each row, and returns when it is safe.
    events : Events, optional
        Told of progress and of everything that was left out.
    past : Past, optional
        What an earlier start of the same run left on record.
    """
    gc.collect()
    gc.freeze()  # what is loaded is not walked through again and again while rows pile up
    with scratch_folder() as scratch, threadpool_limits(plan.threads):
        state = State(plan, append, events or Events(), scratch, past or Past())
        try:
            state.introduce()
            climb(state)
            if plan.defaults:
                measure_defaults(state)
            repeat(state)
            if plan.headline:
                measure_floors(state)
            state.conclude()
        finally:
            for client in state.clients:
                client.close()
            gc.unfreeze()
