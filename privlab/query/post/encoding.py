"""Outputs as JSON values, for ids: what is equal has one text."""

from __future__ import annotations

from typing import Any

from privlab.query.post.tree import (
    CallOut,
    KeyOut,
    LiteralOut,
    MeanOut,
    MeasureOut,
    MomentOut,
    Order,
    Out,
    SharesOut,
    WindowOut,
)

Json = Any


def encode_out(out: Out) -> Json:
    """A list that begins with what the output is."""
    match out:
        case KeyOut(index=index):
            return ["key", index]
        case MeasureOut(index=index):
            return ["measure", index]
        case MeanOut(total=total, count=count):
            return ["mean", total, count]
        case MomentOut():
            numbers = [out.first, out.second, out.product, out.count, *(out.squares or ())]
            return ["moment", out.kind.value, *numbers]
        case SharesOut(kind=moment, parts=parts):
            return ["shares", moment.value, *parts]
        case LiteralOut(value=value):
            kind = type(value).__name__
            plain = value is None or isinstance(value, bool)
            return ["value", kind, value if plain else str(value)]
        case CallOut(op=op, args=args):
            return ["call", op.value, *map(encode_out, args)]
        case WindowOut():
            return [
                "window",
                out.kind.value,
                None if out.of is None else encode_out(out.of),
                list(out.partition),
                [encode_order(one) for one in out.order],
                out.running,
                out.offset,
            ]


def encode_order(order: Order) -> Json:
    return [encode_out(order.by), order.descending]
