"""A cast is an operation once the type is known."""

from __future__ import annotations

import pytest

from privlab.errors import BadQuery
from privlab.query.ask import Apply, Source, Span, Surface
from privlab.query.passes.align_kinds import WORDS
from privlab.query.passes.resolve_cast import resolve_cast
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind
from tests.query.shapes import ADMITTED, AGE, COST, SEEN, SEX, URGENT

NODE = Apply(Op.CAST, (), Span(0, 1))
ZERO, ONE = Literal(0), Literal(1)


def cast(value: Expr, to: Kind, rounding: str = "round") -> Expr:
    return resolve_cast(value, to, rounding, NODE, Source("x", Surface.SQL))


@pytest.mark.parametrize(
    ("value", "to", "found"),
    [
        (AGE, Kind.FLOAT, AGE),
        (AGE, Kind.INT, AGE),
        (AGE, Kind.BOOL, Call(Op.NE, (AGE, ZERO))),
        (AGE, Kind.TEXT, Call(Op.TO_TEXT, (AGE,))),
        (COST, Kind.INT, Call(Op.ROUND, (COST, ZERO))),
        (SEX, Kind.INT, Call(Op.PARSE_INT, (SEX,))),
        (SEX, Kind.FLOAT, Call(Op.PARSE_FLOAT, (SEX,))),
        (SEX, Kind.DATE, Call(Op.PARSE_DATE, (SEX,))),
        (SEEN, Kind.DATE, Call(Op.TO_DATE, (SEEN,))),
        (ADMITTED, Kind.TEXT, Call(Op.TO_TEXT, (ADMITTED,))),
        (Literal(None), Kind.INT, Literal(None)),
        (
            URGENT,
            Kind.INT,
            Call(Op.CASE, (URGENT, ONE, Call(Op.NOT, (URGENT,)), ZERO, Literal(None))),
        ),
    ],
)
def test_casts(value: Expr, to: Kind, found: Expr) -> None:
    assert cast(value, to) == found


def test_polars_cuts_the_fraction_off() -> None:
    assert cast(COST, Kind.INT, "truncate") == Call(Op.TRUNC_DIV, (COST, ONE))


@pytest.mark.parametrize(
    ("value", "to"),
    [
        (COST, Kind.TEXT),
        (SEEN, Kind.TEXT),
        (SEX, Kind.BOOL),
        (ADMITTED, Kind.INT),
        (AGE, Kind.DATE),
    ],
)
def test_what_has_no_cast_says_what_to_type(value: Ref, to: Kind) -> None:
    with pytest.raises(BadQuery) as caught:
        cast(value, to)
    assert caught.value.code == "PL111"
    assert caught.value.hint
    assert WORDS[to] in caught.value.what
