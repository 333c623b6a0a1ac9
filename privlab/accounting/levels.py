"""Three ready budgets: how much a dataset may reveal, shared out in equal parts.

A level fixes the mu of the whole dataset: what everybody's answers together,
pooled by a coalition of all analysts, may reveal about one privacy unit.  A pure
dataset gets the epsilon at which the best attack has the same advantage.  The
cap is then divided among the analysts, and each part among the questions, so
the grants add up to no more than the cap, whoever shares with whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from privlab.accounting.pure import epsilon_like
from privlab.accounting.words import attack_words
from privlab.errors import BadQuery
from privlab.terms.loss import Currency, Delta, Loss


@dataclass(frozen=True, slots=True)
class Level:
    """A name for a mu of a whole dataset, and the data one would choose it for."""

    name: str
    mu: Fraction
    use: str

    @property
    def cap(self) -> Loss:
        """mu^2 of a GDP dataset, rounded down to whole units."""
        return self.cap_in(Currency.GDP)

    @property
    def reason(self) -> str:
        """Why one would choose it for a GDP dataset."""
        return self.reason_in(Currency.GDP)

    def cap_in(self, currency: Currency) -> Loss:
        """mu^2, or the epsilon of the same advantage: rounded down to whole units."""
        match currency:
            case Currency.GDP:
                return Loss.budget(self.mu**2)
            case Currency.PURE:
                return Loss.budget(epsilon_like(self.mu))

    def reason_in(self, currency: Currency) -> str:
        """What all answers together may reveal, and the data that is right for."""
        attack = attack_words(self.cap_in(currency), currency)
        return f"with the answers of all analysts together, {attack}; {self.use}"


LEVELS: tuple[Level, ...] = (
    Level("careful", Fraction(1, 4), "for health, children, and data that is sought after"),
    Level(
        "standard",
        Fraction(1, 2),
        "for personal data that trained colleagues work with under a contract",
    ),
    Level(
        "open",
        Fraction(1),
        "for data whose disclosure would do little harm, such as trips, machines and purchases",
    ),
)
"""From the smallest loss to the largest."""


THRESHOLDS = Fraction(1, 10)
"""The part of a dataset's delta that thresholds may use up, unless a steward says otherwise.

A larger part would lower no threshold by much, which follows the root of its logarithm;
what is left is the delta at which epsilons are read.
"""


def thresholds_of(delta: Fraction, part: Fraction = THRESHOLDS) -> Delta:
    """That part of a delta in whole units, rounded down."""
    return Delta.budget(delta * part)


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """A level shared out.  analysts * grant <= cap; questions * per_question <= grant.

    per_question is what one question costs if all are alike; an analyst may
    spend her grant in other portions.  All in the currency.
    """

    level: Level
    analysts: int
    questions: int
    cap: Loss
    grant: Loss
    per_question: Loss
    currency: Currency = Currency.GDP


def level(name: str) -> Level:
    """The level called ``name``.

    :raises BadQuery: PL112, there is none.
    """
    for candidate in LEVELS:
        if candidate.name == name:
            return candidate
    names = ", ".join(candidate.name for candidate in LEVELS)
    raise BadQuery(f"there is no level {name!r}", code="PL112", hint=f"the levels are {names}")


def plan(
    chosen: Level | str, analysts: int, questions: int, currency: Currency = Currency.GDP
) -> BudgetPlan:
    """Share a level's cap among ``analysts`` with ``questions`` each, rounded down.

    :raises BadQuery: PL112, no such level, a number below 1, or so many that a
        question would get nothing.
    """
    chosen = level(chosen) if isinstance(chosen, str) else chosen
    if analysts < 1 or questions < 1:
        raise BadQuery(
            f"a budget needs at least 1 analyst and 1 question, got {analysts} and {questions}",
            code="PL112",
        )
    cap = chosen.cap_in(currency)
    grant = Loss(cap.units // analysts)
    per_question = Loss(grant.units // questions)
    if not per_question:
        raise BadQuery(
            f"{analysts} analysts with {questions} questions each leave nothing for a question",
            code="PL112",
            hint="name fewer analysts or fewer questions",
        )
    return BudgetPlan(chosen, analysts, questions, cap, grant, per_question, currency)
