"""Which workers hold data: large data are dropped again, so that all fit into the machine together."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

from verification.memory import machine_memory

__all__ = ["Residents"]

ROOM = 0.25  # of the machine's memory, for the data of all workers; one of them needs more to compute with


class Holder(Protocol):
    """A worker that keeps what it has loaded."""

    def release(self) -> None:
        """Drop it."""


class Residents:
    """The workers that hold data, the longest unused first.

    Parameters
    ----------
    room : int, optional
        Bytes that the data of all may take.
    """

    def __init__(self, room: int | None = None) -> None:
        self.room = int(ROOM * machine_memory()) if room is None else room
        self._held: OrderedDict[Holder, int] = OrderedDict()

    def admit(self, holder: Holder, size: int) -> None:
        """Make room for `size` bytes that a worker is about to load; whoever held data longest drops them."""
        self._held[holder] = size
        self._held.move_to_end(holder)
        while len(self._held) > 1 and sum(self._held.values()) > self.room:
            self._held.popitem(last=False)[0].release()
