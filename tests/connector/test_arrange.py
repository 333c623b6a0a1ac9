"""The order of a bucket's rows: by unit, then by a secret of their content."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from privlab.connector.arrange import ordered
from privlab.connector.manifest import UNIT_COLUMNS, UNIT_ROWS
from tests.connector.test_protect import SMALL

ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None])), max_size=20)


def frame(rows: list[tuple[int, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            UNIT_COLUMNS[0]: pl.Series([unit // 2 for unit, _ in rows], dtype=pl.UInt64),
            UNIT_COLUMNS[1]: pl.Series([unit % 2 for unit, _ in rows], dtype=pl.UInt64),
            "ward": pl.Series([ward for _, ward in rows], dtype=pl.String),
            "stay": pl.Series([1.0] * len(rows), dtype=pl.Float64),
        }
    )


@given(ROWS, st.randoms(use_true_random=False))
def test_it_is_the_same_whatever_order_the_rows_came_in(
    rows: list[tuple[int, str | None]], by: Random
) -> None:
    shuffled = rows[:]
    by.shuffle(shuffled)

    one, units = ordered(frame(rows), SMALL.stated, b"o" * 32)
    two, again = ordered(frame(shuffled), SMALL.stated, b"o" * 32)

    assert one.equals(two)
    assert units.equals(again)
    assert one.columns == ["ward", "stay"]


@given(ROWS)
def test_the_units_ascend_and_their_counts_are_of_all_rows(
    rows: list[tuple[int, str | None]],
) -> None:
    kept, units = ordered(frame(rows), SMALL.stated, b"o" * 32)

    found = units.rows()
    assert all(one[:2] < two[:2] for one, two in pairwise(found))
    assert {(hi * 2 + lo): n for hi, lo, n in found} == {
        unit: sum(other == unit for other, _ in rows) for unit, _ in rows
    }
    assert units[UNIT_ROWS].sum() == kept.height == len(rows)
