"""The tamper matrix: every change of a stored file is found, with its own code."""

from __future__ import annotations

import io
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from privlab.connector.bucket import open_bucket
from privlab.connector.parts import (
    FileFacts,
    PartFacts,
    aad_prefix,
    check_bytes,
    check_file,
    footer_length,
    read_file,
)
from privlab.connector.scan import open_part
from privlab.errors import IntegrityError

Store = Callable[..., Any]
PART = "rows-0000.parquet"
NEXT = "rows-0001.parquet"


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))


def truncate(folder: Path) -> None:
    path = folder / PART
    path.write_bytes(path.read_bytes()[:-100])


def cut_from_the_middle(folder: Path) -> None:
    path = folder / PART
    raw = path.read_bytes()
    path.write_bytes(raw[:2000] + raw[2100:])


def flip_the_footer(folder: Path) -> None:
    path = folder / PART
    flip(path, -footer_length(path.read_bytes()[-8:]) + 50)


def swap_two_parts(folder: Path) -> None:
    (folder / PART).rename(folder / "held")
    (folder / NEXT).rename(folder / PART)
    (folder / "held").rename(folder / NEXT)


def remove(folder: Path) -> None:
    (folder / PART).unlink()


def a_folder_in_place(folder: Path) -> None:
    (folder / PART).unlink()
    (folder / PART).mkdir()


def a_pipe_in_place(folder: Path) -> None:
    (folder / PART).unlink()
    os.mkfifo(folder / PART)


def a_socket_in_place(folder: Path) -> None:
    (folder / PART).unlink()
    here = Path.cwd()
    os.chdir(folder)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(PART)
    finally:
        os.chdir(here)


def a_link_to_a_device(folder: Path) -> None:
    (folder / PART).unlink()
    (folder / PART).symlink_to("/dev/zero")


def a_link_to_the_part_itself(folder: Path) -> None:
    """The bytes are right, but what they are read from is not in the folder."""
    (folder / PART).rename(folder / "held")
    (folder / PART).symlink_to(folder / "held")


def plaintext(folder: Path) -> None:
    buffer = io.BytesIO()
    pl.DataFrame({"age": [1, 2]}).write_parquet(buffer)
    (folder / PART).write_bytes(buffer.getvalue())


def plaintext_of_the_same_size(folder: Path) -> None:
    path = folder / PART
    size = path.stat().st_size
    buffer = io.BytesIO()
    pl.DataFrame({"age": [1, 2]}).write_parquet(buffer)
    raw = buffer.getvalue()
    path.write_bytes(raw[:-4] + bytes(size - len(raw)) + raw[-4:])


