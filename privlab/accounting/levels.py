"""Three ready budgets: how much a dataset may reveal, shared out in equal parts.

A level fixes the mu of the whole dataset: what everybody's answers together,
pooled by a coalition of all analysts, may reveal about one privacy unit.  The
cap is then divided among the analysts, and each part among the questions, so
the grants add up to no more than the cap, whoever shares with whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from privlab.errors import BadQuery
from privlab.terms.loss import Loss


@dataclass(frozen=True, slots=True)
class Level:
    """A name for a mu of a whole dataset, and why one would choose it."""

    name: str
    mu: Fraction
    reason: str

    @property
    def cap(self) -> Loss:
        """mu^2 of the dataset, rounded down to whole units."""
        return Loss.budget(self.mu**2)


LEVELS: tuple[Level, ...] = (
    Level(
        "careful",
        Fraction(1, 4),
        "the best attack on one person, by all analysts together, finds 2 in 100 of the "
        "people in the data while falsely naming 1 in 100 of the others; for health, "
        "children, and data that is sought after",
    ),
    Level(
        "standard",
        Fraction(1, 2),
        "the best attack finds 3 in 100 while falsely naming 1 in 100; for personal data "
        "that trained colleagues work with under a contract",
    ),
    Level(
        "open",
        Fraction(1),
        "the best attack finds 9 in 100 while falsely naming 1 in 100; for data whose "
        "disclosure would do little harm, such as trips, machines and purchases",
    ),
)
"""From the smallest loss to the largest."""


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """A level shared out.  analysts * grant <= cap; questions * per_question <= grant.

    per_question is what one question costs if all are alike; an analyst may
    spend her grant in other portions.
    """

    level: Level
    analysts: int
    questions: int
    cap: Loss
    grant: Loss
    per_question: Loss


def level(name: str) -> Level:
    """The level called ``name``.

    :raises BadQuery: PL112, there is none.
    """
    for candidate in LEVELS:
        if candidate.name == name:
            return candidate
    names = ", ".join(candidate.name for candidate in LEVELS)
    raise BadQuery(f"there is no level {name!r}", code="PL112", hint=f"the levels are {names}")


def plan(chosen: Level | str, analysts: int, questions: int) -> BudgetPlan:
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
    cap = chosen.cap
    grant = Loss(cap.units // analysts)
    per_question = Loss(grant.units // questions)
    if not per_question:
        raise BadQuery(
            f"{analysts} analysts with {questions} questions each leave nothing for a question",
            code="PL112",
            hint="name fewer analysts or fewer questions",
        )
    return BudgetPlan(chosen, analysts, questions, cap, grant, per_question)
