"""What a budget means is computed from metadata alone, and says the right numbers."""

from __future__ import annotations

from fractions import Fraction

import pytest

from privlab.accounting import levels
from privlab.cli.budget import meaning, share_of
from privlab.errors import BadQuery
from privlab.wire.owner import DatasetFacts, DatasetTable

FACTS = DatasetFacts(
    dataset="clinic",
    unit_word="patient",
    cap="0",
    spent="0",
    delta="1/1000000",
    tables=(
        DatasetTable(name="visits", rows_per_unit=8, rows=1_500_000),
        DatasetTable(name="patients", rows_per_unit=1, rows=None),
    ),
    grants={},
    people=("ana",),
)


def rows() -> dict[str, tuple[str, ...]]:
    plans = [levels.plan(level, 4, 25) for level in levels.LEVELS]
    return {row[0]: row[1:] for row in meaning(plans, FACTS)}


def test_a_count_of_people_is_off_by_two_sigma_of_one_question() -> None:
    """mu of a question at standard is 1/2 / sqrt(4 * 25) = 1/20, so sigma is 20."""
    assert rows()["± on a count of units (patient), 95 %"] == ("±79", "±40", "±21")


def test_a_count_of_rows_is_off_by_the_bound_times_as_much() -> None:
    shown = rows()["± on a count of rows of visits, 95 % (of about 1,500,000)"]
    assert shown == ("±628", "±315", "±158")


def test_a_table_without_a_stated_size_shows_none() -> None:
    assert "± on a count of rows of patients, 95 %" in rows()


def test_what_an_attacker_wins_is_in_words() -> None:
    shown = rows()["the best attack on one patient wins, over guessing"]
    assert shown == ("10 in 100", "20 in 100", "38 in 100")


def test_epsilon_is_shown_at_the_dataset_s_delta() -> None:
    careful, standard, public = rows()["ε of the dataset at δ = 1e-6"]
    assert 0 < float(careful) < float(standard) < float(public) < 6


def test_no_row_lacks_a_level() -> None:
    assert {len(values) for values in rows().values()} == {3}


@pytest.mark.parametrize(
    ("text", "part"), [("10%", Fraction(1, 10)), (" 2.5 % ", Fraction(1, 40)), ("100", Fraction(1))]
)
def test_a_share_is_a_percentage(text: str, part: Fraction) -> None:
    assert share_of(text) == part


@pytest.mark.parametrize("text", ["0", "-1%", "101%", "nan", "inf", "", "ten", "1/0"])
def test_what_is_not_a_share_is_refused(text: str) -> None:
    with pytest.raises(BadQuery) as caught:
        share_of(text)
    assert caught.value.code == "PL108"
