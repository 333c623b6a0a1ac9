"""Intervals of a mean cover the exact mean."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.accuracy.gaussian import ROUNDING, sqrt_up, z
from privlab.accuracy.ratio import fieller

NINETY_FIVE = Fraction(95)


def test_a_worked_example() -> None:
    """10,000 +- 20 over 1,000 +- 5: about 10 +- 0.11, a little wider above than below."""
    low, high = fieller(
        Fraction(10_000), Fraction(400), Fraction(1000), Fraction(25), NINETY_FIVE
    ) or (0, 0)
    assert 9.885 < low < 9.895
    assert 10.105 < high < 10.115
    assert high - 10 > 10 - low


@pytest.mark.parametrize(
    ("total", "count", "sd_total", "sd_count"),
    [
        (5000, 900, 40.0, 12.0),
        (-60, 30, 10.0, 4.0),
        (3, 12, 2.0, 3.0),
        (0, 5, 1.0, 2.5),
        (900, 40, 0.3, 0.3),
    ],
)
def test_it_covers_as_stated(total: int, count: int, sd_total: float, sd_count: float) -> None:
    """Simulated from rounded noise with a fixed seed, small counts included."""
    draw = np.random.default_rng(8)
    runs, covered = 1500, 0
    exact = Fraction(total, count)
    for noise_total, noise_count in zip(
        np.round(draw.normal(0, sd_total, runs)),
        np.round(draw.normal(0, sd_count, runs)),
        strict=True,
    ):
        interval = fieller(
            Fraction(total + int(noise_total)),
            Fraction(sd_total) ** 2,
            Fraction(count + int(noise_count)),
            Fraction(sd_count) ** 2,
            NINETY_FIVE,
        )
        covered += interval is None or interval[0] <= exact <= interval[1]
    assert covered / runs > 0.95 - 4 * (0.95 * 0.05 / runs) ** 0.5


NUMBERS = st.fractions(-(10**6), 10**6, max_denominator=1000)
VARIANCES = st.fractions(0, 10**6, max_denominator=1000)
HALVES = st.fractions(Fraction(-1, 2), Fraction(1, 2), max_denominator=1000)


@given(
    NUMBERS,
    VARIANCES,
    st.fractions(1, 10**6, max_denominator=1000),
    VARIANCES,
    NUMBERS,
    HALVES,
    HALVES,
)
def test_every_ratio_that_is_not_too_far_off_is_inside(
    total: Fraction,
    var_total: Fraction,
    count: Fraction,
    var_count: Fraction,
    ratio: Fraction,
    rounded_total: Fraction,
    rounded_count: Fraction,
) -> None:
    """The definition: |T - r N| within z standard deviations, for some rounding of T and N."""
    interval = fieller(total, var_total, count, var_count, NINETY_FIVE)
    off = (total + rounded_total) - ratio * (count + rounded_count)
    if interval and off**2 <= z(NINETY_FIVE) ** 2 * (var_total + ratio**2 * var_count):
        assert interval[0] <= ratio <= interval[1]


@given(NUMBERS, VARIANCES, st.fractions(1, 10**6, max_denominator=1000), VARIANCES)
def test_the_point_estimate_is_inside(
    total: Fraction, var_total: Fraction, count: Fraction, var_count: Fraction
) -> None:
    """And negating the total mirrors the interval."""
    interval = fieller(total, var_total, count, var_count, NINETY_FIVE)
    mirrored = fieller(-total, var_total, count, var_count, NINETY_FIVE)
    if interval is None:
        assert mirrored is None
    else:
        assert interval[0] <= total / count <= interval[1]
        assert mirrored == (-interval[1], -interval[0])


@pytest.mark.parametrize(
    ("count", "var_count"),
    [(9, 25), (0, 0), (0, 4), (Fraction(1, 2), 0), (-9, 25), (Fraction(1, 4), 0)],
)
def test_a_count_that_may_be_zero_gives_no_interval(count: Fraction, var_count: int) -> None:
    """Any ratio would be possible."""
    assert (
        fieller(Fraction(100), Fraction(1), Fraction(count), Fraction(var_count), NINETY_FIVE)
        is None
    )


def test_variances_are_not_negative() -> None:
    """Either of them."""
    for variances in ((-1, 1), (1, -1)):
        with pytest.raises(ValueError, match="not negative"):
            fieller(
                Fraction(1),
                Fraction(variances[0]),
                Fraction(9),
                Fraction(variances[1]),
                NINETY_FIVE,
            )


def corner(
    total: Fraction, var_total: Fraction, count: Fraction, var_count: Fraction, level: Fraction
) -> tuple[Fraction, Fraction] | None:
    """Fieller's roots as they are printed, in Fractions."""
    square = z(level) ** 2
    lead = count**2 - square * var_count
    if lead <= 0:
        return None
    spread = sqrt_up(square * (var_total * lead + var_count * total**2))
    return (total * count - spread) / lead, (total * count + spread) / lead


@settings(max_examples=200, deadline=None)
@given(
    total=st.fractions(-(10**12), 10**12, max_denominator=10**6),
    var_total=st.fractions(Fraction(1, 10**6), 10**12, max_denominator=10**9),
    count=st.fractions(-3, 10**7, max_denominator=10**6),
    var_count=st.fractions(Fraction(1, 10**6), 10**12, max_denominator=10**9),
    level=st.sampled_from([Fraction(50), Fraction(95), Fraction("99.9999")]),
)
def test_whole_numbers_give_the_roots_of_the_law(
    total: Fraction, var_total: Fraction, count: Fraction, var_count: Fraction, level: Fraction
) -> None:
    """The hull over what rounding may have done, a hair wider."""
    found = fieller(total, var_total, count, var_count, level)
    corners = [
        corner(total + a, var_total, count + b, var_count, level)
        for a in (-ROUNDING, ROUNDING)
        for b in (-ROUNDING, ROUNDING)
    ]
    ends = [one for one in corners if one is not None]
    if abs(count) <= ROUNDING or len(ends) < len(corners):
        assert found is None
        return
    assert found is not None
    low, high = min(one[0] for one in ends), max(one[1] for one in ends)
    slack = (high - low + 1) / (1 << 50)
    assert abs(found[0] - low) <= slack
    assert abs(found[1] - high) <= slack


def test_without_noise_only_the_rounding_is_left() -> None:
    found = fieller(Fraction(10), Fraction(0), Fraction(10), Fraction(0), NINETY_FIVE)
    assert found is not None
    assert found[0] <= Fraction(19, 21) <= Fraction(21, 19) <= found[1]
    assert found[1] - found[0] < Fraction(21, 19) - Fraction(19, 21) + Fraction(1, 1 << 50)
