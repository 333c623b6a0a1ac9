"""The law of ``privlab/kernels/gaussian.py`` in plain Python, for reading."""

from __future__ import annotations

from tests.kernels.twin_trial import Twin, decay


def chance(z: int, x: int, bits: int) -> int:
    """About 2^bits exp(-x (x + 2z) / 16), x in units of 2^-bits."""
    linear, square = x * 2 * z, x * x >> bits
    value = decay((linear + square) >> 6 if bits == 32 else (linear >> 6) + (square >> 6), bits)
    value = value * value >> bits
    return value * value >> bits


GAUSSIAN = Twin(lambda y: y * y / 16, chance, step_bits=0, rounded=True)
