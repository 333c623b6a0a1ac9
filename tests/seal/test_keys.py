"""Ed25519 keys: text forms, and what is refused."""

from __future__ import annotations

import base64
import copy

import pytest

from privlab.errors import IntegrityError
from privlab.seal.keys import PublicKey, SigningKey, decode_base64

# RFC 8032, section 7.1, TEST 1 and TEST 3.
RFC8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC8032)
def test_signatures_are_those_of_rfc_8032(
    seed: str, public: str, message: str, signature: str
) -> None:
    """Our wrapper signs the bytes it is given, and nothing else."""
    key = SigningKey(bytes.fromhex(seed))

    assert key.public.raw.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    key.public.verify(bytes.fromhex(signature), bytes.fromhex(message))


def test_a_changed_message_or_signature_is_refused() -> None:
    """Each bit matters."""
    key = SigningKey(bytes(32))
    good = key.sign(b"text")

    for bad in (good[:-1], good + b"\0", bytes([good[0] ^ 1]) + good[1:], b""):
        with pytest.raises(IntegrityError) as caught:
            key.public.verify(bad, b"text")
        assert caught.value.code == "PL400"
    with pytest.raises(IntegrityError):
        key.public.verify(good, b"texT")


def test_a_public_key_survives_its_text_form() -> None:
    """Parse is the inverse of text, and forgives surrounding space only."""
    public = SigningKey(bytes(range(32))).public

    assert public.text.startswith("privlab-ed25519:")
    assert PublicKey.parse(f"  {public.text}\n") == public
    assert hash(PublicKey.parse(public.text)) == hash(public)
    assert len(public.key_id) == 8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ed25519:" + base64.b64encode(bytes(32)).decode(),
        "privlab-ed25519:" + base64.b64encode(bytes(31)).decode(),
        "privlab-ed25519:" + base64.b64encode(bytes(32)).decode().rstrip("="),
        "privlab-ed25519:" + base64.b64encode(bytes(32)).decode().replace("A=", "B="),
        "privlab-ed25519:\N{GREEK SMALL LETTER ALPHA}",
    ],
)
def test_a_text_that_is_not_a_key_is_refused(text: str) -> None:
    """Wrong prefix, length, padding, trailing bits or alphabet."""
    with pytest.raises(IntegrityError) as caught:
        PublicKey.parse(text)
    assert caught.value.code == "PL404"


def test_a_signing_key_never_shows_or_copies_its_seed() -> None:
    """Neither its representation nor a copy carries the secret."""
    key = SigningKey(b"\xab" * 32)

    assert "ab" * 8 not in repr(key).lower()
    with pytest.raises(TypeError):
        copy.copy(key)
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(b"short")


def test_base64_has_one_text_per_byte_string() -> None:
    """Stray trailing bits would let one envelope be written in several ways."""
    assert decode_base64("QQ==") == b"A"
    for text in ("QR==", "QQ", "QQ==\n", "Q Q=="):
        with pytest.raises(ValueError, match="base64"):
            decode_base64(text)
