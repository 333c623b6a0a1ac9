"""A practice answer is drawn and read like a release, is marked wherever it goes, and is none."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

import privlab
from privlab.client.frames import Release
from privlab.client.practice import Practice
from privlab.client.price import price
from privlab.client.session import Session
from privlab.client.show import MIME_TYPE
from privlab.errors import BadQuery, IntegrityError
from privlab.release.verify import verify, verify_file
from privlab.seal.keys import PublicKey
from privlab.wire.messages import PRACTICE

BY_WARD = "SELECT ward, COUNT(*) AS n FROM visits WHERE age < 31 GROUP BY ward"


@pytest.fixture
def practised(session: Session) -> Practice:
    return session.practise(BY_WARD, name="by_ward")


def test_its_frame_is_that_of_a_release(session: Session, practised: Practice) -> None:
    release = session.ask(BY_WARD)

    assert practised.frame.schema == release.frame.schema
    assert practised.frame["ward"].to_list() == release.frame["ward"].to_list()
    assert practised.frame["n_pm"].to_list() == release.frame["n_pm"].to_list()


def test_it_cannot_be_saved_or_shared(practised: Practice, tmp_path: Path) -> None:
    for hand_on in (lambda: practised.save(tmp_path / "x.json"), practised.share):
        with pytest.raises(BadQuery, match=r"cannot be (saved|shared)") as caught:
            hand_on()
        assert caught.value.code == "PL112"
    assert list(tmp_path.iterdir()) == []


def test_nothing_made_from_it_verifies(
    session: Session, practised: Practice, tmp_path: Path
) -> None:
    key = PublicKey.parse(session.hello.key)
    texts = (practised.bundle, practised.to_csv(), repr(practised))
    path = tmp_path / "practised.json"
    for text in texts:
        with pytest.raises(IntegrityError):
            verify(text, key)
        path.write_text(text, "utf-8")
        with pytest.raises(IntegrityError):
            Release.read(path, key)


def test_a_notebook_of_practice_alone_holds_no_release(
    session: Session, practised: Practice, tmp_path: Path
) -> None:
    shown = practised._repr_mimebundle_()
    output = new_output("execute_result", data=shown, execution_count=1)
    nbformat.write(
        new_notebook(cells=[new_code_cell("%%private --practice", outputs=[output])]),
        tmp_path / "practice.ipynb",
    )

    assert MIME_TYPE not in shown
    with pytest.raises(IntegrityError, match="holds no release"):
        verify_file(tmp_path / "practice.ipynb", PublicKey.parse(session.hello.key))


@pytest.mark.parametrize(
    "drawn",
    [
        repr,
        lambda it: it._repr_mimebundle_()["text/html"],
        lambda it: it._repr_mimebundle_()["text/plain"],
        lambda it: it.to_csv(),
        lambda it: it.plot().to_dict()["title"],
        lambda it: it.caption,
    ],
)
def test_every_form_that_is_read_carries_the_mark(
    practised: Practice, drawn: Callable[[Practice], str]
) -> None:
    assert PRACTICE in drawn(practised)


def test_the_mark_stands_above_the_numbers_and_the_price_below(practised: Practice) -> None:
    text = repr(practised)
    html = practised._repr_mimebundle_()["text/html"]

    assert text.startswith(f"{PRACTICE} (by_ward)\n")
    assert html.index(PRACTICE) < html.index("<th")
    assert "the real answer would have n ±" in text
    price = f"the real answer: {practised.explanation.words}; this one cost nothing"
    assert price in text
    assert text.index("cardiology") < text.index(price)


def test_its_csv_is_read_back_below_the_mark(practised: Practice, tmp_path: Path) -> None:
    text = practised.to_csv(tmp_path / "x.csv")
    first, _, rest = text.partition("\n")

    assert (tmp_path / "x.csv").read_text("utf-8") == text
    assert first == f"# {PRACTICE}"
    assert next(csv.reader(io.StringIO(rest))) == ["ward", "n", "n_pm"]


def test_practising_leaves_the_account_and_the_history_as_they_were(session: Session) -> None:
    before = session.state()

    session.practise("SELECT SUM(age) AS years FROM visits", price=price(share="50"))

    assert session.state() == before


def test_ask_practises_when_told_to(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privlab, "_session", session)

    assert isinstance(privlab.ask(BY_WARD, within=25, practice=True), Practice)
    assert not isinstance(privlab.ask(BY_WARD), Practice)
