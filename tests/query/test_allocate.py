"""A target on a mean is met at the least loss."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.query.allocate import (
    CAUTION,
    MARGIN,
    expected_width,
    for_mean,
    known_rows,
    priced_rows,
)
from privlab.query.plan import Literal, Measure, MeasureKind

STAY = Measure(MeasureKind.SUM, Literal(1), Fraction(0), Fraction(60), Fraction(1), Fraction(30))
CONFIDENCE = Fraction(95)
widths = st.fractions(Fraction(1, 100), 10)
sizes = st.fractions(1, 10**6)


def loss(total: Fraction, count: Fraction) -> Fraction:
    return STAY.radius**2 * total + count


@given(width=widths, size=sizes)
def test_the_width_is_met(width: Fraction, size: Fraction) -> None:
    total, count = for_mean(STAY, width, size, CONFIDENCE, Fraction(0), Fraction(0))
    met = expected_width(STAY, size, CONFIDENCE, total, count)
    assert width * Fraction(999, 1000) <= met <= width


@given(width=widths, size=sizes, tilt=st.fractions(Fraction(1, 10), 10))
def test_no_other_split_is_cheaper(width: Fraction, size: Fraction, tilt: Fraction) -> None:
    total, count = for_mean(STAY, width, size, CONFIDENCE, Fraction(0), Fraction(0))
    off = Fraction(STAY.radius, 2)
    room = 1 / total + off**2 / count
    other_count = tilt * count
    other_room = room - off**2 / other_count
    if other_room > 0:
        assert loss(total, count) <= loss(1 / other_room, other_count) * MARGIN**2


@given(width=widths, size=sizes, more=st.integers(2, 100))
def test_a_count_that_is_precise_anyway_makes_the_sum_cheaper(
    width: Fraction, size: Fraction, more: int
) -> None:
    total, count = for_mean(STAY, width, size, CONFIDENCE, Fraction(0), Fraction(0))
    cheaper, same = for_mean(STAY, width, size, CONFIDENCE, Fraction(0), count * more)
    assert same == count * more
    assert cheaper < total
    assert expected_width(STAY, size, CONFIDENCE, cheaper, same) <= width


@pytest.mark.parametrize(
    ("counts", "rows", "known", "priced"),
    [
        (None, 3000, 1000, 1000),
        ([900, 10, 5000], 3000, 900, 512),
        ([5000, 5000, 5000], 3000, 1000, 1000),
        ([900, 1100, -4], None, 900, 512),
        ([1, 1, 1], None, 1, 1),
        ([-1, 0], None, None, None),
        ([-1, 0], 3000, None, 1000),
        (None, None, None, None),
        (None, 1, 1, 1),
    ],
)
def test_a_group_is_as_large_as_is_known(
    counts: list[int] | None, rows: int | None, known: int | None, priced: int | None
) -> None:
    held = None if counts is None else [Fraction(count) for count in counts]
    assert known_rows(3, held, rows) == known
    assert priced_rows(3, held, rows) == priced


@given(count=st.fractions(1, 10**6))
def test_a_price_trusts_a_count_with_caution(count: Fraction) -> None:
    size = priced_rows(1, [count], None)
    assert size is not None
    assert size <= max(1, count * CAUTION) < 2 * size
