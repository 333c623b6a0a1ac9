"""Polars methods of an expression: numbers, conditions, choices, casts, bins."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING

from privlab.query.ask import Apply, Const, Node, Param
from privlab.query.frame_replace import read_replace
from privlab.query.nodes import Builder
from privlab.query.plan import Op
from privlab.query.plan_text import decimal
from privlab.terms.catalog import Kind

if TYPE_CHECKING:
    from privlab.query.frame_expressions import Expressions

PLAIN = {
    "is_null": Op.IS_NULL,
    "not_": Op.NOT,
    "neg": Op.NEG,
    "abs": Op.ABS,
    "sign": Op.SIGN,
    "sqrt": Op.SQRT,
    "exp": Op.EXP,
}
BINARY = {
    "and_": Op.AND,
    "or_": Op.OR,
    "xor": Op.NE,
    "eq": Op.EQ,
    "ne": Op.NE,
    "lt": Op.LT,
    "le": Op.LE,
    "gt": Op.GT,
    "ge": Op.GE,
    "add": Op.ADD,
    "sub": Op.SUB,
    "mul": Op.MUL,
    "truediv": Op.DIVIDE,
    "floordiv": Op.FLOOR_DIV,
    "mod": Op.MOD,
}
CLOSED = {
    "both": (Op.GE, Op.LE),
    "left": (Op.GE, Op.LT),
    "right": (Op.GT, Op.LE),
    "none": (Op.GT, Op.LT),
}
MODES = {"half_to_even": Op.ROUND_EVEN, "half_away_from_zero": Op.ROUND}
INTS = [f"{sign}Int{size}" for sign in ("", "U") for size in (8, 16, 32, 64, 128)]
KINDS = {
    **{f"pl.{name}": Kind.INT for name in INTS},
    **dict.fromkeys(("int",), Kind.INT),
    **dict.fromkeys(("pl.Float32", "pl.Float64", "float"), Kind.FLOAT),
    **dict.fromkeys(("pl.String", "pl.Utf8", "str"), Kind.TEXT),
    **dict.fromkeys(("pl.Boolean", "bool"), Kind.BOOL),
    **dict.fromkeys(("pl.Date", "date", "datetime.date"), Kind.DATE),
}
NULLS = {
    "is_nan": ".is_null()",
    "is_not_nan": ".is_not_null()",
    "fill_nan": ".fill_null(0)",
    "drop_nans": ".filter(x.is_not_null())",
    "is_finite": ".is_not_null()",
    "is_infinite": "leave it out",
}


def read_method(reader: Expressions, node: ast.Call, inner: ast.expr, attr: str) -> Node | None:
    """The parsed form of a method's call; None when the language does not have it."""
    build = reader.build(node)
    if attr in PLAIN:
        reader.arguments(node)
        return build.call(PLAIN[attr], reader.node(inner))
    if attr in BINARY:
        values = [reader.node(arg) for arg in node.args]
        if not values or node.keywords or (len(values) > 1 and attr not in ("and_", "or_")):
            raise reader.refuse(node, f"{attr} takes one value", f".{attr}(...)")
        found = reader.node(inner)
        for value in values:
            found = build.call(BINARY[attr], found, value)
        return found
    if attr in NULLS:
        what = "what is no finite number counts as null"
        raise reader.refuse(node.func, what, NULLS[attr])
    match attr:
        case "floor" | "ceil":
            reader.arguments(node)
            value = reader.node(inner)
            return build.floor(value) if attr == "floor" else build.ceil(value)
        case "pow":
            (exponent,) = reader.arguments(node, "exponent")
            return reader.power(node, inner, exponent)
        case "log" | "log10":
            return _logarithm(reader, node, inner, attr, build)
        case "round":
            return _round(reader, node, inner, build)
        case "magnitude":
            (which,) = reader.arguments(node, "which")
            rest = [] if which is None else [reader.node(which)]
            return build.call(Op.MAGNITUDE, reader.node(inner), *rest)
        case "is_not_null":
            reader.arguments(node)
            return build.known(reader.node(inner))
        case "fill_null":
            (value_,) = reader.needed(node, "value")
            return build.call(Op.COALESCE, reader.node(inner), reader.node(value_))
        case "eq_missing" | "ne_missing":
            (other,) = reader.needed(node, "other")
            same = build.same(reader.node(inner), reader.node(other))
            return same if attr == "eq_missing" else build.not_(same)
        case "is_in":
            return build.call(Op.IS_IN, reader.node(inner), *_listed(reader, node))
        case "is_between":
            return _between(reader, node, inner, build)
        case "clip":
            ends = reader.arguments(node, "lower_bound", "upper_bound")
            bounds = [None if one is None else reader.node(one) for one in ends]
            return build.call(Op.CLIP, reader.node(inner), *bounds)
        case "cast":
            return _cast(reader, node, inner, build)
        case "replace" | "replace_strict":
            return read_replace(reader, node, inner, attr)
        case "cut":
            return _cut(reader, node, inner, build)
        case "then" | "otherwise" | "when":
            return _chain(reader, node, build)
    return None


def _logarithm(
    reader: Expressions, node: ast.Call, inner: ast.expr, attr: str, build: Builder
) -> Node:
    value = build.call(Op.LN, reader.node(inner))
    base: Node | int | None = 10
    if attr == "log":
        (given,) = reader.arguments(node, "base")
        base = None if given is None else reader.node(given)
    else:
        reader.arguments(node)
    return value if base is None else build.call(Op.DIVIDE, value, build.call(Op.LN, base))


