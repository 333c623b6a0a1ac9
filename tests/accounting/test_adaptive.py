"""``docs/proofs/filter.md``, numerically: adversaries that choose by what they have seen.

On finite outcome sets the two laws of a whole transcript, with the unit and
without it, can be written down, and with them the exact delta at every epsilon.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from privlab.accounting.charge import Charge, charge
from privlab.accounting.filter import UNTOUCHED, Budget, Spent
from privlab.accounting.gdp import delta_of
from privlab.terms.events import (
    ChoiceEvent,
    GaussianEvent,
    LaplaceEvent,
    PartitionEvent,
    ThresholdEvent,
)
from privlab.terms.loss import Currency, Delta, Loss
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian

ROOM = 1e-12
"""What sums of floats may err by here."""

AT = (0.0, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Epsilons at which laws are compared."""


@dataclass(frozen=True)
class Step:
    """One mechanism: what it costs, and per outcome its probability in either world."""

    name: str
    cost: Charge
    outcomes: tuple[tuple[float, float], ...]


def odds(chance: float, by: float) -> float:
    """``chance`` with its log odds moved."""
    return 1 / (1 + math.exp(-by) * (1 - chance) / chance)


def laplace(rate: Fraction) -> Step:
    """Randomized response: of all mechanisms of this epsilon the one that reveals most."""
    event = LaplaceEvent(1, DiscreteLaplace.at_most(rate))
    truth = odds(0.5, float(event.epsilon))
    cost = charge(event, Currency.GDP)
    return Step(f"laplace {rate}", cost, ((truth, 1 - truth), (1 - truth, truth)))


def choice(epsilon: Fraction, chance: float) -> Step:
    """Two outcomes at the ends of the range; what reveals most is one of these."""
    inside = odds(chance, float(epsilon))
    cost = charge(ChoiceEvent(epsilon), Currency.GDP)
    return Step(f"choice {epsilon} {chance}", cost, ((inside, chance), (1 - inside, 1 - chance)))


def gaussian(precision: Fraction, cuts: tuple[float, ...]) -> Step:
    """A noisy count, seen through intervals between cuts (in units of sigma)."""
    event = GaussianEvent(1, RoundedGaussian.at_most(precision))
    shift = math.sqrt(event.mu2)
    edges = np.array([-np.inf, *sorted(cuts), np.inf])
    inside, outside = np.diff(stats.norm.cdf(edges - shift)), np.diff(stats.norm.cdf(edges))
    cost = charge(event, Currency.GDP)
    return Step(f"gaussian {precision} {cuts}", cost, tuple(zip(inside, outside, strict=True)))


def threshold(delta: Fraction) -> Step:
    """With this probability, and only with the unit, a group that only it made is shown."""
    event = ThresholdEvent(RoundedGaussian.at_most(Fraction(1)), 1, 9, delta)
    shown = float(delta)
    return Step(f"threshold {delta}", charge(event, Currency.GDP), ((shown, 0.0), (1 - shown, 1.0)))


def partition(epsilon: Fraction, delta: Fraction) -> Step:
    """The (epsilon, delta)-DP mechanism of which all others are post-processings."""
    cost = charge(PartitionEvent(epsilon, delta, 1), Currency.GDP)
    truth, fails = odds(0.5, float(epsilon)), float(delta)
    works = 1 - fails
    return Step(
        f"partition {epsilon} {delta}",
        cost,
        ((fails, 0.0), (works * truth, works * (1 - truth)), (works * (1 - truth), works * truth), (0.0, fails)),
    )  # fmt: skip


History = tuple[int, ...]
Strategy = Callable[[History], Step]


def transcripts(
    budget: Budget, strategy: Strategy, longest: int
) -> Iterator[tuple[float, float, Spent]]:
    """Every transcript: its probability in either world, and what was spent on it.

    A step that does not fit is refused, and the strategy is asked again, with
    the refusal (-1) in its history.
    """

    def grow(
        history: History, inside: float, outside: float, spent: Spent
    ) -> Iterator[tuple[float, float, Spent]]:
        if len(history) == longest:
            yield inside, outside, spent
            return
        step = strategy(history)
        if not budget.admits(spent, step.cost):
            yield from grow((*history, -1), inside, outside, spent)
            return
        after = budget.spend(spent, step.cost)
        for index, (here, there) in enumerate(step.outcomes):
            yield from grow((*history, index), inside * here, outside * there, after)

    yield from grow((), 1.0, 1.0, UNTOUCHED)


def deltas(laws: np.ndarray, epsilon: float) -> float:
    """The larger of the two hockey-stick divergences between the columns."""
    inside, outside = laws.T
    growth = math.exp(epsilon)
    return float(
        max(
            np.maximum(inside - growth * outside, 0).sum(),
            np.maximum(outside - growth * inside, 0).sum(),
        )
    )


