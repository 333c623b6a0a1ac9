"""Notebook values as typed parameters: bound by value, never pasted into text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from privlab.errors import BadQuery
from privlab.wire.messages import MAX_LIST, Parameter

Kind = str


def parameter(name: str, value: object) -> Parameter:
    """``value`` as the wire carries it: a scalar, or a list or series of scalars.

    :raises BadQuery: PL110, a type that has no meaning in a question, a list
        that is too long or mixed, NaN or an infinite number.
    """
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        kind, text = scalar(name, value)
        return Parameter(kind=kind, text=(text,))  # type: ignore[arg-type]
    items = list(value)
    if len(items) > MAX_LIST:
        raise BadQuery(
            f"the list {name} has {len(items):,} values",
            code="PL110",
            hint=f"send at most {MAX_LIST:,}",
        )
    typed = [scalar(name, item) for item in items]
    kinds = {kind for kind, _ in typed}
    if kinds == {"int", "float"}:
        kinds = {"float"}
    if len(kinds) > 1:
        raise BadQuery(
            f"the list {name} mixes {' and '.join(sorted(kinds))}",
            code="PL110",
            hint="send values of one type",
        )
    kind = kinds.pop() if kinds else "text"
    return Parameter(kind=kind, text=tuple(text for _, text in typed), is_list=True)  # type: ignore[arg-type]


def scalar(name: str, value: object) -> tuple[Kind, str]:
    """The kind of one value, and its canonical text.

    :raises BadQuery: PL110, it has no meaning in a question.
    """
    match _plain(value):
        case None:
            return "null", ""
        case bool() as value:
            return "bool", "true" if value else "false"
        case str() as value:
            return "text", value
        case datetime() as value:
            if value.tzinfo is not None:
                raise BadQuery(
                    f"{name} has a time zone", code="PL110", hint="send a time without one"
                )
            return "datetime", value.isoformat()
        case date() as value:
            return "date", value.isoformat()
        case Decimal() as value if value.is_finite():
            return "float", format(value, "f")
        case Integral() as value:
            return "int", str(int(value))
        case Real() as value if math.isfinite(value):
            return "float", format(Decimal(repr(float(value))), "f")
        case _:
            pass
    raise BadQuery(
        f"{name} is a {type(value).__name__}, which cannot be part of a question",
        code="PL110",
        hint="send a finite number, a text, a date, or a list of them",
    )


def _plain(value: Any) -> Any:
    """A numpy or pandas scalar as Python's own; a time stamp to the microsecond."""
    if isinstance(value, (int, float, str)):
        return value
    if type(value).__name__ == "datetime64":
        return value.astype("datetime64[us]").item()
    for method in ("to_pydatetime", "item"):
        convert = getattr(value, method, None)
        if callable(convert):
            return convert()
    return value
