"""Trials that three words do not decide, settled in whole-number intervals.

The kernel reads words as the beginnings of the infinite bit strings of U, x and
A (`privlab.kernels.trial`).  Here each is the interval of reals that begin so,
and every comparison is made between interval ends, computed in integers and
rounded outwards.  What stays undecided gets 64 more bits of all three, until
nothing is.  So the outcome is the one that infinitely many bits would give, with
no error left over.

A law is known by its exponent g, rising and dyadic: K has weights ``exp(-g(k))``
and a trial is kept with chance ``exp(g(k) - g(k + x))``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

GUARD = 64
"""Bits computed beyond those of the words."""

WORD = 64
HALF = 32

Exponent = Callable[[int, int], tuple[int, int]]
"""g(n / 2^bits) as (numerator, scale), meaning numerator / 2^scale."""


@dataclass(frozen=True, slots=True)
class Law:
    """How a trial becomes noise.

    exponent: convex, and where ``exp(-g)`` is below 2^-64 it grows by at least
    1/2 a step (Laplace: everywhere; the Gaussian's k^2/16: from k = 4 on).
    step_bits: k + x counts steps of 2^-step_bits; rounded: to the nearest
    integer; else down, and a negative zero is dropped.
    """

    exponent: Exponent
    step_bits: int
    rounded: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """Beginnings of U, x and A: whole numbers with this many bits each."""

    u: int
    u_bits: int
    x: int
    x_bits: int
    a: int
    a_bits: int

    @classmethod
    def of(cls, words: tuple[int, int, int]) -> Trial:
        """The strings as the kernel laid them out; the sign lies between U and A."""
        first, x, more = words
        low_half = (1 << HALF) - 1
        u = (first >> (HALF + 1) << HALF) | (more >> HALF)
        a = ((first & low_half) << HALF) | (more & low_half)
        return cls(u, WORD - 1, x, WORD, a, WORD)

    def longer(self, more: Callable[[], int]) -> Trial:
        """The same strings, one fresh word further; drawn for U, x, A in this order."""
        u, x, a = more(), more(), more()
        return Trial(
            (self.u << WORD) | u,
            self.u_bits + WORD,
            (self.x << WORD) | x,
            self.x_bits + WORD,
            (self.a << WORD) | a,
            self.a_bits + WORD,
        )


def settle(
    words: tuple[int, int, int], law: Law, multiplier: int, shift: int, more: Callable[[], int]
) -> int | None:
    """The noise this trial gives, or None when it is dropped.

    words: the three words of the trial; multiplier, shift: as in the kernels;
    more: the next fresh word.
    """
    negative = words[0] >> HALF & 1
    trial = Trial.of(words)
    while True:
        whole = _whole_part(trial, law.exponent)
        if whole is not None:
            kept = _kept(trial, law.exponent, whole)
            if kept is False:
                return None
            size = _scaled(trial, whole, multiplier, shift + law.step_bits, law.rounded)
            if kept and size is not None:
                if negative and not law.rounded and size == 0:
                    return None
                return -size if negative else size
        trial = trial.longer(more)


def _whole_part(trial: Trial, exponent: Exponent) -> int | None:
    """k = #{j : U >= P(K <= j)}, or None."""
    low, high, bits = trial.u, trial.u + 1, trial.u_bits
    weights = _weights(exponent, bits + GUARD)
    total_low = sum(weight for weight, _ in weights)
    total_high = sum(weight for _, weight in weights) + 2  # what all weights left out come to
    upto_low = upto_high = 0
    for k, (weight_low, weight_high) in enumerate(weights):
        upto_low += weight_low
        upto_high += weight_high
        if high * total_high <= upto_low << bits:
            return k
        if low * total_low < upto_high << bits:
            return None
    return None


def _kept(trial: Trial, exponent: Exponent, whole: int) -> bool | None:
    """Whether A < exp(g(k) - g(k + x)), or None."""
    bits = trial.a_bits + GUARD
    unit = 1 << trial.x_bits
    start, scale = exponent(whole * unit, trial.x_bits)
    least, most = (exponent(whole * unit + x, trial.x_bits)[0] for x in (trial.x, trial.x + 1))
    if (trial.a + 1) << GUARD <= exp_minus(most - start, scale, bits)[0]:
        return True
    if trial.a << GUARD >= exp_minus(least - start, scale, bits)[1]:
        return False
    return None


def _scaled(trial: Trial, whole: int, multiplier: int, shift: int, rounded: bool) -> int | None:
    """(k + x) multiplier / 2^shift, to the nearest whole number or down, or None."""
    bits = trial.x_bits + shift
    low = multiplier * ((whole << trial.x_bits) + trial.x) + (rounded << (bits - 1))
    size = low >> bits
    return size if size == (low + multiplier - 1) >> bits else None


@lru_cache(maxsize=16)
def _weights(exponent: Exponent, bits: int) -> tuple[tuple[int, int], ...]:
    """Lower and upper ends of 2^bits exp(-g(k)), until they no longer matter.

    bits: 64 or more.  The first weight left out is at most half an ulp, so its
    exponent is where each further weight is at most e^-1/2 of the one before
    (`Law.exponent`): they add up to less than 1/2 / (1 - e^-1/2) < 2 ulps.
    """
    weights: list[tuple[int, int]] = []
    while True:
        low, high = exp_minus(*exponent(len(weights), 0), bits + 1)
        if high <= 1:
            return tuple(weights)
        weights.append((low >> 1, (high + 1) >> 1))


def exp_minus(numerator: int, scale: int, bits: int) -> tuple[int, int]:
    """Whole numbers around ``2^bits exp(-numerator / 2^scale)``, a few ulps apart.

    Halve the argument until it is below one, bracket the alternating series,
    square back; every step rounds its two ends outwards.
    """
    if numerator < 0:
        raise ValueError("the exponent is not positive")
    halvings = max(0, numerator.bit_length() - scale)
    scale += halvings
    work = bits + GUARD
    low = high = term_low = term_high = 1 << work
    k = 0
    while term_high > 1:
        k += 1
        term_low = (term_low * numerator >> scale) // k
        term_high = -((-term_high * numerator >> scale) // k)
        if k % 2:
            low, high = low - term_high, high - term_low
        else:
            low, high = low + term_low, high + term_high
    low, high = low - 1, high + 1  # what is left of the series is below its next term
    for _ in range(halvings):
        low, high = low * low >> work, -(-high * high >> work)
    return low >> GUARD, -(-high >> GUARD)
