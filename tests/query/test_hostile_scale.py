"""Ten thousand hostile texts: each is a question or a refusal, at once, and nothing else.

Made by hand, by grammars that nest and repeat, and by breaking good questions.  A
refusal quotes the text and the contract alone: compiling has no rows, and these
tests have none either.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest

from privlab.errors import PrivlabError
from privlab.query.compile import compile_question
from tests.golden.test_queries import BLOCKS
from tests.query.conftest import CATALOG
from tests.query.test_hostile import ODD, SECONDS, WORST, deep

QUICK, ALL = 1_000, 10_000

NUMBERS = [
    *(
        "1e308",
        "1e309",
        "-1e308",
        "1e-400",
        "NaN",
        "'NaN'",
        "inf",
        "٣",
        "१२",
        "１２",
        "0x7f",
        "0b1",
    ),
    *("1_000", "1e5", "9" * 400, "-" + "9" * 4_500, "0." + "0" * 300 + "1", "1.", ".5", "²", "Ⅷ"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e", "--1", "1/0"),
    *(
        "float('nan')",
        "float('inf')",
        "10**10**10",
        "1j",
        "True",
        "None",
        "NULL",
        "b'1'",
        "...",
        "",
    ),
]
NAMES = [
    *(
        "age",
        "аge",
        "a\u200bge",
        "age\u200d",
        "ａｇｅ",
        "AGE",
        '"age"',
        "`age`",
        "[age]",
        "\ufeffage",
    ),
    *("a" * 10_000, "é" * 2_000, "__class__", "patient_id", "diagnosis", "visits", "*", "age.age"),
    *("\u202eega", "age\x00", "a" + "\u0301" * 500, "ag'e", "age;", "$1", ":age", "{age}", "@@x"),
]
TEXTS = [
    *(
        "x' OR '1'='1",
        "'; DROP TABLE visits; --",
        "\u200b",
        "\U0001f600",
        "\ud800",
        "\x00",
        "%" * 999,
    ),
    *("_" * 1_500, "\\" * 99, "a" * 50_000, "\u202e", "{{7*7}}", "${jndi:ldap://x}", "\r\n", "é́"),
]
SQL_CALLS = [
    *("read_csv({t})", "read_parquet({t})", "glob({t})", "pg_read_file({t})", "LOAD_FILE({t})"),
    *("SLEEP({n})", "BENCHMARK({n}, {c})", "EXP(EXP({n}))", "POWER({c}, {n})", "ROUND({c}, {n})"),
    *("SUBSTRING(note, {n}, {n})", "LEFT(note, {n})", "REPEAT({t}, {n})", "RPAD(note, {n})"),
    *("CAST({t} AS INT)", "CAST({n} AS {c})", "REPLACE(note, {t}, {t})", "GENERATE_SERIES(1, {n})"),
    *("LEAST({c}, {n})", "QUANTILE({c}, {n})", "WIDTH_BUCKET({c}, {n}, {n}, {n})", "NTILE({n})"),
    *("DATE_TRUNC({t}, admitted)", "DATE_ADD(admitted, INTERVAL {n} DAY)", "DATE {t}", "RANDOM()"),
    *("(SELECT {c} FROM visits)", "{c} OVER (ORDER BY {n})", "CASE {n} WHEN {n} THEN {n} END"),
    *(
        "LIST({c})",
        "MAP([{n}], [{t}])",
        "STRUCT_PACK(a := {n})",
        "{c} -> 1",
        "x -> {n}",
        "CURRENT_USER",
    ),
]
SQL_FORMS = [
    *("SELECT COUNT(*) FROM visits WHERE {c} = {n}", "SELECT SUM({e}) FROM visits"),
    *(
        "SELECT COUNT(*) FROM visits WHERE note = '{s}'",
        "SELECT {e}, COUNT(*) FROM visits GROUP BY {e}",
    ),
    *("SELECT COUNT(*) FROM {e}", "SELECT * FROM {e}", "COPY visits TO '{s}'", "ATTACH '{s}' AS x"),
    *("PRAGMA {c}", "SET {c} = {n}", "INSTALL httpfs; LOAD httpfs", "CALL {e}", "EXECUTE {c}({n})"),
    *("SELECT COUNT(*) FROM visits; {f}", "{f} UNION ALL {f}", "{f} /* {s}", "{f} -- {s}\n"),
    *(
        "WITH RECURSIVE r AS ({f} UNION ALL SELECT {n} FROM r) {f}",
        "EXPLAIN {f}",
        "CREATE TABLE x AS {f}",
    ),
    *("SELECT COUNT(*) FROM visits LIMIT {n}", "SELECT COUNT(*) AS {c} FROM visits ORDER BY {n}"),
    *(
        "SELECT COUNT(*) FROM visits GROUP BY ROLLUP({c}, {c})",
        "SELECT SUM(age) FROM visits HAVING {e} > {n}",
    ),
    *(
        "SELECT COUNT(*) FROM visits TABLESAMPLE {n}",
        "SELECT COUNT(*) FROM visits JOIN visits ON {e}",
    ),
    *("DELETE FROM visits WHERE {e}", "UPDATE visits SET {c} = {n}", "GRANT ALL ON visits TO {c}"),
    *(
        "VALUES ({n})",
        "FROM visits SELECT {e}",
        "PIVOT visits ON {c}",
        "SELECT COUNT(*) FROM visits FOR UPDATE",
    ),
    *("SELECT AVG({c}) FILTER (WHERE {e}) FROM visits WHERE {e} AND {e}", "SELECT {e}"),
    *(
        "SELECT COUNT(*) FROM visits WHERE {c} IN ({n}, {n}, '{s}', ({f}))",
        "SHOW {c}",
        "DESCRIBE {e}",
    ),
]
FRAME_CALLS = [
    *("pl.col('{c}')", "pl.lit({n})", "pl.col({t})", "pl.col('age').clip({n}, {n})", "pl.all()"),
    *("pl.col('age').clip({n}, lower_bound={n})", "pl.col('age').round({n}, decimals={n})"),
    *(
        "pl.col('age').cut([{n}, {n}])",
        "pl.col('note').str.slice({n}, {n})",
        "pl.col('age') ** {n}",
    ),
    *(
        "pl.col('note').str.replace_all({t}, {t}, literal=True)",
        "pl.col('age').map_elements(print)",
    ),
    *("pl.col('seen').dt.offset_by({t})", "pl.duration(days={n})", "pl.date({n}, {n}, {n})"),
    *("datetime({n}, 1, 1)", "__import__('os').system({t})", "open({t}).read()", "eval({t})"),
    *(
        "(lambda: {n})()",
        "[{e} for _ in range({n})]",
        "f'{{{n}}}'",
        "(x := {n})",
        "pl.read_csv({t})",
    ),
    *("pl.scan_parquet({t})", "pl.when({e}).then({n}).otherwise({t})", "pl.col('age').__class__"),
    *("pl.sql({t})", "pl.col('age').is_in([{n}, {t}, {e}])", "pl.Series([{n}])", "pl.struct({e})"),
    *(
        "pl.col('age').quantile({n}, quantile={n})",
        "pl.coalesce({e}, {n})",
        "{{'a': {n}}}",
        "*[{e}]",
    ),
]
FRAME_FORMS = [
    *(
        "visits.select(({e}).sum())",
        "visits.filter({e}).select(pl.len())",
        "visits.group_by({e}).len()",
    ),
    *(
        "visits.filter({e}, {e}, a={n}).select(pl.len())",
        "visits.with_columns(a={e}).select(a={e}, a={e})",
    ),
    *("visits.select(n=pl.len(), n={e})", "visits.{c}({n})", "visits.select(pl.len()).head({n})"),
    *(
        "visits.rename({{'age': {t}}}).select(pl.len())",
        "visits.join(visits, on={t}).select(pl.len())",
    ),
    *(
        "visits.select(pl.len()).sort({t}, descending={n})",
        "visits.sink_csv({t})",
        "visits.write_json({t})",
    ),
    *(
        "visits.select({e}); {f}",
        "import os\n{f}",
        "{f}\n{f}",
        "visits[{n}]",
        "visits.collect().select({e})",
    ),
    *(
        "def f(): {f}",
        "exec({t})",
        "visits.select(pl.len(), *{e})",
        "visits.select(pl.len(), **{{{t}: {n}}})",
    ),
    *(
        "pl.read_parquet({t})",
        "pl.scan_csv({t}).select(pl.len())",
        "visits.map_batches(print)",
        "a = {f}",
    ),
    *(
        "visits.group_by('ward').agg(({e}).mean(), x={e})",
        "# {s}\n{f}",
        "visits.lazy().{c}",
        "await {f}",
    ),
]


def grown(dice: random.Random, form: str, calls: list[str], forms: list[str], depth: int) -> str:
    """A form with its holes filled."""

    def quoted() -> str:
        return repr(dice.choice(TEXTS)) if forms is FRAME_FORMS else f"'{dice.choice(TEXTS)}'"

    fill: dict[str, Callable[[], str]] = {
        "{n}": lambda: dice.choice(NUMBERS),
        "{c}": lambda: dice.choice(NAMES),
        "{s}": lambda: dice.choice(TEXTS),
        "{t}": quoted,
        "{e}": lambda: grown(dice, dice.choice(calls), calls, forms, depth + 1),
        "{f}": lambda: grown(dice, dice.choice(forms), calls, forms, depth + 1),
    }
    for hole, make in fill.items():
        while hole in form:
            found = make() if depth < 4 else "1"
            form = form.replace(hole, found.replace("{", "").replace("}", ""), 1)
    return form.replace("{{", "{").replace("}}", "}")


GOOD = [text for param in BLOCKS for text in param.values[0].texts]


def broken(dice: random.Random) -> str:
    """A question of the corpus with pieces cut out, doubled, moved or replaced."""
    text = dice.choice(GOOD)
    for _ in range(dice.randint(1, 4)):
        start = dice.randint(0, len(text))
        end = min(len(text), start + dice.choice([0, 1, 1, 4, 12]))
        other = dice.choice(
            [*NUMBERS, *NAMES, *TEXTS, *"'\"(),;[]{}\\\n\t#*", "--", "/*", " AND ", "."]
        )
        piece = dice.choice(["", text[start:end] * 2, other, dice.choice(GOOD)[:20]])
        text = text[:start] + piece + text[end:]
    return text


def repeated(dice: random.Random) -> str:
    """A piece that stands there far too often."""
    piece = dice.choice(["(", ")", "[", "{", "'", '"', "--", "/*", "*/", "NOT ", "- ", "~", "+", ";", "\\", "SELECT ", "CASE WHEN ", "WITH a AS (", ".a", "pl.", "1,", "age,", "\u0301", "\u200b", "\n", " ", "f'{", "lambda: ", "**"])  # fmt: skip
    text, at = dice.choice(GOOD), dice.choice([0, -1, None])
    place = dice.randint(0, len(text)) if at is None else at % (len(text) + 1)
    return text[:place] + piece * dice.choice([50, 300, 2_000, 20_000]) + text[place:]


def hostile() -> Iterator[str]:
    """Without end, always the same: those by hand first."""
    yield from ODD
    for times in (20, 190, 210, 1_000):
        yield from deep(times).values()
    dice = random.Random(2_024)
    while True:
        yield grown(dice, dice.choice(SQL_FORMS), SQL_CALLS, SQL_FORMS, 0)
        yield grown(dice, dice.choice(FRAME_FORMS), FRAME_CALLS, FRAME_FORMS, 0)
        yield broken(dice)
        yield broken(dice)
        yield repeated(dice)


def look(text: str) -> tuple[PrivlabError | None, float]:
    """The refusal, if it is one, and the process time it took, at best of three."""
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


def judged(start: int, end: int) -> tuple[int, int, list[tuple[int, float, str]]]:
    """How many texts are refused, how many are questions, and which took over `SECONDS`.

    Any other end of a text fails, and so does one that took over `WORST`.
    """
    refused = questions = 0
    slow = []
    for at, text in enumerate(hostile()):
        if at == end:
            break
        if at < start:
            continue
        try:
            error, seconds = look(text)
        except Exception as trouble:
            raise AssertionError(f"text {at}: {text[:200]!r}") from trouble
        if error is None:
            questions += 1
            continue
        refused += 1
        assert error.code.startswith(("PL1", "PL20")), (at, text[:200], error.code)
        if seconds >= SECONDS:
            slow.append((at, round(seconds, 3), text[:120]))
    assert all(seconds < WORST for _, seconds, _ in slow), slow
    return refused, questions, slow


def test_a_thousand_hostile_texts_are_refused_at_once() -> None:
    refused, questions, _ = judged(0, QUICK)
    assert refused + questions == QUICK
    assert refused > 0.9 * QUICK


@pytest.mark.slow
def test_ten_thousand_hostile_texts_are_refused_at_once() -> None:
    """One in two hundred, a name listed thousands of times, may take over `SECONDS`."""
    refused, questions, slow = judged(QUICK, ALL)
    assert len(slow) <= (ALL - QUICK) // 200, slow
    assert refused + questions == ALL - QUICK
    assert refused > 0.9 * (ALL - QUICK)
