"""``privlab forget``: ids stay with the owner, and are read as the table reads them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from privlab.cli import forget as command
from privlab.cli.forget import canonical, forget_units, read_ids
from privlab.client.owner import Owner
from privlab.errors import BadContract
from tests.conftest import CANARY_TEXT


def test_units_go_from_all_tables_of_the_dataset(owner: Owner) -> None:
    done = forget_units(owner, [f"{CANARY_TEXT}-1"], dataset="clinic")

    assert done.versions == {"visits": 2}
    assert done.parts == {"visits": 1}


def test_ids_are_read_as_the_unit_is() -> None:
    assert canonical(["007", " 7"], "int") == ["7", "7"]
    assert canonical(["007", " 7"], "text") == ["007", " 7"]
    with pytest.raises(BadContract) as caught:
        canonical(["1", "secret"], "int")
    assert caught.value.code == "PL151"
    assert "number 2" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_ids_come_from_a_file_or_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("a\n\nb\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("c\n"))

    assert read_ids(str(file)) == ["a", "b"]
    assert read_ids("-") == ["c"]


@pytest.mark.parametrize("content", ["", "a\nb\nc\n"])
def test_nobody_and_too_many_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setattr(command, "MOST", 2)
    (tmp_path / "ids.txt").write_text(content)

    with pytest.raises(BadContract) as caught:
        read_ids(str(tmp_path / "ids.txt"))

    assert caught.value.code == "PL151"
