"""What was sealed opens under its key, in its place, unchanged; and else not at all."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from privlab.errors import IntegrityError
from privlab.seal.envelope import OVERHEAD, seal, unseal

KEY, OTHER = b"k" * 32, b"o" * 32
places = st.lists(st.binary(max_size=8), max_size=3)


@given(plain=st.binary(max_size=300), place=places)
def test_what_was_sealed_comes_back_and_is_32_bytes_longer(
    plain: bytes, place: list[bytes]
) -> None:
    sealed = seal(KEY, plain, *place)

    assert unseal(KEY, sealed, *place) == plain
    assert len(sealed) == len(plain) + OVERHEAD == len(plain) + 32


@given(one=places, two=places)
def test_it_opens_in_its_own_place_only(one: list[bytes], two: list[bytes]) -> None:
    """Parts carry their lengths, so ("ab", "c") and ("a", "bc") are two places."""
    sealed = seal(KEY, b"plain", *one)

    if one == two:
        assert unseal(KEY, sealed, *two) == b"plain"
    else:
        with pytest.raises(IntegrityError) as caught:
            unseal(KEY, sealed, *two)
        assert caught.value.code == "PL404"


def test_every_changed_bit_and_every_missing_byte_is_found() -> None:
    sealed = seal(KEY, b"plain", b"place")
    broken = [sealed[:at] for at in range(len(sealed))]
    for bit in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        broken.append(bytes(changed))

    for one in broken:
        with pytest.raises(IntegrityError) as caught:
            unseal(KEY, one, b"place")
        assert caught.value.code == "PL404"
    with pytest.raises(IntegrityError):
        unseal(OTHER, sealed, b"place")


def test_the_bytes_are_those_of_the_specification() -> None:
    sealed = seal(KEY, b"plain", b"a", b"bc")
    bound = b"privlab/envelope/v1\0" + b"\0\0\0\1a" + b"\0\0\0\2bc"

    assert sealed[:4] == b"pvE1"
    assert AESGCM(KEY).decrypt(sealed[4:16], sealed[16:], bound) == b"plain"


def test_no_nonce_is_used_twice() -> None:
    assert len({seal(KEY, b"", b"")[4:16] for _ in range(1000)}) == 1000
