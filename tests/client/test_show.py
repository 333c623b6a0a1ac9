"""How a release is drawn: rounded the safe way, escaped, in words."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.client import show
from privlab.wire.messages import Account, Receipt, State, TableFacts

RECEIPT = Receipt(
    dataset="clinic",
    charged="10",
    spent="70",
    granted="1000",
    charged_share="1 %",
    left_share="93 %",
    free=False,
    words="",
)
COST = (
    "cost 1\u00a0% of your grant on clinic; 93\u00a0% left; about 93 more like this; "
    "twice as precise costs four times"
)


def result(**change: Any) -> dict[str, Any]:
    return {
        "title": "by_ward",
        "caption": "at most 8 visits per patient",
        "confidence": "95",
        "columns": [
            {"name": "ward", "label": "key", "kind": "text", "decimals": 0, "unit_word": ""},
            {"name": "n", "label": "rows", "kind": "int", "decimals": 0, "unit_word": ""},
            {"name": "stay", "label": "mean", "kind": "float", "decimals": 2, "unit_word": ""},
        ],
        "rows": [
            ["cardiology", "12345", "3.145"],
            [None, "-12", "-0.25"],
            ["surgery", "7", None],
        ],
        "half_widths": [[None, "17.2", "0.0301"], [None, "18", None], [None, "18", None]],
        **change,
    }


def test_each_estimate_has_its_error_in_the_next_column():
    table = show.layout(result(), None)
    assert table.heads == ("ward", "n", "±95\u00a0%", "stay", "±95\u00a0%")
    assert table.right == (False, True, True, True, True)
    assert table.rows[0] == ("cardiology", "12,345", "18", "3.14", "0.04")


def test_a_negative_count_is_shown_as_zero_and_a_negative_mean_as_it_is():
    assert show.layout(result(), None).rows[1] == (
        "(null)",
        "0 (estimate −12 ± 18)",
        "18",
        "−0.25",
        "unknown",
    )


def test_an_estimate_that_does_not_exist_is_unknown():
    assert show.layout(result(), None).rows[2] == ("surgery", "7", "18", "unknown", "")


def test_the_error_of_a_quantile_is_in_ranks_and_a_negative_one_stays_negative():
    columns = [{"name": "m", "label": "median", "kind": "int", "decimals": 0, "unit_word": ""}]
    table = show.layout(result(columns=columns, rows=[["-12"]], half_widths=[[None]]), None)
    assert table.rows == (("−12", "in ranks"),)


def test_a_median_of_days_is_a_day_and_its_error_is_in_ranks():
    columns = [{"name": "m", "label": "median", "kind": "date", "decimals": 0, "unit_word": ""}]
    table = show.layout(result(columns=columns, rows=[["2024-03-01"]], half_widths=[[None]]), None)
    assert table.rows == (("2024-03-01", "in ranks"),)


def test_a_numeric_key_is_set_right_and_has_no_error():
    columns = [{"name": "month", "label": "key", "kind": "int", "decimals": 0, "unit_word": ""}]
    table = show.layout(result(columns=columns, rows=[["3"]], half_widths=[[None]]), None)
    assert (table.heads, table.right, table.rows) == (("month",), (True,), (("3",),))


def test_the_notes_say_what_was_counted_and_what_it_cost():
    assert show.layout(result(), RECEIPT).notes == (
        "at most 8 visits per patient",
        COST,
    )


def test_the_curators_own_words_win():
    said = RECEIPT.model_copy(update={"words": "cost next to nothing"})
    assert show.cost_words(said) == "cost next to nothing"


def test_a_free_answer_says_so():
    free = RECEIPT.model_copy(update={"free": True, "charged": "0"})
    assert show.cost_words(free).startswith("cost nothing: you already held this")


def test_nothing_is_left_to_ask_when_the_grant_is_spent():
    spent = RECEIPT.model_copy(update={"spent": "1000"})
    assert "about 0 more like this" in show.cost_words(spent)


def test_html_escapes_everything_it_is_given():
    evil = "<img src=x onerror=alert(1)>\"'&"
    columns = [{"name": evil, "label": "key", "kind": "text", "decimals": 0, "unit_word": ""}]
    drawn = show.html(
        result(title=evil, caption=evil, columns=columns, rows=[[evil]], half_widths=[[None]]),
        RECEIPT.model_copy(update={"words": evil}),
    )
    assert "<img" not in drawn
    assert drawn.count("&lt;img") == 5


@given(st.text())
def test_no_text_can_leave_its_cell(words):
    columns = [{"name": words, "label": "key", "kind": "text", "decimals": 0, "unit_word": ""}]
    made = result(title="", caption="", columns=columns, rows=[[words]], half_widths=[[None]])
    text = show.text(made, None)
    assert text.count("\n") == 2
    assert all(c.isprintable() or c in "\n\u00a0" for c in text)
    html = show.html(made, None)
    assert html.count("<td") == html.count("</td>") == 1


def test_text_is_aligned():
    lines = show.text(result(), None).splitlines()
    assert lines[0] == "by_ward"
    assert lines[3].startswith("cardiology")
    assert lines[3].split() == ["cardiology", "12,345", "18", "3.14", "0.04"]


def test_many_rows_are_drawn_up_to_a_limit_and_the_rest_counted():
    many = show.MAX_ROWS + 3
    made = result(rows=[["a", "1", "1"]] * many, half_widths=[[None, "1", "1"]] * many)
    table = show.layout(made, None)
    assert len(table.rows) == show.MAX_ROWS
    assert table.notes[0] == "… and 3 more rows; .frame holds all"


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        ("2.5", 0, "2"),
        ("3.5", 0, "4"),
        ("-0.4", 0, "0"),
        ("10/3", 2, "3.33"),
        ("-1234567.891", 1, "−1,234,567.9"),
        ("999.99", 1, "1,000.0"),
    ],
)
def test_numbers_are_rounded_half_to_even_and_grouped(value, decimals, shown):
    assert show.number(Fraction(value), decimals) == shown


@given(st.fractions(min_value=0, max_value=10**9), st.integers(0, 6))
def test_an_error_is_never_understated(width, decimals):
    shown = show.number(width, decimals, up=True).replace(",", "")
    assert width <= Fraction(shown) < width + Fraction(1, 10**decimals)


@pytest.mark.parametrize("share", ["93", "93%", "93 %", "93\u00a0%"])
def test_a_share_always_has_one_percent_sign(share):
    assert show.percent(share) == "93\u00a0%"


def test_the_bundle_travels_as_the_string_that_was_signed():
    made = show.mimebundle('{"a": 1.0}', result(), RECEIPT)
    assert made[show.MIME_TYPE]["bundle"] == '{"a": 1.0}'
    assert made[show.MIME_TYPE]["receipt"]["charged"] == "10"
    assert set(made) == {show.MIME_TYPE, "text/html", "text/plain"}
    assert "receipt" not in show.mimebundle("{}", result(), None)[show.MIME_TYPE]


def table_facts(**change: Any) -> TableFacts:
    return TableFacts.model_validate(
        {
            "dataset": "clinic", "name": "visits", "version": 1, "unit": "patient_id",
            "unit_word": "patient", "bound": "at most 8 rows per patient", "currency": "gdp",
            "rows": "not stated",
            "synthetic": True, "about": "made-up visits", "purposes": ("teaching",), "columns": (),
            **change,
        }
    )  # fmt: skip


@pytest.mark.parametrize("about", ["", "made-up visits", "A synthetic clinic.", "Synthetic"])
def test_that_a_table_is_synthetic_is_said_once(about: str):
    facts = table_facts(about=about)
    for table in (show.tables_table([facts]), show.describe_table(facts)):
        assert show.table_text(table).lower().count("synthetic") == 1
    plain = table_facts(about="", synthetic=False)
    assert "synthetic" not in show.table_text(show.describe_table(plain))


def test_a_table_without_purposes_says_what_that_means():
    assert "purposes: teaching" in show.describe_table(table_facts()).notes
    assert "purposes: none, so every question is refused" in (
        show.describe_table(table_facts(purposes=())).notes
    )


def test_a_pure_table_says_what_its_losses_are() -> None:
    told = show.describe_table(table_facts(currency="pure")).notes
    assert any(note.startswith("pure: losses are epsilons and add") for note in told)
    assert not any("pure" in note for note in show.describe_table(table_facts()).notes)


@pytest.mark.parametrize(("delta", "is_reading"), [("1e-6", True), ("0", False)])
def test_a_budget_promises_the_grant_and_reads_what_is_spent(delta: str, is_reading: bool) -> None:
    """Sums of epsilons without a delta are promises, so they need no caveat."""
    account = Account(
        dataset="clinic",
        granted="1000",
        spent="70",
        left_share="93 %",
        epsilon_spent="0.42",
        epsilon_granted="3.00",
        delta=delta,
        words="93 % left",
    )
    table = show.budget_table(State(seq=1, principal="ana", accounts=(account,), releases=()))
    assert table.heads == ("dataset", "left", "ε promised", "at δ", "ε spent")
    assert table.rows == (("clinic", "93\u00a0%", "3.00", delta, "0.42"),)
    assert (show.READING in table.notes) is is_reading
