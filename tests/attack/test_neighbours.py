"""The pairs are neighbours: one unit's rows, and nothing else, came or left."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl
from hypothesis import given, settings

from privlab.connector.bucket import open_bucket
from tests.attack.contract import CUSTODY, SCHEMA, Place, frame
from tests.attack.neighbours import INT64, MANY, STRANGE, Pair, pairs, sampled, swaps, unit_of


def stored(place: Place) -> list[tuple[Any, ...]]:
    """Decrypted rows in their stored order, the pseudonym's halves first."""
    manifest = place.manifest
    names = frozenset(name for name in SCHEMA if name != "patient")
    keys = manifest.data_keys(names, CUSTODY)
    parts = [
        open_bucket(place.folder, "clinic", "visits", part, keys[part.bucket]).with_ids().collect()
        for part in manifest.parts
    ]
    return pl.concat(parts).rows()


def units(pair: Pair) -> set[str | None]:
    """Whose number of rows is not the same in both tables."""
    first, second = (Counter(map(unit_of, place.rows)) for place in (pair.first, pair.second))
    return {name for name in first | second if first[name] != second[name]}


@settings(max_examples=60, deadline=None)
@given(pair=pairs())
def test_only_one_unit_differs_and_it_differs_with_all_its_rows(pair: Pair) -> None:
    (one,) = units(pair)
    more, fewer = sorted((pair.first.rows, pair.second.rows), key=len, reverse=True)

    assert fewer == tuple(row for row in more if unit_of(row) != one)
    assert pair.steps == 1
    assert pair.first.null_unit == pair.second.null_unit


@settings(max_examples=60, deadline=None)
@given(pair=swaps())
def test_in_a_swap_two_units_differ_and_there_are_two_steps(pair: Pair) -> None:
    assert (units(pair), pair.steps) == ({"ann", "bo"}, 2)


def test_protecting_leaves_everybody_else_where_they_were(hand: list[Pair]) -> None:
    """The same pseudonyms, and the same rows in the same order, though the file lost rows."""
    moved = 0
    for pair in hand:
        first, second = stored(pair.first), stored(pair.second)
        more, fewer = (first, second) if len(first) >= len(second) else (second, first)
        left = {row[:2] for row in more} - {row[:2] for row in fewer}

        assert len(left) <= 1
        assert [row for row in more if row[:2] not in left] == fewer
        moved += len(more) > len(fewer) > 0
    assert moved > 8


def test_the_pairs_by_hand_hold_the_extremes(hand: list[Pair]) -> None:
    rows = [row for pair in hand for row in (*pair.first.rows, *pair.second.rows)]
    sizes = [Counter(map(unit_of, p.rows)) for pair in hand for p in (pair.first, pair.second)]

    assert {row["age"] for row in rows} >= {*INT64, -(10**9), 10**9, None}
    assert {str(row["stay"]) for row in rows} >= {"nan", "inf", "-inf", "-0.0", "None"}
    assert {row["ward"] for row in rows} >= {"", "NA", "attic", None}
    assert {row["day"] for row in rows} >= set(STRANGE["day"])
    assert any(not place.rows for pair in hand for place in (pair.first, pair.second))
    assert max(most for size in sizes for most in size.values()) == MANY
    assert any(None in size for size in sizes)


def test_rows_become_the_owners_file() -> None:
    """Also days that no calendar has, which protecting makes null."""
    table = frame((dict.fromkeys(SCHEMA) | {"day": (1 << 31) - 1, "ward": "west"},))

    assert table.schema["day"] == pl.Date
    assert table["day"].to_physical().to_list() == [(1 << 31) - 1]
    assert table["patient"].to_list() == [None]


def test_a_sample_is_the_same_each_time_and_has_no_pair_twice() -> None:
    once, again = sampled(pairs(), 12), sampled(pairs(), 12)

    assert [repr(pair) for pair in once] == [repr(pair) for pair in again]
    assert len({repr(pair) for pair in once}) == 12
