"""Give names their columns and every operation its types."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

from privlab.errors import BadQuery
from privlab.query.ask import Apply, Const, Name, Node, Param, Source, Surface
from privlab.query.kinds import COMPARISONS, GRAINS, PARTS, kind_of
from privlab.query.literals import parse_date, parse_datetime, whole
from privlab.query.passes.find_column import find_column
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind, Scalar, Table

MAX_DEPTH = 200
"""Deepest nesting of one expression."""

MAX_SIZE = 1 << 63
"""Numbers at or beyond this do not fit the columns they would be compared with."""


def check_types(node: Node, table: Table, source: Source, depth: int = 0) -> Expr:
    """``node`` as an expression over the columns of ``table``.

    A text beside a date is read as an ISO date, a date beside a datetime as its
    midnight.  Parameters are already bound.

    :raises BadQuery: PL104 no such column, PL106 nested too deeply or a clip
        without constants, PL111 the types do not fit.
    :raises PolicyDenied: PL201, see `find_column`.
    """
    if depth > MAX_DEPTH:
        raise source.refuse("PL106", "this expression is nested too deeply", node.span)
    match node:
        case Name():
            return Ref(node.name, find_column(node, table, source).kind)
        case Const(value=value):
            return Literal(_checked(value, node, source))
        case Param(name=name):
            raise source.refuse("PL110", f"the parameter {name} has no value", node.span)
        case Apply(op=op, args=nodes):
            args = tuple(check_types(one, table, source, depth + 1) for one in nodes)
            return _call(op, args, node, source)


def _checked(value: Scalar | None, node: Const, source: Source) -> Scalar | None:
    if isinstance(value, Fraction):
        value = whole(value)
    if isinstance(value, (int, Fraction)) and abs(Fraction(value)) >= MAX_SIZE:
        raise source.refuse("PL111", "this number is too large for any column", node.span)
    if isinstance(value, datetime) and value.tzinfo is not None:
        raise source.refuse("PL111", "times have no zone here", node.span)
    return value


def _call(op: Op, args: tuple[Expr, ...], node: Apply, source: Source) -> Expr:
    kinds = [kind_of(arg) for arg in args]
    if op is Op.IS_NULL:
        return Call(op, args)
    if op is Op.CLIP:
        return _clip(args, node, source)
    if None in kinds:
        null = "IS NULL" if source.surface is Surface.SQL else ".is_null()"
        raise source.refuse("PL111", "nothing is equal to NULL", node.span, f"write {null}")
    if op in COMPARISONS:
        return Call(op, _aligned(op, args, node, source))
    if op is Op.IS_IN:
        if len(args) < 2:
            raise source.refuse("PL111", "this list holds no values", node.span)
        if not all(isinstance(arg, Literal) for arg in args[1:]):
            raise source.refuse("PL106", "IN takes a list of constants", node.span)
        pairs = [_aligned(Op.EQ, (args[0], one), node, source) for one in args[1:]]
        return Call(op, (args[0], *(pair[1] for pair in pairs)))
    wanted, words = _needs(op)
    for arg, kind, part in zip(args, kinds, node.args, strict=True):
        if kind not in wanted:
            raise source.refuse(
                "PL111", f"{_word(op, source)} takes {words}, and this is {_words(kind)}", part.span
            )
        if op in PARTS | GRAINS and isinstance(arg, Literal):
            raise source.refuse("PL106", "write this date out", part.span)
    return Call(op, args)


def _needs(op: Op) -> tuple[frozenset[Kind], str]:
    if op in (Op.AND, Op.OR, Op.NOT):
        return frozenset({Kind.BOOL}), "conditions"
    if op in PARTS | GRAINS:
        return frozenset({Kind.DATE, Kind.DATETIME}), "a date or a time"
    return frozenset({Kind.INT, Kind.FLOAT}), "numbers"


def _clip(args: tuple[Expr, ...], node: Apply, source: Source) -> Expr:
    value = args[0]
    kind = kind_of(value)
    if kind is None or not kind.is_number:
        raise source.refuse(
            "PL111", f"a clip takes a number, and this is {_words(kind)}", node.span
        )
    bounds = [_constant(bound) for bound in args[1:]]
    for bound in bounds:
        if bound is None or kind_of(bound) not in (None, Kind.INT, Kind.FLOAT):
            raise source.refuse("PL106", "the bounds of a clip are constant numbers", node.span)
    bottom, top = (None if one is None else one.value for one in bounds)
    if isinstance(bottom, (int, Fraction)) and isinstance(top, (int, Fraction)) and bottom > top:
        raise source.refuse("PL111", "the lower bound is above the upper one", node.span)
    if bottom is None and top is None:
        return value
    return Call(Op.CLIP, (value, Literal(bottom), Literal(top)))


def _constant(expr: Expr) -> Literal | None:
    """A constant; -5 is typed as a minus before one."""
    match expr:
        case Literal():
            return expr
        case Call(op=Op.NEG, args=(Literal(value=int() | Fraction() as value),)):
            return Literal(-value)
    return None


def _aligned(op: Op, args: tuple[Expr, ...], node: Apply, source: Source) -> tuple[Expr, ...]:
    """Two sides of one comparison, constants read as the other side's type."""
    left, right = args
    left, right = (
        _read_as(left, kind_of(right), node, source),
        _read_as(right, kind_of(left), node, source),
    )
    one, two = kind_of(left), kind_of(right)
    if one is None or two is None:
        raise source.refuse("PL111", "nothing is equal to NULL", node.span)
    if one is not two and not (one.is_number and two.is_number):
        raise _mismatch(one, two, node, source)
    if one in (Kind.TEXT, Kind.BOOL) and op not in (Op.EQ, Op.NE):
        raise source.refuse(
            "PL111", f"{_words(one)} is compared with = and <>, it has no order here", node.span
        )
    return left, right


