"""What awkward sources become: protected, read back, asked without noise; and as the page says.

Each edge is a line of ``docs/tables.md``, word for word.
"""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from privlab.connector.bucket import open_bucket
from privlab.connector.contract import parse
from privlab.connector.counts import Counts
from privlab.connector.manifest import Manifest
from privlab.connector.protect import protect
from privlab.errors import BadContract
from privlab.query.compile import compile_question
from privlab.terms.catalog import Catalog
from tests.golden.noise_free import CUSTODY, Place, answer

PAGE = (Path(__file__).parents[2] / "docs" / "tables.md").read_text("utf-8")

HEAD = """\
[table]
name = "t"
dataset = "clinic"
unit = "u"
rows_per_unit = 2
row_cap = 1_000
[columns.u]
type = "{unit}"
[columns.x]
type = "{kind}"
"""
COUNT = "SELECT COUNT(x) AS n FROM t"


@dataclass(frozen=True)
class Edge:
    """A source's column x, or a CSV, under a contract; what is stored, or the refusal's words."""

    words: str
    kind: str
    source: pl.Series | bytes
    stored: list[Any] | str
    shown: str
    ask: str = COUNT
    told: Any = None

    @property
    def line(self) -> str:
        """As the page has it."""
        kind, _, more = self.kind.partition("\n")
        contract = ", ".join(
            f"`{part}`" for part in (f'type = "{kind}"', *more.split("\n")) if part
        )
        return f"| {self.words} | {contract} | {self.shown} |"


def moments(numbers: list[int], unit: str, zone: str | None = None) -> pl.Series:
    made = pl.Series(numbers, dtype=pl.Int64)
    return made.cast(pl.Datetime(unit, zone))  # type: ignore[arg-type]


SUMMER = [datetime(2024, 10, 27, 0, 30), datetime(2024, 10, 27, 1, 30)]
RANGED = "float\nrange = [0, 10]\nstep = 0.5"
KEYED = 'text\nkeys = ["a", "b"]'

