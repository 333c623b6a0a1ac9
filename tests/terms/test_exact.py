"""Floats are refused by type, whatever they hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from privlab.terms.events import ChoiceEvent, GaussianEvent, LaplaceEvent
from privlab.terms.exact import fraction, positive, whole
from privlab.terms.loss import Delta, Loss
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian, RoundedLaplace

INEXACT = [math.nan, math.inf, -math.inf, 0.0, -1.0, 5e-324, 1e308, 0.5, True, "1", None]


@pytest.mark.parametrize("value", INEXACT)
@pytest.mark.parametrize(
    "takes",
    [
        RoundedGaussian.at_most,
        DiscreteLaplace.at_most,
        RoundedLaplace.at_most,
        Loss.charge,
        Loss.budget,
        Delta.charge,
        Delta.budget,
        ChoiceEvent,
    ],
)
def test_no_amount_is_made_of_a_float(takes: Callable[[Any], object], value: object) -> None:
    with pytest.raises(TypeError, match="is a Fraction, not"):
        takes(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1.0, True, "1", Fraction(1)])
@pytest.mark.parametrize(
    "takes",
    [
        lambda value: RoundedGaussian(value, 0),
        lambda value: DiscreteLaplace(1, value),
        lambda value: RoundedLaplace(value, 0),
        lambda value: GaussianEvent(value, RoundedGaussian(1, 0)),
        lambda value: LaplaceEvent(value, DiscreteLaplace(1, 0)),
        Loss,
        Delta,
    ],
)
def test_no_count_is_made_of_what_is_not_whole(
    takes: Callable[[Any], object], value: object
) -> None:
    with pytest.raises(TypeError, match="is a whole number, not"):
        takes(value)


@pytest.mark.parametrize("value", [0, -1, Fraction(0), Fraction(-1, 3)])
def test_a_positive_amount_is_above_zero(value: Fraction) -> None:
    with pytest.raises(ValueError, match="a scale is positive"):
        positive("a scale", value)


def test_exact_numbers_pass_unchanged() -> None:
    assert fraction("it", 3) == 3
    assert positive("it", Fraction(1, 3)) == Fraction(1, 3)
    assert whole("it", -4) == -4
