"""Partition selection: the table keeps both inequalities, and gives nothing away."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.intervals import down, interval, up
from privlab.mechanisms.partition import BITS, ONE, chance, exp_around, keep, selection, table
from privlab.mechanisms.threshold import delta_per_group, laplace_limit
from privlab.terms.events import PartitionEvent
from tests.mechanisms.given import Given

ARGUMENTS = (Fraction(1, 2), Fraction(1, 50))
HALF = PartitionEvent(Fraction(1, 2), Fraction(1, 50), 1)
LN3 = Fraction("1.09861228866810969139524523692252570464749055782274945")

epsilons = st.fractions(Fraction(1, 8), 8, max_denominator=1000)
deltas = st.fractions(Fraction(1, 10**20), Fraction(49, 100), max_denominator=10**20)


def padded(entries: tuple[int, ...]) -> list[Fraction]:
    """pi(0), pi(1), ... and two ones."""
    return [Fraction(entry, ONE) for entry in entries] + [Fraction(1)] * 2


def assert_private(entries: tuple[int, ...], epsilon: Fraction, delta: Fraction) -> None:
    """Both inequalities, for each count and the next, kept and dropped, either way round."""
    with ctx.workprec(1000):
        grown = down(interval(epsilon).exp(), 1000)
    step, unit = grown.numerator, grown.denominator
    room = math.floor(delta * ONE * unit)
    for fewer, more in pairwise([*entries, ONE, ONE]):
        assert fewer <= more
        assert more * unit <= step * fewer + room
        assert (ONE - fewer) * unit <= step * (ONE - more) + room


@settings(deadline=None)
@given(epsilons, deltas)
def test_both_inequalities_hold_exactly(epsilon: Fraction, delta: Fraction) -> None:
    """Of the table as it is drawn from, against 1,000 bits of e^epsilon."""
    assert_private(table(epsilon, delta), epsilon, delta)


def test_an_entry_one_unit_larger_would_break_them() -> None:
    """So the check can fail, and the table gives nothing away."""
    entries = table(*ARGUMENTS)
    for at in range(1, len(entries)):
        with pytest.raises(AssertionError):
            assert_private((*entries[:at], entries[at] + 2, *entries[at + 1 :]), *ARGUMENTS)


@settings(deadline=None)
@given(epsilons, deltas)
def test_it_is_as_good_as_the_best_but_for_rounding(epsilon: Fraction, delta: Fraction) -> None:
    """Never more than 2^-100 below the optimum of exact arithmetic, and never above it."""
    with ctx.workprec(600):
        grown, limit = interval(epsilon).exp(), interval(delta)
        best = arb(0)
        for found in padded(table(epsilon, delta)):
            assert (
                down(best, 600) - Fraction(1, 1 << 100)
                <= found
                <= up(best, 600) + Fraction(1, 1 << 400)
            )
            best = (grown * best + limit).min(1 - (1 - best - limit) / grown).min(arb(1))


def crossovers(epsilon: Fraction, delta: Fraction) -> tuple[int, int]:
    """The last count on the growing branch, and the last that may be dropped."""
    entries = table(epsilon, delta)
    grown = exp_around(epsilon)[0]
    falls = [
        n
        for n in range(1, len(entries))
        if entries[n] + 1 < entries[n - 1] * grown + delta * ONE - 1
    ]
    return falls[0] - 1, len(entries) - 1


@pytest.mark.parametrize(
    ("epsilon", "delta", "published"),
    [
        (Fraction(1, 2), Fraction(1, 50), (6, 11)),
        (Fraction(1), Fraction(1, 10**5), (11, 22)),
        (LN3, Fraction(1, 10**10), (21, 41)),
        (Fraction(1, 10), Fraction(1, 10**5), (86, 171)),
    ],
)
def test_crossovers_are_the_published_ones(
    epsilon: Fraction, delta: Fraction, published: tuple[int, int]
) -> None:
    assert crossovers(epsilon, delta) == published


@pytest.mark.parametrize(
    ("count", "digits"), [(1, "0.02"), (6, "0.58840484458"), (8, "0.86807080625"), (15, "1")]
)
def test_chances_are_the_published_ones(count: int, digits: str) -> None:
    """epsilon = 1/2, delta = 0.02, to the digits given."""
    assert abs(chance(count, HALF) - Fraction(digits)) < Fraction(1, 10**11)


def test_counts_below_one_are_never_kept() -> None:
    """What no unit made cannot appear; a count below zero is none either."""
    assert chance(0, HALF) == chance(-5, HALF) == 0
    kept = keep(np.array([0, -1, -(1 << 63)], np.int64), HALF, Given([0, 0, 0]))
    assert not kept.any()


@settings(deadline=None, max_examples=25)
@given(epsilons, deltas, st.integers(1, 8))
def test_a_unit_in_several_groups_spends_an_equal_part_on_each(
    epsilon: Fraction, delta: Fraction, groups: int
) -> None:
    """epsilon / groups, and of delta what composes to it."""
    event = PartitionEvent(epsilon, delta, groups)
    each = delta_per_group(delta, groups)
    assert chance(1, event) <= each < chance(1, event) + Fraction(1, 1 << BITS)
    assert_private(selection(event), epsilon / groups, each)


@pytest.mark.parametrize("count", [1, 5, 6, 11])
def test_a_cell_is_kept_exactly_where_u_is_below_its_chance(count: int) -> None:
    """One word decides; only the chance's own leading word needs two more, of 192 bits in all."""
    first, rest = divmod(selection(HALF)[count], 1 << 128)
    second, third = divmod(rest, 1 << 64)
    counts = np.array([count], np.int64)
    assert keep(counts, HALF, Given([first - 1])).all()
    assert not keep(counts, HALF, Given([first + 1])).any()
    assert keep(counts, HALF, Given([first, second - 1])).all()
    assert not keep(counts, HALF, Given([first, second + 1])).any()
    assert keep(counts, HALF, Given([first, second, third - 1])).all()
    assert not keep(counts, HALF, Given([first, second, third])).any()


