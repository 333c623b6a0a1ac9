"""A file that a passphrase opens: wrong ones, changed files, old files."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from privlab.connector.durable import locked
from privlab.connector.keys import Custody
from privlab.connector.providers import passphrase
from privlab.connector.providers.passphrase import PassphraseFile
from privlab.connector.providers.provider import (
    PASSPHRASE_FILE,
    Secrets,
    as_passphrase,
    forget,
    master_name,
)
from privlab.errors import BadContract, IntegrityError, PrivlabError

from .conftest import GIVEN, PASSPHRASE
from .test_schemes import NOW, ONE, TWO

pytestmark = pytest.mark.usefixtures("light")


def typed(text: bytes) -> Secrets:
    return Secrets.typed(lambda: text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    PassphraseFile(tmp_path / "master.key", GIVEN).add(ONE)
    return tmp_path / "master.key"


def refusal(path: Path, given: Secrets = GIVEN) -> PrivlabError:
    with pytest.raises(PrivlabError) as caught:
        PassphraseFile(path, given).read()
    shown = str(caught.value)
    assert PASSPHRASE.decode() not in shown
    assert "Zephyrine" not in shown
    return caught.value


def test_another_passphrase_does_not_open_it(path: Path) -> None:
    told = refusal(path, typed(b"Zephyrine Quillfeather"))

    assert told.code == "PL404"
    assert told.what.startswith("the passphrase does not open")


def test_every_changed_or_missing_byte_is_found(path: Path) -> None:
    """One bit of each byte, and each length: neither a master nor a stack trace comes out."""
    whole = path.read_bytes()
    codes = set()
    for at in range(0, len(whole), 5):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        codes.add(refusal(path).code)
        path.write_bytes(whole[:at])
        codes.add(refusal(path).code)

    assert codes == {"PL404"}


@pytest.mark.parametrize("asked", ["1", "2", "16383", "65537", str(1 << 21), str(1 << 40), "x"])
def test_a_file_cannot_ask_for_no_work_or_for_all_memory(path: Path, asked: str) -> None:
    body = json.loads(path.read_text())
    path.write_text(json.dumps({**body, "n": asked}))

    before = time.monotonic()
    assert refusal(path).code == "PL404"
    assert time.monotonic() - before < 1


def test_the_work_of_a_new_file_is_what_the_spec_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passphrase, "WORK", 1 << 17)
    PassphraseFile(tmp_path / "k", GIVEN).add(ONE)

    body = json.loads((tmp_path / "k").read_text())
    assert (body["kdf"], body["n"]) == ("scrypt", "131072")


def test_an_older_file_that_is_put_back_is_refused(tmp_path: Path) -> None:
    custody = Custody.create("file:keys/master.key", base=tmp_path, now=NOW, given=GIVEN)
    path = tmp_path / "keys" / "master.key"
    old = path.read_bytes()
    custody.rotate(NOW)
    path.write_bytes(old)

    with pytest.raises(IntegrityError) as caught:
        Custody.open("file:keys/master.key", base=tmp_path, given=GIVEN)

    assert caught.value.code == "PL412"


def test_an_older_file_is_refused_by_its_counter_alone(tmp_path: Path) -> None:
    """A file that holds the right master, and has seen less than the keychain has."""
    custody = Custody.create("file:keys/master.key", base=tmp_path, now=NOW, given=GIVEN)
    for _ in range(3):
        custody.rotate(NOW)
    path = tmp_path / "keys" / "master.key"
    path.unlink()
    PassphraseFile(path, GIVEN).add(custody.master())

    with pytest.raises(IntegrityError) as caught:
        Custody.open("file:keys/master.key", base=tmp_path, given=GIVEN)

    assert caught.value.code == "PL412"
    assert "the file of master keys" in caught.value.what


def test_a_plain_key_is_not_taken_for_a_sealed_one(tmp_path: Path) -> None:
    """Neither one of today, nor the 32 bytes of earlier versions."""
    Custody.create("plain:keys/master.key", base=tmp_path, now=NOW)
    path = tmp_path / "keys" / "master.key"

    told = refusal(path)
    assert told.code == "PL152"
    assert "plain:" in told.hint
    path.write_bytes(b"x" * 32)
    assert refusal(path).code == "PL152"
    with pytest.raises(BadContract) as early:
        Custody.open("plain:keys/master.key", base=tmp_path)
    assert "earlier version" in early.value.what


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o701])
def test_a_file_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)

    told = refusal(path)

    assert told.code == "PL152"
    assert "chmod 600" in told.hint


def test_a_link_a_pipe_or_a_folder_in_its_place_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)

    for name in ("link", "folder", "pipe", "absent"):
        assert refusal(tmp_path / name).code == "PL152"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(path: Path) -> None:
    os.chown(path, 12345, 12345)

    assert refusal(path).code == "PL152"


@pytest.mark.parametrize("weak", ["", "short", "elevensigns"])
def test_a_weak_passphrase_seals_nothing(tmp_path: Path, weak: str) -> None:
    with pytest.raises(BadContract) as caught:
        PassphraseFile(tmp_path / "k", typed(weak.encode())).add(ONE)
    assert caught.value.code == "PL152"
    assert not (tmp_path / "k").exists()


def test_a_passphrase_is_the_same_however_its_letters_are_composed() -> None:
    assert as_passphrase("Zoë".encode()) == as_passphrase("Zoe\u0308\n".encode())
    with pytest.raises(BadContract):
        as_passphrase(b"\xff\xfe not text")


def test_without_a_passphrase_it_says_how_to_give_one(path: Path) -> None:
    told = refusal(path, Secrets.found({}))

    assert told.code == "PL152"
    assert "privlab key unlock" in told.hint


def test_a_passphrase_file_must_be_closed_to_others(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(PASSPHRASE + b"\nanother line\n")
    file.chmod(0o644)
    given = Secrets.found({PASSPHRASE_FILE: str(file)})
    assert refusal(path, given).code == "PL152"

    file.chmod(0o600)

    assert PassphraseFile(path, given).read().by_name == {master_name(ONE): ONE}


def test_what_children_would_inherit_is_taken_out_of_the_environment() -> None:
    environ = {PASSPHRASE_FILE: "x", "BAO_TOKEN": "t", "VAULT_TOKEN": "u", "PATH": "/bin"}
    given = Secrets.found(environ)

    forget(environ)

    assert environ == {"PATH": "/bin"}
    assert given.token() == "t"
    assert repr(given) == "Secrets()"


def test_two_who_change_it_wait_for_each_other(path: Path) -> None:
    """Without the lock, one of the masters would be lost."""
    with locked(path):
        waiting = threading.Thread(target=lambda: PassphraseFile(path, GIVEN).add(TWO))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert set(PassphraseFile(path, GIVEN).read().by_name.values()) == {ONE}
    waiting.join(10)

    assert set(PassphraseFile(path, GIVEN).read().by_name.values()) == {ONE, TWO}
