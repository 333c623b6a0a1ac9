"""The Laplace laws: their known words and their laws."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.laplace import add_noise
from privlab.terms.noise import DiscreteLaplace, RoundedLaplace

Laplace = DiscreteLaplace | RoundedLaplace

KNOWN: dict[Laplace, str] = {
    DiscreteLaplace(1, 0): "08efe876154bffdb345d84b96c3a5950a49026aff2bad052ad9e06118f873310",
    DiscreteLaplace((1 << 31) + 12_345, 30): "fa904436040ccf2ed29cee0e76e6c8002dba3fec0020099349172e524922ee1a",
    DiscreteLaplace((1 << 40) + 1, 0): "b374859f55c58019862e05b753e258b9641946f03ac2427ae4e1a0cddcffab95",
    RoundedLaplace(1, 0): "c5cf965a291b0ad93d862e314a055cfcee2bea10daaa119af347225a648e305c",
    RoundedLaplace((1 << 31) + 12_345, 30): "df1046ef9579f22b16babfee9a75df95037770ebe475df14416505467d7bb405",
    RoundedLaplace((1 << 40) + 1, 0): "415cfd1625c314bc4ef82d6bb37c24297b866798e1f44d2f6fa1a7bac183fa48",
}


@pytest.mark.parametrize(("noise", "digest"), KNOWN.items(), ids=repr)
def test_a_fixed_key_gives_the_known_million(noise: Laplace, digest: str) -> None:
    """SHA-256 of the first 10^6 values, int64 little-endian, under the key 00 01 .. 1f."""
    values = add_noise(np.zeros(1_000_000, np.int64), noise, KeyStream(bytes(range(32))))
    assert hashlib.sha256(values.astype("<i8").tobytes()).hexdigest() == digest


SCALES = [(1, 3), (1, 0), (43, 4), (100, 0), ((1 << 31) + 99, 12), ((1 << 44) + 5, 0)]
LAWS = [law(*scale) for scale in SCALES for law in (DiscreteLaplace, RoundedLaplace)]


def at_most(noise: Laplace, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(X <= k) of the law at whole k."""
    scale = float(noise.scale)
    if isinstance(noise, RoundedLaplace):
        return np.asarray(stats.laplace.cdf((sizes + 0.5) / scale))
    tail = np.exp(-(np.abs(np.where(sizes >= 0, sizes + 1, sizes))) / scale)
    tail /= 1 + np.exp(-1 / scale)
    return np.where(sizes >= 0, 1 - tail, tail)


def law_p_value(noise: Laplace, draws: int, key: int) -> float:
    """Chi-square of ``draws`` values against the law."""
    with KeyStream(key.to_bytes(32, "big")) as words:
        values = add_noise(np.zeros(draws, np.int64), noise, words)
    edges = np.unique(
        np.round(stats.laplace.ppf(np.linspace(0, 1, 202)[1:-1]) * float(noise.scale))
    )
    seen = np.bincount(np.searchsorted(edges, values), minlength=edges.size + 1)
    expected = draws * np.diff(np.concatenate([[0.0], at_most(noise, edges), [1.0]]))
    keep = expected > 5
    assert expected[~keep].sum() < 50
    return float(
        stats.chisquare(seen[keep], expected[keep] * seen[keep].sum() / expected[keep].sum()).pvalue
    )


@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_the_law_is_the_laplace_named(noise: Laplace) -> None:
    """Chi-square on 400,000 values from a recorded key; a false alarm is one in 10^6."""
    assert law_p_value(noise, 400_000, 22) > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("noise", LAWS, ids=repr)
def test_the_law_is_the_laplace_named_at_length(noise: Laplace) -> None:
    """The same on twenty million values."""
    assert law_p_value(noise, 20_000_000, 23) > 1e-6
