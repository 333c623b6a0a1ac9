"""Rows to integers: the compiled engine equals the plain reference on any plan."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.connector.keys import Custody
from privlab.engine.cells import group_tags
from privlab.engine.job import check_noises
from privlab.engine.reference import bounded_sums, sampled
from privlab.engine.run import measure, release
from privlab.engine.work import MEASURES_PER_PASS, passes
from privlab.errors import IntegrityError
from privlab.mechanisms.quantile import pieces
from privlab.query.plan import Call, Expr, Key, Literal, Measure, MeasureKind, Op, Ref
from privlab.query.shares import Share
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind
from privlab.terms.noise import Choice, DiscreteLaplace, Noise, RoundedGaussian, RoundedLaplace

WARD, AGE, STAY = Ref("ward", Kind.TEXT), Ref("age", Kind.INT), Ref("stay", Kind.FLOAT)
BIG, WEIGHT, URGENT = Ref("big", Kind.INT), Ref("weight", Kind.FLOAT), Ref("urgent", Kind.BOOL)
DAY, AT = Ref("day", Kind.DATE), Ref("at", Kind.DATETIME)

COUNT = Measure(MeasureKind.ROWS)
UNITS = Measure(MeasureKind.UNITS)
TOTAL = Measure(MeasureKind.SUM, STAY, Fraction(-2), Fraction(60), Fraction(1, 4))

keys = st.sampled_from(
    [
        Key(WARD, Kind.TEXT, ("north", "south", "west")),
        Key(WARD, Kind.TEXT, ("west", None, "absent", "north")),
        Key(WARD, Kind.TEXT, (*(f"w{n}" for n in range(12)), "attic")),
        Key(AGE, Kind.INT, tuple(range(30, 60))),
        Key(AGE, Kind.INT, (3, 7, None, 5, 100)),
        Key(AGE, Kind.INT, tuple(range(0, 40, 2))),
        Key(URGENT, Kind.BOOL, (False, True)),
        Key(URGENT, Kind.BOOL, (None, True)),
        Key(DAY, Kind.DATE, tuple(date(2023, 1, n) for n in range(1, 31))),
        Key(Call(Op.TO_MONTH, (DAY,)), Kind.DATE, tuple(date(2023, n, 1) for n in range(1, 13))),
        Key(Call(Op.WEEK, (AT,)), Kind.DATE, (date(2023, 1, 2), date(2022, 12, 26))),
        Key(Call(Op.MONTH, (AT,)), Kind.INT, tuple(range(1, 13))),
        Key(Call(Op.ADD, (AGE, Literal(1))), Kind.INT, (0, 1, 2)),
    ]
)
wheres = st.none() | st.sampled_from(
    [
        Call(Op.GE, (AGE, Literal(18))),
        Call(Op.LT, (STAY, Literal(Fraction(21, 2)))),
        URGENT,
        Call(Op.NOT, (URGENT,)),
        Call(Op.OR, (Call(Op.IS_NULL, (WARD,)), Call(Op.GT, (BIG, Literal(0))))),
        Call(Op.IS_IN, (WARD, Literal("north"), Literal("attic"))),
        Call(Op.GT, (Call(Op.MUL, (BIG, BIG)), Literal(0))),
        Literal(True),  # noqa: FBT003
        Literal(None),
    ]
)
measures = st.lists(
    st.sampled_from(
        [
            COUNT,
            UNITS,
            TOTAL,
            Measure(MeasureKind.ROWS, STAY),
            Measure(MeasureKind.ROWS, WARD),
            Measure(MeasureKind.UNITS, STAY),
            Measure(MeasureKind.SUM, AGE, Fraction(0), Fraction(110)),
            Measure(MeasureKind.SUM, AGE, Fraction(0), Fraction(110), Fraction(1), Fraction(55)),
            Measure(MeasureKind.SUM, BIG, Fraction(-10), Fraction(10)),
            Measure(MeasureKind.SUM, WEIGHT, Fraction(0), Fraction(100), Fraction(1, 10)),
            Measure(MeasureKind.SUM, Call(Op.MUL, (AGE, STAY)), Fraction(0), Fraction(500)),
            Measure(MeasureKind.SUM, Call(Op.MUL, (BIG, Literal(3))), Fraction(0), Fraction(500)),
            *(
                Measure(
                    MeasureKind.SUM,
                    STAY,
                    Fraction(-2),
                    Fraction(60),
                    Fraction(1, 4),
                    Fraction(-2),
                    share=share,
                )
                for share in Share
            ),
            Measure(
                MeasureKind.SUM,
                BIG,
                Fraction(-10),
                Fraction(10),
                centre=Fraction(-10),
                share=Share.LEFT,
            ),
            *(
                Measure(MeasureKind.DISTINCT, one)
                for one in (WARD, AGE, BIG, WEIGHT, STAY, DAY, AT)
            ),
        ]
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def bounds(draw: st.DrawFn) -> ContributionBound:
    rows = draw(st.integers(1, 6))
    return ContributionBound(rows, draw(st.integers(1, rows)), draw(st.integers(1, rows)))


@settings(max_examples=60, deadline=None)
@given(
    by=st.lists(keys, max_size=2), where=wheres, what=measures, bound=bounds(),
)  # fmt: skip
def test_the_engine_equals_the_reference(
    place: Any, by: list[Key], where: Expr | None, what: list[Measure], bound: ContributionBound
) -> None:
    """Before noise, cell by cell, on a table with nulls, outsiders and extremes."""
    plan = place.plan(*what, keys=tuple(by), where=where, bound=bound)
    job = place.job(plan)

    assert measure(job).sums.tolist() == bounded_sums(plan, place.rows, job.bounding_key)


QUANTILES = [
    Measure(MeasureKind.QUANTILE, AGE, Fraction(0), Fraction(110), q=Fraction(1, 2)),
    Measure(MeasureKind.QUANTILE, STAY, Fraction(-2), Fraction(60), Fraction(1, 4), q=Fraction(1, 4)),
    Measure(MeasureKind.QUANTILE, BIG, Fraction(10), Fraction(20), q=Fraction(99, 100)),
    Measure(MeasureKind.QUANTILE, WEIGHT, Fraction(3), Fraction(80), Fraction(1, 10), q=Fraction(1, 3)),
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    by=st.lists(keys, max_size=2), where=wheres, bound=bounds(),
    what=st.lists(st.sampled_from([*QUANTILES, COUNT]), min_size=1, max_size=3),
)  # fmt: skip
def test_the_values_to_choose_among_are_those_of_the_reference(
    place: Any, by: list[Key], where: Expr | None, what: list[Measure], bound: ContributionBound
) -> None:
    """One of each unit and group at most, in at most so many groups."""
    plan = place.plan(*what, keys=tuple(by), where=where, bound=bound)
    job = place.job(plan)
    exact = measure(job)

    assert set(exact.samples) == {j for j, one in enumerate(what) if one.chosen}
    for j, sample in exact.samples.items():
        cells = [values.tolist() for values in sample.by_cell(plan.cells)]
        assert cells == sampled(plan, j, place.rows, job.bounding_key)


@pytest.mark.parametrize("one", QUANTILES)
def test_what_leaves_is_a_quantile_of_each_group(place: Any, one: Measure) -> None:
    """So sharp a choice takes a value with the best score; of an empty group, any value."""
    plan = place.plan(one, keys=(Key(WARD, Kind.TEXT, ("north", "nowhere", "west")),))
    job = place.job(plan)
    (released,) = release(job)
    low, high = int(one.low / one.step), int(one.high / one.step)

    assert all(low <= value <= high for value in released)
    for value, group in zip(released, sampled(plan, 0, place.rows, job.bounding_key), strict=True):
        inside = sorted(min(max(other, low), high) for other in group)
        best = pieces(np.array(inside, np.int64), low, high, one.q).scores.max()
        below = sum(other < value for other in inside)
        above = sum(other > value for other in inside)
        assert one.q is not None
        missed = max(0, below - one.q * len(inside), one.q * len(inside) - len(inside) + above)
        assert -(missed // max(one.q, 1 - one.q)) == best


def test_quantiles_that_are_chosen_together_leave_in_order(place: Any) -> None:
    """So sharp a choice takes a best value; each measure has its own of the set's answers."""
    qs = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
    what = [replace(QUANTILES[0], q=q, among=qs) for q in reversed(qs)]
    plan = place.plan(*what, keys=(Key(WARD, Kind.TEXT, ("north", "nowhere", "west")),))
    job = place.job(plan)
    released = release(job)
    for cell, group in enumerate(sampled(plan, 0, place.rows, job.bounding_key)):
        answers = [vector[cell] for vector in reversed(released)]
        assert answers == sorted(answers)
        for q, value in zip(qs, answers, strict=True):
            below = sum(other < value for other in group)
            above = sum(other > value for other in group)
            assert below <= q * len(group) + 3
            assert above <= (1 - q) * len(group) + 3
    with pytest.raises(ValueError, match="one epsilon"):
        check_noises(plan, (Choice(1, 2), Choice(1, 3), Choice(1, 2)))


