"""Custody: a key opens in its own place only, and what was shredded opens no more."""

from __future__ import annotations

import copy
import hmac
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.connector.keys import KEYCHAIN_FILE, Custody, Place
from privlab.connector.providers.provider import master_name
from privlab.errors import BadContract, IntegrityError

MASTER = Custody(b"\x01" * 32)
PLACE = Place("clinic", "visits", 1, "age")
NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
PLAIN = "plain:keys/master.key"

names = st.text(max_size=12)
places = st.builds(Place, names, names, st.integers(1, 99), names)


@given(key=st.binary(min_size=32, max_size=32), place=places)
def test_a_wrapped_key_opens_in_its_place(key: bytes, place: Place) -> None:
    assert MASTER.unwrap(MASTER.wrap(key, place), place) == key


@pytest.mark.parametrize(
    "place",
    [
        Place("clinic", "visits", 2, "age"),
        Place("clinic", "visits", 1, "ward"),
        Place("clinic", "patients", 1, "age"),
        Place("hospital", "visits", 1, "age"),
    ],
)
def test_a_wrapped_key_does_not_open_elsewhere(place: Place) -> None:
    """Neither where there is no key, nor under the key of the other place."""
    custody = Custody(b"\x01" * 32)
    wrapped = custody.wrap(b"k" * 32, PLACE)

    for _ in range(2):
        with pytest.raises(IntegrityError) as caught:
            custody.unwrap(wrapped, place)
        assert caught.value.code == "PL404"
        custody.provide([place])