def _read_as(expr: Expr, kind: Kind | None, node: Apply, source: Source) -> Expr:
    if not isinstance(expr, Literal):
        return expr
    value = expr.value
    if isinstance(value, str) and kind in (Kind.DATE, Kind.DATETIME):
        found = parse_date(value) or (parse_datetime(value) if kind is Kind.DATETIME else None)
        if found is None:
            raise source.refuse("PL111", "this text is not an ISO date", node.span, "'2024-01-31'")
        value = found
    if kind is Kind.DATETIME and type(value) is date:
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 times have no zone here
    if kind is Kind.DATE and isinstance(value, datetime) and value.time() == datetime.min.time():
        value = value.date()
    return Literal(value)


def _mismatch(one: Kind, two: Kind, node: Apply, source: Source) -> BadQuery:
    hint = ""
    if one is Kind.BOOL or two is Kind.BOOL:
        hint = _condition_itself(node, source)
    if {one, two} == {Kind.DATE, Kind.DATETIME}:
        hint = "compare a time with a time, or take its calendar day first"
    return source.refuse("PL111", f"{_words(one)} is compared with {_words(two)}", node.span, hint)


def _condition_itself(node: Apply, source: Source) -> str:
    """``urgent = 1`` is written urgent, ``urgent = 0`` NOT urgent."""
    constants = [one for one in node.args if isinstance(one, Const)]
    others = [one for one in node.args if not isinstance(one, Const)]
    if len(constants) != 1 or len(others) != 1 or constants[0].value not in (0, 1):
        return ""
    words = source.quote(others[0].span)
    if bool(constants[0].value) is (node.op is Op.EQ):
        return f"write {words}"
    return f"write NOT {words}" if source.sql else f"write ~{words}"


def _words(kind: Kind | None) -> str:
    names = {
        None: "NULL",
        Kind.BOOL: "a condition",
        Kind.INT: "a whole number",
        Kind.FLOAT: "a number",
        Kind.TEXT: "a text",
        Kind.DATE: "a date",
        Kind.DATETIME: "a time",
    }
    return names[kind]


def _word(op: Op, source: Source) -> str:
    polars = {Op.AND: "&", Op.OR: "|", Op.NOT: "~"}
    symbols = {Op.ADD: "+", Op.SUB: "-", Op.MUL: "*", Op.NEG: "-"}
    if source.surface is Surface.POLARS and op in polars:
        return polars[op]
    return symbols.get(op, op.value.upper() if source.surface is Surface.SQL else op.value)
