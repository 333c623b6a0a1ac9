"""Yes with probability exactly p, from as few words as decide it.

The words are the beginning of the infinite bit string of a uniform U, and the
answer is ``U < p``.  A word that leaves it open, one in 2^64, is followed by the
next; so p need not be a binary fraction, nor known beyond the bits at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from privlab.mechanisms.entropy import KeyStream
from privlab.terms.exact import fraction

WORD = 64


def bernoulli(p: Fraction | int, words: KeyStream) -> bool:
    """True with probability ``p``, in [0, 1], exact; takes at least one word.

    :raises TypeError: p is neither a Fraction nor an int.
    :raises ValueError: p is not in [0, 1].
    """
    p = fraction("a probability", p)
    if not 0 <= p <= 1:
        raise ValueError("a probability is in [0, 1]")

    def around(bits: int) -> tuple[int, int]:
        whole, rest = divmod(p.numerator << bits, p.denominator)
        return whole, whole + (rest > 0)

    return bernoulli_around(around, words)


def bernoulli_around(around: Callable[[int], tuple[int, int]], words: KeyStream) -> bool:
    """True with the probability that ``around`` closes in on.

    around: bits -> (low, high) with ``low / 2^bits <= p <= high / 2^bits``; where
    p is no multiple of 2^-bits for any bits, high - low must stay bounded as
    bits grow, so that this ends.

    :raises ValueError: low is above high: not an interval.
    """
    u = bits = 0
    while True:
        u = (u << WORD) | int(words.take(1)[0])
        bits += WORD
        low, high = around(bits)
        if low > high:
            raise ValueError("the ends of a probability are the wrong way round")
        if u < low:
            return True
        if u >= high:
            return False
