"""``privlab/kernels/bounding.py`` and its SipHash in plain Python, for reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

WORD = (1 << 64) - 1
Unit = tuple[int, int]


@dataclass(frozen=True)
class Row:
    """One row: whose it is, its group or -1, and per measure a value or None."""

    unit: Unit
    code: int
    values: tuple[int | None, ...]


def _rotate(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & WORD


def siphash(key: Sequence[int], message: bytes, compress: int = 2, finish: int = 4) -> int:
    """SipHash-c-d of any bytes, as the paper has it."""
    k0, k1 = key
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]

    def rounds(count: int) -> None:
        for _ in range(count):
            v[0] = (v[0] + v[1]) & WORD
            v[2] = (v[2] + v[3]) & WORD
            v[1] = _rotate(v[1], 13) ^ v[0]
            v[3] = _rotate(v[3], 16) ^ v[2]
            v[0] = _rotate(v[0], 32)
            v[2] = (v[2] + v[1]) & WORD
            v[0] = (v[0] + v[3]) & WORD
            v[1] = _rotate(v[1], 17) ^ v[2]
            v[3] = _rotate(v[3], 21) ^ v[0]
            v[2] = _rotate(v[2], 32)

    padded = message + bytes(-(len(message) + 1) % 8) + bytes([len(message) & 255])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v[3] ^= word
        rounds(compress)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(finish)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def twin(
    table: Sequence[Row],
    tags: Sequence[int],
    per_unit: Sequence[bool],
    radius: Sequence[int],
    bounds: tuple[int, int, int],
    key: tuple[int, int],
) -> list[list[int]]:
    """The sums per measure and group."""
    rows, rows_per_group, groups = bounds
    out = [[0] * len(tags) for _ in radius]
    for unit, own in groupby(table, key=lambda row: row.unit):
        placed = [row for row in own if row.code >= 0]
        taken = placed[:rows]

        def order(code: int, unit: Unit = unit) -> tuple[int, int, int]:
            message = b"".join(word.to_bytes(8, "little") for word in (*unit, tags[code]))
            return siphash(key, message), tags[code], code

        for j, reach in enumerate(radius):
            where = {row.code for row in (placed if per_unit[j] else taken)}
            for code in sorted(where, key=order)[:groups]:
                here = [row.values[j] for row in taken if row.code == code][:rows_per_group]
                clamped = sum(max(-reach, min(reach, v)) for v in here if v is not None)
                out[j][code] += 1 if per_unit[j] else clamped
    return out
