"""Hostile texts are refused at once: no traceback, no long look, no echo of anything but the text."""

from __future__ import annotations

import logging.config
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.errors import PrivlabError
from privlab.query.compile import compile_question
from tests.query.conftest import CATALOG

SECONDS = 0.05
"""What a refusal should take, in processor time, at best of a few looks."""

WORST = 1.0
"""What none may take, on whatever machine this runs: far from what a text of no limits costs."""

SQL = "SELECT COUNT(*) FROM visits WHERE "


def sql(inner: str) -> str:
    return f"SELECT SUM({inner}) FROM visits"


def frame(inner: str) -> str:
    return f"visits.select(({inner}).sum())"


def deep(times: int) -> dict[str, str]:
    """One text of each form that nests."""
    n = times
    return {
        "parentheses": SQL + "(" * n + "urgent" + ")" * n,
        "not": SQL + "NOT " * n + "urgent",
        "minus": sql("- " * n + "age"),
        "case": sql("CASE WHEN urgent THEN " * n + "age" + " END" * n),
        "case else": sql("CASE WHEN urgent THEN 1 ELSE " * n + "age" + " END" * n),
        "case when": SQL + "CASE WHEN " * n + "urgent" + " THEN urgent END" * n,
        "if": sql("IF(urgent, age, " * n + "1" + ")" * n),
        "coalesce": sql("COALESCE(age, " * n + "1" + ")" * n),
        "coalesce first": sql("COALESCE(" * n + "age" + ", 1)" * n),
        "greatest": sql("GREATEST(age, " * n + "1" + ")" * n),
        "divide": sql("age / (" * n + "age" + ")" * n),
        "power": sql("POWER(" * n + "age" + ", 16)" * n),
        "power operator": sql("age" + " ** 2" * n),
        "between": SQL + "(" * n + "age" + " BETWEEN 1 AND 2)" * n,
        "nullif": sql("NULLIF(" * n + "age" + ", 1)" * n),
        "bucket": sql("WIDTH_BUCKET(" * n + "age" + ", 0, 10, 3)" * n),
        "same": SQL + "(" * n + "urgent" + " IS NOT DISTINCT FROM urgent)" * n,
        "cast": sql("CAST(" * n + "age" + " AS INT)" * n),
        "double colon": sql("age" + "::INT" * n),
        "replace": SQL + "REPLACE(" * n + "note" + ", 'a', 'aaaaaaaa')" * n + " = 'a'",
        "concat": SQL + "(" * n + "note" + " || note)" * n + " = 'a'",
        "lower": SQL + "LOWER(" * n + "note" + ")" * n + " = 'a'",
        "like": SQL + "note LIKE '" + "%a" * n + "'",
        "date": SQL + "admitted" + " + INTERVAL '1' DAY" * n + " > '2024-01-01'",
        "subquery": "SELECT COUNT(*) FROM "
        + "(SELECT age + age AS age FROM " * n
        + "visits"
        + ") v" * n
        + " WHERE age > 1",
        "with": "WITH a0 AS (SELECT age FROM visits)"
        + "".join(f", a{i} AS (SELECT age + age AS age FROM a{i - 1})" for i in range(1, n))
        + f" SELECT SUM(age) FROM a{n - 1}",
        "filter": "SELECT " + "COUNT(*) FILTER (WHERE " * n + "urgent" + ")" * n + " FROM visits",
        "polars when": frame("pl.when(pl.col('urgent')).then(" * n + "1" + ")" * n),
        "polars chain": frame("pl" + ".when(pl.col('urgent')).then(1)" * n),
        "polars fill": frame("pl.col('age')" + ".fill_null(pl.col('age'))" * n),
        "polars clip": frame("pl.col('age')" + ".clip(0, 5)" * n),
        "polars power": frame("pl.col('age')" + ".pow(16)" * n),
        "polars not": "visits.filter(" + "~" * n + "pl.col('urgent')).select(pl.len())",
        "polars columns": "visits"
        + ".with_columns(age=pl.col('age') + pl.col('age'))" * n
        + ".select(pl.col('age').sum())",
        "polars rename": "visits" + ".rename({'age': 'a'}).rename({'a': 'age'})" * n + ".age",
        "polars cut": frame("pl.col('age')" + ".cut([1, 2]).cast(pl.Int64)" * n),
        "polars replace": "visits.filter(pl.col('note')"
        + ".str.replace_all('a', 'bbbbbbbb', literal=True)" * n
        + " == 'a').select(pl.len())",
        "polars offset": "visits.filter(pl.col('seen')"
        + ".dt.offset_by('1d')" * n
        + " > datetime(2024, 1, 1)).select(pl.len())",
        "polars parentheses": "visits.filter(" + "(" * n + "pl.col('urgent')" + ")" * n + ").x",
        "polars list": "visits.filter(" + "[" * n + "]" * n + ").select(pl.len())",
    }


