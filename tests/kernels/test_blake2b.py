"""Digests of many texts at once equal `hashlib`'s of each."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.kernels.blake2b import LANES, digests, keyed_state

PERSON = b"privlab/unit/v1"


def compiled(key: bytes, texts: list[bytes | None]) -> list[bytes]:
    parameters = bytes((16, len(key), 1, 1)).ljust(48, b"\0") + PERSON.ljust(16, b"\0")
    state = np.empty(8, dtype=np.uint64)
    keyed_state(
        np.frombuffer(parameters, dtype="<u8"),
        np.frombuffer(key.ljust(128, b"\0"), dtype="<u8"),
        state,
    )
    data = b"".join(text or b"" for text in texts)
    offsets = np.cumsum([0, *(len(text or b"") for text in texts)]).astype(np.int64)
    present = np.array([text is not None for text in texts], dtype=np.bool_)
    high, low = (np.empty(len(texts), dtype=np.uint64) for _ in range(2))
    digests(state, offsets, np.frombuffer(data, dtype=np.uint8), present, high, low)
    return [
        int(upper).to_bytes(8, "big") + int(lower).to_bytes(8, "big")
        for upper, lower in zip(high, low, strict=True)
    ]


def plain(key: bytes, text: bytes | None) -> bytes:
    content = b"\0" if text is None else b"\1" + text
    return hashlib.blake2b(content, digest_size=16, key=key, person=PERSON).digest()


@given(
    st.binary(min_size=1, max_size=64),
    st.lists(st.none() | st.binary(max_size=300), max_size=LANES + 5),
)
def test_digests_are_those_of_hashlib(key: bytes, texts: list[bytes | None]) -> None:
    assert compiled(key, texts) == [plain(key, text) for text in texts]


@pytest.mark.parametrize("around", [0, 127, 128, 255, 256, 383, 4096])
def test_lengths_around_a_block_are_right(around: int) -> None:
    texts: list[bytes | None] = [
        bytes(n % 251 for n in range(max(0, around + d))) for d in (-2, -1, 0, 1, 2)
    ]

    assert compiled(b"k" * 32, texts) == [plain(b"k" * 32, text) for text in texts]


def test_more_texts_than_lanes_and_a_last_group_that_is_not_full() -> None:
    texts: list[bytes | None] = [b"%d" % n if n % 7 else None for n in range(3 * LANES + 1)]

    assert compiled(b"k" * 32, texts) == [plain(b"k" * 32, text) for text in texts]
