"""The rounded Gaussian: its known words and its law."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy import stats

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


LAWS = [(1, 3), (1, 0), (43, 4), (100, 0), ((1 << 31) + 99, 12), ((1 << 44) + 5, 0)]


def law_p_value(scale: tuple[int, int], draws: int, key: int) -> float:
    """Chi-square of ``draws`` values against the rounded Gaussian law."""
    noise = RoundedGaussian(*scale)
    sigma = float(noise.variance) ** 0.5
    with KeyStream(key.to_bytes(32, "big")) as words:
        values = add_noise(np.zeros(draws, np.int64), noise, words)
    cuts = stats.norm.ppf(np.linspace(0, 1, 202)[1:-1]) * sigma
    edges = np.unique(np.round(cuts)) + 0.5
    seen = np.bincount(np.searchsorted(edges, values), minlength=edges.size + 1)
    upto = np.concatenate([[0.0], stats.norm.cdf(edges / sigma), [1.0]])
    expected = draws * np.diff(upto)
    keep = expected > 5
    assert expected[~keep].sum() < 50
    return float(
        stats.chisquare(seen[keep], expected[keep] * seen[keep].sum() / expected[keep].sum()).pvalue
    )


@pytest.mark.parametrize("scale", LAWS)
def test_the_law_is_the_rounded_gaussian(scale: tuple[int, int]) -> None:
    """Chi-square on 400,000 values from a recorded key; a false alarm is one in 10^6."""
    assert law_p_value(scale, 400_000, 20) > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("scale", LAWS)
def test_the_law_is_the_rounded_gaussian_at_length(scale: tuple[int, int]) -> None:
    """The same on twenty million values."""
    assert law_p_value(scale, 20_000_000, 21) > 1e-6
