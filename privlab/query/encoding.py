"""Row expressions and their values as JSON, and back: strict in both directions.

Readers raise KeyError, TypeError, ValueError, IndexError or RecursionError for
anything that the writers do not write; who calls them says what that means.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from privlab.query.expr import Call, Expr, Literal, Op, Ref
from privlab.query.kinds import COMPARISONS, DIVISIONS, EXTREMES, ROUNDINGS, SHIFTS, STRIPS
from privlab.terms.catalog import Kind, Scalar

Json = Any
"""What ``json`` reads and writes; checked field by field when read."""


def canonical_text(value: Json) -> str:
    """JSON with sorted names and no spaces; ASCII, so bytes and text agree."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def encode_scalar(value: Scalar | None) -> Json:
    """``[type, text]``, or None for null."""
    match value:
        case None:
            return None
        case bool():
            return ["bool", "true" if value else "false"]
        case int():
            return ["int", str(value)]
        case Fraction():
            return ["number", f"{value.numerator}/{value.denominator}"]
        case str():
            return ["text", value]
        case datetime():
            return ["datetime", value.isoformat()]
        case date():
            return ["date", value.isoformat()]
    raise TypeError(f"{type(value).__name__} is no scalar")


def encode_expr(expr: Expr) -> Json:
    match expr:
        case Ref(column=column, kind=kind):
            return {"column": column, "kind": kind.value}
        case Literal(value=value):
            return {"value": encode_scalar(value)}
        case Call(op=op, args=args):
            return {"op": op.value, "args": [encode_expr(arg) for arg in args]}


def fields(value: Json, *names: str) -> list[Json]:
    """The values of an object that has exactly these names."""
    if not isinstance(value, dict) or set(value) != set(names):
        raise ValueError("fields")
    return [value[name] for name in names]


def text_of(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def count_of(value: Json) -> int:
    """A whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("count")
    return value


def list_of(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError("list")
    return value


def fraction_of(value: Json) -> Fraction:
    """A fraction in lowest terms."""
    found = Fraction(text_of(value))
    if str(found) != value:
        raise ValueError("fraction")
    return found


def decode_scalar(value: Json) -> Scalar | None:
    """What `encode_scalar` wrote."""
    if value is None:
        return None
    kind, text = list_of(value)
    readers: dict[str, Any] = {
        "bool": lambda text: {"true": True, "false": False}[text],
        "int": int,
        "number": Fraction,
        "text": str,
        "date": date.fromisoformat,
        "datetime": datetime.fromisoformat,
    }
    found: Scalar = readers[kind](text_of(text))
    if encode_scalar(found) != value:
        raise ValueError("scalar")
    return found


_ARITY: dict[Op, tuple[int, int | None]] = {
    **dict.fromkeys((Op.AND, Op.OR, Op.ADD, Op.MUL, Op.IS_IN, Op.CONCAT), (2, None)),
    **dict.fromkeys((Op.COALESCE, *EXTREMES), (2, None)),
    **dict.fromkeys((*COMPARISONS, *DIVISIONS, *ROUNDINGS, *STRIPS, *SHIFTS), (2, 2)),
    **dict.fromkeys((Op.SUB, Op.LIKE, Op.DAYS, Op.ELAPSED), (2, 2)),
    **dict.fromkeys((Op.CLIP, Op.SLICE, Op.REPLACE), (3, 3)),
    Op.CASE: (3, None),
    Op.MAGNITUDE: (1, 2),
}


def decode_expr(value: Json) -> Expr:
    """What `encode_expr` wrote."""
    if not isinstance(value, dict):
        raise TypeError("expression")
    if "column" in value:
        column, kind = fields(value, "column", "kind")
        return Ref(text_of(column), Kind(kind))
    if "op" in value:
        name, args = fields(value, "op", "args")
        op = Op(name)
        call = Call(op, tuple(decode_expr(arg) for arg in list_of(args)))
        least, most = _ARITY.get(op, (1, 1))
        if len(call.args) < least or (most is not None and len(call.args) > most):
            raise ValueError("arity")
        if op is Op.CASE and len(call.args) % 2 == 0:
            raise ValueError("a case without its last value")
        return call
    (scalar,) = fields(value, "value")
    return Literal(decode_scalar(scalar))