def test_distinct_values_of_several_parts_are_counted_once(place: Any) -> None:
    plan = place.plan(Measure(MeasureKind.DISTINCT, WARD), bound=ContributionBound(9, 9, 1))
    assert len(place.manifest.parts) > 1
    assert measure(place.job(plan)).sums.tolist() == [[4]]


def test_many_measures_are_taken_a_few_at_a_time(place: Any) -> None:
    """What a child holds does not grow with their number, which the analyst chooses."""
    what = [
        Measure(MeasureKind.SUM, STAY, Fraction(0), Fraction(high), Fraction(1, 4))
        for high in range(1, 2 * MEASURES_PER_PASS + 4)
    ]
    plan = place.plan(*what, UNITS, keys=(Key(WARD, Kind.TEXT, ("north", "south")),))
    job = place.job(plan)

    assert max(len(group) for group in passes(plan)) == MEASURES_PER_PASS
    assert measure(job).sums.tolist() == bounded_sums(plan, place.rows, job.bounding_key)


@pytest.mark.parametrize(
    "noise", [RoundedGaussian(1, 0), DiscreteLaplace(2, 0), RoundedLaplace(2, 0)]
)
def test_what_leaves_is_the_sum_with_noise(place: Any, noise: Noise) -> None:
    """At a noise of variance 8 or so the mean of 30 releases is within 4 of the sum."""
    plan = place.plan(COUNT, TOTAL, keys=(Key(WARD, Kind.TEXT, ("north", "south")),))
    exact = measure(place.job(plan)).sums.tolist()

    drawn = [release(place.job(plan, noise)) for _ in range(30)]

    for j in range(2):
        for cell in range(2):
            values = [one[j][cell] for one in drawn]
            assert len(set(values)) > 1
            assert abs(sum(values) / 30 - exact[j][cell]) < 4


