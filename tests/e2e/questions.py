"""Questions of every temper, for tests that watch what comes out."""

GOOD = (
    *(
        f"SELECT ward, {what} AS x FROM visits WHERE age >= {age} GROUP BY ward"
        for age in (20, 45, 70)
        for what in (
            "COUNT(*)",
            "SUM(amount)",
            "AVG(amount)",
            "AVG(stay_days)",
            "COUNT(DISTINCT patient_id)",
        )
    ),
    "SELECT COUNT(*) AS n, SUM(amount) AS a FROM visits",
    "SELECT MONTH(visited_on) AS m, SUM(amount) AS a FROM visits GROUP BY m ORDER BY a DESC",
    "SELECT SUM(amount) AS a FROM visits WHERE visited_on < DATE '2023-07-01'",
    "SELECT ward, SUM(amount) AS a FROM visits GROUP BY ward HAVING SUM(amount) > 0 LIMIT 2",
    "visits.filter(pl.col('ward') == 'surgery').select(a=pl.col('amount').sum())",
    "visits.group_by('ward').agg(a=pl.col('amount').mean(), n=pl.len())",
    "visits.select(w=pl.col('weight').clip(40, 100).sum())",
)
"""Answered, and close to true values that must not be found anywhere."""

HOSTILE = (
    "SELECT notes FROM visits",
    "SELECT patient_id, notes FROM visits LIMIT 1",
    "SELECT COUNT(*) AS n FROM visits WHERE notes LIKE 'c%'",
    "SELECT COUNT(*) AS n FROM visits WHERE patient_id = 'p'",
    "SELECT MAX(amount) AS m FROM visits",
    "SELECT MIN(notes) AS m FROM visits",
    "SELECT STRING_AGG(notes, ',') AS s FROM visits",
    "SELECT SUM(amount * amount * amount * amount) AS s FROM visits",
    "SELECT SUM(CAST(ward AS INT)) AS s FROM visits",
    "SELECT SUM(amount / (age - age)) AS s FROM visits",
    "SELECT SUM(amount) AS s FROM visits WHERE ward = 7",
    "SELECT COUNT(*) AS n FROM visits WHERE age = 10000000000000000000000000000000",
    "SELECT SUM(weight) AS w FROM visits",
    "SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id",
    "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward UNION SELECT notes, 1 FROM visits",
    "SELECT * FROM read_parquet('rows-0000.parquet')",
    "SELECT COUNT(*) AS n FROM sqlite_master",
    "SELECT (SELECT notes FROM visits LIMIT 1) AS n FROM visits",
    "SELECT COUNT(*) AS n FROM visits; DROP TABLE visits",
    "SELECT COUNT(*) AS n FROM visits WHERE :x",
    "visits.collect()",
    "visits.head(5)",
    "visits.map_rows(lambda row: row)",
    "pl.read_csv('visits.csv')",
    "visits.select(pl.col('notes'))",
    "visits.select(n=pl.col('notes').first())",
    "visits.select(pl.col('amount').map_elements(print))",
    "visits.group_by('patient_id').agg(n=pl.len())",
    "__import__('os').environ",
    "().__class__.__bases__[0].__subclasses__()",
    "visits.filter(pl.col('amount').cast(pl.Int8) > 0).select(n=pl.len())",
    "(" * 200 + "1" + ")" * 200,
    "SELECT " + "1 + " * 2000 + "1 AS x FROM visits",
)
"""Refused, and what they are refused with is watched too."""
