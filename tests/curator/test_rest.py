"""Answers at rest are sealed under all that they were made from."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import apsw
import pytest

from privlab.connector.keys import Custody, Place
from privlab.curator import asks
from privlab.curator.rest import AtRest, places, texts_of
from privlab.errors import IntegrityError
from privlab.ledger.rest import InTheClear
from privlab.release.verify import verify
from privlab.seal.keys import SigningKey
from privlab.wire.messages import Ask, Parameter, Price
from tests.conftest import VISITS
from tests.curator.conftest import Inside, question

SOURCE = json.dumps(["clinic", [["patients", "2", ["age"]], ["visits", "1", []]]])


def test_a_source_names_each_footer_and_each_column_that_was_read() -> None:
    assert places(SOURCE) == (
        Place("clinic", "patients", 2, ""),
        Place("clinic", "patients", 2, "age"),
        Place("clinic", "visits", 1, ""),
    )


@pytest.mark.parametrize(
    "odd", ["x", "[]", "{}", '["clinic", 1]', '["clinic", [["t", "x", []]]]', ""]
)
def test_what_is_no_source_opens_nothing(odd: str) -> None:
    rest = AtRest(Custody(b"1" * 32), SigningKey(b"2" * 32).public)

    with pytest.raises(IntegrityError) as caught:
        rest.unseal(odd, "answer 1", b"x" * 64)

    assert caught.value.code == "PL404"


def test_an_answer_is_sealed_under_what_it_read(inside: Inside) -> None:
    inside.answer(
        question("SELECT ward, SUM(age) AS s FROM visits WHERE stay_days > 1 GROUP BY ward")
    )
    row = inside.desk.ledger._db.row("SELECT source, bundle, answer FROM release")
    assert row is not None

    assert json.loads(row[0]) == ["clinic", [["visits", "1", ["age", "stay_days", "ward"]]]]
    assert all(blob.startswith(b"pvE1") for blob in row[1:])


def test_no_answer_lies_readable_in_the_ledger(inside: Inside) -> None:
    """Neither its text, nor its numbers, in the database or its log."""
    answer = inside.answer(question("SELECT COUNT(*) AS n FROM visits", share="5"))
    held = inside.desk.ledger._db.rows("SELECT vector FROM measurement")
    inside.desk.ledger.close()

    raw = b"".join(f.read_bytes() for f in inside.folder.glob("ledger.sqlite*"))

    assert held
    assert raw
    pieces = [answer.bundle[at : at + 40] for at in range(0, len(answer.bundle) - 40, 200)]
    assert len(pieces) > 5
    assert not any(piece.encode() in raw for piece in pieces)


def test_a_row_in_anothers_place_does_not_open(inside: Inside) -> None:
    inside.answer(question(name="first-of-two"))
    inside.answer(question(name="the-second", share="2", text="SELECT SUM(age) AS s FROM visits"))
    inside.desk.ledger.close()
    database = apsw.Connection(str(inside.desk.workspace.ledger))
    database.execute("DROP TRIGGER release_is_final")
    database.execute(
        "UPDATE release SET answer = (SELECT answer FROM release WHERE charge = 2),"
        " source = (SELECT source FROM release WHERE charge = 2) WHERE charge = 1"
    )
    (bundle,) = next(database.execute("SELECT answer FROM release WHERE charge = 1"))
    (source,) = next(database.execute("SELECT source FROM release WHERE charge = 1"))
    database.close()

    texts = texts_of(Place.of_texts("clinic", inside.desk.clock().strftime("%Y-%m")))
    rest = AtRest(inside.desk.custody, inside.desk.signer.public)

    assert rest.unseal(source, "answer 2", bundle, texts)
    with pytest.raises(IntegrityError) as caught:
        rest.unseal(source, "answer 1", bundle, texts)
    assert caught.value.code == "PL404"


CANARIES = ("zebrafish", "734211", "quokka", "axolotl", "care-of-llamas")
ASKED = (
    "SELECT ward, SUM(age) AS axolotl FROM visits WHERE stay_days > 0.734211"
    " AND ward <> 'zebrafish' AND ward <> :name GROUP BY ward"
)


def test_the_ledgers_files_hold_nothing_of_a_question_or_its_answer(inside: Inside) -> None:
    """Database and log: no text, literal, parameter, name, purpose, group label or number."""
    contract = VISITS.replace("purposes = [", 'purposes = ["care-of-llamas", ')
    inside.register(inside.next_version(contract))
    ask = Ask(
        id="a-request-id",
        text=ASKED,
        name="quokka",
        purpose="care-of-llamas",
        price=Price(share="5"),
        parameters={"name": Parameter(kind="text", text=("quokka",))},
    )
    before = inside.desk.ledger._db.rows("SELECT seq FROM charge")
    answer = inside.answer(ask)
    shown = verify(answer.bundle, inside.desk.signer.public).result
    raw = [inside.desk.ledger._db._connection.serialize("main")]
    raw += [f.read_bytes() for f in inside.folder.glob("ledger.sqlite*")]
    inside.desk.ledger.close()
    raw += [f.read_bytes() for f in inside.folder.glob("ledger.sqlite*")]

    labels = [row[0] for row in shown["rows"]]
    numbers = [row[1] for row in shown["rows"] if len(row[1]) > 3]
    assert len(raw) > 3
    assert not before
    assert labels
    assert numbers
    for canary in (*CANARIES, "SELECT ward", "stay_days >", *labels, *numbers):
        for content in raw:
            spellings = (
                canary.encode(),
                canary.encode("utf-16-le"),
                canary.encode().hex().encode(),
            )
            assert not any(one in content for one in spellings), canary
    plain = asks.body_digest(ask)
    assert not any(plain in content or plain.hex().encode() in content for content in raw)


def test_the_months_words_have_one_key_and_another_after_the_dataset_was_shredded() -> None:
    custody = Custody(b"1" * 32)
    rest = AtRest(custody, SigningKey(b"2" * 32).public)
    first = rest.texts("clinic", "2026-11-24T05:00:00.000000Z")
    sealed = rest.seal("", "words 1", b"SELECT", first)

    assert rest.texts("clinic", "2026-11-30T23:59:59.999999Z") == first
    assert rest.texts("clinic", "2026-12-01T00:00:00.000000Z") != first
    assert rest.texts("school", "2026-11-24T05:00:00.000000Z") != first
    assert rest.unseal("", "words 1", sealed, first) == b"SELECT"

    custody.shred([Place.of_texts("clinic", "2026-11")], datetime(2027, 1, 1, tzinfo=UTC))

    assert json.loads(rest.texts("clinic", "2026-11-24T05:00:00.000000Z")) == [
        "clinic",
        "2026-11.2",
    ]
    with pytest.raises(IntegrityError) as caught:
        rest.unseal("", "words 1", sealed, first)
    assert caught.value.code == "PL411"
    assert "questions of 2026-11 about clinic" in caught.value.what


def test_a_name_tells_equality_and_no_more() -> None:
    rest, other = (AtRest(Custody(one * 32), SigningKey(b"2" * 32).public) for one in (b"1", b"3"))

    assert rest.name("view", "a") == rest.name("view", "a")
    assert len({rest.name("view", "a"), rest.name("view", "b"), rest.name("question", "a"),
                other.name("view", "a")}) == 4  # fmt: skip
    assert "a" * 9 not in rest.name("view", "a" * 9)


@pytest.mark.parametrize("odd", ["x", "[]", "{}", '["clinic", 1]', "[[], []]", "7"])
def test_what_names_no_month_opens_nothing(odd: str) -> None:
    rest = AtRest(Custody(b"1" * 32), SigningKey(b"2" * 32).public)

    with pytest.raises(IntegrityError) as caught:
        rest.unseal("", "words 1", b"x" * 64, odd)

    assert caught.value.code == "PL404"


def test_a_sealed_ledger_without_keys_shows_nothing() -> None:
    assert InTheClear().unseal("", "answer 1", b"plain") == b"plain"
    with pytest.raises(IntegrityError) as caught:
        InTheClear().unseal(SOURCE, "answer 1", b"pvE1")
    assert caught.value.code == "PL404"
