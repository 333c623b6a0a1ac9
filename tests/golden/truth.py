"""What a question means to somebody who may see the rows: DuckDB for SQL, Polars for Polars.

An independent translation: nothing of privlab's parsers or passes is used.  The SQL
text is read by sqlglot and written for DuckDB, changed only where the language has
decided otherwise than DuckDB (``docs/language.md``): each change is one function.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import duckdb
import polars as pl
from sqlglot import exp, parse_one

Answer = list[tuple[Any, ...]]

WRITTEN = {
    # words that DuckDB or sqlglot's own dialect has not
    "SELECT COUNT(*) AS n FROM visits WHERE urgent XOR age >= 65": (
        "SELECT COUNT(*) FROM visits WHERE xor(urgent::INT, (age >= 65)::INT) = 1"
    ),
    "SELECT age // 10 * 10 AS b, COUNT(*) AS n FROM visits GROUP BY b": (
        "SELECT age // 10 * 10 AS b, COUNT(*) FROM visits GROUP BY b"
    ),
    "SELECT CAST(age // 10 AS TEXT) || '0s' AS d, COUNT(*) AS n FROM visits GROUP BY d": (
        "SELECT (age // 10)::VARCHAR || '0s' AS d, COUNT(*) FROM visits GROUP BY d"
    ),
    "SELECT SUM(age ** 2) AS s FROM visits": "SELECT SUM(age ** 2) FROM visits",
    "SELECT WIDTH_BUCKET(cost, 0, 1000, 4) AS b, COUNT(*) AS n FROM visits GROUP BY b": (
        "SELECT CASE WHEN cost < 0 THEN 0 WHEN cost >= 1000 THEN 5 ELSE 1 + FLOOR(cost / 250) END"
        " AS b, COUNT(*) FROM visits GROUP BY b"
    ),
    "SELECT COUNT(*) AS n FROM visits WHERE EXTRACT(ISOWEEK FROM admitted) = 53": (
        "SELECT COUNT(*) FROM visits WHERE WEEKOFYEAR(admitted) = 53"
    ),
    "SELECT COUNT(*) AS n FROM visits WHERE DATEADD(day, 30, admitted) >= '2024-03-01'": (
        "SELECT COUNT(*) FROM visits WHERE admitted + 30 >= DATE '2024-03-01'"
    ),
    # the order of the arguments of differences is that of their other dialects
    "SELECT MEDIAN(DATE_DIFF('day', DATE '2023-01-01', admitted)) AS m FROM visits": (
        "SELECT MEDIAN(DATE_DIFF('day', DATE '2023-01-01', admitted)) FROM visits"
    ),
    "SELECT AVG(DATEDIFF(day, admitted, seen)) AS d FROM visits": (
        "SELECT AVG(DATE_DIFF('day', admitted, seen)) FROM visits"
    ),
    "SELECT LEAST(GREATEST(DATEDIFF(seen, admitted), 0), 5) AS d, COUNT(*) AS n FROM visits "
    "GROUP BY d": (
        "SELECT CASE WHEN seen IS NOT NULL THEN LEAST(GREATEST(DATE_DIFF('day', admitted, seen), 0)"
        ", 5) END AS d, COUNT(*) FROM visits GROUP BY d"
    ),
    "SELECT COUNT(*) AS n FROM visits WHERE "
    "TIMESTAMPDIFF(HOUR, TIMESTAMP '2024-01-01 00:00:00', seen) > 3": (
        "SELECT COUNT(*) FROM visits WHERE "
        "DATE_SUB('hour', TIMESTAMP '2024-01-01 00:00:00', seen) > 3"
    ),
    # days of the week are those of MySQL and BigQuery, whose words they are
    "SELECT WEEKDAY(admitted) AS d, COUNT(*) AS n FROM visits GROUP BY d": (
        "SELECT ISODOW(admitted) - 1 AS d, COUNT(*) FROM visits GROUP BY d"
    ),
    "SELECT DAYOFWEEK(admitted) AS d, COUNT(*) AS n FROM visits GROUP BY d": (
        "SELECT EXTRACT(DOW FROM admitted) + 1 AS d, COUNT(*) FROM visits GROUP BY d"
    ),
    "SELECT EXTRACT(DAYOFWEEK FROM admitted) AS d, COUNT(*) AS n FROM visits GROUP BY d": (
        "SELECT EXTRACT(DOW FROM admitted) + 1 AS d, COUNT(*) FROM visits GROUP BY d"
    ),
    # division by zero is null
    "SELECT AVG(stay_days / age) AS r FROM visits": (
        "SELECT AVG(stay_days / NULLIF(age, 0)) FROM visits"
    ),
    # words of Transact-SQL, Snowflake, BigQuery and MySQL
    "SELECT TOP 2 ward, COUNT(*) AS n FROM visits GROUP BY ward ORDER BY n DESC": (
        "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward ORDER BY n DESC LIMIT 2"
    ),
    "SELECT AVERAGE(age) AS a FROM visits": "SELECT AVG(age) FROM visits",
    "SELECT SUM(SQUARE(stay_days)) AS s FROM visits": "SELECT SUM(stay_days ** 2) FROM visits",
    "SELECT SUM(ISNULL(stay_days, 7)) AS s FROM visits": (
        "SELECT SUM(IFNULL(stay_days, 7)) FROM visits"
    ),
    "SELECT AVG(ZEROIFNULL(stay_days)) AS s FROM visits": (
        "SELECT AVG(IFNULL(stay_days, 0)) FROM visits"
    ),
    "SELECT DATEPART(year, admitted) AS y, COUNT(*) AS n FROM visits GROUP BY 1": (
        "SELECT YEAR(admitted) AS y, COUNT(*) AS n FROM visits GROUP BY y"
    ),
    "SELECT `ward`, COUNT(*) AS `n` FROM `visits` GROUP BY `ward`": (
        "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward"
    ),
    # counts are exact here, not sketches
    **{
        f"SELECT {word}(patient_id) AS n FROM visits": (
            "SELECT COUNT(DISTINCT patient_id) FROM visits"
        )
        for word in ("APPROX_COUNT_DISTINCT", "APPROX_DISTINCT")
    },
    "SELECT ward, APPROX_COUNT_DISTINCT(note) AS n FROM visits GROUP BY ward": (
        "SELECT ward, COUNT(DISTINCT note) FROM visits GROUP BY ward"
    ),
    # a pair of which one is null is no value, as in COUNT(DISTINCT ward, sex) of DuckDB
    "SELECT COUNT(DISTINCT (ward, sex)) AS n FROM visits": (
        "SELECT COUNT(DISTINCT (ward, sex)) FROM visits WHERE ward IS NOT NULL AND sex IS NOT NULL"
    ),
    # a text spells a whole number in digits alone; DuckDB reads 12.5 and 1e2 too, and spaces
    **{
        f"SELECT SUM(LEAST(GREATEST({cast}, 0), 60)) AS s FROM visits": (
            "SELECT SUM(LEAST(GREATEST(note::BIGINT, 0), 60)) FROM visits"
            " WHERE REGEXP_FULL_MATCH(note, '[+-]?[0-9]+')"
        )
        for cast in ("CAST(note AS INT)", "TRY_CAST(note AS BIGINT)", "note::INTEGER")
    },
}
"""Texts that DuckDB has to be told in other words, and why."""

POLARS = {
    # Polars 2.1 fails to round whole numbers to tens
    'visits.group_by(b=pl.col("age").round(-1, mode="half_away_from_zero")).agg(n=pl.len())': (
        'visits.group_by(b=(pl.col("age") + 5) // 10 * 10).agg(n=pl.len())'
    ),
    # division by zero is null
    'visits.select(r=(pl.col("stay_days") / pl.col("age")).mean())': (
        'visits.filter(pl.col("age") != 0).select(r=(pl.col("stay_days") / pl.col("age")).mean())'
    ),
    # null is no value: n_unique counts as COUNT(DISTINCT x) does
    **{
        f"visits.select(n={counted})": f"visits.select(n={counted} - 1)"
        for counted in (
            'pl.col("note").n_unique()',
            'pl.n_unique("note")',
            'pl.col("note").filter(pl.col("urgent")).n_unique()',
        )
    },
    'visits.select(n=pl.struct("ward", "sex").n_unique())': (
        'visits.drop_nulls(["ward", "sex"]).select(n=pl.struct("ward", "sex").n_unique())'
    ),
    # counts are exact here, not sketches
    'visits.select(n=pl.col("patient_id").approx_n_unique())': (
        'visits.select(n=pl.col("patient_id").n_unique())'
    ),
    'visits.group_by("ward").agg(n=pl.col("note").approx_n_unique())': (
        'visits.group_by("ward").agg(n=pl.col("note").drop_nulls().n_unique())'
    ),
    # rows have no order here, so none is wanted
    'visits.group_by_dynamic("admitted", every="1mo").agg(n=pl.len())': (
        'visits.sort("admitted").group_by_dynamic("admitted", every="1mo").agg(n=pl.len())'
    ),
    # a text that is no date is null, with strict=False or without
    **{
        f'visits.filter(pl.col("note").{cast} >= date(2024, 1, 1)).select(n=pl.len())': (
            'visits.filter(pl.col("note").str.to_date("%Y-%m-%d", strict=False)'
            " >= date(2024, 1, 1)).select(n=pl.len())"
        )
        for cast in ('str.to_date("%Y-%m-%d")', "cast(pl.Date)")
    },
}
"""Texts whose meaning here is not that of this version of Polars, and why."""

MACRO = """
CREATE MACRO MAGNITUDE(x, which := 1) AS CASE WHEN x IS NOT NULL THEN
  len(list_filter(range(-32, 64), lambda j: x >= pow(2.0, j)))
  - len(list_filter(range(-32, 64), lambda j: x <= -pow(2.0, j))) END
