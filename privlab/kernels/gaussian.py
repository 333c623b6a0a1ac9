"""Exact rounded Gaussian noise, compiled: integers only, two words a trial.

A trial (`privlab.kernels.trial`) makes a half-normal real ``z + x`` of variance
8: Z has weights ``exp(-z^2 / 16)`` and the chance of being kept is ``exp(-x (x +
2z) / 16)``, so the kept ``z + x`` has density proportional to ``exp(-(z + x)^2 /
16)``.  It is scaled by ``multiplier / 2^shift``, rounded to the nearest integer
and given a sign.  ``docs/proofs/rounded-gaussian.md`` has the argument and the
error bounds; the plain Python twin is ``tests/kernels/twin_gaussian.py`` and the
two must agree word for word.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from privlab.kernels import trial
from privlab.kernels.trial import full_decay, half_decay, half_product, half_table, inlined
from privlab.kernels.wide import high_word

Z_TABLE = np.array(
    [
        0x1FA50CD44A10D5D3,
        0x3D5F484C4AFB6732,
        0x560462F75AE092D1,
        0x680C39CE4E780A22,
        0x73B06F8308DECAF1,
        0x7A528208AF392C2B,
        0x7DA85A334B764D1E,
        0x7F233E5614F31CB4,
        0x7FB79E919F433F51,
        0x7FEAE59180027F5F,
        0x7FFA8913B7839D24,
        0x7FFEBE9B5468F542,
        0x7FFFBE8AE1746061,
        0x7FFFF430864F0621,
        0x7FFFFE1CFE4AD0D8,
        0x7FFFFFBBB6A41B8C,
        0x7FFFFFF775A45086,
        0x7FFFFFFF0E2ED88A,
        0x7FFFFFFFE85ABDF2,
        0x7FFFFFFFFDF4D41D,
        0x7FFFFFFFFFD80ACA,
        0x7FFFFFFFFFFD4DB7,
        0x7FFFFFFFFFFFD6D9,
        0x7FFFFFFFFFFFFDD5,
        0x7FFFFFFFFFFFFFE6,
        0x7FFFFFFFFFFFFFFE,
        0x7FFFFFFFFFFFFFFF,
    ],
    dtype=np.uint64,
)
"""floor(2^63 P(Z <= k)), k = 0..26.  The last is the largest U: beyond it, a tie."""

Z_HALVES = half_table(Z_TABLE)

_SIX = np.uint64(6)
_WIDTH_LESS_SIX = np.uint64(58)

_jit: Any = nb.njit
_types: Any = nb.types


@inlined
def half_chance(z: np.uint64, x: np.uint64) -> Any:
    """2^32 exp(-x (x + 2z) / 16) within 17, for z <= 17 and x in units of 2^-32.

    The argument is divided by four, so that alternating Horner needs no range
    reduction, and the result squared twice.
    """
    value = half_decay((x * (z + z) + half_product(x, x)) >> _SIX)
    value = half_product(value, value)
    return half_product(value, value)


@inlined
def full_chance(z: np.uint64, x: np.uint64) -> Any:
    """2^64 exp(-x (x + 2z) / 16) within 35, for z <= 26 and x in units of 2^-64."""
    value = full_decay(high_word(x, (z + z) << _WIDTH_LESS_SIX) + (high_word(x, x) >> _SIX))
    value = high_word(value, value)
    return high_word(value, value)


@inlined
def rounded_gaussian(
    width: np.uint64,
    values: NDArray[np.uint64],
    cell: np.uint64,
    multiplier: np.uint64,
    shift: np.uint64,
    words: NDArray[np.uint64],
    at: np.uint64,
) -> Any:
    """`add_rounded_gaussian` on words of which ``width`` bits are known."""
    return trial.add_noise(
        half_chance,
        full_chance,
        Z_HALVES,
        Z_TABLE,
        trial.NEAREST,
        width,
        values,
        cell,
        multiplier,
        shift,
        words,
        at,
    )


@_jit(
    _types.UniTuple(nb.uint64, 3)(
        nb.uint64[::1], nb.uint64, nb.uint64, nb.uint64, nb.uint64[::1], nb.uint64
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def add_rounded_gaussian(
    values: NDArray[np.uint64],
    cell: np.uint64,
    multiplier: np.uint64,
    shift: np.uint64,
    words: NDArray[np.uint64],
    at: np.uint64,
) -> Any:
    """Add noise of variance ``8 (multiplier / 2^shift)^2`` to ``values``, in place.

    values: int64 seen as uint64, so sums are modulo 2^64; cell: the first one
    that still lacks its noise; multiplier: 1..2^48; shift: 0..62; words: fresh
    uniform words, used in order from ``at``, never twice.

    Returns ``(status, cell, at)``, the statuses being those of `privlab.kernels.trial`:

      OK            every cell has its noise; words from ``at`` on are unused
      OUT_OF_WORDS  fewer than three are left and they are unused; call again
                    with fresh ones.  Nothing was added from ``cell`` on
      TIE           the three words from ``at`` on do not decide the trial of
                    ``cell``; nothing was added to it
    """
    return rounded_gaussian(trial.WIDTH, values, cell, multiplier, shift, words, at)