EDGES = [
    Edge("null", "int", pl.Series([1, None]), [1, None], "null; in no sum, no count of the column"),
    Edge("NaN, ∞, −∞", RANGED, pl.Series([2.0, float("nan"), float("inf"), -float("inf")]),
         [2.0, None, None, None], "null", "SELECT SUM(x) AS s FROM t", 2),
    Edge("−0.0", "float", pl.Series([-0.0, 0.0]), [0.0, 0.0], "0.0",
         "SELECT COUNT(DISTINCT x) AS n FROM t"),
    Edge("outside the range", RANGED, pl.Series([-3.0, 4.0, 99.0]), [-3.0, 4.0, 99.0],
         "as it is; clamped in sums", "SELECT SUM(x) AS s FROM t", 14),
    Edge("a category that the contract does not name", KEYED, pl.Series(["a", "c", None]),
         ["a", "c", None], "as it is; in no group, as null is in one of its own", "SELECT x, COUNT(*) AS n FROM t GROUP BY x",
         {"a": 1, "b": 0, None: 1}),
    Edge("a decimal beyond 64 bits", "int", pl.Series([Decimal(2**63), Decimal(-(2**63))], dtype=pl.Decimal(38, 2)),
         [None, -(2**63)], "null"),
    Edge("a decimal of 38 digits, or of scale 38", "float",
         pl.Series([Decimal("0." + "0" * 37 + "1")], dtype=pl.Decimal(38, 38)), [1e-38], "the nearest float"),
    Edge("a decimal", "int", pl.Series([Decimal("2.00"), Decimal("2.01")], dtype=pl.Decimal(10, 2)),
         [2, None], "where it is whole; else null"),
    Edge("a decimal", "text", pl.Series([Decimal("1.50")]), "cannot be read as \"text\"", "refused"),
    Edge("a time without a zone", "datetime", pl.Series([datetime(2024, 3, 31, 2, 30)]),
         [datetime(2024, 3, 31, 2, 30)], "as it is, also where a clock skips it"),
    Edge("a time with a zone, in the hour that comes twice", "datetime",
         pl.Series([m.replace(tzinfo=UTC) for m in SUMMER]).dt.convert_time_zone("Europe/Berlin"),
         SUMMER, "in UTC: two times"),
    Edge("a time with a zone", "date",
         pl.Series([datetime(2024, 10, 27, 23, 30, tzinfo=UTC)]).dt.convert_time_zone("Europe/Berlin"),
         [date(2024, 10, 27)], "the day in UTC"),
    Edge("a time or day outside the years 1 to 9999", "datetime", moments([2**62, 0], "ms", "Asia/Tokyo"),
         [None, datetime(1970, 1, 1)], "null"),
    Edge("nanoseconds", "datetime", moments([-1, 1_999], "ns"),
         [datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(1970, 1, 1, 0, 0, 0, 1)],
         "the microsecond before"),
    Edge("a list, an array", "int", pl.Series([[1, 2]]), "of type List", "refused"),
    Edge("a list of structs", "int", pl.Series([[{"a": 1}]]), "of type List", "refused"),
    Edge("a time of day", "datetime", pl.Series([time(1)]), "of type Time", "refused"),
    Edge("binary", "text", pl.Series([b"a"]), "of type Binary", "refused"),
    Edge("a struct", "int", pl.Series([{"a": 1}]), "no column 'x'", "refused; its fields are columns: `x.a`"),
    Edge("a table without rows", "int", pl.Series([], dtype=pl.Int64), [], "no rows; all its parts"),
    Edge("a table of one row", "int", pl.Series([7]), [7], "one row"),
    Edge("a column of nulls without a type", "float", pl.Series([None, None]), [None, None], "null"),
    Edge("CSV with a byte order mark", "text", b"\xef\xbb\xbfu,x\n1,a\n", ["a"], "as without it"),
    Edge("CSV with CR LF", "text", b"u,x\r\n1,a\r\n2,b\r\n", ["a", "b"], "as with LF"),
    Edge("CSV, quotes around line breaks and quotes", "text", b'u,x\n"1","a,\n""b"""\n', ['a,\n"b"'], "what is quoted"),
    Edge("CSV, a line with fewer fields", "text", b"u,x\n1\n2,b\n", [None, "b"], "null where they lack"),
    Edge("CSV, a line with more fields", "text", b"u,x\n1,a,b\n", "cannot be read", "refused"),
    Edge("CSV, an empty line", "text", b"u,x\n\n1,a\n", ["a"], "a row of nulls, which names no unit"),
    Edge("CSV, an empty field, and a quoted one", "text", b'u,x\n1,\n2,""\n', [None, ""], "null, and an empty text"),
    Edge("CSV, a quote that is never closed", "text", b'u,x\n1,"a\n2,b\n', "cannot be read", "refused"),
    Edge("CSV in Latin-1 or UTF-16", "text", "u,x\n1,é\n".encode("latin-1"), "cannot be read", "refused"),
    Edge("CSV, a header with a name twice", "text", b"u,x,x\n1,a,b\n", "several columns of one name", "refused"),
    Edge("CSV, an empty file", "text", b"", "cannot be read", "refused"),
    Edge("CSV, a header alone", "text", b"u,x\n", [], "no rows; all its parts"),
]  # fmt: skip


def stored_place(folder: Path, source: Path, text: str) -> tuple[Place, pl.DataFrame, Counts]:
    """Protect, and read the parts back."""
    contract = parse(text)
    place = folder / "clinic" / "t" / "1"
    done = protect(
        source, contract, version=1, unit_key=b"u" * 32, order_key=b"o" * 32, folder=place
    )
    manifest = Manifest.wrapping(
        contract.table(1), contract.text, done.parts, done.keys, CUSTODY, datetime.now(UTC)
    )
    back = pl.concat(
        open_bucket(place, "clinic", "t", part, done.keys.of(part.bucket)).with_ids()
        for part in done.parts
    ).collect()
    return Place(place, manifest, back), back, done.counts


def asked(question: str, place: Place) -> Any:
    """The one number, or the numbers by the key."""
    table = place.manifest.described()
    found = answer(compile_question(question, {}, Catalog((table,))), place)
    if len(found.columns) == 1:
        return found.rows[0][0]
    return {row[0]: row[1] for row in found.rows}


def source_of(folder: Path, edge: Edge) -> Path:
    if isinstance(edge.source, bytes):
        file = folder / "t.csv"
        file.write_bytes(edge.source)
        return file
    file = folder / "t.parquet"
    units = pl.Series("u", range(len(edge.source)), dtype=pl.Int64)
    pl.DataFrame([units, edge.source.alias("x")]).write_parquet(file)
    return file


