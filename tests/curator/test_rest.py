"""Answers at rest are sealed under all that they were made from."""

from __future__ import annotations

import json

import apsw
import pytest

from privlab.connector.keys import Custody, Place
from privlab.curator.rest import AtRest, places
from privlab.errors import IntegrityError
from privlab.ledger.rest import InTheClear
from privlab.seal.keys import SigningKey
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

    rest = AtRest(inside.desk.custody, inside.desk.signer.public)

    assert rest.unseal(source, "answer 2", bundle)
    with pytest.raises(IntegrityError) as caught:
        rest.unseal(source, "answer 1", bundle)
    assert caught.value.code == "PL404"


def test_a_sealed_ledger_without_keys_shows_nothing() -> None:
    assert InTheClear().unseal("", "answer 1", b"plain") == b"plain"
    with pytest.raises(IntegrityError) as caught:
        InTheClear().unseal(SOURCE, "answer 1", b"pvE1")
    assert caught.value.code == "PL404"
