"""Groups whose keys are not public: found as the reference finds them, shown from a threshold on."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.engine import run
from privlab.engine.cells import group_tags
from privlab.engine.found import Found, names, put_together, tags_of
from privlab.engine.handle import Engine
from privlab.engine.reference import bounded_sums, cells_of, sampled
from privlab.engine.released import Released
from privlab.engine.run import find, release
from privlab.engine.samples import Exact, Sample
from privlab.engine.work import Work
from privlab.query.labels import decode_labels, encode_labels
from privlab.query.plan import MOST_LABEL, Call, Expr, Key, Literal, Measure, MeasureKind, Op, Plan
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind
from privlab.terms.groups import Label
from tests.engine.test_run import (
    AGE,
    AT,
    BIG,
    COUNT,
    DAY,
    QUANTILES,
    TOTAL,
    UNITS,
    WARD,
    bounds,
    measures,
    wheres,
)

AGES = Key(AGE, Kind.INT, ())
WARDS = Key(WARD, Kind.TEXT, ())
unknown = st.sampled_from(
    [
        AGES,
        WARDS,
        Key(BIG, Kind.INT, ()),
        Key(DAY, Kind.DATE, ()),
        Key(Call(Op.TO_HOUR, (AT,)), Kind.DATETIME, ()),
        Key(Call(Op.UPPER, (WARD,)), Kind.TEXT, ()),
        Key(Call(Op.ADD_DAYS, (DAY, Literal(3_000_000))), Kind.DATE, ()),
    ]
)
known = st.sampled_from(
    [Key(WARD, Kind.TEXT, ("west", None, "north")), Key(AGE, Kind.INT, (3, 7, None))]
)


def labels_of(plan: Plan, found: Found) -> list[Label]:
    return found.labels_of(plan, np.arange(found.labels.height))


def by_label(labels: list[Label], sums: list[list[int]]) -> dict[Label, list[int]]:
    return {label: [row[at] for row in sums] for at, label in enumerate(labels)}


@settings(max_examples=60, deadline=None)
@given(
    keys=st.tuples(unknown) | st.tuples(unknown, known) | st.tuples(unknown, unknown),
    where=wheres,
    what=measures,
    bound=bounds(),
)
def test_the_engine_finds_the_groups_and_sums_of_the_reference(
    place: Any,
    keys: tuple[Key, ...],
    where: Expr | None,
    what: list[Measure],
    bound: ContributionBound,
) -> None:
    plan = place.plan(UNITS, *what, keys=keys, where=where, bound=bound)
    job = place.job(plan)
    found = find(job)

    ours = by_label(labels_of(plan, found), found.exact.sums.tolist())
    theirs = by_label(cells_of(plan, place.rows), bounded_sums(plan, place.rows, job.bounding_key))

    assert ours == theirs
    assert set(found.labels.columns) == set(names(plan))


@settings(max_examples=20, deadline=None)
@given(what=st.sampled_from(QUANTILES), bound=bounds())
def test_quantiles_have_the_samples_of_the_reference(
    place: Any, what: Measure, bound: ContributionBound
) -> None:
    plan = place.plan(UNITS, what, keys=(WARDS,), bound=bound)
    job = place.job(plan)
    found = find(job)
    labels = labels_of(plan, found)
    expected = sampled(plan, 1, place.rows, job.bounding_key)

    ours = [sorted(one.tolist()) for one in found.exact.samples[1].by_cell(len(labels))]

    assert dict(zip(labels, ours, strict=True)) == dict(
        zip(cells_of(plan, place.rows), expected, strict=True)
    )


def test_a_group_has_the_tag_that_it_has_among_public_keys(place: Any) -> None:
    """So a unit is bounded to the same groups whether their keys are public or not."""
    values = ("attic", "north", "south", "west", None)
    public = place.plan(COUNT, keys=(Key(WARD, Kind.TEXT, values), Key(AGE, Kind.INT, (3, None))))
    plan = place.plan(UNITS, keys=(WARDS, AGES))
    cells = [(ward, age) for ward in values for age in (3, None)]
    frame = pl.DataFrame(cells, schema={"key0": pl.String, "key1": pl.Int64}, orient="row")

    assert tags_of(plan, frame).tolist() == group_tags(public).tolist()


def test_only_groups_that_reach_the_threshold_are_shown(place: Any) -> None:
    plan = place.plan(COUNT, UNITS, keys=(WARDS,))
    exact = by_label(
        cells_of(plan, place.rows), bounded_sums(plan, place.rows, place.job(plan).bounding_key)
    )
    least = sorted(units for _, units in exact.values())[2]
    job = place.job(plan, threshold=least)

    found = Released.decode(json.dumps(release(job)).encode(), job)

    assert found.labels is not None
    shown = {label: values for label, values in exact.items() if values[1] >= least}
    assert 0 < len(shown) < len(exact)
    assert by_label(list(found.labels), [list(v) for v in found.vectors]) == shown


def test_a_group_in_which_nobody_counts_is_never_there(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit in more groups than count would bring in any number of empty ones."""
    plan = place.plan(UNITS, keys=(Key(BIG, Kind.INT, ()), AGES), bound=ContributionBound(1, 1, 1))
    job = place.job(plan)
    exact = bounded_sums(plan, place.rows, job.bounding_key)[0]
    assert exact.count(0) > 10
    drawn = []

    def recorded(values: Any, noise: Any, words: Any) -> Any:
        drawn.append(len(values))
        return values + 1_000

    monkeypatch.setattr(run, "add_noise", recorded)
    found = release(job)

    assert drawn == [len(exact) - exact.count(0)]
    assert len(found["labels"]) == drawn[0]


