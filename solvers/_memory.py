"""What is too large, derived from this machine's memory."""

from __future__ import annotations

import os

WORD = 8  # bytes of a float64


def budget() -> int:
    """Bytes that one work array of a solver may take: a quarter of the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4


def refuse_beyond(rows: int, columns: int, what: str) -> str | None:
    """Reason not to hold a dense rows x columns array; None if it fits the budget."""
    if WORD * rows * columns <= budget():
        return None
    size = WORD * rows * columns / 2**30
    return f"{what} would be {rows} x {columns}, {size:.1f} GiB: over a quarter of this machine's memory"
