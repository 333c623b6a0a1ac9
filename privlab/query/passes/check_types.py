"""Give names their columns and every operation its types."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from privlab.query import texts
from privlab.query.ask import Aggregate, Apply, Const, Name, Node, Param, Source, Surface, Windowed
from privlab.query.evaluate import evaluate
from privlab.query.hints import chained
from privlab.query.kinds import COMPARISONS, EXTREMES, columns_of, kind_of
from privlab.query.literals import whole
from privlab.query.passes.align_kinds import WORDS, align_sides, align_values, read_as
from privlab.query.passes.find_column import find_column
from privlab.query.passes.infer_null import can_be_null
from privlab.query.passes.resolve_cast import resolve_cast
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.query.signatures import SIGNATURES, trouble
from privlab.terms.catalog import Kind, Scalar, Table

MAX_DEPTH = 200
"""Deepest nesting of one expression."""

MAX_SIZE = 1 << 63
"""Numbers at or beyond this do not fit the columns they would be compared with."""


def check_types(node: Node, table: Table, source: Source, depth: int = 0) -> Expr:
    """``node`` as an expression over the columns of ``table``.

    Parameters are already bound; casts become the operation they stand for.

    :raises BadQuery: PL104 no such column, PL106 nested too deeply or no
        constant where one must stand, PL111 the types do not fit.
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
            return _call(op, args, node, table, source)
        case Aggregate() | Windowed():
            raise source.refuse(
                "PL106",
                "an aggregate is no value of a single row",
                node.span,
                "compare it in HAVING",
            )


def _null(node: Apply, source: Source) -> str:
    """The test for null that was meant: of the side that is no constant."""
    sides = [source.quote(one.span) for one in node.args if not isinstance(one, Const)]
    words = sides[0] if sides else "x"
    return f"write {words} IS NULL" if source.sql else f"write {chained(words)}.is_null()"


def _checked(value: Scalar | None, node: Const, source: Source) -> Scalar | None:
    if isinstance(value, Fraction):
        value = whole(value)
    if isinstance(value, (int, Fraction)) and abs(Fraction(value)) >= MAX_SIZE:
        raise source.refuse("PL111", "this number is too large for any column", node.span)
    if isinstance(value, datetime) and value.tzinfo is not None:
        raise source.refuse("PL111", "times have no zone here", node.span)
    if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
        raise source.refuse("PL111", "this text is not Unicode", node.span)
    return value


def _call(op: Op, args: tuple[Expr, ...], node: Apply, table: Table, source: Source) -> Expr:
    if op is Op.IS_NULL:
        return Call(op, args)
    if op is Op.CLIP:
        return _clip(args, node, source)
    if op is Op.CAST:
        to, rounding = (arg.value for arg in args[1:] if isinstance(arg, Literal))
        return resolve_cast(args[0], Kind(str(to)), str(rounding), node, source)
    if op is Op.CASE:
        return _case(args, node, source)
    if op is Op.COALESCE or op in EXTREMES:
        values = align_values(args, node, source)
        if op in (Op.MAX_OF, Op.MIN_OF) and not any(can_be_null(one, table, None) for one in args):
            op = Op.GREATEST if op is Op.MAX_OF else Op.LEAST
        if op in EXTREMES and kind_of(Call(op, tuple(values))) in (Kind.TEXT, Kind.BOOL):
            what = f"{_word(op, source)} takes numbers, dates or times"
            raise source.refuse("PL111", what, node.span)
        return Call(op, tuple(values))
    if op in COMPARISONS or op is Op.IS_IN:
        return _comparison(op, args, node, source)
    return _plain(op, args, node, source)


def _case(args: tuple[Expr, ...], node: Apply, source: Source) -> Expr:
    conditions = args[:-1:2]
    for condition, part in zip(conditions, node.args[:-1:2], strict=True):
        if kind_of(condition) not in (Kind.BOOL, None):
            what = f"a case is decided by conditions, and this is {WORDS[kind_of(condition)]}"
            raise source.refuse("PL111", what, part.span, "compare it, as in >= 1")
    values = align_values((*args[1::2], args[-1]), node, source)
    pairs = zip(conditions, values[:-1], strict=True)
    return Call(Op.CASE, (*(one for pair in pairs for one in pair), values[-1]))


def _comparison(op: Op, args: tuple[Expr, ...], node: Apply, source: Source) -> Expr:
    if any(kind_of(arg) is None for arg in args):
        raise source.refuse("PL111", "nothing is equal to NULL", node.span, _null(node, source))
    if op is not Op.IS_IN:
        return Call(op, align_sides(op, args, node, source))
    if len(args) < 2:
        raise source.refuse("PL111", "this list holds no values", node.span)
    listed = [_constant(arg) for arg in args[1:]]
    known = [one for one in listed if one is not None]
    if len(known) < len(listed):
        raise source.refuse("PL106", "IN takes a list of constants", node.span)
    pairs = [align_sides(Op.EQ, (args[0], one), node, source) for one in known]
    return Call(op, (args[0], *(pair[1] for pair in pairs)))


