"""Every refusal of the language says what to type instead, about the asker's own tables."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from privlab.errors import PrivlabError
from privlab.query.hints import at_hand, example, fallback, key_of, missing
from privlab.query.plan import Question
from privlab.terms.catalog import Catalog, Table

Refusal = Callable[..., PrivlabError]
Ask = Callable[..., Question]

SQL = [
    ("SELECT COUNT(*) FROM visits JOIN labs l ON l.ward = visits.ward", r"USING \(patient_id\)"),
    ("SELECT COUNT(*) FROM visits, labs", "JOIN"),
    ("SELECT COUNT(*) FROM visits WHERE age > (SELECT AVG(age) FROM visits)", "as a parameter"),
    ("SELECT DISTINCT ward FROM visits", "%private describe visits shows them"),
    ("SELECT COUNT(*) FROM visits UNION SELECT COUNT(*) FROM visits", "UNION ALL"),
    ("SELECT AVG(n) FROM (SELECT COUNT(*) AS n FROM visits) v", "GROUP BY the privacy unit"),
    ("WITH v AS (SELECT age FROM visits) SELECT COUNT(*) FROM visits", "leave it out"),
    ("SELECT COUNT(*) FROM (SELECT age + 1 FROM visits) v", "with AS"),
    ("SELECT COUNT(*) FROM visits WHERE REGEXP_LIKE(note, 'a')", "LIKE 'a%'"),
    ("SELECT COUNT(*) FROM visits WHERE admitted > NOW()", "parameter"),
    ("SELECT SUM(LOG(cost)) FROM visits", "LOG10"),
    ("SELECT SUM(cost ^ 2) FROM visits", "POWER"),
    ("SELECT COUNT(*) FROM visits WHERE ISNAN(cost)", "IS NULL"),
    ("SELECT SUM(SQRT(score)) FROM visits", r"^clip it: SUM\(LEAST"),
    ("SELECT cost / 2 AS c, COUNT(*) FROM visits GROUP BY c", "FLOOR"),
    ("SELECT COUNT(*) FROM visits WHERE CAST(cost AS TEXT) = '1'", "ROUND"),
    ("SELECT SUM(CAST(note AS INT)) FROM visits", r"GREATEST\(CAST\(note AS INT\), 0\)"),
    ("SELECT COUNT(*) FROM visits WHERE urgent = 1", "^write urgent$"),
    ("SELECT COUNT(*) FROM visits WHERE 0 = urgent", "^write NOT urgent$"),
    ("SELECT COUNT(*) FROM visits WHERE urgent <> 0", "^write urgent$"),
    ("SELECT APPROX_PERCENTILE(age) FROM visits", r"QUANTILE\(x, 0.9\)"),
    ("SELECT MAX(score) FROM visits", r"^clip it: MAX\(LEAST"),
    ("SELECT SUM(foo(age)) FROM visits", "the language has COUNT, SUM, AVG"),
    ("EXPLAIN SELECT COUNT(*) FROM visits", "%%private --explain"),
    ("SHOW TABLES", "^%private tables$"),
    ("DESCRIBE visits", "^%private describe visits$"),
    ("SELECT * FROM visits", r"^SELECT COUNT\(\*\) FROM visits$"),
    ("SELECT *", r"^SELECT COUNT\(\*\) FROM <table>$"),
    ("SELECT RANK() OVER (ORDER BY cost) FROM visits", "GROUP BY"),
    ("SELECT VAR_MAP(stay_days, age, 3) FROM visits", "a question looks like this"),
    ("SELECT COUNT(FLOOR()) FROM visits", "write it inside"),
    ("SELECT SUM(DATE()) FROM visits", "write it inside"),
    ("SELECT MODE(ward) FROM visits", "ORDER BY n DESC LIMIT 1"),
    ("SELECT ARRAY_AGG(age) FROM visits", "would show the values of single rows"),
    (
        "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward HAVING m > 3",
        "^its columns are ward, n$",
    ),
    ("SELECT SUM(note) FROM visits", "^the numbers of visits are age, stay_days, cost"),
    ("SELECT COUNT(*) FROM visits WHERE sex = NULL", "^write sex IS NULL$"),
    ("SELECT COUNT(*) FROM visits WHERE sex < 'm'", r"IN \('a', 'b'\)"),
    ("SELECT QUANTILE(age, 95) FROM visits", "^0.95 is 95 in a hundred$"),
    ("SELECT QUANTILE(age, 0.123456789) FROM visits", "^0.123457$"),
    ("SELECT COUNT(*) FROM visits WHERE ward IN :w", r"^pass a list, or write IN \(:w\)$"),
]
POLARS = [
    ("visits.unique().select(pl.len())", "group_by gives each value once"),
    ("visits.mean()", r"^select\(pl.col\(\"age\"\).mean\(\)\)$"),
    ("visits.grop_by('ward').len()", r"^did you mean group_by\?$"),
    ('visits.filter(pl.col("urgent") == 1).select(pl.len())', r'^write pl.col\("urgent"\)$'),
    ('visits.filter(pl.col("urgent") == 0).select(pl.len())', r'^write ~pl.col\("urgent"\)$'),
    ('visits.select(pl.col("score").median())', r"clip\(0, 60\).median\(\)"),
    ('visits.filter(pl.col("note").str.contains("x+")).select(pl.len())', "literal=True"),
    ('visits.select(pl.when(pl.col("age") > 3).sum())', "then"),
    ('visits.filter(pl.col("cost").is_nan()).select(pl.len())', "is_null"),
    ('visits.select(pl.col("age").shift(1).sum())', "one row"),
    ('visits.with_columns(a=pl.col("age").sum()).select(pl.len())', "group_by"),
    ('visits.select("ward").group_by("sex").len()', "select sex there too"),
    ('visits.group_by(pl.col("cost") / 2).len()', "x // 10"),
    ('visits.select((pl.col("seen") - pl.col("seen")).sum())', "total_days"),
    ("visits.select(pl.count())", r"^pl.len\(\) counts the rows$"),
    ("visits.select(pl.len)", r"^pl.len\(\)$"),
    ("visits.select(pl)", r"^pl.len\(\)$"),
    ("visits.filter(age > 3).select(pl.len())", r'^the column of visits is pl.col\("age"\)$'),
    ("SELEC COUNT(*) FROM visits", "SQL begins with SELECT, WITH or FROM$"),
    ("visits.select(pl.col('age').implode())", "would show the values of single rows"),
    ("visits.head(5)", r'^visits.group_by\("ward"\).agg\(n=pl.len\(\)\)$'),
    ("wards", r"^<table>.group_by\(\"<column>\"\)"),
    ('visits.filter(pl.col("ward").is_in(w)).select(pl.len())', r"write is_in\(\[w\]\)$"),
]


@pytest.mark.parametrize(("text", "hint"), SQL + POLARS)
def test_a_refusal_says_what_to_type_in_its_own_language(
    refusal: Refusal, text: str, hint: str
) -> None:
    error = refusal(text, w="A")
    assert re.search(hint, error.hint), str(error)
    assert error.caret is not None


UNBOUNDED = [
    "SELECT SUM(score) AS a FROM visits",
    "SELECT AVG(stay_days / weight) AS a FROM visits",
    "SELECT MEDIAN(score) AS a FROM visits",
    "SELECT QUANTILE(score, 0.9) AS a FROM visits",
    "SELECT MAX(score) AS a FROM visits",
    "SELECT STDDEV(LN(cost)) AS a FROM visits",
    'visits.select(a=pl.col("score").sum())',
    'visits.select(a=(pl.col("stay_days") / pl.col("weight")).mean())',
    'visits.select(a=(-pl.col("score")).min())',
    'visits.select(a=pl.col("score").quantile(0.9))',
    'visits.select(a=pl.col("score").median())',
    'visits.select(a=pl.col("score").var())',
    'visits.select(a=pl.col("score").var(ddof=0))',
    'visits.select(a=pl.col("score").std())',
]


@pytest.mark.parametrize("text", UNBOUNDED)
def test_the_clip_to_type_is_accepted_where_the_caret_stands(
    refusal: Refusal, ask: Callable[..., Question], text: str
) -> None:
    error = refusal(text)
    measured = "(?:; or measure its bounds once: (.*))?"
    found = re.fullmatch(f"clip it: (.*?), with bounds of your own{measured}", error.hint)
    assert error.code == "PL103"
    assert error.caret is not None
    assert found is not None
    assert (found[2] is None) is ("score" not in text)
    if found[2] is not None:
        assert ask(found[2]).plan.measures
    clipped = text[: error.caret.start] + found[1] + text[error.caret.end :]
    (column,) = ask(clipped).finish.outputs
    kind = re.search(r"SUM|AVG|MEDIAN|0\.9|MAX|STD|sum|mean|min|median|var|std", text)
    assert column.name == "a"
    assert kind is not None
    assert kind[0] in found[1].replace("STDDEV_SAMP", "STD")


def test_pl_is_never_taken_for_a_parameter(refusal: Refusal) -> None:
    error = refusal("visits.select(pl.count())", pl=3)
    assert (error.code, error.what) == ("PL106", "pl.count names no column")


def test_the_caret_of_distinct_is_under_its_word(refusal: Refusal) -> None:
    caret = refusal("SELECT DISTINCT COUNT(*) FROM visits GROUP BY ward").caret
    assert caret is not None
    assert caret.text[caret.start : caret.end] == "DISTINCT"


@pytest.mark.parametrize("code", ["PL101", "PL102", "PL104", "PL105", "PL106", "PL107", "PL110", "PL111", "PL113"])  # fmt: skip
@pytest.mark.parametrize("sql", [True, False])
def test_no_hint_sends_the_asker_round_in_a_circle(visits: Table, code: str, sql: bool) -> None:
    for table in (visits, None):
        hint = fallback(code, table, sql=sql)
        assert hint
        assert "privlab explain" not in hint
        assert table is None or "<" not in hint.replace("<table>", "") or code == "PL106"


def test_the_table_at_hand_is_the_first_one_the_text_names(catalog: Catalog, visits: Table) -> None:
    assert at_hand("SELECT x FROM clinic.visits", catalog) is visits
    assert at_hand("SELECT x FROM visits_old", catalog) is None
    assert at_hand("SELECT x FROM visits", Catalog()) is None


def test_examples_name_what_is_there_or_are_clearly_patterns(visits: Table) -> None:
    assert key_of(visits) == "ward"
    assert key_of(None) == "<column>"
    assert example(visits, sql=True) == "SELECT COUNT(*) FROM visits"
    assert example(None, sql=False) == '<table>.group_by("<column>").agg(n=pl.len())'


def test_an_unknown_function_gets_the_list_of_the_language() -> None:
    assert missing("frobnicate", sql=True).startswith("the language has COUNT, SUM, AVG")
    assert missing("frobnicate", sql=False).startswith("the language has len, count")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("SELECT COUNT(*) FROM visits WHERE ward = a", "a text stands between single quotes: 'A'"),
        ("SELECT ward, COUNT(*) FROM visits WHERE ward = 'a' GROUP BY ward", "ward is one of A, B, C"),
        ("SELECT area, COUNT(*) FROM visits GROUP BY area", "patients has it: JOIN patients USING (patient_id)"),
        ('visits.group_by("area").agg(n=pl.len())', 'patients has it: .join(patients, on="patient_id")'),
        ("df = visits.select(n=pl.len())", "name the answer on the magic's line: %%private df"),
        ("visits.describe()", "%private describe visits"),
        ('visits.filter(pl.col("age") > 65 & pl.col("urgent")).select(pl.len())', '& binds before >=: (pl.col("x") >= 1) & (pl.col("y") >= 1)'),
    ],
)  # fmt: skip
def test_a_slip_of_the_first_week_is_named(refusal: Refusal, text: str, hint: str) -> None:
    assert refusal(text).hint == hint


@pytest.mark.parametrize(
    ("asked", "fix", "typed"),
    [
        (
            "SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id",
            "SELECT AVG(n) AS m FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) t",
            "{fix}",
        ),
        (
            "SELECT COUNT(*) FROM visits WHERE patient_id NOT IN (SELECT patient_id FROM labs)",
            "LEFT JOIN labs o USING (patient_id) WHERE o.patient_id IS NULL",
            "SELECT COUNT(*) FROM visits {fix}",
        ),
        (
            "SELECT cost, COUNT(*) FROM visits GROUP BY cost",
            "FLOOR(cost / 2000) * 2000",
            "SELECT {fix} AS c, COUNT(*) FROM visits GROUP BY c",
        ),
    ],
)
def test_what_a_hint_says_works_as_it_is_typed(
    refusal: Refusal, ask: Ask, asked: str, fix: str, typed: str
) -> None:
    assert fix in refusal(asked).hint
    assert ask(typed.format(fix=fix)).finish.outputs


@pytest.mark.parametrize(
    ("word", "shown"), [("CURRENT_DATE", "CURRENT_DATE"), ("TO_CHAR(admitted, 'Y')", "TO_CHAR")]
)
def test_a_refused_function_has_the_name_it_was_typed_with(
    refusal: Refusal, word: str, shown: str
) -> None:
    found = refusal(f"SELECT COUNT(*) FROM visits WHERE {word} = admitted")
    assert found.what == f"{shown} is not in the language"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("SELECT MONTH(visit_date) AS m, COUNT(*) AS n FROM visits GROUP BY m", "admitted"),
        ("SELECT COUNT(*) AS n FROM visits WHERE EXTRACT(YEAR FROM age_) = 2024", "admitted"),
        ("SELECT DATE_TRUNC('month', v.see) AS m, COUNT(*) AS n FROM visits v GROUP BY m", "seen"),
        ('visits.group_by(m=pl.col("day").dt.month()).agg(n=pl.len())', "admitted"),
        ("SELECT COUNT(*) AS n FROM visits WHERE ag > 3", "age"),
        ("SELECT COUNT(*) AS n FROM visits WHERE ABS(ag) > 3", "age"),
    ],
)
def test_of_what_a_part_of_a_date_is_asked_is_a_date(
    refusal: Callable[..., PrivlabError], text: str, meant: str
) -> None:
    error = refusal(text)
    assert error.code == "PL104"
    assert error.hint == f"did you mean {meant}?"
