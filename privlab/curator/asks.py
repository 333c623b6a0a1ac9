"""From the wire's words to values: parameters and the bytes that name a request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from privlab.errors import BadQuery
from privlab.terms.catalog import Scalar
from privlab.wire.messages import Ask, Parameter

Value = Scalar | tuple[Scalar | None, ...] | None
Values = Mapping[str, Value]

_BOOLS = {"true": True, "false": False}


def _decimal(text: str) -> Fraction:
    value = Decimal(text)
    if not value.is_finite() or abs(value.adjusted()) > 400:
        raise ValueError("not a finite number of reasonable size")
    return Fraction(value)


READERS: dict[str, Callable[[str], Scalar]] = {
    "bool": lambda text: _BOOLS[text],
    "int": int,
    "float": _decimal,
    "text": str,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}
"""A value from its canonical text, by kind."""


def values(parameters: Mapping[str, Parameter]) -> Values:
    """Every parameter as a scalar, or a tuple of them.

    :raises BadQuery: PL110, a text that is not of its kind.
    """
    return {name: _value(name, parameter) for name, parameter in parameters.items()}


def body_digest(ask: Ask) -> bytes:
    """SHA-256 over all of the ask but its id: what a repeated id must repeat."""
    body = ask.model_dump_json(exclude={"id"})
    return hashlib.sha256(b"privlab/ask/v1\0" + body.encode()).digest()


def _value(name: str, parameter: Parameter) -> Value:
    if parameter.kind == "null":
        items: tuple[Scalar | None, ...] = (None,) * len(parameter.text)
    else:
        reader = READERS[parameter.kind]
        try:
            items = tuple(reader(text) for text in parameter.text)
        except (ValueError, KeyError, InvalidOperation, OverflowError):
            raise BadQuery(
                f"the parameter {name} is not a {parameter.kind}",
                code="PL110",
                hint="send a plain value of that type",
            ) from None
    if parameter.is_list:
        return items
    if len(items) != 1:
        raise BadQuery(f"the parameter {name} is not one value", code="PL110")
    return items[0]
