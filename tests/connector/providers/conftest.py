"""Every provider, made the same way, so that one suite asks all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail

from privlab.connector.providers import passphrase, schemes, system_keyring
from privlab.connector.providers.provider import Secrets

from .bao import ROOT, Bao, running

PASSPHRASE = b"correct horse battery staple"
GIVEN = Secrets(lambda: PASSPHRASE, lambda: ROOT)
SCHEMES = ("plain", "file", "keyring", "transit", "shelf")

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


SHELF = """
import base64, json, os
from privlab.connector.providers.provider import Masters, master_name, unusable

class Shelf:
    '''Masters on a shelf of its own: what a token or a KMS would be.'''

    def __init__(self, rest, base, given):
        self.path, self.pin = base / rest, given.passphrase

    def exists(self):
        return os.path.exists(self.path)

    def read(self):
        self.pin()
        if not self.exists():
            raise unusable("there is nothing on the shelf", "restore it")
        with open(self.path) as file:
            kept = json.load(file)
        masters = [base64.b64decode(one) for one in kept["masters"]]
        return Masters({master_name(one): one for one in masters}, kept["counter"])

    def add(self, master):
        held = self.read() if self.exists() else Masters({})
        self.put({**held.by_name, master_name(master): master}, held.counter)

    def keep(self, name):
        held = self.read()
        if set(held.by_name) != {name}:
            self.put({name: held.by_name[name]}, held.counter)
        return ""

    def destroy(self):
        os.unlink(self.path)
        return ""

    def put(self, masters, counter):
        kept = [base64.b64encode(one).decode() for one in masters.values()]
        with open(f"{self.path}.new", "w") as file:
            json.dump({"masters": kept, "counter": counter + 1}, file)
        os.replace(f"{self.path}.new", self.path)
"""


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs a distribution that brings the scheme ``shelf:``, and is no part of privlab."""
    site = tmp_path / "site"

    def install(names: str = "shelf = privlab_shelf:Shelf") -> None:
        facts = site / "privlab_shelf-1.0.dist-info"
        facts.mkdir(parents=True)
        (facts / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: privlab-shelf\nVersion: 1.0\n"
        )
        (facts / "entry_points.txt").write_text(f"[{schemes.GROUP}]\n{names}\n")
        (site / "privlab_shelf.py").write_text(SHELF)
        monkeypatch.syspath_prepend(str(site))

    return install


@pytest.fixture(params=SCHEMES)
def uri(request: pytest.FixtureRequest, light: None, tmp_path: Path) -> str:
    """A custody of each scheme, with nothing in it yet."""
    match request.param:
        case "keyring":
            request.getfixturevalue("memory_keyring")
            return "keyring:clinic"
        case "transit":
            return request.getfixturevalue("bao").key(f"k{next(_numbers)}")
        case "shelf":
            request.getfixturevalue("other_package")()
            return "shelf:masters"
        case scheme:
            return f"{scheme}:keys/master.key"


@pytest.fixture
def transit_key(bao: Bao) -> Callable[..., str]:
    """A new transit key of the server; its custody."""
    return lambda **how: bao.key(f"k{next(_numbers)}", **how)
