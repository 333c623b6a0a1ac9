"""Questions of every shape the language has, each under a bound that it strains."""

from __future__ import annotations

from dataclasses import replace

from privlab.terms.bounds import ContributionBound as Bound
from privlab.terms.loss import Currency
from tests.attack.asking import Asking, share

ONE = Bound(1, 1, 1)
FEW = Bound(4, 4, 4)
NARROW = Bound(5, 2, 3)
WIDE = Bound(40, 3, 12)
LOPSIDED = Bound(8, 8, 2)

SHAPES = (
    Asking("SELECT COUNT(*) AS n FROM visits", ONE),
    Asking("SELECT COUNT(*) AS n FROM visits", FEW),
    Asking("SELECT COUNT(stay) AS n, COUNT(ward) AS w FROM visits", LOPSIDED),
    Asking("SELECT COUNT(DISTINCT patient) AS n FROM visits", FEW),
    Asking("SELECT ward, COUNT(DISTINCT patient) AS n FROM visits GROUP BY ward", LOPSIDED),
    Asking("SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward", ONE),
    Asking("SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward", NARROW),
    Asking("SELECT SUM(age) AS x FROM visits", FEW),
    Asking("SELECT SUM(score) AS x FROM visits", WIDE),
    Asking("SELECT SUM(points) AS x FROM visits", FEW),
    Asking("SELECT SUM(stay) AS x FROM visits", NARROW),
    Asking("SELECT AVG(score) AS x FROM visits", FEW),
    Asking("SELECT AVG(stay) AS x FROM visits WHERE urgent", WIDE),
    Asking("SELECT ward, AVG(points) AS x FROM visits GROUP BY ward", LOPSIDED),
    Asking("SELECT ward, SUM(stay) AS x FROM visits WHERE age >= 65 GROUP BY ward", NARROW),
    Asking("SELECT COUNT(*) AS n FROM visits WHERE ward IN ('north', 'attic') OR stay < 3", FEW),
    Asking("SELECT COUNT(*) AS n FROM visits WHERE ward IS NULL AND NOT urgent", FEW),
    Asking("SELECT urgent, ward, COUNT(*) AS n FROM visits GROUP BY urgent, ward", WIDE),
    Asking("SELECT MONTH(day) AS m, SUM(score) AS x FROM visits GROUP BY m", WIDE),
    Asking("SELECT MONTH(day) AS m, COUNT(*) AS n FROM visits GROUP BY m", NARROW),
    Asking(
        "SELECT DATE_TRUNC('month', day) AS m, ward, COUNT(DISTINCT patient) AS n, SUM(age) AS x "
        "FROM visits GROUP BY m, ward",
        Bound(24, 1, 24),
    ),
    Asking("SELECT DATE_TRUNC('week', at) AS w, COUNT(*) AS n FROM visits GROUP BY w", NARROW),
    Asking("SELECT day, COUNT(*) AS n FROM visits GROUP BY day", Bound(160, 40, 160)),
    Asking("SELECT age, COUNT(*) AS n FROM visits WHERE age BETWEEN 60 AND 70 GROUP BY age", FEW),
    Asking("SELECT age >= 65 AS old, AVG(stay) AS x, COUNT(*) AS n FROM visits GROUP BY old", FEW),
    Asking("SELECT SUM(LEAST(GREATEST(big, -10), 10)) AS x FROM visits", FEW),
    Asking("SELECT SUM(LEAST(GREATEST(big * big - age, 0), 500)) AS x FROM visits", NARROW),
    Asking("SELECT SUM(LEAST(GREATEST(age * stay - score, -50), 50)) AS x FROM visits", FEW),
    Asking(
        "SELECT ward, COUNT(*) AS n, COUNT(stay) AS s, SUM(stay) AS t, AVG(score) AS a, "
        "COUNT(DISTINCT patient) AS u FROM visits WHERE stay > -1 GROUP BY ward",
        NARROW,
    ),
    Asking("SELECT ward, SUM(age) AS x FROM visits GROUP BY ward HAVING SUM(age) > 100", FEW),
    Asking(
        "SELECT ward, COUNT(*) AS n, AVG(age) AS a FROM visits GROUP BY ward "
        "ORDER BY a DESC, n LIMIT 2",
        FEW,
    ),
    Asking("visits.select(x=pl.col('weight').clip(40, 100).sum())", FEW),
    Asking("visits.select(x=(pl.col('weight') * pl.col('weight')).clip(0, 5000).sum())", WIDE),
    Asking(
        "visits.select(x=(pl.col('weight') * pl.col('weight') - pl.col('weight') * pl.col('age'))"
        ".clip(-9, 9).mean())",
        FEW,
    ),
    Asking("visits.group_by('ward').agg(n=pl.len(), x=pl.col('stay').mean())", LOPSIDED),
    Asking("visits.filter(pl.col('ward') == 'north').select(u=pl.col('patient').n_unique())", FEW),
    Asking(
        "visits.filter(pl.col('age').is_between(18, 64)).group_by('urgent', 'ward')"
        ".agg(x=pl.col('points').abs().sum(), n=pl.col('score').count())",
        NARROW,
    ),
    Asking("visits.group_by(pl.col('day').dt.month()).agg(u=pl.col('patient').n_unique())", WIDE),
    Asking("SELECT COUNT(DISTINCT age) AS n, COUNT(DISTINCT weight) AS w FROM visits", FEW),
    Asking("SELECT ward, COUNT(DISTINCT day) AS n FROM visits GROUP BY ward", NARROW),
    Asking("SELECT urgent, COUNT(DISTINCT ward) AS n FROM visits GROUP BY urgent", LOPSIDED),
    Asking("SELECT COUNT(DISTINCT stay) AS n FROM visits WHERE age >= 18", Bound(160, 160, 160)),
    Asking("SELECT MEDIAN(score) AS m FROM visits", ONE),
    Asking("SELECT MEDIAN(age) AS m FROM visits WHERE urgent", LOPSIDED),
    Asking("SELECT ward, QUANTILE(points, 0.9) AS q FROM visits GROUP BY ward", NARROW),
    Asking(
        "SELECT ward, QUANTILE(points, 0.2) AS a, MEDIAN(points) AS b, QUANTILE(points, 0.9) AS c "
        "FROM visits GROUP BY ward",
        NARROW,
    ),
    Asking("SELECT STDDEV(points) AS x FROM visits", LOPSIDED),
    Asking("SELECT day, MEDIAN(points) AS m FROM visits GROUP BY day", NARROW),
    Asking(
        "SELECT ward, MIN(stay) AS a, MAX(stay) AS b, COUNT(*) AS n FROM visits GROUP BY ward", WIDE
    ),
    Asking("visits.select(x=pl.col('weight').clip(40, 100).round(0).quantile(0.25))", FEW),
    Asking("visits.group_by('urgent').agg(x=pl.col('big').clip(-5, 5).median())", LOPSIDED),
)