RATES = st.sampled_from([Fraction(1, 20), Fraction(1, 5), Fraction(1, 2), Fraction(1)])
CUTS = st.lists(st.floats(-3, 4), min_size=1, max_size=2).map(tuple)
STEPS = st.one_of(
    st.builds(laplace, RATES),
    st.builds(choice, RATES, st.floats(0.01, 0.99)),
    st.builds(gaussian, RATES, CUTS),
    st.builds(threshold, st.sampled_from([Fraction(1, 100), Fraction(1, 50)])),
    st.builds(partition, RATES, st.sampled_from([Fraction(1, 100), Fraction(1, 50)])),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(STEPS, min_size=3, max_size=6),
    st.integers(0, 1 << 30),
    st.fractions(Fraction(1, 10), 3, max_denominator=10),
    st.fractions(0, Fraction(1, 20), max_denominator=100),
)
def test_an_adaptive_history_stays_within_the_curve_of_its_budget(
    menu: list[Step], seed: int, mu2: Fraction, delta: Fraction
) -> None:
    """Any strategy, from any menu: delta(epsilon) of mu^2, plus the delta of thresholds."""
    budget = Budget(Loss.budget(mu2), Delta.budget(delta))

    def strategy(history: History) -> Step:
        """Arbitrary, and different on every branch."""
        return menu[hash((seed, history)) % len(menu)]

    rows = list(transcripts(budget, strategy, 5))
    laws = np.array([row[:2] for row in rows])
    assert np.allclose(laws.sum(axis=0), 1)
    assert all(spent.loss <= budget.loss and spent.delta <= budget.delta for *_, spent in rows)
    for epsilon in AT:
        claimed = delta_of(budget.loss.mu2, Fraction(epsilon)) + float(budget.delta.delta)
        assert deltas(laws, epsilon) <= claimed + ROOM


MENU = (
    laplace(Fraction(1, 2)),
    laplace(Fraction(1)),
    choice(Fraction(1), 0.2),
    choice(Fraction(2), 0.5),
    gaussian(Fraction(1, 2), (0.3,)),
    gaussian(Fraction(1, 3), (-0.5, 1.0)),
    threshold(Fraction(1, 50)),
)


def worst(budget: Budget, epsilon: float, longest: int) -> float:
    """The exact delta at ``epsilon`` that the best adaptive adversary with `MENU` gets.

    By dynamic programming: what he can still gain depends on the likelihoods so
    far and on what is left, and he takes the step that promises most.
    """
    growth = math.exp(epsilon)

    @cache
    def gain(inside: float, outside: float, spent: Spent, steps: int) -> float:
        best = max(inside - growth * outside, 0.0)
        if steps == 0:
            return best
        for step in MENU:
            if budget.admits(spent, step.cost):
                after = budget.spend(spent, step.cost)
                best = max(
                    best,
                    sum(
                        gain(inside * here, outside * there, after, steps - 1)
                        for here, there in step.outcomes
                    ),
                )
        return best

    return gain(1.0, 1.0, UNTOUCHED, longest)


BUDGET = Budget(Loss.budget(Fraction(2)), Delta.budget(Fraction(1, 25)))


def claim(budget: Budget, epsilon: float) -> float:
    return delta_of(budget.loss.mu2, Fraction(epsilon)) + float(budget.delta.delta)


@pytest.mark.parametrize("epsilon", [0.25, 1.0, 2.0, 3.0])
def test_the_best_adaptive_adversary_stays_within_the_curve(epsilon: float) -> None:
    """He knows epsilon, plans ahead, and stops or goes on as he likes."""
    assert worst(BUDGET, epsilon, 5) <= claim(BUDGET, epsilon) + ROOM


@pytest.mark.parametrize("epsilon", [1.0, 2.0])
def test_the_check_sees_a_filter_that_admits_too_much(epsilon: float) -> None:
    """The same adversary against a filter of three times the claimed mu^2, or delta."""
    loose = Budget(Loss(3 * BUDGET.loss.units), BUDGET.delta)
    assert worst(loose, epsilon, 4) > claim(BUDGET, epsilon)
    loose = Budget(Loss(0), Delta(3 * BUDGET.delta.units))
    assert worst(loose, epsilon, 4) > float(BUDGET.delta.delta) + 0.01


def test_what_is_split_over_many_small_steps_reveals_no_more_than_one() -> None:
    """Forty counts of mu^2 1/20, stopped by what they show: within one count of mu^2 2."""
    rounds = 40
    step = gaussian(Fraction(2, rounds), (0.0,))
    (up, base_up), (down, base_down) = step.outcomes[1], step.outcomes[0]
    laws: dict[int, tuple[float, float]] = {0: (1.0, 1.0)}
    stopped: list[tuple[float, float]] = []
    for _ in range(rounds):
        following: dict[int, tuple[float, float]] = {}
        for score, (inside, outside) in laws.items():
            if abs(score) > 6:  # the adversary has seen enough
                stopped.append((inside, outside))
                continue
            for move, here, there in ((1, up, base_up), (-1, down, base_down)):
                a, b = following.get(score + move, (0.0, 0.0))
                following[score + move] = (a + inside * here, b + outside * there)
        laws = following
    both = np.array(stopped + list(laws.values()))
    assert np.allclose(both.sum(axis=0), 1)
    for epsilon in AT:
        assert deltas(both, epsilon) <= delta_of(Fraction(2), Fraction(epsilon)) + ROOM
