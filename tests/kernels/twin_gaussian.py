"""The sampler of ``privlab/kernels/gaussian.py`` in plain Python, for reading.

`twin` repeats the kernel's arithmetic in whole numbers; the two must agree word
for word.  `reference` decides the same trial from the definition alone, with
512-bit intervals; wherever the kernel decides, they must agree as well.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

from flint import arb, ctx, fmpz

TIE = "tie"
DROPPED = "dropped"
WORD = 1 << 64

EXP = [min(WORD // math.factorial(k), WORD - 1) for k in range(21)]

Outcome = int | str


@lru_cache(maxsize=1)
def z_table() -> tuple[int, ...]:
    """floor(2^63 P(Z <= k)) for k = 0..26, from the definition."""
    with ctx.workprec(400):
        weights = [(-arb(k * k) / 16).exp() for k in range(120)]
        total, upto, table = sum(weights, arb(0)), arb(0), []
        for weight in weights[:27]:
            upto += weight
            table.append(int((upto / total * 2**63).floor().unique_fmpz()))
    return tuple(table)


def limit(z: int, x: int) -> int:
    """About 2^64 exp(-x (x + 2z) / 16)."""
    argument = (x * 2 * z >> 6) + (x * x >> 64 >> 6)
    value = EXP[20]
    for coefficient in reversed(EXP[:20]):
        value = coefficient - (argument * value >> 64)
    value = value * value >> 64
    return value * value >> 64


def twin(words: tuple[int, int, int], multiplier: int, shift: int) -> Outcome:
    """The noise of one trial, or DROPPED, or TIE."""
    u, negative = divmod(words[0], 2)
    z = sum(u > entry for entry in z_table())
    below = limit(z, words[1])
    exact = multiplier * (z * WORD + words[1]) * 2 + WORD * 2**shift
    first, last = exact >> (65 + shift), (exact + 2 * (multiplier - 1)) >> (65 + shift)
    if u in z_table() or abs(words[2] - below) <= 64:
        return TIE
    if words[2] > below:
        return DROPPED
    if first != last:
        return TIE
    return -first if negative else first


def reference(
    u: tuple[int, int], x: tuple[int, int], a: tuple[int, int], multiplier: int, shift: int
) -> Outcome:
    """One trial's size from (number, bits) of U, x and A, unsigned; TIE if they do not decide."""
    with ctx.workprec(1100):
        weights = [(-arb(k * k) / 16).exp() for k in range(120)]
        total, upto, z = sum(weights, arb(0)), arb(0), 0
        for weight in weights:
            upto += weight
            if _end(u, 0) >= upto / total:
                z += 1
            elif _end(u, 1) <= upto / total:
                break
            else:
                return TIE
        if _end(a, 0) >= _chance(_end(x, 0), z):
            return DROPPED
        if not _end(a, 1) <= _chance(_end(x, 1), z):
            return TIE
    unit = 1 << x[1]
    least = Fraction(multiplier * (z * unit + x[0]), unit << shift) + Fraction(1, 2)
    beyond = Fraction(multiplier * (z * unit + x[0] + 1), unit << shift) + Fraction(1, 2)
    return math.floor(least) if math.floor(least) == math.ceil(beyond) - 1 else TIE


def _end(word: tuple[int, int], end: int) -> arb:
    """An end of the interval of reals in [0, 1) that begin with these bits."""
    return arb(fmpz(word[0] + end)) / fmpz(2) ** word[1]


def _chance(x: arb, z: int) -> arb:
    return (-x * (x + 2 * z) / 16).exp()