def _plain(op: Op, args: tuple[Expr, ...], node: Apply, source: Source) -> Expr:
    """An operation with a signature of its own; + and - also on dates and texts."""
    kinds = [kind_of(arg) for arg in args]
    if (other := _overloaded(op, args, node, source)) is not None:
        return other
    signature = SIGNATURES[op]
    count = max(1, len(args) - len(signature.constants))
    for kind, part in zip(kinds[:count], node.args, strict=False):
        if kind is None:
            null = "IS NULL" if source.sql else ".is_null()"
            raise source.refuse("PL111", "what is made of NULL is NULL", part.span, f"write {null}")
        if kind not in signature.values:
            hint = ""
            if kind is Kind.DATE and signature.words == "a time with a clock":
                hint = "a date has no clock; it has a year, a month, a day"
            elif op is Op.CONCAT:
                hint = "CAST(x AS TEXT)" if source.sql else ".cast(pl.String)"
            elif op in (Op.AND, Op.OR) and not source.sql:
                sign = _word(op, source)
                hint = f'{sign} binds before >=: (pl.col("x") >= 1) {sign} (pl.col("y") >= 1)'
            what = f"{_word(op, source)} takes {signature.words}, and this is {WORDS[kind]}"
            raise source.refuse("PL111", what, part.span, hint)
    constants: list[Expr] = []
    for what, arg, part in zip(
        signature.constants[: len(args) - count], args[count:], node.args[count:], strict=True
    ):
        found = _constant(arg)
        why = NOT_OF_ROWS if found is None else trouble(what, found.value)
        if found is None or why:
            raise source.refuse("PL106", why, part.span, "write it out, or pass a parameter")
        constants.append(found)
    if op is Op.LIKE:
        constants = [_form(constants, node, source)]
    if op is Op.ELAPSED and Kind.DATETIME in kinds:
        args = tuple(read_as(arg, Kind.DATETIME, node, source) for arg in args)
        kinds = [kind_of(arg) for arg in args]
    if op is Op.ELAPSED and kinds == [Kind.DATE, Kind.DATE]:
        return Call(Op.MUL, (Call(Op.DAYS, args), Literal(DAY)))
    if op is Op.ELAPSED and kinds != [Kind.DATETIME, Kind.DATETIME]:
        raise source.refuse(
            "PL111", "these are a date and a time", node.span, "take the day of both"
        )
    return Call(op, (*args[:count], *constants))


NOT_OF_ROWS = "only a constant may stand here, and this differs from row to row"

DAY = 86_400_000_000
"""Microseconds of a day."""


def _overloaded(op: Op, args: tuple[Expr, ...], node: Apply, source: Source) -> Expr | None:
    """date - date, date + 3, text + text."""
    if op not in (Op.ADD, Op.SUB) or len(args) != 2:
        return None
    match kind_of(args[0]), kind_of(args[1]):
        case Kind.TEXT, Kind.TEXT if op is Op.ADD:
            return Call(Op.CONCAT, args)
        case Kind.DATE, Kind.DATE if op is Op.SUB and source.sql:
            return Call(Op.DAYS, args)
        case ((Kind.DATE | Kind.DATETIME), (Kind.DATE | Kind.DATETIME)) if op is Op.SUB:
            hint = "DATEDIFF(a, b), or TIMESTAMPDIFF(HOUR, b, a)"
            hint = hint if source.sql else "(a - b).dt.total_days(), or total_hours()"
            raise source.refuse("PL111", "say in which unit these times differ", node.span, hint)
        case Kind.DATE, Kind.INT if source.sql and (days := _constant(args[1])) is not None:
            by = int(days.value) if isinstance(days.value, int) else 0
            if not trouble("shift", by):
                return Call(Op.ADD_DAYS, (args[0], Literal(by if op is Op.ADD else -by)))
    return None


def _form(constants: list[Expr], node: Apply, source: Source) -> Expr:
    """The pattern of LIKE, or of a text that begins, ends or contains another."""
    text, how, escape = (one.value for one in constants if isinstance(one, Literal))
    match how:
        case "like":
            form = texts.pattern(str(text), None if escape is None else str(escape))
            if form is None:
                raise source.refuse("PL106", "this pattern ends in its escape", node.span)
            return Literal(form)
        case "starts":
            form = texts.literal(str(text)) + texts.MANY
        case "ends":
            form = texts.MANY + texts.literal(str(text))
        case _:
            form = texts.MANY + texts.literal(str(text)) + texts.MANY
    return Literal(texts.pattern(form, texts.ESCAPE))


def _clip(args: tuple[Expr, ...], node: Apply, source: Source) -> Expr:
    value = args[0]
    kind = kind_of(value)
    if kind is not None and kind.is_time:
        return _clip_times(args, kind, node, source)
    if kind is None or not kind.is_number:
        raise source.refuse(
            "PL111",
            f"a clip takes a number, a date or a time, and this is {WORDS[kind]}",
            node.span,
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


def _clip_times(args: tuple[Expr, ...], kind: Kind, node: Apply, source: Source) -> Expr:
    """The later of a date and one, the earlier of it and another; null where it is."""
    found = args[0]
    for op, bound in zip((Op.GREATEST, Op.LEAST), args[1:], strict=True):
        end = read_as(bound, kind, node, source)
        if end == Literal(None):
            continue
        if not isinstance(end, Literal) or kind_of(end) is not kind:
            what = f"the bounds of this clip are {WORDS[kind]} each, written out"
            raise source.refuse("PL106", what, node.span)
        found = Call(op, (found, end))
    return found


def _constant(expr: Expr) -> Literal | None:
    """The value of what reads no column: -5 is typed as a minus before one."""
    if isinstance(expr, Literal):
        return expr
    return None if columns_of(expr) else Literal(evaluate(expr, {}))


def _word(op: Op, source: Source) -> str:
    polars = {
        Op.AND: "&",
        Op.OR: "|",
        Op.NOT: "~",
        Op.MAX_OF: "max_horizontal",
        Op.MIN_OF: "min_horizontal",
        Op.GREATEST: "max_horizontal",
        Op.LEAST: "min_horizontal",
    }
    symbols = {Op.ADD: "+", Op.SUB: "-", Op.MUL: "*", Op.NEG: "-", Op.DIVIDE: "/"}
    if source.surface is Surface.POLARS and op in polars:
        return polars[op]
    return symbols.get(op, op.value.upper() if source.surface is Surface.SQL else op.value)
