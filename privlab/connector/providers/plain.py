"""``plain:PATH``: masters in a file of one's own, not encrypted.

Protects from other users of the machine and from nothing else: whoever can read the
file, or a backup of it, can read the tables.  For demos, tests, and disks that are
encrypted themselves.
"""

from __future__ import annotations

from pathlib import Path

from privlab.connector.durable import locked, read_private, remove, write_private
from privlab.connector.providers.provider import (
    MASTER_BYTES,
    Masters,
    decode_masters,
    encode_masters,
    master_name,
    unusable,
)


class PlainFile:
    """See `provider.Provider`."""

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
        if len(raw) == MASTER_BYTES:
            raise unusable(
                f"{self._path} is a key of an earlier version, before keychains",
                "make a new workspace with: privlab init; then protect the files again",
            )
        return decode_masters(raw)

    def add(self, master: bytes) -> None:
        with locked(self._path):
            held = self.read() if self.exists() else Masters({})
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

    def _write(self, masters: Masters) -> None:
        write_private(self._path, encode_masters(masters))
