"""One question's life: charged once, free again, topped up for the difference."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from privlab.client.session import Session
from privlab.curator import answer
from privlab.errors import EngineFailed, PrivlabError
from privlab.ledger.ledger import Ledger
from privlab.release.verify import verify
from privlab.wire import locate
from privlab.wire.messages import Phase, Price
from tests.conftest import VISITS
from tests.curator.conftest import Acting, Inside, question


def spent(session: Session) -> int:
    return int(session.state().accounts[0].spent)


def test_the_stops_are_told_in_order(session: Session) -> None:
    heard: list[str] = []

    def listen(phase: Phase) -> None:
        heard.append(phase.phase)

    session.ask("SELECT COUNT(*) AS n FROM visits WHERE age < 31", on_phase=listen)

    assert heard == ["read", "policy", "charge", "compute", "seal"]


def test_the_same_question_again_is_free_and_is_the_same_bytes(session: Session) -> None:
    text = "SELECT ward, COUNT(*) AS n FROM visits WHERE age < 32 GROUP BY ward"
    first = session.ask(text)
    before = spent(session)

    second = session.ask(text)

    assert second.bundle == first.bundle
    assert spent(session) == before
    assert second.receipt is not None
    assert second.receipt.free


def test_the_same_question_in_polars_is_the_same_view(session: Session) -> None:
    sql = session.ask("SELECT ward, COUNT(*) AS n FROM visits WHERE age < 33 GROUP BY ward")
    before = spent(session)

    polars = session.ask("visits.filter(pl.col('age') < 33).group_by('ward').agg(n=pl.len())")

    assert spent(session) == before
    assert polars.result["rows"] == sql.result["rows"]


def test_a_part_of_what_is_held_is_free(session: Session) -> None:
    """Each measure is a view of its own."""
    session.ask(
        "SELECT ward, COUNT(*) AS n, SUM(stay_days) AS s FROM visits WHERE age < 34 GROUP BY ward"
    )
    before = spent(session)

    session.ask(
        "SELECT ward, COUNT(*) AS many FROM visits WHERE age < 34 GROUP BY ward",
        price=Price(share="0.1"),
    )

    assert spent(session) == before


def test_more_precision_pays_only_the_difference(session: Session) -> None:
    text = "SELECT COUNT(*) AS n FROM visits WHERE age < 35"
    start = spent(session)
    coarse = session.ask(text, price=Price(share="0.2"))
    fine = session.ask(text, price=Price(share="0.8"))
    topped_up = spent(session) - start

    once = session.ask("SELECT COUNT(*) AS n FROM visits WHERE age < 36", price=Price(share="0.8"))

    alone = spent(session) - start - topped_up
    assert abs(topped_up - alone) <= alone * Fraction(1, 10**6)
    widths = [Fraction(r.result["half_widths"][0][0]) for r in (coarse, fine, once)]
    assert widths[1] < widths[0]
    assert abs(widths[1] - widths[2]) <= Fraction(1, 10)


def test_another_confidence_is_free_but_another_interval(session: Session) -> None:
    text = "SELECT COUNT(*) AS n FROM visits WHERE age < 47"
    usual = session.ask(text)
    before = spent(session)

    wider = session.ask(text, confidence="99")

    assert spent(session) == before
    assert wider.result["rows"] == usual.result["rows"]
    assert Fraction(wider.result["half_widths"][0][0]) > Fraction(usual.result["half_widths"][0][0])


def test_intervals_that_hold_at_once_are_another_answer(session: Session) -> None:
    """Free where a share was paid, signed as what they are, and never taken for the others."""
    text = "SELECT ward, COUNT(*) AS n FROM visits WHERE age < 48 GROUP BY ward"
    usual = session.ask(text)
    before = spent(session)

    together = session.ask(text, simultaneous=True)
    again = session.ask(text, simultaneous=True)

    assert spent(session) == before
    assert together.result["rows"] == usual.result["rows"]
    assert again.bundle == together.bundle
    assert session.ask(text).bundle == usual.bundle
    widths = [[Fraction(row[1]) for row in r.result["half_widths"]] for r in (usual, together)]
    assert all(wide > narrow for narrow, wide in zip(*widths, strict=True))
    assert "hold at once" in together.result["caption"]
    assert together.facts["accuracy"] == {
        "confidence": "95",
        "intervals": "all cells and columns at once",
    }


def test_a_half_width_for_all_at_once_costs_more_than_one_for_each(session: Session) -> None:
    text = "SELECT ward, COUNT(*) AS n FROM visits WHERE age < 49 GROUP BY ward"
    wanted = Price(within={"n": "60"})
    assert int(session.explain(text, price=wanted, simultaneous=True).charge) > int(
        session.explain(text, price=wanted).charge
    )

    held = session.ask(text, price=wanted)
    more = session.ask(text, price=wanted, simultaneous=True)

    assert more.receipt is not None
    assert int(more.receipt.charged) > 0
    for row, wide in zip(more.result["half_widths"], held.result["half_widths"], strict=True):
        assert Fraction(row[1]) <= 60 + Fraction(1, 100)  # merged, then written with two decimals
        assert Fraction(wide[1]) <= 60
    assert more.result["rows"] != held.result["rows"]


def test_what_is_free_is_still_judged_by_the_policy(session: Session) -> None:
    text = "SELECT COUNT(*) AS n FROM visits WHERE age < 38"
    session.ask(text)

    with pytest.raises(PrivlabError) as refusal:
        session.ask(text, purpose="marketing")

    assert refusal.value.code == "PL200"


def test_the_explained_price_is_the_charged_price(session: Session) -> None:
    text = "SELECT ward, AVG(stay_days) AS s FROM visits WHERE age < 39 GROUP BY ward"
    told = session.explain(text)

    release = session.ask(text)

    assert release.receipt is not None
    assert release.receipt.charged == told.charge


def test_parameters_are_part_of_the_question(session: Session) -> None:
    text = "SELECT COUNT(*) AS n FROM visits WHERE ward IN (:wards) AND age < 40"
    one = session.ask(text, parameters={"wards": ["surgery"]})
    before = spent(session)

    other = session.ask(text, parameters={"wards": ["oncology", "surgery"]})

    assert spent(session) > before
    assert other.bundle != one.bundle


def test_a_copy_made_before_a_top_up_is_not_given_for_a_finer_target(session: Session) -> None:
    """The same view was bought more precisely under another column name."""
    text = "SELECT ward, COUNT(*) AS {} FROM visits WHERE age < 56 GROUP BY ward"
    coarse = session.ask(text.format("n"), price=Price(share="0.05"))
    fine = session.ask(text.format("many"), price=Price(share="1"))
    width = fine.result["half_widths"][0][1]

    again = session.ask(text.format("n"), price=Price(within={"n": width}))

    assert again.receipt is not None
    assert again.receipt.free
    assert again.result["rows"] == fine.result["rows"] != coarse.result["rows"]


def test_a_resumed_request_is_told_its_charge_once(fresh_workspace: Callable[[], Any]) -> None:
    """Even when it cost more than half of the grant."""
    place = fresh_workspace()
    session = Session(locate.start(locate.find(env={**os.environ, **place.env})))
    struck: list[int] = []

    def strike(phase: Phase) -> None:
        if phase.phase == "compute" and not struck:
            struck.append(place.kill())

    release = session.ask(
        "SELECT COUNT(*) AS n FROM visits", price=Price(share="60"), on_phase=strike
    )

    assert struck
    assert release.receipt is not None
    (account,) = session.state().accounts
    assert account.spent == release.receipt.spent == release.facts["account"]["spent"]
    assert account.spent == release.receipt.charged == release.facts["loss"]["charged"]


def test_a_question_on_a_withheld_column_is_on_record(
    fresh_workspace: Callable[[], Any],
) -> None:
    place = fresh_workspace()
    session = Session(locate.start(locate.find(env={**os.environ, **place.env})))

    with pytest.raises(PrivlabError):
        session.ask("SELECT COUNT(*) AS n FROM visits WHERE notes = 'a'")
    place.stop()

    ledger = Ledger.open(place.folder / "ledger.sqlite", clock=lambda: datetime.now(UTC))
    (entry,) = (entry for entry in ledger.entries(10) if entry.outcome == "denied")
    ledger.close()
    assert (entry.action, entry.code) == ("query", "PL201")


REAL = VISITS.replace("synthetic = true", "synthetic = false").replace(
    'unit_word = "patient"', 'unit_word = "person"'
)


@pytest.mark.parametrize("stop", ["read", "policy", "charge", "compute", "seal"])
def test_a_version_registered_on_the_way_changes_nothing_about_this_answer(
    inside: Inside, stop: str
) -> None:
    """Version 2 has another unit word and real people; the answer is about version 1 or 2."""
    body = inside.next_version(REAL)

    def register(phase: Phase) -> None:
        if phase.phase == stop:
            inside.register(body)

    reply = inside.answer(question(), register)

    found = verify(reply.bundle, inside.desk.signer.public)
    dataset, word = found.facts["dataset"], found.facts["privacyUnit"]["word"]
    seen = (dataset["version"], dataset["synthetic"], word, "synthetic" in found.result["caption"])
    assert seen == (
        ("2", False, "person", False) if stop == "read" else ("1", True, "patient", True)
    )
    assert f"per {word}" in found.result["caption"]
    assert inside.desk.registered.table("clinic", "visits").version == 2


def test_a_version_registered_while_the_engine_runs_is_not_signed_for(inside: Inside) -> None:
    body = inside.next_version(REAL)
    engine = inside.desk.engine
    inside.desk.engine = Acting(engine, lambda: inside.register(body))  # type: ignore[assignment]

    facts = verify(inside.answer(question()).bundle, inside.desk.signer.public).facts

    assert (facts["dataset"]["version"], facts["dataset"]["synthetic"]) == ("1", True)
    assert facts["privacyUnit"]["word"] == "patient"


def test_a_resumed_request_is_not_answered_from_another_version(inside: Inside) -> None:
    """Its charge was for the plan it had; the answer of another plan is another question's."""

    def fail() -> None:
        raise EngineFailed

    engine = inside.desk.engine
    inside.desk.engine = Acting(engine, fail)  # type: ignore[assignment]
    with pytest.raises(EngineFailed):
        inside.answer(question())
    inside.desk.engine = engine
    spent = inside.spent()
    inside.register(inside.next_version())

    with pytest.raises(PrivlabError) as refused:
        inside.answer(question())

    assert refused.value.code == "PL302"
    assert inside.spent() == spent > 0
    assert inside.answer(question(name="another-id")).receipt.charged == str(spent)


def test_what_a_refusal_offers_is_finer_than_what_she_holds(inside: Inside) -> None:
    """30 % held and 10 % left: together 40 %, which is what she is told to type."""
    held = inside.answer(question(share="30"))
    other = "SELECT COUNT(*) AS n FROM visits WHERE age > 30"
    inside.answer(question(other, share="60", name="another-id"))

    told = answer.explain(inside.desk, inside.who, question(share="60"))
    with pytest.raises(PrivlabError) as refused:
        inside.answer(question(share="60", name="third-id"))

    (share,) = re.findall(r"--share ([\d.]+)%", refused.value.hint)
    finer = inside.answer(question(share=share, name="fourth-id"))
    assert Fraction(share) > 39
    assert "with what you hold buys half-widths 1.3 times as wide" in told.words
    assert int(finer.receipt.charged) > 0.3 * int(held.receipt.charged)
    assert inside.spent() <= int(finer.receipt.granted)
