"""What the laws of noise share: one trial, decided lazily, and a vector of them.

A trial makes a positive real ``k + x`` (k whole, x in [0, 1)) by von Neumann's
rejection.  It reads three uniform infinite bit strings and a sign:

  U   inverted through a table of P(K <= k)
  x   the part after the point
  A   in [0, 1); the trial is kept when A is below the law's chance at (k, x)

Their beginnings lie in 64-bit words like this, the highest bit first:

  word 0   31 bits of U, the sign, 32 bits of A
  word 1   64 bits of x
  word 2   the next 32 bits of U, the next 32 bits of A

Almost always the halves in words 0 and 1 decide, and the next trial begins at
word 2.  Where they do not, word 2 is read, and where three words do not either
the kernel stops with TIE at that trial: ``mechanisms/exact.py`` reads further
words of the same strings.  Nothing is ever decided that further bits could
change, so the law is exact: no tail is cut off and no table is approximate.

Time: first a block of trials is judged on the halves, the same operations for
each; then their noise is scaled and added where kept.  "Undecided" and "full"
are the only branches, and how many trials a value takes is independent of it.

``width`` is how many bits of a word are known, from the top in each field: 64,
or fewer where a test enumerates all words.  A word then stands for an interval
of ``2^(64 - width)`` and everything below works with intervals.  Numba types
``uint64 + literal`` as int64, so every operand here is np.uint64.
"""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from privlab.kernels.wide import high_word

OK = 0
OUT_OF_WORDS = 1
TIE = 2

WORDS_PER_TRIAL = 2
"""Unless they leave the trial undecided; then one more."""

MOST_WORDS = 3

HALF_BAND = 24
"""Ulps of 2^-32 within which half a chance is right.  Proved error: 17."""

FULL_BAND = 64
"""Ulps of 2^-64 within which a full chance is right.  Proved error: 35."""

SLOPE = 4
"""Most that a chance falls with x."""

