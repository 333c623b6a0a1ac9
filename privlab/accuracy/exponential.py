"""exp(-x) between two whole numbers, for laws whose tails are exponentials.

Every step rounds its two ends outwards, so a comparison that the ends decide is
decided; the notebook's part has no interval arithmetic but this.
"""

from __future__ import annotations

from fractions import Fraction

_GUARD = 64


def exp_minus(value: Fraction, bits: int) -> tuple[int, int]:
    """Whole numbers around ``2^bits exp(-value)``, at most two apart.

    value: not negative; bits: from 1 to 2^20.

    Halve the argument until it is below one, bracket the alternating series,
    square back: a squaring doubles the distance of the ends at most, and there
    are at most 20, so 64 more bits are plenty.
    """
    if value < 0:
        raise ValueError("the exponent is not positive")
    if value >= bits:
        return 0, 1  # exp(-bits) is below 2^-bits
    halvings = int(value).bit_length()
    work = bits + _GUARD
    argument = (value.numerator << work) // (value.denominator << halvings)
    low = high = term_low = term_high = 1 << work
    k = 0
    while term_high > 1:
        k += 1
        term_low = (term_low * argument >> work) // k
        term_high = -((-term_high * (argument + 1) >> work) // k)
        if k % 2:
            low, high = low - term_high, high - term_low
        else:
            low, high = low + term_low, high + term_high
    low, high = low - 1, high + 1  # what is left of the series is below its next term
    for _ in range(halvings):
        low, high = low * low >> work, -(-high * high >> work)
    return low >> _GUARD, -(-high >> _GUARD)
