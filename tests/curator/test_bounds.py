"""Bounds that an analyst's own histogram found: whose, since when, and how they stay."""

from __future__ import annotations

import base64
import random
from dataclasses import replace
from pathlib import Path

import pytest

from privlab.client import bounds as client
from privlab.client.owner import keys_message, parts_message
from privlab.connector.contract import parse
from privlab.connector.protect import protect
from privlab.curator import answer as answers
from privlab.curator import bounds, owner, practice, state
from privlab.errors import BadQuery
from privlab.query.canonical import view_ids
from privlab.query.histogram import histogram_text
from privlab.query.plan import Plan
from privlab.release.verify import verify
from privlab.terms.principal import Principal
from privlab.wire.messages import Answer
from privlab.wire.owner import Prepare, Register
from tests.curator.conftest import Inside, question

CONTRACT = """
[table]
name = "bills"
dataset = "clinic"
unit = "patient_id"
unit_word = "patient"
rows_per_unit = 8
row_cap = 10_000
purposes = ["exploration"]
[columns.patient_id]
type = "text"
[columns.charge]
type = "int"
[columns.rate]
type = "float"
[columns.odd]
type = "float"
[columns.age]
type = "int"
range = [0, 110]
"""
HISTOGRAM = "SELECT MAGNITUDE(charge) AS bin, COUNT(DISTINCT patient_id) AS n FROM bills GROUP BY 1"
TOTAL = "SELECT SUM(charge) AS s FROM bills"


def bills(path: Path, factor: int = 1) -> Path:
    """Charges of 64 to 127 by half, of 512 to 1,000 by half, and a million by one."""
    dice = random.Random(7)
    lines = ["patient_id,charge,rate,odd,age"]
    for unit in range(800):
        charge = 1_000_000 if unit == 0 else dice.randint(*((64, 127), (512, 1_000))[unit % 2])
        odd = ["", "NaN", "inf", "-0.0", "5e-324", "9.3e18", "9.3e18"][unit % 7]
        lines.append(f"p{unit},{charge * factor},{dice.uniform(0.25, 0.5)},{odd},{unit % 90}")
    path.write_text("\n".join(lines) + "\n")
    return path


def register(inside: Inside, factor: int = 1) -> None:
    """The next version of bills."""
    desk, who = inside.desk, inside.who
    prepared = owner.prepare(desk, who, Prepare(contract=CONTRACT))
    done = protect(
        bills(inside.folder / "bills.csv", factor),
        parse(CONTRACT),
        version=prepared.version,
        unit_key=base64.b64decode(prepared.unit_key),
        order_key=base64.b64decode(prepared.order_key),
        folder=Path(prepared.folder),
    )
    owner.register(
        desk,
        who,
        Register(
            contract=CONTRACT,
            version=prepared.version,
            parts=parts_message(done.parts),
            keys=keys_message(done.keys),
        ),
    )


@pytest.fixture
def clinic(inside: Inside) -> Inside:
    register(inside)
    return inside


def compiled(inside: Inside, text: str, who: Principal | None = None) -> Plan:
    return answers.compile_ask(inside.desk, who or inside.who, question(text)).question.plan


def ends(plan: Plan, at: int = 0) -> tuple[int, int]:
    low, high = plan.measures[at].low, plan.measures[at].high
    return int(low), int(high)


def clamped(inside: Inside, text: str) -> tuple[float, float]:
    """The clamp of the only sum or quantile."""
    (found,) = {
        (one.low, one.high) for one in compiled(inside, text).measures if one.of and one.high != 1
    }
    return float(found[0]), float(found[1])


def caption(inside: Inside, reply: Answer) -> str:
    verified = verify(reply.bundle, inside.desk.signer.public)
    return str(verified.result["caption"])


def test_without_a_measurement_the_refusal_says_what_to_ask(clinic: Inside) -> None:
    with pytest.raises(BadQuery) as caught:
        compiled(clinic, TOTAL)
    assert caught.value.code == "PL103"
    assert "SELECT MAGNITUDE(charge) AS bin, COUNT(DISTINCT patient_id) AS n FROM bills" in (
        caught.value.hint
    )


def test_it_is_told_which_ranges_the_contract_states(clinic: Inside) -> None:
    told = state.table(clinic.desk, clinic.who, "bills").columns
    assert {column.name for column in told if column.stated} == {"age"}


