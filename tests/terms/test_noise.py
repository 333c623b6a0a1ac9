"""Noise lives on a grid; the one that is chosen is never more precise than asked."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.terms.noise import (
    LAWS,
    MAX_MULTIPLIER,
    MAX_SHIFT,
    Choice,
    DiscreteLaplace,
    RoundedGaussian,
    RoundedLaplace,
    law_name,
    mechanism_of,
)


@given(st.integers(-90, 60), st.fractions(min_value=1, max_value=2))
def test_the_precision_is_at_most_the_one_asked_for_and_nearly_it(
    exponent: int, factor: Fraction
) -> None:
    wanted = factor * Fraction(2) ** exponent

    precision = RoundedGaussian.at_most(wanted).precision

    assert precision <= wanted
    assert 1 - precision / wanted < Fraction(1, 2**29)


def test_precision_and_variance_are_exact_inverses() -> None:
    noise = RoundedGaussian(3, 1)

    assert noise.variance == 18
    assert noise.precision == Fraction(1, 18)


@pytest.mark.parametrize("precision", [Fraction(0), Fraction(-1), Fraction(1, 2**200)])
def test_a_precision_out_of_reach_is_refused(precision: Fraction) -> None:
    with pytest.raises(ValueError, match=r"positive|reach"):
        RoundedGaussian.at_most(precision)


@pytest.mark.parametrize(
    ("multiplier", "shift"), [(0, 0), (MAX_MULTIPLIER + 1, 0), (1, -1), (1, MAX_SHIFT + 1)]
)
def test_mechanism_off_the_grid_is_refused(multiplier: int, shift: int) -> None:
    with pytest.raises(ValueError, match="must be in"):
        RoundedGaussian(multiplier, shift)


@pytest.mark.parametrize("law", [DiscreteLaplace, RoundedLaplace])
@given(multiplier=st.integers(1, 1 << 30), shift=st.integers(0, 48), up=st.integers(0, 1 << 16))
def test_laplace_noise_is_at_most_as_precise_as_asked_and_the_grid_maps_to_itself(
    law: type[DiscreteLaplace | RoundedLaplace], multiplier: int, shift: int, up: int
) -> None:
    rate = Fraction(multiplier, 1 << shift) + Fraction(up, 1 << 80)
    drawn = law.at_most(rate)
    assert rate * (1 - Fraction(1, 2**31)) <= drawn.precision == 1 / drawn.scale <= rate
    assert law.at_most(drawn.precision).scale == drawn.scale


@given(epsilon=st.fractions(Fraction(1, 1 << 40), 1 << 10))
def test_a_choice_is_of_the_next_smaller_epsilon_on_its_grid(epsilon: Fraction) -> None:
    choice = Choice.at_most(epsilon)
    assert epsilon - Fraction(1, 1 << 62) - epsilon / (1 << 45) <= choice.epsilon <= epsilon
    assert choice.precision == choice.epsilon
    assert Choice.at_most(choice.epsilon).epsilon == choice.epsilon


@pytest.mark.parametrize("epsilon", [Fraction(1, 1 << 41), Fraction(1025), Fraction(0)])
def test_a_choice_out_of_range_is_refused(epsilon: Fraction) -> None:
    with pytest.raises(ValueError, match="epsilon"):
        Choice.at_most(epsilon)


@pytest.mark.parametrize("name", LAWS)
def test_a_noise_is_written_as_its_law_and_its_scale(name: str) -> None:
    noise = mechanism_of(name, 3, 1)
    assert type(noise) is LAWS[name]
    assert (law_name(noise), noise.multiplier, noise.shift) == (name, 3, 1)


def test_a_law_that_is_not_drawn_is_not_read() -> None:
    with pytest.raises(ValueError, match="no law"):
        mechanism_of("discrete-gaussian", 1, 0)
    with pytest.raises(ValueError, match="multiplier"):
        mechanism_of("discrete-laplace", 0, 0)
