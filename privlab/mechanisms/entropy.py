"""Uniform 64-bit words for one noise vector: AES-256-CTR under a fresh key.

The operating system gives 32 bytes; AES in counter mode stretches them (NIST
SP 800-38A, section 6.5; the stream generator of SP 800-90A without reseeding,
which 2^64 blocks would not need).  One object serves one release and is then
closed: no key outlives the noise it made.
"""

from __future__ import annotations

import os
import sys
from typing import Self

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

KEY_BYTES = 32

_ZEROS = memoryview(bytes(1 << 16))


class KeyStream:
    """The words of one AES-256 key, from block zero, little-endian.

    For known-answer tests.  Noise is drawn from `Words`, which makes its own key.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key has {KEY_BYTES} bytes, got {len(key)}")
        self._encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        self._closed = False

    def fill(self, buffer: NDArray[np.uint64]) -> None:
        """Overwrite ``buffer``, one-dimensional and contiguous, with the next words.

        :raises ValueError: the stream is closed.
        """
        if self._closed:
            raise ValueError("these words are closed; a new vector needs new words")
        view = memoryview(buffer.data).cast("B")
        for start in range(0, len(view), len(_ZEROS)):
            part = view[start : start + len(_ZEROS)]
            self._encryptor.update_into(_ZEROS[: len(part)], part)
        if sys.byteorder == "big":
            buffer.byteswap(inplace=True)

    def take(self, count: int) -> NDArray[np.uint64]:
        """The next ``count`` words, never given before.

        :raises ValueError: the stream is closed, or ``count`` is negative.
        """
        if count < 0:
            raise ValueError(f"a number of words is not negative, got {count}")
        words = np.empty(count, dtype=np.uint64)
        self.fill(words)
        return words

    def close(self) -> None:
        """Drop the key.  Closing twice is fine."""
        self._closed = True
        if hasattr(self, "_encryptor"):
            del self._encryptor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Words(KeyStream):
    """Words of a key that was drawn from the operating system just now."""

    def __init__(self) -> None:
        super().__init__(os.urandom(KEY_BYTES))
