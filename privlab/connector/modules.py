"""Parquet Modular Encryption, opened module by module.

A file is its footer and, per row group and column, a column's metadata and pages with
their headers.  Each of these modules is encrypted and authenticated alone, together
with where it belongs.  This opens and checks them, and decodes no value.  What does
not open, or is not what the table format allows, is `Damaged`, which says where.

Source: Apache Parquet, "Parquet Modular Encryption", 4.4 and 5; AES_GCM_V1 with an
encrypted footer, a key for every column and an additional text that is not stored.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privlab.connector import compact
from privlab.connector.compact import Malformed, Struct
from privlab.connector.parts import MAGIC

LENGTH, NONCE, TAG = 4, 12, 16
OVERHEAD = LENGTH + NONCE + TAG
MOST_ORDINAL = (1 << 15) - 1
"""Row groups, columns and pages are numbered in two bytes, with a sign."""

CODECS = {0: "uncompressed", 6: "zstd", 7: "lz4"}
"""The codecs of the table format, by their numbers in Parquet."""

_DATA_PAGE, _DICTIONARY_PAGE, _DATA_PAGE_V2 = 0, 2, 3


class Module(IntEnum):
    """Types of modules (4.4.2)."""

    FOOTER = 0
    COLUMN = 1
    DATA_PAGE = 2
    DICTIONARY_PAGE = 3
    DATA_HEADER = 4
    DICTIONARY_HEADER = 5


_WORDS = {
    Module.FOOTER: "the footer",
    Module.COLUMN: "the description",
    Module.DATA_PAGE: "page",
    Module.DICTIONARY_PAGE: "the dictionary",
    Module.DATA_HEADER: "the header of page",
    Module.DICTIONARY_HEADER: "the header of the dictionary",
}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a module belongs.  All from 0; -1 is none."""

    module: Module
    group: int = -1
    column: int = -1
    page: int = -1

    def suffix(self) -> bytes:
        """What is authenticated with it after the file's own id (4.4.2)."""
        ordinals = [n for n in (self.group, self.column, self.page) if n >= 0]
        return bytes([self.module]) + struct.pack(f"<{len(ordinals)}h", *ordinals)

    def __str__(self) -> str:
        """For the owner: no column's name, no value; counted from 1."""
        page = f" {self.page + 1}" if self.page >= 0 else ""
        group = f" in row group {self.group + 1}" if self.group >= 0 else ""
        return f"{_WORDS[self.module]}{page}{group}"


