"""Every law as drawn against the law as defined, from tiny to huge scales.

False alarms: a test here fails of itself with probability at most `ALARM` =
10^-7 per p-value, and there are fewer than 200 of them: less than 2 * 10^-5 in
all.  That is the chance taken when a key is chosen; keys are recorded, so a test
that has passed passes again until the sampler changes.  The same rule rejects
laws that are wrong on purpose: a tenth of a percent in the scale at 10^8 draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from privlab.mechanisms.draw import add_noise
from privlab.mechanisms.entropy import KeyStream
from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian, RoundedLaplace
from tests.statistical.chi_square import chi_square, p_values
from tests.statistical.exact_law import at_least, mass, residue_masses, scale

ALARM = 1e-7
MANY = 100_000_000
FEW = 400_000
CHUNK = 1 << 19

GRID = [(1, 4), (1, 0), (43, 4), (100, 0), ((1 << 31) + 99, 12), ((1 << 44) + 5, 0)]
"""Gaussian sigma 0.18, 2.8, 7.6, 283, 1.5 * 10^6, 5 * 10^13."""

GRID_LAPLACE = [(1, 3), (1, 0), (43, 4), (200, 0), ((1 << 31) + 99, 11), ((1 << 44) + 5, 0)]
"""Laplace b 0.13, 1, 2.7, 200, 10^6, 1.8 * 10^13."""

LAWS: list[Noise] = [
    *(RoundedGaussian(*parameters) for parameters in GRID),
    *(DiscreteLaplace(*parameters) for parameters in GRID_LAPLACE),
    *(RoundedLaplace(*parameters) for parameters in GRID_LAPLACE),
]


def drawn(noise: Noise, draws: int, key: int) -> Iterator[NDArray[np.int64]]:
    """``draws`` values under a recorded key, in chunks."""
    with KeyStream(key.to_bytes(32, "big")) as words:
        for start in range(0, draws, CHUNK):
            yield add_noise(np.zeros(min(CHUNK, draws - start), np.int64), noise, words)


def show(noise: Noise) -> str:
    return f"{type(noise).__name__}-{scale(noise):.3g}"


@pytest.mark.parametrize("noise", LAWS, ids=show)
def test_the_law_is_what_it_says(noise: Noise) -> None:
    """400,000 draws."""
    found = p_values(noise, drawn(noise, FEW, 1_000 + LAWS.index(noise)), FEW)
    assert min(found.values()) > ALARM, found


@pytest.mark.slow
@pytest.mark.parametrize("noise", LAWS, ids=show)
def test_the_law_is_what_it_says_at_length(noise: Noise) -> None:
    """A hundred million draws."""
    found = p_values(noise, drawn(noise, MANY, 2_000 + LAWS.index(noise)), MANY)
    assert min(found.values()) > ALARM, found


def off(noise: Noise, part: Fraction) -> Any:
    """The law with a scale that is larger by this part."""
    return replace(noise, multiplier=round(noise.multiplier * (1 + part)))


@pytest.mark.slow
@pytest.mark.parametrize("noise", [LAWS[4], LAWS[10], LAWS[16]], ids=show)
def test_a_scale_off_by_a_tenth_of_a_percent_is_noticed(noise: Noise) -> None:
    """In a hundred million draws."""
    wrong = off(noise, Fraction(1, 1000))
    assert p_values(noise, drawn(wrong, MANY, 32), MANY)["coarse"] < ALARM


@pytest.mark.parametrize("noise", [LAWS[4], LAWS[10], LAWS[16]], ids=show)
def test_a_scale_off_by_two_percent_is_noticed(noise: Noise) -> None:
    """In 400,000 draws."""
    wrong = off(noise, Fraction(1, 50))
    assert p_values(noise, drawn(wrong, FEW, 33), FEW)["coarse"] < ALARM


def of_masses(masses: NDArray[np.float64], first: int, draws: int) -> NDArray[np.int64]:
    """Draws from any law on first, first + 1, ..."""
    uniform = np.random.default_rng(34).random(draws)
    upto = np.cumsum(masses / masses.sum())
    return np.searchsorted(upto[:-1], uniform, side="right").astype(np.int64) + first


def test_a_discrete_gaussian_is_not_a_rounded_one() -> None:
    """Same sigma of about 1; the variances differ by 1/12."""
    noise = RoundedGaussian(181, 9)
    steps = np.arange(-40, 41)
    weights = np.exp(-(steps**2) / (2 * float(noise.variance)))
    values = of_masses(weights, -40, FEW)
    assert p_values(noise, [values], FEW)["fine"] < ALARM


def test_a_discrete_laplace_is_not_a_rounded_one() -> None:
    """Same scale of 10; the masses at zero differ by one part in 1,200."""
    for noise, other in [(DiscreteLaplace(2, 0), RoundedLaplace(2, 0))]:
        assert p_values(noise, drawn(other, FEW, 35), FEW)["fine"] < ALARM
        assert p_values(other, drawn(noise, FEW, 35), FEW)["fine"] < ALARM


def exponential(noise: Noise, draws: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """|continuous Laplace| and signs of numpy's, for laws that are wrong on purpose."""
    source = np.random.default_rng(36)
    return source.exponential(scale(noise), draws), source.choice([-1, 1], draws)


