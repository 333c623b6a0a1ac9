"""Canonical JSON (RFC 8785, JCS): one byte string for one value.

For what is signed or hashed.  Numbers are refused: a decimal string keeps
every digit, a JSON number is a double in half of the world's readers.
Checking a signature never needs this module: it checks the bytes it got.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import rfc8785

Json = None | bool | str | Sequence["Json"] | Mapping[str, "Json"]
"""JSON without numbers."""


def canonical(value: Json) -> bytes:
    """The JCS bytes of ``value``.

    :raises TypeError: a number, or something JSON does not have, anywhere inside.
    :raises ValueError: text that is not valid Unicode.
    """
    _refuse_numbers(value)
    try:
        return rfc8785.dumps(cast(Any, value))
    except (rfc8785.CanonicalizationError, UnicodeError):
        raise ValueError("this value has no canonical JSON") from None


def _refuse_numbers(value: object) -> None:
    match value:
        case None | bool() | str():
            return
        case Mapping():
            for name, member in value.items():
                if not isinstance(name, str):
                    raise TypeError("a member's name is a text")
                _refuse_numbers(member)
        case list() | tuple():
            for member in value:
                _refuse_numbers(member)
        case _:
            raise TypeError(f"canonical JSON holds no {type(value).__name__}: write it as text")
