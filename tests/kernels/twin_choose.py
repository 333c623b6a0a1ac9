"""The kernel of ``privlab/kernels/choose.py`` in plain Python, for reading.

`twin` repeats the kernel's arithmetic in whole numbers; the two must agree word
for word.  `reference` decides the same choice from the definition alone, with
whole-number intervals of so many bits; wherever the kernel decides, they must agree as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from flint import arb, ctx

TIE = "tie"
WORD = 1 << 64

Outcome = int | str


@lru_cache(maxsize=1)
def series() -> tuple[int, ...]:
    """The kernel's table, from its definition."""
    with ctx.workprec(400):
        terms = [arb(2).log() ** k / math.factorial(k) * WORD for k in range(19)]
        return tuple(min(int(term.floor().unique_fmpz()), WORD - 1) for term in terms)


def power(fraction: int) -> int:
    """About 2^64 * 2^-(fraction / 2^64)."""
    value = series()[-1]
    for coefficient in reversed(series()[:-1]):
        value = coefficient - (fraction * value >> 64)
    return value


def weight(gap: int, length: int, rate: int, shift: int, lift: int) -> int:
    """About length * 2^(64 + lift) * 2^-(gap * rate / 2^shift)."""
    whole, fraction = divmod(gap * rate << 64 >> shift, WORD)
    return length * power(fraction) << lift >> whole if whole < 128 else 0


def twin(
    scores: Sequence[int],
    lengths: Sequence[int],
    rate: int,
    shift: int,
    lift: int,
    word: int,
) -> Outcome:
    """The chosen candidate, or TIE."""
    there = [i for i, length in enumerate(lengths) if length]
    best = max(scores[i] for i in there)
    total, sums = 0, []
    for score, length in zip(scores, lengths, strict=True):
        total += weight(best - score, length, rate, shift, lift) if length else 0
        sums.append(total)
    band = (total >> 56) + len(scores) + 2
    at = word * total >> 64
    end = at + (total >> 64) + 2
    surely = sum(upto + 2 * band <= at for upto in sums[: there[-1]])
    perhaps = sum(upto < end + 2 * band for upto in sums[: there[-1]])
    return surely if surely == perhaps else TIE


def reference(
    scores: Sequence[int],
    lengths: Sequence[int],
    epsilon: Fraction,
    word: tuple[int, int],
    bits: int = 512,
) -> Outcome:
    """The choice from (number, bits) of U, with so many bits; TIE if they do not decide."""
    there = [i for i, length in enumerate(lengths) if length]
    best = max(scores[i] for i in there)
    low, high, sums = 0, 0, []
    for i in there:
        least, most = _exp_minus((best - scores[i]) * epsilon / 2, bits)
        low, high = low + least * lengths[i], high + most * lengths[i]
        sums.append((low, high))
    number, length = word
    begin, end = number * low >> length, -(-(number + 1) * high >> length)
    for i, (least, most) in zip(there[:-1], sums[:-1], strict=True):
        if most <= begin:
            continue
        return i if least >= end else TIE
    return there[-1]


@lru_cache(maxsize=4096)
def _exp_minus(x: Fraction, bits: int) -> tuple[int, int]:
    """Whole numbers around 2^bits e^-x, by halving x and bracketing the series."""
    halvings = max(0, math.ceil(x).bit_length())
    unit = 1 << (bits + 64 + halvings)
    x /= 1 << halvings
    low = high = term_low = term_high = unit
    k = 0
    while term_high > 1:
        k += 1
        term_low = math.floor(term_low * x / k)
        term_high = math.ceil(term_high * x / k)
        low, high = (
            (low - term_high, high - term_low) if k % 2 else (low + term_low, high + term_high)
        )
    low, high = low - 1, high + 1
    for _ in range(halvings):
        low, high = low * low // unit, -(-high * high // unit)
    cut = unit >> bits
    return max(low // cut, 0), -(-high // cut)
