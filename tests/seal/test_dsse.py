"""Signed envelopes: the reference vector, and every way to break one."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.errors import IntegrityError
from privlab.seal import dsse
from privlab.seal.keys import SigningKey

KEY = SigningKey(b"\x01" * 32)
OTHER = SigningKey(b"\x02" * 32)
TYPE = "application/vnd.in-toto+json"


def test_the_signed_bytes_are_those_of_the_dsse_protocol() -> None:
    """The example of the protocol's own text."""
    encoded = dsse.pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")

    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@given(payload=st.binary(max_size=300))
def test_what_was_signed_comes_back(payload: bytes) -> None:
    """Through JSON, too."""
    envelope = json.loads(json.dumps(dsse.sign(TYPE, payload, KEY)))

    assert dsse.verify(envelope, TYPE, KEY.public) == payload


def _broken() -> dict[str, dict[str, object]]:
    good = dsse.sign(TYPE, b"one", KEY)
    other = dsse.sign(TYPE, b"two", KEY)
    signature = good["signatures"]
    return {
        "another payload": good | {"payload": other["payload"]},
        "another signature": good | {"signatures": other["signatures"]},
        "another type inside": good | {"payloadType": "text/plain"},
        "no signature": good | {"signatures": []},
        "two signatures": good | {"signatures": [*signature, *signature]},  # type: ignore[misc]
        "a stray member": good | {"more": ""},
        "a stray member of a signature": good | {"signatures": [{**signature[0], "more": ""}]},  # type: ignore[index]
        "a number for a payload": good | {"payload": 1},
        "damaged base64": good | {"payload": "b25l="},
        "base64 with stray bits": good
        | {"signatures": [{"sig": base64.b64encode(bytes(64)).decode().replace("A=", "B=")}]},
        "nothing": {},
    }


@pytest.mark.parametrize("case", _broken())
def test_a_broken_envelope_is_refused(case: str) -> None:
    """Each part of the shape is checked before the signature."""
    with pytest.raises(IntegrityError) as caught:
        dsse.verify(_broken()[case], TYPE, KEY.public)
    assert caught.value.code == "PL400"


def test_another_key_or_another_type_is_refused() -> None:
    """A signed envelope of one kind is not one of another kind."""
    envelope = dsse.sign(TYPE, b"one", KEY)

    with pytest.raises(IntegrityError):
        dsse.verify(envelope, TYPE, OTHER.public)
    with pytest.raises(IntegrityError):
        dsse.verify(envelope, "text/plain", KEY.public)


def test_the_key_id_decides_nothing() -> None:
    """It is a hint outside the signature, so it may be wrong or absent."""
    envelope = dsse.sign(TYPE, b"one", KEY)
    (signature,) = envelope["signatures"]  # type: ignore[misc]

    for entry in ({"sig": signature["sig"]}, {"sig": signature["sig"], "keyid": "ffffffff"}):
        assert dsse.verify(envelope | {"signatures": [entry]}, TYPE, KEY.public) == b"one"
