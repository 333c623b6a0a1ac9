"""Protecting: every row is kept, none can be read, and the order is a secret of the content."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privlab.connector import source
from privlab.connector.bucket import open_bucket
from privlab.connector.contract import parse
from privlab.connector.manifest import UNIT_COLUMNS, UNITS_FILE_COLUMNS
from privlab.connector.protect import Protected, protect
from privlab.connector.pseudonyms import pseudonym
from privlab.connector.write import bucket_count, size_class
from privlab.errors import BadContract
from privlab.terms.contract import Contract
from tests.connector.conftest import visits

Store = Callable[..., Any]

SMALL = parse(
    """
[table]
name = "visits"
dataset = "clinic"
unit = "patient"
rows_per_unit = 2
row_cap = 2_000_000

[columns.patient]
type = "int"
[columns.ward]
type = "text"
[columns.stay]
type = "float"
"""
)


def written(
    folder: Path, frame: pl.DataFrame, contract: Contract = SMALL, **keys: bytes
) -> tuple[Protected, pl.DataFrame]:
    """Protect a frame and decrypt it again, in the order it is stored."""
    file = folder / "source.parquet"
    frame.write_parquet(file)
    place = folder / "visits" / "1"
    secret = {"unit_key": b"u" * 32, "order_key": b"o" * 32, **keys}
    done = protect(file, contract, version=1, folder=place, **secret)
    scans = [
        open_bucket(
            place, "clinic", contract.stated.name, part, done.keys.of(part.bucket)
        ).with_ids()
        for part in done.parts
    ]
    return done, pl.concat(scans).collect()


def test_every_row_comes_back_and_the_unit_does_not(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "patient": range(60),
            "ward": [f"w{n}" for n in range(60)],
            "stay": [n / 4 for n in range(60)],
        }
    )

    done, stored = written(tmp_path, frame)

    assert stored.columns == [*UNIT_COLUMNS, "ward", "stay"]
    assert stored.drop(UNIT_COLUMNS).sort("stay").equals(frame.drop("patient"))
    assert (done.counts.rows_kept, done.counts.units) == (60, 60)
    assert set(done.keys.columns) == {"", *UNITS_FILE_COLUMNS, "ward", "stay"}
    assert set(done.keys.buckets) == {0, 1, 2, 3}
    keys = [*done.keys.columns.values(), *done.keys.buckets.values()]
    assert len(set(keys)) == 10
    assert "keys" not in repr(done)
    assert not any(repr(key) in repr(done.keys) for key in keys)


def test_rows_of_a_unit_are_together_and_sorted_by_its_pseudonym(tmp_path: Path) -> None:
    frame = pl.DataFrame({"patient": [n % 9 for n in range(90)], "ward": "a", "stay": 1.0})

    done, stored = written(tmp_path, frame)

    halves = stored.select(UNIT_COLUMNS).rows()
    assert halves == sorted(halves)
    assert len(set(halves)) == 9
    expected = {pseudonym(b"u" * 32, str(n)) for n in range(9)}
    assert {hi.to_bytes(8, "big") + lo.to_bytes(8, "big") for hi, lo in halves} == expected
    assert len(done.parts) == 4
    for part in done.parts:
        assert part.bucket < 4


rows = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["a", "b", "é", "", None]),
        st.sampled_from([0.0, -0.0, 1.5, None]),
    ),
    max_size=25,
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=rows, data=st.data())
def test_the_order_of_the_file_changes_nothing(
    tmp_path: Path, content: list[Any], data: st.DataObject
) -> None:
    """So the sample that a contribution bound keeps is a function of content and key alone."""
    schema = {"patient": pl.Int64, "ward": pl.String, "stay": pl.Float64}
    shuffled = data.draw(st.permutations(content))

    _, one = written(tmp_path, pl.DataFrame(content, schema, orient="row"))
    _, two = written(tmp_path, pl.DataFrame(shuffled, schema, orient="row"))

    assert one.equals(two)


def test_the_order_inside_a_unit_depends_on_the_secret(tmp_path: Path) -> None:
    frame = pl.DataFrame({"patient": 1, "ward": [str(n) for n in range(40)], "stay": 1.0})

    _, one = written(tmp_path, frame)
    _, two = written(tmp_path, frame, order_key=b"p" * 32)

    assert one["ward"].to_list() != two["ward"].to_list()
    assert sorted(one["ward"]) == sorted(two["ward"])


def test_the_first_row_of_a_unit_is_each_of_its_rows_about_equally_often(tmp_path: Path) -> None:
    """400 units of 4 equal rows: the first is each of them 100 times, give or take 50."""
    frame = pl.DataFrame(
        {
            "patient": [n // 4 for n in range(1600)],
            "ward": [str(n % 4) for n in range(1600)],
            "stay": 1.0,
        }
    )

    _, stored = written(tmp_path, frame)

    firsts = stored.group_by(UNIT_COLUMNS, maintain_order=True).agg(pl.col("ward").first())
    counts = firsts["ward"].value_counts()["count"].to_list()
    assert len(counts) == 4
    assert all(50 < count < 150 for count in counts)


def test_no_unit_id_and_no_value_is_in_any_written_byte(store: Store) -> None:
    stored = store()
    raw = b"".join(path.read_bytes() for path in sorted(stored.folder.iterdir()))

    for word in (b"Zephyrine", b"Quillfeather", b"north", b"PAR1"):
        assert word not in raw.replace(stored.contract.text.encode(), b"")
    for name in (b"urgent", b"privlab_unit"):
        parts = b"".join(p.read_bytes() for p in stored.folder.glob("*.parquet"))
        assert name not in parts


def test_all_files_of_a_kind_have_one_size_of_the_grid(store: Store) -> None:
    stored = store(visits(9000))

    for kind in (0, 1):
        files = [part.files[kind] for part in stored.protected.parts]
        sizes = {file.size for file in files}
        on_disk = [(stored.folder / file.name).stat() for file in files]

        assert len(sizes) == 1
        assert sizes == {size_class(min(sizes))}
        assert {there.st_size for there in on_disk} == sizes
        assert {there.st_mode & 0o777 for there in on_disk} == {0o600}


@given(st.integers(0, 1 << 40))
def test_a_size_class_holds_its_size_and_wastes_little(size: int) -> None:
    """Padmé: at most 12 %."""
    found = size_class(size)

    assert found >= max(size, 1 << 16)
    assert found <= max(size * 1.12, 1 << 16)
    assert size_class(found) == found


@pytest.mark.parametrize(
    ("row_cap", "buckets"),
    [(1, 1), (524_288, 1), (524_289, 2), (2_000_000, 4), (20_000_000, 64), (10**12, 256)],
)
def test_the_number_of_parts_follows_from_the_row_cap_alone(row_cap: int, buckets: int) -> None:
    assert bucket_count(row_cap) == buckets


def test_rows_without_a_unit_are_dropped_or_are_one_unit(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"patient": [None, 1, None, 2], "ward": ["a", "b", "c", "d"], "stay": [1.0, 2.0, 3.0, 4.0]}
    )

    dropped, stored = written(tmp_path, frame)
    assert (dropped.counts.rows_read, dropped.counts.rows_kept) == (4, 2)
    assert (dropped.counts.without_unit, dropped.counts.units) == (2, 2)
    assert sorted(stored["ward"]) == ["b", "d"]

    one, stored = written(tmp_path, frame, replace(SMALL, null_unit="one"))
    assert (one.counts.rows_kept, one.counts.without_unit, one.counts.units) == (4, 2, 3)
    together = stored.filter(pl.col("ward").is_in(["a", "c"])).select(UNIT_COLUMNS).rows()
    assert len(set(together)) == 1


@pytest.mark.parametrize(
    "ids",
    [
        pl.Series([2**53, 2**53 + 1], dtype=pl.Int64),
        pl.Series([Decimal(2**53), Decimal(2**53 + 1)], dtype=pl.Decimal(38, 0)),
        pl.Series([str(2**53), str(2**53 + 1)]),
        pl.Series([f"{2**53}.0", f"{2**53 + 1}.0"]),
    ],
    ids=["int", "decimal", "text", "text with a point"],
)
def test_two_people_are_never_one_unit(tmp_path: Path, ids: pl.Series) -> None:
    """A float holds 2^53 and 2^53 + 1 as one number, so no id passes through one."""
    frame = pl.DataFrame({"patient": ids, "ward": ["a", "b"], "stay": [1.0, 2.0]})

    done, stored = written(tmp_path, frame)

    assert done.counts.units == 2
    assert len(set(stored.select(UNIT_COLUMNS).rows())) == 2


@pytest.mark.parametrize("null_unit", ["drop", "one"])
def test_ids_that_cannot_be_read_are_not_ids_that_are_missing(
    tmp_path: Path, null_unit: str
) -> None:
    """Else people with unreadable ids would become one person."""
    frame = pl.DataFrame({"patient": ["A12", "B7"], "ward": ["a", "b"], "stay": [1.0, 2.0]})

    with pytest.raises(BadContract) as refusal:
        written(tmp_path, frame, replace(SMALL, null_unit=null_unit))

    assert refusal.value.code == "PL151"
    assert "A12" not in str(refusal.value)


def test_a_unit_has_one_pseudonym_whatever_type_its_column_has() -> None:
    """Tables of one dataset are about the same units."""
    assert pseudonym(b"k" * 32, "7") == pseudonym(b"k" * 32, "7")
    assert pseudonym(b"k" * 32, "7") != pseudonym(b"l" * 32, "7")
    assert pseudonym(b"k" * 32, None) not in (pseudonym(b"k" * 32, ""), pseudonym(b"k" * 32, "\0"))


def test_the_owner_hears_what_does_not_fit(tmp_path: Path) -> None:
    contract = parse(
        SMALL.text.replace('type = "text"', 'type = "text"\nkeys = ["a"]').replace(
            'type = "float"', 'type = "float"\nnullable = false\nrange = [0, 10]\nstep = 1'
        )
    )
    frame = pl.DataFrame(
        {
            "patient": ["1", None, "3", "4"],
            "ward": ["a", "a", "b", None],
            "stay": ["1", "1", "many", "99"],
        }
    )

    counts = written(tmp_path, frame, contract)[0].counts

    assert counts.unreadable == {"stay": 1}
    assert counts.without_unit == 1
    assert counts.outside == {"ward": 1, "stay": 1}
    assert counts.unexpected_nulls == {"stay": 1}


def test_more_rows_than_the_cap_are_refused(tmp_path: Path) -> None:
    contract = replace(SMALL, stated=replace(SMALL.stated, row_cap=3))
    frame = pl.DataFrame({"patient": range(4), "ward": "a", "stay": 1.0})

    with pytest.raises(BadContract) as caught:
        written(tmp_path, frame, contract)

    assert caught.value.code == "PL151"
    assert "has 4 rows" in str(caught.value)
    assert list((tmp_path / "visits").iterdir()) == []


def test_an_empty_table_has_all_its_parts(tmp_path: Path) -> None:
    schema = {"patient": pl.Int64, "ward": pl.String, "stay": pl.Float64}

    done, stored = written(tmp_path, pl.DataFrame(schema=schema))

    assert (stored.height, done.counts.units, len(done.parts)) == (0, 0, 4)


def test_progress_tells_phases_and_rows_and_ends_where_it_said(tmp_path: Path) -> None:
    file = tmp_path / "v.parquet"
    pl.DataFrame({"patient": [1, 2, None], "ward": "a", "stay": 1.0}).write_parquet(file)
    heard: list[tuple[str, int, int | None]] = []

    protect(
        file,
        SMALL,
        version=1,
        unit_key=b"u" * 32,
        order_key=b"o" * 32,
        folder=tmp_path / "t" / "1",
        progress=lambda *said: heard.append(said),
    )

    assert heard[0] == ("reading", 3, 3)
    assert [phase for phase, _, _ in heard[1:-1]] == ["writing"] * 4
    assert heard[-2:] == [("writing", 2, 2), ("finishing", 2, 2)]


def test_a_kill_in_the_middle_leaves_no_version(tmp_path: Path) -> None:
    """The process ends without any clean-up after its first part was written."""
    file = tmp_path / "v.parquet"
    pl.DataFrame({"patient": range(50), "ward": "a", "stay": 1.0}).write_parquet(file)
    (tmp_path / "contract.toml").write_text(SMALL.text)
    script = """
