"""Noise added to a vector."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from privlab.mechanisms.entropy import KeyStream, Words
from privlab.mechanisms.exact import settle
from privlab.mechanisms.gaussian import add_noise
from privlab.terms.noise import RoundedGaussian
from tests.kernels.twin_gaussian import DROPPED, TIE, twin, z_table

UNIT = RoundedGaussian(1, 0)


class Scripted(KeyStream):
    """Words written by the test, then those of a key."""

    def __init__(self, script: list[int]) -> None:
        super().__init__(bytes(32))
        self.script = script

    def take(self, count: int) -> NDArray[np.uint64]:
        given, self.script = self.script[:count], self.script[count:]
        rest = super().take(count - len(given))
        return np.concatenate([np.array(given, np.uint64), rest])


def by_twin(cells: int, noise: RoundedGaussian, words: KeyStream, batches: list[int]) -> list[int]:
    """The same vector, trial by trial in plain Python, from batches of known size."""
    found: list[int] = []
    for batch in batches:
        part = [int(word) for word in words.take(batch)]
        for at in range(0, batch, 3):
            if len(found) == cells:
                break
            trial = (part[at], part[at + 1], part[at + 2])
            outcome = twin(trial, noise.multiplier, noise.shift)
            if outcome == TIE:
                settled = settle(
                    trial, noise.multiplier, noise.shift, lambda: int(words.take(1)[0])
                )
                outcome = DROPPED if settled is None else settled
            if isinstance(outcome, int):
                found.append(outcome)
    return found


def test_values_are_kept_and_only_noise_is_added() -> None:
    """The same words on two vectors differ by what the vectors differ by."""
    values = np.array([0, -5, 1 << 61, -(1 << 61)], np.int64)
    key = bytes(range(32))
    noise = add_noise(np.zeros(4, np.int64), UNIT, KeyStream(key))
    assert (add_noise(values, UNIT, KeyStream(key)) - values).tolist() == noise.tolist()


def test_the_given_vector_is_left_alone() -> None:
    """Exact sums are not overwritten in the caller's hands; strided vectors work."""
    values = np.arange(10, dtype=np.int64)[::2]
    with Words() as words:
        noisy = add_noise(values, RoundedGaussian(1 << 20, 0), words)
    assert values.tolist() == [0, 2, 4, 6, 8]
    assert noisy.tolist() != values.tolist()


def test_ties_in_the_middle_of_a_vector_are_settled_in_place() -> None:
    """Three crafted ties among random trials; cell for cell as in plain Python."""
    tie_kept = [2 * z_table()[0], 0, 0]
    tie_negative = [2 * z_table()[2] + 1, 1 << 62, 0]
    tie_dropped = [2 * z_table()[3], (1 << 64) - 1, (1 << 64) - 1]
    plain = [5, 1 << 63, 7]
    script = tie_kept + plain + tie_dropped + tie_negative + plain
    noise = RoundedGaussian(5, 1)
    cells, batch = 40, 3 * (40 + 6 + 8)
    found = add_noise(np.zeros(cells, np.int64), noise, Scripted(list(script)))
    assert found.tolist() == by_twin(cells, noise, Scripted(list(script)), [batch])


def test_large_scales_meet_ties_and_long_vectors_many_batches() -> None:
    """At 2^48 one trial in 2^16 is a tie; 200,000 cells pass through several batches."""
    noise = RoundedGaussian(1 << 48, 0)
    values = add_noise(np.zeros(200_000, np.int64), noise, KeyStream(bytes([9] * 32)))
    sigma = float(noise.variance) ** 0.5
    assert abs(values.mean()) < 5 * sigma / 200_000**0.5
    assert abs(values.astype(float).var() / sigma**2 - 1) < 0.02


@pytest.mark.parametrize(
    "values",
    [np.zeros(3, np.int32), np.zeros(3), np.zeros((1, 3), np.int64), np.zeros(3, np.uint64)],
)
def test_only_a_vector_of_int64_gets_noise(values: NDArray[np.int64]) -> None:
    """Floats have porous noise and narrower integers wrap early: refused by type."""
    with pytest.raises(TypeError, match="one-dimensional int64"), Words() as words:
        add_noise(values, UNIT, words)


def test_an_empty_vector_needs_no_words() -> None:
    """No cell, no draw."""
    words = Words()
    words.close()
    assert add_noise(np.zeros(0, np.int64), UNIT, words).size == 0
