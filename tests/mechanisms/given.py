"""Words that a test has written, in place of drawn ones."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from privlab.mechanisms.entropy import KeyStream


class Given(KeyStream):
    """Exactly these words, in order; taking more fails."""

    def __init__(self, words: Iterable[int]) -> None:
        super().__init__(bytes(32))
        self.left = list(words)

    def take(self, count: int) -> NDArray[np.uint64]:
        taken, self.left = self.left[:count], self.left[count:]
        if len(taken) < count:
            raise AssertionError("more words are taken than were given")
        return np.array(taken, np.uint64)
