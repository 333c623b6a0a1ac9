"""The filter that refuses what does not fit, and the odometer that tells what is lost.

A budget bounds two sums at once: losses in the currency, and deltas of
thresholds.  Who asks may choose every event, and its size, by all answers so
far: as long as no charge is admitted that takes a sum past its bound, all
answers together are ``(epsilon, delta)``-DP at every point of the budget's curve
(``docs/proofs/filter.md``).  Whole numbers only, so equal parts of a budget add
up to no more than the budget, in any order.  A refusal changes nothing: all
values here are frozen.  Knows no principal, dataset or question.

The rule in its plainest form: the ledger keeps it in integers of its own and in
SQL triggers, and ``tests/ledger/test_filter.py`` compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from privlab.accounting.charge import Charge
from privlab.accounting.gdp import epsilon_of, mu2_of
from privlab.accounting.intervals import figure
from privlab.errors import BudgetExceeded
from privlab.terms.exact import fraction, positive
from privlab.terms.loss import CERTAIN, NOTHING, Currency, Delta, Loss

MOST_EPSILON = 1000
"""Largest epsilon of a budget."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What all admitted charges add up to."""

    loss: Loss = NOTHING
    delta: Delta = CERTAIN


UNTOUCHED = Spent()


@dataclass(frozen=True, slots=True)
class Budget:
    """What the charges of a whole history may add up to.

    loss: mu^2 or epsilon, as the currency has it.  delta: for thresholds alone;
    a `Currency.PURE` budget has none.
    """

    loss: Loss
    delta: Delta = CERTAIN
    currency: Currency = Currency.GDP

    def __post_init__(self) -> None:
        if self.currency is Currency.PURE and self.delta:
            raise ValueError("a pure budget has no delta")

    @classmethod
    def gdp(cls, epsilon: Fraction, delta: Fraction, thresholds: Fraction | int = 0) -> Budget:
        """The largest budget with which all answers together are (epsilon, delta)-DP.

        epsilon: in (0, 1000]; delta: in (0, 1/2).  thresholds: the share of
        delta that thresholds may use up, in [0, 1); mu^2 is what (epsilon, the
        rest of delta) allows.  All rounded down.

        :raises TypeError: an argument is neither a Fraction nor an int.
        :raises ValueError: an argument is out of range, or so small that the
            budget is less than one unit.
        """
        _check_epsilon(epsilon)
        if not 0 < fraction("a delta", delta) < Fraction(1, 2):
            raise ValueError("the delta of a budget is above 0 and below one half")
        if not 0 <= fraction("a share of delta", thresholds) < 1:
            raise ValueError("the share of delta for thresholds is at least 0 and below 1")
        reserved = Delta.budget(thresholds * delta)
        if thresholds and not reserved:
            raise ValueError("the delta for thresholds is less than one unit of 2^-64")
        return cls(_at_least_a_unit(mu2_of(epsilon, delta - reserved.delta)), reserved)

    @classmethod
    def pure(cls, epsilon: Fraction) -> Budget:
        """The largest budget with which all answers together are epsilon-DP.

        epsilon: in (0, 1000].  Rounded down.

        :raises TypeError: epsilon is neither a Fraction nor an int.
        :raises ValueError: epsilon is out of range, or less than one unit.
        """
        _check_epsilon(epsilon)
        return cls(_at_least_a_unit(fraction("an epsilon", epsilon)), CERTAIN, Currency.PURE)

    def admits(self, spent: Spent, charge: Charge) -> bool:
        """Whether ``charge`` still fits: up to the last unit, and not one more."""
        return (
            spent.loss.units + charge.loss.units <= self.loss.units
            and spent.delta.units + charge.delta.units <= self.delta.units
        )

    def spend(
        self, spent: Spent, charge: Charge, *, code: Literal["PL210", "PL211"] = "PL211"
    ) -> Spent:
        """What is spent once ``charge`` is.

        code: whose budget it is, an analyst's (PL210) or a dataset's (PL211).

        :raises BudgetExceeded: it does not fit.  What was spent stays as it was,
            and a smaller charge may fit.
        """
        if not self.admits(spent, charge):
            left = self.left(spent)
            raise BudgetExceeded(
                "the charge does not fit in what is left; nothing was spent",
                code=code,
                facts={"the charge": self._words(charge), "left": self._words(left)},
                hint="ask for less precision: a charge of up to what is left still fits",
            )
        return Spent(spent.loss + charge.loss, spent.delta + charge.delta)

    def left(self, spent: Spent) -> Charge:
        """The largest charge that still fits."""
        return Charge(
            Loss(max(0, self.loss.units - spent.loss.units)),
            Delta(max(0, self.delta.units - spent.delta.units)),
        )

    def _words(self, charge: Charge) -> str:
        amount = "mu^2" if self.currency is Currency.GDP else "epsilon"
        words = f"{charge.loss.units} units of {amount} ({figure(charge.loss.amount)})"
        if charge.delta or self.delta:
            words += f", delta {figure(charge.delta.delta)}"
        return words


@dataclass(frozen=True, slots=True)
class Reading:
    """What an odometer tells: all charges so far are (epsilon, delta)-DP together.

    delta is what was asked for; ``thresholds`` of it are what thresholds used up.
    epsilon: rounded up.  A reading is for display: the sum that is promised
    whatever was asked is the budget's, not the one at which somebody chose to stop.
    """

    loss: Loss
    thresholds: Delta
    epsilon: Fraction
    delta: Fraction


def read(spent: Spent, currency: Currency, delta: Fraction | int = 0) -> Reading:
    """Read the odometer at ``delta``, which a pure dataset does not need.

    :raises TypeError: delta is neither a Fraction nor an int.
    :raises ValueError: thresholds have used up all of delta, or it is not below
        1, or mu^2 is above 2^20.
    """
    at = fraction("a delta", delta)
    if currency is Currency.PURE:
        return Reading(spent.loss, spent.delta, spent.loss.amount, at)
    rest = at - spent.delta.delta
    if rest <= 0:
        raise ValueError("thresholds have used up all of this delta")
    return Reading(spent.loss, spent.delta, Fraction(epsilon_of(spent.loss.amount, rest)), at)


def _check_epsilon(epsilon: Fraction) -> None:
    if positive("the epsilon of a budget", epsilon) > MOST_EPSILON:
        raise ValueError("the epsilon of a budget is at most 1000")


def _at_least_a_unit(amount: Fraction) -> Loss:
    loss = Loss.budget(amount)
    if not loss:
        raise ValueError("the budget is less than one unit of 2^-48")
    return loss