def test_a_histogram_bounds_every_later_question(clinic: Inside) -> None:
    clinic.answer(question(HISTOGRAM, "5", "the-histogram"))
    assert ends(compiled(clinic, TOTAL)) == (64, 1023)
    for text in (
        "SELECT AVG(charge) AS m FROM bills",
        "SELECT MEDIAN(charge) AS m FROM bills",
        "SELECT MAX(charge) AS m FROM bills",
        "SELECT VAR_SAMP(charge) AS m FROM bills",
        "SELECT CORR(age, charge) AS r FROM bills",
        'bills.select(m=pl.col("charge").quantile(0.9))',
    ):
        measures = compiled(clinic, text).measures
        assert (64, 1023) in {(one.low, one.high) for one in measures}, text
    reply = clinic.answer(question(TOTAL, "1", "the-first-sum"))
    words = caption(clinic, reply)
    assert "charge clamped to 64..1023" in words
    assert "charge has no stated range: 64..1023 is from your measurement of 20" in words
    facts = {one.name: one.facts for one in state.table(clinic.desk, clinic.who, "bills").columns}
    assert facts["charge"].startswith("64 to 1023, from your measurement of 20")


def test_more_of_the_histogram_moves_nothing(clinic: Inside) -> None:
    clinic.answer(question(HISTOGRAM, "5", "the-histogram"))
    before = compiled(clinic, TOTAL)
    for at, share in enumerate(("10", "20", "40")):
        clinic.answer(question(HISTOGRAM, share, f"another-time-{at}"))
        assert compiled(clinic, TOTAL) == before


def test_a_new_version_keeps_the_bounds_that_were_found(clinic: Inside) -> None:
    clinic.answer(question(HISTOGRAM, "5", "the-histogram"))
    register(clinic, factor=1000)
    plan = compiled(clinic, TOTAL)
    assert (plan.version, ends(plan)) == (2, (64, 1023))
    clinic.answer(question(HISTOGRAM, "20", "of-the-new-version"))
    assert ends(compiled(clinic, TOTAL)) == (64, 1023)
    wide = "SELECT SUM(LEAST(GREATEST(charge, 0), 1000000)) AS s FROM bills"
    assert ends(compiled(clinic, wide)) == (0, 1_000_000), "a clip of her own goes first"


AGAIN = HISTOGRAM.replace("(charge)", "(charge, 2)")


def test_bounds_are_replaced_by_a_measurement_anew_that_is_paid_in_full(clinic: Inside) -> None:
    first = clinic.answer(question(HISTOGRAM, "5", "the-histogram"))
    old = compiled(clinic, TOTAL)
    register(clinic, factor=1000)
    again = clinic.answer(question(AGAIN, "5", "measured-anew"))
    assert again.receipt.charged == first.receipt.charged != "0"
    new = compiled(clinic, TOTAL)
    assert (ends(old), ends(new)) == ((64, 1023), (65536, 1048575))
    assert set(old.bounds_from) != set(new.bounds_from)
    assert set(new.bounds_from) <= set(view_ids(compiled(clinic, AGAIN)))
    (facts,) = (
        c for c in state.table(clinic.desk, clinic.who, "bills").columns if c.name == "charge"
    )
    assert facts.measured == 2
    assert facts.facts.startswith("65536 to 1048575, from your measurement of")


def test_more_of_the_first_histogram_does_not_bring_its_bounds_back(clinic: Inside) -> None:
    clinic.answer(question(HISTOGRAM, "5", "the-histogram"))
    register(clinic, factor=1000)
    clinic.answer(question(AGAIN, "5", "measured-anew"))
    clinic.answer(question(HISTOGRAM, "20", "more-of-the-first"))
    assert ends(compiled(clinic, TOTAL)) == (65536, 1048575)


def test_a_measurement_anew_that_shows_nothing_replaces_nothing(clinic: Inside) -> None:
    clinic.answer(question(HISTOGRAM, "5", "the-histogram"))
    before = compiled(clinic, TOTAL)
    clinic.answer(question(AGAIN, "0.000001", "far-too-coarse"))
    assert compiled(clinic, TOTAL) == before


def test_the_views_of_every_time_are_those_that_are_asked_for(clinic: Inside) -> None:
    table = clinic.desk.registered.table("clinic", "bills")
    views, _ = bounds._histograms(table, "charge")
    for time in range(1, client.MOST_TIMES + 1):
        plan = compiled(clinic, client.question(("clinic", "bills"), "charge", "patient_id", time))
        assert [views[view] for view in view_ids(plan) if view in views] == [time]


