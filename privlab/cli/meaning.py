"""What a budget's level means: for a person in the data, and for an analyst's errors.

Computed from metadata and amounts alone.  Epsilons are rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from privlab.cli import terminal
from privlab.terms.loss import Currency, Delta, Loss

if TYPE_CHECKING:
    from privlab.accounting.levels import BudgetPlan
    from privlab.wire.owner import DatasetFacts

CONFIDENCE = Fraction(95)


def thresholds_in(facts: DatasetFacts) -> Delta:
    """What thresholds may use up of the dataset's delta: as set, else as `budget plan` sets it."""
    with terminal.curator_part():
        from privlab.accounting.levels import thresholds_of

    if facts.cap != "0" or facts.currency == Currency.PURE:
        return Delta(int(facts.thresholds))
    return thresholds_of(Fraction(facts.delta))


def meaning(plans: Sequence[BudgetPlan], facts: DatasetFacts) -> list[tuple[str, ...]]:
    """One row per thing a level means, one column per plan.

    The last rows are the errors of one question, ungrouped, at an equal part of
    one analyst's grant.
    """
    with terminal.curator_part():
        from privlab.accounting import gdp, pure
        from privlab.accounting.words import found_words
        from privlab.curator.epsilons import delta_text, epsilon_text
        from privlab.query.law import law_of

    currency, delta = Currency(facts.currency), Fraction(facts.delta)
    law = law_of(currency)
    is_pure = currency is Currency.PURE
    attack = pure.advantage if is_pure else gdp.advantage

    risk = thresholds_in(facts)

    def epsilon(loss: Loss, cap: Loss) -> str:
        """Of a part of a cap, which has the same part of the delta for thresholds."""
        part = Delta.budget(risk.delta * loss.amount / cap.amount)
        return epsilon_text(loss, currency, delta, 2, part)

    def error(rows: int, plan: BudgetPlan) -> str:
        """Of a count in which one unit has so many rows."""
        precision = plan.per_question.amount / (rows if is_pure else rows**2)
        return f"±{math.ceil(law.half_width(precision, CONFIDENCE)):,}"

    at = "" if is_pure else f" at δ = {delta_text(delta, currency)}"
    found: list[tuple[str, ...]] = []
    if not is_pure:
        found.append(("mu of the dataset", *(f"{math.sqrt(p.cap.mu2):.2f}" for p in plans)))
    found += [
        (f"ε of the dataset{at}", *(epsilon(p.cap, p.cap) for p in plans)),
        (
            f"the best attack on one {facts.unit_word} wins, over guessing",
            *(f"{100 * attack(p.cap.amount):.0f} in 100" for p in plans),
        ),
        (
            "of those in the data it finds, naming 1 in 100 falsely",
            *(found_words(p.cap, currency) for p in plans),
        ),
        ("ε of one analyst's grant", *(epsilon(p.grant, p.cap) for p in plans)),
        (f"± on a count of units ({facts.unit_word}), 95 %", *(error(1, p) for p in plans)),
    ]
    for table in facts.tables:
        words = f"± on a count of rows of {table.name}, 95 %"
        if table.rows:
            words += f" (of about {table.rows:,})"
        found.append((words, *(error(table.rows_per_unit, p) for p in plans)))
    return found
