"""Add exact rounded Gaussian noise to a vector of integers.

The noise is the continuous Gaussian of variance ``8 (multiplier / 2^shift)^2``,
rounded to the nearest integer.  The values are integers, so adding it equals
rounding the continuous Gaussian mechanism's output: post-processing, and every
statement about the continuous mechanism holds unchanged (Dong, Roth, Su 2019,
arXiv:1905.02383, Theorem 1 and Proposition 4).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privlab.kernels.gaussian import OK, TIE, WORDS_PER_TRIAL, add_rounded_gaussian
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.exact import settle
from privlab.terms.noise import RoundedGaussian

_MOST_TRIALS = 1 << 15
"""Trials whose words are drawn at once: 768 KiB."""


def add_noise(
    values: NDArray[np.int64], noise: RoundedGaussian, words: KeyStream
) -> NDArray[np.int64]:
    """A new vector: ``values`` plus independent noise in each cell.

    values: one-dimensional int64, in steps; noise: in the same steps; words: a
    fresh `Words`, for this release alone.  Fails only where the operating
    system gives no entropy, or with:

    :raises TypeError: values are not int64 in one dimension.

    Sums leave int64 only where the plan's public bounds let values leave
    2^62; even then they wrap modulo 2^64, which is post-processing too.
    """
    if values.dtype != np.int64 or values.ndim != 1:
        raise TypeError("noise is added to a one-dimensional int64 vector")
    noisy = np.array(values, dtype=np.int64, order="C", copy=True)
    cells = noisy.view(np.uint64)
    multiplier, shift = np.uint64(noise.multiplier), np.uint64(noise.shift)
    cell = 0
    while cell < cells.size:
        left = cells.size - cell
        batch = words.take(WORDS_PER_TRIAL * min(_MOST_TRIALS, left + left // 6 + 8))
        at = 0
        while True:
            status, cell, at = (
                int(part)
                for part in add_rounded_gaussian(
                    cells, np.uint64(cell), multiplier, shift, batch, np.uint64(at)
                )
            )
            if status != TIE:
                break
            cell = _settle_tie(cells, cell, noise, batch, at, words)
            at += WORDS_PER_TRIAL
        if status == OK:
            break
    return noisy


def _settle_tie(
    cells: NDArray[np.uint64],
    cell: int,
    noise: RoundedGaussian,
    batch: NDArray[np.uint64],
    at: int,
    words: KeyStream,
) -> int:
    """Finish one undecided trial; the cell that is next."""
    trial = (int(batch[at]), int(batch[at + 1]), int(batch[at + 2]))
    drawn = settle(trial, noise.multiplier, noise.shift, lambda: int(words.take(1)[0]))
    if drawn is None:
        return cell
    cells[cell] = np.uint64((int(cells[cell]) + drawn) % (1 << 64))
    return cell + 1
