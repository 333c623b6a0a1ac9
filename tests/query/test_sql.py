"""SQL text: what is read, and where the caret points when it is not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from privlab.errors import PrivlabError
from privlab.query.ask import Aggregate, AggregateKind, Apply, Const, Name
from privlab.query.plan import Op, Question
from privlab.query.sql import parse_sql

Refusal = Callable[..., PrivlabError]


def under(error: PrivlabError) -> str:
    """The text above the carets."""
    assert error.caret is not None
    line, carets = error.caret.lines()
    return line[carets.index("^") : len(carets)]


def test_a_select_keeps_its_clauses_apart() -> None:
    ask = parse_sql(
        "SELECT ward AS w, COUNT(*) AS n FROM clinic.visits AS v WHERE v.age >= 65 "
        "GROUP BY 1 HAVING COUNT(*) > 10 AND n < 99 ORDER BY n DESC, w LIMIT 5"
    )
    assert ask.base.name == "clinic.visits"
    assert [item.name for item in ask.items] == ["w", "n"]
    assert isinstance(ask.where, Apply)
    assert ask.where.op is Op.GE
    assert isinstance(ask.groups[0].node, Name)
    assert ask.groups[0].node.name == "ward"
    assert [having.op for having in ask.having] == [Op.AND]
    assert [sort.descending for sort in ask.order] == [True, False]
    assert isinstance(ask.limit, Const)
    assert ask.limit.value == 5


def test_every_aggregate_is_told_apart() -> None:
    ask = parse_sql("SELECT COUNT(*), COUNT(x), COUNT(DISTINCT u), SUM(x), AVG(x) FROM t")
    kinds = [item.value.kind for item in ask.items if isinstance(item.value, Aggregate)]
    assert kinds == [
        AggregateKind.ROWS,
        AggregateKind.ROWS,
        AggregateKind.UNITS,
        AggregateKind.SUM,
        AggregateKind.MEAN,
    ]


@pytest.mark.parametrize(
    ("text", "code", "spot"),
    [
        ("SELECT COUNT(*) FRM visits", "PL101", "visits"),
        ("SELECT COUNT(*) FROM", "PL101", None),
        ("SELECT COUNT(* FROM visits", "PL101", None),
        ("SELECT COUNT(*) FROM visits WHERE note = 'it", "PL101", None),
        ("SELECT COUNT(*)", "PL101", "COUNT(*)"),
        ("SELECT COUNT(*) FROM visits; SELECT COUNT(*) FROM visits", "PL109", "SELECT"),
        ("SELECT * FROM visits", "PL105", "*"),
        ("SELECT v.* FROM visits v", "PL105", None),
        ("SELECT COUNT(*) FROM visits, visits", "PL106", "visits"),
        ("SELECT COUNT(*) FROM visits JOIN visits v ON v.age = 1", "PL106", None),
        ("WITH a AS (SELECT 1) SELECT COUNT(*) FROM a", "PL101", "1"),
        ("SELECT COUNT(*) FROM visits UNION SELECT COUNT(*) FROM visits", "PL106", None),
        ("SELECT DISTINCT COUNT(*) FROM visits GROUP BY ward", "PL106", None),
        ("SELECT COUNT(*) FROM visits TABLESAMPLE (10)", "PL106", None),
        ("SELECT COUNT(*) FROM visits QUALIFY 1 = 1", "PL106", None),
        ("SELECT ward, COUNT(*) FROM visits GROUP BY ROLLUP (ward)", "PL106", None),
        ("SELECT SUM(age) OVER () FROM visits", "PL105", "age"),
        ("SELECT SUM(DISTINCT age) FROM visits", "PL106", None),
        ("SELECT COUNT(age, ward) FROM visits", "PL106", None),
        ("SELECT PERCENTILE_CONT(0.5) FROM visits", "PL106", "PERCENTILE_CONT(0.5)"),
        ("SELECT SUM(foo(age)) FROM visits", "PL106", "foo(age)"),
        ("SELECT COUNT(*) FROM visits WHERE age IN (SELECT age FROM visits)", "PL106", None),
        ("SELECT COUNT(*) FROM visits WHERE EXISTS (SELECT 1 FROM visits)", "PL106", None),
        ("SELECT COUNT(*) FROM visits WHERE age = ?", "PL110", None),
        ("SELECT COUNT(*) FROM visits v WHERE w.age = 1", "PL102", None),
        ("SELECT COUNT(*) FROM (SELECT age FROM visits LIMIT 3) v", "PL106", None),
        ("SELECT COUNT(*) FROM (SELECT DISTINCT age FROM visits) v", "PL106", None),
        ("SELECT COUNT(*) FROM (SELECT ward FROM visits) v WHERE visits.ward = 'A'", "PL102", None),
        ("SELECT COUNT(*) FROM (SELECT ward FROM visits) v WHERE age = 1", "PL104", "age"),
        ("WITH RECURSIVE a AS (SELECT age FROM a) SELECT COUNT(*) FROM a", "PL106", None),
        ("WITH a AS (SELECT age FROM a) SELECT COUNT(*) FROM a", "PL102", "a"),
        ("WITH a AS (SELECT age FROM visits), a AS (SELECT age FROM visits) SELECT COUNT(*) FROM a", "PL106", None),
        ("SELECT SUM(POWER(age, stay_days)) FROM visits", "PL106", None),
        ("SELECT SUM(ROUND(cost, 99)) FROM visits", "PL106", "99"),
        ("SELECT SUM(CASE WHEN age THEN 1 END) FROM visits", "PL111", "age"),
        ("SELECT SUM(CASE WHEN urgent THEN 1 ELSE 'a' END) FROM visits", "PL111", None),
        ("SELECT SUM(CASE WHEN urgent THEN NULL END) FROM visits", "PL111", None),
        ("SELECT COUNT(*) FROM visits WHERE note LIKE ward", "PL106", "ward"),
        ("SELECT COUNT(*) FROM visits WHERE note LIKE 'a!' ESCAPE '!'", "PL106", None),
        ("SELECT COUNT(*) FROM visits WHERE SUBSTRING(note, 0, 2) = 'a'", "PL106", None),
        ("SELECT COUNT(*) FROM visits WHERE LOWER(age) = 'a'", "PL111", "age"),
        ("SELECT COUNT(*) FROM visits WHERE HOUR(admitted) = 1", "PL111", "admitted"),
        ("SELECT COUNT(*) FROM visits WHERE seen - seen = 1", "PL111", None),
        ("SELECT COUNT(*) FROM visits WHERE admitted + INTERVAL '3' HOUR > '2024-01-01'", "PL106", None),
        ("SELECT COUNT(*) FROM visits WHERE DATEDIFF(month, admitted, admitted) = 1", "PL106", None),
        ("SELECT COUNT(*) FROM visits WHERE CAST(note AS TIMESTAMP) > '2024-01-01'", "PL106", None),
        ("SELECT COUNT(*) FROM visits WHERE CAST(note AS VARCHAR(3)) = 'a'", "PL106", None),
        ("SELECT COUNT(*) FROM visits WHERE REPLACE(note, '', 'a') = 'a'", "PL106", "''"),
        ("SELECT COUNT(*) FROM visits GROUP BY 2", "PL106", "2"),
        ("SELECT COUNT(*) FROM visits GROUP BY 1", "PL106", "1"),
        ("SELECT COUNT(*) FROM visits ORDER BY 1 NULLS FIRST", "PL106", "NULLS FIRST"),
        ("SELECT COUNT(*) FROM visits v(a, b)", "PL106", None),
        ("SELECT COUNT(NULL) FROM visits", "PL106", "COUNT(NULL)"),
        ("SELECT COUNT(*) FROM visits FOR UPDATE", "PL106", None),
        ("SELECT COUNT(*) FROM visits LIMIT 5 PERCENT", "PL106", None),
        ("SELECT AVG(age ORDER BY age) FROM visits", "PL106", None),
        ("SELECT SUM(age) IGNORE NULLS FROM visits", "PL106", None),
        ("SELECT COUNT(*) FROM x.clinic.visits", "PL106", None),
        ("SELECT COUNT(*) FROM visits WHERE admitted = CURRENT_DATE", "PL106", None),
        (
            "SELECT DATE_TRUNC('month', seen, 'UTC') m, COUNT(*) FROM visits GROUP BY m",
            "PL106",
            None,
        ),
        ("INSERT INTO visits VALUES (1)", "PL106", None),
        ("DELETE FROM visits", "PL106", None),
        ("DROP TABLE visits", "PL106", None),
    ],
)  # fmt: skip
def test_what_the_language_does_not_have_is_refused(
    refusal: Refusal, text: str, code: str, spot: str | None
) -> None:
    error = refusal(text)
    assert error.code == code, str(error)
    if spot is not None:
        assert under(error) == spot


def test_the_parsers_own_words_are_not_forwarded(refusal: Refusal) -> None:
    """What the parser says of a text is not ours to promise."""
    error = refusal("SELECT COUNT(*) FROM visits WHERE )")
    assert error.what == "this SQL cannot be read from here on"


def test_a_caret_stands_in_the_right_line(refusal: Refusal) -> None:
    error = refusal("SELECT COUNT(*)\nFROM visits\nWHERE agee > 3")
    assert under(error) == "agee"


@pytest.mark.parametrize("depth", [300, 5_000])
def test_deep_nesting_is_refused_and_does_not_crash(refusal: Refusal, depth: int) -> None:
    parens = refusal(
        "SELECT COUNT(*) FROM visits WHERE " + "(NOT " * depth + "urgent" + ")" * depth
    )
    assert parens.code == "PL106"


def test_a_long_chain_of_conditions_is_refused(refusal: Refusal) -> None:
    terms = " AND ".join(f"age <> {n}" for n in range(2_000))
    assert refusal(f"SELECT COUNT(*) FROM visits WHERE {terms}").code == "PL106"


def test_parentheses_inside_texts_do_not_move_the_caret(refusal: Refusal) -> None:
    error = refusal("SELECT COUNT(*) FROM visits WHERE foo('((', age) > 3 AND (age > 1)")
    assert under(error) == "foo('((', age)"


def test_eight_thousand_literals_are_read_in_linear_time(ask: Callable[..., Question]) -> None:
    listed = ", ".join(f"'({n}'" for n in range(8_000))
    begin = time.process_time()
    ask(f"SELECT COUNT(*) FROM visits WHERE note IN ({listed})")
    assert time.process_time() - begin < 2


def test_an_aggregate_may_stand_in_parentheses(ask: Callable[..., Question]) -> None:
    plain = ask("SELECT COUNT(*) AS n FROM visits")
    assert ask("SELECT (COUNT(*)) AS n FROM visits") == plain


@pytest.mark.parametrize("name", ["it's", 'a "word', "a (b", "-- a", "/* a"])
def test_a_name_in_backticks_may_hold_any_sign(refusal: Refusal, name: str) -> None:
    """It is one word to all that look at the text, so the caret stands under it."""
    error = refusal(f"SELECT COUNT(*) AS n FROM visits WHERE (`{name}`) > 1")
    assert error.code == "PL104"
    assert name in under(error)


def test_an_open_backtick_is_told(refusal: Refusal) -> None:
    error = refusal("SELECT COUNT(*) AS n FROM `visits")
    assert error.code == "PL101"
    assert under(error) == "`"
