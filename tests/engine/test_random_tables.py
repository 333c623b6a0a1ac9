"""Random tables through encrypted parts: the sums are the plain reference's, and bounded.

Every table is protected anew, into several buckets, and read by the engine as in production.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.connector import write
from privlab.engine.reference import bounded_sums
from privlab.engine.run import measure
from privlab.query.plan import Call, Expr, Key, Literal, Measure, MeasureKind, Op, Ref
from privlab.query.shares import Share
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind
from tests.engine.conftest import SCHEMA, Place, protected

WARD, AGE, STAY = Ref("ward", Kind.TEXT), Ref("age", Kind.INT), Ref("stay", Kind.FLOAT)
BIG, URGENT = Ref("big", Kind.INT), Ref("urgent", Kind.BOOL)
TOP = 2**63 - 1

Stored = Callable[[pl.DataFrame], Place]

COUNT, UNITS = Measure(MeasureKind.ROWS), Measure(MeasureKind.UNITS)
TOTAL = Measure(MeasureKind.SUM, STAY, Fraction(-2), Fraction(60), Fraction(1, 4))
WHOLE = Measure(MeasureKind.SUM, BIG, Fraction(-3), Fraction(9), centre=Fraction(3))
SHARED = Measure(
    MeasureKind.SUM, STAY, Fraction(-2), Fraction(60), Fraction(1, 4), Fraction(-2), share=Share.ABOVE
)  # fmt: skip
WORKED_OUT = Measure(
    MeasureKind.SUM, Call(Op.MUL, (AGE, STAY)), Fraction(0), Fraction(500), Fraction(1)
)
MEASURES = [
    COUNT, UNITS, TOTAL, WHOLE, SHARED, WORKED_OUT,
    Measure(MeasureKind.ROWS, STAY), Measure(MeasureKind.UNITS, WARD),
    Measure(MeasureKind.DISTINCT, BIG),
]  # fmt: skip

KEYS: list[tuple[Key, ...]] = [
    (),
    (Key(AGE, Kind.INT, tuple(range(3, 9))),),
    (Key(AGE, Kind.INT, (7, None, 3)),),
    (Key(BIG, Kind.INT, (TOP - 1, TOP)),),
    (Key(BIG, Kind.INT, tuple(range(-2, 5))),),
    (Key(WARD, Kind.TEXT, ("west", "north", None)), Key(AGE, Kind.INT, tuple(range(8)))),
    (Key(Call(Op.ADD, (AGE, Literal(1))), Kind.INT, tuple(range(9))),),
]
WHERES: list[Expr | None] = [None, URGENT, Call(Op.GE, (AGE, Literal(4)))]

rows = st.tuples(
    st.integers(0, 5),
    st.sampled_from(["north", "south", "west", None]),
    st.none() | st.integers(0, 9),
    st.sampled_from([None, -(2**63), TOP, TOP - 1]) | st.integers(-4, 12),
    st.none() | st.integers(-20, 260).map(lambda quarters: quarters / 4) | st.floats(-3, 61),
    st.sampled_from([True, False, None]),
)
DRAWN = ("patient", "ward", "age", "big", "stay", "urgent")


def framed(drawn: list[tuple[object, ...]]) -> pl.DataFrame:
    frame = pl.DataFrame(drawn, schema={name: SCHEMA[name] for name in DRAWN}, orient="row")
    others = [
        pl.lit(None, dtype).alias(name) for name, dtype in SCHEMA.items() if name not in DRAWN
    ]
    return frame.with_columns(others).select(*SCHEMA)


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Protects a table, opens it and reads it."""
    return lambda table: protected(tmp_path_factory.mktemp("random"), table)


@st.composite
def bounds(draw: st.DrawFn) -> ContributionBound:
    most = draw(st.integers(1, 8))
    return ContributionBound(most, draw(st.integers(1, most)), draw(st.integers(1, most)))


plans = st.fixed_dictionaries(
    {"keys": st.sampled_from(KEYS), "where": st.sampled_from(WHERES), "bound": bounds()}
)
tables = st.lists(rows, min_size=1, max_size=60).map(framed)
chosen = st.lists(st.sampled_from(MEASURES), min_size=1, max_size=4)


def sums(place: Place, what: list[Measure], plan: dict[str, object]) -> list[list[int]]:
    found: list[list[int]] = measure(place.job(place.plan(*what, **plan))).sums.tolist()  # type: ignore[arg-type]
    return found


@settings(max_examples=30, deadline=None)
@given(table=tables, what=chosen, plan=plans)
def test_the_sums_of_any_table_are_those_of_the_reference(
    stored: Stored, table: pl.DataFrame, what: list[Measure], plan: dict[str, object]
) -> None:
    """Through several encrypted buckets, to the last bit."""
    place = stored(table)
    job = place.job(place.plan(*what, **plan))  # type: ignore[arg-type]
    assert len(place.manifest.parts) > 1
    assert measure(job).sums.tolist() == bounded_sums(job.plan, place.rows, job.bounding_key)


@settings(max_examples=15, deadline=None)
@given(table=tables, what=chosen, plan=plans, data=st.data())
def test_no_unit_moves_the_stored_sums_by_more_than_is_charged(
    stored: Stored,
    table: pl.DataFrame,
    what: list[Measure],
    plan: dict[str, object],
    data: st.DataObject,
) -> None:
    """The table with the unit and without it, each protected for itself."""
    unit = data.draw(st.sampled_from(table["patient"].unique(maintain_order=True).to_list()))
    with_it, without = (
        sums(stored(one), what, plan) for one in (table, table.filter(pl.col("patient") != unit))
    )
    bound = plan["bound"]
    assert isinstance(bound, ContributionBound)
    for one, left, right in zip(what, with_it, without, strict=True):
        moved = [a - b for a, b in zip(left, right, strict=True)]
        assert sum(step * step for step in moved) <= one.squared_sensitivity(bound)
        assert sum(map(abs, moved)) <= one.sensitivity(bound)


@settings(max_examples=15, deadline=None)
@given(table=tables, plan=plans, split=st.integers(0, 4))
def test_units_add_nothing_to_each_other(
    stored: Stored, table: pl.DataFrame, plan: dict[str, object], split: int
) -> None:
    """Some units in one table and the others in another: the sums are those of all in one."""
    what = [COUNT, UNITS, TOTAL, WHOLE]
    here = pl.col("patient") <= split
    parts = [sums(stored(table.filter(one)), what, plan) for one in (here, ~here)]
    together = [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(*parts, strict=True)]
    assert sums(stored(table), what, plan) == together


@settings(max_examples=10, deadline=None)
@given(
    table=tables,
    what=chosen,
    plan=plans,
    seed=st.integers(0, 2**32),
    size=st.sampled_from([1 << 21, 1 << 16]),
)
def test_neither_the_order_of_the_source_nor_its_buckets_show(
    stored: Stored,
    table: pl.DataFrame,
    what: list[Measure],
    plan: dict[str, object],
    seed: int,
    size: int,
) -> None:
    """Shuffled, and in one bucket or in thirty-two: the same rows are kept."""
    before = sums(stored(table), what, plan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "ROWS_PER_BUCKET", size)
        place = stored(table.sample(fraction=1.0, shuffle=True, seed=seed))
    assert len(place.manifest.parts) == (1 if size == 1 << 21 else 32)
    assert sums(place, what, plan) == before