FOUND = (
    Asking("SELECT big, COUNT(*) AS n FROM visits GROUP BY big", NARROW),
    Asking("SELECT big, COUNT(DISTINCT patient) AS n FROM visits GROUP BY big", ONE),
    Asking("SELECT DISTINCT big FROM visits", LOPSIDED),
    Asking("SELECT LEFT(ward, 2) AS w, SUM(score) AS x FROM visits GROUP BY w", LOPSIDED),
    Asking("SELECT big, ward, AVG(stay) AS x, COUNT(stay) AS s FROM visits GROUP BY 1, 2", WIDE),
    Asking("SELECT UPPER(ward) AS w, MEDIAN(points) AS m FROM visits GROUP BY w", NARROW),
    Asking(
        "SELECT big, COUNT(DISTINCT age) AS a, QUANTILE(points, 0.2) AS q, MEDIAN(points) AS m "
        "FROM visits WHERE age >= 0 GROUP BY big",
        FEW,
    ),
    Asking("SELECT DATE_TRUNC('hour', at) AS h, COUNT(*) AS n FROM visits GROUP BY h", NARROW),
    Asking("SELECT big, COUNT(*) AS n FROM visits GROUP BY big HAVING COUNT(*) > 9 LIMIT 2", FEW),
    Asking(
        "SELECT big, COUNT(*) AS n, SUM(age) AS x FROM visits GROUP BY big",
        NARROW,
        (share("1"), share("4")),
    ),
    Asking("visits.group_by(pl.col('big') + 1).agg(n=pl.len(), x=pl.col('score').mean())", NARROW),
)
"""Groups that rows hold: one unit makes some come and go, and a threshold hides that."""

