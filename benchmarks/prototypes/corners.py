"""Prototype: all moments of one column from sums of shares, at one epsilon together.

A row at y in [-1, 1] (its place in the clamp, about the middle) is a point
``(1, y, y^2)`` of the plane in which N, S and Q are summed.  Take corners whose
hull holds every such point: a row is a mix of corners, its shares are not negative
and add up to one, so sums of shares have L1 sensitivity **one, together**.  Laplace
noise of ``1 / epsilon`` on each of them is epsilon-DP, and N, S, Q are linear in
them.  Nothing is split, and no row is read to decide anything.

``mean``      corners (1, -1) and (1, 1): the shares are (1 - y) / 2, (1 + y) / 2.
              The error of the mean is ``((high - m) X - (m - low) Y) / n``: most
              where the mean is in the middle, and there 3/4 of an even split's.
``variance``  corners (0, -1/4) and (+-5/4, 1) of the plane (y, y^2), whose sides
              touch the parabola at +-1/2: the shares are
              ``8 (1 - y^2), (1 + 2 y)^2, (1 - 2 y)^2``, all by 10.

The second corners are whole numbers in whole steps: of y = k / r they are
``8 (r^2 - k^2), (r + 2 k)^2, (r - 2 k)^2``, which add up to ``10 r^2``.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from privlab.mechanisms.draw import add_noise
from privlab.mechanisms.entropy import Words
from privlab.terms.noise import DiscreteLaplace

Ints = NDArray[np.int64]


def line_shares(steps: Ints, radius: int) -> Ints:
    """Sums of the two shares of a mean, in ``1 / (2 radius)``.

    steps: int64[n], each in [-radius, radius].
    """
    return np.array([(radius - steps).sum(), (radius + steps).sum()], np.int64)


def parabola_shares(steps: Ints, radius: int) -> Ints:
    """Sums of the three shares of a variance, in ``1 / (10 radius^2)``.

    steps: int64[n], each in [-radius, radius]; ``n radius^2`` below 2^59.
    """
    shares = (
        8 * (radius**2 - steps**2),
        (radius + 2 * steps) ** 2,
        (radius - 2 * steps) ** 2,
    )
    return np.array([share.sum() for share in shares], np.int64)


def mean(sums: Ints, radius: int, epsilon: Fraction) -> float:
    """About the middle, in steps; one answer from `line_shares`."""
    below, above = _noisy(sums, 2 * radius, epsilon)
    count = below + above
    return _clamped(radius * (above - below) / count, -radius, radius) if count > 0 else 0.0


def variance(sums: Ints, radius: int, epsilon: Fraction) -> float:
    """In squared steps, with n below; one answer from `parabola_shares`."""
    inner, right, left = _noisy(sums, 10 * radius**2, epsilon)
    count = inner + right + left
    if count <= 0:
        return radius**2 / 3
    mid = 1.25 * (right - left) / count
    square = (right + left - inner / 4) / count
    return _clamped(radius**2 * (square - mid**2), 0, radius**2)


def _noisy(sums: Ints, whole: int, epsilon: Fraction) -> list[float]:
    """Shares, in rows."""
    with Words() as words:
        released = add_noise(sums, DiscreteLaplace.at_most(epsilon / whole), words)
    return [int(one) / whole for one in released]


def _clamped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
