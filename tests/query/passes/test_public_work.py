"""What a question makes of public rows is limited, since it is free to ask."""

from __future__ import annotations

import pytest

from privlab.errors import BadQuery
from privlab.query.compile import compile_question
from privlab.query.passes.public_work import LETTERS, MAX_PUBLIC_ROWS, MAX_PUBLIC_WORK
from privlab.query.passes.side_table import _narrowed
from privlab.query.plan import Question
from privlab.query.relations import PublicRows
from privlab.terms.catalog import Catalog, Column, Kind
from tests.query.conftest import VISITS


def frame(size: int, text: str = "ab") -> PublicRows:
    return PublicRows(
        (("age", Kind.INT), ("beds", Kind.INT), ("code", Kind.TEXT)),
        tuple((at, at, f"{text}{at}") for at in range(size)),
    )


def asked(text: str, rows: PublicRows) -> Question:
    return compile_question(text, {}, Catalog((VISITS,)), {"w": rows})


def refused(text: str, rows: PublicRows) -> BadQuery:
    with pytest.raises(BadQuery) as caught:
        asked(text, rows)
    assert caught.value.code == "PL113"
    assert caught.value.caret is not None
    return caught.value


def test_a_frame_counts_as_often_as_it_is_named() -> None:
    joins = [f"JOIN w w{at} ON v.age = w{at}.age" for at in range(6)]
    size = MAX_PUBLIC_ROWS // 5
    text = "SELECT COUNT(*) AS n FROM visits v {}"
    asked(text.format(" ".join(joins[:5])), frame(size))
    error = refused(text.format(" ".join(joins)), frame(size))
    assert "60,000 public rows" in error.what
    assert "50,000" in error.what
    refused(text.format(" ".join(joins[:5])), frame(size + 1))


LONG = "w.beds" + " + ABS(w.beds - 2)" * 30
PLACES = [
    "SELECT COUNT(*) AS n FROM visits v JOIN w ON v.age = {}",
    "SELECT COUNT(*) AS n FROM visits v JOIN w ON {} = v.age",
    "SELECT COUNT(*) AS n FROM visits v JOIN w ON v.age = w.age AND {} > 5",
    "SELECT COUNT(*) AS n FROM visits v JOIN w ON v.age = w.age WHERE {} > 5",
    "SELECT COUNT(*) AS n FROM visits v JOIN (SELECT {} AS b FROM w) x ON v.age = x.b",
    "SELECT COUNT(*) AS n FROM visits v LEFT JOIN (SELECT age FROM w WHERE {} > 5) x ON v.age = x.age",
    "SELECT COUNT(*) AS n FROM visits v WHERE v.age IN (SELECT age FROM w WHERE {} > 5)",
    "SELECT COUNT(*) AS n FROM visits v WHERE v.age IN (SELECT {} AS a FROM w)",
    (
        "SELECT AVG(n) AS m FROM (SELECT v.patient_id, COUNT(*) AS n FROM visits v JOIN w ON "
        "v.age = w.age WHERE {} > 5 GROUP BY v.patient_id) t"
    ),
]


@pytest.mark.parametrize("place", PLACES)
def test_rows_times_parts_are_limited_wherever_an_expression_stands(place: str) -> None:
    text = place.format(LONG.replace("w.", "") if "FROM w" in place else LONG)
    asked(text, frame(500))
    error = refused(text, frame(10_000))
    assert f"{MAX_PUBLIC_WORK:,}" in error.what
    assert "notebook" in (error.hint or "")


def test_expressions_of_one_question_count_together() -> None:
    tests = [f"w.beds * {at} + 1 > {at}" for at in range(2, 32)]
    text = "SELECT COUNT(*) AS n FROM visits v JOIN w ON v.age = w.age WHERE {}"
    asked(text.format(tests[0]), frame(10_000))
    refused(text.format(" AND ".join(tests)), frame(10_000))


def test_long_texts_count_as_many_rows() -> None:
    text = "SELECT COUNT(*) AS n FROM visits v JOIN w ON v.note = {}"
    turned = "UPPER(LOWER(" * 15 + "w.code" + "))" * 15
    asked(text.format("LOWER(w.code)"), frame(40, "ab" * 20_000))
    asked(text.format(turned), frame(40))
    assert 31 * 40 * 40_000 // LETTERS > MAX_PUBLIC_WORK
    refused(text.format(turned), frame(40, "ab" * 20_000))


class Counted(str):
    """A text that knows how often it was hashed."""

    hashed = 0

    def __hash__(self) -> int:
        Counted.hashed += 1
        return super().__hash__()


def test_keys_of_both_sides_are_compared_in_one_pass() -> None:
    one, two = (
        Column("code", Kind.TEXT, keys=tuple(Counted(f"{at}") for at in range(first, 1_000)))
        for first in (0, 500)
    )
    assert _narrowed(one, two).keys == two.keys
    assert Counted.hashed < 10_000
