"""What cannot be answered is refused with one clear error, and nothing is spent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from privlab.client.price import price
from privlab.client.session import Session
from privlab.errors import EngineFailed, PrivlabError
from privlab.wire import locate


def _env(place: Any) -> dict[str, str]:
    return {**os.environ, **place.env}


def refusal(session: Session, text: str, **offer: Any) -> PrivlabError:
    before = session.state().accounts
    with pytest.raises(PrivlabError) as caught:
        session.ask(text, price=price(**offer))
    assert session.state().accounts == before, "a refusal spent something"
    return caught.value


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("SELECT COUNT(*) AS n FROM visit", "PL102", "visits"),
        ("SELECT COUNT(*) AS n FROM visits WHERE wrd = 'x'", "PL104", "ward"),
        ("visit.select(n=pl.len())", "PL102", "visits"),
        ("visits.filter(pl.col('wrd') == 'x').select(n=pl.len())", "PL104", "ward"),
        ("SELECT notes, COUNT(*) AS n FROM visits GROUP BY notes", "PL201", "notes"),
        ("SELECT COUNT(*) AS n FROM visits WHERE notes = 'a'", "PL201", "notes"),
        ("SELECT SUM(weight) AS w FROM visits", "PL103", "LEAST(GREATEST("),
        ("visits.select(w=pl.col('weight').sum())", "PL103", ".clip("),
        ("SELECT * FROM visits", "PL105", "aggregate"),
        ("SELECT ward FROM visits", "PL105", "aggregate"),
        ("SELECT patient_id FROM visits", "PL201", "patient_id"),
        ("SELECT weight, COUNT(*) AS n FROM visits GROUP BY weight", "PL107", "weight"),
        ("SELECT COUNT(*) AS n FROM visits; SELECT COUNT(*) AS n FROM visits", "PL109", ""),
        ("DROP TABLE visits", "PL106", "SELECT"),
        ("SELECT COUNT(*) AS n FROM visits WHERE", "PL101", ""),
        ("__import__('os').system('true')", "PL106", ""),
        ("SELECT COUNT(*) AS n FROM visits WHERE age > :low", "PL110", "low"),
        ("SELECT COUNT(*) AS n FROM visits WHERE ward > 3", "PL111", ""),
    ],
)
def test_a_question_that_cannot_be_asked_says_what_to_type(
    session: Session, text: str, code: str, says: str
) -> None:
    error = refusal(session, text)

    assert error.code == code, str(error)
    assert says in str(error)
    assert error.hint, "an error says what to do next"


@pytest.mark.parametrize("amount", ["nan", "inf", "-inf", "-1", "0", "1e999", "101", "one", "--1"])
def test_a_price_is_positive_and_finite(session: Session, amount: str) -> None:
    assert refusal(session, "SELECT COUNT(*) AS n FROM visits", share=amount).code == "PL108"


@pytest.mark.parametrize("amount", ["nan", "inf", "-1", "0"])
@pytest.mark.parametrize("offer", ["epsilon", "within"])
def test_every_way_to_pay_is_checked(session: Session, offer: str, amount: str) -> None:
    found = refusal(session, "SELECT COUNT(*) AS n FROM visits", **{offer: amount})

    assert found.code == "PL108"


def test_too_little_budget_says_what_would_fit(session: Session) -> None:
    error = refusal(session, "SELECT COUNT(*) AS n FROM visits", within="9.3")

    assert error.code == "PL210"
    assert "%" in str(error)


def test_a_purpose_the_contract_does_not_state_is_denied(session: Session) -> None:
    with pytest.raises(PrivlabError) as caught:
        session.ask("SELECT COUNT(*) AS n FROM visits", purpose="marketing")

    assert caught.value.code == "PL200"
    assert "exploration" in str(caught.value)


def test_an_explanation_spends_nothing(session: Session) -> None:
    before = session.state()

    told = session.explain("SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward")

    assert session.state() == before
    assert [column.name for column in told.columns if column.label != "key"] == ["n"]


# --- damaged workspaces -------------------------------------------------------

Spoil = Callable[[Any], None]


def _parts(place: Any) -> list[Any]:
    return sorted((place.folder / "tables" / "clinic" / "visits" / "1").glob("rows-*.parquet"))


def _truncate(place: Any) -> None:
    part = _parts(place)[0]
    part.write_bytes(part.read_bytes()[:-100])


def _swap(place: Any) -> None:
    first, second = _parts(place)[:2]
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


def _plain(place: Any) -> None:
    import polars as pl

    pl.DataFrame({"a": [1]}).write_parquet(_parts(place)[0])


def _missing(place: Any) -> None:
    _parts(place)[0].unlink()


@pytest.mark.parametrize(
    ("spoil", "codes"),
    [
        (_truncate, {"PL402"}),
        (_swap, {"PL402"}),
        (_plain, {"PL402", "PL403"}),
        (_missing, {"PL402"}),
    ],
)
def test_a_damaged_table_is_found_before_anything_is_charged(
    fresh_workspace: Callable[[], Any], spoil: Spoil, codes: set[str]
) -> None:
    place = fresh_workspace()
    spoil(place)
    where = locate.find(env=_env(place))
    locate.start(where)
    session = Session(where)

    error = refusal(session, "SELECT COUNT(*) AS n FROM visits")

    assert error.code in codes, str(error)


@pytest.mark.parametrize("reader", ["native", "arrow"])
def test_a_damaged_page_is_the_engines_failure_and_its_charge_stands(
    fresh_workspace: Callable[[], Any], reader: str
) -> None:
    """Only the engine reads pages, so the words are the uniform ones."""
    place = fresh_workspace()
    with (place.folder / "privlab.toml").open("a") as settings:
        settings.write(f'[engine]\nreader = "{reader}"\n')
    for part in _parts(place):
        raw = bytearray(part.read_bytes())
        for at in range(200, len(raw) // 2, 97):
            raw[at] ^= 0xFF
        part.write_bytes(raw)
    where = locate.find(env=_env(place))
    locate.start(where)
    session = Session(where)

    with pytest.raises(PrivlabError) as caught:
        session.ask("SELECT ward, SUM(stay_days) AS d FROM visits GROUP BY ward")

    assert str(caught.value) == str(EngineFailed())
    assert session.state().accounts[0].spent != "0"


def test_the_wrong_master_key_opens_nothing(fresh_workspace: Callable[[], Any]) -> None:
    """The signing key is derived from it, so the curator does not even start."""
    place = fresh_workspace()
    key = place.folder / "keys" / "master.key"
    size = key.stat().st_size
    key.chmod(0o600)
    raw = key.read_bytes()
    key.write_bytes(
        bytes(byte ^ 1 if index >= size - 32 else byte for index, byte in enumerate(raw))
    )
    where = locate.find(env=_env(place))

    with pytest.raises(PrivlabError) as caught:
        locate.start(where)

    assert caught.value.code == "PL300"
    assert "PL404" in (place.folder / "curator.log").read_text()


def test_a_dead_curator_is_started_again_or_reported(fresh_workspace: Callable[[], Any]) -> None:
    place = fresh_workspace()
    where = locate.find(env=_env(place))
    locate.start(where)
    session = Session(where)
    place.kill()

    with pytest.raises(PrivlabError) as caught:
        session.state()
    assert caught.value.code == "PL300"

    assert session.ask("SELECT COUNT(*) AS n FROM visits").frame.height == 1


def test_a_dead_curator_that_cannot_start_again_is_reported_while_asking(
    fresh_workspace: Callable[[], Any],
) -> None:
    place = fresh_workspace()
    where = locate.find(env=_env(place))
    locate.start(where)
    session = Session(where)
    place.kill()
    shutil.rmtree(place.folder / "keys")

    with pytest.raises(PrivlabError) as caught:
        session.ask("SELECT COUNT(*) AS n FROM visits")

    assert caught.value.code == "PL300"
