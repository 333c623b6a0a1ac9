"""Samples of kept rows: put together, told apart, and split by group."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.engine.expressions import translate
from privlab.engine.samples import Sample, identity, numbers
from privlab.query.plan import Ref
from privlab.terms.catalog import Kind

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 3)), max_size=30)
KEY = np.array([7, 9], np.uint64)


def sample(rows: list[tuple[int, int]]) -> Sample:
    return Sample(
        np.array([code for code, _ in rows], np.int64),
        np.array([value for _, value in rows], np.int64),
    )


@given(ROWS, ROWS)
def test_parts_put_together_are_one_sorted_sample(
    one: list[tuple[int, int]], two: list[tuple[int, int]]
) -> None:
    merged = Sample.merged([sample(one), sample(two)])
    assert list(zip(merged.codes, merged.values, strict=True)) == sorted(one + two)


@given(ROWS)
def test_each_value_of_a_group_is_there_once(rows: list[tuple[int, int]]) -> None:
    unique = sample(rows).unique()
    assert list(zip(unique.codes, unique.values, strict=True)) == sorted(set(rows))


@given(ROWS)
def test_every_cell_has_its_own_values(rows: list[tuple[int, int]]) -> None:
    merged = Sample.merged([sample(rows)])
    expected = [sorted(value for code, value in rows if code == cell) for cell in range(5)]
    assert [part.tolist() for part in merged.by_cell(5)] == expected
    assert merged.sizes(5).tolist() == [len(part) for part in expected]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Kind.INT, [3, -3, 0, 3]),
        (Kind.FLOAT, [0.0, -0.0, 1.5, 0.5, 1.5]),
        (Kind.TEXT, ["a", "b", "", "a", "ä"]),
        (Kind.DATE, [date(2024, 1, 1), date(1, 1, 1), date(2024, 1, 1)]),
        (Kind.BOOL, [True, False, True]),
    ],
)
def test_numbers_tell_values_apart_and_nothing_else(kind: Kind, values: list[object]) -> None:
    """Minus zero is zero; two equal values have one number."""
    value = translate(Ref("x", kind))
    frame = pl.DataFrame({"x": values}).select(identity(value, KEY).alias("n"))
    found = numbers(frame["n"]).tolist()
    for at, left in enumerate(values):
        for to, right in enumerate(values):
            assert (found[at] == found[to]) == (left == right)


def test_a_text_s_number_depends_on_the_secret_key() -> None:
    value = translate(Ref("x", Kind.TEXT))
    frame = pl.DataFrame({"x": ["a"]})
    one, two = (
        frame.select(identity(value, np.array([key, 0], np.uint64)).alias("n"))["n"][0]
        for key in (1, 2)
    )
    assert one != two
