"""What intervals leave out is said, with its direction."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.accuracy.bias import Lean, clamped_words, lean

VALUES = st.integers(-9, 9).map(Fraction)


@given(
    st.lists(st.tuples(VALUES, st.booleans()), max_size=8),
    VALUES,
    st.integers(0, 9),
)
def test_no_table_leans_to_the_side_that_is_ruled_out(
    rows: list[tuple[Fraction, bool]], low: Fraction, width: int
) -> None:
    """Values with whether their row is kept, against the total of all rows."""
    high = low + width
    leaning = lean(
        low,
        high,
        rows_left_out=not all(kept for _, kept in rows),
        below=any(value < low for value, _ in rows),
        above=any(value > high for value, _ in rows),
    )
    measured = sum(min(max(value, low), high) for value, kept in rows if kept)
    everything = sum(value for value, _ in rows)
    if measured < everything:
        assert leaning in (Lean.LOW, Lean.EITHER)
    elif measured > everything:
        assert leaning in (Lean.HIGH, Lean.EITHER)


@pytest.mark.parametrize(
    ("clamp", "rows_left_out", "below", "above", "wanted"),
    [
        ((1, 1), True, False, False, Lean.LOW),
        ((1, 1), False, False, False, Lean.NEITHER),
        ((0, 60), True, False, True, Lean.LOW),
        ((0, 60), False, True, True, Lean.EITHER),
        ((0, 60), False, True, False, Lean.HIGH),
        ((-5, 5), True, False, False, Lean.EITHER),
        ((-5, 0), True, False, False, Lean.HIGH),
        ((0, 60), True, False, False, Lean.LOW),
    ],
)
def test_directions(
    clamp: tuple[int, int], rows_left_out: bool, below: bool, above: bool, wanted: Lean
) -> None:
    """A count of rows is clamped to 1..1; no direction is named without a table that has it."""
    low, high = Fraction(clamp[0]), Fraction(clamp[1])
    assert lean(low, high, rows_left_out=rows_left_out, below=below, above=above) is wanted


def test_an_empty_clamp_is_refused() -> None:
    with pytest.raises(ValueError, match="is empty"):
        lean(Fraction(2), Fraction(1), rows_left_out=False, below=False, above=False)


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((Fraction(1, 250), Fraction(21, 1000)), "0.4 % to 2.1 % of stay_days clamped"),
        ((Fraction(1, 30), Fraction(1, 3)), "3.3 % to 33.4 % of stay_days clamped"),
        ((Fraction(-1, 50), Fraction(1, 50)), "at most 2 % of stay_days clamped"),
        ((Fraction(1, 10**6), Fraction(2, 10**6)), "at most 0.1 % of stay_days clamped"),
        ((Fraction(9, 10), Fraction(5, 4)), "90 % to 100 % of stay_days clamped"),
        ((Fraction(-1), Fraction(2)), "an unknown share of stay_days clamped"),
        ((Fraction(3), Fraction(4)), "an unknown share of stay_days clamped"),
        (None, "an unknown share of stay_days clamped"),
    ],
)
def test_shares_are_rounded_outwards(
    interval: tuple[Fraction, Fraction] | None, words: str
) -> None:
    assert clamped_words(interval, "stay_days") == words
