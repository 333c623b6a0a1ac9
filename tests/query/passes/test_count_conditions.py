"""Sums of conditions are counts."""

from __future__ import annotations

import pytest

from privlab.query.ask import Aggregate, AggregateKind, Apply, Const, Name, Span
from privlab.query.passes.count_conditions import count_conditions, units_where
from privlab.query.plan import Call, Expr, Literal, Op
from tests.query.shapes import AGE, URGENT

AT = Span(0, 1)
ZERO, ONE, NULL = Literal(0), Literal(1), Literal(None)
COUNTED = Call(Op.CASE, (URGENT, ONE, NULL))


@pytest.mark.parametrize(
    ("kind", "of", "found"),
    [
        (AggregateKind.SUM, URGENT, (AggregateKind.ROWS, COUNTED)),
        (
            AggregateKind.SUM,
            Call(Op.CASE, (URGENT, ONE, ZERO)),
            (AggregateKind.ROWS, COUNTED),
        ),
        (
            AggregateKind.MEAN,
            URGENT,
            (
                AggregateKind.MEAN,
                Call(Op.CASE, (URGENT, ONE, Call(Op.NOT, (URGENT,)), ZERO, NULL)),
            ),
        ),
        (AggregateKind.SUM, AGE, (AggregateKind.SUM, AGE)),
        (AggregateKind.ROWS, URGENT, (AggregateKind.ROWS, URGENT)),
        (AggregateKind.ROWS, None, (AggregateKind.ROWS, None)),
    ],
)
def test_counts(
    kind: AggregateKind, of: Expr | None, found: tuple[AggregateKind, Expr | None]
) -> None:
    assert count_conditions(kind, of) == found


def test_units_are_counted_by_their_own_name_alone() -> None:
    condition = Name("urgent", AT)

    def distinct(name: str) -> Aggregate:
        of = Apply(Op.CASE, (condition, Name(name, AT), Const(None, AT)), AT)
        return Aggregate(AggregateKind.UNITS, of, AT)

    assert units_where(distinct("patient_id"), "patient_id") == Apply(
        Op.CASE, (condition, Const(1, AT), Const(None, AT)), AT
    )
    assert units_where(distinct("ward"), "patient_id") is None
    assert units_where(Aggregate(AggregateKind.UNITS, condition, AT), "patient_id") is None
