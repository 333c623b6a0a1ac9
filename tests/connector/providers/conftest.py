"""Every provider, made the same way, so that one suite asks all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail

from privlab.connector.providers import passphrase, system_keyring
from privlab.connector.providers.provider import Secrets

from .bao import ROOT, Bao, running

PASSPHRASE = b"correct horse battery staple"
GIVEN = Secrets(lambda: PASSPHRASE, lambda: ROOT)
SCHEMES = ("plain", "file", "keyring", "transit")

_numbers = itertools.count()


class MemoryKeyring(KeyringBackend):
    """A keyring of this process, since few test machines have a system's."""

    priority = 9  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def memory_keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """Found beside one that is refused, and put on the list of those we trust."""
    kept = MemoryKeyring()
    own = f"{MemoryKeyring.__module__}.{MemoryKeyring.__qualname__}"
    monkeypatch.setattr(system_keyring, "KEYRINGS", (own,))
    monkeypatch.setattr("keyring.backend.get_all_keyring", lambda: [fail.Keyring(), kept])
    return kept


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with running(tmp_path_factory.mktemp("bao")) as server:
        yield server


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """New files ask for little of scrypt; what is read says itself what it needs."""
    monkeypatch.setattr(passphrase, "WORK", passphrase.LEAST_WORK)


@pytest.fixture(params=SCHEMES)
def uri(request: pytest.FixtureRequest, light: None, tmp_path: Path) -> str:
    """A custody of each scheme, with nothing in it yet."""
    match request.param:
        case "keyring":
            request.getfixturevalue("memory_keyring")
            return "keyring:clinic"
        case "transit":
            return request.getfixturevalue("bao").key(f"k{next(_numbers)}")
        case scheme:
            return f"{scheme}:keys/master.key"


@pytest.fixture
def transit_key(bao: Bao) -> Callable[..., str]:
    """A new transit key of the server; its custody."""
    return lambda **how: bao.key(f"k{next(_numbers)}", **how)