import os, sys
from pathlib import Path
from privlab.connector import source
from privlab.connector.bucket import open_bucket
from privlab.connector.contract import parse
from privlab.connector.protect import protect
here = Path(sys.argv[1])
protect(here / "v.parquet", parse((here / "contract.toml").read_text()), version=1,
        unit_key=b"u" * 32, order_key=b"o" * 32, folder=here / "visits" / "1",
        progress=lambda phase, done, total: os._exit(9) if phase == "finishing" else None)
"""
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)

    assert ended.returncode == 9
    assert not (tmp_path / "visits" / "1").exists()
    left = list((tmp_path / "visits").iterdir())
    assert [path.name.startswith(".1.") for path in left] == [True]
    written(tmp_path, pl.read_parquet(file))
    assert [path.name for path in (tmp_path / "visits").iterdir()] == ["1"]


def test_pieces_of_the_source_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, their order and the bytes they take are the same in whatever pieces they came."""
    frame = pl.DataFrame(
        {
            "patient": [n * 7 % 90 for n in range(500)],
            "ward": [None if n % 11 == 0 else f"w{n % 13}" for n in range(500)],
            "stay": [n / 4 for n in range(500)],
        }
    )

    def stored(cells: int) -> tuple[pl.DataFrame, list[int]]:
        monkeypatch.setattr(source, "CELLS", cells)
        done, rows = written(tmp_path, frame)
        place = tmp_path / "visits" / "1"
        return rows, [
            _filler((place / file.name).read_bytes()) for part in done.parts for file in part.files
        ]

    whole = stored(1 << 22)
    for cells in (1, 20, 900):
        rows, fillers = stored(cells)
        assert rows.equals(whole[0])
        assert fillers == whole[1]


