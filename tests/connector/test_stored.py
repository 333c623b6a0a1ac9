"""The order in which a master is changed: both are held, then the file, then one is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from privlab.connector.keychain import Keychain
from privlab.connector.providers.plain import PlainFile
from privlab.connector.stored import Stored
from privlab.errors import BadContract, IntegrityError

CHAIN = Keychain(b"s" * 32, generation=1)


def made(folder: Path) -> tuple[Stored, PlainFile]:
    provider = PlainFile(folder / "master")
    return Stored.make(folder / "keychain", provider, CHAIN), provider


def test_both_masters_are_held_until_the_old_one_is_retired(tmp_path: Path) -> None:
    stored, provider = made(tmp_path)
    first = stored.master

    written = stored.renew(CHAIN)

    assert set(provider.read().by_name.values()) == {first, stored.master}
    assert stored.reread() == written
    stored.retire()
    assert set(provider.read().by_name.values()) == {stored.master}


def test_an_opening_ends_a_change_that_was_cut_short(tmp_path: Path) -> None:
    stored, provider = made(tmp_path)
    stored.renew(CHAIN)

    again, chain = Stored.open(tmp_path / "keychain", provider)

    assert again.master == stored.master
    assert chain.secret == CHAIN.secret
    assert set(provider.read().by_name.values()) == {stored.master}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    _, provider = made(tmp_path)

    for path in (tmp_path / "keychain", tmp_path / "other"):
        with pytest.raises(BadContract, match="already"):
            Stored.make(path, provider, CHAIN)


def test_masters_that_were_put_back_are_refused(tmp_path: Path) -> None:
    """Also where the keychain's master is among them."""
    stored, provider = made(tmp_path)
    stored.renew(CHAIN)
    both = (tmp_path / "master").read_bytes()
    stored.write(stored.renew(stored.reread()))
    (tmp_path / "master").write_bytes(both)

    with pytest.raises(IntegrityError) as caught:
        Stored.open(tmp_path / "keychain", provider)

    assert caught.value.code == "PL412"