ODD = [
    "",
    ";",
    "(",
    "SELECT",
    "SELECT COUNT(*) FROM visits WHERE age = ٣",
    "SELECT COUNT(*) FROM visits WHERE age = 1e999",
    "SELECT COUNT(*) FROM visits WHERE age = 1e308",
    "SELECT COUNT(*) FROM visits WHERE age = NaN",
    "SELECT COUNT(*) FROM visits WHERE cost / 0 > 1e-999",
    "SELECT COUNT(*) FROM visits WHERE note = '\x00",
    "SELECT COUNT(*) FROM visits WHERE note LIKE '" + "%" * 2_000 + "'",
    "SELECT COUNT(*) FROM visits WHERE note LIKE '" + "_" * 2_000 + "'",
    "SELECT COUNT(*) FROM visits; DROP TABLE visits",
    "SELECT COUNT() FROM visits",
    "SELECT WIDTH_BUCKET(cost,,1000, 4) AS b, COUNT(*) FROM visits GROUP BY b",
    "SELECT ward, COUNT(*) FROM visits GROUP BY ward ORDER BY SUM()",
    "SELECT COUNT(*) FROM read_csv('/etc/passwd')",
    "SELECT COUNT(*) FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd') FROM visits",
    "SELECT COUNT(*) FROM visits WHERE SLEEP(10)",
    "SELECT SUM(age * 9223372036854775807 * 9223372036854775807) FROM visits",
    "SELECT SUM(POWER(9223372036854775807, 16) * age) FROM visits",
    "SELECT SUM(EXP(EXP(EXP(9))) * age) FROM visits",
    "SELECT SUM(ROUND(age, 99999999999999999999)) FROM visits",
    "SELECT COUNT(*) FROM visits WHERE admitted + INTERVAL '99999999999' YEAR > '2024-01-01'",
    "SELECT COUNT(*) FROM visits WHERE SUBSTRING(note, 99999999999999999999) = 'a'",
    "SELECT COUNT(*) FROM visits WHERE LEFT(note, -1) = 'a'",
    "SELECT COUNT(*) FROM visits WHERE admitted = DATE '9999-99-99'",
    "SELECT COUNT(*) FROM visits WHERE REPLACE(note, '', 'x') = 'x'",
    "SELECT COUNT(*) FROM visits WHERE CAST(note AS BLOB) = 'x'",
    "SELECT COUNT(*) FROM visits GROUP BY weight * 2",
    "SELECT age * 1000000, COUNT(*) FROM visits GROUP BY admitted + 1, age, DATE(seen)",
    "WITH RECURSIVE v AS (SELECT age FROM v) SELECT COUNT(*) FROM v",
    "visits.select(pl.col('age').cast(eval('pl.Int64')).sum())",
    "visits.select(pl.col('age').pow(10**9).sum())",
    "visits.select(pl.col('age').pow(-1).sum())",
    "visits.select(pl.col('age').round(10**9).sum())",
    "visits.select(pl.col('age').cut([float('nan')]).count())",
    "visits.select(pl.col('age').cut(list(range(10**9))).count())",
    "visits.filter(pl.col('note').str.contains('(a+)+$')).select(pl.len())",
    "visits.filter(pl.col('note').str.slice(10**30) == 'a').select(pl.len())",
    "visits.filter(pl.col('seen').dt.offset_by('99999999999y') > 1).select(pl.len())",
    "visits.with_columns(pl.all()).select(pl.len())",
    "visits.with_columns(**{'a': 1}).select(pl.len())",
    "visits.rename({**x}).select(pl.len())",
    "visits.rename({1: 2}).select(pl.len())",
    "visits.with_columns(a=pl.col('a')).select(pl.col('a').sum())",
    "visits.select(pl.when().then(1).sum())",
    "visits.select(pl.coalesce().sum())",
    "visits.select(pl.max_horizontal([]).sum())",
    "visits.filter(pl.concat_str() == 'a').select(pl.len())",
    "visits.filter(pl.col('note') == '\\ud800').select(pl.len())",
    "visits.filter(pl.col('admitted') + pl.duration(days=10**30) > 1).select(pl.len())",
    "visits.filter(pl.col('admitted') + timedelta() > date(2024, 1, 1)).select(pl.len())",
    "visits.filter(x := pl.col('urgent')).select(pl.len())",
    "visits.select((lambda: 1)().sum())",
    "visits.filter(f'{1}' == pl.col('note')).select(pl.len())",
    "visits.filter(pl.col('note') == b'a').select(pl.len())",
    "visits.select(" + "+".join(["pl.col('age')"] * 30_000) + ")",
    "SELECT COUNT(*) FROM visits WHERE " + " OR ".join(["age = 1"] * 30_000),
    "SELECT COUNT(*) FROM visits WHERE age IN (" + "1," * 40_000 + "1) AND x = 1",
    "\U0001f600" * 1_000,
    "SELECT COUNT(*) FROM visits WHERE \u202enote = 'a'",
]
NESTED = {f"{name} {times}": text for times in (210, 3_000) for name, text in deep(times).items()}
FINE = {"polars rename", "like", "polars chain", "date", "polars offset"}
"""Forms of which some depth is a question like any other."""


