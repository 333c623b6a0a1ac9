"""Which rows may meet: what is refused, where the caret stands, and what to type instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from privlab.errors import PrivlabError
from privlab.query.passes.found_source import marked
from privlab.query.plan import Call, Op, Ref
from privlab.terms.catalog import Kind

Refusal = Callable[..., PrivlabError]

REFUSED = [
    # resolve_join, join_conditions
    ("SELECT COUNT(*) FROM visits v JOIN labs l ON v.ward = l.ward", "PL106", "USING (patient_id)"),
    ("SELECT COUNT(*) FROM visits v, labs l WHERE v.patient_id = l.patient_id", "PL106", "JOIN b ON"),
    ("SELECT COUNT(*) FROM visits CROSS JOIN labs", "PL106", "JOIN b ON"),
    ("SELECT COUNT(*) FROM visits NATURAL JOIN labs", "PL106", "USING"),
    ("SELECT COUNT(*) FROM visits v FULL JOIN labs l USING (patient_id)", "PL106", "UNION ALL"),
    ("SELECT COUNT(*) FROM visits v JOIN stays s ON v.ward = s.ward", "PL106", "once per dataset"),
    ("SELECT COUNT(*) FROM wards w LEFT JOIN visits v USING (ward)", "PL106", "private side"),
    ("SELECT COUNT(*) FROM visits v JOIN wards w ON v.age > w.beds", "PL106", "a.code = b.code"),
    ("SELECT COUNT(*) FROM visits v JOIN wards w ON v.ward = w.beds", "PL111", "CAST"),
    ("SELECT COUNT(*) FROM visits v JOIN labs l ON v.patient_id = l.patient_id AND v.cost = l.value",
     "PL111", "CAST"),
    ("SELECT COUNT(*) FROM visits v LEFT JOIN labs l ON v.patient_id = l.patient_id AND v.urgent",
     "PL106", "WHERE"),
    ("SELECT COUNT(*) FROM visits v JOIN wards w ON v.patient_id = w.ward", "PL201", "COUNT(DISTINCT"),
    ("SELECT COUNT(*) FROM visits v JOIN labs v USING (patient_id)", "PL106", "AS other"),
    ("SELECT COUNT(*) FROM wards", "PL106", "your own frame"),
    ("SELECT COUNT(*) FROM wards a JOIN wards b USING (ward)", "PL106", "in the notebook"),
    # resolve_names
    ("SELECT v.wrd, COUNT(*) FROM visits v JOIN labs l USING (patient_id) GROUP BY 1", "PL104", "v.ward"),
    ("SELECT ward, COUNT(*) FROM visits v JOIN labs l USING (patient_id) GROUP BY 1", "PL104", "v.ward"),
    ("SELECT COUNT(*) FROM visits v JOIN labs l USING (patient_id) WHERE x.age = 1", "PL102", "v, l"),
    ("SELECT SUM(v.diagnosis) FROM visits v JOIN labs l USING (patient_id)", "PL201", "ask the owner"),
    ("SELECT MIN(v.patient_id) FROM visits v JOIN labs l USING (patient_id)", "PL201", "COUNT(DISTINCT"),
    # resolve_member
    ("SELECT COUNT(*) FROM visits WHERE patient_id NOT IN (SELECT patient_id FROM labs)",
     "PL106", "LEFT JOIN labs"),
    (("SELECT COUNT(*) FROM visits v WHERE NOT EXISTS (SELECT 1 FROM labs l "
     "WHERE l.patient_id = v.patient_id)"), "PL106", "IS NULL"),
    ("SELECT COUNT(*) FROM visits WHERE ward IN (SELECT ward FROM labs)", "PL106", "USING (patient_id)"),
    ("SELECT COUNT(*) FROM visits WHERE EXISTS (SELECT 1 FROM labs)", "PL106", "JOIN b ON"),
    (("SELECT COUNT(*) FROM visits v WHERE EXISTS (SELECT 1 FROM labs l WHERE "
     "l.patient_id = v.patient_id AND l.taken > v.admitted)"), "PL106", "JOIN takes"),
    ("SELECT COUNT(*) FROM visits WHERE urgent OR patient_id IN (SELECT patient_id FROM labs)",
     "PL106", "IN (SELECT patient_id"),
    ("SELECT COUNT(*) FROM visits WHERE ward IN (SELECT ward FROM wards WHERE beds > 99)", "PL111", ""),
    # resolve_per_unit
    ("SELECT AVG(n) FROM (SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward) t",
     "PL106", "GROUP BY the privacy unit"),
    ("SELECT COUNT(*) FROM visits WHERE age > (SELECT AVG(age) FROM visits)", "PL106", "as a parameter"),
    ("SELECT AVG(n) FROM (SELECT patient_id, STDDEV(age) AS n FROM visits GROUP BY 1) t",
     "PL106", "AVG(x * x)"),
    ("SELECT AVG(n) FROM (SELECT patient_id, age AS n FROM visits GROUP BY patient_id) t",
     "PL106", "MAX(age)"),
    ("SELECT AVG(n) FROM (SELECT patient_id, SUM(score) AS n FROM visits GROUP BY patient_id) t",
     "PL103", "clip it"),
    ("SELECT AVG(n) FROM (SELECT patient_id, COUNT(patient_id) AS n FROM visits GROUP BY 1) t",
     "PL106", "COUNT(*)"),
    ("SELECT COUNT(*) FROM (SELECT ward, COUNT(*) AS n FROM wards GROUP BY ward) t", "PL106", "notebook"),
    # resolve_union
    ("SELECT COUNT(*) FROM (SELECT ward FROM visits UNION SELECT ward FROM labs) t", "PL106", "UNION ALL"),
    ("SELECT COUNT(*) FROM (SELECT ward FROM visits UNION ALL SELECT value FROM labs) t",
     "PL111", "CAST"),
    ("SELECT COUNT(*) FROM (SELECT ward FROM visits UNION ALL SELECT ward, kind FROM labs) t",
     "PL106", "same columns"),
    ("SELECT COUNT(*) FROM (SELECT ward FROM visits UNION ALL SELECT ward FROM stays) t",
     "PL106", "once per dataset"),
    ("SELECT COUNT(*) FROM (SELECT ward FROM visits EXCEPT SELECT ward FROM labs) t", "PL106", "IN (SELECT"),
    # Polars
    ('visits.join(labs, on="ward").select(n=pl.len())', "PL106", 'on="patient_id"'),
    ('visits.join(labs).select(n=pl.len())', "PL106", "left_on"),
    ('visits.join(labs, on="patient_id", how="anti").select(n=pl.len())', "PL106", 'how="left"'),
    ('visits.join(labs, on="patient_id", how="full").select(n=pl.len())', "PL106", 'how="left"'),
    ('visits.join(labs.group_by("ward").agg(n=pl.len()), on="ward").select(n=pl.len())',
     "PL106", "group_by the privacy unit"),
    ('pl.concat([visits, labs]).select(n=pl.len())', "PL106", "same columns"),
    ('visits.group_by("patient_id").agg(n=pl.len()).sort("n")', "PL105", "group_by"),
    ('visits.join(labs.head(3), on="patient_id").select(n=pl.len())', "PL106", "filter, select"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "hint"), REFUSED)
def test_what_would_tell_of_all_rows_is_refused_with_the_fix(
    refusal: Refusal, text: str, code: str, hint: str
) -> None:
    error = refusal(text)
    assert error.code == code, str(error)
    assert hint in (error.hint or ""), str(error)
    assert error.caret is not None


def test_a_name_of_two_tables_is_refused() -> None:
    from privlab.errors import BadQuery
    from privlab.query.compile import compile_question
    from tests.query.conftest import CATALOG, WARDS

    with pytest.raises(BadQuery, match="a table and a public frame") as caught:
        compile_question("SELECT COUNT(*) FROM visits", {}, CATALOG, {"visits": WARDS})
    assert caught.value.code == "PL102"


def test_a_condition_asks_one_way_alone_whether_a_row_was_met() -> None:
    kind = Call(Op.IS_NULL, (Ref("kind", Kind.TEXT),))
    met = Call(Op.IS_NULL, (Ref("met", Kind.INT),))
    assert marked(kind, {"kind": "met"}) == met
    assert marked(Call(Op.NOT, (kind,)), {"kind": "met"}) == Call(Op.NOT, (met,))
    assert marked(kind, {}) == kind
