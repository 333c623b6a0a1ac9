"""The in-toto Statement v1 that a release carries: what is vouched for.

Source: https://in-toto.io/Statement/v1 (spec/v1/statement.md).  The subject is
the SHA-256 of the result text; the predicate is ours, versioned by its URI.
Every number is a decimal text, and nothing here is computed from rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from privlab.release.result import decimal, exact
from privlab.release.verify import (
    CHOICE,
    DISCRETE_LAPLACE,
    FLIP,
    GAUSSIAN,
    PREDICATE_TYPE,
    RESULT_NAME,
    ROUNDED_LAPLACE,
    STATEMENT_TYPE,
    THRESHOLDED,
)
from privlab.seal.canonical import Json
from privlab.terms.bounds import ContributionBound
from privlab.terms.loss import CERTAIN, Currency, Delta, Loss
from privlab.terms.noise import (
    Choice,
    DiscreteLaplace,
    Flip,
    Mechanism,
    RoundedGaussian,
    RoundedLaplace,
)
from privlab.terms.principal import Tier

DEFINITIONS = {
    Currency.GDP: "gdp: units of 2^-48 of mu^2, added up",
    Currency.PURE: "pure: units of 2^-48 of epsilon, added up",
}
"""What a loss is an amount of."""

MECHANISMS: Mapping[type, str] = {
    RoundedGaussian: GAUSSIAN,
    DiscreteLaplace: DISCRETE_LAPLACE,
    RoundedLaplace: ROUNDED_LAPLACE,
    Choice: CHOICE,
    Flip: FLIP,
}
"""Each mechanism, in the words a statement has for it."""

_SENSITIVITIES: Mapping[type, str] = {
    RoundedGaussian: "squaredSensitivity",
    DiscreteLaplace: "sensitivity",
    RoundedLaplace: "sensitivity",
    Choice: "groups",
    Flip: "groups",
}
"""What of one unit the loss is proportional to, or of a choice, how often it is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureFacts:
    """One released vector behind the answer.

    kind: "rows", "units", "sum", "distinct" or "quantile".  step: the unit of its
    integers, in the column's unit.  sensitivity: in squared steps where the noise
    is Gaussian, in steps (L1) where it is Laplace; of a quantile, the groups that
    one unit is in at most.  noises: one for each measurement that was merged, oldest
    first, all of one law; one alone where it is not Gaussian.  view: the view's id.
    q, candidates: of a quantile, which one, and among how many values.  share,
    joint: of a share, which one, and what its value's shares together are moved by;
    joined: the number of the first of those measures.  among: of quantiles that
    were chosen together, all of them.
    """

    view: str
    kind: str
    step: Fraction
    sensitivity: int
    noises: tuple[Mechanism, ...]
    q: Fraction | None = None
    candidates: int | None = None
    share: str | None = None
    joined: int | None = None
    joint: int | None = None
    among: tuple[Fraction, ...] = ()


