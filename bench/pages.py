"""Memory that can be read only: a process that writes into it ends, so that nobody has to look afterwards."""

from __future__ import annotations

import ctypes
import mmap
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pages"]

LINE = 64  # bytes: every array begins on a cache line
HUGE = 1 << 22  # bytes from which numpy asks for huge pages, so that these are as fast as its own


class Pages:
    """Copies of arrays in pages of their own that the kernel lets nobody write into.

    numpy is not told: ``flags.writeable`` stays True, so that a solver is handed what it would be handed
    elsewhere, and takes the same way with it.

    Parameters
    ----------
    arrays : dict of str to array
        One dimension or more; their memory order is kept.

    Attributes
    ----------
    arrays : dict of str to array
        The copies. They keep the pages alive.

    Raises
    ------
    OSError
        If the kernel does not protect them.
    """

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        sizes = [-(-array.nbytes // LINE) * LINE for array in arrays.values()]
        memory = mmap.mmap(-1, max(sum(sizes), 1))
        if sum(sizes) >= HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
            with suppress(OSError):  # a kernel without them
                memory.madvise(mmap.MADV_HUGEPAGE)
        self.arrays: dict[str, NDArray[Any]] = {}
        start = 0
        for (name, array), size in zip(arrays.items(), sizes, strict=True):
            flat = np.frombuffer(memory, array.dtype, array.size, start)
            self.arrays[name] = flat.reshape(array.shape, order="F" if array.flags.f_contiguous else "C")
            self.arrays[name][...] = array
            start += size
        self._first = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        self._end = self._first + len(memory)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mprotect(ctypes.c_void_p(self._first), ctypes.c_size_t(len(memory)), mmap.PROT_READ):
            raise OSError(ctypes.get_errno(), "the input of a solver cannot be protected from writing")

    def hold(self, array: NDArray[Any]) -> bool:
        """Whether the memory of an array is here."""
        return self._first <= array.__array_interface__["data"][0] < self._end
