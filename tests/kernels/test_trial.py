"""The compiled samplers, every law: against their twins and against the definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flint import arb, ctx, fmpz

from privlab.kernels import gaussian, laplace, trial
from tests.kernels.trials import CASES, EDGES, SCALES, Case, drive, edgy, packed
from tests.kernels.twin_trial import DROPPED, TIE, reference, series, strings, table, twin

every_law = pytest.mark.parametrize("case", CASES, ids=repr)


@every_law
@pytest.mark.parametrize("scale", SCALES)
def test_the_twin_agrees_word_for_word(case: Case, scale: tuple[int, int]) -> None:
    """Same outcome from the same words on every trial, and every kind of outcome occurs."""
    seen = set()
    for words in edgy(case, scale, sum(scale), 800):
        found = drive(case, scale, words)
        assert found == twin(words, case.law, *scale)
        seen.add((found[0] if isinstance(found[0], str) else "kept", found[1]))
    assert seen == {("kept", 2), ("kept", 3), (DROPPED, 2), (DROPPED, 3), (TIE, 3)}


@every_law
@pytest.mark.parametrize("scale", [(3, 1), (1 << 32, 0), ((1 << 31) + 1, 31)])
def test_what_the_kernel_decides_is_what_infinitely_many_bits_would_give(
    case: Case, scale: tuple[int, int]
) -> None:
    """No decision is taken on words that leave it open: checked from the definition.

    Of a trial that two words decided, only their bits are shown to the definition.
    """
    for words in edgy(case, scale, 7, 300):
        outcome, used = drive(case, scale, words)
        if outcome == TIE:
            continue
        u, x, a = strings(words, [])
        if used == 2:
            u, a = (u[0] >> 32, 31), (a[0] >> 32, 32)
        sign = words[0] >> 32 & 1
        assert outcome == reference(u, x, a, sign, case.law, scale)


@every_law
@pytest.mark.parametrize("scale", SCALES)
def test_a_vector_is_its_trials_in_order(case: Case, scale: tuple[int, int]) -> None:
    """Many cells in one call give what the trials give one after the other.

    The third word of an undecided trial moves all that follow it by one.
    """
    words = [word for words in edgy(case, scale, 5, 400) for word in words]
    words += [int(w) for w in np.random.default_rng(5).integers(0, 1 << 64, 900, dtype=np.uint64)]
    expected: list[int] = []
    at, ties = 0, []
    while at + 3 <= len(words):
        outcome, used = twin((words[at], words[at + 1], words[at + 2]), case.law, *scale)
        if outcome == TIE:
            ties.append(at)
        elif isinstance(outcome, int):
            expected.append(outcome)
        at += used
    values = np.full(1500, 17, np.int64)
    cell, position, found = 0, 0, []
    while True:
        status, cell, position = map(
            int,
            case.kernel(
                values.view(np.uint64),
                np.uint64(cell),
                *map(np.uint64, scale),
                np.array(words, np.uint64),
                np.uint64(position),
            ),
        )
        if status != trial.TIE:
            break
        found.append(position)
        position += 3
    assert found == ties
    assert (status, cell, position) == (trial.OUT_OF_WORDS, len(expected), at)
    assert list(values[: len(expected)] - 17) == expected
    assert set(values[len(expected) :]) == {17}


@every_law
@pytest.mark.parametrize("length", range(8))
def test_a_kernel_that_runs_out_of_words_says_so(case: Case, length: int) -> None:
    """No trial begins without three words at hand, and nothing is written from ``cell`` on."""
    u = int(table(case.law)[0]) // 2
    kept = packed(u, 0, 1 << 62, 0)[:2] * 4
    values = np.full(9, -3, np.int64)
    status, cell, at = case.kernel(
        values.view(np.uint64),
        np.uint64(2),
        np.uint64(64),
        np.uint64(0),
        np.array(kept[:length], np.uint64),
        np.uint64(0),
    )
    trials = max(0, (length - 1) // 2)
    assert (status, cell, at) == (trial.OUT_OF_WORDS, 2 + trials, 2 * trials)
    assert set(values[:2]) == {-3}
    assert (values[2 : 2 + trials] > -3).all()
    assert set(values[2 + trials :]) == {-3}


@every_law
def test_a_cell_that_has_its_noise_is_not_touched_again(case: Case) -> None:
    """Nor are words used where every cell has: OK at once, with or without words."""
    values = np.arange(3, dtype=np.uint64)
    for words in (np.zeros(0, np.uint64), np.zeros(9, np.uint64)):
        zero = np.uint64(0)
        found = case.kernel(values, np.uint64(3), np.uint64(1), zero, words, zero)
        assert tuple(map(int, found)) == (trial.OK, 3, 0)
    assert list(values) == [0, 1, 2]


@every_law
def test_tables_are_what_their_definitions_say(case: Case) -> None:
    """Against intervals of 1100 bits; the halves are the same table with half the bits."""
    assert tuple(map(int, case.table)) == table(case.law)
    assert tuple(map(int, case.halves)) == table(case.law, 31)
    assert int(case.table[-1]) == (1 << 63) - 1
    assert int(case.halves[-1]) == (1 << 31) - 1


def test_series_are_reciprocals_of_factorials() -> None:
    """As far as the last one that matters."""
    assert list(map(int, trial.HALF_SERIES)) == series(32)
    assert list(map(int, trial.FULL_SERIES)) == series(64)
    assert (35 / 64) ** 11 / math.factorial(11) * 2**32 < 1
    assert (53 / 64) ** 21 / math.factorial(21) * 2**64 < 1


def farthest(law: Case, bits: int, width: int) -> tuple[float, float]:
    """How far a chance is from 2^bits exp(g(k) - g(k + x)), over k and points of x.

    Below it, in ulps; and above it, in ulps beyond 4 for each ulp that x's
    unread bits are worth.
    """
    module = gaussian if law.name == "rounded-gaussian" else laplace
    chance = module.half_chance if bits == 32 else module.full_chance
    grain = 1 << max(0, bits - width)
    draw = np.random.default_rng(width)
    points = EDGES + [int(x) for x in draw.integers(0, 1 << 64, 60, dtype=np.uint64)]
    points = [(x >> (64 - bits)) // grain * grain for x in points]
    above = under = -math.inf
    with ctx.workprec(300):
        for k in range(len(law.table if bits == 64 else law.halves)):
            for x in points:
                found = int(chance(np.uint64(k), np.uint64(x)))
                assert found == law.law.chance(k, x, bits)
                for end, slack in ((x, 0), (x + grain, 4 * grain)):
                    real = arb(fmpz(end)) / fmpz(2) ** bits
                    exact = (law.law.exponent(arb(k)) - law.law.exponent(k + real)).exp()
                    exact *= fmpz(2) ** bits
                    under = max(under, float((exact - found).upper()))
                    above = max(above, float((found - slack - exact).upper()))
    return under, above


PROVED = {"rounded-gaussian": {32: 17, 64: 35}}
BY_SERIES_ALONE = {32: 3, 64: 3}


@every_law
@pytest.mark.parametrize("width", [6, 8, 10, 16, 64])
@pytest.mark.parametrize(("bits", "band"), [(32, trial.HALF_BAND), (64, trial.FULL_BAND)])
def test_a_chance_is_within_its_proved_error(case: Case, width: int, bits: int, band: int) -> None:
    """For every k, at both ends of what a word of this width says of x."""
    under, above = farthest(case, bits, width)
    assert max(under, above) <= PROVED.get(case.name, BY_SERIES_ALONE)[bits] < band
