"""``plain:PATH``: masters in a file of one's own, not encrypted.

Protects from other users of the machine and from nothing else: whoever can read the
file, or a backup of it, can read the tables.  For demos, tests, and disks that are
encrypted themselves.
"""

from __future__ import annotations

from privlab.connector.durable import write_private
from privlab.connector.providers.key_file import KeyFile
from privlab.connector.providers.provider import (
    MASTER_BYTES,
    Masters,
    decode_masters,
    encode_masters,
    unusable,
)


class PlainFile(KeyFile):
    """See `provider.Provider`."""

    def _opened(self, raw: bytes) -> Masters:
        if len(raw) == MASTER_BYTES:
            raise unusable(
                f"{self._path} is a key of an earlier version, before keychains",
                "make a new workspace with: privlab init; then protect the files again",
            )
        return decode_masters(raw)

    def _write(self, masters: Masters) -> None:
        write_private(self._path, encode_masters(masters))
