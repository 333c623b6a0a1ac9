"""Where the rows of a table version are from: the source, the contract, the program.

A digest of rows tells whoever guesses them that the guess is right.  So the manifest
holds HMACs under a key that the workspace derives for the table and that leaves
the curator never; the digest itself is stored nowhere (``docs/spec/table.md``, Lineage).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_SOURCE = b"privlab/lineage/source/v1\0"
_CONTRACT = b"privlab/lineage/contract/v1\0"
KEY_LABEL = "lineage"
"""Of `Custody.derive`, with the dataset and the table."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What one version brought into a table.

    version: it.  tool: the program that read the source, as ``privlab 0.1.0``.
    contract: HMAC-SHA256 of the contract's text in hex; source: of the source's digest,
    or "" where it has no bytes of its own, as a frame or a database.
    """

    version: int
    tool: str
    contract: str
    source: str

    @classmethod
    def of(cls, key: bytes, version: int, tool: str, contract_text: str, digest: str) -> Lineage:
        """key: 32 secret bytes of the table.  digest: of the source, or ""."""
        return cls(
            version,
            tool,
            _mac(key, _CONTRACT, contract_text),
            _mac(key, _SOURCE, digest) if digest else "",
        )

    def is_from(self, key: bytes, digest: str) -> bool:
        """Whether the source with this digest is the one."""
        return bool(self.source) and hmac.compare_digest(self.source, _mac(key, _SOURCE, digest))


def source_digest(files: Iterable[Path]) -> str:
    """SHA-256 in hex of the files' bytes, whatever their names and their order.

    One file's own; of several, of the ascending list of their digests.

    :raises OSError: one cannot be read.
    """
    digests = []
    for file in files:
        with file.open("rb") as opened:
            digests.append(hashlib.file_digest(opened, "sha256").hexdigest())
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(sorted(digests)).encode("ascii")).hexdigest()


def _mac(key: bytes, label: bytes, text: str) -> str:
    return hmac.new(key, label + text.encode("utf-8"), hashlib.sha256).hexdigest()