def test_no_more_groups_are_shown_than_an_answer_has(place: Any) -> None:
    """The largest; of equal ones the first."""
    plan = place.plan(UNITS, COUNT, keys=(AGES,))
    found = Found(
        pl.DataFrame({"key0": [3, 1, 2, 4]}),
        Exact(np.array([[5, 6, 5, 1], [50, 60, 51, 10]]), {}),
    )
    small = run.replace(plan, row_cap=2)  # type: ignore[attr-defined]
    assert small.cells == 2

    shown = run.shown(small, place.job(plan).noises, 1, found)

    assert shown["labels"] == encode_labels([(1,), (3,)])
    assert shown["vectors"] == [[6, 5], [60, 50]]


def test_an_answer_without_groups_is_an_answer(place: Any) -> None:
    plan = place.plan(UNITS, COUNT, QUANTILES[0], keys=(WARDS,))
    job = place.job(plan, threshold=10**6)

    assert Released.decode(json.dumps(release(job)).encode(), job) == Released(((), (), ()), ())


def test_texts_that_are_too_long_belong_to_no_group(place: Any) -> None:
    """So that what leaves the engine is of a bounded size."""
    plan = place.plan(UNITS, keys=(WARDS,))
    rows = pl.DataFrame(
        {
            "ward": ["x" * MOST_LABEL, "x" * (MOST_LABEL + 1), "ß" * MOST_LABEL],
            "__unit_hi": [1, 2, 3],
        }
    )
    from privlab.engine.found import labelled

    codes, labels = labelled(plan, rows)

    assert codes.tolist() == [0, -1, 1]
    assert labels["key0"].to_list() == ["x" * MOST_LABEL, "ß" * MOST_LABEL]


def test_parts_share_their_groups_and_not_their_units() -> None:
    plan = Plan(
        dataset="clinic",
        source=Any,  # type: ignore[arg-type]
        unit="patient",
        bound=ContributionBound(1, 1, 1),
        row_cap=100,
        where=None,
        keys=(WARDS,),
        measures=(UNITS, Measure(MeasureKind.DISTINCT, AGE)),
    )

    def part(wards: list[str | None], counts: list[int], ages: list[tuple[int, int]]) -> Found:
        codes, values = (np.array(one, np.int64) for one in zip(*ages, strict=True))
        sums = np.array([counts, [0] * len(counts)])
        return Found(
            pl.DataFrame({"key0": wards}, schema={"key0": pl.String}),
            Exact(sums, {1: Sample(codes, values)}),
        )

    one = part(["b", None], [2, 1], [(0, 7), (0, 8), (1, 7)])
    two = part([None, "a", "b"], [5, 6, 1], [(0, 7), (1, 9), (2, 8)])

    found = put_together(plan, [one, two])

    assert found.labels["key0"].to_list() == ["a", "b", None]
    assert found.exact.sums.tolist() == [[6, 3, 6], [1, 2, 1]]


