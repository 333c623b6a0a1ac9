"""Add exact rounded Gaussian noise to a vector of integers.

The noise is the continuous Gaussian of variance ``8 (multiplier / 2^shift)^2``,
rounded to the nearest integer.  The values are integers, so adding it equals
rounding the continuous Gaussian mechanism's output: post-processing, and every
statement about the continuous mechanism holds unchanged (Dong, Roth, Su 2019,
arXiv:1905.02383, Theorem 1 and Proposition 4).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privlab.kernels.gaussian import add_rounded_gaussian
from privlab.mechanisms import vector
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.exact import Law
from privlab.terms.noise import RoundedGaussian


def exponent(numerator: int, bits: int) -> tuple[int, int]:
    """y^2 / 16 of y = numerator / 2^bits, as (numerator, scale)."""
    return numerator * numerator, 2 * bits + 4


ROUNDED = vector.Sampler(add_rounded_gaussian, Law(exponent, step_bits=0, rounded=True))


def add_noise(
    values: NDArray[np.int64], noise: RoundedGaussian, words: KeyStream
) -> NDArray[np.int64]:
    """A new vector: ``values`` plus independent noise in each cell, as `vector.add` says."""
    return vector.add(values, ROUNDED, noise.multiplier, noise.shift, words)
