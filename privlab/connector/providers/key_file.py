"""A local file of masters: locked while it is changed, mode 0600, replaced as a whole.

Knows not how its bytes are kept from readers; that is what `PlainFile` and
`PassphraseFile` differ in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from privlab.connector.durable import locked, read_private, remove
from privlab.connector.providers.provider import Masters, master_name, unusable


class KeyFile(ABC):
    """A `provider.Provider` whose place is one file; every change counts one up."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        return self._path.exists() or self._path.is_symlink()

    def read(self) -> Masters:
        try:
            raw = read_private(self._path)
        except FileNotFoundError:
            raise unusable(
                f"there is no readable master key at {self._path}",
                "restore it from a backup, or with: privlab key restore",
            ) from None
        return self._opened(raw)

    def add(self, master: bytes) -> None:
        with locked(self._path):
            held = self.read() if self.exists() else self._first()
            self._write(Masters({**held.by_name, master_name(master): master}, held.counter + 1))

    def keep(self, name: str) -> str:
        with locked(self._path):
            held = self.read()
            if set(held.by_name) != {name}:
                self._write(Masters({name: held.by_name[name]}, held.counter + 1))
        return ""

    def destroy(self) -> str:
        remove(self._path)
        return ""

    def _first(self) -> Masters:
        """What a file that is not there yet holds."""
        return Masters({})

    @abstractmethod
    def _opened(self, raw: bytes) -> Masters:
        """The masters in the file's bytes.  Raises as `provider.Provider` says."""

    @abstractmethod
    def _write(self, masters: Masters) -> None:
        """Replace the file, durably."""
