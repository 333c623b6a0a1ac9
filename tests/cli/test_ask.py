"""Values on the command line become typed values, never text in a question."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from privlab.cli.ask import _parameter, parameters, tables
from privlab.client.public import public_tables
from privlab.errors import BadQuery
from privlab.wire.messages import MAX_LIST, PRACTICE


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("limit=65", 65),
        ("x=-0.5", Decimal("-0.5")),
        ("on=true", True),
        ("day=2024-03-01", date(2024, 3, 1)),
        ("ward=Old Town", "Old Town"),
        ("ward='; DROP", "'; DROP"),
        ("eq=a=b", "a=b"),
        ("empty=", ""),
    ],
)
def test_a_value_gets_the_type_it_looks_like(given: str, value: object) -> None:
    name, read = _parameter(given)
    assert name == given.partition("=")[0]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("given", ["limit", "=65", "a b=1", "1x=2"])
def test_what_is_not_name_and_value_is_refused(given: str) -> None:
    with pytest.raises(BadQuery) as caught:
        _parameter(given)
    assert caught.value.code == "PL110"


def test_a_name_given_again_makes_a_list_in_its_order() -> None:
    given = ("w=B", "limit=65", "w=A", "w=B")
    assert parameters(given) == {"w": ["B", "A", "B"], "limit": 65}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_table_of_a_file_is_sent_by_its_name(folder) -> None:
    wards = pl.DataFrame({"ward": ["A", "B"], "beds": [8, 6], "since": [date(2020, 1, 31)] * 2})
    wards.write_csv(folder / "wards.csv")
    wards.write_parquet(folder / "wards.parquet")
    sent = [public_tables(tables([f"wards=wards.{kind}"])) for kind in ("csv", "parquet")]
    assert sent[0] == sent[1]
    (table,) = sent[0].values()
    assert [(one.name, one.kind) for one in table.columns] == [
        ("ward", "text"),
        ("beds", "int"),
        ("since", "date"),
    ]


def test_no_more_is_read_of_a_file_than_shows_that_it_is_too_long(folder) -> None:
    pl.DataFrame({"n": range(MAX_LIST + 50)}).write_parquet(folder / "long.parquet")
    found = tables(["long=long.parquet"])
    assert len(found["long"]) == MAX_LIST + 1
    with pytest.raises(BadQuery) as caught:
        public_tables(found)
    assert caught.value.code == "PL114"


@pytest.mark.parametrize(
    "given",
    [
        ["wards"],
        ["=wards.csv"],
        ["wards="],
        ["wards=none.csv"],
        ["wards=wards.txt"],
        ["wards=odd.parquet"],
        ["wards=wards.csv", "wards=wards.csv"],
    ],
)
def test_what_is_no_table_is_refused_before_anybody_is_asked(folder, given) -> None:
    (folder / "wards.csv").write_text("ward\nA\n")
    (folder / "wards.txt").write_text("ward\nA\n")
    (folder / "odd.parquet").write_text("ward\nA\n")
    with pytest.raises(BadQuery) as caught:
        tables(given)
    assert caught.value.code == "PL114"
    assert caught.value.hint


def test_two_prices_are_refused_before_anybody_is_asked(privlab, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PRIVLAB_WORKSPACE", str(tmp_path))
    ended = privlab("ask", "SELECT COUNT(*) AS n FROM visits", "--share", "1%", "--epsilon", "1")
    assert ended.status == 1
    assert ended.err.startswith("PL108 ")


def test_without_a_workspace_nobody_can_be_asked(privlab, monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("PRIVLAB_URL", raising=False)
    monkeypatch.setenv("PRIVLAB_WORKSPACE", str(tmp_path / "none"))
    ended = privlab("ask", "SELECT COUNT(*) AS n FROM visits")
    assert ended.status == 1
    assert ended.err.startswith("PL152 ")
    assert "privlab init" in ended.err


def test_a_practice_answer_is_printed_marked_with_the_real_price(
    privlab, monkeypatch, protected_workspace
) -> None:
    monkeypatch.setenv("PRIVLAB_WORKSPACE", str(protected_workspace.folder))
    ended = privlab("ask", "SELECT COUNT(*) AS n FROM visits", "--practice", "--share", "2%")
    assert ended.status == 0, ended.err
    assert ended.out.startswith(f"{PRACTICE}\n")
    assert "the real answer: 2 % of your grant" in " ".join(ended.out.split())


def test_a_practice_answer_as_csv_says_what_it_is(
    privlab, monkeypatch, protected_workspace, tmp_path
) -> None:
    monkeypatch.setenv("PRIVLAB_WORKSPACE", str(protected_workspace.folder))
    ended = privlab("ask", "SELECT COUNT(*) AS n FROM visits", "--practice", "--csv")
    assert ended.out.splitlines()[:2] == [f"# {PRACTICE}", "n,n_pm"]
    (tmp_path / "practised").write_text(ended.out)
    checked = privlab("verify", tmp_path / "practised")
    assert checked.status == 4
    assert checked.err.startswith("PL407 ")


@pytest.mark.parametrize("other", [("--explain",), ("--save", "release.json")])
def test_practice_does_not_go_with_what_it_makes_no_sense_of(privlab, other) -> None:
    ended = privlab("ask", "SELECT COUNT(*) AS n FROM visits", "--practice", *other)
    assert ended.status == 1
    assert ended.err.startswith(f"PL112 --practice and {other[0]} do not go together")
