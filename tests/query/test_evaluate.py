"""The meaning of expressions: SQL's null, exact numbers, the calendar."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

import pytest

from privlab.query.evaluate import evaluate, grain
from privlab.query.plan import Call, Literal, Op, Ref
from privlab.terms.catalog import Kind, Scalar

T, F, N = Literal(value=True), Literal(value=False), Literal(None)


@pytest.mark.parametrize(
    ("op", "args", "value"),
    [
        (Op.AND, (T, N), None),
        (Op.AND, (F, N), False),
        (Op.OR, (T, N), True),
        (Op.OR, (F, N), None),
        (Op.NOT, (N,), None),
        (Op.IS_NULL, (N,), True),
        (Op.EQ, (N, N), None),
        (Op.IS_IN, (N, Literal(1)), None),
        (Op.IS_IN, (Literal(1), Literal(2), Literal(1)), True),
        (Op.ADD, (Literal(1), N), None),
        (Op.MUL, (Literal(2), Literal(Fraction(1, 2))), 1),
        (Op.SUB, (Literal(2), Literal(5)), -3),
        (Op.ABS, (Literal(-2),), 2),
        (Op.CLIP, (Literal(9), Literal(0), Literal(5)), 5),
        (Op.CLIP, (Literal(-9), Literal(0), N), 0),
        (Op.CLIP, (N, Literal(0), Literal(5)), None),
        (Op.YEAR, (Literal(date(2024, 2, 29)),), 2024),
        (Op.DAY, (Literal(datetime(2024, 2, 29, 23)),), 29),  # noqa: DTZ001
    ],
)
def test_operations(op: Op, args: tuple[Literal, ...], value: Scalar | None) -> None:
    assert evaluate(Call(op, args), {}) == value


def test_grains_are_days_mondays_and_firsts() -> None:
    moment = datetime(2024, 2, 29, 23, 59)  # noqa: DTZ001
    assert grain(Op.TO_DATE, moment) == date(2024, 2, 29)
    assert grain(Op.WEEK, moment) == date(2024, 2, 26)
    assert grain(Op.TO_MONTH, moment) == date(2024, 2, 1)
    assert grain(Op.WEEK, date(2024, 1, 1)) == date(2024, 1, 1)
    assert grain(Op.WEEK, date.min) == date.min


def test_long_lists_are_looked_up_as_short_ones_are_searched() -> None:
    for count in (3, 300):
        listed = Call(Op.IS_IN, (Ref("age", Kind.INT), *map(Literal, range(count))))
        assert evaluate(listed, {"age": count - 1}) is True
        assert evaluate(listed, {"age": count}) is False
        assert evaluate(listed, {"age": None}) is None
