"""Is this file the encrypted part that was signed?

Parquet Modular Encryption authenticates the pages of a file, but a reader takes
another file in its place, even a plaintext one.  So a manifest holds, per part,
the size and the SHA-256 of the encrypted footer.  Pages and footer carry the
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


@dataclass(frozen=True, slots=True)
class PartFacts:
    """One encrypted file: rows of the units whose pseudonyms fall in ``bucket``.

    size: bytes on disk, padded.  footer_sha256: hex digest of the encrypted
    footer, its length and the closing magic.
    """

    name: str
    bucket: int
    size: int
    footer_sha256: str


def part_name(bucket: int) -> str:
    """The file of a bucket."""
    return f"part-{bucket:04d}.parquet"


def aad_prefix(dataset: str, table: str, version: int, bucket: int) -> bytes:
    """The additional data every page of a part is bound to; never stored in the file."""
    return "\0".join((FORMAT, dataset, table, str(version), str(bucket))).encode("utf-8")


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


def check_part(part: PartFacts, data: bytes) -> None:
    """Return when these bytes are the part that was signed.

    :raises IntegrityError: PL403, no encrypted Parquet file; PL402, another one.
    """
    _check(part, len(data), data[:4], data[-footer_length(data[-8:]) :])


def check_file(part: PartFacts, path: Path) -> None:
    """As `check_part`, reading both ends of the file only.

    :raises IntegrityError: PL402, PL403.
    """
    try:
        with open_regular(path) as file:
            _check_open(part, file)
    except OSError:
        raise _unreadable(part) from None


def read_part(part: PartFacts, path: Path) -> bytes:
    """The part's bytes, read only when `check_file` holds; they are still to be checked themselves.

    :raises IntegrityError: PL402, PL403.
    """
    try:
        with open_regular(path) as file:
            _check_open(part, file)
            return file.read(part.size)
    except OSError:
        raise _unreadable(part) from None


def _check_open(part: PartFacts, file: BinaryIO) -> None:
    descriptor = file.fileno()
    size = os.fstat(descriptor).st_size
    head = os.pread(descriptor, 4, 0)
    length = min(footer_length(os.pread(descriptor, 8, max(0, size - 8))), size)
    _check(part, size, head, os.pread(descriptor, length, size - length))


def _check(part: PartFacts, size: int, head: bytes, tail: bytes) -> None:
    ends = (head, tail[-4:])
    if PLAIN_MAGIC in ends or (size == part.size and ends != (MAGIC, MAGIC)):
        raise IntegrityError(
            "a part of the table is not encrypted",
            code="PL403",
            facts={"part": part.name},
            hint="find out who replaced it, then restore the table version from a backup",
        )
    if size != part.size:
        raise _changed(part, "has another size than was signed")
    if hashlib.sha256(tail).hexdigest() != part.footer_sha256:
        raise _changed(part, "is not the file that was signed")


def _unreadable(part: PartFacts) -> IntegrityError:
    return _changed(part, "is missing, or is no file that can be read")


def _changed(part: PartFacts, what: str) -> IntegrityError:
    return IntegrityError(
        f"a part of the table {what}",
        code="PL402",
        facts={"part": part.name},
        hint="restore the table version from a backup, or protect the table again",
    )
