"""What is stored is shown to its owner, and damage is named for her, with a status for scripts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privlab.connector.parts import footer_length
from tests.conftest import VISITS, visits_csv


@pytest.fixture
def place(
    fresh_workspace: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, runtime: Path
) -> Any:
    made = fresh_workspace()
    monkeypatch.delenv("PRIVLAB_URL", raising=False)
    monkeypatch.setenv("PRIVLAB_WORKSPACE", made.env["PRIVLAB_WORKSPACE"])
    return made


def parts(place: Any) -> list[Path]:
    folder = place.folder / "tables" / "clinic" / "visits" / "1"
    return sorted(folder.glob("rows-*.parquet"))


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))


def test_what_is_stored_is_shown_and_verified(privlab: Any, place: Any) -> None:
    shown = privlab("catalog", "show")
    assert shown.status == 0
    for word in ("clinic.visits", "patient_id", "ward text", "visited_on date", "nothing"):
        assert word in shown.out
    assert str(len(parts(place))) in shown.out.split()
    assert privlab("catalog", "show", "clinic.visits").out == shown.out

    verified = privlab("catalog", "verify", "visits")
    assert verified.status == 0
    assert verified.out.startswith("clinic.visits version 1: ")
    assert verified.out.rstrip().endswith("columns, every page is what was written")


def test_damage_is_named_exactly_and_the_status_is_4(privlab: Any, place: Any) -> None:
    first, second, third, *_ = parts(place)
    header = 8 + int.from_bytes(first.read_bytes()[4:8], "little")
    flip(first, header + 4 + 12)
    second.write_bytes(second.read_bytes()[:-1])
    os.remove(third)

    ended = privlab("catalog", "verify")

    assert ended.status == 4
    head, *lines = ended.out.splitlines()
    assert head == "clinic.visits version 1 is damaged:"
    assert len(lines) == 3
    told = {line.split(":")[0].split(",")[0].strip(): line for line in lines}
    assert "column " in told[first.name]
    assert "row group 1" in told[first.name]
    assert "PL402" in told[second.name]
    assert "PL402" in told[third.name]
    assert "restore" in ended.err


def test_another_footer_and_a_plain_file_are_told_apart(privlab: Any, place: Any) -> None:
    first, second, *_ = parts(place)
    flip(first, first.stat().st_size - footer_length(first.read_bytes()[-8:]) + 40)
    second.write_bytes(b"PAR1" + second.read_bytes()[4:-4] + b"PAR1")

    ended = privlab("catalog", "verify", "visits")

    assert ended.status == 4
    assert f"{first.name}: PL402" in ended.out
    assert f"{second.name}: PL403" in ended.out


def test_an_edited_manifest_is_told(privlab: Any, place: Any) -> None:
    assert privlab("catalog", "show").status == 0  # the curator runs, and read it at its start
    file = parts(place)[0].parent / "manifest.json"
    file.write_bytes(file.read_bytes() + b" ")

    ended = privlab("catalog", "verify")

    assert ended.status == 4
    assert "PL401" in ended.out


def test_what_is_not_named_in_the_manifest_is_nobodys(privlab: Any, place: Any) -> None:
    (parts(place)[0].parent / "extra.parquet").write_bytes(b"PAR1")

    assert privlab("catalog", "verify").status == 0


def test_a_shredded_column_is_left_out_and_said(privlab: Any, place: Any) -> None:
    assert privlab("key", "shred", "clinic.visits:notes", "--yes").status == 0

    ended = privlab("catalog", "verify")

    assert ended.status == 0
    assert "notes" in ended.err
    assert "every page" in ended.out
    assert "notes" in privlab("catalog", "show").out


def test_a_table_that_is_not_there_is_asked_for_by_its_nearest_name(
    privlab: Any, place: Any
) -> None:
    ended = privlab("catalog", "verify", "visit")
    assert ended.status == 1
    assert "PL102" in ended.err
    assert "visits" in ended.err


def test_a_file_is_known_as_the_source_of_a_table_and_another_one_is_not(
    privlab: Any, place: Any, tmp_path: Path
) -> None:
    """And its digest is nowhere in the workspace."""
    file, other = visits_csv(tmp_path / "visits.csv"), tmp_path / "other.csv"
    other.write_bytes(file.read_bytes() + b"\n")
    (tmp_path / "visits.toml").write_text(VISITS)
    done = privlab("protect", str(file), "--contract", str(tmp_path / "visits.toml"))
    assert done.status == 0

    same = privlab("catalog", "source", str(file), "visits")
    wrong = privlab("catalog", "source", str(other), "clinic.visits")

    assert (same.status, same.out) == (0, f"clinic.visits version 2 is from {file}\n")
    assert (wrong.status, wrong.out) == (4, f"clinic.visits version 2 is not from {other}\n")
    assert "by privlab " in " ".join(privlab("catalog", "show").out.split())
    digest = hashlib.sha256(file.read_bytes())
    for path in place.folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert digest.digest() not in raw
            assert digest.hexdigest().encode() not in raw
