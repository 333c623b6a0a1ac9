"""One meaning per question, and an exact refusal for everything else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.errors import PolicyDenied, PrivlabError
from privlab.query.canonical import question_id, view_id
from privlab.query.compile import compile_question, parse
from privlab.query.plan import KeyOut, MeanOut, MeasureKind, Question
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog

Ask = Callable[..., Question]
Refusal = Callable[..., PrivlabError]

SIZES_SQL = (
    "or measure its bounds once: SELECT MAGNITUDE(score) AS bin, "
    "COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY bin"
)
SIZES_POLARS = (
    'or measure its bounds once: visits.group_by(bin=pl.col("score").magnitude())'
    '.agg(n=pl.col("patient_id").n_unique())'
)

CONDITIONS = [
    ("age >= 65", 'pl.col("age") >= 65', "64 < age", '65 <= pl.col("age")'),
    ("stay_days BETWEEN 2 AND 9", 'pl.col("stay_days").is_between(2, 9)',
     "(9 >= stay_days AND stay_days > 1)", '((pl.col("stay_days") < 10) & (pl.col("stay_days") >= 2))'),
    ("ward IN ('A', 'B')", 'pl.col("ward").is_in(["A", "B"])',
     "(ward = 'B' OR 'A' = ward)", '((pl.col("ward") == "B") | (pl.col("ward") == "A"))'),
    ("NOT urgent", '~pl.col("urgent")', "urgent = FALSE", '(pl.col("urgent") == False)'),
    ("age + stay_days > cost", 'pl.col("age") + pl.col("stay_days") > pl.col("cost")',
     "cost < stay_days + age", 'pl.col("cost") < pl.col("stay_days") + pl.col("age")'),
    ("admitted < '2024-01-01'", 'pl.col("admitted") < date(2024, 1, 1)',
     "NOT admitted >= DATE '2024-01-01'", '~(pl.col("admitted") > date(2023, 12, 31))'),
]  # fmt: skip
KEYS = [
    ("ward", '"ward"'),
    ("sex", 'pl.col("sex")'),
    ("YEAR(admitted)", 'pl.col("admitted").dt.year()'),
    ("DATE_TRUNC('week', seen)", 'pl.col("seen").dt.truncate("1w")'),
]
AGGREGATES = [
    ("COUNT(*)", "pl.len()"),
    ("COUNT(DISTINCT patient_id)", 'pl.col("patient_id").n_unique()'),
    ("SUM(cost)", 'pl.sum("cost")'),
    ("AVG(2 * stay_days)", '(pl.col("stay_days") * 2).mean()'),
    ("COUNT(sex)", 'pl.col("sex").count()'),
    ("SUM(LEAST(GREATEST(score, 0), 60))", 'pl.col("score").clip(0, 60).sum()'),
]


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_question_is_one_plan_in_either_surface(catalog: Catalog, data: st.DataObject) -> None:
    """Other words, order, aliases and white space change neither plan nor views."""
    conditions = data.draw(st.lists(st.sampled_from(CONDITIONS), unique=True, max_size=3))
    keys = data.draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=2))
    aggregates = data.draw(
        st.lists(st.sampled_from(AGGREGATES), unique=True, min_size=1, max_size=4)
    )
    space = st.sampled_from([" ", "\n", "  ", " /* said */ "])

    def sql(variant: int, letter: str) -> str:
        gap = data.draw(space)
        order = data.draw(st.permutations(conditions))
        where = f"{gap}AND ".join(f"({one[variant * 2]})" for one in order)
        named = [f"{k[0]} AS k{at}" for at, k in enumerate(keys)]
        named += [f"{a[0]}{gap}AS {letter}{at}" for at, a in enumerate(aggregates)]
        group = ", ".join(one[0] for one in data.draw(st.permutations(keys)))
        return (
            f"SELECT{gap}{', '.join(named)}{gap}FROM visits"
            + (f" WHERE {where}" if conditions else "")
            + (f" GROUP BY {group}" if keys else "")
        )

    def polars(variant: int) -> str:
        order = data.draw(st.permutations(conditions))
        where = " & ".join(f"({one[variant * 2 + 1]})" for one in order)
        named = ", ".join(f"a{at}={a[1]}" for at, a in enumerate(aggregates))
        grouped = [f"pl.col({k[1]})" if k[1].startswith('"') else k[1] for k in keys]
        by = ", ".join(f'{one}.alias("k{at}")' for at, one in enumerate(grouped))
        chain = f"visits.filter({where})" if conditions else "visits"
        return f"{chain}.group_by({by}).agg({named})" if keys else f"{chain}.select({named})"

    first = compile_question(sql(0, "a"), {}, catalog)
    again = compile_question(sql(1, "b"), {}, catalog)
    frames = [compile_question(polars(variant), {}, catalog) for variant in (0, 1)]
    for other in (again, *frames):
        assert other.plan == first.plan
        for at in range(len(first.plan.measures)):
            assert view_id(other.plan, at) == view_id(first.plan, at)
    for frame in frames:
        assert question_id(frame) == question_id(first)
    assert question_id(again) != question_id(first)  # its outputs have other names


def test_names_and_order_of_outputs_are_part_of_the_question_only(ask: Ask) -> None:
    one = ask("SELECT COUNT(*) AS n, AVG(age) AS a FROM visits")
    two = ask("SELECT AVG(age) AS a, COUNT(*) AS n FROM visits")
    three = ask("SELECT COUNT(*) AS m, AVG(age) AS a FROM visits")
    assert one.plan == two.plan == three.plan
    assert len({question_id(one), question_id(two), question_id(three)}) == 3


def test_another_version_of_a_table_is_another_view(catalog: Catalog) -> None:
    from dataclasses import replace

    newer = Catalog((replace(catalog.tables[0], version=2),))
    text = "SELECT COUNT(*) FROM visits"
    old, new = compile_question(text, {}, catalog), compile_question(text, {}, newer)
    assert view_id(old.plan, 0) != view_id(new.plan, 0)


def test_one_measure_serves_every_column_that_needs_it(ask: Ask) -> None:
    question = ask(
        "SELECT COUNT(*) AS n, AVG(age) AS a, COUNT(age) AS m FROM visits "
        "HAVING COUNT(*) > 5 ORDER BY COUNT(*)"
    )
    assert [one.kind for one in question.plan.measures] == [MeasureKind.ROWS, MeasureKind.SUM]


def test_an_average_is_a_centred_sum_over_a_count(ask: Ask) -> None:
    question = ask("SELECT AVG(age) FROM visits")
    out = question.finish.outputs[0].out
    assert isinstance(out, MeanOut)
    total = question.plan.measures[out.total]
    assert (total.low, total.high, total.centre, total.radius) == (0, 110, 55, 55)
    assert question.plan.measures[out.count].kind is MeasureKind.ROWS


def test_a_sum_is_coded_about_zero(ask: Ask) -> None:
    (measure,) = ask("SELECT SUM(age) FROM visits WHERE age >= 65").plan.measures
    assert (measure.low, measure.high, measure.centre, measure.radius) == (65, 110, 0, 110)


def test_an_ungrouped_question_has_one_cell_with_all_rows_of_a_unit(ask: Ask) -> None:
    assert ask("SELECT COUNT(*) FROM visits").plan.bound == ContributionBound(8, 8, 1)
    assert ask("SELECT ward, COUNT(*) FROM visits GROUP BY 1").plan.bound == ContributionBound(
        8, 4, 3
    )


def test_a_key_may_be_grouped_by_and_not_shown(ask: Ask) -> None:
    question = ask("SELECT COUNT(*) FROM visits GROUP BY ward")
    assert question.plan.cells == 3
    assert len(question.finish.outputs) == 1


def test_polars_shows_its_keys_first(ask: Ask) -> None:
    outputs = ask('visits.group_by("sex", "ward").len()').finish.outputs
    assert [one.name for one in outputs] == ["sex", "ward", "len"]
    assert all(isinstance(one.out, KeyOut) for one in outputs[:2])


def test_units_are_called_by_their_word(ask: Ask) -> None:
    output = ask("SELECT COUNT(DISTINCT patient_id) AS p FROM visits").finish.outputs[0]
    assert (output.label, output.unit_word) == ("units", "patient")


def test_a_column_named_like_an_alias_wins_in_group_by(ask: Ask) -> None:
    question = ask("SELECT sex AS ward, COUNT(*) AS n FROM visits GROUP BY sex")
    assert question.plan.keys[0].values == ("f", "m", None)


@pytest.mark.parametrize(
    ("text", "surface"),
    [
        ("SELECT COUNT(*) FROM visits", "sql"),
        ("  -- a note\n/* and\n more */ select COUNT(*) FROM visits", "sql"),
        ("(SELECT COUNT(*) FROM visits)", "sql"),
        ("FROM visits SELECT COUNT(*)", "sql"),
        ("# a note\nvisits.select(pl.len())", "polars"),
        ("# a note\nSELECT COUNT(*) FROM visits", "sql"),
        ("-- a note\n  visits.select(pl.len())", "polars"),
        ("(visits.select(pl.len()))", "polars"),
        ("selects.select(pl.len())", "polars"),
        ("select.select(pl.len())", "polars"),
    ],
)
def test_the_first_word_says_which_surface_it_is(text: str, surface: str) -> None:
    assert parse(text).source.surface == surface


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("SELECT COUNT(*) FROM visit", "PL102",
            "did you mean visits?; a frame of yours is sent with --public visit=..."),
        ("SELECT COUNT(*) FROM clinics.visits", "PL102", "did you mean clinic.visits?"),
        ("SELECT COUNT(*) FROM zzz", "PL102",
            "%private tables lists what there is; a frame of yours is sent with --public zzz=..."),
        ("SELECT AVG(stay_day) FROM visits", "PL104", "did you mean stay_days?"),
        ("SELECT COUNT(*) AS n FROM visits ORDER BY nn", "PL104", "did you mean n?"),
        ("SELECT ward FROM visits", "PL105", "GROUP BY ward, or aggregate it"),
        ("SELECT ward, COUNT(*) FROM visits", "PL105", "GROUP BY ward, or aggregate it"),
        ("SELECT ward FROM visits GROUP BY ward", "PL105", "%private describe visits shows them; to count their rows, add COUNT(*)"),
        ("SELECT 1 FROM visits", "PL105", None),
        (
            "SELECT SUM(score) FROM visits",
            "PL103",
            f"clip it: SUM(LEAST(GREATEST(score, 0), 60)), with bounds of your own; {SIZES_SQL}",
        ),
        (
            'visits.select(pl.col("score").mean())',
            "PL103",
            f'clip it: pl.col("score").clip(0, 60).mean(), with bounds of your own; {SIZES_POLARS}',
        ),
        ("SELECT SUM(GREATEST(score, 0)) FROM visits", "PL103", None),
        ("SELECT SUM(LEAST(GREATEST(score, 0), 9e15) * 900) FROM visits WHERE age > 3", None, None),
        ("SELECT SUM(ward) FROM visits", "PL111", ("the numbers of visits are age, stay_days, cost, weight, score; "
        "%private describe visits shows each column's type")),
        ("SELECT cost, COUNT(*) FROM visits GROUP BY cost", "PL107", None),
        ("SELECT seen, COUNT(*) FROM visits GROUP BY seen", "PL107", "group by the day, week or month of seen"),
        ("SELECT ward, COUNT(*) FROM visits WHERE ward = 'Z' GROUP BY ward", "PL107", None),
        ("SELECT COUNT(*) FROM visits GROUP BY admitted, DATE(seen), age", "PL113", None),
        ("SELECT COUNT(*) FROM visits HAVING ward = 'A'", "PL106", "put it in WHERE"),
        ("SELECT COUNT(*) FROM visits HAVING COUNT(*) > 'a'", "PL111", None),
        ("SELECT COUNT(*) FROM visits ORDER BY 2", "PL106", None),
        ("SELECT COUNT(*) FROM visits LIMIT -1", "PL106", None),
        ("SELECT COUNT(*) FROM visits LIMIT 1.5", "PL106", None),
        ("SELECT COUNT(*) AS n, COUNT(sex) AS n FROM visits", "PL106", None),
        ("SELECT COUNT(*) AS n FROM visits GROUP BY n", "PL106", None),
        ("SELECT COUNT(*) FROM visits WHERE age", "PL111", None),
        ("SELECT COUNT(*) FROM visits WHERE 3", "PL111", None),
        ("SELECT COUNT(*) FROM visits WHERE age = :missing", "PL110", None),
    ],
)  # fmt: skip
def test_refusals_have_their_code_and_what_to_type(
    catalog: Catalog, text: str, code: str | None, hint: str | None
) -> None:
    if code is None:
        compile_question(text, {}, catalog)
        return
    with pytest.raises(PrivlabError) as caught:
        compile_question(text, {}, catalog)
    assert caught.value.code == code, str(caught.value)
    assert caught.value.caret is not None
    if hint is not None:
        assert caught.value.hint == hint


@pytest.mark.parametrize(
    "text",
    [
        "SELECT COUNT(diagnosis) FROM visits",
        "SELECT COUNT(*) FROM visits WHERE diagnosis = 'x'",
        "SELECT diagnosis, COUNT(*) FROM visits GROUP BY diagnosis",
        "SELECT COUNT(*) FROM visits WHERE patient_id = 'x'",
        "SELECT patient_id, COUNT(*) FROM visits GROUP BY patient_id",
        "SELECT COUNT(patient_id) FROM visits",
        'visits.group_by("patient_id").len()',
        'visits.filter(pl.col("diagnosis").is_null()).select(pl.len())',
    ],
)
def test_withheld_columns_and_the_unit_are_denied(refusal: Refusal, text: str) -> None:
    error = refusal(text)
    assert isinstance(error, PolicyDenied)
    assert error.code == "PL201"


def test_a_withheld_column_is_not_suggested(refusal: Refusal) -> None:
    assert "diagnosis" not in refusal("SELECT COUNT(diagnosi) FROM visits").hint


def test_bounds_too_wide_for_the_tables_cap_are_refused(catalog: Catalog) -> None:
    from dataclasses import replace

    huge = Catalog((replace(catalog.tables[0], row_cap=1 << 60),))
    with pytest.raises(PrivlabError) as caught:
        compile_question("SELECT SUM(age) FROM visits", {}, huge)
    assert caught.value.code == "PL103"


SQL_TEXT = """SELECT ward AS w, COUNT(*) AS n, AVG(stay_days) FROM visits
WHERE age >= 65 AND note IS NULL OR admitted BETWEEN '2023-01-01' AND DATE '2023-02-01'
GROUP BY 1 HAVING n > 5 ORDER BY 2 LIMIT 3"""
POLARS_TEXT = """visits.filter((pl.col("age") >= 65) | ~pl.col("ward").is_in(["A"]))
.group_by("ward").agg(n=pl.len(), s=pl.col("score").clip(0, 5.5).sum())
.filter(pl.col("n") > 3).sort("n").head(2)"""
SCRAPS = st.sampled_from(
    ["(", ")", "'", '"', ",", ";", "--", "/*", "*", ":p", "NOT ", "1e9", "\n", ".", "NULL", "é",
     "pl.", "[", "]", "=", "lambda", "SELECT ", "\0", "-", "~", "{", "\\", "#"]
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_text_compiles_or_is_refused(catalog: Catalog, data: st.DataObject) -> None:
    """Whatever is typed, the only exception is one of ours, and its caret can be drawn."""
    text = data.draw(st.sampled_from([SQL_TEXT, POLARS_TEXT]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 6))
        text = text[:at] + data.draw(SCRAPS | st.text(max_size=3)) + text[at + cut :]
    refused = None
    try:
        compile_question(text, {"p": 3}, catalog)
    except PrivlabError as error:
        refused = error
    assert refused is None or str(refused)