def test_the_engine_hands_over_groups_and_vectors(engine: Engine, place: Any) -> None:
    """Through a child process, on encrypted data."""
    plan = place.plan(COUNT, TOTAL, UNITS, QUANTILES[0], keys=(WARDS, Key(DAY, Kind.DATE, ())))
    job = place.job(plan, threshold=2)

    found = engine.run(job)

    exact = bounded_sums(plan, place.rows, job.bounding_key)
    expected = {
        label: values
        for label, values in by_label(cells_of(plan, place.rows), exact).items()
        if values[2] >= 2
    }
    assert found.labels is not None
    shown = by_label(list(found.labels), [list(vector) for vector in found.vectors])
    assert {label: values[:3] for label, values in shown.items()} == {
        label: values[:3] for label, values in expected.items()
    }
    assert any(None in label for label in found.labels)


WRONG: list[Any] = [
    [[1, 2], [3, 4]],
    {"labels": [], "vectors": [[]]},
    {"labels": [[["text", "a"]]], "vectors": [[3], [3, 4]]},
    {"labels": [[["text", "a"]]], "vectors": [[3], [2.5]]},
    {"labels": [[["text", "a"]]], "vectors": [[2], [1]]},  # below its threshold
    {"labels": [[["text", "b"]], [["text", "a"]]], "vectors": [[3, 3], [3, 3]]},
    {"labels": [[["text", "a"]], [["text", "a"]]], "vectors": [[3, 3], [3, 3]]},
    {"labels": [[None], [["text", "a"]]], "vectors": [[3, 3], [3, 3]]},
    {"labels": [[["int", "1"]]], "vectors": [[3], [3]]},
    {"labels": [[["text", "a"], None]], "vectors": [[3], [3]]},
    {"labels": [[["text", "a" * (MOST_LABEL + 1)]]], "vectors": [[3], [3]]},
    {"labels": "ab", "vectors": [[3], [3]]},
    {"labels": [[["text", "a"]]], "vectors": [[3], [3]], "hidden": 4},
]


@pytest.mark.parametrize("value", WRONG)
def test_a_child_that_says_anything_else_is_not_believed(place: Any, value: Any) -> None:
    job = place.job(place.plan(UNITS, COUNT, keys=(WARDS,)), threshold=3)
    good = {"labels": [[["text", "a"]], [None]], "vectors": [[3, 4], [-1, 2]]}

    assert Released.decode(json.dumps(good).encode(), job).labels == (("a",), (None,))
    with pytest.raises(ValueError, match=r"not|group"):
        Released.decode(json.dumps(value).encode(), job)


def test_labels_of_public_keys_are_among_their_values(place: Any) -> None:
    keys = (Key(WARD, Kind.TEXT, ("b", "a")), Key(DAY, Kind.DATE, ()))
    label = ("a", date(2024, 2, 29))

    assert decode_labels(encode_labels([label]), keys) == (label,)
    with pytest.raises(ValueError, match="not labels of the keys"):
        decode_labels(encode_labels([("c", None)]), keys)


def test_units_are_whole_in_their_part(place: Any) -> None:
    """One part's groups are those of its own rows alone."""
    plan = place.plan(UNITS, keys=(WARDS,))
    work = Work.of(plan, place.job(plan).bounding_key)
    frame = pl.DataFrame(
        {"ward": ["a", "b"], "_privlab_unit_hi": [1, 1], "_privlab_unit_lo": [1, 1]},
        schema={"ward": pl.String, "_privlab_unit_hi": pl.UInt64, "_privlab_unit_lo": pl.UInt64},
    )
    from privlab.connector.manifest import UNIT_COLUMNS

    rows = frame.rename(dict(zip(frame.columns[1:], UNIT_COLUMNS, strict=True)))

    assert work.found(rows.lazy()).exact.sums.tolist() == [[1, 1]]
