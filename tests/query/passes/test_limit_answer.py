"""An answer that could not be given is not priced."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from privlab.errors import PrivlabError
from privlab.query.compile import compile_question
from privlab.query.plan import Question
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog, Column, Kind, Table

Ask = Callable[..., Question]
Refusal = Callable[..., PrivlabError]
DAYS = "FROM visits GROUP BY admitted, DATE(seen)"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"SELECT AVG(age) {DAYS}", "535,092 averages, and one answer has at most 200,000"),
        (
            f"SELECT COUNT(*) AS a {DAYS} HAVING AVG(age) > 3 LIMIT 5",
            "535,092 averages, and one answer has at most 200,000",
        ),
        (f"SELECT MEDIAN(age) {DAYS}", "535,092 quantiles, and one answer has at most 50,000"),
        (
            f"SELECT COUNT(*) AS a, COUNT(*) AS b, COUNT(*) AS c, COUNT(*) AS d {DAYS} LIMIT 5",
            "2,140,368 values, and one answer has at most 2,000,000",
        ),
        (
            f"SELECT admitted, COUNT(*) AS a, COUNT(*) AS b {DAYS}",
            "about 42 MiB of text, and one answer has at most 16",
        ),
    ],
)
def test_an_answer_too_large_to_give_is_refused(refusal: Refusal, text: str, what: str) -> None:
    error = refusal(text)
    assert error.code == "PL113"
    assert what in error.what
    assert error.caret is not None
    assert "coarser keys" in error.hint


def test_a_limit_makes_an_answer_short(ask: Ask) -> None:
    ask(f"SELECT admitted, COUNT(*) AS a {DAYS} ORDER BY a DESC LIMIT 100")
    ask("SELECT admitted, age, AVG(stay_days) AS s FROM visits GROUP BY admitted, age")


def test_long_keys_count_in_full() -> None:
    """10,000 keys of 4,000 characters each are 40 MB, in whatever few columns."""
    keys = tuple(f"{n:04}" * 1_000 for n in range(10_000))
    table = Table(
        dataset="d",
        name="t",
        version=1,
        unit="u",
        unit_word="unit",
        bound=ContributionBound(1, 1, 1),
        row_cap=1_000,
        columns=(Column("u", Kind.INT), Column("k", Kind.TEXT, keys=keys)),
    )
    catalog = Catalog((table,))
    with pytest.raises(PrivlabError) as caught:
        compile_question("SELECT k, COUNT(*) FROM t GROUP BY k", {}, catalog)
    assert caught.value.code == "PL113"
    compile_question("SELECT COUNT(*) FROM t GROUP BY k", {}, catalog)
