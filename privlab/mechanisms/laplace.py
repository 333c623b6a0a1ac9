"""Add exact Laplace noise to a vector of integers: discrete, or continuous but rounded.

Discrete: ``P(k) ~ exp(-|k| / scale)``, the two-sided geometric mechanism (Ghosh,
Roughgarden, Sundararajan 2009, section 2).  Rounded: the continuous Laplace
mechanism (Dwork, McSherry, Nissim, Smith 2006, Proposition 3.3) on integers,
post-processed by rounding.  Both cost epsilon = D / scale at an L1 sensitivity D.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privlab.kernels.laplace import STEP_BITS, add_discrete_laplace, add_rounded_laplace
from privlab.mechanisms import vector
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.exact import Law
from privlab.terms.noise import DiscreteLaplace, RoundedLaplace


def exponent(numerator: int, bits: int) -> tuple[int, int]:
    """y / 2 of y = numerator / 2^bits, as (numerator, scale)."""
    return numerator, bits + STEP_BITS


DISCRETE = vector.Sampler(add_discrete_laplace, Law(exponent, STEP_BITS, rounded=False))
ROUNDED = vector.Sampler(add_rounded_laplace, Law(exponent, STEP_BITS, rounded=True))


def add_noise(
    values: NDArray[np.int64], noise: DiscreteLaplace | RoundedLaplace, words: KeyStream
) -> NDArray[np.int64]:
    """A new vector: ``values`` plus independent noise in each cell, as `vector.add` says."""
    sampler = DISCRETE if isinstance(noise, DiscreteLaplace) else ROUNDED
    return vector.add(values, sampler, noise.multiplier, noise.shift, words)
