"""The statement: in-toto's shape, our facts, and no number."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from privlab.release.statement import PrivacyFacts, statement
from privlab.seal.canonical import canonical


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
        "version": 2,
    }
    for field in PrivacyFacts.__dataclass_fields__:
        old = getattr(facts, field)
        new = changed.get(field, (not old) if isinstance(old, bool) else f"{old}x")
        if field == "tier":
            new = type(facts.tier)(3)

        assert canonical(statement("{}", replace(facts, **{field: new}))) != plain, field


def test_the_statement_holds_no_number(facts: PrivacyFacts) -> None:
    """`canonical` refuses them, so this would raise."""
    assert canonical(statement("{}", facts)).startswith(b"{")


def test_intervals_of_chosen_cells_are_said_to_be_before_the_choice(facts: PrivacyFacts) -> None:
    for selected, words in ((False, "per cell"), (True, "per cell, before selection")):
        predicate = statement("{}", replace(facts, selected=selected))["predicate"]
        assert isinstance(predicate, dict)
        assert predicate["accuracy"] == {"confidence": "95", "intervals": words}
