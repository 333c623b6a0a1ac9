"""SipHash-2-4 against the authors' vector and a plain Python reading of the paper."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from privlab.kernels.siphash import siphash
from tests.kernels.twin_bounding import siphash as twin

WORDS = st.integers(0, (1 << 64) - 1)


def test_the_vector_of_the_reference_implementation() -> None:
    """Key 00 01 .. 0f, message 00 01 .. 17: the 24-byte row of vectors_sip64."""
    words = struct.unpack("<5Q", bytes(range(16)) + bytes(range(24)))
    assert int(siphash(*map(np.uint64, words))) == 0xB8AD50C6F649AF94


def test_the_twin_meets_the_vector_in_the_paper() -> None:
    """Appendix A of the paper: the 15-byte message 00 01 .. 0e."""
    key = struct.unpack("<2Q", bytes(range(16)))
    assert twin(key, bytes(range(15))) == 0xA129CA6149BE45E5


@given(st.tuples(WORDS, WORDS, WORDS, WORDS, WORDS))
def test_the_twin_agrees(words: tuple[int, ...]) -> None:
    """On any key and any three words."""
    message = struct.pack("<3Q", *words[2:])
    assert int(siphash(*map(np.uint64, words))) == twin(words[:2], message)
