"""Noise for a whole vector: words to the kernel, ties to big integers, until all have theirs.

The one loop that all laws share.  It knows no law: a `Sampler` brings the
compiled kernel and what settles its ties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privlab.kernels.trial import MOST_WORDS, OK, TIE
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.exact import Law, settle

_MOST_WORDS = 1 << 15
"""Words drawn at once: 256 KiB."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """A kernel with the signature of `privlab.kernels.gaussian.add_rounded_gaussian`, and its law."""

    kernel: Callable[..., Any]
    law: Law


def add(
    values: NDArray[np.int64], sampler: Sampler, multiplier: int, shift: int, words: KeyStream
) -> NDArray[np.int64]:
    """A new vector: ``values`` plus independent noise in each cell.

    values: one-dimensional int64, in steps; multiplier, shift: the scale of the
    noise in the same steps; words: a fresh `Words`, for this release alone.
    Fails only where the operating system gives no entropy, or with:

    :raises TypeError: values are not int64 in one dimension.

    Sums leave int64 only where the plan's public bounds let values leave
    2^62; even then they wrap modulo 2^64, which is post-processing too.
    """
    if values.dtype != np.int64 or values.ndim != 1:
        raise TypeError("noise is added to a one-dimensional int64 vector")
    noisy = np.array(values, dtype=np.int64, order="C", copy=True)
    cells = noisy.view(np.uint64)
    scale = np.uint64(multiplier), np.uint64(shift)
    buffer = np.empty(min(_MOST_WORDS, MOST_WORDS * (cells.size + 8)), np.uint64)
    cell = 0
    while cell < cells.size:
        words.fill(buffer)
        at = 0
        while True:
            status, cell, at = map(
                int, sampler.kernel(cells, np.uint64(cell), *scale, buffer, np.uint64(at))
            )
            if status != TIE:
                break
            trial = (int(buffer[at]), int(buffer[at + 1]), int(buffer[at + 2]))
            drawn = settle(trial, sampler.law, multiplier, shift, lambda: int(words.take(1)[0]))
            at += MOST_WORDS
            if drawn is not None:
                cells[cell] = np.uint64((int(cells[cell]) + drawn) % (1 << 64))
                cell += 1
        if status == OK:
            break
    return noisy
