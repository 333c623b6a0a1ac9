"""Thrift's compact protocol, as Parquet's footers and page headers are written in it.

Values keep their field numbers and kinds, so that a structure can be read, changed in
one field and written again without a word of what the others mean.  Reading is strict
and total: every length is held against the bytes that are there before anything is
made of it, and whatever is not a structure is `Malformed`.  Knows nothing of Parquet.

Source: Apache Thrift, "Thrift Compact protocol".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

MAX_NESTING = 16
"""Parquet's own structures lie at most eight deep."""

_SHORT_LIST = 15
_NIBBLE = 15


class Malformed(ValueError):
    """Bytes that are no structure, or a structure without what was asked of it."""


class Kind(IntEnum):
    """What a field holds.  Doubles, sets, maps and UUIDs stand in no footer: refused."""

    BOOL = 1
    BYTE = 3
    I16 = 4
    I32 = 5
    I64 = 6
    BINARY = 8
    LIST = 9
    STRUCT = 12


_FALSE = 2
_BITS = {Kind.BYTE: 8, Kind.I16: 16, Kind.I32: 32, Kind.I64: 64}


@dataclass(frozen=True, slots=True)
class Listed:
    """The elements of a list, all of one kind."""

    kind: Kind
    items: tuple[Value, ...]


Value: TypeAlias = "bool | int | bytes | Listed | Struct"
Struct: TypeAlias = Mapping[int, tuple[Kind, "Value"]]
"""Field number to kind and value."""


def read(data: memoryview, at: int = 0) -> tuple[Struct, int]:
    """The structure that begins at ``at``, and where it ends.

    :raises Malformed: there is none.
    """
    source = _Source(data, at)
    found = source.struct(MAX_NESTING)
    return found, source.at


def whole(data: bytes) -> Struct:
    """The structure that these bytes are, from the first to the last.

    :raises Malformed: they are none.
    """
    found, end = read(memoryview(data))
    if end != len(data):
        raise Malformed("bytes after the end")
    return found


def write(struct: Struct) -> bytes:
    """Read it back with `read`."""
    out = bytearray()
    _put_struct(out, struct)
    return bytes(out)


def number(struct: Struct, field: int, default: int | None = None) -> int:
    """A whole number.

    :raises Malformed: it is not there and has no default, or is something else.
    """
    kind, value = struct.get(field, (Kind.I64, default))
    if kind not in _BITS or not isinstance(value, int):
        raise Malformed("no number")
    return value


def flag(struct: Struct, field: int) -> bool:
    """A truth value; false where it is absent."""
    _, value = struct.get(field, (Kind.BOOL, False))
    if not isinstance(value, bool):
        raise Malformed("no truth value")
    return value


def binary(struct: Struct, field: int) -> bytes:
    """Bytes, or a text's UTF-8.

    :raises Malformed: they are not there, or it is something else.
    """
    _, value = struct.get(field, (Kind.BINARY, None))
    if not isinstance(value, bytes):
        raise Malformed("no bytes")
    return value


def inner(struct: Struct, field: int) -> Struct:
    """A structure.

    :raises Malformed: it is not there, or is something else.
    """
    _, value = struct.get(field, (Kind.STRUCT, None))
    if not isinstance(value, Mapping):
        raise Malformed("no structure")
    return value


def structs(struct: Struct, field: int) -> tuple[Struct, ...]:
    """A list of structures.

    :raises Malformed: it is not there, or is something else.
    """
    return tuple(one for one in _listed(struct, field, Kind.STRUCT) if isinstance(one, Mapping))


def binaries(struct: Struct, field: int) -> tuple[bytes, ...]:
    """A list of bytes.

    :raises Malformed: it is not there, or is something else.
    """
    return tuple(one for one in _listed(struct, field, Kind.BINARY) if isinstance(one, bytes))


def _listed(struct: Struct, field: int, kind: Kind) -> tuple[Value, ...]:
    _, value = struct.get(field, (Kind.LIST, None))
    if not isinstance(value, Listed) or (value.kind is not kind and value.items):
        raise Malformed("no such list")
    return value.items


class _Source:
    """Reads forward; every step is checked against the end."""

    __slots__ = ("_data", "at")

    def __init__(self, data: memoryview, at: int) -> None:
        self._data = data
        self.at = at

    def struct(self, depth: int) -> Struct:
        if depth == 0:
            raise Malformed("too deep")
        fields: dict[int, tuple[Kind, Value]] = {}
        last = 0
        while head := self._byte():
            step = head >> 4
            at = last + step if step else self._zigzag(16)
            if at <= last:
                raise Malformed("fields out of order")
            code = head & _NIBBLE
            if code in (Kind.BOOL, _FALSE):
                fields[at] = (Kind.BOOL, code == Kind.BOOL)
            else:
                kind = _kind(code)
                fields[at] = (kind, self._value(kind, depth))
            last = at
        return fields

    def _value(self, kind: Kind, depth: int) -> Value:
        if kind is Kind.STRUCT:
            return self.struct(depth - 1)
        if kind is Kind.LIST:
            return self._list(depth - 1)
        if kind is Kind.BINARY:
            return bytes(self._take(self._varint(31)))
        if kind is Kind.BYTE:
            return int.from_bytes(self._take(1), "little", signed=True)
        return self._zigzag(_BITS[kind])

    def _list(self, depth: int) -> Listed:
        if depth == 0:
            raise Malformed("too deep")
        head = self._byte()
        size = head >> 4
        if size == _SHORT_LIST:
            size = self._varint(31)
        kind = _kind(head & _NIBBLE)
        if kind is Kind.BOOL or size > len(self._data) - self.at:  # an element has a byte or more
            raise Malformed("no such list")
        return Listed(kind, tuple(self._value(kind, depth) for _ in range(size)))

    def _take(self, size: int) -> memoryview:
        if size > len(self._data) - self.at:
            raise Malformed("cut short")
        self.at += size
        return self._data[self.at - size : self.at]

    def _byte(self) -> int:
        return self._take(1)[0]

    def _varint(self, bits: int) -> int:
        value = 0
        for shift in range(0, bits, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> bits:
                    break
                return value
        raise Malformed("a number of too many bits")

    def _zigzag(self, bits: int) -> int:
        value = self._varint(bits)
        return (value >> 1) ^ -(value & 1)


def _kind(code: int) -> Kind:
    try:
        return Kind(code)
    except ValueError:
        raise Malformed("a kind that stands in no footer") from None


def _put_struct(out: bytearray, struct: Struct) -> None:
    last = 0
    for at in sorted(struct):
        kind, value = struct[at]
        code = _FALSE if kind is Kind.BOOL and value is False else kind
        if 1 <= at - last <= _NIBBLE:
            out.append((at - last) << 4 | code)
        else:
            out.append(code)
            _put_number(out, at)
        if kind is not Kind.BOOL:
            _put(out, kind, value)
        last = at
    out.append(0)


def _put(out: bytearray, kind: Kind, value: Value) -> None:
    if isinstance(value, bytes):
        _put_varint(out, len(value))
        out += value
    elif isinstance(value, Listed):
        size = len(value.items)
        out.append(min(size, _SHORT_LIST) << 4 | value.kind)
        if size >= _SHORT_LIST:
            _put_varint(out, size)
        for one in value.items:
            _put(out, value.kind, one)
    elif isinstance(value, Mapping):
        _put_struct(out, value)
    elif kind is Kind.BYTE:
        out += value.to_bytes(1, "little", signed=True)
    else:
        _put_number(out, value)


def _put_number(out: bytearray, value: int) -> None:
    _put_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)


def _put_varint(out: bytearray, value: int) -> None:
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
