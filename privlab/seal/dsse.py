"""DSSE: signed envelopes whose payload type is signed too.

Source: https://github.com/secure-systems-lab/dsse, protocol.md and envelope.md
(v1).  Ours have exactly one signature, so that an envelope has one meaning.
The key id inside is a hint for people; it decides nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from privlab.errors import IntegrityError
from privlab.seal.keys import PublicKey, SigningKey, decode_base64

Envelope = dict[str, object]
"""``payload`` and ``payloadType`` and ``signatures``, ready for JSON."""


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: PAE of the DSSE protocol."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload_type: str, payload: bytes, key: SigningKey) -> Envelope:
    """Wrap ``payload`` in a signed envelope."""
    signature = key.sign(pre_authentication_encoding(payload_type, payload))
    return {
        "payload": _encode(payload),
        "payloadType": payload_type,
        "signatures": [{"keyid": key.public.key_id, "sig": _encode(signature)}],
    }


def verify(envelope: Mapping[str, object], payload_type: str, public: PublicKey) -> bytes:
    """Return the payload, when ``public`` signed it as ``payload_type``.

    :raises IntegrityError: PL400, another shape, another type, another key, or
        a changed payload.
    """
    match envelope:
        case {
            "payload": str(payload_text),
            "payloadType": str(found),
            "signatures": [{"sig": str(signature_text), **rest}],
        } if len(envelope) == 3 and set(rest) <= {"keyid"}:
            pass
        case _:
            raise IntegrityError("this is not a signed envelope with one signature")
    if found != payload_type:
        raise IntegrityError("the envelope holds another kind of document than was asked for")
    try:
        payload, signature = decode_base64(payload_text), decode_base64(signature_text)
    except ValueError:
        raise IntegrityError("the envelope's base64 is damaged") from None
    public.verify(signature, pre_authentication_encoding(payload_type, payload))
    return payload


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
