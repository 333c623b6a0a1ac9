"""The laws of ``privlab/kernels/laplace.py`` in plain Python, for reading."""

from __future__ import annotations

from tests.kernels.twin_trial import Twin, decay


def chance(_: int, x: int, bits: int) -> int:
    """About 2^bits exp(-x / 2), x in units of 2^-bits."""
    return decay(x >> 1, bits)


DISCRETE = Twin(lambda y: y / 2, chance, step_bits=1, rounded=False)
ROUNDED = Twin(lambda y: y / 2, chance, step_bits=1, rounded=True)
