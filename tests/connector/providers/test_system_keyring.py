"""Only a system's keyring holds a master: no plain text, nothing, no chain, no stranger."""

from __future__ import annotations

from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked

from privlab.connector.keys import Custody
from privlab.connector.providers.system_keyring import SystemKeyring, check_keyring, trusted_keyring
from privlab.errors import BadContract, IntegrityError

from .conftest import MemoryKeyring
from .test_schemes import NOW


class PlaintextKeyring(MemoryKeyring):
    """Named as the one that keeps passwords in a readable file."""


class SecretService(MemoryKeyring):
    """Named as a good one, from elsewhere."""


BAD = [
    fail.Keyring(),
    null.Keyring(),
    chainer.ChainerBackend(),
    PlaintextKeyring(),
    SecretService(),
]


@pytest.mark.parametrize("backend", BAD, ids=lambda one: type(one).__name__)
def test_a_keyring_that_is_not_on_our_list_is_refused(backend: KeyringBackend) -> None:
    with pytest.raises(BadContract) as caught:
        check_keyring(backend)
    assert caught.value.code == "PL152"


@pytest.mark.parametrize("backend", BAD, ids=lambda one: type(one).__name__)
def test_it_is_never_found_either_whatever_its_priority(
    backend: KeyringBackend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("keyring.backend.get_all_keyring", lambda: [backend])

    with pytest.raises(BadContract) as caught:
        trusted_keyring()

    assert caught.value.code == "PL152"
    assert "file:keys/master.key" in caught.value.hint
    with pytest.raises(BadContract):
        Custody.create("keyring:clinic", base=tmp_path, now=NOW)
    assert not (tmp_path / "keys" / "keychain").exists()


def test_what_is_no_master_is_not_taken_for_one(memory_keyring: MemoryKeyring) -> None:
    for text in ("not a key", "", "[]", '{"counter": "1", "masters": ["AAAA"]}'):
        memory_keyring.kept["privlab", "clinic"] = text

        with pytest.raises(IntegrityError) as caught:
            SystemKeyring("clinic").read()

        assert caught.value.code == "PL404"


def test_a_locked_keyring_is_told_in_our_words(
    memory_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise KeyringLocked("the vault of Zephyrine is locked")

    monkeypatch.setattr(memory_keyring, "get_password", refuse)

    with pytest.raises(BadContract) as caught:
        SystemKeyring("clinic").read()

    assert "Zephyrine" not in str(caught.value)
    assert "unlock it" in caught.value.hint