def test_a_null_cell_takes_the_rows_without_a_key(place: Any) -> None:
    plan = place.plan(
        COUNT, keys=(Key(WARD, Kind.TEXT, (None,)),), bound=ContributionBound(9, 9, 9)
    )

    (found,) = measure(place.job(plan)).sums.tolist()

    assert found == [sum(row["ward"] is None for row in place.rows)]


def test_a_cells_tag_is_the_same_in_every_question_that_has_the_cell(place: Any) -> None:
    few, many = ("west", "north"), ("north", "south", None, "west")
    months = Key(Call(Op.MONTH, (AT,)), Kind.INT, (1, 2))

    one, two = (
        dict(zip(product(values, (1, 2)), group_tags(plan).tolist(), strict=True))
        for values, plan in (
            (values, place.plan(COUNT, keys=(Key(WARD, Kind.TEXT, values), months)))
            for values in (few, many)
        )
    )

    assert one.items() < two.items()
    assert len(set(two.values())) == 8


def test_the_bound_on_groups_follows_the_secret_key(place: Any) -> None:
    """Another master keeps another sample, of the same size."""
    bound = ContributionBound(4, 4, 1)
    plan = place.plan(UNITS, keys=(Key(WARD, Kind.TEXT, ("north", "south", "west")),), bound=bound)
    job = place.job(plan)
    other = Custody(b"\x08" * 32).derive("bounding", "clinic", "visits", "1")[:16]

    one = measure(job).sums.tolist()[0]
    two = bounded_sums(plan, place.rows, other)[0]

    assert one != two
    assert sum(one) == sum(two)


def test_the_bytes_that_are_read_are_checked_again(fresh: Any) -> None:
    job = fresh.job(fresh.plan(COUNT))
    part = fresh.folder / job.tables[0].parts[0].facts.units.name
    part.write_bytes(part.read_bytes()[:-1])

    with pytest.raises(IntegrityError) as caught:
        measure(job)

    assert caught.value.code == "PL402"


def test_a_pipe_in_a_parts_place_keeps_no_engine_waiting(fresh: Any) -> None:
    job = fresh.job(fresh.plan(COUNT))
    part = fresh.folder / job.tables[0].parts[0].facts.units.name
    part.unlink()
    os.mkfifo(part)

    with pytest.raises(IntegrityError) as caught:
        measure(job)

    assert caught.value.code == "PL402"