def _round(reader: Expressions, node: ast.Call, inner: ast.expr, build: Builder) -> Node:
    decimals, mode = reader.arguments(node, "decimals", "mode")
    word = "half_to_even" if mode is None else mode.value if isinstance(mode, ast.Constant) else ""
    if word not in MODES:
        raise reader.refuse(node, f"mode is {' or '.join(MODES)}", ".round(1)")
    digits: Node | int = 0 if decimals is None else reader.node(decimals)
    return build.call(MODES[str(word)], reader.node(inner), digits)


def _between(reader: Expressions, node: ast.Call, inner: ast.expr, build: Builder) -> Node:
    low, high, closed = reader.arguments(node, "lower_bound", "upper_bound", "closed")
    word = closed.value if isinstance(closed, ast.Constant) else "both" if closed is None else ""
    if low is None or high is None or word not in CLOSED:
        raise reader.refuse(node, "is_between takes two bounds", ".is_between(18, 65)")
    value = reader.node(inner)
    above, below = CLOSED[str(word)]
    return build.call(
        Op.AND,
        build.call(above, value, reader.node(low)),
        build.call(below, value, reader.node(high)),
    )


def _listed(reader: Expressions, node: ast.Call) -> list[Node]:
    (arg,) = reader.arguments(node, "other")
    match arg:
        case ast.List(elts=elts) | ast.Tuple(elts=elts) | ast.Set(elts=elts):
            return [reader.node(one) for one in elts]
        case ast.Name(id=name) if name != "pl":
            return [Param(name, reader.place.of(arg), listed=True)]
    raise reader.refuse(node, "is_in takes a list or a parameter", '.is_in(["a", "b"])')


def _cast(reader: Expressions, node: ast.Call, inner: ast.expr, build: Builder) -> Node:
    """A cast never fails: what does not fit is null, as with strict=False."""
    dtype, strict = reader.arguments(node, "dtype", "strict")
    reader.flag(node, strict, default=False)
    word = "" if dtype is None else ast.unparse(dtype)
    if word not in KINDS:
        raise reader.refuse(
            node,
            "this type is not in the language",
            ".cast(pl.Int64), pl.Float64, pl.String, pl.Date or pl.Boolean",
        )
    return build.cast(reader.node(inner), KINDS[word], "truncate")


def _cut(reader: Expressions, node: ast.Call, inner: ast.expr, build: Builder) -> Node:
    """Labels as Polars writes them, ``(10, 20]``, where none are given."""
    breaks, labels, closed = reader.arguments(node, "breaks", "labels", "left_closed")
    left_closed = reader.flag(node, closed, default=False)
    ends = [reader.node(one) for one in breaks.elts] if isinstance(breaks, ast.List) else []
    numbers = [_number(end) for end in ends]
    if not ends or None in numbers or len(ends) > 1_000:
        raise reader.refuse(node, "cut takes a list of constant numbers", ".cut([10, 20, 30])")
    known = [one for one in numbers if one is not None]
    if sorted(set(known)) != known:
        raise reader.refuse(node, "the breaks of a cut rise", ".cut([10, 20, 30])")
    if labels is None:
        words = ["-inf", *map(decimal, known), "inf"]
        opens, closes = ("[", ")") if left_closed else ("(", "]")
        names = [f"{opens}{a}, {b}{closes}" for a, b in itertools.pairwise(words)]
    else:
        names = [
            one.value
            for one in getattr(labels, "elts", [])
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
        if len(names) != len(ends) + 1 or len(set(names)) != len(names):
            raise reader.refuse(
                node,
                "cut takes one label more than breaks, each another",
                '.cut([18], labels=["child", "adult"])',
            )
    return build.cut(reader.node(inner), ends, names, left_closed=left_closed)


def _number(node: Node):  # type: ignore[no-untyped-def]
    """The exact number that is written out, with its sign."""
    match node:
        case Const(value=value) if not isinstance(value, (bool, str)) and value is not None:
            return value if not hasattr(value, "year") else None
        case Apply(op=Op.NEG, args=(inner,)):
            found = _number(inner)
            return None if found is None else -found
    return None


def _chain(reader: Expressions, node: ast.Call, build: Builder) -> Node:
    """pl.when(a).then(x).when(b).then(y).otherwise(z); texts in then are columns."""
    last: Node | None = None
    calls: list[ast.Call] = []
    here: ast.expr = node
    while isinstance(here, ast.Call) and isinstance(here.func, ast.Attribute):
        calls.append(here)
        here = here.func.value
    calls.reverse()
    words = [one.func.attr for one in calls if isinstance(one.func, ast.Attribute)]
    root = isinstance(here, ast.Name) and here.id == "pl"
    ends = words[-1:] == ["otherwise"]
    body = words[:-1] if ends else words
    if not root or not body or body != ["when", "then"] * (len(body) // 2):
        raise reader.refuse(
            node,
            "a choice is pl.when(...).then(...), and .otherwise(...)",
            'pl.when(pl.col("x") > 3).then(1).otherwise(0)',
        )
    parts: list[Node] = []
    for word, call in zip(body, calls, strict=False):
        if word == "when":
            tests = [reader.column_or(one) for one in reader.conditions(call)]
            parts.append(build.all(tests))
        else:
            parts.append(reader.column_or(reader.needed(call, "statement")[0]))
    if ends:
        last = reader.column_or(reader.needed(calls[-1], "statement")[0])
    return build.call(Op.CASE, *parts, last)
