"""The exponential mechanism, compiled: one word in, the number of a candidate out.

Candidate i has probability proportional to ``length_i * exp(epsilon * score_i / 2)``.
Only score gaps count, so with ``g_i`` the distance to the best score its weight is

    length_i * 2^-(g_i c),    c = epsilon / (2 ln 2) = rate / 2^shift

computed in whole numbers: the whole part of ``g_i c`` is a shift, and 2 to the
fraction an alternating series.  The word begins the infinite bit string of U;
candidate i is chosen when ``U * total`` lies between the sums of the weights
before and up to i.  A sum is known within a band; when a sum comes so close to
``U * total`` that the word does not decide, the kernel says TIE, and
``mechanisms/choose.py`` goes on with more bits of the same string.  So the law is
exact (``docs/proofs/choice.md`` has the argument and the band).

Time: every candidate costs the same operations, in three passes over all of
them, whatever the scores, the lengths and the word are.  (The word comes in an
array because making a number of it takes longer the larger it is: measured.)  The plain Python twin is
``tests/kernels/twin_choose.py``; the two must agree word for word.

Numba types ``uint64 + literal`` as int64, so every operand here is np.uint64.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from privlab.kernels.wide import high_word

OK = 0
TIE = 2

BAND_BITS = 56
"""Each sum of weights is within ``total / 2^56 + n + 2``.  Proved: 133 / 2^64 and n."""

SERIES = np.array(
    [
        0xFFFFFFFFFFFFFFFF,
        0xB17217F7D1CF79AB,
        0x3D7F7BFF058B1D50,
        0x0E35846B82505FC5,
        0x0276556DF749CEE5,
        0x005761FF9E299CC4,
        0x000A184897C363C3,
        0x0000FFE5FE2C4586,
        0x0000162C0223A5C8,
        0x000001B5253D395E,
        0x0000001E4CF5158B,
        0x00000001E8CAC735,
        0x000000001C3BD650,
        0x0000000001816193,
        0x0000000000131496,
        0x000000000000E1B7,
        0x00000000000009C7,
        0x0000000000000066,
        0x0000000000000003,
    ],
    dtype=np.uint64,
)
"""min(floor(2^64 (ln 2)^k / k!), 2^64 - 1), k = 0..18."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_TOP = np.uint64(63)
_WORD = np.uint64(64)
_GONE = np.uint64(128)
_SIGN = np.uint64(1 << 63)
_BAND_LEFT = np.uint64(64 - BAND_BITS)
_BAND_RIGHT = np.uint64(BAND_BITS)
_OK = np.uint64(OK)
_TIE = np.uint64(TIE)

_jit: Any = nb.njit
_types: Any = nb.types
_compile = _jit(nogil=True, error_model="numpy")


@_compile
def _right(high: np.uint64, low: np.uint64, by: np.uint64) -> Any:
    """(high, low) >> by, for by < 128, without a branch."""
    far = by >> np.uint64(6)
    near = by & _TOP
    moved_low = (low >> near) | ((high << _ONE) << (_TOP - near))
    moved_high = high >> near
    return moved_high * (_ONE - far), moved_low * (_ONE - far) + moved_high * far


@_compile
def _left(high: np.uint64, low: np.uint64, by: np.uint64) -> Any:
    """(high, low) << by, for by < 64."""
    return (high << by) | ((low >> _ONE) >> (_TOP - by)), low << by


@_compile
def _less(high: np.uint64, low: np.uint64, other_high: np.uint64, other_low: np.uint64) -> Any:
    """1 where (high, low) < (other_high, other_low): the borrow of their difference."""
    borrow = np.uint64(low < other_low)
    return np.uint64(high < other_high) | np.uint64(high - other_high < borrow)


@_compile
def exponent(gap: np.uint64, rate: np.uint64, shift: np.uint64) -> Any:
    """gap * rate / 2^shift: its whole part, at most 128, and 64 bits of its fraction."""
    high, low = high_word(gap, rate), gap * rate
    whole_high, whole = _right(high, low, shift)
    if shift < _WORD:
        fraction = low << (_WORD - shift)
    else:
        _, fraction = _right(high, low, shift - _WORD)
    gone = np.uint64(whole_high > _ZERO) | np.uint64(whole > _GONE)
    return whole * (_ONE - gone) + _GONE * gone, fraction


