"""What else the machine does meanwhile: slower than it was, or busy with something of others.

Nothing is corrected by it. It is on record beside the rows that were measured then, and said aloud when it
begins and when it ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic, perf_counter

import psutil

from bench.contests import SHOWN

__all__ = ["Look", "Watch", "spin"]

EVERY = 5.0  # seconds between two looks
SPIN = 0.002  # seconds that the anchor takes at first
SPINS = 3  # of which the shortest counts: an interruption lengthens one of them


def spin(turns: int) -> float:
    """Return the seconds that a fixed piece of work takes: integers, no memory, no library."""
    start = perf_counter()
    x = 1
    for _ in range(turns):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return perf_counter() - start


@dataclass(frozen=True)
class Look:
    """The machine since the last look.

    Attributes
    ----------
    anchor : float
        Seconds of the anchor, the shortest of a few.
    slower : float
        How many times as long it took as at the best of all looks, >= 1.
    others : float
        Cores that processes of others kept busy.
    steal : float
        Cores that the host of a virtual machine withheld.
    load : float
        Average of the last minute.
    frequency : float or None
        MHz, as far as the system tells.
    """

    anchor: float
    slower: float
    others: float
    steal: float
    load: float
    frequency: float | None

    @property
    def words(self) -> str:
        """What disturbs, or "": whatever could show as a slowdown of the size that is to be found."""
        found = []
        if self.slower > 1 + SHOWN:
            found.append(f"{100 * (self.slower - 1):.0f} % slower than at its best")
        if self.others > SHOWN:
            found.append(f"other processes keep {self.others:.2f} cores busy")
        if self.steal > SHOWN:
            found.append(f"its host withholds {self.steal:.2f} cores")
        return ", ".join(found)


class Watch:
    """Looks at the machine now and then.

    Parameters
    ----------
    workers : callable
        Returns the ids of our processes besides this one.
    clock : callable
        Seconds, monotonic; replaced in tests.

    Attributes
    ----------
    looks : list of Look
    """

    def __init__(
        self, workers: Callable[[], Iterable[int]] = tuple, clock: Callable[[], float] = monotonic
    ) -> None:
        self._workers = workers
        self._clock = clock
        self._turns = max(1000, round(1000 * SPIN / min(spin(1000) for _ in range(SPINS))))
        self._best = min(spin(self._turns) for _ in range(SPINS))
        self._last = clock(), *_busy(), self._own()
        self.looks: list[Look] = []

    @property
    def due(self) -> bool:
        """Whether the last look is long ago."""
        return self._clock() - self._last[0] >= EVERY

    def look(self) -> Look:
        """Look at the machine since the last time."""
        anchor = min(spin(self._turns) for _ in range(SPINS))  # what it takes is our own, and so no other's
        self._best = min(self._best, anchor)
        now = self._clock(), *_busy(), self._own()
        time, busy, steal, own = (new - old for new, old in zip(now, self._last, strict=True))
        time = max(time, 1e-3)
        frequency = psutil.cpu_freq()
        look = Look(
            anchor=anchor,
            slower=anchor / self._best,
            others=max(0.0, (busy - own) / time),
            steal=max(0.0, steal / time),
            load=os.getloadavg()[0],
            frequency=None if frequency is None else frequency.current,
        )
        self._last = now
        self.looks.append(look)
        return look

    @property
    def disturbed(self) -> int:
        """Number of looks that something disturbed."""
        return sum(bool(look.words) for look in self.looks)

    def summary(self) -> dict[str, float | int]:
        """Return the number of looks, of those that something disturbed, and the worst of each figure."""
        worst = {
            name: max((getattr(look, name) for look in self.looks), default=0.0)
            for name in ("slower", "others", "steal")
        }
        return {"looks": len(self.looks), "disturbed": self.disturbed, **worst}

    @property
    def words(self) -> str:
        """The summary in words."""
        worst = self.summary()
        return (
            f"at {worst['disturbed']} of {worst['looks']} looks; at worst "
            f"{100 * (worst['slower'] - 1):.0f} % slower than at its best, "
            f"{worst['others']:.2f} cores kept busy by other processes, "
            f"{worst['steal']:.2f} withheld by its host"
        )

    def _own(self) -> float:
        """Seconds of processor time of this process, of those it has ended, and of its workers."""
        total = sum(psutil.Process().cpu_times()[:4])
        for pid in self._workers():
            try:
                total += sum(psutil.Process(pid).cpu_times()[:4])
            except psutil.Error:  # it has just ended: its time is in this process's from now on
                continue
        return total


def _busy() -> tuple[float, float]:
    """Seconds that all cores together were busy, and that they were withheld, since the machine started."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # counted as user time too
    steal = getattr(times, "steal", 0.0)
    return sum(times) - idle - guest - steal, steal
