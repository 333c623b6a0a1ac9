"""A real server over TLS: its rows arrive exactly, a server that is not the right one gives none."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from privlab.connector.contract import parse
from privlab.connector.counts import reading
from privlab.connector.postgres import Postgres, is_address, safe_address
from privlab.errors import BadContract
from tests.connector.server import Server, serving

CONTRACT = parse(
    """
[table]
name = "visits"
dataset = "clinic"
unit = "patient"
rows_per_unit = 2
row_cap = 100_000
[columns.patient]
type = "int"
[columns.ward]
type = "text"
[columns.price]
type = "float"
[columns.share]
type = "float"
[columns.urgent]
type = "bool"
[columns.day]
type = "date"
[columns.at]
type = "datetime"
[columns.'the "kind" of it']
type = "text"
"""
)

TABLE = """
CREATE TYPE kind AS ENUM ('first', 'second');
CREATE SCHEMA ward;
CREATE TABLE ward.visits (
  patient bigint, ward varchar(9), price numeric(20, 2), share real, urgent boolean,
  day date, at timestamptz, "the ""kind"" of it" kind, tags text[], raw bytea, id uuid
);
INSERT INTO ward.visits VALUES
  (9007199254740993, 'north', 12.30, 0.5, true, '2024-02-29', '2024-07-01 12:00+02', 'first',
   '{a}', 'x', gen_random_uuid()),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (-1, '', -0.01, 'NaN', false, 'infinity', '-infinity', 'second', '{}', '', NULL);
CREATE TABLE many AS SELECT n AS patient, 'w' || n % 7 AS ward FROM generate_series(1, 50000) n;
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    pytest.importorskip("adbc_driver_postgresql")
    with serving(tmp_path_factory.mktemp("pg")) as server:
        server.run(TABLE)
        yield server


@pytest.fixture(autouse=True)
def password(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "server" in request.fixturenames:
        monkeypatch.setenv("PGPASSFILE", str(request.getfixturevalue("server").passfile))


def test_values_arrive_exactly_and_what_no_kind_holds_is_null(server: Server) -> None:
    source = Postgres(server.url, "ward.visits")

    read = pl.concat([read() for read in source.reads(reading(source.schema, CONTRACT).columns)])

    names = [c.name for c in CONTRACT.stated.columns]
    assert read.select(names).rows() == [
        (2**53 + 1, "north", 12.3, 0.5, True, date(2024, 2, 29), datetime(2024, 7, 1, 10), "first"),
        (None,) * 8,
        (-1, "", -0.01, None, False, None, None, "second"),
    ]
    assert source.schema["tags"] == pl.List(pl.String)
    assert source.schema["raw"] == pl.Binary
    assert source.schema["id"] == pl.String


def test_a_large_table_comes_in_pieces(server: Server) -> None:
    source = Postgres(server.url, "many")

    reads = [read() for read in source.reads([pl.col("patient"), pl.col("ward")])]

    assert sum(read.height for read in reads) == 50_000
    assert pl.concat(reads)["patient"].n_unique() == 50_000


@pytest.mark.parametrize(
    "change",
    [("127.0.0.1", "localhost"), ("root.crt", "other.crt")],
    ids=["another name", "another authority"],
)
def test_a_server_whose_certificate_is_not_right_gives_nothing(
    server: Server, change: tuple[str, str]
) -> None:
    with pytest.raises(BadContract) as caught:
        Postgres(server.url.replace(*change), "many")

    assert caught.value.code == "PL151"
    assert "cannot be reached" in str(caught.value)


def test_a_password_is_asked_for_where_no_file_has_it(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    asked: list[str] = []

    def prompt(words: str) -> str:
        asked.append(words)
        return server.password

    assert "patient" in Postgres(server.url, "many", prompt).schema
    assert len(asked) == 1
    with pytest.raises(BadContract) as caught:
        Postgres(server.url, "many", lambda _: "wrong-Quillfeather")
    assert "Quillfeather" not in str(caught.value)
    with pytest.raises(BadContract):
        Postgres(server.url, "many")


def test_a_table_that_is_not_there_is_named(server: Server) -> None:
    for name in ("none", "ward.none", 'x"; DROP TABLE many; --'):
        with pytest.raises(BadContract, match="has no table"):
            Postgres(server.url, name)


def test_a_failure_while_reading_quotes_no_value(server: Server) -> None:
    server.run("CREATE VIEW broken AS SELECT 1 / (patient - 40000) AS patient, ward FROM many")
    source = Postgres(server.url, "broken")

    with pytest.raises(BadContract) as caught:
        list(source.reads([pl.col("patient")]))

    assert "to its end" in str(caught.value)
    assert "zero" not in str(caught.value)


def test_nothing_can_be_written(server: Server) -> None:
    server.run(
        "CREATE FUNCTION written() RETURNS int LANGUAGE plpgsql AS "
        "$$BEGIN INSERT INTO many VALUES (0, 'x'); RETURN 1; END$$;"
        "CREATE VIEW writing AS SELECT written() AS patient"
    )
    with pytest.raises(BadContract):
        list(Postgres(server.url, "writing").reads([pl.col("patient")]))
    source = Postgres(server.url, "many")
    assert sum(read().height for read in source.reads([pl.col("patient")])) == 50_000


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:secret@db/x",
        "postgresql://db/x?password=secret",
        "postgresql://db/x?sslmode=require",
        "postgresql://db/x?sslmode=disable",
    ],
)
def test_an_address_with_a_secret_or_without_a_checked_certificate_is_refused(url: str) -> None:
    with pytest.raises(BadContract) as caught:
        safe_address(url)

    assert caught.value.code == "PL151"
    assert "secret@" not in str(caught.value)
    assert "=secret" not in str(caught.value)


def test_an_address_is_told_from_a_file() -> None:
    assert is_address("postgresql://db/x")
    assert is_address("postgres://db/x")
    assert not is_address("postgresql.csv")
    assert not is_address(Path("x"))
    assert "sslmode=verify-full" in safe_address("postgresql://db/x")
