"""What a treatment makes of one value."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

import pytest

from privlab.terms.catalog import Scalar
from privlab.terms.treatment import Coarsening, Redaction, Treatment, treated

MOMENT = datetime(2024, 8, 15, 13, 47, 59, 250_000)


@pytest.mark.parametrize(
    ("value", "treatment", "stored"),
    [
        (43, Coarsening(step=Fraction(5)), 40),
        (-1, Coarsening(step=Fraction(5)), -5),
        (40, Coarsening(step=Fraction(5)), 40),
        (Fraction(13, 10), Coarsening(step=Fraction(1, 2)), Fraction(1)),
        (Fraction(-1, 10), Coarsening(step=Fraction(1, 2)), Fraction(-1, 2)),
        (date(2024, 8, 15), Coarsening(grain="week"), date(2024, 8, 12)),
        (date(2024, 8, 15), Coarsening(grain="month"), date(2024, 8, 1)),
        (date(2024, 8, 15), Coarsening(grain="quarter"), date(2024, 7, 1)),
        (date(2024, 8, 15), Coarsening(grain="year"), date(2024, 1, 1)),
        (MOMENT, Coarsening(grain="minute"), datetime(2024, 8, 15, 13, 47)),
        (MOMENT, Coarsening(grain="hour"), datetime(2024, 8, 15, 13)),
        (MOMENT, Coarsening(grain="day"), datetime(2024, 8, 15)),
        (MOMENT, Coarsening(grain="month"), datetime(2024, 8, 1)),
        ("1020-345", Coarsening(prefix=2), "10"),
        ("é", Coarsening(prefix=2), "é"),
        ("Ana B. 1987", Redaction(mask=True), "xxx x. 0000"),
        ("Zoë\n", Redaction(mask=True), "xxxx"),
        ("Ana", Redaction(text="removed"), "removed"),
        ("Ana", Redaction(), None),
        (43, Redaction(), None),
        (None, Redaction(text="removed"), None),
        (None, Coarsening(step=Fraction(5)), None),
    ],
)
def test_a_value_becomes(value: Scalar | None, treatment: Treatment, stored: Scalar | None) -> None:
    assert treated(value, treatment) == stored


@pytest.mark.parametrize(
    ("treatment", "words"),
    [
        (Coarsening(step=Fraction(5)), "rounded down to multiples of 5"),
        (Coarsening(step=Fraction(1, 4)), "rounded down to multiples of 0.25"),
        (Coarsening(grain="month"), "the first day of its month"),
        (Coarsening(grain="hour"), "to the hour"),
        (Coarsening(prefix=1), "the first character"),
        (Coarsening(prefix=3), "the first 3 characters"),
        (Redaction(), "every value is removed"),
        (Redaction(text="gone"), "every value is 'gone'"),
        (Redaction(mask=True), "letters are x and digits 0"),
    ],
)
def test_a_treatment_is_said_in_words(treatment: Treatment, words: str) -> None:
    assert treatment.words == words
