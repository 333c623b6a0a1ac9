"""Two tables of the same people and a frame of the asker's own, from protect to the release."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

import privlab as package
from privlab.client.public import public_table
from privlab.client.session import Session
from privlab.curator.public import digest
from privlab.errors import BadQuery
from privlab.wire import locate
from privlab.wire.messages import Price
from tests.e2e.test_pure import PLAN, done, privlab

PEOPLE, EACH = 400, 2
WARDS = {"ward": ["north", "south", "west"], "side": ["up", "down", "down"]}

VISITS = """\
[table]
name = "visits"
dataset = "clinic"
unit = "patient_id"
unit_word = "patient"
rows_per_unit = 2
row_cap = 10_000
rows = 800
units = 400
purposes = ["exploration"]
[columns.patient_id]
type = "int"
[columns.ward]
type = "text"
keys = ["north", "south", "west"]
[columns.stay]
type = "int"
range = [0, 30]
"""

PATIENTS = """\
[table]
name = "patients"
dataset = "clinic"
unit = "patient_id"
unit_word = "patient"
rows_per_unit = 1
row_cap = 10_000
rows = 400
units = 400
purposes = ["exploration"]
[columns.patient_id]
type = "int"
[columns.sex]
type = "text"
keys = ["f", "m"]
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, runtime: Path) -> Iterator[Session]:
    root = tmp_path_factory.mktemp("relations")
    wards = WARDS["ward"]
    visits = [f"{p},{wards[(p + v) % 3]},{p % 30}" for p in range(PEOPLE) for v in range(EACH)]
    people = [f"{p},{'fm'[p % 2]}" for p in range(PEOPLE)]
    (root / "visits.csv").write_text("patient_id,ward,stay\n" + "\n".join(visits) + "\n")
    (root / "patients.csv").write_text("patient_id,sex\n" + "\n".join(people) + "\n")
    patch = pytest.MonkeyPatch()
    patch.delenv("PRIVLAB_URL", raising=False)
    patch.setenv("PRIVLAB_WORKSPACE", str(root / "w"))
    try:
        done("init", root / "w", "--custody", "plain:keys/master.key")
        for name, contract in (("visits", VISITS), ("patients", PATIENTS)):
            (root / f"{name}.toml").write_text(contract)
            done("protect", root / f"{name}.csv", "--contract", root / f"{name}.toml")
        done(*PLAN)
        opened = Session(locate.start(locate.find(env=dict(os.environ))))
        yield opened
        opened.close()
    finally:
        privlab("curator", "stop")
        patch.undo()


def test_a_join_is_answered_charged_and_signed_with_both_tables(session: Session) -> None:
    text = (
        "SELECT p.sex, COUNT(*) AS n FROM visits v JOIN patients p USING (patient_id) "
        "WHERE v.ward <> 'west' GROUP BY p.sex"
    )
    release = session.ask(text, price=Price(share="20"), confidence="99.99")
    rows = zip(release.result["rows"], release.result["half_widths"], strict=True)
    for (sex, value), (_, width) in (row for row in rows if row[0][0] is not None):
        exact = sum(
            1
            for p in range(PEOPLE)
            for v in range(EACH)
            if "fm"[p % 2] == sex and WARDS["ward"][(p + v) % 3] != "west"
        )
        assert abs(Fraction(value) - exact) <= 3 * Fraction(width)
    named = {one["table"]: one["columns"] for one in release.facts["dataset"]["tables"]}
    assert named == {"visits": ["ward"], "patients": ["sex"]}
    assert "publicTables" not in release.facts["question"]
    again = session.ask(
        'visits.filter(pl.col("ward") != "west").join(patients, on="patient_id")'
        '.group_by("sex").agg(n=pl.len())',
        price=Price(share="20"),
        confidence="99.99",
    )
    assert again.receipt is not None
    assert again.receipt.free


def test_a_frame_goes_with_the_question_and_into_the_release(session: Session) -> None:
    text = "SELECT side, COUNT(*) AS n FROM visits JOIN wards USING (ward) GROUP BY side"
    release = session.ask(text, public={"wards": WARDS}, price=Price(share="5"))
    assert [row[0] for row in release.result["rows"]] == ["up", "down"]
    (brought,) = release.facts["question"]["publicTables"]
    assert brought == {
        "name": "wards",
        "columns": ["ward", "side"],
        "rows": "3",
        "sha256": digest(public_table("wards", WARDS)),
    }
    assert "3 public rows of wards" in release.result["caption"]
    other = {**WARDS, "side": ["up", "up", "down"]}
    assert not session.explain(text, public={"wards": other}).columns[0].held
    assert session.explain(text, public={"wards": WARDS}, price=Price(share="5")).columns[0].held
    practised = session.practise(text, public={"wards": WARDS})
    assert [row[0] for row in practised.result["rows"]] == ["up", "down"]


def test_a_release_cites_the_frames_that_came_with_it_and_are_read(session: Session) -> None:
    """A frame that differs in what is not read is the same view, and free, in a release of its own."""
    text = "SELECT side, COUNT(*) AS n FROM visits JOIN wards USING (ward) GROUP BY side"
    wider = {**WARDS, "beds": [3, 4, 5]}
    unread = {"others": {"x": [1, 2]}}
    first = session.ask(text, public={"wards": WARDS, **unread}, price=Price(share="5"))
    other = session.ask(text, public={"wards": wider}, price=Price(share="5"))
    again = session.ask(text, public={"wards": wider, **unread}, price=Price(share="5"))

    assert other.receipt is not None
    assert other.receipt.free
    assert other.result["rows"] == first.result["rows"]
    assert again.bundle == other.bundle
    for release, frame in ((first, WARDS), (other, wider)):
        (brought,) = release.facts["question"]["publicTables"]
        assert (brought["name"], brought["columns"]) == ("wards", list(frame))
        assert brought["sha256"] == digest(public_table("wards", frame))
        assert "others" not in release.result["caption"]


def test_a_frame_that_is_not_sent_is_asked_for(session: Session) -> None:
    with pytest.raises(BadQuery) as caught:
        session.explain("SELECT COUNT(*) AS n FROM visits JOIN wards USING (ward)")
    assert caught.value.code == "PL102"
    assert "--public wards=" in (caught.value.hint or "")
    assert package.ask.__kwdefaults__["public"] is None
