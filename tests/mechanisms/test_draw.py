"""One name for all laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from privlab.mechanisms import draw, gaussian, laplace
from privlab.mechanisms.entropy import KeyStream
from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian, RoundedLaplace

ZEROS = np.zeros(2000, np.int64)
KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("noise", "add"),
    [
        (RoundedGaussian(77, 2), gaussian.add_noise),
        (DiscreteLaplace(77, 2), laplace.add_noise),
        (RoundedLaplace(77, 2), laplace.add_noise),
    ],
    ids=repr,
)
def test_each_law_is_drawn_by_its_own_sampler(noise: Noise, add: Any) -> None:
    """The same words give the same noise either way."""
    by_law = add(ZEROS, noise, KeyStream(KEY))
    assert draw.add_noise(ZEROS, noise, KeyStream(KEY)).tolist() == by_law.tolist()


def test_the_laws_differ() -> None:
    """Three laws of one scale on the same words give three vectors with their own spread."""
    found = {
        law: draw.add_noise(ZEROS, law(1, 0), KeyStream(KEY))
        for law in (RoundedGaussian, DiscreteLaplace, RoundedLaplace)
    }
    squares = {law: float((noise.astype(float) ** 2).mean()) for law, noise in found.items()}
    assert squares[RoundedGaussian] == pytest.approx(8 + 1 / 12, rel=0.15)
    assert squares[DiscreteLaplace] == pytest.approx(1.8407, rel=0.15)
    assert squares[RoundedLaplace] == pytest.approx(2.077, rel=0.15)


def test_noise_of_no_law_is_refused() -> None:
    """Its type is named, not its value."""
    other: Any = 3
    with pytest.raises(TypeError, match="no sampler draws int"):
        draw.add_noise(ZEROS, other, KeyStream(KEY))
