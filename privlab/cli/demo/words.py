"""Repeatable words for made-up data: SplitMix64 over a counter.

For fiction only.  Nothing here may come near noise, which is drawn from the
system's entropy (``mechanisms/entropy.py``).  Integers only, so that every
machine makes the same clinic.

Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators",
OOPSLA 2014, figure 17 (the mixing function).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

_STEP = np.uint64(0x9E37_79B9_7F4A_7C15)


def words(seed: str, topic: str, count: int) -> Words:
    """``count`` 64-bit words that depend on seed, topic and position alone."""
    digest = hashlib.sha256(f"{seed}\0{topic}".encode()).digest()
    start = np.array([int.from_bytes(digest[:8], "big")], dtype=np.uint64)
    z = start + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * _STEP
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def below(limit: int | Ints, source: Words) -> Ints:
    """One integer in [0, limit) per word, from its upper 32 bits; limit at most 2^31."""
    high = source >> np.uint64(32)
    return ((high * np.asarray(limit, dtype=np.uint64)) >> np.uint64(32)).astype(np.int64)


def weighted(weights: Sequence[int] | Ints, source: Words) -> Ints:
    """One index per word, with probability proportional to the whole-number weights."""
    edges = np.cumsum(np.asarray(weights, dtype=np.int64))
    return np.searchsorted(edges, below(int(edges[-1]), source), side="right").astype(np.int64)


def weighted_by(table: Ints, row: Ints, source: Words) -> Ints:
    """As `weighted`, with row ``row[i]`` of a table of weights for word i."""
    edges = np.cumsum(table, axis=1)
    drawn = below(edges[row, -1], source)
    return np.asarray((edges[row] <= drawn[:, None]).sum(axis=1), dtype=np.int64)
