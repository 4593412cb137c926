"""A progress bar with the time left, and room above it for what must be said aloud."""

from __future__ import annotations

from time import monotonic
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.plan import Events

__all__ = ["Screen"]

SHOWN = 4  # times a second at most


class Screen(Events):
    """Events of a run on a terminal; in a log file only the messages appear.

    Parameters
    ----------
    console : rich.console.Console
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._task: TaskID | None = None
        self._behind = 0.0  # steps that are not shown yet
        self._updated = 0.0
        self._progress = Progress(
            TextColumn("{task.description:>9}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[now]}", markup=True),
            console=console,
            transient=True,
            # From a thread: a redraw takes a millisecond of the core that is not timing.
            refresh_per_second=SHOWN,
        )

    def __enter__(self) -> Screen:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Print above the bar."""
        self._progress.console.print(text, markup=False, highlight=False, style="yellow")

    def phase(self, name: str, total: float) -> None:
        """Begin a phase of `total` steps (or seconds)."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(name, total=total, now="")
        self._behind = 0.0

    def step(self, amount: float, text: str) -> None:
        """Advance, and show what is being done."""
        self._behind += amount
        if self._task is not None and monotonic() - self._updated > 1 / SHOWN:
            self._progress.update(self._task, advance=self._behind, now=text.replace("[", r"\[")[:60])
            self._behind, self._updated = 0.0, monotonic()