def test_large_counts_are_always_kept() -> None:
    """From the last entry on, whatever the word."""
    counts = np.array([12, 13, (1 << 63) - 1], np.int64)
    assert keep(counts, HALF, Given([(1 << 64) - 1] * 3)).all()


def test_each_cell_has_its_own_word() -> None:
    """As many words as cells, in order."""
    words = Given([0, (1 << 64) - 1, 0, (1 << 64) - 1])
    counts = np.array([3, 3, 8, 8], np.int64)
    assert list(keep(counts, HALF, words)) == [True, False, True, False]
    assert words.left == []


@pytest.mark.parametrize(
    "event",
    [
        HALF,
        PartitionEvent(Fraction(1), Fraction(1, 1000), 1),
        PartitionEvent(Fraction(2), Fraction(1, 100), 3),
    ],
    ids=str,
)
def test_its_frequencies_are_the_chances(event: PartitionEvent) -> None:
    """Binomial tests over 50,000 groups of each count; a false alarm is one in 10^6."""
    with KeyStream(bytes(31) + b"\x0b") as words:
        for count in range(1, len(selection(event)) + 1):
            kept = int(keep(np.full(50_000, count, np.int64), event, words).sum())
            exact = float(chance(count, event))
            assert stats.binomtest(kept, 50_000, exact).pvalue > 1e-6 / 50


def test_it_keeps_more_than_a_threshold_of_laplace_noise() -> None:
    """At (1, 1e-5): of groups of 12 units at least half are kept; of 11 fewer, either way."""
    event = PartitionEvent(Fraction(1), Fraction(1, 10**5), 1)
    half = next(n for n in range(40) if chance(n, event) >= Fraction(1, 2))
    assert half == 12 == math.ceil(laplace_limit(Fraction(1), event.delta, 1))
    assert chance(11, event) > Fraction(1, 4)


def test_counts_that_are_not_whole_are_refused() -> None:
    with pytest.raises(TypeError, match="int64"):
        keep(np.array([1.0]), HALF, Given([]))  # type: ignore[arg-type]


def test_a_table_too_long_to_draw_from_is_refused() -> None:
    """More than 2^18 entries; of larger deltas there are fewer."""
    with pytest.raises(ValueError, match="entries"):
        selection(PartitionEvent(Fraction(1, 10**6), Fraction(1, 10**9), 1))
    assert len(selection(PartitionEvent(Fraction(1, 10**6), Fraction(1, 3), 1))) < 10


def test_an_epsilon_above_the_event_s_is_refused() -> None:
    """By the event, and by the table itself."""
    with pytest.raises(ValueError, match="at most"):
        PartitionEvent(Fraction(1025), Fraction(1, 10**9), 1)
    with pytest.raises(ValueError, match="at most"):
        table(Fraction(1025), Fraction(1, 10**9))
