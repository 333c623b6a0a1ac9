"""Custody: a key opens in its own place only, and a file of keys is nobody else's."""

from __future__ import annotations

import copy
import hmac
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null

from privlab.connector import keys
from privlab.connector.keys import Custody, check_keyring, key_context
from privlab.errors import BadContract, IntegrityError

MASTER = Custody(b"\x01" * 32)
OTHER = Custody(b"\x02" * 32)
PLACE = key_context("clinic", "visits", 1, "age")

names = st.text(max_size=12)


@given(key=st.binary(min_size=32, max_size=32), context=st.binary(max_size=40))
def test_a_wrapped_key_opens_in_its_place(key: bytes, context: bytes) -> None:
    assert MASTER.unwrap(MASTER.wrap(key, context), context) == key


@pytest.mark.parametrize(
    "place",
    [
        key_context("clinic", "visits", 2, "age"),
        key_context("clinic", "visits", 1, "ward"),
        key_context("clinic", "patients", 1, "age"),
        key_context("hospital", "visits", 1, "age"),
    ],
)
def test_a_wrapped_key_does_not_open_elsewhere(place: bytes) -> None:
    wrapped = MASTER.wrap(b"k" * 32, PLACE)

    with pytest.raises(IntegrityError) as caught:
        MASTER.unwrap(wrapped, place)

    assert caught.value.code == "PL404"


@given(flip=st.integers(0, 8 * 60 - 1))
def test_an_altered_wrapped_key_does_not_open(flip: int) -> None:
    wrapped = bytearray(MASTER.wrap(b"k" * 32, PLACE))
    wrapped[flip // 8] ^= 1 << flip % 8

    with pytest.raises(IntegrityError) as caught:
        MASTER.unwrap(bytes(wrapped), PLACE)

    assert caught.value.code == "PL404"


@pytest.mark.parametrize("wrapped", [b"", b"x" * 11, b"x" * 12, b"x" * 28])
def test_what_is_no_wrapped_key_does_not_open(wrapped: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        MASTER.unwrap(wrapped, PLACE)
    assert caught.value.code == "PL404"


def test_another_master_does_not_open_a_key() -> None:
    with pytest.raises(IntegrityError) as caught:
        OTHER.unwrap(MASTER.wrap(b"k" * 32, PLACE), PLACE)
    assert caught.value.code == "PL404"


def test_a_key_is_never_wrapped_to_the_same_bytes_twice() -> None:
    assert MASTER.wrap(b"k" * 32, PLACE) != MASTER.wrap(b"k" * 32, PLACE)


@given(one=st.lists(names, min_size=1, max_size=4), two=st.lists(names, min_size=1, max_size=4))
def test_derived_secrets_are_equal_for_equal_names_only(one: list[str], two: list[str]) -> None:
    """Parts carry their lengths, so ("ab", "c") and ("a", "bc") differ."""
    assert (MASTER.derive(*one) == MASTER.derive(*two)) == (one == two)


def test_derived_secrets_are_those_of_rfc_5869() -> None:
    """By hand from HMAC: another answer would orphan every protected table."""
    extracted = hmac.digest(b"privlab/custody/v1", b"\x01" * 32, "sha256")
    info = b"\0\0\0\x04unit\0\0\0\x06clinic"

    assert MASTER.derive("unit", "clinic") == hmac.digest(extracted, info + b"\x01", "sha256")


def test_a_custody_shows_and_serialises_no_secret() -> None:
    assert "01" * 32 not in repr(MASTER)
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never serialised"):
            copied(MASTER)


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made = Custody.create("file:keys/master.key", base=tmp_path)

    path = tmp_path / "keys" / "master.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    again = Custody.open(f"file:{path}")
    assert again.signing_seed() == made.signing_seed()
    with pytest.raises(BadContract) as caught:
        Custody.create("file:keys/master.key", base=tmp_path)
    assert caught.value.code == "PL152"
    assert path.read_bytes() != b""


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o700 | 0o001])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    Custody.create("file:master.key", base=tmp_path)
    (tmp_path / "master.key").chmod(mode)

    with pytest.raises(BadContract) as caught:
        Custody.open("file:master.key", base=tmp_path)

    assert caught.value.code == "PL152"
    assert "chmod 600" in caught.value.hint


def test_a_link_or_a_folder_in_place_of_the_key_file_is_refused(tmp_path: Path) -> None:
    Custody.create("file:real.key", base=tmp_path)
    (tmp_path / "link.key").symlink_to(tmp_path / "real.key")
    (tmp_path / "folder.key").mkdir(mode=0o700)

    for name in ("link.key", "folder.key", "absent.key"):
        with pytest.raises(BadContract) as caught:
            Custody.open(f"file:{name}", base=tmp_path)
        assert caught.value.code == "PL152"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_another_user_is_refused(tmp_path: Path) -> None:
    Custody.create("file:master.key", base=tmp_path)
    os.chown(tmp_path / "master.key", 12345, 12345)

    with pytest.raises(BadContract) as caught:
        Custody.open("file:master.key", base=tmp_path)

    assert caught.value.code == "PL152"


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_file_of_another_length_is_no_master_key(tmp_path: Path, size: int) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(b"x" * size)
    path.chmod(0o600)

    with pytest.raises(IntegrityError) as caught:
        Custody.open(f"file:{path}")

    assert caught.value.code == "PL404"


@pytest.mark.parametrize("uri", ["", "file:", "keyring:", "vault:x", "master.key"])
def test_unknown_custody_is_refused(uri: str) -> None:
    with pytest.raises(BadContract) as caught:
        Custody.open(uri)
    assert caught.value.code == "PL152"


class PlaintextKeyring(KeyringBackend):
    """Named as the one that keeps passwords in a readable file."""

    priority = 9  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[(service, username)]


@pytest.mark.parametrize(
    "backend", [fail.Keyring(), null.Keyring(), chainer.ChainerBackend(), PlaintextKeyring()]
)
def test_a_keyring_that_is_not_on_our_list_is_refused(backend: KeyringBackend) -> None:
    with pytest.raises(BadContract) as caught:
        check_keyring(backend)
    assert caught.value.code == "PL152"


def test_a_master_key_lives_in_a_trusted_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an in-memory keyring on the list, since few test machines have a real one."""
    kept = PlaintextKeyring()
    monkeypatch.setattr(keys, "KEYRINGS", (f"{__name__}.PlaintextKeyring",))
    monkeypatch.setattr("keyring.backend.get_all_keyring", lambda: [fail.Keyring(), kept])

    made = Custody.create("keyring:clinic")

    assert Custody.open("keyring:clinic").signing_seed() == made.signing_seed()
    assert list(kept.kept) == [("privlab", "clinic")]
    for uri, act in (("keyring:clinic", Custody.create), ("keyring:other", Custody.open)):
        with pytest.raises(BadContract) as caught:
            act(uri)
        assert caught.value.code == "PL152"
    kept.kept[("privlab", "clinic")] = "not base64!"
    with pytest.raises(IntegrityError) as damaged:
        Custody.open("keyring:clinic")
    assert damaged.value.code == "PL404"


def test_without_a_trusted_keyring_the_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyring.backend.get_all_keyring", lambda: [fail.Keyring()])

    with pytest.raises(BadContract) as caught:
        Custody.open("keyring:clinic")

    assert caught.value.code == "PL152"
    assert "file:keys/master.key" in caught.value.hint
