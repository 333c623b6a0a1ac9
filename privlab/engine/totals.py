"""Sums that threads add to at once, in memory that follows from public facts alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import numpy as np

from privlab.engine.samples import Ints

SMALL = 1 << 20
"""Up to so many sums, every thread has its own; of more there is one set, and threads take turns."""


class Totals:
    """A sum per measure and group, int64[measures, cells], from 0.

    threads: how many add at once.  Whole numbers, so nobody's turn changes a bit.
    """

    def __init__(self, measures: int, cells: int, threads: int) -> None:
        self._free: SimpleQueue[Ints] = SimpleQueue()
        self._count = threads if measures * cells <= SMALL else 1
        for _ in range(self._count):
            self._free.put(np.zeros((measures, cells), dtype=np.int64))

    @contextmanager
    def turn(self) -> Iterator[Ints]:
        """Sums that nobody else adds to meanwhile; waits while there are none."""
        sums = self._free.get()
        try:
            yield sums
        finally:
            self._free.put(sums)

    def together(self) -> Ints:
        """All of it, once nobody adds any more."""
        whole = self._free.get_nowait()
        for _ in range(self._count - 1):
            whole += self._free.get_nowait()
        self._free.put(whole)
        self._count = 1
        return whole