def refused(text: str) -> tuple[PrivlabError | None, float]:
    """The refusal and the time it took, at best."""
    best, found = float("inf"), None
    for _ in range(3):
        begin = time.process_time()
        try:
            compile_question(text, {}, CATALOG)
        except PrivlabError as error:
            found = error
        best = min(best, time.process_time() - begin)
        if best < SECONDS:
            break
    return found, best


@pytest.mark.parametrize("name", NESTED)
def test_what_nests_too_deeply_is_refused_at_once(name: str) -> None:
    found, seconds = refused(NESTED[name])
    assert found is not None or name.rpartition(" ")[0] in FINE
    assert found is None or found.code in ("PL101", "PL105", "PL106", "PL111")
    assert seconds < WORST or found is None


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_are_refused_at_once(text: str) -> None:
    found, seconds = refused(text)
    assert found is not None
    assert found.code.startswith(("PL1", "PL20"))
    assert seconds < WORST


FORMS = [text for name, text in deep(8).items()]


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_broken_texts_are_refused_or_answered_and_nothing_else(data: st.DataObject) -> None:
    """A good text with a piece cut out, doubled, or put from another one."""
    text = data.draw(st.sampled_from(FORMS))
    other = data.draw(st.sampled_from(FORMS))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    piece = data.draw(
        st.sampled_from(["", text[start:end] * 2, other[start:end], "'", "(", ")", ",", "é", "\n"])
    )
    broken = text[:start] + piece + text[end:]
    code = "PL1"
    try:
        compile_question(broken, {}, CATALOG)
    except PrivlabError as error:
        code = error.code
    assert code.startswith(("PL1", "PL20"))


def test_a_choice_in_a_choice_takes_no_longer_than_its_text() -> None:
    """Each level once doubled the time: 32 of them would have taken hours."""
    for form in ("case", "case else", "case when", "if", "polars when"):
        begin = time.process_time()
        compile_question(deep(28)[form], {}, CATALOG)
        assert time.process_time() - begin < WORST


def test_no_text_is_written_to_a_log(caplog: pytest.LogCaptureFixture) -> None:
    """The parser would quote it; what an analyst types is nobody's to read there.

    Nor does it when a server has set up its own loggers, as the curator's does.
    """
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
    for text in ("GRANT ALL ON visits TO x", "SELECT a -> '$[1e309]' FROM visits", "CALL x(1)"):
        with pytest.raises(PrivlabError):
            compile_question(f"SELECT COUNT(*) FROM ({text})", {}, CATALOG)
        with pytest.raises(PrivlabError):
            compile_question(f"EXPLAIN {text}", {}, CATALOG)
        with pytest.raises(PrivlabError):
            compile_question(f"WITH v AS ({text}) SELECT COUNT(*) FROM v", {}, CATALOG)
    assert caplog.records == []
