"""A quantile's life: chosen once, free again, paid in full when finer, and said as it is."""

from __future__ import annotations

from fractions import Fraction

import pytest

from privlab.accounting.charge import charge
from privlab.accuracy.choice import ranks_off
from privlab.curator import answer
from privlab.errors import PrivlabError
from privlab.release.statement import noises_of
from privlab.release.verify import verify
from privlab.terms.events import ChoiceEvent
from privlab.terms.loss import Currency, Loss
from privlab.terms.noise import Choice
from privlab.wire.messages import Answer
from tests.curator.conftest import Inside, question

MEDIAN = "SELECT ward, MEDIAN(stay_days) AS m FROM visits GROUP BY ward"


def choice_of(inside: Inside, reply: Answer) -> tuple[Choice, int]:
    """The one choice of a release, and how often it was paid."""
    (measure,) = verify(reply.bundle, inside.desk.signer.public).facts["measures"]
    (choice,) = noises_of(measure)
    assert isinstance(choice, Choice)
    return choice, int(measure["groups"])


def test_a_median_is_charged_as_its_choices_and_stated_so(inside: Inside) -> None:
    reply = inside.answer(question(MEDIAN, share="20"))
    found = verify(reply.bundle, inside.desk.signer.public)
    (measure,) = found.facts["measures"]
    choice, groups = choice_of(inside, reply)

    assert (measure["kind"], measure["quantile"], measure["candidates"]) == (
        "quantile",
        "0.5",
        "241",
    )
    cost = charge(ChoiceEvent(choice.epsilon, groups), Currency.GDP).loss
    assert inside.spent() == cost.units == int(found.facts["loss"]["held"])
    assert [column["label"] for column in found.result["columns"]] == ["key", "median"]
    assert all(0 <= Fraction(value) <= 60 for _, value in found.result["rows"])
    assert {width for _, width in found.result["half_widths"]} == {None}
    ranks = ranks_off(Fraction(1, 2), 241, choice.epsilon, Fraction(95))
    words = f"m is within {ranks:,} ranks of the exact one in each group at 95 %"
    assert words in found.result["caption"]
    assert "stay_days clamped to 0..60" in found.result["caption"]


def test_a_median_again_is_free_and_a_finer_one_is_paid_in_full(inside: Inside) -> None:
    first = inside.answer(question(MEDIAN, share="10"))
    spent = inside.spent()
    again = inside.answer(question(MEDIAN, share="5", name="again-the-same"))
    assert again.receipt.charged == "0"
    assert inside.spent() == spent
    assert choice_of(inside, again) == choice_of(inside, first)

    told = answer.explain(inside.desk, inside.who, question(MEDIAN, share="30"))
    finer = inside.answer(question(MEDIAN, share="30", name="finer-than-it"))
    choice, groups = choice_of(inside, finer)
    cost = charge(ChoiceEvent(choice.epsilon, groups), Currency.GDP).loss

    assert choice.epsilon > choice_of(inside, first)[0].epsilon
    assert finer.receipt.charged == str(cost.units) == told.charge
    assert inside.spent() == spent + cost.units
    held = verify(finer.bundle, inside.desk.signer.public).facts["loss"]["held"]
    assert Loss.parse(held) == Loss(spent + cost.units)


def test_the_largest_says_that_it_is_not(inside: Inside) -> None:
    reply = inside.answer(
        question("SELECT MAX(stay_days) AS top, COUNT(*) AS n FROM visits", share="20")
    )
    result = verify(reply.bundle, inside.desk.signer.public).result
    assert "top is not the greatest value but the one that" in result["caption"]
    assert {column["label"] for column in result["columns"]} == {"max", "rows"}


def test_distinct_values_are_noisy_counts(inside: Inside) -> None:
    reply = inside.answer(question("SELECT COUNT(DISTINCT stay_days) AS n FROM visits", share="60"))
    found = verify(reply.bundle, inside.desk.signer.public)
    (measure,) = found.facts["measures"]
    assert measure["kind"] == "distinct"
    assert measure["squaredSensitivity"] == "16"
    assert found.result["columns"][0]["label"] == "distinct"
    assert found.result["half_widths"][0][0] is not None


def test_a_half_width_of_a_median_is_refused_before_anything_is_spent(inside: Inside) -> None:
    ask = question(MEDIAN).model_copy(
        update={
            "price": question(MEDIAN).price.model_copy(update={"share": None, "within": {"m": "2"}})
        }
    )
    with pytest.raises(PrivlabError) as refused:
        inside.answer(ask)
    assert refused.value.code == "PL108"
    assert inside.spent() == 0
