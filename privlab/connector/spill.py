"""Rows on their way to buckets, on disk but under a key that is never written down.

One file per bucket, without a name in any folder where the system has such files,
so that nothing remains of it when the process ends, however it ends.  What is
written is encrypted (AES-256-GCM) under a key that lives in this process alone.
A message's nonce is its number; its bucket and place are authenticated with it.
"""

from __future__ import annotations

import errno
import io
import itertools
import os
import secrets
import tempfile
import threading
from pathlib import Path

import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privlab.sandbox.limits import room_for_files

_LABEL = b"privlab/spill/v1"
_NO_SUCH_FILES = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL)
"""What a file system says that has no files without a name."""


class Spill:
    """Frames by bucket, written in pieces by any thread and taken back once."""

    def __init__(self, folder: Path, buckets: int) -> None:
        """folder: on the file system that is to hold the rows; buckets: 1..256."""
        room_for_files(buckets)
        self._folder = folder
        self._cipher = AESGCM(secrets.token_bytes(32))
        self._numbers = itertools.count()
        self._files: list[int | None] = [None] * buckets
        self._pieces: list[list[tuple[int, int]]] = [[] for _ in range(buckets)]
        self._sizes = [0] * buckets
        self._lock = threading.Lock()

    @property
    def largest(self) -> int:
        """Bytes of the fullest bucket, encrypted."""
        return max(self._sizes)

    def put(self, bucket: int, frame: pl.DataFrame) -> None:
        """Add rows to a bucket.

        :raises OSError: the disk is full.
        """
        buffer = io.BytesIO()
        frame.write_ipc_stream(buffer, compression="lz4", compat_level=pl.CompatLevel.oldest())
        number = next(self._numbers)
        sealed = self._cipher.encrypt(
            number.to_bytes(12, "little"), buffer.getbuffer(), _context(bucket)
        )
        with self._lock:
            file = self._files[bucket]
            if file is None:
                file = self._files[bucket] = nameless(self._folder)
            write_all(file, sealed)
            self._pieces[bucket].append((number, len(sealed)))
            self._sizes[bucket] += len(sealed)

    def take(self, bucket: int) -> pl.DataFrame | None:
        """All rows of a bucket, which gives up its file; None: it has none."""
        file = self._files[bucket]
        if file is None:
            return None
        frames = []
        at = 0
        for number, size in self._pieces[bucket]:
            sealed = os.pread(file, size, at)
            at += size
            plain = self._cipher.decrypt(number.to_bytes(12, "little"), sealed, _context(bucket))
            frames.append(pl.read_ipc_stream(plain))
        os.close(file)
        self._files[bucket] = None
        return pl.concat(frames, rechunk=True)

    def close(self) -> None:
        """Give up every file."""
        for bucket, file in enumerate(self._files):
            if file is not None:
                os.close(file)
                self._files[bucket] = None


def nameless(folder: Path) -> int:
    """A new file for reading and writing that no folder lists."""
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in _NO_SUCH_FILES:
            raise
    descriptor, name = tempfile.mkstemp(dir=folder)
    Path(name).unlink()
    return descriptor


def write_all(file: int, data: bytes | memoryview) -> None:
    """Write every byte at the end of a file.

    :raises OSError: the disk is full.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _context(bucket: int) -> bytes:
    return _LABEL + bucket.to_bytes(2, "big")