@dataclass(frozen=True, slots=True)
class ThresholdFacts:
    """Which groups are shown: those in which ``measure``, noisy, is at least ``at``.

    measure: its place among the measures; groups: that one unit counts in at most.
    """

    measure: int
    at: int
    groups: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFacts:
    """One column of the answer: which measures it is made of, and how, in words."""

    name: str
    label: str
    measures: tuple[int, ...]
    post_processing: str


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table version that was read, and the columns that were read of it."""

    table: str
    version: int
    columns: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFacts:
    """One table that the asker brought with the question.

    digest: SHA-256 in hex of all of it, as ``docs/spec/release.md`` says.
    """

    name: str
    columns: tuple[str, ...]
    rows: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyFacts:
    """Everything a reader needs to judge a release (``docs/spec/release.md``).

    asked_at: when the question came in, before any row was read.
    unit: the column of the privacy unit; unit_word: what people call it.
    tables: all that were read; the others are joined to the first.
    public: tables that the asker brought.
    plan: SHA-256 in hex of the canonical question.
    charged: what this request cost, in ``currency``.  held: all its asker has
    learned on the question after it; epsilon: of ``held``, at ``delta``, which
    says nothing in a pure dataset.  spent, granted: her account after the charge;
    epsilon_spent, epsilon_granted: of ``spent``, a reading, and of ``granted``, the
    promise.  account: her salted hash.
    thresholds: the delta of all thresholds the asker paid for on the question;
    thresholds_spent, thresholds_granted: of her account.  Each epsilon is read at what
    is left of ``delta`` beside its own.  threshold: None where the group keys are public.
    policy, rules: which policy let it through, and by which rules.
    certifier, engine: name and version.
    selected: noisy values chose which cells are shown (HAVING, or LIMIT after a
    sort by estimates), so that intervals cover per cell, but not those shown.
    together: the intervals of all cells and columns hold at once, whatever is shown.
    seeded: the noise can be repeated by somebody.  test_mode: any other reason
    why these numbers protect nobody.  A verifier shouts when either is set.
    """

    asked_at: datetime
    dataset: str
    tables: tuple[TableFacts, ...]
    synthetic: bool
    unit: str
    unit_word: str
    bound: ContributionBound
    query: str
    plan: str
    purpose: str
    charged: Loss
    held: Loss
    delta: Fraction
    epsilon: str
    account: str
    spent: Loss
    granted: Loss
    epsilon_spent: str
    epsilon_granted: str
    measures: tuple[MeasureFacts, ...]
    outputs: tuple[OutputFacts, ...]
    confidence: Fraction
    policy: str
    rules: tuple[str, ...]
    tier: Tier
    certifier: str
    engine: str
    selected: bool = False
    together: bool = False
    seeded: bool = False
    test_mode: bool = False
    currency: Currency = Currency.GDP
    public: tuple[PublicFacts, ...] = ()
    thresholds: Delta = CERTAIN
    thresholds_spent: Delta = CERTAIN
    thresholds_granted: Delta = CERTAIN
    threshold: ThresholdFacts | None = None


def statement(result: str, facts: PrivacyFacts) -> dict[str, Json]:
    """The statement about ``result``, the text of `result_json`.

    :raises ValueError: the delta is not one that a statement can write.
    """
    digest = hashlib.sha256(result.encode("utf-8")).hexdigest()
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": RESULT_NAME, "digest": {"sha256": digest}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": _predicate(facts),
    }


def _predicate(facts: PrivacyFacts) -> dict[str, Json]:
    stamp = facts.asked_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "askedAt": stamp,
        "dataset": _dataset(facts),
        "privacyUnit": {
            "column": facts.unit,
            "word": facts.unit_word,
            "neighbours": "tables that differ by adding or removing one unit",
            "rows": str(facts.bound.rows),
            "rowsPerGroup": str(facts.bound.rows_per_group),
            "groups": str(facts.bound.groups),
        },
        "question": {
            "text": facts.query,
            "plan": facts.plan,
            "columns": _columns(facts),
            "purpose": facts.purpose,
            "groupKeys": "public" if facts.threshold is None else THRESHOLDED,
            **({"publicTables": public_tables(facts.public)} if facts.public else {}),
        },
        "loss": {
            "definition": DEFINITIONS[facts.currency],
            "charged": facts.charged.text(),
            "held": facts.held.text(),
            "delta": _delta(facts),
            **_some("deltaOfThresholds", facts.thresholds),
            "epsilon": facts.epsilon,
        },
        "account": {
            "name": facts.account,
            "spent": facts.spent.text(),
            "granted": facts.granted.text(),
            **_some("deltaOfThresholdsSpent", facts.thresholds_spent),
            **_some("deltaOfThresholdsGranted", facts.thresholds_granted),
            "epsilonSpent": facts.epsilon_spent,
            "epsilonGranted": facts.epsilon_granted,
        },
        "measures": [_measure(measure) for measure in facts.measures],
        **_threshold(facts.threshold),
        "outputs": [
            {
                "name": output.name,
                "label": output.label,
                "measures": [str(index) for index in output.measures],
                "postProcessing": output.post_processing,
            }
            for output in facts.outputs
        ],
        "accuracy": {
            "confidence": decimal(facts.confidence),
            "intervals": _intervals(facts),
        },
        "policy": {"sha256": facts.policy, "rules": list(facts.rules)},
        "boundary": facts.tier.words,
        "software": {"certifier": facts.certifier, "engine": facts.engine},
        "test": {"seeded": facts.seeded, "testMode": facts.test_mode},
    }


def _dataset(facts: PrivacyFacts) -> dict[str, Json]:
    first = facts.tables[0]
    found: dict[str, Json] = {
        "name": facts.dataset,
        "table": first.table,
        "version": str(first.version),
        "synthetic": facts.synthetic,
    }
    if len(facts.tables) > 1:
        found["tables"] = [
            {"table": one.table, "version": str(one.version), "columns": sorted(one.columns)}
            for one in facts.tables
        ]
    return found


def public_tables(frames: Iterable[PublicFacts]) -> list[Json]:
    """What a statement says of the tables that the asker brought."""
    return [
        {
            "name": one.name,
            "columns": list(one.columns),
            "rows": str(one.rows),
            "sha256": one.digest,
        }
        for one in frames
    ]


def _columns(facts: PrivacyFacts) -> list[Json]:
    """Of one table by their names, of several with the table's."""
    if len(facts.tables) == 1:
        return [*sorted(facts.tables[0].columns)]
    return [*sorted(f"{one.table}.{name}" for one in facts.tables for name in one.columns)]


