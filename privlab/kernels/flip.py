"""Permute-and-flip's coins, compiled: one word for each candidate, heads or tails out.

Candidate i shows heads with chance

    exp(-epsilon g_i / 2) = 2^-(g_i c),    c = epsilon / (2 ln 2) = rate / 2^shift

g_i being how far its score is below the best one.  Its word begins the infinite bit
string of U, and heads is ``U < chance``; the chance is computed in whole numbers, as
in `privlab.kernels.choose`, within `BAND` of 2^64.  A word that comes so close does not decide,
and ``mechanisms/flip.py`` goes on with more bits of the same string.  So the law is
exact (``docs/proofs/choice.md``).

Every candidate costs the same operations, whatever its score and its word are.  The
plain Python twin is ``tests/kernels/twin_flip.py``; the two must agree word for word.

Numba types ``uint64 + literal`` as int64, so every operand here is np.uint64.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from privlab.kernels.choose import exponent, power

TAILS = 0
HEADS = 1
OPEN = 2

BAND = 256
"""Of 2^64, how far a computed chance may be off.  Proved: 113."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TOP = np.uint64(63)
_WORD = np.uint64(64)
_SIGN = np.uint64(1 << 63)
_BAND = np.uint64(BAND)
_OPEN = np.uint64(OPEN)

_jit: Any = nb.njit
_types: Any = nb.types


@_jit(
    _types.void(nb.int64[::1], nb.uint64, nb.uint64, nb.uint64[::1], nb.uint8[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def flip_coins(
    scores: NDArray[np.int64],
    rate: np.uint64,
    shift: np.uint64,
    words: NDArray[np.uint64],
    coins: NDArray[np.uint8],
) -> None:
    """Flip the coin of each of n candidates.

    scores: int64; rate / 2^shift: epsilon / (2 ln 2), rate in 2^63..2^64 - 1, shift in
    1..127; words: n, fresh and uniform; coins: n, overwritten:

      HEADS  whatever bits follow the word
      TAILS  likewise
      OPEN   the word does not decide
    """
    count = scores.size
    best = _ZERO
    for i in range(count):
        best = max(best, np.uint64(scores[i]) ^ _SIGN)
    for i in range(count):
        whole, fraction = exponent(best - (np.uint64(scores[i]) ^ _SIGN), rate, shift)
        near = np.uint64(whole < _WORD)
        chance = (power(fraction) >> (whole & _TOP)) * near
        word = words[i]
        low = (chance - _BAND) * np.uint64(chance > _BAND)
        high = chance + _BAND
        never = np.uint64(high < _BAND)  # a sum that wrapped: no word is beyond it
        tails = np.uint64(word >= high) * (_ONE - never)
        heads = np.uint64(word < low)
        coins[i] = heads + _OPEN * (_ONE - heads) * (_ONE - tails)