@given(flip=st.integers(0, 8 * 64 - 1))
def test_an_altered_wrapped_key_does_not_open(flip: int) -> None:
    wrapped = bytearray(MASTER.wrap(b"k" * 32, PLACE))
    wrapped[flip // 8] ^= 1 << flip % 8

    with pytest.raises(IntegrityError) as caught:
        MASTER.unwrap(bytes(wrapped), PLACE)

    assert caught.value.code == "PL404"


@pytest.mark.parametrize("wrapped", [b"", b"x" * 11, b"pvE1", b"pvE1" + b"x" * 12, b"x" * 64])
def test_what_is_no_wrapped_key_does_not_open(wrapped: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        MASTER.unwrap(wrapped, PLACE)
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


def test_what_was_sealed_opens_while_every_place_has_its_key() -> None:
    custody = Custody(b"\x01" * 32)
    both = [PLACE, Place("clinic", "visits", 1, "ward")]
    custody.provide(both)
    sealed = custody.seal(b"an answer", both, "answer 1")

    assert custody.unseal(sealed, reversed(both), "answer 1") == b"an answer"
    for wrong, label in ((both[:1], "answer 1"), (both, "answer 2")):
        with pytest.raises(IntegrityError) as caught:
            custody.unseal(sealed, wrong, label)
        assert caught.value.code == "PL404"
    custody.shred(both[1:], NOW)
    with pytest.raises(IntegrityError) as gone:
        custody.unseal(sealed, both, "answer 1")
    assert gone.value.code == "PL411"
    assert "column ward of clinic.visits version 1" in gone.value.what


def test_what_was_shredded_never_gets_a_key_again() -> None:
    custody = Custody(b"\x01" * 32)
    custody.wrap(b"k" * 32, PLACE)
    custody.shred([PLACE], NOW)

    for act in (lambda: custody.provide([PLACE]), lambda: custody.wrap(b"k" * 32, PLACE)):
        with pytest.raises(IntegrityError) as caught:
            act()
        assert caught.value.code == "PL411"
    custody.wrap(b"k" * 32, Place("clinic", "visits", 2, "age"))


def made(folder: Path) -> Custody:
    return Custody.create(PLAIN, base=folder, now=NOW)


def test_what_was_made_is_there_at_the_next_start(tmp_path: Path) -> None:
    first = made(tmp_path)
    wrapped = first.wrap(b"k" * 32, PLACE)

    again = Custody.open(PLAIN, base=tmp_path)

    assert again.signing_seed() == first.signing_seed()
    assert again.unwrap(wrapped, PLACE) == b"k" * 32
    assert (again.generation, again.since) == (2, "2026-11-24T05:00:00Z")
    with pytest.raises(BadContract) as caught:
        made(tmp_path)
    assert caught.value.code == "PL152"


def test_a_rotation_changes_the_master_and_nothing_that_it_opens(tmp_path: Path) -> None:
    custody = made(tmp_path)
    wrapped, before = custody.wrap(b"k" * 32, PLACE), custody.master()
    sealed = custody.seal(b"an answer", [PLACE], "a")

    assert custody.rotate(NOW.replace(year=2027)) == ""

    assert custody.master() != before
    again = Custody.open(PLAIN, base=tmp_path)
    assert again.since == "2027-11-24T05:00:00Z"
    assert again.unwrap(wrapped, PLACE) == b"k" * 32
    assert again.unseal(sealed, [PLACE], "a") == b"an answer"
    assert again.signing_seed() == custody.signing_seed()


def test_an_old_keychain_does_not_open_with_the_new_master(tmp_path: Path) -> None:
    """So a backup of the keychain from before brings nothing back."""
    custody = made(tmp_path)
    custody.wrap(b"k" * 32, PLACE)
    old = (tmp_path / KEYCHAIN_FILE).read_bytes()
    custody.shred([PLACE], NOW)
    seen = custody.generation

    (tmp_path / KEYCHAIN_FILE).write_bytes(old)

    with pytest.raises(IntegrityError) as caught:
        Custody.open(PLAIN, base=tmp_path, least=seen)
    assert caught.value.code == "PL412"


def test_keys_that_were_put_back_together_are_caught_by_what_the_ledger_saw(
    tmp_path: Path,
) -> None:
    custody = made(tmp_path)
    custody.wrap(b"k" * 32, PLACE)
    old = {name: (tmp_path / "keys" / name).read_bytes() for name in ("keychain", "master.key")}
    custody.shred([PLACE], NOW)

    for name, content in old.items():
        (tmp_path / "keys" / name).write_bytes(content)

    with pytest.raises(IntegrityError) as caught:
        Custody.open(PLAIN, base=tmp_path, least=custody.generation)
    assert caught.value.code == "PL412"
    assert Custody.open(PLAIN, base=tmp_path).places() == (PLACE,), "or else it would come back"


def test_a_keychain_whose_bytes_were_changed_does_not_open(tmp_path: Path) -> None:
    made(tmp_path)
    path = tmp_path / KEYCHAIN_FILE
    whole = path.read_bytes()

    changed = [
        whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 7)
    ]
    for bad in (b"", whole[:40], whole[:-1], *changed):
        path.write_bytes(bad)
        with pytest.raises(IntegrityError) as caught:
            Custody.open(PLAIN, base=tmp_path)
        assert caught.value.code in ("PL404", "PL412")
    path.unlink()
    with pytest.raises(BadContract) as absent:
        Custody.open(PLAIN, base=tmp_path)
    assert absent.value.code == "PL152"


def test_a_change_that_was_cut_short_leaves_one_master(tmp_path: Path) -> None:
    custody = made(tmp_path)
    custody._stored._provider.add(b"z" * 32)

    again = Custody.open(PLAIN, base=tmp_path)

    assert list(again._stored.masters().by_name) == [master_name(custody.master())]


def test_a_proof_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not keep what was written, for example."""
    custody = made(tmp_path)
    custody.wrap(b"k" * 32, PLACE)
    before = custody._stored.reread()
    monkeypatch.setattr(type(custody._stored), "reread", lambda _: before)

    with pytest.raises(IntegrityError) as caught:
        custody.shred([PLACE], NOW)

    assert caught.value.code == "PL404"
    assert "can still be read" in caught.value.what


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_secret_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(IntegrityError) as caught:
        Custody(b"x" * size)
    assert caught.value.code == "PL404"


def test_thousands_of_places_rotate_shred_and_open_as_few_do(tmp_path: Path) -> None:
    """One file is written, of at most 120 bytes for each key and 80 for each that is gone."""
    places = [
        Place("clinic", "visits", v, f"column_{c:05d}") for v in (1, 2, 3) for c in range(2500)
    ]
    custody = Custody.create("plain:keys/master.key", base=tmp_path, now=NOW)
    wrapped = custody.wrap(b"k" * 32, places[-1])
    custody.provide(places)
    file = tmp_path / KEYCHAIN_FILE
    assert file.stat().st_size < 120 * len(places)

    custody.rotate(NOW)
    custody.shred(places[:5000], NOW)

    again = Custody.open("plain:keys/master.key", base=tmp_path, least=custody.generation)
    assert again.places() == tuple(places[5000:])
    assert again.gone() == tuple(places[:5000])
    assert again.unwrap(wrapped, places[-1]) == b"k" * 32
    assert file.stat().st_size < 120 * 2500 + 80 * 5000
    for place in places[:5000:999]:
        with pytest.raises(IntegrityError) as caught:
            again.wrap(b"k" * 32, place)
        assert caught.value.code == "PL411"