def reads(facts: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Per table that a verified statement names, the columns that were read of it."""
    dataset = facts["dataset"]
    if "tables" in dataset:
        return {one["table"]: frozenset(one["columns"]) for one in dataset["tables"]}
    return {dataset["table"]: frozenset(facts["question"]["columns"])}


def _intervals(facts: PrivacyFacts) -> str:
    """What the confidence is of."""
    if facts.together:
        return "all cells and columns at once"
    return "per cell, before selection" if facts.selected else "per cell"


def _threshold(facts: ThresholdFacts | None) -> dict[str, Json]:
    if facts is None:
        return {}
    return {
        "threshold": {
            "measure": str(facts.measure),
            "at": str(facts.at),
            "groups": str(facts.groups),
        }
    }


def _some(name: str, delta: Delta) -> dict[str, Json]:
    """A delta of thresholds, exactly, where there is one."""
    return {name: exact(delta.delta)} if delta else {}


def _delta(facts: PrivacyFacts) -> str:
    """Exactly: a delta that was rounded would promise what nobody proved."""
    if facts.currency is Currency.PURE:
        return "0"
    if not 0 < facts.delta < Fraction(1, 2):
        raise ValueError("a gdp loss is read at a delta between 0 and 1/2")
    return exact(facts.delta)


def noises_of(measure: Mapping[str, Any]) -> tuple[Mechanism, ...]:
    """The noises of one entry of ``measures``, of a statement that verified.

    :raises ValueError: they are of no law that a statement names.
    """
    for law, words in MECHANISMS.items():
        if measure["mechanism"] == words:
            return tuple(
                law(int(one["multiplier"]), int(one["shift"])) for one in measure["noises"]
            )
    raise ValueError("the statement names no law of noise that is known here")


def _measure(measure: MeasureFacts) -> dict[str, Json]:
    (law,) = {type(noise) for noise in measure.noises}
    facts: dict[str, Json] = {
        "view": measure.view,
        "kind": measure.kind,
        "step": decimal(measure.step),
        _SENSITIVITIES[law]: str(measure.sensitivity),
        "mechanism": MECHANISMS[law],
        "noises": [
            {"multiplier": str(noise.multiplier), "shift": str(noise.shift)}
            for noise in measure.noises
        ],
    }
    if measure.q is not None:
        facts["quantile"] = decimal(measure.q)
        facts["candidates"] = str(measure.candidates)
    if measure.among:
        facts["among"] = [decimal(q) for q in measure.among]
    if measure.share is not None:
        facts["share"] = measure.share
    if measure.joint is not None:
        facts["jointWith"], facts["jointSensitivity"] = str(measure.joined), str(measure.joint)
    return facts
