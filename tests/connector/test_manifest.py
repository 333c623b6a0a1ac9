"""Manifests: signed, strict, and written at once or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from privlab.connector.keys import Custody
from privlab.connector.manifest import MANIFEST_FILE, UNITS_FILE_COLUMNS, Manifest, key_names
from privlab.connector.parts import PartFacts
from privlab.errors import IntegrityError
from privlab.seal import dsse
from privlab.seal.keys import SigningKey

Store = Callable[..., Any]
NOW = datetime(2025, 1, 2, tzinfo=UTC)


def test_what_was_signed_is_what_is_read(store: Store) -> None:
    stored = store()

    read = Manifest.load(stored.folder / MANIFEST_FILE, stored.signer.public)

    assert read == stored.manifest
    assert read.created == "2025-01-02T03:04:05Z"
    assert read.described() == stored.contract.table(1)
    assert read.data_keys(["age"], stored.custody) == {
        part.bucket: {
            name: stored.protected.keys.of(part.bucket)[name]
            for name in ("", *UNITS_FILE_COLUMNS, "age")
        }
        for part in stored.protected.parts
    }


def test_no_key_stands_in_the_manifest(store: Store) -> None:
    stored = store()
    raw = (stored.folder / MANIFEST_FILE).read_bytes() + stored.manifest.payload()

    keys = stored.protected.keys
    for key in (*keys.columns.values(), *keys.buckets.values(), *keys.of(0).values()):
        assert key not in raw
        assert key.hex().encode() not in raw


def _edits(raw: bytes, stored: Any) -> dict[str, bytes]:
    envelope = json.loads(raw)
    other = SigningKey(b"\x09" * 32)
    forged = dsse.sign("application/vnd.privlab.table.v1+json", stored.manifest.payload(), other)
    odd = json.loads(stored.manifest.payload()) | {"more": ""}
    strange = dsse.sign(
        "application/vnd.privlab.table.v1+json", json.dumps(odd).encode(), stored.signer
    )
    mistyped = dsse.sign("text/plain", stored.manifest.payload(), stored.signer)
    return {
        "nothing": b"",
        "no JSON": raw[:-5],
        "a list": b"[]",
        "deep": b"[" * 100_000,
        "another payload": json.dumps(envelope | {"payload": "e30="}).encode(),
        "no signature": json.dumps(envelope | {"signatures": []}).encode(),
        "another signer": json.dumps(forged).encode(),
        "another type": json.dumps(mistyped).encode(),
        "an unknown field": json.dumps(strange).encode(),
    }


EDITS = (
    "nothing", "no JSON", "a list", "deep", "another payload", "no signature", "another signer",
    "another type", "an unknown field",
)  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_manifest_is_refused(store: Store, edit: str) -> None:
    stored = store()
    path = stored.folder / MANIFEST_FILE
    path.write_bytes(_edits(path.read_bytes(), stored)[edit])

    with pytest.raises(IntegrityError) as caught:
        Manifest.load(path, stored.signer.public)

    assert caught.value.code == "PL401"
    assert caught.value.facts == {"manifest": "clinic/visits/1/manifest.json"}


def test_an_absent_manifest_is_refused(store: Store) -> None:
    stored = store()

    with pytest.raises(IntegrityError) as caught:
        Manifest.load(stored.folder / "absent.json", stored.signer.public)

    assert caught.value.code == "PL401"


@pytest.mark.parametrize("what", ["a pipe", "a device", "a link to itself", "a folder"])
def test_what_is_no_file_is_refused_and_not_waited_for(store: Store, what: str) -> None:
    stored = store()
    path = stored.folder / MANIFEST_FILE
    held = path.rename(stored.folder / "held.json")
    match what:
        case "a pipe":
            os.mkfifo(path)
        case "a device":
            path.symlink_to("/dev/zero")
        case "a link to itself":
            path.symlink_to(held)
        case _:
            path.mkdir()

    with pytest.raises(IntegrityError) as caught:
        Manifest.load(path, stored.signer.public)

    assert caught.value.code == "PL401"


def test_a_pipe_where_the_manifest_is_drafted_keeps_nobody_waiting(store: Store) -> None:
    stored = store()
    os.mkfifo(stored.folder / f".{MANIFEST_FILE}.new")

    written = stored.manifest.write(stored.folder, stored.signer)

    assert (stored.folder / MANIFEST_FILE).read_bytes() == written


def test_another_signed_file_than_the_registered_one_is_not_parsed(store: Store) -> None:
    """The signer may have signed what was never registered, or was registered otherwise."""
    stored = store()
    path = stored.folder / MANIFEST_FILE
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert Manifest.load(path, stored.signer.public, digest) == stored.manifest
    replace(stored.manifest, created="2025-01-02T03:04:06Z").write(stored.folder, stored.signer)

    with pytest.raises(IntegrityError) as caught:
        Manifest.load(path, stored.signer.public, digest)

    assert caught.value.code == "PL401"


def test_keys_that_are_not_one_per_column_are_refused(store: Store) -> None:
    """A column without a key would be written in plaintext."""
    stored = store()
    table = stored.contract.table(1)
    keys = stored.protected.keys
    columns, buckets = dict(keys.columns), dict(keys.buckets)
    assert set(columns) == set(key_names(table))
    for changed in (
        replace(keys, columns={name: key for name, key in columns.items() if name != "age"}),
        replace(keys, columns=columns | {"patient": b"k" * 32}),
        replace(keys, buckets={number: key for number, key in buckets.items() if number}),
        replace(keys, buckets=buckets | {4: b"k" * 32}),
    ):
        with pytest.raises(IntegrityError) as caught:
            Manifest.wrapping(
                table, stored.contract.text, stored.protected.parts, changed, stored.custody, NOW
            )
        assert caught.value.code == "PL404"


@pytest.mark.parametrize(
    "change",
    [
        {"bucket": 1},
        {"written": 0},
        {"written": 2},
        {"rows": {"footer_sha256": "00"}},
        {"units": {"size": -1}},
    ],
)
def test_parts_that_no_protect_writes_are_refused(store: Store, change: dict[str, Any]) -> None:
    stored = store()
    first, *rest = stored.protected.parts
    whole = {
        name: replace(getattr(first, name), **of) if isinstance(of, dict) else of
        for name, of in change.items()
    }
    parts: list[PartFacts] = [replace(first, **whole), *rest]

    with pytest.raises(IntegrityError) as caught:
        Manifest.wrapping(
            stored.contract.table(1),
            stored.contract.text,
            parts,
            stored.protected.keys,
            stored.custody,
            NOW,
        )

    assert caught.value.code in ("PL402", "PL404")


def signed(stored: Any, value: dict[str, Any]) -> None:
    """Put another payload in the manifest's place, signed by the curator's own key."""
    envelope = dsse.sign(
        "application/vnd.privlab.table.v1+json", json.dumps(value).encode(), stored.signer
    )
    (stored.folder / MANIFEST_FILE).write_text(json.dumps(envelope))


def test_a_manifest_of_before_the_first_release_is_refused_in_words(store: Store) -> None:
    stored = store()
    old = json.loads(stored.manifest.payload())
    del old["rows_since"], old["lineage"]
    old["keys"] = {"": "q83v"}
    signed(stored, old)

    with pytest.raises(IntegrityError, match="before the first release") as caught:
        Manifest.load(stored.folder / MANIFEST_FILE, stored.signer.public)

    assert caught.value.code == "PL401"
    assert "protect the tables again" in caught.value.hint


@pytest.mark.parametrize(
    "edit",
    [
        lambda value: value["parts"][0].update(written="2"),
        lambda value: value["parts"][0].update(written="0"),
        lambda value: value["parts"][0].update(bucket="1"),
        lambda value: value["parts"][0].update(name="../rows-0000.parquet"),
        lambda value: value["parts"][0]["rows"].update(size="-1"),
        lambda value: value["parts"][0]["units"].update(footer_sha256="00"),
        lambda value: value["parts"].clear(),
        lambda value: value["keys"]["1"].update(more={}),
        lambda value: value["keys"]["1"]["buckets"].update(x="q83v"),
    ],
)
def test_a_payload_of_another_form_is_refused_whoever_signed_it(
    store: Store, edit: Callable[[Any], object]
) -> None:
    stored = store()
    value = json.loads(stored.manifest.payload())
    signed(stored, value)
    assert Manifest.load(stored.folder / MANIFEST_FILE, stored.signer.public) == stored.manifest
    edit(value)
    signed(stored, value)

    with pytest.raises(IntegrityError) as caught:
        Manifest.load(stored.folder / MANIFEST_FILE, stored.signer.public)

    assert caught.value.code == "PL401"


def test_many_keys_are_one_write_of_the_keychain(store: Store, tmp_path: Path) -> None:
    """A key per bucket costs no file of its own."""
    stored = store()
    plain = "plain:keys/master.key"
    custody = Custody.create(plain, base=tmp_path / "w", now=NOW)
    before = custody.generation

    manifest = Manifest.wrapping(
        stored.contract.table(1),
        stored.contract.text,
        stored.protected.parts,
        stored.protected.keys,
        custody,
        NOW,
    )

    assert custody.generation == before + 1
    names = (*stored.protected.keys.columns, *stored.protected.keys.buckets)
    assert len(custody.places()) == len(names)
    assert manifest.unwrapped(key_names(stored.contract.table(1)), custody) == {
        1: stored.protected.keys
    }


def test_another_master_opens_no_key_of_the_manifest(store: Store) -> None:
    stored = store()

    with pytest.raises(IntegrityError) as caught:
        stored.manifest.data_keys(["age"], Custody(b"\x08" * 32))

    assert caught.value.code == "PL404"


def test_a_column_the_manifest_has_no_key_for_is_an_integrity_error(store: Store) -> None:
    stored = store()

    with pytest.raises(IntegrityError) as caught:
        stored.manifest.data_keys(["patient"], stored.custody)

    assert caught.value.code == "PL404"
