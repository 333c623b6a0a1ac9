"""Is this file the encrypted one that was signed?

A part of a table version is a bucket of its units, in two files: their rows, and the
units themselves with how many rows each has.  Parquet Modular Encryption
authenticates the pages of a file, but a reader takes another file in its place, even
a plaintext one.  So a manifest holds, per file, the size and the SHA-256 of the
encrypted footer.  Pages and footer carry the
file's unique id in their additional data, so a fixed footer fixes the pages
(Parquet Modular Encryption, sections 4.4 and 5.1).  Decodes no Parquet.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from privlab.errors import IntegrityError

FORMAT = "privlab/table/v1"

MAGIC = b"PARE"
"""First and last bytes of a Parquet file with an encrypted footer."""

PLAIN_MAGIC = b"PAR1"


ROWS, UNITS = "rows", "units"
"""The two files of a part: the contract's columns without the unit; and the units in order."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One encrypted file.

    size: bytes on disk, padded.  footer_sha256: hex digest of the encrypted
    footer, its length and the closing magic.
    """

    name: str
    size: int
    footer_sha256: str


@dataclass(frozen=True, slots=True)
class PartFacts:
    """One part: the units whose pseudonyms fall in ``bucket``, and their rows.

    written: the version in which it was written; an earlier one's where it was carried over.
    """

    bucket: int
    written: int
    rows: FileFacts
    units: FileFacts

    @property
    def files(self) -> tuple[FileFacts, FileFacts]:
        """Rows, then units."""
        return self.rows, self.units


def file_name(kind: str, bucket: int) -> str:
    """A bucket's file of this kind."""
    return f"{kind}-{bucket:04d}.parquet"


def aad_prefix(dataset: str, table: str, written: int, bucket: int, kind: str) -> bytes:
    """The additional data every page of a file is bound to; never stored in the file."""
    return "\0".join((FORMAT, dataset, table, str(written), str(bucket), kind)).encode("utf-8")


def footer_length(last_eight: bytes) -> int:
    """Bytes of the footer with its own length field and the closing magic."""
    return int.from_bytes(last_eight[-8:-4], "little") + 8


def footer_digest(data: bytes) -> str:
    """The hex SHA-256 of the footer, its length and the closing magic."""
    return hashlib.sha256(data[-footer_length(data[-8:]) :]).hexdigest()


def open_regular(path: Path) -> BinaryIO:
    """The file at ``path``, for reading, if it is a regular one itself.

    Whoever can write to a table's folder could put a pipe there, which keeps its
    reader waiting, or a link to what should not be read.

    :raises OSError: absent, unreadable, a link, a pipe, a device or a folder.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def check_bytes(facts: FileFacts, data: bytes) -> None:
    """Return when these bytes are the file that was signed.

    :raises IntegrityError: PL403, no encrypted Parquet file; PL402, another one.
    """
    _check(facts, len(data), data[:4], data[-footer_length(data[-8:]) :])


def check_file(facts: FileFacts, path: Path) -> None:
    """As `check_bytes`, reading both ends of the file only.

    :raises IntegrityError: PL402, PL403.
    """
    try:
        with open_regular(path) as file:
            _check_open(facts, file)
    except OSError:
        raise _unreadable(facts) from None


def read_file(facts: FileFacts, path: Path) -> bytes:
    """The file's bytes, read only when `check_file` holds; they are still to be checked themselves.

    :raises IntegrityError: PL402, PL403.
    """
    try:
        with open_regular(path) as file:
            _check_open(facts, file)
            return file.read(facts.size)
    except OSError:
        raise _unreadable(facts) from None


def _check_open(facts: FileFacts, file: BinaryIO) -> None:
    descriptor = file.fileno()
    size = os.fstat(descriptor).st_size
    head = os.pread(descriptor, 4, 0)
    length = min(footer_length(os.pread(descriptor, 8, max(0, size - 8))), size)
    _check(facts, size, head, os.pread(descriptor, length, size - length))


def _check(facts: FileFacts, size: int, head: bytes, tail: bytes) -> None:
    ends = (head, tail[-4:])
    if PLAIN_MAGIC in ends or (size == facts.size and ends != (MAGIC, MAGIC)):
        raise IntegrityError(
            "a part of the table is not encrypted",
            code="PL403",
            facts={"part": facts.name},
            hint="find out who replaced it, then restore the table version from a backup",
        )
    if size != facts.size:
        raise _changed(facts, "has another size than was signed")
    if hashlib.sha256(tail).hexdigest() != facts.footer_sha256:
        raise _changed(facts, "is not the file that was signed")


def _unreadable(facts: FileFacts) -> IntegrityError:
    return _changed(facts, "is missing, or is no file that can be read")


def _changed(facts: FileFacts, what: str) -> IntegrityError:
    return IntegrityError(
        f"a part of the table {what}",
        code="PL402",
        facts={"part": facts.name},
        hint="restore the table version from a backup, or protect the table again",
    )