def _filler(part: bytes) -> int:
    """Bytes of a part's filler: four bytes of length stand before it."""
    footer = int.from_bytes(part[-8:-4], "little") + 8
    end = len(part) - footer
    return next(
        n for n in range(28, end) if int.from_bytes(part[end - n : end - n + 4], "little") == n - 4
    )


def test_a_unit_with_all_rows_and_one_row_alone_are_tables(tmp_path: Path) -> None:
    one = pl.DataFrame({"patient": [5], "ward": ["a"], "stay": [1.0]})
    done, stored = written(tmp_path, one)
    assert (stored.height, done.counts.units) == (1, 1)

    many = pl.DataFrame({"patient": 5, "ward": [str(n) for n in range(3000)], "stay": 1.0})
    done, stored = written(tmp_path, many)
    assert (stored.height, done.counts.units) == (3000, 1)
    assert stored["ward"].n_unique() == 3000


@pytest.mark.slow
def test_a_unit_with_a_million_rows_is_a_table(tmp_path: Path) -> None:
    contract = replace(SMALL, stated=replace(SMALL.stated, row_cap=1_000_001))
    frame = pl.DataFrame(
        {"patient": [5] * 1_000_000 + [6], "ward": "a", "stay": [n / 8 for n in range(1_000_001)]}
    )

    done, stored = written(tmp_path, frame, contract)

    assert (stored.height, done.counts.units) == (1_000_001, 2)
    assert stored["stay"].n_unique() == 1_000_001


