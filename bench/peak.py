"""The largest resident size of this process, as the kernel keeps it: nothing looks on while a solver runs."""

from __future__ import annotations

import mmap
import sys

__all__ = ["peak_of_this_process", "reset_peak_of_this_process", "resident_of_this_process"]

PAGE = mmap.PAGESIZE  # bytes


def reset_peak_of_this_process() -> bool:
    """Set the peak that the kernel keeps back to the present size; False where that cannot be done."""
    if sys.platform != "linux":
        return False
    try:
        with open("/proc/self/clear_refs", "wb", buffering=0) as file:
            file.write(b"5")
    except OSError:
        return False
    return True


def resident_of_this_process() -> int | None:
    """Return the resident size in bytes (Linux), None elsewhere."""
    pages = _read("/proc/self/statm")
    return int(pages.split(maxsplit=2)[1]) * PAGE if pages else None


def peak_of_this_process() -> int | None:
    """Return the largest resident size in bytes since the reset (Linux), None elsewhere.

    The kernel counts pages in batches for each thread, so that a few hundred kilobytes are its grain.
    """
    found = _read("/proc/self/status").partition(b"\nVmHWM:")[2]
    return int(found.split(maxsplit=1)[0]) * 1024 if found else None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except FileNotFoundError:  # not Linux
        return b""
