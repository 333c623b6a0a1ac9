"""What all local files of masters share."""

from __future__ import annotations

from pathlib import Path

import pytest

from privlab.connector.providers.key_file import KeyFile
from privlab.connector.providers.passphrase import PassphraseFile
from privlab.connector.providers.plain import PlainFile
from privlab.connector.providers.provider import Secrets, master_name
from privlab.errors import BadContract

ONE, TWO = bytes(range(32)), bytes(32)


@pytest.fixture(params=["plain", "passphrase"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> KeyFile:
    if request.param == "plain":
        return PlainFile(tmp_path / "master")
    return PassphraseFile(tmp_path / "master", Secrets(lambda: b"four or five words", str))


def test_a_file_that_is_not_there_says_how_to_get_it_back(file: KeyFile) -> None:
    with pytest.raises(BadContract, match="no readable master key") as refused:
        file.read()
    assert refused.value.code == "PL152"
    assert "privlab key restore" in refused.value.hint


def test_every_change_counts_one_up_and_keeping_what_is_alone_is_none(file: KeyFile) -> None:
    file.add(ONE)
    assert file.read().counter == 1
    file.add(TWO)
    assert file.read().counter == 2
    file.keep(master_name(TWO))
    assert (file.read().by_name, file.read().counter) == ({master_name(TWO): TWO}, 3)
    file.keep(master_name(TWO))
    assert file.read().counter == 3


def test_a_file_that_is_destroyed_is_gone(file: KeyFile) -> None:
    file.add(ONE)
    file.destroy()
    assert not file.exists()
