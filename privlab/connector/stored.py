"""A keychain on disk, the provider of its master, and the order of every change."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from privlab.connector import keychain
from privlab.connector.durable import remove
from privlab.connector.keychain import KEY_BYTES, Keychain
from privlab.connector.providers.provider import Masters, Provider, master_name
from privlab.errors import BadContract, IntegrityError, PrivlabError


class Stored:
    """One workspace's keychain and master.

    A change of the master is: the provider holds both, the keychain is written under
    the new one (from here on it is the new state), the provider forgets the old one.
    Whoever is killed in between is set right at the next opening.
    """

    def __init__(self, path: Path, provider: Provider, master: bytes) -> None:
        self._path = path
        self._provider = provider
        self._master = master

    @classmethod
    def make(cls, path: Path, provider: Provider, chain: Keychain) -> Stored:
        """A new master and a new keychain; overwrites neither."""
        if path.exists() or path.is_symlink():
            raise BadContract(f"{path} exists already", code="PL152", hint="name another folder")
        if provider.exists():
            raise BadContract(
                "there is a master key in this custody already",
                code="PL152",
                hint="use that workspace, or name another custody",
            )
        master = secrets.token_bytes(KEY_BYTES)
        try:
            provider.add(master)
            keychain.write(path, chain, master)
        except PrivlabError:
            with suppress(PrivlabError):
                remove(path)
                if provider.exists():
                    provider.destroy()
            raise
        return cls(path, provider, master)

    @classmethod
    def open(cls, path: Path, provider: Provider) -> tuple[Stored, Keychain]:
        """What is there, after an interrupted change was ended one way or the other."""
        header, sealed = keychain.read(path)
        held = provider.read()
        master = held.by_name.get(header.master)
        if master is None:
            raise IntegrityError(
                "the master key in custody is not the one that sealed the keychain",
                code="PL412",
                hint="one of the two is an older copy: restore both from the newest backup, "
                "or with: privlab key restore",
            )
        chain = keychain.opened(header, sealed, master)
        if held.counter < chain.seen:
            raise older("the file of master keys")
        if len(held.by_name) > 1:  # a change was cut short
            provider.keep(header.master)
        return cls(path, provider, master), chain

    def write(self, chain: Keychain) -> None:
        """Under the master of today."""
        keychain.write(self._path, chain, self._master)

    def renew(self, chain: Keychain, provider: Provider | None = None) -> Keychain:
        """Under a new master, which the provider holds beside the old one until `retire`.

        provider: where the new master is kept as well.  Returns what was written.
        """
        fresh = secrets.token_bytes(KEY_BYTES)
        self._provider.add(fresh)
        if provider is not None:
            provider.add(fresh)
        seen = self._provider.read().counter if provider is None else 0
        counted = replace(chain, seen=seen)
        keychain.write(self._path, counted, fresh)
        self._master = fresh
        return counted

    def retire(self) -> str:
        """Destroy every master but today's.  Returns as `Provider.keep`."""
        return self._provider.keep(master_name(self._master))

    def masters(self) -> Masters:
        """What the provider holds now, asked anew."""
        return self._provider.read()

    @property
    def master(self) -> bytes:
        """For a recovery kit, and nothing else."""
        return self._master

    def reread(self) -> Keychain:
        """The keychain as it is on disk now."""
        header, sealed = keychain.read(self._path)
        return keychain.opened(header, sealed, self._master)


def older(what: str) -> IntegrityError:
    return IntegrityError(
        f"{what} is older than one already seen",
        code="PL412",
        hint="somebody put an old copy back: restore the newest backup of keys and ledger together",
    )
