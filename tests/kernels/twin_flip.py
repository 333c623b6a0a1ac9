"""The kernel of ``privlab/kernels/flip.py`` in plain Python, for reading.

`twin` repeats the kernel's arithmetic in whole numbers; the two must agree word for
word.  `reference` flips the same coin by its definition alone.
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb, ctx, fmpq

from tests.kernels.twin_choose import WORD, power

TAILS, HEADS, OPEN = 0, 1, 2


def chance(gap: int, rate: int, shift: int) -> int:
    """About 2^64 * 2^-(gap * rate / 2^shift)."""
    whole, fraction = divmod(gap * rate << 64 >> shift, WORD)
    return power(fraction) >> whole if whole < 64 else 0


def twin(gap: int, rate: int, shift: int, word: int) -> int:
    """The coin of a candidate whose score is ``gap`` below the best."""
    about = chance(gap, rate, shift)
    if word < about - 256:
        return HEADS
    return TAILS if word >= about + 256 else OPEN


def reference(gap: int, epsilon: Fraction, word: int) -> int:
    """What all strings that begin with ``word`` show; `OPEN` if they differ."""
    with ctx.workprec(256):
        half = arb(fmpq(epsilon.numerator, 2 * epsilon.denominator))
        exact = (-half * gap).exp() * WORD
        if gap == 0 or word + 1 <= exact:
            return HEADS
        return TAILS if word >= exact else OPEN
