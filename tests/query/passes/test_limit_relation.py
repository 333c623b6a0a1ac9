"""What would come to more rows than can be held or counted is refused, before it is priced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from privlab.errors import PrivlabError
from privlab.query.compile import compile_question
from privlab.query.passes.limit_relation import MAX_UNIT_ROWS
from privlab.query.passes.limit_size import MAX_SOURCES
from privlab.query.plan import Question
from privlab.query.relation_size import MAX_ROWS, TIMES
from privlab.query.relations import PublicRows
from privlab.terms.catalog import Catalog, Kind
from tests.query.conftest import VISITS

Ask = Callable[..., Question]
Refusal = Callable[..., PrivlabError]


def joined(times: int) -> str:
    more = " ".join(f"JOIN visits v{at} USING (patient_id)" for at in range(times))
    return f"SELECT COUNT(*) AS n FROM visits {more}"


SMALL = Catalog((replace(VISITS, row_cap=10_000),))


def test_a_unit_has_so_many_rows_in_a_join_at_most(refusal: Refusal) -> None:
    """8 visits, four times over, are 4,096 rows; five times over they are too many."""
    assert compile_question(joined(3), {}, SMALL).plan.bound.rows == 8**4 <= MAX_UNIT_ROWS
    error = refusal(joined(4))
    assert error.code == "PL113"
    assert "32,768" in error.what
    assert "GROUP BY of the unit" in (error.hint or "")


def test_a_step_has_so_many_rows_at_most(ask: Ask, refusal: Refusal) -> None:
    """4,000,000 visits of at most 8 a patient: pairs are allowed, and triples are not."""
    assert ask(joined(1)).plan.row_cap == 32_000_000 <= MAX_ROWS
    error = refusal(joined(2))
    assert error.code == "PL113"
    assert "256,000,000" in error.what
    assert f"{MAX_ROWS:,}" in error.what


def test_a_large_table_may_come_to_a_few_times_its_own_rows() -> None:
    """What is declared large has a machine that holds it, and no machine holds it 1,000 times."""
    cap = 100_000_000
    pairs = PublicRows((("ward", Kind.TEXT),), (("A",),) * TIMES)
    text = "SELECT COUNT(*) AS n FROM visits JOIN w USING (ward)"
    large = Catalog((replace(VISITS, row_cap=cap),))
    assert compile_question(text, {}, large, {"w": pairs}).plan.row_cap == TIMES * cap
    more = replace(pairs, rows=(("A",),) * (TIMES + 1))
    with pytest.raises(PrivlabError, match="1,700,000,000 rows") as caught:
        compile_question(text, {}, large, {"w": more})
    assert caught.value.code == "PL113"


def test_what_is_left_out_later_counts_too(refusal: Refusal) -> None:
    """The rows of a join are there before a subquery makes one of them."""
    inner = joined(6).replace("COUNT(*) AS n", "visits.patient_id, COUNT(*) AS n")
    error = refusal(f"SELECT AVG(n) AS m FROM ({inner} GROUP BY visits.patient_id) t")
    assert error.code == "PL113"


@pytest.mark.parametrize("levels", [6, 19])
def test_subqueries_that_double_are_counted_and_not_walked(refusal: Refusal, levels: int) -> None:
    doubled = "".join(
        f", a{at} AS (SELECT x.patient_id FROM a{at - 1} x JOIN a{at - 1} y USING (patient_id))"
        for at in range(1, levels)
    )
    first = "a0 AS (SELECT x.patient_id FROM patients x JOIN patients y USING (patient_id))"
    error = refusal(f"WITH {first}{doubled} SELECT COUNT(*) AS n FROM a{levels - 1}")
    assert error.code == "PL106"
    assert str(MAX_SOURCES) in error.what
