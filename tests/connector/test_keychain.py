"""The keychain's file: what stands in the clear, and what opens the rest."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privlab.connector import keychain
from privlab.connector.keychain import Keychain, Place
from privlab.errors import IntegrityError
from privlab.seal.envelope import seal, unseal

MASTER = b"m" * 32
AGE, WARD = Place("clinic", "visits", 1, "age"), Place("clinic", "visits", 1, "wörd:@.")
CHAIN = Keychain(b"s" * 32, {AGE: b"a" * 32, WARD: b"w" * 32}, frozenset(), 7, "2026", 3)


def test_a_keychain_comes_back_whole(tmp_path: Path) -> None:
    chain = CHAIN.without([AGE])
    keychain.write(tmp_path / "k", chain, MASTER)

    header, sealed = keychain.read(tmp_path / "k")

    assert keychain.opened(header, sealed, MASTER) == chain
    assert header.generation == 7


def test_the_bytes_are_those_of_the_specification(tmp_path: Path) -> None:
    keychain.write(tmp_path / "k", CHAIN, MASTER)
    line, _, sealed = (tmp_path / "k").read_bytes().partition(b"\n")
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"privlab/keychain/v1").derive(MASTER)

    inside = json.loads(unseal(key, sealed, line + b"\n"))

    assert set(json.loads(line)) == {"format", "generation", "master"}
    assert set(inside) == {"generation", "since", "seen", "secret", "keys", "gone"}
    assert inside["keys"][0][:4] == ["clinic", "visits", "1", "age"]
    assert b"visits" not in line


def test_what_is_gone_is_remembered_and_what_never_was_is_not() -> None:
    chain = CHAIN.without([AGE, Place("clinic", "visits", 9, "age")])

    assert set(chain.keys) == {WARD}
    assert chain.gone == {AGE}


def test_a_header_cannot_be_exchanged(tmp_path: Path) -> None:
    """An older file with a newer number in front does not open."""
    keychain.write(tmp_path / "k", CHAIN, MASTER)
    path = tmp_path / "k"
    path.write_bytes(path.read_bytes().replace(b'"generation": "7"', b'"generation": "9"', 1))

    header, sealed = keychain.read(path)

    assert header.generation == 9
    with pytest.raises(IntegrityError):
        keychain.opened(header, sealed, MASTER)


@pytest.mark.parametrize("inside", [b"", b"[]", b"{}", b"\xff", b'{"generation": "7", "keys": []}'])
def test_what_the_master_sealed_and_is_no_keychain_is_refused(inside: bytes) -> None:
    header = keychain.Header("00" * 8, 7)
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"privlab/keychain/v1").derive(MASTER)

    with pytest.raises(IntegrityError) as caught:
        keychain.opened(header, seal(key, inside, header.line()), MASTER)

    assert caught.value.code == "PL404"


def test_a_keychain_shows_and_serialises_no_key() -> None:
    assert "aaaa" not in repr(CHAIN)
    with pytest.raises(TypeError, match="never serialised"):
        copy.copy(CHAIN)