def test_what_had_bounds_before_keeps_its_view(clinic: Inside) -> None:
    texts = (
        "SELECT SUM(LEAST(GREATEST(charge, 0), 5000)) AS s FROM bills",
        "SELECT SUM(charge) AS s FROM bills WHERE charge BETWEEN 1 AND 99",
        "SELECT SUM(age) AS s FROM bills",
        HISTOGRAM,
    )
    before = [compiled(clinic, text) for text in texts]
    clinic.answer(question(HISTOGRAM, "5", "the-histogram"))
    assert [compiled(clinic, text) for text in texts] == before


def test_another_analysts_measurement_is_not_used(clinic: Inside) -> None:
    clinic.answer(question(HISTOGRAM, "5", "the-histogram"))
    bob = replace(clinic.who, name="bob")
    table = clinic.desk.registered.table("clinic", "bills")
    assert bounds.bounded(clinic.desk, bob, table) == table
    assert bounds.bounded(clinic.desk, clinic.who, table) != table


def test_too_coarse_a_measurement_says_so_and_a_finer_one_helps(clinic: Inside) -> None:
    clinic.answer(question(HISTOGRAM, "0.000001", "far-too-coarse"))
    with pytest.raises(BadQuery) as caught:
        compiled(clinic, TOTAL)
    assert caught.value.code == "PL103"
    assert "ask it again at a higher price" in caught.value.hint
    facts = {one.name: one.facts for one in state.table(clinic.desk, clinic.who, "bills").columns}
    assert "no bounds yet" in facts["charge"]
    clinic.answer(question(HISTOGRAM, "5", "precise-enough"))
    assert ends(compiled(clinic, TOTAL)) == (64, 1023)


def test_decimals_below_one_and_values_at_the_edge_of_a_float(clinic: Inside) -> None:
    for column in ("rate", "odd"):
        clinic.answer(question(HISTOGRAM.replace("charge", column), "5", f"sizes-of-{column}"))
    assert clamped(clinic, "SELECT AVG(rate) AS m FROM bills") == (0.25, 0.5)
    low, high = clamped(clinic, "SELECT MEDIAN(odd) AS m FROM bills")
    assert (low, high) == (0.0, pytest.approx(2.0**64, rel=1e-5))


def test_practice_has_the_bounds_that_its_asker_holds(clinic: Inside) -> None:
    with pytest.raises(BadQuery) as caught:
        practice.practise(clinic.desk, clinic.who, question(TOTAL))
    assert caught.value.code == "PL103"
    practice.practise(clinic.desk, clinic.who, question(HISTOGRAM))
    with pytest.raises(BadQuery):
        compiled(clinic, TOTAL)  # practice measured nothing
    clinic.answer(question(HISTOGRAM, "5", "the-histogram"))
    assert (
        "clamped to 64..1023" in practice.practise(clinic.desk, clinic.who, question(TOTAL)).result
    )


def test_the_question_of_the_hint_is_the_view_that_is_looked_for(clinic: Inside) -> None:
    table = clinic.desk.registered.table("clinic", "bills")
    assert compiled(clinic, HISTOGRAM) == compiled(clinic, histogram_text(table, "charge"))
    typed = client.question(("clinic", "bills"), "charge", "patient_id")
    assert compiled(clinic, HISTOGRAM) == compiled(clinic, typed)


def test_a_charge_that_is_resumed_comes_after_what_was_sealed_before(
    clinic: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen also when the first charge is answered last."""
    broken = question(HISTOGRAM, "5", "interrupted-one")
    with monkeypatch.context() as patch:
        patch.setattr(answers, "sealed", _fails)
        with pytest.raises(RuntimeError):
            clinic.answer(broken)
    clinic.answer(question(HISTOGRAM, "1", "sealed-before-it"))
    views, _ = bounds._histograms(clinic.desk.registered.table("clinic", "bills"), "charge")
    first = clinic.desk.ledger.sealed(clinic.who.name, list(views))[0]
    clinic.answer(broken)
    sealed = clinic.desk.ledger.sealed(clinic.who.name, list(views))
    assert len(sealed) == 2
    assert sealed[0] == first


def _fails(*_: object) -> Answer:
    raise RuntimeError
