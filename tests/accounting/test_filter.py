"""The filter and the odometer, against a ledger of Fractions, and against others' mistakes."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from dp_accounting.pld import privacy_loss_distribution
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from privlab.accounting.charge import FREE, Charge, charge
from privlab.accounting.filter import UNTOUCHED, Budget, Spent, read
from privlab.accounting.gdp import epsilon_of, mu2_of, within
from privlab.errors import BudgetExceeded
from privlab.terms.events import GaussianEvent, LaplaceEvent
from privlab.terms.loss import CERTAIN, NOTHING, UNITS_PER_ONE, Currency, Delta, Loss
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian

MILLIONTH = Fraction(1, 10**6)
UNIT = Fraction(1, UNITS_PER_ONE)
DELTA_UNIT = Fraction(1, 1 << 64)
BUDGETS = st.builds(
    Budget,
    st.integers(0, 4 * UNITS_PER_ONE).map(Loss),
    st.integers(0, 1 << 50).map(Delta),
)
AMOUNTS = st.one_of(
    st.fractions(0, 2, max_denominator=10**9),
    st.integers(0, 1 << 49).map(lambda units: Fraction(units, UNITS_PER_ONE)),
)
FAILURES = st.one_of(st.just(Fraction(0)), st.fractions(0, Fraction(1, 10**5)))


class AgainstFractions(RuleBasedStateMachine):
    """The filter's integers do what an exact ledger does that rounds each charge up."""

    @initialize(budget=BUDGETS)
    def start(self, budget: Budget) -> None:
        self.budget, self.spent = budget, UNTOUCHED
        self.loss = self.delta = Fraction(0)
        self.exact = Fraction(0)
        self.history: list[Charge] = []

    @rule(amount=AMOUNTS, failure=FAILURES)
    def ask(self, amount: Fraction, failure: Fraction) -> None:
        self._ask(Charge(Loss.charge(amount), Delta.charge(failure)), amount, failure)

    @rule(data=st.data(), more=st.integers(0, 1))
    def ask_for_all_that_is_left(self, data: st.DataObject, more: int) -> None:
        """To the unit, or one unit beyond, which is refused."""
        left = self.budget.left(self.spent)
        loss = Loss(left.loss.units + more)
        self._ask(Charge(loss, left.delta), loss.amount, left.delta.delta)

    @rule(parts=st.integers(1, 1000))
    def ask_for_a_part_of_what_is_left(self, parts: int) -> None:
        left = self.budget.left(self.spent)
        loss, delta = Loss(left.loss.units // parts), Delta(left.delta.units // parts)
        self._ask(Charge(loss, delta), loss.amount, delta.delta)

    def _ask(self, cost: Charge, amount: Fraction, failure: Fraction) -> None:
        loss = self.loss + math.ceil(amount / UNIT) * UNIT
        delta = self.delta + math.ceil(failure / DELTA_UNIT) * DELTA_UNIT
        fits = loss <= self.budget.loss.amount and delta <= self.budget.delta.delta
        assert self.budget.admits(self.spent, cost) is fits
        before = self.spent
        if fits:
            self.spent = self.budget.spend(before, cost)
            self.loss, self.delta = loss, delta
            self.exact += amount
            self.history.append(cost)
        else:
            with pytest.raises(BudgetExceeded):
                self.budget.spend(before, cost)
            assert self.spent == before

    @invariant()
    def the_sums_are_those_of_the_oracle(self) -> None:
        assert self.spent.loss.amount == self.loss
        assert self.spent.delta.delta == self.delta
        assert self.exact <= self.loss <= self.budget.loss.amount
        assert self.delta <= self.budget.delta.delta

    @invariant()
    def the_order_does_not_matter(self) -> None:
        spent = UNTOUCHED
        for cost in reversed(self.history):
            spent = self.budget.spend(spent, cost)
        assert spent == self.spent


TestAgainstFractions = AgainstFractions.TestCase
TestAgainstFractions.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


@given(BUDGETS, st.integers(1, 300))
def test_a_ledger_admits_the_equal_parts_it_was_divided_into(budget: Budget, parts: int) -> None:
    """Floats do not: 0.1 + 0.2 > 0.3, and a planner's own last query is refused (opendp#2789)."""
    part = Charge(Loss(budget.loss.units // parts), Delta(budget.delta.units // parts))
    spent = UNTOUCHED
    for _ in range(parts):
        spent = budget.spend(spent, part)
    assert budget.loss.units - spent.loss.units < parts


@settings(deadline=None)
@given(
    st.fractions(Fraction(1, 10), 8, max_denominator=1000),
    st.integers(1, 40),
    st.integers(1, 5 * 10**11),  # the widest noise is 2^48 steps
)
def test_noise_made_for_a_part_of_the_budget_is_paid_by_that_part(
    epsilon: Fraction, parts: int, squared: int
) -> None:
    """From epsilon to the noise of every query and back into the ledger: none is refused."""
    for budget, cost in (
        (Budget.gdp(epsilon, MILLIONTH), None),
        (Budget.pure(epsilon), None),
    ):
        part = Loss(budget.loss.units // parts)
        if budget.currency is Currency.GDP:
            noise = RoundedGaussian.at_most(part.amount / squared)
            cost = charge(GaussianEvent(squared, noise), budget.currency)
        else:
            law = DiscreteLaplace.at_most(part.amount / squared)
            cost = charge(LaplaceEvent(squared, law), budget.currency)
        spent = UNTOUCHED
        for _ in range(parts):
            spent = budget.spend(spent, cost)
        assert spent.loss <= budget.loss


def test_a_refusal_does_not_end_the_history() -> None:
    """Others' filters refuse everything after one request that was too large."""
    budget = Budget(Loss(100), Delta(10))
    spent = budget.spend(UNTOUCHED, Charge(Loss(80)))
    for large in (Charge(Loss(21)), Charge(Loss(1), Delta(11)), Charge(Loss(1 << 200))):
        assert not budget.admits(spent, large)
        with pytest.raises(BudgetExceeded):
            budget.spend(spent, large)
    assert spent == Spent(Loss(80))
    spent = budget.spend(spent, Charge(Loss(20), Delta(10)))
    assert budget.left(spent) == FREE
    assert budget.admits(spent, FREE)
    assert not budget.admits(spent, Charge(Loss(1)))
    assert not budget.admits(spent, Charge(NOTHING, Delta(1)))


@pytest.mark.parametrize("code", ["PL210", "PL211"])
def test_a_refusal_says_the_numbers_and_what_still_fits(code: Any) -> None:
    """Whose budget it is, the caller knows."""
    budget = Budget(Loss(UNITS_PER_ONE), Delta(1 << 40))
    with pytest.raises(BudgetExceeded) as caught:
        budget.spend(Spent(Loss(UNITS_PER_ONE // 2)), Charge(Loss(UNITS_PER_ONE)), code=code)
    assert caught.value.code == code
    assert caught.value.what == "the charge does not fit in what is left; nothing was spent"
    assert caught.value.facts == {
        "the charge": "281474976710656 units of mu^2 (1), delta 0",
        "left": "140737488355328 units of mu^2 (0.5), delta 5.96046e-8",
    }
    assert "still fits" in caught.value.hint
    with pytest.raises(BudgetExceeded, match=r"units of epsilon \(1e\+300\)"):
        Budget.pure(Fraction(1)).spend(UNTOUCHED, Charge(Loss.charge(Fraction(10**300))))


def test_a_pure_budget_admits_no_delta() -> None:
    """Not a unit of it."""
    budget = Budget.pure(Fraction(1))
    assert budget == Budget(Loss(UNITS_PER_ONE), CERTAIN, Currency.PURE)
    assert not budget.admits(UNTOUCHED, Charge(Loss(1), Delta(1)))
    with pytest.raises(ValueError, match=r"^a pure budget has no delta$"):
        Budget(Loss(1), Delta(1), Currency.PURE)


@settings(deadline=None)
@given(
    st.fractions(Fraction(1, 100), 20, max_denominator=10**4),
    st.fractions(Fraction(1, 10**12), Fraction(1, 10), max_denominator=10**12),
    st.fractions(0, Fraction(99, 100), max_denominator=100),
)
def test_a_budget_keeps_epsilon_and_delta_whatever_part_is_for_thresholds(
    epsilon: Fraction, delta: Fraction, share: Fraction
) -> None:
    """mu^2 at the rest of delta is proved within epsilon; two units more are not."""
    budget = Budget.gdp(epsilon, delta, share)
    reserved = budget.delta.delta
    assert share * delta - DELTA_UNIT < reserved <= share * delta
    assert within(epsilon, budget.loss.mu2, delta - reserved)
    assert not within(epsilon, budget.loss.mu2 + 2 * UNIT, delta - reserved)


def test_the_budget_of_epsilon_one_at_a_millionth() -> None:
    """mu 0.236704; with half of delta for thresholds a little less."""
    budget = Budget.gdp(Fraction(1), MILLIONTH)
    assert round(float(budget.loss.mu2) ** 0.5, 6) == 0.236704
    assert budget.delta == CERTAIN
    halved = Budget.gdp(Fraction(1), MILLIONTH, Fraction(1, 2))
    assert halved.loss == Loss.budget(mu2_of(Fraction(1), MILLIONTH - halved.delta.delta))
    assert halved.delta == Delta.budget(MILLIONTH / 2)
    assert round(float(halved.loss.mu2) ** 0.5, 6) == 0.229087


@settings(max_examples=25, deadline=None)
@given(st.lists(st.fractions(Fraction(1, 1000), 3, max_denominator=1000), min_size=1, max_size=5))
def test_the_odometer_reads_what_an_accountant_finds(sigmas: list[Fraction]) -> None:
    """Never less than Google's lower bound, nor more than its upper one by a part in a thousand.

    An odometer with a formula of its own can be wrong alone (smartnoise-sdk#621,
    a logarithm left out); ours is the curve that the budget was made by.
    """
    spent = UNTOUCHED
    for sigma in sigmas:
        noise = RoundedGaussian.at_most(1 / (sigma + 1) ** 2)
        cost = charge(GaussianEvent(1, noise), Currency.GDP)
        spent = Budget(Loss(1 << 60)).spend(spent, cost)
    reading = read(spent, Currency.GDP, MILLIONTH)
    total = math.sqrt(1 / float(spent.loss.mu2))
    low, high = (
        privacy_loss_distribution.from_gaussian_mechanism(
            total, pessimistic_estimate=side, value_discretization_interval=1e-2
        ).get_epsilon_for_delta(1e-6)
        for side in (False, True)
    )
    assert low - 1e-9 <= float(reading.epsilon) <= high * 1.001
    assert reading.epsilon == Fraction(epsilon_of(spent.loss.mu2, MILLIONTH))


def test_the_odometer_sets_aside_what_thresholds_used_up() -> None:
    """The rest of delta is what is left to read epsilon at."""
    spent = Spent(Loss.charge(Fraction(1, 20)), Delta.charge(MILLIONTH / 4))
    reading = read(spent, Currency.GDP, MILLIONTH)
    rest = MILLIONTH - spent.delta.delta
    assert reading.epsilon == Fraction(epsilon_of(spent.loss.mu2, rest))
    assert reading.epsilon > Fraction(epsilon_of(spent.loss.mu2, MILLIONTH))
    assert (reading.loss, reading.thresholds, reading.delta) == (spent.loss, spent.delta, MILLIONTH)
    with pytest.raises(ValueError, match=r"^thresholds have used up all of this delta$"):
        read(spent, Currency.GDP, spent.delta.delta)


def test_the_odometer_of_a_pure_dataset_reads_the_sum_of_epsilons() -> None:
    """At any delta, also none."""
    spent = Spent(Loss(3 * UNITS_PER_ONE // 4))
    assert read(spent, Currency.PURE).epsilon == Fraction(3, 4)
    assert read(UNTOUCHED, Currency.PURE).epsilon == 0
    assert read(UNTOUCHED, Currency.GDP, MILLIONTH).epsilon == 0


FLOATS = [0.5, math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e308, True, "1", None]


@pytest.mark.parametrize("value", FLOATS, ids=repr)
def test_what_is_not_exact_is_refused_by_type(value: Any) -> None:
    """Also NaN, infinities and subnormals, which only floats have."""
    name = type(value).__name__
    with pytest.raises(TypeError, match=f"^the epsilon of a budget is a Fraction, not {name}$"):
        Budget.gdp(value, MILLIONTH)
    with pytest.raises(TypeError, match=f"^the epsilon of a budget is a Fraction, not {name}$"):
        Budget.pure(value)
    with pytest.raises(TypeError, match=f"^a delta is a Fraction, not {name}$"):
        Budget.gdp(Fraction(1), value)
    with pytest.raises(TypeError, match=f"^a share of delta is a Fraction, not {name}$"):
        Budget.gdp(Fraction(1), MILLIONTH, value)
    with pytest.raises(TypeError, match=f"^a delta is a Fraction, not {name}$"):
        read(UNTOUCHED, Currency.GDP, value)


REFUSED: list[tuple[Fraction, Fraction, Fraction, str]] = [
    (Fraction(0), MILLIONTH, Fraction(0), "the epsilon of a budget is positive"),
    (Fraction(-1), MILLIONTH, Fraction(0), "the epsilon of a budget is positive"),
    (Fraction(1001), MILLIONTH, Fraction(0), "the epsilon of a budget is at most 1000"),
    (Fraction(10**400), MILLIONTH, Fraction(0), "the epsilon of a budget is at most 1000"),
    (Fraction(1), Fraction(0), Fraction(0), "the delta of a budget is above 0 and below one half"),
    (Fraction(1), Fraction(-1), Fraction(0), "the delta of a budget is above 0 and below one half"),
    (
        Fraction(1),
        Fraction(1, 2),
        Fraction(0),
        "the delta of a budget is above 0 and below one half",
    ),
    (
        Fraction(1),
        MILLIONTH,
        Fraction(1),
        "the share of delta for thresholds is at least 0 and below 1",
    ),
    (
        Fraction(1),
        MILLIONTH,
        Fraction(-1, 9),
        "the share of delta for thresholds is at least 0 and below 1",
    ),
    (
        Fraction(1),
        Fraction(1, 1 << 1074),
        Fraction(1, 2),
        "the delta for thresholds is less than one unit of 2^-64",
    ),
    (
        Fraction(1, 1 << 1074),
        Fraction(1, 1 << 1074),
        Fraction(0),
        "the budget is less than one unit of 2^-48",
    ),
]


@pytest.mark.parametrize(("epsilon", "delta", "share", "words"), REFUSED)
def test_budgets_out_of_range_are_refused(
    epsilon: Fraction, delta: Fraction, share: Fraction, words: str
) -> None:
    """Zero, negative, huge, and below the smallest unit."""
    with pytest.raises(ValueError, match=f"^{words.replace('^', chr(92) + '^')}$"):
        Budget.gdp(epsilon, delta, share)


@pytest.mark.parametrize(
    ("epsilon", "words"),
    [
        (Fraction(0), "^the epsilon of a budget is positive$"),
        (Fraction(-3), "^the epsilon of a budget is positive$"),
        (Fraction(10**400), "^the epsilon of a budget is at most 1000$"),
        (Fraction(1, 1 << 1074), r"^the budget is less than one unit of 2\^-48$"),
    ],
)
def test_pure_budgets_out_of_range_are_refused(epsilon: Fraction, words: str) -> None:
    """In the same words."""
    with pytest.raises(ValueError, match=words):
        Budget.pure(epsilon)


@pytest.mark.parametrize(
    ("variance", "fit", "fit_by_zcdp"),
    [(5_000, 280, 243), (141**2, 1113, 968), (20_000, 1120, 974), (80_000, 4482, 3896)],
)
def test_this_many_counts_fit_into_epsilon_one(variance: int, fit: int, fit_by_zcdp: int) -> None:
    """At delta 10^-6, chosen adaptively, with deviations 70.7, 141, 141.4 and 282.8.

    Beside what the same noise costs under zCDP, where (1, 10^-6) allows a rho of
    0.024356; `test_oracles.py` derives that.
    """
    budget = Budget.gdp(Fraction(1), MILLIONTH)
    noise = RoundedGaussian.at_most(Fraction(1, variance))
    count = charge(GaussianEvent(1, noise), Currency.GDP)
    spent, admitted = UNTOUCHED, 0
    while budget.admits(spent, count):
        spent = budget.spend(spent, count)
        admitted += 1
    assert admitted == fit
    assert math.floor(Fraction("0.024356") * 2 * variance) == fit_by_zcdp
