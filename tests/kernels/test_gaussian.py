"""The rounded Gaussian: its known words.  Its law is in ``tests/statistical``."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.gaussian import add_noise
from privlab.terms.noise import RoundedGaussian

KNOWN = {
    (1, 0): "7ddb70a6dd867f7735dfbd2273f63181dd90287070a5de3e3863a447b2f43bf2",
    ((1 << 31) + 12_345, 30): "6ccc965a6a099791d86236dc8ed1ec10aac8522bb7a814801bacd672c075c6a7",
    ((1 << 40) + 1, 0): "398bf8886d35bb34d580a6501f84772d5f00f117183b7d3b9437835e1ff22610",
}


@pytest.mark.parametrize(("scale", "digest"), KNOWN.items())
def test_a_fixed_key_gives_the_known_million(scale: tuple[int, int], digest: str) -> None:
    """SHA-256 of the first 10^6 values, int64 little-endian, under the key 00 01 .. 1f."""
    noise = add_noise(
        np.zeros(1_000_000, np.int64), RoundedGaussian(*scale), KeyStream(bytes(range(32)))
    )
    assert hashlib.sha256(noise.astype("<i8").tobytes()).hexdigest() == digest
