"""The pages of ``%private``: every frontend gets them, and nothing is markup."""

from __future__ import annotations

from privlab.jupyter import display
from privlab.wire.messages import (
    Account,
    ColumnFacts,
    ColumnPrice,
    Explanation,
    Released,
    State,
    TableFacts,
)

EVIL = "<img src=x onerror=alert(1)>"
FACTS = TableFacts(
    dataset="clinic",
    name="visits",
    version=2,
    unit="patient_id",
    unit_word="patient",
    bound="at most 8 rows per patient",
    currency="gdp",
    rows="not stated",
    synthetic=True,
    about=EVIL,
    purposes=("teaching",),
    columns=(ColumnFacts(name=EVIL, kind="int", facts="0 to 9", key=True, withheld=False),),
)
ACCOUNT = Account(
    dataset=EVIL,
    granted="10",
    spent="1",
    left_share="90 %",
    epsilon_spent="0.10",
    epsilon_granted="1.00",
    delta="1e-9",
    words="90 % left",
)
RELEASED = Released(
    id="request-1",
    at="2026-11-24T08:00:00Z",
    dataset="clinic",
    title=EVIL,
    question=f"\n{EVIL}\nFROM x",
    charged="0",
    charged_share="0 %",
    purpose="exploration",
)


def test_no_page_lets_a_text_become_markup():
    state = State(seq=1, principal=EVIL, accounts=(ACCOUNT,), releases=(RELEASED,))
    pages = [
        display.tables_page([FACTS]),
        display.describe_page(FACTS),
        display.budget_page(state),
        display.history_page([RELEASED]),
    ]
    for page in pages:
        assert "<img" not in page._repr_mimebundle_()["text/html"]
        assert EVIL in repr(page)


def test_an_empty_catalog_account_or_history_says_what_to_do():
    empty = State(seq=0, principal="ada", accounts=(), releases=())
    assert "privlab protect" in repr(display.tables_page([]))
    assert "ask its steward" in repr(display.budget_page(empty))
    assert "nothing asked yet" in repr(display.history_page([]))


def test_synthetic_tables_say_so():
    assert "synthetic; " in repr(display.tables_page([FACTS]))
    plain = FACTS.model_copy(update={"synthetic": False, "about": ""})
    assert "synthetic" not in repr(display.tables_page([plain]))
    bare = FACTS.model_copy(update={"about": ""})
    assert "synthetic" in repr(display.tables_page([bare]))


def test_a_release_that_was_free_is_called_free():
    assert "free" in repr(display.history_page([RELEASED]))


def test_a_history_shows_minutes_and_one_line():
    long = RELEASED.model_copy(update={"question": "SELECT " + "x" * 200})
    shown = repr(display.history_page([long]))
    assert "2026-11-24 08:00 UTC" in shown
    assert "x" * 64 + "…" in shown
    odd = RELEASED.model_copy(update={"at": "yesterday"})
    assert "yesterday" in repr(display.history_page([odd]))


def test_words_that_repeat_the_percentage_are_shown_once():
    said = ACCOUNT.model_copy(update={"words": "about 9 more"})
    state = State(seq=1, principal="ada", accounts=(ACCOUNT, said), releases=())
    assert repr(display.budget_page(state)).count("90 % left") == 0
    assert "about 9 more" in repr(display.budget_page(state))


def test_each_cheaper_neighbour_has_a_line_of_its_own():
    explanation = Explanation(
        plan="scan visits",
        columns=(),
        charge="10",
        charged_share="1 %",
        left_share="92 %",
        words="would cost 1 %",
        cheaper=("one costs 1/64", "two costs 1/4"),
    )
    lines = repr(display.explain_page(explanation)).splitlines()
    at = lines.index("cheaper: one costs 1/64")
    assert lines[at - 1] == "would cost 1 %"
    assert lines[at + 1] == "cheaper: two costs 1/4"


def test_a_price_shows_shares_errors_and_an_indented_plan():
    explanation = Explanation(
        plan="group by ward\n  scan visits",
        columns=(
            ColumnPrice(name="n", label="rows", share="1 %", half_width="18", held=False),
            ColumnPrice(name="m", label="sum", share="0 %", half_width="", held=True),
        ),
        charge="10",
        charged_share="1 %",
        left_share="92 %",
        words="would cost 1 %",
    )
    shown = repr(display.explain_page(explanation, "90"))
    assert "±90\u00a0%" in shown
    assert "1\u00a0%     18" in shown
    assert "held" in shown
    assert "would cost 1 %" in shown
    assert (
        "\u00a0\u00a0scan visits"
        in display.explain_page(explanation)._repr_mimebundle_()["text/html"]
    )