@_compile
def power(fraction: np.uint64) -> Any:
    """2^64 * 2^-(fraction / 2^64) within 21."""
    value = SERIES[SERIES.size - 1]
    for k in range(SERIES.size - 2, -1, -1):
        value = SERIES[k] - high_word(fraction, value)
    return value


@_compile
def _weight(
    gap: np.uint64, length: np.uint64, rate: np.uint64, shift: np.uint64, lift: np.uint64
) -> Any:
    """length * 2^(64 + lift - gap * rate / 2^shift) in two words."""
    whole, fraction = exponent(gap, rate, shift)
    part = power(fraction)
    high, low = _left(high_word(length, part), length * part, lift)
    there = np.uint64(whole < _GONE)
    high, low = _right(high, low, whole * there)
    return high * there, low * there


@_jit(
    _types.UniTuple(nb.uint64, 2)(
        nb.int64[::1],
        nb.uint64[::1],
        nb.uint64,
        nb.uint64,
        nb.uint64,
        nb.uint64[::1],
        nb.uint64[:, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def choose_index(
    scores: NDArray[np.int64],
    lengths: NDArray[np.uint64],
    rate: np.uint64,
    shift: np.uint64,
    lift: np.uint64,
    words: NDArray[np.uint64],
    sums: NDArray[np.uint64],
) -> Any:
    """Choose one of n candidates with a uniform word.

    scores: int64; lengths: not all zero, and zero for what cannot be chosen;
    rate / 2^shift: epsilon / (2 ln 2), rate in 2^63..2^64 - 1, shift in 1..127;
    lift: such that ``sum(lengths) * 2^(64 + lift) < 2^127``; words: the first
    is fresh and uniform; sums: scratch, n by 2, overwritten.

    Returns ``(status, index)``:

      OK   the candidate at index is chosen, whatever bits follow the word
      TIE  the word does not decide; index means nothing
    """
    word = words[0]
    count = scores.size
    best = _ZERO
    last = _ZERO
    for i in range(count):
        there = np.uint64(lengths[i] > _ZERO)
        best = max(best, (np.uint64(scores[i]) ^ _SIGN) * there)
        last = max(last, np.uint64(i) * there)
    high = _ZERO
    low = _ZERO
    for i in range(count):
        gap = best - (np.uint64(scores[i]) ^ _SIGN)
        add_high, add_low = _weight(gap, lengths[i], rate, shift, lift)
        low += add_low
        high += add_high + np.uint64(low < add_low)
        sums[i, 0] = high
        sums[i, 1] = low
    # twice the band, and where U * total can be: from `at` up to `at` + high + 2
    band_low = ((high << _BAND_LEFT) | (low >> _BAND_RIGHT)) + np.uint64(count) + _TWO
    band_high = (high >> _BAND_RIGHT) + np.uint64(band_low < np.uint64(count) + _TWO)
    band_high, band_low = _left(band_high, band_low, _ONE)
    part = high_word(word, low)
    at_low = word * high + part
    at_high = high_word(word, high) + np.uint64(at_low < part)
    end_low = at_low + band_low
    end_high = at_high + band_high + np.uint64(end_low < band_low)
    reach = high + _TWO
    end_low += reach
    end_high += np.uint64(end_low < reach)
    surely = _ZERO
    perhaps = _ZERO
    for i in range(count):
        before = np.uint64(np.uint64(i) < last)
        sum_high, sum_low = sums[i, 0], sums[i, 1]
        top_low = sum_low + band_low
        top_high = sum_high + band_high + np.uint64(top_low < band_low)
        reached = _ONE - _less(at_high, at_low, top_high, top_low)
        met = _less(sum_high, sum_low, end_high, end_low)
        surely += reached & before
        perhaps += met & before
    tie = np.uint64(surely != perhaps)
    return tie * _TIE + (_ONE - tie) * _OK, surely