def text_of_the_same_size(folder: Path) -> None:
    path = folder / PART
    path.write_bytes(b"a,b\n" * (path.stat().st_size // 4))


def encrypted_by_somebody_else(folder: Path) -> None:
    """Right magic, right size, another footer."""
    path = folder / PART
    size = path.stat().st_size
    buffer = io.BytesIO()
    pl.DataFrame({"age": [1, 2]}).write_parquet(
        buffer, encryption=pl.ParquetEncryptionProperties(footer_key=b"k" * 32)
    )
    raw = buffer.getvalue()
    cut = len(raw) - footer_length(raw[-8:])
    path.write_bytes(raw[:cut] + bytes(size - len(raw)) + raw[cut:])


def an_absurd_footer_length(folder: Path) -> None:
    path = folder / PART
    raw = path.read_bytes()
    path.write_bytes(raw[:-8] + b"\xff\xff\xff\xff" + raw[-4:])


MATRIX: list[tuple[Callable[[Path], None], str]] = [
    (truncate, "PL402"),
    (cut_from_the_middle, "PL402"),
    (flip_the_footer, "PL402"),
    (swap_two_parts, "PL402"),
    (remove, "PL402"),
    (a_folder_in_place, "PL402"),
    (a_pipe_in_place, "PL402"),
    (a_socket_in_place, "PL402"),
    (a_link_to_a_device, "PL402"),
    (a_link_to_the_part_itself, "PL402"),
    (encrypted_by_somebody_else, "PL402"),
    (an_absurd_footer_length, "PL402"),
    (plaintext, "PL403"),
    (plaintext_of_the_same_size, "PL403"),
    (text_of_the_same_size, "PL403"),
]


@pytest.mark.parametrize(("attack", "code"), MATRIX, ids=[a.__name__ for a, _ in MATRIX])
def test_a_changed_file_is_found_with_its_own_code(
    store: Store, attack: Callable[[Path], None], code: str
) -> None:
    stored = store()
    stored.manifest.verify_parts(stored.folder)

    attack(stored.folder)

    with pytest.raises(IntegrityError) as caught:
        stored.manifest.verify_parts(stored.folder)
    assert caught.value.code == code
    assert caught.value.facts["part"] in (PART, NEXT)


def test_a_changed_units_file_is_found_too(store: Store) -> None:
    """It says where each unit's rows end, so it counts as much as the rows do."""
    stored = store()
    path = stored.folder / "units-0000.parquet"
    kept = path.read_bytes()
    for change, code in (
        (lambda: path.unlink(), "PL402"),
        (lambda: path.write_bytes((stored.folder / "units-0001.parquet").read_bytes()), "PL402"),
        (lambda: path.write_bytes((stored.folder / PART).read_bytes()), "PL402"),
        (lambda: path.write_bytes(b"PAR1" + kept[4:]), "PL403"),
    ):
        change()
        with pytest.raises(IntegrityError) as caught:
            stored.manifest.verify_parts(stored.folder)
        assert caught.value.code == code
        assert caught.value.facts["part"] == path.name
        part = stored.manifest.parts[0]
        with pytest.raises(IntegrityError):
            open_bucket(stored.folder, "clinic", "visits", part, stored.protected.keys.of(0))
        path.write_bytes(kept)


@pytest.mark.parametrize(("attack", "code"), MATRIX, ids=[a.__name__ for a, _ in MATRIX])
def test_the_bytes_that_are_decrypted_are_checked_the_same_way(
    store: Store, attack: Callable[[Path], None], code: str
) -> None:
    """Between the curator's look and the engine's read, a file may change; nor may it wait."""
    stored = store()
    part = stored.manifest.parts[0].rows
    path = stored.folder / PART
    assert read_file(part, path) == path.read_bytes()

    attack(stored.folder)

    with pytest.raises(IntegrityError) as caught:
        read_file(part, path)
    assert caught.value.code == code
    if path.is_file() and not path.is_symlink():
        with pytest.raises(IntegrityError) as caught:
            check_bytes(part, path.read_bytes())
        assert caught.value.code == code


def test_the_parts_of_another_version_do_not_pass(store: Store) -> None:
    first, second = store(), store(version=2)
    shutil.copy(first.folder / PART, second.folder / PART)

    with pytest.raises(IntegrityError) as caught:
        second.manifest.verify_parts(second.folder)

    assert caught.value.code == "PL402"


def read(stored: Any, part: PartFacts, **changes: Any) -> pl.DataFrame:
    place = {"dataset": "clinic", "table": "visits", "written": 1, "bucket": 0, "kind": "rows"}
    aad = aad_prefix(**{**place, **changes})
    data = (stored.folder / part.rows.name).read_bytes()
    return open_part(part.rows, data, aad, stored.protected.keys.of(0)).collect()


def test_a_flipped_bit_in_a_page_is_found_when_it_is_decrypted(store: Store) -> None:
    """The manifest holds the footer's digest; the pages are AES-GCM under its file id."""
    stored = store()
    part = stored.manifest.parts[0]
    assert read(stored, part).height > 0
    for at in (40, 200, 900):
        flip(stored.folder / PART, at)
        stored.manifest.verify_parts(stored.folder)
        with pytest.raises(pl.exceptions.ComputeError):
            read(stored, part)
        flip(stored.folder / PART, at)
    assert read(stored, part).height > 0


@pytest.mark.parametrize(
    "change",
    [{"dataset": "other"}, {"table": "other"}, {"written": 2}, {"bucket": 1}, {"kind": "units"}],
)
def test_a_part_opens_as_itself_only(store: Store, change: dict[str, Any]) -> None:
    """The additional data is not in the file, so a part cannot be moved with its manifest."""
    stored = store()

    with pytest.raises(pl.exceptions.ComputeError):
        read(stored, stored.manifest.parts[0], **change)


def test_a_wrong_key_opens_nothing(store: Store) -> None:
    stored = store()
    keys = stored.protected.keys
    for wrong in (
        replace(keys, columns={**keys.columns, "age": b"x" * 32}),
        replace(keys, buckets={**keys.buckets, 0: keys.buckets[1]}),
    ):
        protected = replace(stored.protected, keys=wrong)
        with pytest.raises(pl.exceptions.ComputeError):
            read(replace(stored, protected=protected), stored.manifest.parts[0])


def test_a_column_without_its_key_stays_closed(store: Store) -> None:
    stored = store()
    part = stored.manifest.parts[0]
    aad = aad_prefix("clinic", "visits", 1, part.bucket, "rows")
    data = (stored.folder / part.rows.name).read_bytes()
    keys = {name: stored.protected.keys.of(part.bucket)[name] for name in ("", "age")}

    scan = open_part(part.rows, data, aad, keys)

    assert scan.select("age").collect().width == 1
    with pytest.raises(pl.exceptions.ComputeError):
        scan.select("ward").collect()


@pytest.mark.parametrize("size", [0, 3, 7, 11])
def test_a_file_too_short_to_have_a_footer_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / PART
    path.write_bytes(b"PAREPAREPARE"[:size])

    for check in (
        lambda: check_file(FileFacts(PART, size, "0" * 64), path),
        lambda: check_bytes(FileFacts(PART, size, "0" * 64), path.read_bytes()),
    ):
        with pytest.raises(IntegrityError) as caught:
            check()
        assert caught.value.code in ("PL402", "PL403")