PURE = tuple(
    replace(one, currency=Currency.PURE)
    for one in SHAPES
    if one.text.startswith(
        ("SELECT COUNT", "SELECT STDDEV", "SELECT ward, AVG", "SELECT MONTH", "SELECT SUM(st")
    )
    or "QUANTILE" in one.text
)
"""Some of them asked of a pure dataset: Laplace noise, and sensitivities in the L1 norm."""

RELATIONS = (
    Asking(
        "SELECT AVG(n) AS n FROM (SELECT patient, COUNT(*) AS n FROM visits GROUP BY patient) u",
        FEW,
    ),
    Asking(
        "SELECT n, COUNT(*) AS c, SUM(s) AS s FROM (SELECT patient, COUNT(DISTINCT ward) AS n, "
        "SUM(stay) AS s FROM visits GROUP BY patient) u GROUP BY n",
        NARROW,
    ),
    Asking(
        "SELECT ward, COUNT(*) AS c, SUM(x) AS x FROM (SELECT patient, ward, MAX(score) AS x "
        "FROM visits WHERE age >= 18 GROUP BY patient, ward) u GROUP BY ward",
        LOPSIDED,
    ),
    Asking(
        "SELECT v.ward AS ward, COUNT(*) AS n, SUM(w.stay) AS s FROM visits v JOIN visits w "
        "ON v.patient = w.patient AND v.day = w.day GROUP BY v.ward",
        FEW,
    ),
    Asking(
        "SELECT COUNT(*) AS n FROM visits v LEFT JOIN visits w "
        "ON v.patient = w.patient AND v.age = w.score WHERE w.stay IS NULL",
        FEW,
    ),
    Asking(
        "SELECT SUM(x) AS x FROM (SELECT age AS x FROM visits UNION ALL SELECT score AS x "
        "FROM visits WHERE urgent) u",
        NARROW,
    ),
    Asking(
        "SELECT COUNT(*) AS n FROM visits WHERE patient IN "
        "(SELECT patient FROM visits WHERE ward = 'north')",
        FEW,
    ),
)
"""What stands behind FROM is made of tables, unit by unit."""

TOP_UPS = tuple(
    Asking(text, bound, (share("1"), share("4")), currency)
    for text, bound, currency in (
        (
            "SELECT MONTH(day) AS m, COUNT(*) AS n, SUM(age) AS x FROM visits GROUP BY m",
            NARROW,
            Currency.GDP,
        ),
        ("SELECT MONTH(day) AS m, SUM(age) AS x FROM visits GROUP BY m", LOPSIDED, Currency.PURE),
        (
            "SELECT ward, AVG(stay) AS x FROM visits WHERE age < 100 GROUP BY ward",
            NARROW,
            Currency.GDP,
        ),
        ("visits.select(x=pl.col('score').sum())", FEW, Currency.GDP),
        ("SELECT ward, MEDIAN(points) AS m FROM visits GROUP BY ward", NARROW, Currency.GDP),
        ("SELECT ward, COUNT(DISTINCT age) AS n FROM visits GROUP BY ward", FEW, Currency.PURE),
    )
)
"""The same text twice, the second time finer: what is held is not bought again."""

CROWDED = (
    Asking("SELECT COUNT(*) AS n, SUM(age) AS x FROM visits", FEW),
    Asking("SELECT day, COUNT(*) AS n FROM visits GROUP BY day", Bound(40, 1, 3)),
    Asking(
        "SELECT ward, COUNT(DISTINCT patient) AS n, AVG(stay) AS a FROM visits GROUP BY ward", WIDE
    ),
    Asking(
        "SELECT MONTH(day) AS m, SUM(points) AS x FROM visits GROUP BY m",
        NARROW,
        currency=Currency.PURE,
    ),
    Asking("SELECT big, COUNT(*) AS n FROM visits GROUP BY big", NARROW),
)
"""Some for a pair of very many rows."""
