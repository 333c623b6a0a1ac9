"""Words for noise."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import privlab
from privlab.mechanisms.entropy import KeyStream, Words

KEY = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")


F_5_5 = "0bdf7df1591716335e9a8b15c860c502"
"""The output block of the first counter in SP 800-38A, F.5.5, under this key."""


def test_the_stream_is_aes_256_in_counter_mode() -> None:
    """Word 2n and 2n + 1 are the encryption of block n (NIST SP 800-38A, 6.5)."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    block = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()  # noqa: S305
    assert block.update(bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")).hex() == F_5_5
    counters = b"".join(n.to_bytes(16, "big") for n in range(40))
    expected = np.frombuffer(block.update(counters), dtype="<u8")
    assert KeyStream(KEY).take(80).tolist() == expected.tolist()


@pytest.mark.parametrize("parts", [(1, 1, 1), (8192, 3, 8193), (20_000, 0, 7)])
def test_words_come_in_order_however_they_are_taken(parts: tuple[int, ...]) -> None:
    """No word is left out or given twice at the seams."""
    stream, whole = KeyStream(bytes(32)), KeyStream(bytes(32))
    taken = np.concatenate([stream.take(part) for part in parts])
    assert taken.tolist() == whole.take(sum(parts)).tolist()
    assert taken.dtype == np.uint64


def test_two_releases_share_no_words() -> None:
    """Every `Words` has its own key."""
    with Words() as one, Words() as other:
        assert not set(one.take(1000).tolist()) & set(other.take(1000).tolist())


def test_closed_words_give_none() -> None:
    """The key is gone after the release."""
    with Words() as words:
        words.take(3)
    words.close()
    with pytest.raises(ValueError, match="closed"):
        words.take(1)


def test_a_buffer_is_filled_with_the_words_that_would_be_taken() -> None:
    """All of it, every time, and nothing of what it held is left."""
    filled, taken = KeyStream(KEY), KeyStream(KEY)
    buffer = np.full(20_001, 7, np.uint64)
    for _ in range(3):
        filled.fill(buffer)
        assert buffer.tolist() == taken.take(buffer.size).tolist()
    part = buffer[5:9]
    filled.fill(part)
    assert part.tolist() == taken.take(4).tolist()
    filled.close()
    with pytest.raises(ValueError, match="closed"):
        filled.fill(buffer)


def test_keys_and_counts_are_checked() -> None:
    """31 bytes are no key and -1 is no count."""
    with pytest.raises(ValueError, match="32 bytes, got 31"):
        KeyStream(bytes(31))
    with pytest.raises(ValueError, match="got -1"):
        Words().take(-1)


def test_nothing_in_privlab_makes_noise_from_a_key_it_chose() -> None:
    """KeyStream is named as a type by those who take words, and called by nobody."""
    callers = [
        path.name
        for path in Path(privlab.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "KeyStream"
    ]
    assert callers == []
