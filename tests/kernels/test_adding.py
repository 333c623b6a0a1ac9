"""What kept rows add, against the words of the plan in plain Python."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.engine.reference import adds
from privlab.kernels import adding
from privlab.query.plan import Measure, MeasureKind
from privlab.query.shares import Share

SHARES = {
    None: adding.WHOLE_VALUE,
    Share.ABOVE: adding.ABOVE,
    Share.BELOW: adding.BELOW,
    Share.INNER: adding.INNER,
    Share.RIGHT: adding.RIGHT,
    Share.LEFT: adding.LEFT,
}
ALL = np.zeros(0, np.bool_)
I64 = (1 << 63) - 1


def ranges(step: Fraction) -> st.SearchStrategy[tuple[Fraction, Fraction]]:
    ends = st.integers(-3000, 3000)
    return st.tuples(ends, ends).map(lambda two: (min(two) * step, (max(two) + 1) * step))


@st.composite
def measures(draw: st.DrawFn, steps: tuple[Fraction, ...]) -> Measure:
    step = draw(st.sampled_from(steps))
    low, high = draw(ranges(step))
    share = draw(st.sampled_from(list(SHARES)))
    centre = low if share is not None else draw(st.sampled_from([Fraction(0), low, high]))
    return Measure(MeasureKind.SUM, None, low, high, step, centre, share=share)


@given(
    measures((Fraction(1),)),
    st.lists(st.none() | st.integers(-4000, 4000) | st.sampled_from([I64, -I64 - 1]), max_size=9),
)
def test_whole_numbers_are_coded_as_the_plan_says(
    measure: Measure, values: list[int | None]
) -> None:
    out = np.zeros(1, np.int64)
    adding.add_whole(
        np.arange(len(values), dtype=np.int32),
        np.zeros(len(values), np.int32),
        np.array([one is not None for one in values], np.bool_),
        np.array([one or 0 for one in values], np.int64),
        int(measure.low), int(measure.high), int(measure.centre), measure.reach,
        SHARES[measure.share],
        out,
    )  # fmt: skip
    assert out[0] == sum(adds(measure, one) for one in values if one is not None)


@given(
    measures(tuple(Fraction(*one) for one in ((1, 1), (1, 100), (1, 4), (3, 7), (10, 1), (1, 3)))),
    st.lists(st.none() | st.floats(allow_nan=False), max_size=9),
    st.booleans(),
)
def test_decimals_are_coded_as_the_plan_says(
    measure: Measure, values: list[float | None], as_nan: bool
) -> None:
    """To the last bit: also halves of steps, infinities, minus zero; NaN adds nothing."""
    halves = [float(measure.low + (n + Fraction(1, 2)) * measure.step) for n in range(5)]
    given = [*values, *halves, -0.0, 0.0, math.inf, -math.inf]
    out = np.zeros(1, np.int64)
    valid = np.array([one is not None for one in given], np.bool_)
    adding.add_steps(
        np.arange(len(given), dtype=np.int32),
        np.zeros(len(given), np.int32),
        ALL if as_nan else valid,
        np.array([math.nan if one is None else one for one in given], np.float64),
        float(measure.low), float(measure.high), float(measure.centre),
        float(measure.step.denominator), float(measure.step.numerator),
        measure.reach, SHARES[measure.share],
        out,
    )  # fmt: skip
    assert out[0] == sum(adds(measure, one) for one in given if one is not None)


def test_each_row_adds_to_its_own_group() -> None:
    rows, codes = np.array([4, 0, 2], np.int32), np.array([1, 0, 1], np.int32)
    valid = np.array([True, True, False, True, True])
    counts, sums, steps = (np.array([10, 20], np.int64) for _ in range(3))
    adding.add_ones(rows, codes, valid, counts)
    adding.add_whole(rows, codes, ALL, np.array([1, 9, 2, 9, 4], np.int64), 0, 3, 0, 3, 0, sums)
    tenths = np.array([0.1, 9, 0.2, 9, 0.4])
    adding.add_steps(rows, codes, valid, tenths, 0.0, 1.0, 0.0, 10.0, 1.0, 10, 0, steps)
    assert counts.tolist() == [11, 21]
    assert sums.tolist() == [11, 25]
    assert steps.tolist() == [11, 24]
    adding.add_ones(rows, codes, ALL, counts)
    assert counts.tolist() == [12, 23]


@pytest.mark.parametrize("value", [I64, -I64 - 1])
def test_the_largest_bounds_fit(value: int) -> None:
    """A sum of what 2^31 rows at the largest reach may add is inside int64, and so is each step."""
    reach = (1 << 31) - 1
    out = np.zeros(1, np.int64)
    one, values = np.zeros(1, np.int32), np.array([value], np.int64)
    adding.add_whole(one, one, ALL, values, -reach, reach, 0, reach, 0, out)
    assert out[0] == (reach if value > 0 else -reach)
    reach = 1 << 61
    adding.add_whole(one, one, ALL, values, 0, reach, reach, reach, 0, out)
    assert out[0] in ((1 << 31) - 1, -(1 << 31) + 1 - reach)
