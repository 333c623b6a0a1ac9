"""The statement: in-toto's shape, our facts, and no number."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from fractions import Fraction

import pytest

from privlab.release.statement import (
    PrivacyFacts,
    PublicFacts,
    TableFacts,
    ThresholdFacts,
    noises_of,
    reads,
    statement,
)
from privlab.seal.canonical import canonical
from privlab.terms.loss import Currency, Delta, Loss
from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian, RoundedLaplace


def test_the_subject_is_the_result(facts: PrivacyFacts) -> None:
    """By its SHA-256, as in-toto's Statement v1 has it."""
    made = statement('{"é":1}', facts)

    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["subject"] == [
        {
            "name": "result.json",
            "digest": {"sha256": hashlib.sha256('{"é":1}'.encode()).hexdigest()},
        }
    ]


def test_every_fact_is_in_the_statement(facts: PrivacyFacts) -> None:
    """Each field of the facts changes the signed bytes."""
    plain = canonical(statement("{}", facts))
    changed = {
        "asked_at": facts.asked_at.replace(year=2027),
        "bound": replace(facts.bound, groups=3),
        "charged": facts.charged + facts.charged,
        "held": facts.held + facts.charged,
        "spent": facts.spent + facts.charged,
        "granted": facts.granted + facts.charged,
        "delta": facts.delta / 10,
        "measures": facts.measures[:1],
        "outputs": (),
        "confidence": facts.confidence - 5,
        "rules": ("other",),
        "tier": 3,
        "currency": Currency.PURE,
        "tables": (replace(facts.tables[0], version=2),),
        "public": (PublicFacts(name="wards", columns=("ward",), rows=3, digest="00"),),
        "thresholds": Delta(5),
        "thresholds_spent": Delta(6),
        "thresholds_granted": Delta(7),
        "threshold": ThresholdFacts(0, 44, 3),
    }
    for field in PrivacyFacts.__dataclass_fields__:
        old = getattr(facts, field)
        new = changed.get(field, (not old) if isinstance(old, bool) else f"{old}x")
        if field == "tier":
            new = type(facts.tier)(3)

        assert canonical(statement("{}", replace(facts, **{field: new}))) != plain, field


def test_every_table_is_named_with_what_was_read_of_it(facts: PrivacyFacts) -> None:
    alone = statement("{}", facts)["predicate"]
    people = TableFacts("people", 3, frozenset({"sex", "stay_days"}))
    joined = statement("{}", replace(facts, tables=(*facts.tables, people)))["predicate"]

    assert alone["dataset"] == {
        "name": "clinic",
        "table": "visits",
        "version": "1",
        "synthetic": True,
    }
    assert reads(alone) == {"visits": {"stay_days", "ward"}}
    assert joined["dataset"] == alone["dataset"] | {
        "tables": [
            {"table": "visits", "version": "1", "columns": ["stay_days", "ward"]},
            {"table": "people", "version": "3", "columns": ["sex", "stay_days"]},
        ]
    }
    assert joined["question"]["columns"] == [
        "people.sex",
        "people.stay_days",
        "visits.stay_days",
        "visits.ward",
    ]
    assert reads(joined) == {one.table: one.columns for one in (*facts.tables, people)}


def test_the_statement_holds_no_number(facts: PrivacyFacts) -> None:
    """`canonical` refuses them, so this would raise."""
    assert canonical(statement("{}", facts)).startswith(b"{")


def test_a_pure_statement_has_an_epsilon_and_no_delta(facts: PrivacyFacts) -> None:
    noise = DiscreteLaplace(3, 1)
    pure = replace(
        facts,
        currency=Currency.PURE,
        epsilon="0.5",
        held=Loss(1 << 47),
        measures=(replace(facts.measures[0], sensitivity=960, noises=(noise,)),),
    )
    predicate = statement("{}", pure)["predicate"]
    assert isinstance(predicate, dict)
    assert predicate["loss"] == {
        "definition": "pure: units of 2^-48 of epsilon, added up",
        "charged": facts.charged.text(),
        "held": str(1 << 47),
        "delta": "0",
        "epsilon": "0.5",
    }
    (measure,) = predicate["measures"]  # type: ignore[misc]
    assert isinstance(measure, dict)
    assert measure["sensitivity"] == "960"
    assert "squaredSensitivity" not in measure
    assert measure["mechanism"] == "discrete Laplace of scale multiplier / 2^shift"


@pytest.mark.parametrize(
    "noises",
    [
        (RoundedGaussian(3, 1), RoundedGaussian(5, 0)),
        (DiscreteLaplace(7, 2),),
        (RoundedLaplace(7, 2),),
    ],
)
def test_noises_are_read_back_from_a_statement(
    facts: PrivacyFacts, noises: tuple[Noise, ...]
) -> None:
    one = replace(facts, measures=(replace(facts.measures[0], noises=noises),))
    predicate = statement("{}", one)["predicate"]
    assert isinstance(predicate, dict)
    (measure,) = predicate["measures"]  # type: ignore[misc]
    assert noises_of(measure) == noises  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no law"):
        noises_of(measure | {"mechanism": "discrete Gaussian"})  # type: ignore[operator]


@pytest.mark.parametrize(
    ("delta", "text"),
    [("1e-15", "0.000000000000001"), ("1/1048576", "0.00000095367431640625"), ("0.25", "0.25")],
)
def test_a_delta_is_written_exactly(facts: PrivacyFacts, delta: str, text: str) -> None:
    predicate = statement("{}", replace(facts, delta=Fraction(delta)))["predicate"]
    assert isinstance(predicate, dict)
    loss = predicate["loss"]
    assert isinstance(loss, dict)
    assert loss["delta"] == text
    assert Fraction(text) == Fraction(delta)


@pytest.mark.parametrize("delta", ["0", "1/3", "1/2", "-1"])
def test_a_gdp_statement_never_has_a_delta_of_nothing(facts: PrivacyFacts, delta: str) -> None:
    with pytest.raises(ValueError, match=r"delta|decimal"):
        statement("{}", replace(facts, delta=Fraction(delta)))


def test_intervals_of_chosen_cells_are_said_to_be_before_the_choice(facts: PrivacyFacts) -> None:
    for selected, together, words in (
        (False, False, "per cell"),
        (True, False, "per cell, before selection"),
        (False, True, "all cells and columns at once"),
        (True, True, "all cells and columns at once"),
    ):
        chosen = replace(facts, selected=selected, together=together)
        predicate = statement("{}", chosen)["predicate"]
        assert isinstance(predicate, dict)
        assert predicate["accuracy"] == {"confidence": "95", "intervals": words}
