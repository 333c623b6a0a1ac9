"""The page on noisy numbers: its questions compile, its sums come out, its claims hold."""

from __future__ import annotations

import doctest
import math
import re
from fractions import Fraction
from pathlib import Path

import pytest

from privlab.accuracy import gaussian
from privlab.client.session import Session
from privlab.query.compile import compile_question
from privlab.query.finish import finish
from privlab.query.price import Offer, price
from privlab.query.words import caption
from privlab.terms.loss import Loss
from privlab.wire.messages import Price
from tests.query.conftest import CATALOG, VISITS

ROOT = Path(__file__).parents[2]
PATH = ROOT / "docs/reading-noisy-numbers.md"
PAGE = PATH.read_text("utf-8")
QUESTIONS = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
GRANTED = Loss.budget(Fraction(1, 4))
DELTA = Fraction(1, 10**6)
LEVEL = Fraction(95)


def test_the_sums_of_the_page_come_out() -> None:
    failed, tried = doctest.testfile(str(PATH), module_relative=False, encoding="utf-8")
    assert (failed, tried > 6) == (0, True)


@pytest.mark.parametrize("text", QUESTIONS, ids=lambda text: text[:50])
def test_a_question_of_the_page_compiles(text: str) -> None:
    assert compile_question(text, {}, CATALOG).plan.measures


def widths(text: str, cells: list[int]) -> dict[str, Fraction]:
    """Half-widths of the first row where every cell of the one measure has this count."""
    question = compile_question(text, {}, CATALOG)
    measures = question.plan.measures
    offer = Offer.parse(Price(share="1"), "95")
    precisions = price(question, offer, (Fraction(0),) * len(measures), GRANTED, DELTA).precisions
    table = finish(
        question, tuple(tuple(map(Fraction, cells)) for _ in measures), precisions, LEVEL
    )
    found = zip(table.columns, table.half_widths[0], strict=True)
    return {column.name: Fraction(width) for column, width in found if width is not None}


def test_the_question_adds_cells_up_as_the_page_does() -> None:
    text = (
        "SELECT ward, COUNT(*) AS n, SUM(COUNT(*)) OVER () AS every_ward FROM visits GROUP BY ward"
    )
    assert text in PAGE
    found = widths(text, [1204, 873, 12])
    assert float(found["every_ward"] / found["n"]) == pytest.approx(math.sqrt(3), rel=0.01)


def test_a_difference_has_the_half_width_of_a_sum() -> None:
    text = next(one for one in QUESTIONS if "AS difference" in one)
    both = text.replace("SELECT ", "SELECT COUNT(*) FILTER (WHERE ward = 'A') AS n, ", 1)
    found = widths(both, [900])
    assert float(found["difference"] / found["n"]) == pytest.approx(math.sqrt(2), rel=0.01)


def test_noise_is_within_half_of_the_half_width_in_two_of_three() -> None:
    half = gaussian.z(LEVEL) / 2
    assert gaussian.z(Fraction(67)) < half < gaussian.z(Fraction(68))


def test_half_the_half_width_costs_four_times_and_what_is_held_counts() -> None:
    question = compile_question("SELECT COUNT(*) AS n FROM visits", {}, CATALOG)

    def charge(width: str, held: Fraction) -> tuple[int, Fraction]:
        offer = Offer.parse(Price(within={"n": width}), "95")
        priced = price(question, offer, (held,), GRANTED, DELTA)
        return priced.charge.units, priced.precisions[0]

    first, held = charge("250", Fraction(0))
    later, _ = charge("125", held)
    at_once, _ = charge("125", Fraction(0))
    assert at_once / first == pytest.approx(4, rel=0.01)
    assert (first + later) / at_once == pytest.approx(1, rel=1e-6)


def test_the_words_of_captions_that_the_page_quotes_are_those_of_captions() -> None:
    words = " ".join(PAGE.split())
    chosen = compile_question(
        "SELECT ward, COUNT(*) AS n, AVG(stay_days) AS s FROM visits GROUP BY ward ORDER BY n DESC LIMIT 2",
        {},
        CATALOG,
    )
    told = caption(chosen, VISITS)
    for quoted in (
        "half-widths are per group, before noisy values chose the rows shown",
        "at most 8 visits per patient",
        "stay_days clamped to 0..60",
    ):
        assert quoted in told
        assert f'"{quoted}"' in words
    assert "4 in one group" in told


def test_a_count_below_zero_is_shown_as_the_page_says(session: Session) -> None:
    """Nobody is 0 years old there: a count of nobody is negative half the time."""
    shown = []
    for age in range(20):
        answer = session.ask(
            f"SELECT COUNT(DISTINCT patient_id) AS n FROM visits WHERE age = {age}",
            price=Price(share="0.01"),
        )
        shown.append((answer.frame["n"][0], repr(answer)))
    below = [text for value, text in shown if value < 0]
    assert below  # all are at least zero once in 2^20
    assert all(re.search(r"^0 \(estimate −[\d,]+ ± [\d,]+\)", text, re.MULTILINE) for text in below)


def test_the_page_is_linked_where_answers_are_explained() -> None:
    for page in ("README.md", "docs/language.md"):
        assert "reading-noisy-numbers.md" in (ROOT / page).read_text("utf-8")
