"""Say which operation a cast is, once the type of its value is known."""

from __future__ import annotations

from privlab.query.ask import Apply, Source
from privlab.query.kinds import kind_of
from privlab.query.passes.align_kinds import WORDS
from privlab.query.plan import Call, Expr, Literal, Op
from privlab.terms.catalog import Kind

ZERO, ONE, NULL = Literal(0), Literal(1), Literal(None)

_READ = {Kind.INT: Op.PARSE_INT, Kind.FLOAT: Op.PARSE_FLOAT, Kind.DATE: Op.PARSE_DATE}


def resolve_cast(value: Expr, to: Kind, rounding: str, node: Apply, source: Source) -> Expr:
    """``value`` as a value of kind ``to``.

    From           to          is
    ----           --          --
    whole number   decimal     the number itself
    decimal        whole       the nearest (SQL), or its whole part (Polars)
    condition      number      1, 0 or NULL
    number         condition   value <> 0
    text           number      the number it spells, else NULL
    text           date        the date it spells as YYYY-MM-DD, else NULL
    time           date        its calendar day

    :raises BadQuery: PL111, there is no such cast.
    """
    kind = kind_of(value)
    if kind is None:
        return value
    if kind is to or (kind is Kind.INT and to is Kind.FLOAT):
        return value
    match kind, to:
        case ((Kind.INT | Kind.FLOAT), Kind.BOOL):
            return Call(Op.NE, (value, ZERO))
        case Kind.FLOAT, Kind.INT:
            return Call(
                *(
                    (Op.ROUND, (value, ZERO))
                    if rounding == "round"
                    else (Op.TRUNC_DIV, (value, ONE))
                )
            )
        case Kind.BOOL, (Kind.INT | Kind.FLOAT):
            return Call(Op.CASE, (value, ONE, Call(Op.NOT, (value,)), ZERO, NULL))
        case Kind.TEXT, (Kind.INT | Kind.FLOAT | Kind.DATE):
            return Call(_READ[to], (value,))
        case Kind.DATETIME, Kind.DATE:
            return Call(Op.TO_DATE, (value,))
        case ((Kind.BOOL | Kind.INT | Kind.DATE), Kind.TEXT):
            return Call(Op.TO_TEXT, (value,))
    raise source.refuse(
        "PL111", f"{WORDS[kind]} is not cast to {WORDS[to]}", node.span, _hint(kind, to, source)
    )


def _hint(kind: Kind, to: Kind, source: Source) -> str:
    match kind, to:
        case Kind.FLOAT, Kind.TEXT:
            rounded = "CAST(ROUND(x) AS INT)" if source.sql else ".round(0).cast(pl.Int64)"
            return f"a decimal has no one spelling; make it whole first: {rounded}"
        case Kind.DATETIME, Kind.TEXT:
            return "take the calendar day first"
        case Kind.TEXT, Kind.BOOL:
            return "compare it: x = 'true'" if source.sql else 'compare it: x == "true"'
        case ((Kind.DATE | Kind.DATETIME), _):
            days = (
                "DATEDIFF(x, DATE '1970-01-01')"
                if source.sql
                else "(x - date(1970, 1, 1)).dt.total_days()"
            )
            return f"count days: {days}"
    return "compare it, or take a part of it"
