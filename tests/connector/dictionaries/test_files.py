"""Dictionaries are bounded: no bomb, no tag, no reference out of the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from privlab.connector.dictionaries.files import MAX_BYTES, read, tree
from privlab.errors import BadContract

BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(97 + n)}: &{chr(97 + n)} [*{chr(96 + n)}, *{chr(96 + n)}]\n" for n in range(1, 20)
)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("schema.yml", BOMB, "anchors and aliases"),
        ("schema.yml", "models: &m [a]", "anchors and aliases"),
        ("schema.yml", "[" * 100_000, "nested too deeply"),
        ("schema.yml", "a: [1", "not well-formed"),
        ("schema.yml", "- 1", "no schema file of dbt"),
        ("schema.yml", "", "no schema file of dbt"),
        ("schema.yml", "version: 2", "no models, sources"),
        ("schema.yml", "#" * (MAX_BYTES + 1), "larger than 1,048,576 bytes"),
        ("p.json", "[" * 100_000, "nested too deeply"),
        ("p.json", '{"fields": [{"name": "a", "x": ' + "9" * 5_000 + "}]}", "not well-formed"),
        ("p.json", "{", "not well-formed"),
        ("p.json", "[]", "no data package and no table schema"),
        ("p.json", "{}", "it has no fields"),
        ("p.json", " " * (MAX_BYTES + 1), "larger than"),
        ("p.xml", "<a/>", "ends neither in .json nor in .yml"),
    ],
)
def test_what_is_no_dictionary_is_refused_in_words(
    tmp_path: Path, name: str, content: str, words: str
) -> None:
    file = tmp_path / name
    file.write_text(content)

    with pytest.raises(BadContract) as caught:
        read(file, "visits")

    assert caught.value.code == "PL151"
    assert words in str(caught.value)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadContract, match="no such file"):
        read(tmp_path / "absent.json", "visits")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    for name in ("a.json", "a.yml"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00a\xd8")
        with pytest.raises(BadContract, match="not well-formed"):
            read(tmp_path / name, "visits")


def test_a_tag_makes_nothing_and_every_scalar_is_its_own_spelling() -> None:
    raw = b"a: !!python/object/apply:os.system [echo]\nb: no\nc: 1e3\nd: 2020-01-02\n? [k]\n: v\n"

    assert tree(raw) == {"a": ["echo"], "b": "no", "c": "1e3", "d": "2020-01-02"}


def test_a_table_is_found_by_its_name_by_its_file_or_because_it_is_the_only_one(
    tmp_path: Path,
) -> None:
    fields = [{"name": "a", "type": "integer"}]
    resources = [
        {"name": "visits", "path": "rows/v-2024.csv", "schema": {"fields": fields}},
        {"name": "wards", "path": ["w.csv"], "schema": {"fields": []}},
        {"name": "far", "schema": "https://example.org/schema.json"},
    ]
    file = tmp_path / "datapackage.json"
    file.write_text(json.dumps({"resources": resources}))

    assert "a" in read(file, "visits").columns
    assert "a" in read(file, "other", "v-2024.csv").columns
    with pytest.raises(BadContract, match="it describes visits, wards") as caught:
        read(file, "other")
    assert "--table" in str(caught.value.hint)
    file.write_text(json.dumps({"resources": resources[:1]}))
    assert "a" in read(file, "other").columns
