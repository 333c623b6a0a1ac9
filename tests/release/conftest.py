"""One release, made the way the curator makes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from privlab.mechanisms.threshold import delta_of_threshold
from privlab.release.bundle import make
from privlab.release.result import result_json
from privlab.release.statement import (
    MeasureFacts,
    OutputFacts,
    PrivacyFacts,
    TableFacts,
    ThresholdFacts,
    statement,
)
from privlab.seal.digest import keyed_digest
from privlab.seal.keys import SigningKey
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind
from privlab.terms.loss import Currency, Delta, Loss
from privlab.terms.noise import Choice, DiscreteLaplace, RoundedGaussian
from privlab.terms.principal import Tier
from privlab.terms.release import ResultColumn, ResultTable

FACTS = PrivacyFacts(
    asked_at=datetime(2026, 11, 24, 5, 0, tzinfo=UTC),
    dataset="clinic",
    tables=(TableFacts("visits", 1, frozenset({"stay_days", "ward"})),),
    synthetic=True,
    unit="patient_id",
    unit_word="patient",
    bound=ContributionBound(rows=8, rows_per_group=4, groups=4),
    query="SELECT ward, AVG(stay_days) AS stay FROM visits GROUP BY ward",
    plan="ab" * 32,
    purpose="care",
    charged=Loss(2_386_748_395_743),
    held=Loss(2_611_928_377_112),
    delta=Fraction(1, 10**6),
    epsilon="0.3814",
    account=keyed_digest("privlab/account/v1", bytes(16), b"ana").hex(),
    spent=Loss(2_611_928_377_112),
    granted=Loss(70_368_744_177_664),
    epsilon_spent="0.3814",
    epsilon_granted="2.2541",
    measures=(
        MeasureFacts(
            view="cd" * 32,
            kind="sum",
            step=Fraction(1, 2),
            sensitivity=64 * 120**2,
            noises=(RoundedGaussian(4_000_000_000, 20),),
        ),
        MeasureFacts(
            view="ef" * 32,
            kind="rows",
            step=Fraction(1),
            sensitivity=64,
            noises=(RoundedGaussian(100, 0), RoundedGaussian(4_000_000_000, 25)),
        ),
    ),
    outputs=(
        OutputFacts(name="stay", label="mean", measures=(0, 1), post_processing="sum / rows"),
    ),
    confidence=Fraction(95),
    policy="01" * 32,
    rules=("analyst-asks",),
    tier=Tier.SAME_UID,
    certifier="opendp 0.16.0",
    engine="privlab 0.1.0",
)

PURE = replace(
    FACTS,
    currency=Currency.PURE,
    delta=Fraction(0),
    charged=Loss(14_073_748_835_533),
    held=Loss(21_110_623_253_300),
    epsilon="0.0751",
    spent=Loss(28_147_497_671_066),
    granted=Loss(112_589_990_684_262),
    epsilon_spent="0.1001",
    epsilon_granted="0.4000",
    measures=(
        replace(FACTS.measures[0], sensitivity=960, noises=(DiscreteLaplace(38_400, 0),)),
        replace(FACTS.measures[1], sensitivity=8, noises=(DiscreteLaplace(640, 1),)),
    ),
)
"""The same table of a pure dataset, where a coarser answer was held before."""

CHOSEN = replace(
    FACTS,
    charged=Loss(1_727_048_504_251),
    held=Loss(1_727_048_504_251),
    epsilon="0.3057",
    measures=(
        replace(
            FACTS.measures[0],
            kind="quantile",
            sensitivity=4,
            noises=(Choice(1, 4),),
            q=Fraction(1, 2),
            candidates=121,
        ),
    ),
)
"""A median: chosen, so not in steps of a sensitivity but once for each group."""

PURE_CHOICE: dict[str, Any] = {
    "currency": Currency.PURE,
    "delta": Fraction(0),
    "charged": Loss(1 << 46),
    "held": Loss(1 << 46),
    "epsilon": "0.2500",
}
"""What is another of it in a pure dataset: 4 groups at 1/16."""

UNITS_NOISE = RoundedGaussian(100, 0)
"""Its standard deviation is 283."""
THRESHOLD = 1_700
RISK = Delta.charge(delta_of_threshold(UNITS_NOISE, THRESHOLD, 4))
SHOWN = replace(
    FACTS,
    measures=(replace(FACTS.measures[1], kind="units", sensitivity=4, noises=(UNITS_NOISE,)),),
    outputs=(replace(FACTS.outputs[0], measures=(0,)),),
    threshold=ThresholdFacts(0, THRESHOLD, 4),
    thresholds=RISK,
    thresholds_spent=RISK,
    thresholds_granted=Delta.budget(Fraction(1, 10**7)),
)
"""Groups of one unit's four, shown from a noisy count of 1,700 on: a delta of 4 in 10^9."""

TABLE = ResultTable(
    (
        ResultColumn("ward", "key", Kind.TEXT),
        ResultColumn("stay", "mean", Kind.FLOAT, 1),
    ),
    (("A", Fraction(22, 7)), ("B", None)),
    ((None, Fraction(1, 3)), (None, None)),
    Fraction(95),
)


def predicate(facts: PrivacyFacts) -> dict[str, Any]:
    """What a statement about ``facts`` says, to be changed."""
    made = statement("{}", facts)["predicate"]
    assert isinstance(made, dict)
    return made


@pytest.fixture
def key() -> SigningKey:
    return SigningKey(b"\x07" * 32)


@pytest.fixture
def facts() -> PrivacyFacts:
    return FACTS


@pytest.fixture
def result() -> str:
    return result_json(TABLE, title="by_ward", caption="at most 8 visits per patient")


@pytest.fixture
def pure_bundle(result: str, key: SigningKey) -> str:
    return make(result, statement(result, PURE), key)


@pytest.fixture
def bundle(result: str, key: SigningKey) -> str:
    return make(result, statement(result, FACTS), key)


@pytest.fixture
def shown_bundle(key: SigningKey) -> str:
    """How many patients each ward has, where wards are not public."""
    columns = (
        ResultColumn("ward", "key", Kind.TEXT),
        ResultColumn("patients", "units", Kind.INT, unit_word="patient"),
    )
    table = ResultTable(
        columns,
        (("A", Fraction(2_104)), ("B", Fraction(1_873))),
        ((None, Fraction(555)), (None, Fraction(555))),
        Fraction(95),
    )
    result = result_json(
        table,
        title="patients",
        caption="groups with a noisy count of patients below 1,700 are not shown",
    )
    facts = replace(
        SHOWN,
        query="SELECT ward, COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY ward",
        outputs=(
            OutputFacts(name="patients", label="units", measures=(0,), post_processing="units"),
        ),
    )
    return make(result, statement(result, facts), key)
