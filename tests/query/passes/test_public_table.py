"""A public table states what its values show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction

from privlab.query.passes.public_table import passing, public_table, values_of
from privlab.query.plan import Call, Literal, Op, Question, Ref
from privlab.query.relations import PublicRows
from privlab.terms.catalog import Column, Kind

ROWS = PublicRows(
    (("code", Kind.TEXT), ("rate", Kind.FLOAT), ("day", Kind.DATE), ("beds", Kind.INT)),
    (
        ("b", Fraction(3, 4), date(2024, 5, 1), 3),
        ("a", Fraction(1, 2), date(2023, 1, 1), None),
        ("b", None, date(2024, 5, 1), -1),
    ),
)


def test_columns_have_the_ranges_and_keys_of_their_values() -> None:
    table = public_table("codes", ROWS)
    assert table.row_cap == 3
    assert table.column("code") == Column("code", Kind.TEXT, False, keys=("b", "a"))  # noqa: FBT003
    rate = table.column("rate")
    assert rate is not None
    assert (rate.low, rate.high, rate.step) == (Fraction(1, 2), Fraction(3, 4), Fraction(1, 4))
    assert rate.keys is None
    assert rate.nullable
    day, beds = table.column("day"), table.column("beds")
    assert day is not None
    assert beds is not None
    assert (day.low, day.high) == (date(2023, 1, 1), date(2024, 5, 1))
    assert (beds.low, beds.high, beds.keys) == (-1, 3, (3, -1))


def test_rows_pass_and_are_worked_out_as_private_ones_are() -> None:
    beds = Ref("beds", Kind.INT)
    kept = passing(ROWS, Call(Op.GE, (beds, Literal(0))))
    assert [row[0] for row in kept.rows] == ["b"]
    assert values_of(ROWS, [Call(Op.ADD, (beds, Literal(1)))]) == [(4,), (None,), (0,)]


def test_values_of_public_columns_are_keys_in_their_order(ask: Callable[..., Question]) -> None:
    plan = ask(
        "SELECT w.region, COUNT(*) AS n FROM visits v LEFT JOIN wards w USING (ward) GROUP BY 1"
    ).plan
    assert plan.keys[0].values == ("north", "south", None)
