"""What may be seen without spending says nothing that a contract does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from privlab.client.session import Session
from privlab.errors import PrivlabError
from privlab.wire import locate


def test_tables_are_listed_with_their_contracts_words(session: Session) -> None:
    (table,) = session.tables()

    assert (table.dataset, table.name, table.unit_word) == ("clinic", "visits", "patient")
    assert table.bound == "at most 4 rows per patient"
    assert table.rows == "about 3,000 (stated)"


def test_columns_say_what_can_be_done_with_them(session: Session) -> None:
    columns = {column.name: column for column in session.describe("clinic.visits").columns}

    assert columns["ward"].key
    assert "cardiology" in columns["ward"].facts
    assert columns["visited_on"].key
    assert columns["age"].key
    assert columns["stay_days"].facts == "0 to 60; in steps of 0.25; may be null"
    assert not columns["weight"].key
    assert columns["notes"].withheld
    assert not columns["notes"].key
    assert "COUNT(DISTINCT patient_id)" in columns["patient_id"].facts


def test_an_unknown_table_names_the_nearest(session: Session) -> None:
    with pytest.raises(PrivlabError, match="visits") as refusal:
        session.describe("visit")

    assert refusal.value.code == "PL102"


def test_a_release_can_be_fetched_again_by_its_owner(session: Session) -> None:
    release = session.ask("SELECT COUNT(*) AS n FROM visits WHERE age < 41", name="young")

    newest = session.history()[0]

    assert newest.title == "young"
    assert newest.question == "SELECT COUNT(*) AS n FROM visits WHERE age < 41"
    assert session.bundle(newest.id) == release.bundle
    with pytest.raises(PrivlabError) as refusal:
        session.bundle("somebody-elses")
    assert refusal.value.code == "PL306"


def test_the_meter_shows_epsilon_beside_the_share(session: Session) -> None:
    (meter,) = session.state().accounts

    assert float(meter.epsilon_spent) <= float(meter.epsilon_granted)
    assert meter.delta == "1e-6"
    assert meter.words.endswith("% left")


def test_a_release_is_shown_again_only_while_the_policy_allows(
    fresh_workspace: Callable[[], Any],
) -> None:
    place = fresh_workspace()
    session = Session(locate.start(locate.find(env={**os.environ, **place.env})))
    session.ask("SELECT COUNT(*) AS n FROM visits")
    (past,) = session.history()
    place.stop()
    settings = place.folder / "privlab.toml"
    settings.write_text(settings.read_text().replace('"analyst", ', ""))

    session = Session(locate.start(locate.find(env={**os.environ, **place.env})))

    with pytest.raises(PrivlabError) as refusal:
        session.bundle(past.id)
    assert refusal.value.code == "PL200"


def test_the_sequence_moves_only_with_ones_own_account(session: Session) -> None:
    before = session.state().seq
    session.ask("SELECT COUNT(*) AS n FROM visits WHERE age < 57")

    assert session.state().seq > before


def test_printed_epsilon_is_never_below_the_true_one() -> None:
    from fractions import Fraction

    from privlab.accounting.gdp import epsilon_of, epsilon_text

    for mu2 in (Fraction(1, 10**9), Fraction(1, 200), Fraction(28, 1000), Fraction(2)):
        delta = Fraction(1, 10**6)
        assert float(epsilon_text(mu2, delta, 4)) >= epsilon_of(mu2, delta)
