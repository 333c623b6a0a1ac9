"""Draw the noise an event names, whichever law it is of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privlab.mechanisms import gaussian, laplace
from privlab.mechanisms.entropy import KeyStream
from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian, RoundedLaplace


def add_noise(values: NDArray[np.int64], noise: Noise, words: KeyStream) -> NDArray[np.int64]:
    """A new vector: ``values`` plus independent noise of this law in each cell.

    values: one-dimensional int64, in steps; noise: in the same steps; words: a
    fresh `Words`, for this release alone.

    :raises TypeError: values are not int64 in one dimension, or the noise is of
        no law that is drawn here.
    """
    if isinstance(noise, RoundedGaussian):
        return gaussian.add_noise(values, noise, words)
    if isinstance(noise, DiscreteLaplace | RoundedLaplace):
        return laplace.add_noise(values, noise, words)
    raise TypeError(f"no sampler draws {type(noise).__name__}")
