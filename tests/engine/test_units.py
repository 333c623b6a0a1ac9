"""Units of rows that each have their pseudonym."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.engine.units import Units


@given(st.dictionaries(st.tuples(*[st.integers(0, 3) | st.just(2**64 - 1)] * 2), st.integers(1, 4)))
def test_units_are_counted_as_they_stand(sizes: dict[tuple[int, int], int]) -> None:
    ids = [unit for unit in sorted(sizes) for _ in range(sizes[unit])]
    units = Units.of_rows(
        pl.DataFrame(ids, schema=dict.fromkeys(UNIT_COLUMNS, pl.UInt64), orient="row")
    )

    assert list(zip(units.hi.tolist(), units.lo.tolist(), strict=True)) == sorted(sizes)
    assert units.rows.tolist() == [sizes[unit] for unit in sorted(sizes)]
    assert units.height == len(ids)
    assert units.largest == max(sizes.values(), default=0)
