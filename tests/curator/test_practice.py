"""Practice opens nothing, charges nothing and signs nothing, and is else the real thing."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from privlab.connector.keys import Custody
from privlab.curator import answer, practice
from privlab.engine.job import Job
from privlab.engine.released import Released
from privlab.errors import (
    BadQuery,
    BudgetExceeded,
    CuratorFailed,
    EngineFailed,
    IntegrityError,
    PolicyDenied,
    Refused,
)
from privlab.release.verify import verify
from privlab.wire.messages import PRACTICE, Practised, Price
from tests.conftest import CANARY_AMOUNT, CANARY_TEXT
from tests.curator.conftest import Inside, question

BY_WARD = "SELECT ward, COUNT(*) AS n, AVG(stay_days) AS stay FROM visits GROUP BY ward"
SURFACES = [
    "SELECT ward, COUNT(*) AS n FROM visits WHERE age >= 65 GROUP BY ward",
    'visits.filter(pl.col("age") >= 65).group_by("ward").agg(n=pl.len())',
]

_IN_OPEN, _IN_ISDIR = 0x20, 0x40000000


def practised(inside: Inside, text: str = BY_WARD, **price: Any) -> Practised:
    ask = question(text)
    if price:
        ask = ask.model_copy(update={"price": Price(**price)})
    return practice.practise(inside.desk, inside.who, ask)


@contextmanager
def opens(folder: Path) -> Iterator[list[str]]:
    """Names of files beneath ``folder`` that any process opens, as the kernel tells (inotify)."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert handle >= 0
    for place in (folder, *(one for one in folder.rglob("*") if one.is_dir())):
        assert libc.inotify_add_watch(handle, os.fsencode(place), _IN_OPEN) >= 0
    seen: list[str] = []
    try:
        yield seen
        try:
            events = os.read(handle, 1 << 20)
        except BlockingIOError:
            events = b""
        while events:
            mask, length = (int.from_bytes(events[at : at + 4], "little") for at in (4, 12))
            name = events[16 : 16 + length].rstrip(b"\0").decode()
            events = events[16 + length :]
            if not mask & _IN_ISDIR:
                seen.append(name)
    finally:
        os.close(handle)


class Locked(Custody):
    """A custody that tells of every key it is asked for."""

    def __init__(self) -> None:
        super().__init__(bytes(32))

    def derive(self, label: str, *parts: str) -> bytes:
        if label not in ("wrap", "id"):
            raise AssertionError(f"{label} was derived")
        return super().derive(label, *parts)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        raise AssertionError("a key was unwrapped")


@pytest.mark.parametrize("text", SURFACES)
def test_no_table_file_is_opened_by_any_process(inside: Inside, text: str) -> None:
    with opens(inside.folder / "tables") as during_practice:
        practised(inside, text)
    with opens(inside.folder / "tables") as during_the_real_one:
        inside.answer(question(text))

    assert during_practice == []
    assert any(name.endswith(".parquet") for name in during_the_real_one)


def test_no_key_is_unwrapped_or_derived(inside: Inside) -> None:
    inside.desk.custody = Locked()

    assert json.loads(practised(inside).result)["rows"]
    with pytest.raises(AssertionError):
        inside.answer(question(BY_WARD))


def test_it_works_when_no_part_of_the_table_is_on_disk(inside: Inside) -> None:
    shutil.rmtree(inside.folder / "tables")

    assert len(json.loads(practised(inside).result)["rows"]) == 4
    with pytest.raises(IntegrityError):
        inside.answer(question(BY_WARD))


@pytest.mark.parametrize(
    "price",
    [{"share": "1"}, {"share": "0.5"}, {"epsilon": "0.1"}, {"within": {"n": "25", "stay": "1"}}],
)
def test_plan_and_price_words_are_those_of_the_real_question(
    inside: Inside, price: dict[str, Any]
) -> None:
    ask = question(BY_WARD).model_copy(update={"price": Price(**price)})

    assert practised(inside, **price).explanation == answer.explain(inside.desk, inside.who, ask)


def test_the_surfaces_practise_one_question(inside: Inside) -> None:
    sql, polars = (practised(inside, text) for text in SURFACES)

    typed = {"cheaper": ()}  # says what to type, each in its language
    assert sql.explanation.model_copy(update=typed) == polars.explanation.model_copy(update=typed)
    assert len(sql.explanation.cheaper) == len(polars.explanation.cheaper)
    assert json.loads(sql.result)["caption"] == json.loads(polars.result)["caption"]


def test_the_caption_is_marked_and_says_what_noise_the_real_answer_has(inside: Inside) -> None:
    told = practised(inside)
    caption = json.loads(told.result)["caption"]
    (n, stay) = told.explanation.columns

    assert caption.startswith(f"{PRACTICE}; the real answer would have n ±{n.half_width}")
    assert f"stay ±{stay.half_width} at 95 %" in caption
    real = json.loads(json.loads(inside.answer(question(BY_WARD)).bundle)["result"])
    assert caption.endswith(real["caption"])


