"""Tags of rows: of content and a secret, of every column."""

from __future__ import annotations

import polars as pl
import pytest

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.connector.rowtags import row_tags
from tests.connector.test_protect import SMALL

ROW = {"hi": 1, "lo": 2, "ward": "a", "stay": 1.5}


def tag(key: bytes = b"o" * 32, **change: object) -> int:
    row = {**ROW, **change}
    frame = pl.DataFrame(
        {
            UNIT_COLUMNS[0]: pl.Series([row["hi"]], dtype=pl.UInt64),
            UNIT_COLUMNS[1]: pl.Series([row["lo"]], dtype=pl.UInt64),
            "ward": pl.Series([row["ward"]], dtype=pl.String),
            "stay": pl.Series([row["stay"]], dtype=pl.Float64),
        }
    )
    return int(row_tags(frame, SMALL.stated, key)[0])


@pytest.mark.parametrize(
    "change",
    [{"hi": 2}, {"lo": 3}, {"ward": "b"}, {"ward": None}, {"ward": ""}, {"stay": 2.0}],
)
def test_a_tag_depends_on_every_part_of_the_row(change: dict[str, object]) -> None:
    assert tag() == tag()
    assert tag(**change) != tag()


def test_a_tag_depends_on_the_secret() -> None:
    assert tag(key=b"p" * 32) != tag()
