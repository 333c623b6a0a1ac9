"""Boxes cover the exact mean under any law, also where the count is tiny or negative."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.accuracy.ratio_box import BoxIntervals
from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian, RoundedLaplace

NINETY_FIVE = Fraction(95)


def weights(noise: Noise) -> dict[int, float]:
    """The law, term by term, until 1e-13 is left."""
    if isinstance(noise, RoundedGaussian):
        sigma = math.sqrt(noise.variance)
        reach = range(math.ceil(8 * sigma) + 1)
        upto = [math.erf((k + 0.5) / sigma / math.sqrt(2)) for k in reach]
    else:
        scale = float(noise.scale)
        reach = range(math.ceil(31 * scale) + 1)
        if isinstance(noise, RoundedLaplace):
            upto = [-math.expm1(-(k + 0.5) / scale) for k in reach]
        else:
            p = math.exp(-1 / scale)
            upto = [1 - 2 * p ** (k + 1) / (1 + p) for k in reach]
    found = {0: upto[0]}
    for k in reach[1:]:
        found[k] = found[-k] = (upto[k] - upto[k - 1]) / 2
    return found


@pytest.mark.parametrize(("total", "count"), [(300, 40), (-30, 12), (4, 3), (0, 1), (-9, 1)])
@pytest.mark.parametrize(
    ("of_total", "of_count"),
    [
        (DiscreteLaplace(3, 0), DiscreteLaplace(1, 0)),
        (RoundedLaplace(5, 1), DiscreteLaplace(3, 1)),
        (RoundedGaussian(1, 0), RoundedGaussian(1, 1)),
    ],
)
def test_boxes_cover_as_stated(of_total: Noise, of_count: Noise, total: int, count: int) -> None:
    """Summed over both laws, so exact: tiny counts too, whose noisy ones are often negative."""
    for confidence in (Fraction(60), NINETY_FIVE):
        intervals = BoxIntervals(of_total, of_count, confidence)
        exact = Fraction(total, count)
        counts = weights(of_count)
        totals = weights(of_total)
        covered = 0.0
        for noise_count, chance_count in counts.items():
            for noise_total, chance_total in totals.items():
                if abs(noise_total) > 12 * float(intervals.total) / 4:
                    continue  # counted as missed
                found = intervals.of(Fraction(total + noise_total), Fraction(count + noise_count))
                if found is None or found[0] <= exact <= found[1]:
                    covered += chance_count * chance_total
        assert covered >= confidence / 100


@settings(deadline=None)
@given(
    st.integers(-(10**6), 10**6),
    st.integers(1, 10**5),
    st.integers(1, 1 << 20),
    st.integers(1, 1 << 20),
    st.data(),
)
def test_what_both_intervals_allow_is_inside(
    total: int, count: int, scale_total: int, scale_count: int, data: st.DataObject
) -> None:
    """Every ratio of a sum and a count that are within their half-widths."""
    intervals = BoxIntervals(
        DiscreteLaplace(scale_total, 8), RoundedLaplace(scale_count, 8), NINETY_FIVE
    )
    off_total = data.draw(st.integers(-int(intervals.total), int(intervals.total)))
    off_count = data.draw(st.integers(-int(intervals.count), int(intervals.count)))

    found = intervals.of(Fraction(total + off_total), Fraction(count + off_count))

    assert found is not None
    assert found[0] <= Fraction(total, count) <= found[1]


@settings(deadline=None)
@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_ends_are_reached_and_mirrored(total: int, count: int) -> None:
    """No end could be nearer: a corner of the box has that ratio."""
    intervals = BoxIntervals(DiscreteLaplace(900, 0), DiscreteLaplace(8, 0), NINETY_FIVE)
    found = intervals.of(Fraction(total), Fraction(count))
    mirrored = intervals.of(Fraction(-total), Fraction(count))
    fewest, most = max(1, count - int(intervals.count)), count + int(intervals.count)
    if most < 1:
        assert found is mirrored is None
        return
    assert found is not None
    corners = [
        (total + sign * intervals.total) / size for sign in (-1, 1) for size in (fewest, most)
    ]
    assert found == (min(corners), max(corners))
    assert mirrored == (-found[1], -found[0])


def test_a_count_that_cannot_be_one_gives_no_interval() -> None:
    """Noise of scale 2 at 97.5 % reaches 7: from 8 below zero on no group is left."""
    intervals = BoxIntervals(DiscreteLaplace(40, 0), DiscreteLaplace(2, 0), NINETY_FIVE)
    assert (intervals.total, intervals.count) == (147, 7)
    assert intervals.of(Fraction(300), Fraction(-7)) is None
    assert intervals.of(Fraction(300), Fraction(-6)) == (153, 447)
    assert intervals.of(Fraction(300), Fraction(100)) == (Fraction(153, 107), Fraction(149, 31))