def test_the_half_widths_are_those_that_the_real_answer_will_have(inside: Inside) -> None:
    text = "SELECT ward, COUNT(*) AS n, SUM(age) AS years FROM visits GROUP BY ward"
    invented = json.loads(practised(inside, text).result)
    real = json.loads(json.loads(inside.answer(question(text)).bundle)["result"])

    assert invented["half_widths"] == real["half_widths"]
    assert invented["columns"] == real["columns"]
    assert [row[0] for row in invented["rows"]] == [row[0] for row in real["rows"]]


def test_what_she_holds_is_practised_at_the_noise_she_holds(inside: Inside) -> None:
    text = "SELECT COUNT(*) AS n FROM visits"
    inside.answer(question(text, share="1"))
    real = inside.answer(question(text, share="4", name="a-second-request"))

    told = practised(inside, text, share="2")

    assert "free: you hold this already" in told.explanation.words
    width = json.loads(told.result)["half_widths"]
    assert width == json.loads(json.loads(real.bundle)["result"])["half_widths"]


def test_nothing_is_charged_recorded_or_told_to_the_panel(inside: Inside) -> None:
    ledger, who = inside.desk.ledger, inside.who.name
    before = (ledger.changes(who), ledger.account(who, "clinic"), ledger.history(who, 50))

    practised(inside)

    assert (ledger.changes(who), ledger.account(who, "clinic"), ledger.history(who, 50)) == before
    assert ledger.find(who, question(BY_WARD).id) is None


def test_an_exhausted_grant_practises_and_says_what_does_not_fit(inside: Inside) -> None:
    inside.answer(question("SELECT COUNT(*) AS n FROM visits", share="99.9"))
    text = "SELECT SUM(age) AS years FROM visits"

    told = practised(inside, text, share="50")

    assert told.explanation.words.startswith("does not fit: ")
    with pytest.raises(BudgetExceeded):
        inside.answer(question(text, share="50", name="a-second-request"))


def test_without_a_grant_one_of_the_standard_level_is_supposed(inside: Inside) -> None:
    somebody = replace(inside.who, name="somebody-else")
    ask = question(BY_WARD)

    told = practice.practise(inside.desk, somebody, ask)

    assert json.loads(told.result)["rows"]
    note = "you have no grant on clinic: supposed is one of level standard"
    assert told.explanation.words.endswith(note)
    with pytest.raises(Refused) as caught:
        answer.answer(inside.desk, somebody, ask, lambda _: None, lambda: True)
    assert caught.value.code == "PL203"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT COUNT(*) AS n FROM visitz", "PL102"),
        ("SELECT notes, COUNT(*) AS n FROM visits GROUP BY notes", "PL201"),
        ("SELECT SUM(weight) AS w FROM visits", "PL103"),
    ],
)
def test_a_refusal_is_the_one_the_real_question_gets(inside: Inside, text: str, code: str) -> None:
    refusals = []
    for put in (lambda: practised(inside, text), lambda: inside.answer(question(text))):
        with pytest.raises((BadQuery, PolicyDenied)) as caught:
            put()
        refusals.append(str(caught.value))

    assert refusals[0] == refusals[1]
    assert refusals[0].startswith(code)


def test_a_purpose_that_the_contract_does_not_name_is_denied_here_too(inside: Inside) -> None:
    ask = question(BY_WARD).model_copy(update={"purpose": "marketing"})

    with pytest.raises(PolicyDenied):
        practice.practise(inside.desk, inside.who, ask)


def test_no_canary_of_the_rows_is_in_what_is_told(inside: Inside) -> None:
    told = practised(inside, "SELECT COUNT(*) AS n, SUM(amount) AS a FROM visits", share="99")
    answered = json.loads(told.result)["rows"][0]

    assert CANARY_TEXT not in told.model_dump_json()
    assert abs(float(answered[1]) / (3_000 * CANARY_AMOUNT) - 1) > 0.1


def test_the_rows_do_not_change_with_the_data(inside: Inside) -> None:
    """Noise aside: the same contract in a next version gives the same rows."""
    asked: list[Any] = []

    class Listening:
        def run(self, job: Any) -> Any:
            asked.append(job)
            return Released(tuple((0,) * job.plan.cells for _ in job.noises))

    inside.desk.engine = Listening()  # type: ignore[assignment]
    practised(inside)
    inside.register(inside.next_version())
    practised(inside)

    first, second = asked
    assert (first.plan.version, second.plan.version) == (1, 2)
    assert first.contracts == second.contracts
    assert not isinstance(first, Job)


def test_what_is_told_is_no_bundle(inside: Inside) -> None:
    told = practised(inside)
    key = inside.desk.signer.public

    for text in (told.result, told.model_dump_json(), json.dumps({"result": told.result})):
        with pytest.raises(IntegrityError) as caught:
            verify(text, key)
        assert caught.value.code == "PL407"


def test_when_the_engine_fails_no_charge_is_spoken_of(inside: Inside) -> None:
    class Broken:
        def run(self, job: object) -> object:
            raise EngineFailed

    inside.desk.engine = Broken()  # type: ignore[assignment]
    with pytest.raises(CuratorFailed, match="nothing was charged"):
        practised(inside)
