"""The trial of ``privlab/kernels/trial.py`` in plain Python, for reading.

`twin` repeats the kernel's arithmetic in whole numbers; the two must agree word
for word.  `reference` decides the same trial from the definition of the law
alone, with intervals of 1100 bits; wherever the kernel decides, they must agree
as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from flint import arb, ctx, fmpz

TIE = "tie"
DROPPED = "dropped"

Outcome = int | str


@dataclass(frozen=True)
class Twin:
    """A law: K has weights exp(-exponent(k)); a chance in units of 2^-bits of (k, x, bits)."""

    exponent: Callable[[arb], arb]
    chance: Callable[[int, int, int], int]
    step_bits: int
    rounded: bool


def series(bits: int) -> list[int]:
    """min(floor(2^bits / k!), 2^bits - 1), as far as the kernel goes."""
    most = (1 << bits) - 1
    return [min((1 << bits) // math.factorial(k), most) for k in range(11 if bits == 32 else 21)]


def decay(argument: int, bits: int) -> int:
    """About 2^bits exp(-argument / 2^bits)."""
    terms = series(bits)
    value = terms[-1]
    for term in reversed(terms[:-1]):
        value = term - (argument * value >> bits)
    return value


@lru_cache(maxsize=8)
def upto(law: Twin) -> tuple[arb, ...]:
    """P(K <= k) for k = 0..400, as intervals."""
    with ctx.workprec(1100):
        weights = [(-law.exponent(arb(k))).exp() for k in range(401)]
        # what is left out is below 2 weights: each law's fall by e^-1/2 and more
        total = sum(weights, arb(0)) + (weights[-1] * 2).union(arb(0))
        parts, part = [], arb(0)
        for weight in weights:
            part += weight
            parts.append(part / total)
    return tuple(parts)


@lru_cache(maxsize=8)
def table(law: Twin, bits: int = 63) -> tuple[int, ...]:
    """floor(2^bits P(K <= k)) up to the largest U, from the definition."""
    entries: list[int] = []
    with ctx.workprec(1100):
        for part in upto(law):
            entries.append(int((part * 2**bits).floor().unique_fmpz()))
            if entries[-1] == (1 << bits) - 1:
                break
    return tuple(entries)


def twin(
    words: tuple[int, int, int], law: Twin, multiplier: int, shift: int, width: int = 64
) -> tuple[Outcome, int]:
    """The noise of one trial, or DROPPED, or TIE; and how many words it read."""
    w0, x, w2 = words
    gap = 32 - width // 2
    sign = w0 >> 32 & 1
    half_u, half_a = w0 >> 33, w0 % (1 << 32)
    found = _decide(half_u, x >> 32, half_a, 1 << gap, 1 << max(0, 32 - width), law, 32)
    if found == DROPPED:
        return DROPPED, 2
    grain = 1 << (64 - width)
    scale = multiplier, shift + law.step_bits
    if isinstance(found, int):
        size = _scaled(found, x, *scale, law.rounded, grain)
        if size is not None:
            return _signed(size, sign, law), 2
    u = (half_u << 32) + ((w2 >> 32) << gap)
    a = (half_a << 32) + ((w2 % (1 << 32)) << gap)
    found = _decide(u, x, a, grain, grain, law, 64)
    if isinstance(found, str):
        return found, 3
    size = _scaled(found, x, *scale, law.rounded, grain)
    return (TIE if size is None else _signed(size, sign, law)), 3


def _decide(u: int, x: int, a: int, grain: int, grain_x: int, law: Twin, bits: int) -> Outcome:
    """k where the trial is kept, or DROPPED, or TIE, from ``bits - 1`` bits of U."""
    entries = table(law, bits - 1)
    if any(u <= entry < u + grain for entry in entries):
        return TIE
    whole = sum(u > entry for entry in entries)
    chance = law.chance(whole, x, bits)
    band = 24 if bits == 32 else 64
    if a + grain + 4 * grain_x + band <= chance:
        return whole
    return DROPPED if chance + band <= a else TIE


def _scaled(
    whole: int, x: int, multiplier: int, shift: int, rounded: bool, grain: int
) -> int | None:
    """The whole number that (k + x) multiplier / 2^shift becomes for all x of this grain."""
    least = 2 * multiplier * ((whole << 64) + x) + (1 << (64 + shift) if rounded else 0)
    first, last = least, least + 2 * (multiplier * grain - 1)
    size = first >> (65 + shift)
    return size if size == last >> (65 + shift) else None


def _signed(size: int, sign: int, law: Twin) -> Outcome:
    if sign and size == 0 and not law.rounded:
        return DROPPED
    return -size if sign else size


Beginning = tuple[int, int]
"""A bit string's first bits as (number, how many)."""


def strings(words: tuple[int, int, int], more: list[int]) -> tuple[Beginning, ...]:
    """U, x and A of a trial whose words are continued by ``more``, three at a time."""
    first, x, second = words
    u = first >> 33 << 32 | second >> 32
    a = first % (1 << 32) << 32 | second % (1 << 32)
    bits = 0
    for at in range(0, len(more), 3):
        u, x, a = (n << 64 | word for n, word in zip((u, x, a), more[at : at + 3], strict=True))
        bits += 64
    return (u, 63 + bits), (x, 64 + bits), (a, 64 + bits)


def reference(
    u: Beginning, x: Beginning, a: Beginning, sign: int, law: Twin, scale: tuple[int, int]
) -> Outcome:
    """The outcome of all strings that begin so; TIE if they differ."""
    with ctx.workprec(1100):
        whole = None
        for k, part in enumerate(upto(law)):
            if _end(u, 1) <= part:
                whole = k
                break
            if not _end(u, 0) >= part:
                return TIE
        assert whole is not None
        if _end(a, 0) >= _chance(law, whole, _end(x, 0)):
            return DROPPED
        if not _end(a, 1) <= _chance(law, whole, _end(x, 1)):
            return TIE
    multiplier, shift = scale
    unit = 1 << x[1]
    lift = Fraction(1, 2) if law.rounded else Fraction(0)
    per_unit = Fraction(multiplier, unit << (shift + law.step_bits))
    size = math.floor((whole * unit + x[0]) * per_unit + lift)
    if size != math.ceil((whole * unit + x[0] + 1) * per_unit + lift) - 1:
        return TIE
    return _signed(size, sign, law)


def _end(word: Beginning, end: int) -> arb:
    """An end of the interval of reals in [0, 1) that begin with these bits."""
    return arb(fmpz(word[0] + end)) / fmpz(2) ** word[1]


def _chance(law: Twin, whole: int, x: arb) -> arb:
    return (law.exponent(arb(whole)) - law.exponent(whole + x)).exp()
