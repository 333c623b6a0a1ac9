"""The Laplace laws: their known words.  Their laws are in ``tests/statistical``."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.laplace import add_noise
from privlab.terms.noise import DiscreteLaplace, RoundedLaplace

Laplace = DiscreteLaplace | RoundedLaplace

KNOWN: dict[Laplace, str] = {
    DiscreteLaplace(1, 0): "08efe876154bffdb345d84b96c3a5950a49026aff2bad052ad9e06118f873310",
    DiscreteLaplace(
        (1 << 31) + 12_345, 30
    ): "fa904436040ccf2ed29cee0e76e6c8002dba3fec0020099349172e524922ee1a",
    DiscreteLaplace(
        (1 << 40) + 1, 0
    ): "b374859f55c58019862e05b753e258b9641946f03ac2427ae4e1a0cddcffab95",
    RoundedLaplace(1, 0): "c5cf965a291b0ad93d862e314a055cfcee2bea10daaa119af347225a648e305c",
    RoundedLaplace(
        (1 << 31) + 12_345, 30
    ): "df1046ef9579f22b16babfee9a75df95037770ebe475df14416505467d7bb405",
    RoundedLaplace(
        (1 << 40) + 1, 0
    ): "415cfd1625c314bc4ef82d6bb37c24297b866798e1f44d2f6fa1a7bac183fa48",
}


@pytest.mark.parametrize(("noise", "digest"), KNOWN.items(), ids=repr)
def test_a_fixed_key_gives_the_known_million(noise: Laplace, digest: str) -> None:
    """SHA-256 of the first 10^6 values, int64 little-endian, under the key 00 01 .. 1f."""
    values = add_noise(np.zeros(1_000_000, np.int64), noise, KeyStream(bytes(range(32))))
    assert hashlib.sha256(values.astype("<i8").tobytes()).hexdigest() == digest