"""
"""DuckDB has not the word: powers of two, counted one by one."""


def magnitude(x: pl.Expr, which: int = 1) -> pl.Expr:
    """Nor has Polars.  which: of two histograms with the same bins."""
    powers = [2.0**j for j in range(-32, 64)]
    up, down = (pl.sum_horizontal([s * x >= power for power in powers]) for s in (1, -1))
    return pl.when(x.is_not_null()).then(up.cast(pl.Int64) - down.cast(pl.Int64))


NULL_IN = (exp.Greatest, exp.Least, exp.Concat)


def _decided(tree: exp.Expression) -> exp.Expression:
    """The text as DuckDB has to be told it."""
    for node in reversed(list(tree.find_all(*NULL_IN))):  # null when one argument is
        listed = [node.this, *node.expressions] if node.this else list(node.expressions)
        null = exp.or_(*(exp.Is(this=one.copy(), expression=exp.Null()) for one in listed))
        node.replace(exp.Case(ifs=[exp.If(this=null, true=exp.Null())], default=node.copy()))
    for node in reversed(list(tree.find_all(exp.Cast))):  # a cast never fails
        if not isinstance(node, exp.TryCast):
            node.replace(exp.TryCast(this=node.this.copy(), to=node.args["to"].copy()))
    return tree


def in_duckdb(text: str, rows: pl.DataFrame, **others: pl.DataFrame) -> Answer:
    """The answer of DuckDB to an SQL text.  others: further tables by name."""
    written = WRITTEN.get(text) or _decided(parse_one(text)).sql(dialect="duckdb")
    with duckdb.connect(config={"enable_external_access": "false"}) as connection:
        connection.execute("SET ieee_floating_point_ops = false")
        connection.execute("SET python_enable_replacements = false")
        for name, frame in {"visits": rows, **others}.items():
            connection.register(name, frame.to_arrow())
        connection.execute(MACRO)
        connection.execute("CREATE SCHEMA clinic; CREATE VIEW clinic.visits AS FROM visits")
        return connection.execute(written).fetchall()


def in_polars(text: str, rows: pl.DataFrame, **others: pl.DataFrame) -> Answer:
    """The answer of Polars to a Polars text: it is run, which only a test of our own texts may."""
    names = {
        "pl": pl,
        **others,
        "visits": rows,
        "date": date,
        "datetime": datetime,
        "timedelta": timedelta,
    }
    text = re.sub(r"\n\s*", "", POLARS.get(text, text))
    with patch.object(pl.Expr, "magnitude", magnitude, create=True):
        found = eval(text, {"__builtins__": {}}, names)  # noqa: S307
    return [tuple(row) for row in found.rows()]