HALF_SERIES = np.array(
    [min((1 << 32) // math.factorial(k), (1 << 32) - 1) for k in range(11)], dtype=np.uint64
)
"""min(floor(2^32 / k!), 2^32 - 1), for arguments up to 35/64."""

FULL_SERIES = np.array(
    [min((1 << 64) // math.factorial(k), (1 << 64) - 1) for k in range(21)], dtype=np.uint64
)
"""min(floor(2^64 / k!), 2^64 - 1), for arguments up to 53/64."""

NEAREST = True
"""Round a scaled real to the nearest integer, a Gaussian or a Laplace variable."""

DOWN = False
"""Round it down, an exponential variable to a geometric one; a negative zero is dropped."""

BLOCK = 256
"""Most trials judged at once."""

_NONE = np.uint32(0)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_THREE = np.uint64(3)
_EIGHT = np.uint64(8)
_NINE = np.uint64(9)
_BYTE = np.uint64(0xFF)
_HALF = np.uint64(32)
_HALF_BEFORE_SIGN = np.uint64(33)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_TOP = np.uint64(63)
_WORD = np.uint64(64)
_SLOPE = np.uint64(SLOPE)
_HALF_BAND = np.uint64(HALF_BAND)
_FULL_BAND = np.uint64(FULL_BAND)
_BLOCK = np.uint64(BLOCK)
_KEPT = np.uint64(0)
_DROPPED = np.uint64(1)
_TIE = np.uint64(TIE)
_OK = np.uint64(OK)
_OUT = np.uint64(OUT_OF_WORDS)

WIDTH = np.uint64(64)
"""The width of a word outside enumeration."""

_jit: Any = nb.njit
inlined: Any = _jit(nogil=True, error_model="numpy", forceinline=True)
"""For the parts of a kernel, which are compiled into it."""
_outlined: Any = _jit(nogil=True, error_model="numpy")


def half_table(table: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The first 31 of 63 bits of a table of P(K <= k), up to the largest U."""
    halves = (table >> _HALF).astype(np.uint32)
    return halves[: int(np.searchsorted(halves, np.uint32((1 << 31) - 1))) + 1]


@inlined
def half_product(a: np.uint64, b: np.uint64) -> Any:
    """``floor(a b / 2^32)`` of two halves."""
    return (a * b) >> _HALF


@inlined
def half_decay(argument: np.uint64) -> Any:
    """2^32 exp(-argument / 2^32) within 1/(1 - a) + 1 for an argument a 2^32, a <= 35/64."""
    value = HALF_SERIES[HALF_SERIES.size - 1]
    for k in range(HALF_SERIES.size - 2, -1, -1):
        value = HALF_SERIES[k] - half_product(argument, value)
    return value


@inlined
def full_decay(argument: np.uint64) -> Any:
    """2^64 exp(-argument / 2^64) within 1/(1 - a) + 1 for an argument a 2^64, a <= 53/64."""
    value = FULL_SERIES[FULL_SERIES.size - 1]
    for k in range(FULL_SERIES.size - 2, -1, -1):
        value = FULL_SERIES[k] - high_word(argument, value)
    return value


@inlined
def _whole_part(u: np.uint64, grain: np.uint64, table: NDArray[np.uint64]) -> Any:
    """k, and 1 if an entry of the table lies in [u, u + grain).  Reads the whole table."""
    whole = _ZERO
    unsure = _ZERO
    for k in range(table.size):
        whole += np.uint64(u > table[k])
        unsure |= np.uint64(table[k] - u < grain)
    return whole, unsure


@inlined
def judge_halves(
    half_chance: Any,
    table: NDArray[np.uint32],
    width: np.uint64,
    words: NDArray[np.uint64],
    count: int,
    halves: NDArray[np.uint32],
    marks: NDArray[np.uint64],
) -> None:
    """Judge ``count`` trials on words 0 and 1: k, then a bit for kept, a bit for undecided.

    halves: [3, BLOCK] to work in.  Each loop is over trials, without branches, so
    that the compiler makes it one over vectors of them.
    """
    grain = _ONE << (_HALF - (width >> _ONE))
    grain_x = _ONE << (_HALF - min(_HALF, width))
    below = _HALF_BAND + _SLOPE * grain_x + grain
    u, whole, unsure = halves[0], halves[1], halves[2]
    for trial in range(count):
        u[trial] = np.uint32(words[2 * trial] >> _HALF_BEFORE_SIGN)
        whole[trial] = _NONE
        unsure[trial] = _NONE
    for k in range(table.size):
        entry = table[k]
        for trial in range(count):
            whole[trial] += np.uint32(u[trial] > entry)
            unsure[trial] |= np.uint32(np.uint64(entry) - np.uint64(u[trial]) < grain)
    for trial in range(count):
        a = words[2 * trial] & _LOW_HALF
        x = words[2 * trial + 1] >> _HALF
        chance = half_chance(np.uint64(whole[trial]), x)
        kept = np.uint64(a + below <= chance)
        dropped = np.uint64(chance + _HALF_BAND <= a)
        undecided = np.uint64(unsure[trial]) | (_ONE - (kept | dropped))
        marks[trial] = np.uint64(whole[trial]) | (kept << _EIGHT) | (undecided << _NINE)


@inlined
def scaled(
    whole: np.uint64,
    x: np.uint64,
    multiplier: np.uint64,
    shift: np.uint64,
    rounded: bool,
    grain: np.uint64,
) -> Any:
    """(k + x) multiplier / 2^shift as a whole number, and 1 if further bits of x could move it.

    rounded: NEAREST or DOWN; shift: 0..63; multiplier * grain: below 2^64.
    """
    low = multiplier * x
    high = high_word(multiplier, x) + multiplier * whole
    if rounded:
        half_low = np.uint64(shift == _ZERO) << _TOP
        low += half_low
        high += ((_ONE << shift) >> _ONE) + np.uint64(low < half_low)
    low_end = low + (multiplier * grain - _ONE)
    high_end = high + np.uint64(low_end < low)
    size = high >> shift
    return size, np.uint64(size != (high_end >> shift))


@inlined
def judge(
    full_chance: Any,
    table: NDArray[np.uint64],
    width: np.uint64,
    words: NDArray[np.uint64],
    at: np.uint64,
    multiplier: np.uint64,
    shift: np.uint64,
    rounded: bool,
) -> Any:
    """One trial on its three words: kept, dropped or tie, and the size of its noise."""
    grain = _ONE << (_WORD - width)
    gap = _HALF - (width >> _ONE)
    word, x, more = words[at], words[at + _ONE], words[at + _TWO]
    u = ((word >> _HALF_BEFORE_SIGN) << _HALF) + ((more >> _HALF) << gap)
    a = (word << _HALF) + ((more & _LOW_HALF) << gap)
    whole, unsure = _whole_part(u, grain, table)
    chance = full_chance(whole, x)
    kept = a < chance and chance - a >= _FULL_BAND + _SLOPE * grain + grain
    dropped = a >= chance and a - chance >= _FULL_BAND
    size, unsure_size = scaled(whole, x, multiplier, shift, rounded, grain)
    if unsure == _ONE or not (kept or dropped):
        return _TIE, size
    if dropped:
        return _DROPPED, size
    return (_KEPT if unsure_size == _ZERO else _TIE), size


@inlined
def add_noise(
    half_chance: Any,
    full_chance: Any,
    halved: NDArray[np.uint32],
    table: NDArray[np.uint64],
    rounded: bool,
    width: np.uint64,
    values: NDArray[np.uint64],
    cell: np.uint64,
    multiplier: np.uint64,
    shift: np.uint64,
    words: NDArray[np.uint64],
    at: np.uint64,
) -> Any:
    """Run trials until every cell of ``values`` from ``cell`` on has one that is kept.

    half_chance(k, x), full_chance(k, x): the law's chance in units of 2^-32 and
    2^-64; halved, table: its P(K <= k); rounded: NEAREST or DOWN.  The rest is as
    in the laws' own kernels.
    """
    cells = np.uint64(values.size)
    count = np.uint64(words.size)
    halves = np.empty((3, BLOCK), np.uint32)
    marks = np.empty(BLOCK, np.uint64)
    grain = _ONE << (_WORD - width)
    while cell < cells:
        if at + _THREE > count:
            return _OUT, cell, at
        lacking = cells - cell
        block = min(_BLOCK, (count - at - _ONE) >> _ONE, lacking + (lacking >> _TWO) + _EIGHT)
        judge_halves(half_chance, halved, width, words[at:], np.int64(block), halves, marks)
        for trial in range(np.int64(block)):
            mark = marks[trial]
            negative = (words[at] >> _HALF) & _ONE
            size, unsure = scaled(mark & _BYTE, words[at + _ONE], multiplier, shift, rounded, grain)
            kept = (mark >> _EIGHT) & _ONE
            undecided = (mark >> _NINE) | (kept & unsure)
            used = _TWO
            if undecided == _ONE:
                outcome, size = judge(
                    full_chance, table, width, words, at, multiplier, shift, rounded
                )
                if outcome == _TIE:
                    return _TIE, cell, at
                kept = _ONE - outcome
                used = _THREE
            if not rounded:
                kept &= _ONE - (negative & np.uint64(size == _ZERO))
            minus = _ZERO - negative
            values[cell] += ((size ^ minus) - minus) & (_ZERO - kept)
            cell += kept
            at += used
            if cell == cells:
                return _OK, cell, at
            if used == _THREE:
                break
    return _OK, cell, at
