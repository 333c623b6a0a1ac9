"""One suite for every provider: what goes in comes out, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from privlab.connector.keys import KEYCHAIN_FILE, Custody, Place
from privlab.connector.providers.provider import Provider, master_name
from privlab.connector.providers.schemes import provider_of, schemes
from privlab.errors import BadContract, IntegrityError

from .conftest import GIVEN

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
ONE, TWO = b"1" * 32, b"2" * 32
PLACE = Place("clinic", "visits", 1, "age")


@pytest.fixture
def fresh(uri: str, tmp_path: Path):
    """Another opening of the same place, as the next process has it."""

    def opened() -> Provider:
        return provider_of(uri, tmp_path, GIVEN)

    return opened


def test_what_was_added_is_there_for_the_next_process(fresh) -> None:
    assert not fresh().exists()

    fresh().add(ONE)

    assert fresh().exists()
    assert fresh().read().by_name == {master_name(ONE): ONE}


def test_it_holds_two_until_one_is_kept(fresh) -> None:
    provider = fresh()
    provider.add(ONE)
    provider.add(TWO)
    assert set(fresh().read().by_name.values()) == {ONE, TWO}

    provider.keep(master_name(TWO))

    assert fresh().read().by_name == {master_name(TWO): TWO}
    assert provider.keep(master_name(TWO)) == "", "again is no change"


def test_its_counter_rises_with_every_change(fresh) -> None:
    provider, seen = fresh(), []
    for act in (
        lambda: provider.add(ONE),
        lambda: provider.add(TWO),
        lambda: provider.keep(master_name(TWO)),
    ):
        act()
        seen.append(fresh().read().counter)

    assert seen == sorted(set(seen))


def test_what_is_not_there_says_so(fresh) -> None:
    with pytest.raises(BadContract) as caught:
        fresh().read()
    assert caught.value.code == "PL152"


def test_destroyed_is_gone(fresh) -> None:
    fresh().add(ONE)

    fresh().destroy()

    assert not fresh().exists()
    with pytest.raises(BadContract):
        fresh().read()


def test_a_custody_lives_rotates_and_shreds_in_it(uri: str, tmp_path: Path) -> None:
    custody = Custody.create(uri, base=tmp_path, now=NOW, given=GIVEN)
    wrapped = custody.wrap(b"k" * 32, PLACE)
    other = custody.wrap(b"o" * 32, Place("clinic", "visits", 1, "ward"))
    custody.rotate(NOW)

    again = Custody.open(uri, base=tmp_path, given=GIVEN, least=custody.generation)
    assert again.unwrap(wrapped, PLACE) == b"k" * 32
    again.shred([PLACE], NOW)

    last = Custody.open(uri, base=tmp_path, given=GIVEN, least=again.generation)
    assert last.unwrap(other, Place("clinic", "visits", 1, "ward")) == b"o" * 32
    with pytest.raises(IntegrityError) as gone:
        last.unwrap(wrapped, PLACE)
    assert gone.value.code == "PL411"


def test_a_backup_of_the_keychain_from_before_a_shredding_opens_no_more(
    uri: str, tmp_path: Path
) -> None:
    custody = Custody.create(uri, base=tmp_path, now=NOW, given=GIVEN)
    custody.wrap(b"k" * 32, PLACE)
    old = (tmp_path / KEYCHAIN_FILE).read_bytes()
    custody.shred([PLACE], NOW)

    (tmp_path / KEYCHAIN_FILE).write_bytes(old)

    with pytest.raises(IntegrityError) as caught:
        Custody.open(uri, base=tmp_path, given=GIVEN)
    assert caught.value.code == "PL412"


def test_no_master_lies_readable_beside_it(uri: str, tmp_path: Path) -> None:
    """Of plain: that is what its name says."""
    custody = Custody.create(uri, base=tmp_path, now=NOW, given=GIVEN)
    files = [path.read_bytes() for path in (tmp_path / "keys").iterdir() if path.is_file()]
    masters = provider_of(uri, tmp_path, GIVEN).read().by_name.values()
    import base64

    found = any(
        spelled in content
        for content in files
        for master in masters
        for spelled in (master, master.hex().encode(), base64.b64encode(master))
    )
    assert list(masters) == [custody.master()]
    assert found is uri.startswith("plain:")


def test_all_its_files_are_closed_to_others(uri: str, tmp_path: Path) -> None:
    Custody.create(uri, base=tmp_path, now=NOW, given=GIVEN)

    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "keys").iterdir()}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert all(mode == 0o600 for mode in modes.values()), modes


@pytest.mark.parametrize(
    "wrong", ["", "file:", "keyring:", "vault:x", "master.key", "pkcs11:token", "plain:"]
)
def test_unknown_custody_is_refused_and_the_known_ones_named(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(BadContract) as caught:
        provider_of(wrong, tmp_path, GIVEN)
    assert caught.value.code == "PL152"
    assert "keyring:NAME" in caught.value.hint


@pytest.mark.usefixtures("other_package")
def test_a_scheme_of_another_package_is_named_and_none_of_ours_is_replaced(
    other_package, tmp_path: Path
) -> None:
    other_package(
        "plain = privlab_shelf:Shelf\nshelf = privlab_shelf:Shelf\nX y = privlab_shelf:Shelf"
    )

    assert schemes() == ("keyring", "file", "plain", "transit", "shelf")
    assert type(provider_of("plain:keys/master.key", tmp_path, GIVEN)).__name__ == "PlainFile"
    assert type(provider_of("shelf:masters", tmp_path, GIVEN)).__name__ == "Shelf"


@pytest.mark.parametrize(
    "names",
    [
        "shelf = privlab_shelf:nothing",
        "shelf = privlab_shelf:json.dumps",
        "shelf = nowhere:Shelf",
        "shelf = privlab_shelf:_provider",
    ],
)
def test_a_package_that_does_not_work_is_told_in_our_words(
    names: str, other_package, tmp_path: Path
) -> None:
    other_package(names)

    with pytest.raises(BadContract, match="the package that brings custody shelf:") as caught:
        provider_of("shelf:masters", tmp_path, GIVEN)

    assert caught.value.code == "PL152"
