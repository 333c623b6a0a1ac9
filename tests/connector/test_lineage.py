"""Where rows are from is kept as HMACs, which tell nothing to who has not the key."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from privlab.connector.lineage import Lineage, source_digest
from privlab.connector.source import listed
from privlab.errors import BadContract

KEY = b"k" * 32


def test_a_source_is_known_by_its_bytes_and_the_key() -> None:
    made = Lineage.of(KEY, 3, "privlab 0.1.0", "contract", "ab" * 32)

    assert made.is_from(KEY, "ab" * 32)
    assert not made.is_from(KEY, "ac" * 32)
    assert not made.is_from(b"K" * 32, "ab" * 32)
    assert made.source != made.contract
    assert "ab" * 32 not in repr(made)


def test_a_contract_is_no_source_and_a_source_without_bytes_is_from_nothing() -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    made = Lineage.of(KEY, 1, "privlab", digest, "")

    assert made.source == ""
    assert not made.is_from(KEY, digest)
    assert not made.is_from(KEY, "")
    assert (
        Lineage.of(KEY, 1, "privlab", digest, digest).contract
        != Lineage.of(KEY, 1, "privlab", digest, digest).source
    )


def test_a_folder_is_its_files_whatever_they_are_called(tmp_path: Path) -> None:
    for folder, names in (("one", "ab"), ("two", "zy")):
        (tmp_path / folder).mkdir()
        for name, content in zip(names, ("u\n1\n", "u\n2\n"), strict=True):
            (tmp_path / folder / f"{name}.csv").write_text(content)
    one, two = (source_digest(listed(tmp_path / folder)) for folder in ("one", "two"))
    alone = source_digest(listed(tmp_path / "one" / "a.csv"))

    assert one == two
    assert alone == hashlib.sha256(b"u\n1\n").hexdigest() != one
    assert source_digest(listed(str(tmp_path / "one" / "a*"))) == alone
    with pytest.raises(BadContract):
        listed(tmp_path / "absent.csv")
