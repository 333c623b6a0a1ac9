"""Groups whose keys are not public, from protected rows to the answer: charged once, hidden for good.

Three wards have a thousand patients each; one patient is in a ward of her own, whose
name is searched for in all that is answered, logged and stored.
"""

from __future__ import annotations

import base64
from fractions import Fraction

import pytest

from privlab.accounting.levels import thresholds_of
from privlab.client.owner import keys_message, parts_message
from privlab.connector.contract import parse
from privlab.connector.protect import protect
from privlab.curator import answer, owner
from privlab.errors import PrivlabError
from privlab.ledger.accounts import Account
from privlab.mechanisms.threshold import delta_of_threshold
from privlab.query.canonical import view_ids
from privlab.query.compile import compile_question
from privlab.release.statement import noises_of
from privlab.release.verify import verify
from privlab.terms.loss import CERTAIN, Delta, Loss
from privlab.terms.noise import RoundedGaussian
from privlab.wire.owner import Prepare, Register
from tests.conftest import VISITS, visits_csv
from tests.curator.conftest import Inside, question

HIDDEN = "ward-of-the-zebrafish"
SHOWN = ["cardiology", "oncology", "surgery"]
OPEN = VISITS.replace('keys = ["cardiology", "oncology", "surgery"]\n', "")
BY_WARD = "SELECT ward, COUNT(*) AS n, AVG(age) AS a FROM visits GROUP BY ward"
BUDGET, DELTA = Loss.budget(Fraction(1, 2)), Fraction(1, 10**6)


def with_hidden(inside: Inside) -> Register:
    """The next version of visits: wards are not public, and one patient is alone in hers."""
    source = visits_csv(inside.folder.parent / "open.csv")
    alone = f"patient-alone,{HIDDEN},40,1.5,7,50,2023-05-05,a note\n"
    source.write_text(source.read_text() + alone * 3)
    prepared = owner.prepare(inside.desk, inside.who, Prepare(contract=OPEN))
    done = protect(
        source,
        parse(OPEN),
        version=prepared.version,
        unit_key=base64.b64decode(prepared.unit_key),
        order_key=base64.b64decode(prepared.order_key),
        folder=inside.folder / prepared.folder,
    )
    return Register(
        contract=OPEN,
        version=prepared.version,
        parts=parts_message(done.parts),
        keys=keys_message(done.keys),
    )


@pytest.fixture
def wards(inside: Inside) -> Inside:
    inside.register(with_hidden(inside))
    thresholds = thresholds_of(DELTA, Fraction(1, 10))
    ledger, name = inside.desk.ledger, inside.who.name
    ledger.set_budget("clinic", BUDGET, DELTA, {name: BUDGET}, name, thresholds)
    return inside


def account(inside: Inside) -> Account:
    found = inside.desk.ledger.account(inside.who.name, "clinic")
    assert found is not None
    return found


def test_without_a_delta_for_thresholds_nothing_is_read_or_spent(inside: Inside) -> None:
    inside.register(with_hidden(inside))
    with pytest.raises(PrivlabError) as refused:
        inside.answer(question(BY_WARD, share="20"))
    assert refused.value.code == "PL210"
    assert inside.spent() == 0


def test_what_is_charged_is_the_loss_and_the_delta_of_what_was_drawn(wards: Inside) -> None:
    told = answer.explain(wards.desk, wards.who, question(BY_WARD, share="20"))
    assert account(wards).delta_spent == CERTAIN
    reply = wards.answer(question(BY_WARD, share="20"))
    facts = verify(reply.bundle, wards.desk.signer.public).facts
    test, cap = facts["threshold"], wards.desk.ledger.cap("clinic")
    measure = facts["measures"][int(test["measure"])]
    (noise,) = noises_of(measure)

    assert isinstance(noise, RoundedGaussian)
    assert measure["kind"] == "units"
    delta = Delta.charge(delta_of_threshold(noise, int(test["at"]), int(test["groups"])))
    assert account(wards).delta_spent == delta
    assert cap is not None
    assert (cap.delta_spent, cap.spent) == (delta, account(wards).spent)
    assert Fraction(facts["loss"]["deltaOfThresholds"]) == delta.delta
    assert reply.receipt.charged == told.charge == str(wards.spent())
    assert "its threshold cost" in reply.receipt.words


def test_the_same_again_is_the_same_and_free_also_of_delta(wards: Inside) -> None:
    first = wards.answer(question(BY_WARD, share="20"))
    before = account(wards)
    again = wards.answer(question(BY_WARD, share="20"))
    other = wards.answer(question(BY_WARD, share="20", name="another-request"))
    coarser = wards.answer(question(BY_WARD, share="10", name="a-coarser-one"))

    assert again == first
    assert other.bundle == coarser.bundle == first.bundle
    assert (other.receipt.charged, coarser.receipt.charged) == ("0", "0")
    assert account(wards) == before


def test_a_finer_answer_is_a_threshold_of_its_own(wards: Inside) -> None:
    wards.answer(question(BY_WARD, share="10"))
    one = account(wards)
    finer = wards.answer(question(BY_WARD, share="30", name="a-finer-one"))
    facts = verify(finer.bundle, wards.desk.signer.public).facts

    assert account(wards).delta_spent > one.delta_spent > CERTAIN
    assert Fraction(facts["loss"]["deltaOfThresholds"]) == account(wards).delta_spent.delta
    assert all(len(measure["noises"]) == 1 for measure in facts["measures"])


def test_what_is_hidden_is_in_no_answer_and_nothing_that_is_stored(wards: Inside) -> None:
    """What lies sealed is opened: hidden groups are not even there."""
    said: list[str] = []
    ask = question(BY_WARD, share="20")
    reply = wards.answer(ask, lambda phase: said.append(phase.model_dump_json()))
    shown = verify(reply.bundle, wards.desk.signer.public).result["rows"]
    plan = compile_question(BY_WARD, {}, wards.desk.registered.catalog).plan
    held = [one for view in view_ids(plan) for one in wards.desk.ledger.held(wards.who.name, view)]

    assert [row[0] for row in shown] == SHOWN
    assert len(held) == len(plan.measures)
    for one in held:
        assert one.groups is not None
        assert [label for (label,) in one.groups.labels] == SHOWN
        assert len(one.values) == len(SHOWN)
    again = wards.answer(ask)
    history = wards.desk.ledger.history(wards.who.name, 9)
    for text in (reply.model_dump_json(), again.model_dump_json(), *said, repr(history)):
        assert HIDDEN not in text
    raw = [wards.desk.ledger._db._connection.serialize("main")]
    raw += [path.read_bytes() for path in wards.folder.rglob("*") if path.is_file()]
    assert len(raw) > 5
    for spelled in (HIDDEN.encode(), HIDDEN.encode("utf-16-le"), HIDDEN.encode().hex().encode()):
        assert not any(spelled in content for content in raw)
