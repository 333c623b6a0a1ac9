"""The masses each law should have, from its definition, to 200 bits.

For: the right side of a chi-square.  Knows nothing of how noise is drawn.
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb, ctx, fmpq

from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian

BITS = 200


def scale(noise: Noise) -> float:
    """sigma of a Gaussian, b of a Laplace, in steps, to the nearest float."""
    if isinstance(noise, RoundedGaussian):
        return float(noise.variance) ** 0.5
    return float(noise.scale)


def mass(noise: Noise, first: int, beyond: int) -> float:
    """P(first <= K < beyond)."""
    with ctx.workprec(BITS):
        return float(_at_least(noise, first) - _at_least(noise, beyond))


def at_least(noise: Noise, k: int) -> float:
    """P(K >= k)."""
    with ctx.workprec(BITS):
        return float(_at_least(noise, k))


def residue_masses(noise: Noise, modulus: int) -> list[float]:
    """P(K = r modulo ``modulus``) for each r; scales of at least ``modulus`` only.

    A Gaussian's differ from uniform by less than exp(-2 pi^2 (sigma / modulus)^2)
    (Poisson summation), which is nothing a count can see.  A Laplace's masses
    are two geometric series, but for the one at zero.
    """
    if scale(noise) < modulus:
        raise ValueError(f"a scale of {scale(noise)} is below {modulus}")
    if isinstance(noise, RoundedGaussian):
        return [1 / modulus] * modulus
    with ctx.workprec(BITS):
        ratio = (-1 / _arb(noise.scale)).exp()
        one = (_at_least(noise, 1) - _at_least(noise, 2)) / ratio
        zero = _at_least(noise, 0) - _at_least(noise, 1)
        masses = [
            one * (ratio**r + ratio ** (modulus - r)) / (1 - ratio**modulus) for r in range(modulus)
        ]
        masses[0] += zero - one
        return [float(part) for part in masses]


def _at_least(noise: Noise, k: int) -> arb:
    if k <= 0:
        return 1 - _at_least(noise, 1 - k)
    if isinstance(noise, RoundedGaussian):
        # sigma sqrt(2) = 4 multiplier / 2^shift
        wide = Fraction(4 * noise.multiplier, 1 << noise.shift)
        return _arb(Fraction(2 * k - 1, 2) / wide).erfc() / 2
    if isinstance(noise, DiscreteLaplace):
        ratio = (-1 / _arb(noise.scale)).exp()
        return ratio**k / (1 + ratio)
    return (-_arb(Fraction(2 * k - 1, 2) / noise.scale)).exp() / 2


def _arb(number: Fraction) -> arb:
    return arb(fmpq(number.numerator, number.denominator))