def test_fields_of_structs_decimals_categories_and_zones_come_back(tmp_path: Path) -> None:
    contract = parse(
        SMALL.text.replace('unit = "patient"', 'null_unit = "one"\nunit = "patient"')
        + "[columns.'at.day']\ntype = \"date\"\n[columns.'at.when']\ntype = \"datetime\"\n"
    )
    frame = pl.DataFrame(
        {
            "patient": pl.Series([Decimal(7), None], dtype=pl.Decimal(9, 0)),
            "ward": pl.Series(["a", None], dtype=pl.Enum(["a", "b"])),
            "stay": pl.Series([Decimal("1.25"), None], dtype=pl.Decimal(9, 2)),
            "at": [{"day": date(2024, 2, 29), "when": datetime(2024, 7, 1, 12)}, None],
        }
    ).with_columns(
        pl.col("at").struct.with_fields(when=pl.field("when").dt.replace_time_zone("Europe/Berlin"))
    )

    done, stored = written(tmp_path, frame, contract)

    columns = ["ward", "stay", "at.day", "at.when"]
    assert set(stored.select(columns).rows()) == {
        ("a", 1.25, date(2024, 2, 29), datetime(2024, 7, 1, 10)),
        (None, None, None, None),
    }
    assert done.counts.units == 2


def test_a_table_of_nothing_but_its_unit_is_a_table(tmp_path: Path) -> None:
    """Its rows files have no column; how many rows each unit has, the units files tell."""
    only = parse(SMALL.text.partition("[columns.ward]")[0])
    frame = pl.DataFrame({"patient": [1, 1, 1, 2, 3]})

    done, stored = written(tmp_path, frame, only)

    assert (stored.columns, stored.height) == ([*UNIT_COLUMNS], 5)
    assert sorted(stored.group_by(UNIT_COLUMNS).len()["len"]) == [1, 1, 3]
    part = done.parts[0]
    raw = (tmp_path / "visits" / "1" / part.rows.name).read_bytes()
    assert raw[:4] == raw[-4:] == b"PARE"


def test_the_units_file_says_where_each_units_rows_end(tmp_path: Path) -> None:
    frame = pl.DataFrame({"patient": [n % 7 for n in range(100)], "ward": "a", "stay": 1.0})
    done, stored = written(tmp_path, frame)
    place = tmp_path / "visits" / "1"

    opened = [
        open_bucket(place, "clinic", "visits", part, done.keys.of(part.bucket))
        for part in done.parts
    ]

    found = [
        (int(high), int(low), int(count))
        for one in opened
        for high, low, count in zip(one.high, one.low, one.counts, strict=True)
    ]
    expected = stored.group_by(UNIT_COLUMNS, maintain_order=True).len().rows()
    assert found == expected
    assert [one.height for one in opened] == [one.rows.collect().height for one in opened]
    assert all("privlab" not in name for one in opened for name in one.rows.collect_schema())
