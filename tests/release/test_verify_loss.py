"""What a statement says of its loss: read aloud, and refused where it contradicts itself."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from privlab.errors import IntegrityError
from privlab.release.bundle import make
from privlab.release.statement import PrivacyFacts, ThresholdFacts, noises_of, statement
from privlab.release.verify import MEDIA_TYPE, PAYLOAD_TYPE, guarantee, verify
from privlab.seal import dsse
from privlab.seal.canonical import canonical
from privlab.seal.keys import SigningKey
from privlab.terms.loss import CERTAIN, Delta, Loss
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian

from .conftest import (
    CHOSEN,
    FACTS,
    PURE,
    PURE_CHOICE,
    RISK,
    SHOWN,
    THRESHOLD,
    UNITS_NOISE,
    predicate,
)


def signed(result: str, key: SigningKey, facts: dict[str, Any]) -> str:
    """A bundle over these facts, also where they hold what no canonical text can."""
    whole = json.loads(canonical(statement(result, FACTS))) | {"predicate": facts}
    envelope = dsse.sign(PAYLOAD_TYPE, json.dumps(whole).encode(), key)
    return json.dumps({"mediaType": MEDIA_TYPE, "envelope": envelope, "result": result})


def test_the_guarantee_is_said_in_one_line(bundle: str, pure_bundle: str, key: SigningKey) -> None:
    """A reading and the promise beside it; in a pure dataset what is read is a promise."""
    facts = verify(bundle, key.public).facts
    assert guarantee(facts) == (
        "up to this answer the asker's charges on this question read as (0.3814, 0.000001)-DP; "
        "the promise is her grant's: (2.2541, 0.000001)-DP"
    )
    assert guarantee(verify(pure_bundle, key.public).facts) == (
        "the asker's answers to this question: 0.0751-DP, without a delta"
    )


SHARES = replace(
    PURE,
    measures=tuple(
        replace(
            PURE.measures[0],
            sensitivity=960,
            noises=(DiscreteLaplace(38_400, 0),),
            share=share,
            joined=0,
            joint=960,
        )
        for share in ("above", "below")
    ),
    charged=Loss(7_036_874_417_767),
    held=Loss(7_036_874_417_767),
    epsilon="0.0251",
)
"""960 / 38,400 of epsilon for both."""


def test_what_was_bought_together_costs_its_joint_sensitivity_once(
    result: str, key: SigningKey
) -> None:
    assert verify(make(result, statement(result, SHARES), key), key.public)
    for change in (
        {"held": Loss(SHARES.held.units - 10_000)},
        {"measures": tuple(replace(one, joint=970) for one in SHARES.measures)},
        {"measures": tuple(replace(one, joined=None, joint=None) for one in SHARES.measures)},
        {"measures": (SHARES.measures[0], replace(SHARES.measures[1], joined=1))},
    ):
        with pytest.raises(IntegrityError, match="less than the noise"):
            make(result, statement(result, replace(SHARES, **change)), key)  # type: ignore[arg-type]
    other = (SHARES.measures[0], replace(SHARES.measures[1], joint=970))
    with pytest.raises(IntegrityError, match="not one of the noise"):
        make(result, statement(result, replace(SHARES, measures=other)), key)


def test_nothing_in_a_gdp_dataset_is_bought_together(result: str, key: SigningKey) -> None:
    facts = replace(FACTS, measures=tuple(replace(m, joined=0, joint=1) for m in FACTS.measures))
    with pytest.raises(IntegrityError, match="not one of the noise"):
        make(result, statement(result, facts), key)


def test_an_older_release_names_no_epsilon_of_the_grant(result: str, key: SigningKey) -> None:
    """It verifies all the same, and still promises nothing that it only read."""
    older = predicate(FACTS)
    del older["account"]["epsilonGranted"]

    facts = verify(signed(result, key, older), key.public).facts

    assert guarantee(facts).endswith(
        "the promise is her grant's, which this release does not state as an epsilon"
    )
    assert "account" not in guarantee({**facts, "account": None})


def test_the_noise_of_a_pure_vector_costs_what_it_says(pure_bundle: str, key: SigningKey) -> None:
    facts = verify(pure_bundle, key.public).facts
    epsilon = sum(
        int(one["sensitivity"]) / noise.scale
        for one in facts["measures"]
        for noise in noises_of(one)
        if isinstance(noise, DiscreteLaplace)
    )
    assert Loss.charge(epsilon).text() == facts["loss"]["charged"]


@pytest.mark.parametrize("facts", [FACTS, PURE, CHOSEN, replace(CHOSEN, **PURE_CHOICE)])
def test_a_loss_that_covers_its_noise_verifies(
    facts: PrivacyFacts, result: str, key: SigningKey
) -> None:
    """Also where it is exactly what the noise costs; less is refused."""
    assert verify(make(result, statement(result, facts), key), key.public)
    exact = facts.held if facts is not PURE else facts.charged
    assert verify(make(result, statement(result, replace(facts, held=exact)), key), key.public)
    short = Loss(exact.units - 10_000)
    with pytest.raises(IntegrityError, match="less than the noise") as caught:
        make(result, statement(result, replace(facts, held=short)), key)
    assert caught.value.code == "PL407"


@pytest.mark.parametrize(
    ("facts", "path", "value", "words"),
    [
        (FACTS, "loss.definition", "pure: units of 2^-48 of epsilon, added up", "not one of"),
        (PURE, "loss.definition", "gdp: units of 2^-48 of mu^2, added up", "not one of"),
        (FACTS, "loss.definition", "zcdp: rho", "not one of"),
        (FACTS, "loss.definition", 7, "not one of"),
        (PURE, "loss.delta", "0.4", "delta"),
        (FACTS, "loss.delta", "0", "delta"),
        (FACTS, "loss.delta", "0.5", "delta"),
        (FACTS, "loss.delta", "1e-6", "not one of"),
        (FACTS, "loss.held", "0", "less than"),
        (FACTS, "loss.held", "-1", "not one of"),
        (FACTS, "loss.held", 2_611_928_377_112, "not one of"),
        (PURE, "loss.epsilon", "0.0749", "less than"),
        (PURE, "loss.epsilon", "", "not one of"),
        (FACTS, "loss", None, "not one of"),
        (FACTS, "loss", {}, "not one of"),
        (FACTS, "measures", [], "less than"),
        (FACTS, "measures", None, "not one of"),
        (FACTS, "measures", ["x"], "not one of"),
        (FACTS, "measures.1.noises", [], "not one of"),
        (FACTS, "measures.1.noises", [{"multiplier": "0", "shift": "0"}], "not one of"),
        (FACTS, "measures.1.noises", [{"multiplier": "3", "shift": "0"}], "less than"),
        (FACTS, "measures.1.mechanism", "discrete Gaussian", "not one of"),
        (FACTS, "measures.1.mechanism", ["x"], "not one of"),
        (FACTS, "measures.0.squaredSensitivity", "9216000", "less than"),
        (FACTS, "measures.0.squaredSensitivity", None, "not one of"),
        (PURE, "measures.0.noises", [{"multiplier": "38400", "shift": "0"}] * 2, "not one of"),
        (PURE, "measures.0.noises", [{"multiplier": "100", "shift": "0"}], "less than"),
        (CHOSEN, "measures.0.noises", [{"multiplier": "1", "shift": "5"}] * 2, "not one of"),
        (CHOSEN, "measures.0.groups", "5", "less than"),
    ],
)
def test_a_signed_statement_that_contradicts_itself_is_refused(
    facts: PrivacyFacts, path: str, value: object, words: str, result: str, key: SigningKey
) -> None:
    """Law, loss and delta: whoever signed it, it cannot be a release of ours."""
    whole = predicate(facts)
    *outer, last = path.split(".")
    at: Any = whole
    for name in outer:
        at = at[int(name)] if isinstance(at, list) else at[name]
    at[last] = value

    with pytest.raises(IntegrityError) as caught:
        verify(signed(result, key, whole), key.public)

    assert caught.value.code == "PL407"
    assert words in caught.value.what


def test_a_delta_that_covers_its_threshold_verifies(result: str, key: SigningKey) -> None:
    """It is that of all thresholds she paid for on the question, so it may be more."""
    assert 3e-9 < RISK.delta < 5e-9
    for thresholds in (RISK, Delta(2 * RISK.units)):
        facts = replace(SHOWN, thresholds=thresholds)
        assert verify(make(result, statement(result, facts), key), key.public)


@pytest.mark.parametrize(
    "change",
    [
        {"thresholds": CERTAIN},
        {"thresholds": Delta(RISK.units * 99 // 100)},
        {"thresholds": Delta.budget(Fraction(1, 10**6)), "delta": Fraction(1, 10**7)},
        {"threshold": ThresholdFacts(0, THRESHOLD - 10, 4)},
        {"threshold": ThresholdFacts(0, THRESHOLD, 5)},
        {"measures": (replace(SHOWN.measures[0], noises=(RoundedGaussian(101, 0),)),)},
    ],
)
def test_a_delta_that_is_less_than_its_threshold_costs_is_refused(
    change: dict[str, Any], result: str, key: SigningKey
) -> None:
    with pytest.raises(IntegrityError, match=r"less than the threshold .* costs"):
        make(result, statement(result, replace(SHOWN, **change)), key)


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": ThresholdFacts(1, THRESHOLD, 4)},  # there is no such measure
        {"measures": (replace(SHOWN.measures[0], kind="rows"),)},
        {"measures": (replace(SHOWN.measures[0], noises=(UNITS_NOISE, UNITS_NOISE)),)},
    ],
)
def test_a_threshold_of_anything_but_one_count_of_units_is_refused(
    change: dict[str, Any], result: str, key: SigningKey
) -> None:
    with pytest.raises(IntegrityError, match="not one of the noise"):
        make(result, statement(result, replace(SHOWN, **change)), key)


def test_group_keys_that_are_not_public_have_a_threshold(result: str, key: SigningKey) -> None:
    """A statement that leaves it away, or says that the keys are anything else, is refused."""
    for change in ("threshold", "groupKeys"):
        facts = predicate(SHOWN)
        if change == "threshold":
            del facts["threshold"]
        else:
            facts["question"]["groupKeys"] = "anything"
            facts["loss"]["deltaOfThresholds"] = "0"
        with pytest.raises(IntegrityError, match="the statement's"):
            verify(signed(result, key, facts), key.public)
