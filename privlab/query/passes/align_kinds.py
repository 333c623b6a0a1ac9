"""Read several values as one kind: the sides of a comparison, the values of a CASE."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from privlab.errors import BadQuery
from privlab.query.ask import Apply, Const, Source
from privlab.query.kinds import common_kind, kind_of
from privlab.query.literals import parse_date, parse_datetime
from privlab.query.plan import Expr, Literal, Op
from privlab.terms.catalog import Kind

WORDS = {
    None: "NULL",
    Kind.BOOL: "a condition",
    Kind.INT: "a whole number",
    Kind.FLOAT: "a number",
    Kind.TEXT: "a text",
    Kind.DATE: "a date",
    Kind.DATETIME: "a time",
}


def align_sides(op: Op, args: tuple[Expr, ...], node: Apply, source: Source) -> tuple[Expr, ...]:
    """Two sides of one comparison, constants read as the other side's kind.

    A text beside a date is read as an ISO date, a date beside a time as its
    midnight.

    :raises BadQuery: PL111, the sides do not compare.
    """
    left, right = args
    left, right = (
        read_as(left, kind_of(right), node, source),
        read_as(right, kind_of(left), node, source),
    )
    one, two = kind_of(left), kind_of(right)
    if one is None or two is None:
        raise source.refuse("PL111", "nothing is equal to NULL", node.span)
    if one is not two and not (one.is_number and two.is_number):
        raise _mismatch(one, two, node, source)
    if one in (Kind.TEXT, Kind.BOOL) and op not in (Op.EQ, Op.NE):
        raise source.refuse(
            "PL111",
            f"{WORDS[one]} is compared with = and <>, it has no order here",
            node.span,
            "name the values that are meant: "
            + ("x IN ('a', 'b')" if source.sql else 'x.is_in(["a", "b"])'),
        )
    return left, right


def align_values(values: Sequence[Expr], node: Apply, source: Source) -> list[Expr]:
    """Values one of which is taken, in one kind; NULL fits all.

    :raises BadQuery: PL111, they have no kind in common, or all are NULL.
    """
    firm = [kind_of(one) for one in values if not isinstance(one, Literal)]
    wanted = common_kind(firm) or common_kind(map(kind_of, values))
    if wanted is None:
        raise source.refuse(
            "PL111", "this gives only NULL", node.span, "give it one value at least"
        )
    aligned = [read_as(one, wanted, node, source) for one in values]
    for one in aligned:
        kind = kind_of(one)
        if kind not in (None, wanted) and not (kind.is_number and wanted.is_number):
            raise source.refuse(
                "PL111",
                f"this gives {WORDS[wanted]} here and {WORDS[kind]} there",
                node.span,
                "give one type, with CAST" if source.sql else "give one type, with cast",
            )
    return aligned


def read_as(expr: Expr, kind: Kind | None, node: Apply, source: Source) -> Expr:
    """A constant as a value of ``kind``, where it can be read so."""
    if not isinstance(expr, Literal):
        return expr
    value = expr.value
    if isinstance(value, str) and kind in (Kind.DATE, Kind.DATETIME):
        found = parse_date(value) or (parse_datetime(value) if kind is Kind.DATETIME else None)
        if found is None:
            raise source.refuse("PL111", "this text is not an ISO date", node.span, "'2024-01-31'")
        value = found
    if (
        kind is Kind.DATETIME
        and not isinstance(value, datetime)
        and kind_of(Literal(value)) is Kind.DATE
    ):
        value = datetime.fromisoformat(str(value))
    if kind is Kind.DATE and isinstance(value, datetime) and value.time() == datetime.min.time():
        value = value.date()
    return Literal(value)


def _mismatch(one: Kind, two: Kind, node: Apply, source: Source) -> BadQuery:
    hint = ""
    if one is Kind.BOOL or two is Kind.BOOL:
        hint = _condition_itself(node, source)
    if {one, two} == {Kind.DATE, Kind.DATETIME}:
        hint = "compare a time with a time, or take its calendar day first"
    return source.refuse("PL111", f"{WORDS[one]} is compared with {WORDS[two]}", node.span, hint)


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