@pytest.mark.parametrize("noise", [DiscreteLaplace(10, 0), DiscreteLaplace(1000, 0)], ids=show)
def test_minus_zero_counted_as_zero_is_noticed(noise: Noise) -> None:
    """Zero then comes twice as often; at b = 1000 that is one draw in two thousand."""
    sizes, signs = exponential(noise, FEW)
    kept = np.floor(sizes).astype(np.int64) * signs
    assert min(p_values(noise, [kept], FEW).values()) < ALARM
    right = kept[(kept != 0) | (signs > 0)]
    assert min(p_values(noise, [right], right.size).values()) > ALARM


@pytest.mark.parametrize("noise", [RoundedGaussian(1 << 20, 20), RoundedLaplace(20, 0)], ids=show)
def test_floor_instead_of_round_is_noticed(noise: Noise) -> None:
    """Which would move all sizes half a step towards zero."""
    source = np.random.default_rng(37)
    draw = source.normal if isinstance(noise, RoundedGaussian) else source.laplace
    real = draw(0, scale(noise), FEW)
    assert min(p_values(noise, [np.trunc(real).astype(np.int64)], FEW).values()) < ALARM
    assert min(p_values(noise, [np.rint(real).astype(np.int64)], FEW).values()) > ALARM


@pytest.mark.parametrize("noise", [LAWS[4], LAWS[10], LAWS[16]], ids=show)
def test_a_stuck_low_bit_is_noticed(noise: Noise) -> None:
    """Values rounded to even numbers, once in fifty draws."""
    values = np.concatenate(list(drawn(noise, FEW, 38)))
    values[::50] &= -2
    assert p_values(noise, [values], FEW)["residues"] < ALARM


@pytest.mark.parametrize("noise", [LAWS[1], LAWS[8], LAWS[11], LAWS[16]], ids=show)
def test_a_word_used_for_two_draws_is_noticed(noise: Noise) -> None:
    """Every second draw has the sign of the one before, in a twentieth of the pairs."""
    values = np.concatenate(list(drawn(noise, FEW, 39)))
    values[1::40] = np.abs(values[1::40]) * np.sign(values[0::40])
    assert p_values(noise, [values], FEW)["pairs"] < ALARM


@pytest.mark.parametrize("noise", LAWS, ids=show)
def test_the_expected_masses_are_a_law(noise: Noise) -> None:
    """They add up to one, symmetric, as other libraries have them to a float's digits."""
    wide = max(1, round(scale(noise)))
    points = [0, 1, wide, 3 * wide]
    for k in points:
        assert at_least(noise, k) + at_least(noise, 1 - k) == pytest.approx(1, abs=1e-15)
        assert mass(noise, k, k + 1) == pytest.approx(mass(noise, -k, 1 - k), rel=1e-12)
    if isinstance(noise, DiscreteLaplace):
        theirs = [stats.dlaplace(1 / scale(noise)).sf(k - 1) for k in points]
    elif isinstance(noise, RoundedLaplace):
        theirs = [stats.laplace(scale=scale(noise)).sf(k - 0.5) for k in points]
    else:
        theirs = [stats.norm(scale=scale(noise)).sf(k - 0.5) for k in points]
    assert [at_least(noise, k) for k in points] == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("noise", [DiscreteLaplace(64, 0), RoundedLaplace(100, 0)], ids=show)
def test_residue_masses_are_sums_of_masses(noise: Noise) -> None:
    """Over all k = r modulo 64 out to 40 scales."""
    sums = [
        sum(mass(noise, k, k + 1) for k in range(r - 64 * 80, 64 * 80, 64)) for r in range(0, 64, 9)
    ]
    assert residue_masses(noise, 64)[::9] == pytest.approx(sums, rel=1e-12)


def test_no_residues_are_claimed_for_a_scale_below_the_modulus() -> None:
    """There a Gaussian's are not uniform."""
    with pytest.raises(ValueError, match="below 64"):
        residue_masses(RoundedGaussian(1, 0), 64)


def test_one_class_is_not_a_test() -> None:
    """It would accept everything."""
    with pytest.raises(ValueError, match="nothing is tested"):
        chi_square(np.array([50, 0]), np.array([1.0, 0.0]))
