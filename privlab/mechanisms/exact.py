"""Trials that 64 bits do not decide, settled in whole-number intervals.

The kernel reads three words as the beginnings of the infinite bit strings of
U, x and A (`privlab.kernels.gaussian`).  Here each is the interval of reals that
begin so, and every comparison is made between interval ends, computed in
integers and rounded outwards.  What stays undecided gets 64 more bits of all
three, until nothing is.  So the outcome is the one that infinitely many bits
would give, with no error left over; a trial needs this with probability about
2^-57, plus sigma * 2^-65 for the rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

GUARD = 64
"""Bits computed beyond those of the words."""

WORD = 64


@dataclass(frozen=True, slots=True)
class Trial:
    """Beginnings of U, x and A: whole numbers with this many bits each."""

    u: int
    u_bits: int
    x: int
    x_bits: int
    a: int
    a_bits: int

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
    words: tuple[int, int, int], multiplier: int, shift: int, more: Callable[[], int]
) -> int | None:
    """The noise this trial gives, or None when it is dropped.

    words: the three words of the trial; more: the next fresh word.
    """
    negative = words[0] & 1
    trial = Trial(words[0] >> 1, WORD - 1, words[1], WORD, words[2], WORD)
    while True:
        z = _whole_part(trial)
        if z is not None:
            kept = _kept(trial, z)
            if kept is False:
                return None
            size = _rounded(trial, z, multiplier, shift)
            if kept and size is not None:
                return -size if negative else size
        trial = trial.longer(more)


def _whole_part(trial: Trial) -> int | None:
    """z = #{k : U >= P(Z <= k)}, or None."""
    low, high, bits = trial.u, trial.u + 1, trial.u_bits
    weights = _weights(bits + GUARD)
    total_low = sum(weight for weight, _ in weights)
    total_high = sum(weight for _, weight in weights) + 1  # all weights left out are below one
    upto_low = upto_high = 0
    for k, (weight_low, weight_high) in enumerate(weights):
        upto_low += weight_low
        upto_high += weight_high
        if high * total_high <= upto_low << bits:
            return k
        if low * total_low < upto_high << bits:
            return None
    return None


def _kept(trial: Trial, z: int) -> bool | None:
    """Whether A < exp(-x (x + 2z) / 16), or None."""
    bits = trial.a_bits + GUARD
    twice = 2 * z << trial.x_bits
    scale = 2 * trial.x_bits + 4
    _, most = exp_minus(trial.x * (trial.x + twice), scale, bits)
    least, _ = exp_minus((trial.x + 1) * (trial.x + 1 + twice), scale, bits)
    if (trial.a + 1) << GUARD <= least:
        return True
    if trial.a << GUARD >= most:
        return False
    return None


def _rounded(trial: Trial, z: int, multiplier: int, shift: int) -> int | None:
    """The whole number nearest to (z + x) multiplier / 2^shift, or None."""
    bits = trial.x_bits + shift
    low = multiplier * ((z << trial.x_bits) + trial.x) + (1 << (bits - 1))
    size = low >> bits
    return size if size == (low + multiplier - 1) >> bits else None


@lru_cache(maxsize=8)
def _weights(bits: int) -> tuple[tuple[int, int], ...]:
    """Lower and upper ends of 2^bits exp(-k^2 / 16), until they no longer matter.

    From k = 32 on each weight is below e^-4 of the one before, so those left
    out, all below half an ulp, add up to less than one.
    """
    weights: list[tuple[int, int]] = []
    k = 0
    while True:
        low, high = exp_minus(k * k, 4, bits + 1)
        if k >= 32 and high <= 1:
            return tuple(weights)
        weights.append((low >> 1, (high + 1) >> 1))
        k += 1


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
