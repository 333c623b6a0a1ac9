"""``keyring:NAME``: masters in the system's keyring, of a backend on our list.

Never keyring's own choice: where no system keyring runs it may take one that writes
plain text, or that answers nothing.
"""

from __future__ import annotations

from privlab.connector.providers.provider import (
    Masters,
    decode_masters,
    encode_masters,
    master_name,
    unusable,
)

SERVICE = "privlab"

KEYRINGS = (
    "keyring.backends.SecretService.Keyring",
    "keyring.backends.libsecret.Keyring",
    "keyring.backends.kwallet.DBusKeyring",
    "keyring.backends.kwallet.DBusKeyringKWallet5",
    "keyring.backends.macOS.Keyring",
    "keyring.backends.Windows.WinVaultKeyring",
)
"""The system keyrings we trust."""


class SystemKeyring:
    """See `provider.Provider`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def exists(self) -> bool:
        return self._get() is not None

    def read(self) -> Masters:
        stored = self._get()
        if stored is None:
            raise unusable(
                f"the keyring has no master key {self._name!r}",
                "restore it with: privlab key restore; or make a workspace with: privlab init",
            )
        return decode_masters(stored.encode("utf-8", "replace"))

    def add(self, master: bytes) -> None:
        held = self.read() if self.exists() else Masters({})
        self._set(Masters({**held.by_name, master_name(master): master}, held.counter + 1))

    def keep(self, name: str) -> str:
        held = self.read()
        if set(held.by_name) != {name}:
            self._set(Masters({name: held.by_name[name]}, held.counter + 1))
        return ""

    def destroy(self) -> str:
        if self.exists():
            _call(trusted_keyring(), "delete_password", SERVICE, self._name)
        return ""

    def _get(self) -> str | None:
        return _call(trusted_keyring(), "get_password", SERVICE, self._name)

    def _set(self, masters: Masters) -> None:
        text = encode_masters(masters).decode("ascii")
        _call(trusted_keyring(), "set_password", SERVICE, self._name, text)


def trusted_keyring() -> object:
    """The system keyring of highest priority that is on our list.

    :raises BadContract: PL152, there is none; ``file:`` works everywhere.
    """
    from keyring.backend import get_all_keyring  # slow to import, and used only for keyring:

    usable = [b for b in get_all_keyring() if _class_name(b) in KEYRINGS]
    if not usable:
        raise unusable(
            "there is no system keyring we trust here",
            'keep the master key in a file with a passphrase: custody = "file:keys/master.key"',
        )
    return max(usable, key=lambda backend: float(backend.priority))


def check_keyring(backend: object) -> None:
    """Refuse a keyring that is not on our list: plain text, null, fail, chained or unknown.

    :raises BadContract: PL152.
    """
    if _class_name(backend) not in KEYRINGS:
        raise unusable(
            f"the keyring {_class_name(backend)} is not one we trust with a master key",
            'use the system\'s own, or: custody = "file:keys/master.key"',
        )


def _class_name(backend: object) -> str:
    kind = type(backend)
    return f"{kind.__module__}.{kind.__qualname__}"


def _call(backend: object, method: str, *arguments: str) -> str | None:
    from keyring.errors import KeyringError

    check_keyring(backend)
    try:
        result = getattr(backend, method)(*arguments)
    except KeyringError:
        raise unusable("the system keyring refused", "unlock it, then try again") from None
    return result if isinstance(result, str) else None
