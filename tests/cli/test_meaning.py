"""What a budget means is computed from metadata alone, and says the right numbers."""

from __future__ import annotations

from privlab.accounting import levels
from privlab.cli.meaning import meaning
from privlab.terms.loss import Currency
from privlab.wire.owner import DatasetFacts, DatasetTable

FACTS = DatasetFacts(
    dataset="clinic",
    unit_word="patient",
    currency="gdp",
    cap="0",
    spent="0",
    delta="1/1000000",
    thresholds="0",
    thresholds_spent="0",
    tables=(
        DatasetTable(name="visits", rows_per_unit=8, rows=1_500_000),
        DatasetTable(name="patients", rows_per_unit=1, rows=None),
    ),
    grants={},
    people=("ana",),
)


def rows(currency: Currency = Currency.GDP) -> dict[str, tuple[str, ...]]:
    plans = [levels.plan(level, 4, 25, currency) for level in levels.LEVELS]
    facts = FACTS.model_copy(update={"currency": str(currency)})
    return {row[0]: row[1:] for row in meaning(plans, facts)}


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


def test_a_pure_dataset_has_an_epsilon_and_neither_mu_nor_delta() -> None:
    """At standard, mu 1/2 has the advantage of epsilon ln(Phi(1/4) / Phi(-1/4)) = 0.4001, printed up."""
    shown = rows(Currency.PURE)
    assert shown["ε of the dataset"] == ("0.20", "0.41", "0.81")
    assert not any("mu" in words.split() or "δ" in words for words in shown)
    assert (
        shown["the best attack on one patient wins, over guessing"]
        == (rows()["the best attack on one patient wins, over guessing"])
    )


def test_errors_in_a_pure_dataset_are_laplace_and_grow_with_the_bound() -> None:
    """A question at standard has epsilon 0.0040: ln(20) / 0.0040 is about 750."""
    shown = rows(Currency.PURE)
    one = [
        int(text[1:].replace(",", "")) for text in shown["± on a count of units (patient), 95 %"]
    ]
    eight = [
        int(text[1:].replace(",", ""))
        for text in shown["± on a count of rows of visits, 95 % (of about 1,500,000)"]
    ]
    assert 740 <= one[1] <= 760
    assert all(abs(b - 8 * a) <= 8 for a, b in zip(one, eight, strict=True))