@pytest.mark.parametrize("edge", EDGES, ids=[f"{e.words} {e.kind.split()[0]}" for e in EDGES])
def test_an_edge_becomes_what_the_page_says(tmp_path: Path, edge: Edge) -> None:
    assert edge.line in PAGE
    kind, _, more = edge.kind.partition("\n")
    text = HEAD.format(unit="int", kind=kind) + more
    source = source_of(tmp_path, edge)
    if isinstance(edge.stored, str):
        with pytest.raises(BadContract) as caught:
            stored_place(tmp_path, source, text)
        assert caught.value.code == "PL151"
        assert edge.stored in str(caught.value)
        assert not (tmp_path / "clinic" / "t" / "1").exists()
        return

    place, back, _ = stored_place(tmp_path, source, text)

    assert sorted(map(repr, back["x"].to_list())) == sorted(map(repr, edge.stored))
    there = [value for value in edge.stored if value is not None]
    told = edge.told
    if told is None:
        told = len(set(there)) if "DISTINCT" in edge.ask else len(there)
    assert asked(edge.ask, place) == told


@dataclass(frozen=True)
class Ids:
    """Ids of a unit column under a contract's type: how many people, or the refusal's words."""

    words: str
    kind: str
    ids: pl.Series
    people: int | str
    shown: str

    @property
    def line(self) -> str:
        """As the page has it."""
        return f'| {self.words} | `type = "{self.kind}"` | {self.shown} |'


IDS = [
    Ids("`é` as one character and as two", "text",
        pl.Series([unicodedata.normalize(form, "José") for form in ("NFC", "NFD")]), 2,
        "two units: texts are compared by their bytes"),
    Ids("`ana`, `Ana`, ` ana`", "text", pl.Series(["ana", "Ana", " ana"]), 3, "three units"),
    Ids("`007`, `7`", "text", pl.Series(["007", "7"]), 2, "two units"),
    Ids("texts `007`, `7`, `7.0`", "int", pl.Series(["007", "7", "7.0"]), 1, "one unit"),
    Ids("the text `7`, and the number 7 in another table", "text", pl.Series([7, 7]), 1, "one unit"),
    Ids("an empty text", "text", pl.Series(["", "a"]), 2, "a unit, unless `null_values` has it"),
    Ids("whole numbers beyond 64 bits", "int", pl.Series([2**63, 1], dtype=pl.UInt64),
        "1 ids in u are not of the stated type", "refused"),
    Ids("whole numbers beyond 64 bits", "text", pl.Series([2**63, 2**64 - 1], dtype=pl.UInt64), 2, "two units"),
    Ids("floats, whole and below 2⁵³", "int", pl.Series([1.0, 2.0, 2.0]), 2, "two units"),
    Ids("floats from 2⁵³ on, fractions, NaN", "int", pl.Series([2.0**53, 1.5, float("nan")]),
        "3 ids in u are not of the stated type", "refused"),
    Ids("floats", "text", pl.Series([1.0]), "cannot be read as \"text\"", "refused"),
    Ids("texts that are no whole numbers", "int", pl.Series(["a7", "7"]),
        "1 ids in u are not of the stated type", "refused"),
]  # fmt: skip


@pytest.mark.parametrize("ids", IDS, ids=[f"{i.words} {i.kind}" for i in IDS])
def test_ids_are_as_many_people_as_the_page_says(tmp_path: Path, ids: Ids) -> None:
    assert ids.line in PAGE
    file = tmp_path / "t.parquet"
    pl.DataFrame([ids.ids.alias("u"), pl.Series("x", range(len(ids.ids)))]).write_parquet(file)
    text = HEAD.format(unit=ids.kind, kind="int")
    if isinstance(ids.people, str):
        with pytest.raises(BadContract) as caught:
            stored_place(tmp_path, file, text)
        assert ids.people in str(caught.value)
        return

    place, back, counts = stored_place(tmp_path, file, text)

    assert counts.units == ids.people
    assert back.select("privlab_unit_hi", "privlab_unit_lo").n_unique() == ids.people
    assert asked("SELECT COUNT(DISTINCT u) AS n FROM t", place) == ids.people


def test_the_page_has_no_edge_that_is_not_tested() -> None:
    section = PAGE.split("## Edges")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ") and "`type" in line]

    assert sorted(lines) == sorted([e.line for e in EDGES] + [i.line for i in IDS])


def test_one_unit_with_very_many_rows_counts_as_its_bound_allows(tmp_path: Path) -> None:
    rows = 200_000
    file = tmp_path / "t.parquet"
    pl.DataFrame({"u": pl.repeat(1, rows, eager=True), "x": range(rows)}).write_parquet(file)
    text = HEAD.format(unit="int", kind="int").replace("row_cap = 1_000", "row_cap = 1_000_000")

    place, back, counts = stored_place(tmp_path, file, text)

    assert (back.height, counts.units) == (rows, 1)
    assert asked("SELECT COUNT(*) AS n FROM t", place) == 2