class Damaged(ValueError):
    """A module is not what was written.  column: its name, or "" for the file's footer."""

    def __init__(self, spot: Spot, column: str = "") -> None:
        super().__init__(f"{spot} does not open" if not column else f"{column}: {spot}")
        self.spot = spot
        self.column = column


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it was before encryption: compressed bytes and their header."""

    header: Struct
    data: bytes
    is_dictionary: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """A column's pages in one row group.  metadata: its ColumnMetaData."""

    metadata: Struct
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A file whose footer was opened.

    footer: its FileMetaData.  columns: their names, in order; all are flat.
    rows: of each row group.
    """

    footer: Struct
    columns: tuple[str, ...]
    rows: tuple[int, ...]
    _data: memoryview
    _aad: bytes
    _pages_end: int

    @classmethod
    def open(cls, data: bytes, aad_prefix: bytes, footer_key: bytes) -> Encrypted:
        """Open the footer.

        :raises Damaged: it is not one that was written so.
        """
        spot = Spot(Module.FOOTER)
        view = memoryview(data)
        try:
            size = int.from_bytes(view[-8:-4], "little")
            begin = len(view) - 8 - size
            if view[:4] != MAGIC or view[-4:] != MAGIC or size == 0 or begin < len(MAGIC):
                raise Malformed("no encrypted footer")
            tail = view[begin:-8]
            crypto, at = compact.read(tail)
            aad = aad_prefix + _file_id(crypto)
            plain, end = _opened(AESGCM(footer_key), tail, at, len(tail), aad + spot.suffix())
            if end != len(tail):
                raise Malformed("more than a footer")
            footer = compact.whole(plain)
            columns = _columns(footer)
            rows = tuple(
                _rows(group, at, columns) for at, group in enumerate(compact.structs(footer, 4))
            )
            if len(rows) > MOST_ORDINAL or sum(rows) != compact.number(footer, 3):
                raise Malformed("not as many rows as stated")
        except (Malformed, InvalidTag, UnicodeDecodeError):
            raise Damaged(spot) from None
        return cls(footer, columns, rows, view, aad, begin)

    def chunk(self, group: int, name: str, key: bytes) -> Chunk:
        """The pages of column ``name`` in row group ``group``.

        :raises Damaged: a page, its header or the column's metadata is not what was written.
        """
        column = self.columns.index(name)
        cipher = AESGCM(key)
        spot = Spot(Module.COLUMN, group, column)
        try:
            entry = compact.structs(compact.structs(self.footer, 4)[group], 1)[column]
            sealed = memoryview(compact.binary(entry, 9))
            plain, end = _opened(cipher, sealed, 0, len(sealed), self._aad + spot.suffix())
            metadata = compact.whole(plain)
            if end != len(sealed):
                raise Malformed("more than a description")
            start, stop = self._extent(metadata, name, self.rows[group])
        except (Malformed, InvalidTag):
            raise Damaged(spot, name) from None
        pages = tuple(self._walk(cipher, name, spot, start, stop, 11 in metadata))
        held = sum(_values(page) for page in pages if not page.is_dictionary)
        if held != self.rows[group]:
            raise Damaged(spot, name)
        return Chunk(metadata, pages)

    def _extent(self, metadata: Struct, name: str, rows: int) -> tuple[int, int]:
        first = compact.number(metadata, 9)
        start = compact.number(metadata, 11, first)
        stop = start + compact.number(metadata, 7)
        if (
            compact.binaries(metadata, 3) != (name.encode("utf-8"),)
            or compact.number(metadata, 4) not in CODECS
            or compact.number(metadata, 5) != rows
            or not len(MAGIC) <= start <= first <= stop <= self._pages_end
        ):
            raise Malformed("another column's description")
        return start, stop

    def _walk(
        self, cipher: AESGCM, name: str, column: Spot, at: int, stop: int, dictionary: bool
    ) -> Iterator[Page]:
        ordinal = 0
        while at < stop:
            if dictionary:
                kinds, page = (Module.DICTIONARY_HEADER, Module.DICTIONARY_PAGE), -1
            else:
                kinds, page = (Module.DATA_HEADER, Module.DATA_PAGE), ordinal
            spots = [Spot(kind, column.group, column.column, page) for kind in kinds]
            spot = spots[0]
            try:
                if page > MOST_ORDINAL:
                    raise Malformed("too many pages")
                plain, at = _opened(cipher, self._data, at, stop, self._aad + spot.suffix())
                header = compact.whole(plain)
                stated = _page_size(header, dictionary)
                spot = spots[1]
                data, end = _opened(cipher, self._data, at, stop, self._aad + spot.suffix())
                if end - at != stated:
                    raise Malformed("another page's header")
            except (Malformed, InvalidTag):
                raise Damaged(spot, name) from None
            at = end
            yield Page(header, data, dictionary)
            ordinal += not dictionary
            dictionary = False


def _opened(cipher: AESGCM, data: memoryview, at: int, stop: int, aad: bytes) -> tuple[bytes, int]:
    """The module that begins at ``at`` and must end by ``stop``, and where it ends.

    :raises Malformed: it would not.
    :raises InvalidTag: it was changed, belongs elsewhere, or the key is another's.
    """
    body = at + LENGTH
    end = body + int.from_bytes(data[at:body], "little")
    if end > stop or end < body + NONCE + TAG:
        raise Malformed("a length that reaches too far, or not far enough")
    return cipher.decrypt(data[body : body + NONCE], data[body + NONCE : end], aad), end


def _file_id(crypto: Struct) -> bytes:
    """The file's own id, of a file that is encrypted as tables are."""
    algorithm = compact.inner(crypto, 1)
    gcm = compact.inner(algorithm, 1)
    if len(algorithm) != 1 or 1 in gcm or not compact.flag(gcm, 3):
        raise Malformed("not AES_GCM_V1, or its additional text is stored")
    return compact.binary(gcm, 2)


def _columns(footer: Struct) -> tuple[str, ...]:
    root, *leaves = compact.structs(footer, 2) or ({},)
    names = tuple(compact.binary(leaf, 4).decode("utf-8") for leaf in leaves)
    if (
        compact.number(root, 5, 0) != len(names)
        or len(set(names)) != len(names)
        or len(names) > MOST_ORDINAL
        or any(5 in leaf or compact.number(leaf, 3) not in (0, 1) for leaf in leaves)
    ):
        raise Malformed("not a flat table")
    return names


def _rows(group: Struct, at: int, columns: tuple[str, ...]) -> int:
    """The rows of a row group whose columns are those of the file, each under its own key."""
    chunks = compact.structs(group, 1)
    paths = [compact.binaries(compact.inner(compact.inner(c, 8), 2), 1) for c in chunks]
    if (
        paths != [(name.encode("utf-8"),) for name in columns]
        or any(3 in chunk or 1 in chunk for chunk in chunks)
        or compact.number(group, 7, at) != at
    ):
        raise Malformed("columns out of order, or one without a key of its own")
    rows = compact.number(group, 3)
    if rows < 0:
        raise Malformed("fewer than no rows")
    return rows


def _page_size(header: Struct, dictionary: bool) -> int:
    """Bytes of the encrypted page behind its header; its kind must be the one that is due."""
    kind = compact.number(header, 1)
    if (kind == _DICTIONARY_PAGE) is not dictionary or compact.number(header, 2) < 0:
        raise Malformed("another kind of page")
    if kind not in (_DATA_PAGE, _DICTIONARY_PAGE, _DATA_PAGE_V2):
        raise Malformed("another kind of page")
    return compact.number(header, 3)


def _values(page: Page) -> int:
    """How many rows a data page holds; -1, so that no sum fits, where it does not say."""
    kind = compact.number(page.header, 1)
    try:
        return compact.number(compact.inner(page.header, 5 if kind == _DATA_PAGE else 8), 1)
    except Malformed:
        return -1
