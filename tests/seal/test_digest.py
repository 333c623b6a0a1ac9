"""Labelled digests never collide across labels or parts."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from privlab.seal.digest import digest, keyed_digest

parts = st.lists(st.binary(max_size=6), max_size=3)


def test_the_framing_is_label_zero_and_lengths() -> None:
    """Written out once, so that another program can repeat it."""
    framed = b"privlab/release/v1\0" + (2).to_bytes(8, "big") + b"ab"

    assert digest("privlab/release/v1", b"ab") == hashlib.sha256(framed).digest()


@given(one=parts, two=parts)
def test_different_parts_give_different_digests(one: list[bytes], two: list[bytes]) -> None:
    """Moving a byte from one part to the next is another list."""
    assume(one != two)

    assert digest("privlab/test/v1", *one) != digest("privlab/test/v1", *two)


def test_labels_keep_digests_apart() -> None:
    """The same parts under another label, or under a key, are another digest."""
    found = {
        digest("privlab/account/v1", b"ana"),
        digest("privlab/account/v2", b"ana"),
        keyed_digest("privlab/account/v1", bytes(16), b"ana"),
        keyed_digest("privlab/account/v1", b"another salt, 16", b"ana"),
    }

    assert len(found) == 4


@pytest.mark.parametrize(
    "label", ["", "privlab", "privlab/x", "other/x/v1", "privlab/x/v1\0", "privlab/x/v0"]
)
def test_a_label_of_another_form_is_refused(label: str) -> None:
    """A label is chosen by a programmer, so this is a ValueError."""
    with pytest.raises(ValueError, match="label"):
        digest(label, b"")


def test_a_short_salt_is_refused() -> None:
    """A guessable salt would let anyone check guesses of a name."""
    with pytest.raises(ValueError, match="16 bytes"):
        keyed_digest("privlab/account/v1", b"short", b"ana")
