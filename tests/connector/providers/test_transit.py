"""A master on a real OpenBao server: its context, its tokens, its seal, its versions."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from privlab.connector.keys import Custody
from privlab.connector.providers.provider import Secrets, master_name
from privlab.connector.providers.schemes import provider_of
from privlab.connector.providers.transit import Transit
from privlab.errors import BadContract, IntegrityError, PrivlabError

from .bao import ROOT, Bao, running
from .conftest import GIVEN
from .test_schemes import NOW, ONE, TWO


def given(token: str) -> Secrets:
    return Secrets(lambda: b"", lambda: token)


def refused(act: Callable[[], object]) -> PrivlabError:
    with pytest.raises(PrivlabError) as caught:
        act()
    assert ROOT not in str(caught.value)
    assert "errors" not in str(caught.value), "the server's own words"
    return caught.value


@pytest.fixture
def custody(transit_key: Callable[..., str]) -> str:
    return transit_key()


def test_what_was_sealed_for_one_name_does_not_open_as_another(
    custody: str, tmp_path: Path
) -> None:
    """The context is the master's name, and the server derives its key from it."""
    provider = provider_of(custody, tmp_path, GIVEN)
    provider.add(ONE)
    file = tmp_path / "keys" / "transit.json"
    body = json.loads(file.read_text())
    (ciphertext,) = body["sealed"].values()
    file.write_text(json.dumps({**body, "sealed": {master_name(TWO): ciphertext}}))

    assert refused(provider.read).code == "PL404"


def test_a_key_that_binds_no_context_is_refused(
    transit_key: Callable[..., str], tmp_path: Path
) -> None:
    provider = provider_of(transit_key(derived=False), tmp_path, GIVEN)

    told = refused(lambda: provider.add(ONE))

    assert told.code == "PL152"
    assert "derived=true" in told.hint
    assert not provider.exists()


def test_a_token_that_may_not_is_told_what_it_needs(bao: Bao, custody: str, tmp_path: Path) -> None:
    provider_of(custody, tmp_path, GIVEN).add(ONE)
    denied = provider_of(custody, tmp_path, given(bao.token()))
    unknown = provider_of(custody, tmp_path, given("no-such-token"))

    for provider in (denied, unknown):
        told = refused(provider.read)
        assert told.code == "PL152"
        assert "decrypt" in told.hint


def test_a_token_that_may_only_use_the_key_is_enough(
    bao: Bao, custody: str, tmp_path: Path
) -> None:
    """It cannot retire the server's old version; whoever can is told how."""
    name = custody.rpartition("/")[2]
    bao.operate("POST", f"transit/keys/{name}/rotate")
    weak = given(bao.token(f"encrypt/{name}", f"decrypt/{name}"))
    made = Custody.create(custody, base=tmp_path, now=NOW, given=weak)

    left = made.rotate(NOW)

    assert f"bao write transit/keys/{name}/config min_decryption_version=2" in left
    assert Custody.open(custody, base=tmp_path, given=weak).generation == made.generation


def test_a_shredding_retires_the_servers_version_too(
    bao: Bao, custody: str, tmp_path: Path
) -> None:
    """So the old file opens no more, whoever has kept a copy and has a token."""
    made = Custody.create(custody, base=tmp_path, now=NOW, given=GIVEN)
    file = tmp_path / "keys" / "transit.json"
    old = file.read_bytes()

    assert made.rotate(NOW) == ""

    key = bao.operate("GET", f"transit/keys/{custody.rpartition('/')[2]}")["data"]
    assert (key["latest_version"], key["min_decryption_version"]) == (2, 2)
    file.write_bytes(old)
    provider = provider_of(custody, tmp_path, GIVEN)
    assert refused(provider.read).code == "PL404"


def test_a_deleted_key_is_lost(bao: Bao, custody: str, tmp_path: Path) -> None:
    provider = provider_of(custody, tmp_path, GIVEN)
    provider.add(ONE)
    name = custody.rpartition("/")[2]
    bao.operate("POST", f"transit/keys/{name}/config", deletion_allowed=True)
    bao.operate("DELETE", f"transit/keys/{name}")

    assert refused(provider.read).code == "PL404"


def test_a_sealed_server_is_told_as_sealed(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        provider = provider_of(server.key("k"), tmp_path, GIVEN)
        provider.add(ONE)
        server.operate("PUT", "sys/seal")

        told = refused(provider.read)

        assert told.code == "PL152"
        assert told.what.endswith("is sealed")
    told = refused(provider.read)
    assert told.code == "PL152"
    assert "no transit server answers" in told.what


def test_a_file_that_is_none_of_ours_is_refused(custody: str, tmp_path: Path) -> None:
    provider = provider_of(custody, tmp_path, GIVEN)
    provider.add(ONE)
    file = tmp_path / "keys" / "transit.json"
    for content in (
        "",
        "[]",
        "{}",
        '{"counter": "1", "sealed": {}}',
        '{"counter": "1", "sealed": {"a": "b"}}',
    ):
        file.write_text(content)
        assert refused(provider.read).code == "PL404"


@pytest.mark.parametrize(
    "address",
    [
        "http://vault.example/transit/k",
        "ftp://127.0.0.1/transit/k",
        "https://user:secret@vault.example/transit/k",
        "https://vault.example/k",
        "https://vault.example/transit/k?x=1",
        "https://vault.example/transit/../k",
        "https://vault.example:port/transit/k",
        "transit/k",
    ],
)
def test_an_address_that_is_open_or_odd_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadContract) as caught:
        Transit(address, tmp_path / "t", GIVEN)
    assert caught.value.code == "PL152"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b'{"data": {"plaintext": "!"}}', b"<html>"])
def test_another_server_in_its_place_is_refused(
    answer: bytes, custody: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = provider_of(custody, tmp_path, GIVEN)
    provider.add(ONE)
    real = httpx.Client
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=answer))
    monkeypatch.setattr(
        "privlab.connector.providers.transit.httpx.Client",
        lambda **how: real(**{**how, "transport": transport}),
    )

    assert refused(provider.read).code in ("PL152", "PL404")


def test_the_token_is_in_no_log_and_no_file(
    custody: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    made = Custody.create(custody, base=tmp_path, now=NOW, given=GIVEN)

    assert caplog.records, "httpx logs, so this would see it"
    assert ROOT not in caplog.text
    assert made.master().hex() not in caplog.text
    assert all(ROOT.encode() not in f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())


def test_a_token_comes_from_a_file_that_is_closed_to_others(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("s.token\n")
    file.chmod(0o640)
    found = Secrets.found({"PRIVLAB_TRANSIT_TOKEN_FILE": str(file), "BAO_TOKEN": "other"})
    with pytest.raises(BadContract):
        found.token()

    file.chmod(0o600)

    assert found.token() == "s.token"
    with pytest.raises(BadContract, match="no token"):
        Secrets.found({}).token()


def test_a_failed_creation_leaves_nothing(bao: Bao, tmp_path: Path) -> None:
    absent = f"transit:{bao.url}/transit/never-made"
    weak = given(bao.token("encrypt/other"))

    with pytest.raises((BadContract, IntegrityError)):
        Custody.create(absent, base=tmp_path, now=NOW, given=weak)

    assert not (tmp_path / "keys" / "keychain").exists()
    assert not (tmp_path / "keys" / "transit.json").exists()
