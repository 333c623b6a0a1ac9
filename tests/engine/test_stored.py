"""Parts of several tables are read range by range, with whole units in each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.connector.parts import FileFacts, PartFacts, file_name
from privlab.engine.stored import Stored, StoredPart, batches


def stored(count: int, buckets: list[int] | None = None, table: str = "visits") -> Stored:
    parts = tuple(StoredPart(facts(b), {"": b"k" * 32}) for b in buckets or range(count))
    return Stored(table, 1, "/tables/visits/1", parts, 100)


def facts(bucket: int) -> PartFacts:
    rows, units = (
        FileFacts(file_name(kind, bucket), 1 << 16, "ab" * 32) for kind in ("rows", "units")
    )
    return PartFacts(bucket, 1, rows, units)


def test_the_parts_of_one_table_are_read_one_by_one() -> None:
    table = stored(3)

    assert batches([table]) == tuple(((part,),) for part in table.parts)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=4), st.integers(0, (1 << 64) - 1))
def test_all_rows_of_a_unit_are_in_one_batch(exponents: list[int], pseudonym: int) -> None:
    """Bucket b of n holds the pseudonyms whose high half is in [b 2^64 / n, (b + 1) 2^64 / n)."""
    tables = [stored(1 << one) for one in exponents]
    found = batches(tables)

    assert len(found) == 1 << min(exponents)
    for at, table in enumerate(tables):
        assert tuple(part for batch in found for part in batch[at]) == table.parts
    holding = {
        place
        for place, batch in enumerate(found)
        for parts, table in zip(batch, tables, strict=True)
        for part in parts
        if part.facts.bucket == pseudonym * len(table.parts) >> 64
    }
    assert len(holding) == 1


@pytest.mark.parametrize("buckets", [[0, 1, 2], [1], [0, 2]])
def test_parts_that_are_no_equal_ranges_are_not_joined(buckets: list[int]) -> None:
    with pytest.raises(ValueError, match="equal ranges"):
        batches([stored(4), stored(0, buckets)])


@pytest.mark.parametrize("buckets", [[1, 0], [0, 0]])
def test_parts_are_in_order_and_each_once(buckets: list[int]) -> None:
    with pytest.raises(ValueError, match="order of their buckets"):
        stored(0, buckets)


def test_a_stored_table_shows_no_key() -> None:
    assert repr(stored(2)) == "Stored(visits v1, 2 parts)"
    assert "k" * 8 not in repr(stored(2))
