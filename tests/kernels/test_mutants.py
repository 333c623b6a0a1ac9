"""Are the kernels' checks awake?  Each sampler and the choice with one thing wrong, and what notices.

A mutant is the kernel's own source with one text replaced, which must stand in
it exactly once: so no mutant outlives the line it is about.  The checks are those
of ``test_trial.py``, ``test_choose.py`` and ``test_flip.py`` themselves.  Mutants run as plain Python on NumPy's integers
rather than compiled; with nothing replaced they pass the same checks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest

import privlab.kernels
from privlab.kernels import choose, flip, gaussian, laplace, trial
from tests.kernels import test_choose, test_flip, test_trial
from tests.kernels.trials import CASES, Case
from tests.kernels.twin_trial import series

GAUSSIAN, DISCRETE, ROUNDED = "rounded-gaussian", "discrete-laplace", "rounded-laplace"
ALL = (GAUSSIAN, DISCRETE, ROUNDED)
NEAREST = (GAUSSIAN, ROUNDED)
LAPLACE = (DISCRETE, ROUNDED)

words_run_out = test_trial.test_a_kernel_that_runs_out_of_words_says_so
tables = test_trial.test_tables_are_what_their_definitions_say
twin_agrees = test_trial.test_the_twin_agrees_word_for_word
trials_in_order = test_trial.test_a_vector_is_its_trials_in_order
slips_show = test_choose.test_twin_and_definition_agree_where_a_slip_would_show
by_definition = test_trial.test_what_the_kernel_decides_is_what_infinitely_many_bits_would_give

SOURCES = {
    module.__name__.rpartition(".")[2]: Path(module.__file__ or "").read_text()
    for module in (trial, gaussian, laplace, choose, flip)
}

SCALES = [(3, 1), (1 << 32, 0), ((1 << 48) - 1, 20)]
"""Of those of the real checks: rounding within words, at their edge, and a long multiplier."""

BLOCK = 16
"""Trials judged at once here.  Nothing depends on it but the time."""


@dataclass(frozen=True)
class Mutant:
    """In this module, ``old`` becomes ``new``; for the laws whose noise that changes."""

    name: str
    module: str
    old: str
    new: str
    laws: tuple[str, ...] = ALL


MUTANTS = [
    # Tables
    Mutant("a table entry one too large", "gaussian", "0x7FFFFFFFFFFFFFE6", "0x7FFFFFFFFFFFFFE7", (GAUSSIAN,)),
    Mutant("a table entry one too small", "laplace", "0x7FFFFFFFFFFFFFD8", "0x7FFFFFFFFFFFFFD7", LAPLACE),
    Mutant("a table that ends too early", "trial", "np.uint32((1 << 31) - 1))) + 1]", "np.uint32((1 << 31) - 1)))]"),
    Mutant("halves of the table rounded up", "trial", "(table >> _HALF).astype", "((table >> _HALF) + _ONE).astype"),
    Mutant("the number below an entry taken for a hit", "trial", "table[k] - u < grain", "table[k] - u <= grain"),
    Mutant("a half that hits an entry taken as decided", "trial", "undecided = np.uint64(unsure[trial]) | (", "undecided = ("),
    Mutant("a word that hits an entry taken as decided", "trial", "if unsure == _ONE or not (", "if not ("),
    # Chances
    Mutant("a series cut short, in halves", "trial", "for k in range(11)]", "for k in range(9)]"),
    Mutant("a series cut short, in words", "trial", "for k in range(21)]", "for k in range(18)]"),
    Mutant("a coefficient one too large", "trial", "(1 << 64) // math.factorial(k)", "(1 << 64) // math.factorial(k) + (k == 3)"),
    Mutant("a sign of the series, in halves", "trial", "HALF_SERIES[k] - half_product", "HALF_SERIES[k] + half_product"),
    Mutant("a sign of the series, in words", "trial", "FULL_SERIES[k] - high_word", "FULL_SERIES[k] + high_word"),
    Mutant("one squaring lost, in halves", "gaussian", "value = half_product(value, value)\n", "value = value\n", (GAUSSIAN,)),
    Mutant("one squaring lost, in words", "gaussian", "value = high_word(value, value)\n", "value = value\n", (GAUSSIAN,)),
    Mutant("the middle term not doubled, in halves", "gaussian", "x * (z + z) +", "x * z +", (GAUSSIAN,)),
    Mutant("the middle term not doubled, in words", "gaussian", "(z + z) << _WIDTH_LESS_SIX", "z << _WIDTH_LESS_SIX", (GAUSSIAN,)),
    Mutant("the square left out, in words", "gaussian", " + (high_word(x, x) >> _SIX)", "", (GAUSSIAN,)),
    Mutant("steps of one in a table of halves, in halves", "laplace", "half_decay(x >> _ONE)", "half_decay(x)", LAPLACE),
    Mutant("steps of one in a table of halves, in words", "laplace", "full_decay(x >> _ONE)", "full_decay(x)", LAPLACE),
    Mutant("the step forgotten in the scale", "laplace", "shift + _STEP_BITS", "shift", LAPLACE),
    # Keeping
    Mutant("a band too small, in halves", "trial", "HALF_BAND = 24\n", "HALF_BAND = 16\n"),
    Mutant("a band too small, in words", "trial", "FULL_BAND = 64\n", "FULL_BAND = 32\n"),
    Mutant("what x may still be left out of the band", "trial", "below = _HALF_BAND + _SLOPE * grain_x + grain", "below = _HALF_BAND + grain"),
    Mutant("< for <=, kept", "trial", "a + below <= chance", "a + below < chance"),
    Mutant("< for <=, dropped", "trial", "chance + _HALF_BAND <= a", "chance + _HALF_BAND < a"),
    Mutant("> for >=, kept, in words", "trial", "chance - a >= _FULL_BAND", "chance - a > _FULL_BAND"),
    Mutant("> for >=, dropped, in words", "trial", "a - chance >= _FULL_BAND", "a - chance > _FULL_BAND"),
    Mutant("a dropped trial that counts", "trial", "cell += kept", "cell += _ONE"),
    Mutant("a dropped trial that adds its noise", "trial", " & (_ZERO - kept)", ""),
    # Scaling
    Mutant("floor for round", "trial", "    if rounded:\n        half_low", "    if not rounded:\n        half_low"),
    Mutant("a whole step for a half", "trial", "((_ONE << shift) >> _ONE)", "(_ONE << shift)", NEAREST),
    Mutant("no half step at shift 0", "trial", "np.uint64(shift == _ZERO) << _TOP", "_ZERO << _TOP", (GAUSSIAN,)),
    Mutant("the half step's carry dropped", "trial", " + np.uint64(low < half_low)", "", (GAUSSIAN,)),
    Mutant("the end's carry dropped", "trial", "high + np.uint64(low_end < low)", "high"),
    Mutant("an end one too far", "trial", "(multiplier * grain - _ONE)", "(multiplier * grain)"),
    Mutant("the multiplier cut to 32 bits", "trial", "high_word(multiplier, x) + multiplier", "high_word(multiplier & _LOW_HALF, x) + multiplier"),
    Mutant("the low word of the product lost", "trial", "low = multiplier * x\n", "low = _ZERO\n"),
    Mutant("the whole part not scaled", "trial", " + multiplier * whole", " + whole"),
    Mutant("an open rounding taken as decided", "trial", " | (kept & unsure)", ""),
    Mutant("a tie taken as kept", "trial", "(_KEPT if unsure_size == _ZERO else _TIE)", "_KEPT"),
    # Signs
    Mutant("the sign is a bit of the table's", "trial", "(words[at] >> _HALF) & _ONE", "(words[at] >> _HALF_BEFORE_SIGN) & _ONE"),
    Mutant("the table reads the sign", "trial", "_HALF_BEFORE_SIGN = np.uint64(33)", "_HALF_BEFORE_SIGN = np.uint64(32)"),
    Mutant("minus one more than it should be", "trial", "(size ^ minus) - minus", "(size ^ minus)"),
    Mutant("minus zero kept", "trial", "if not rounded:", "if False:", (DISCRETE,)),
    Mutant("minus zero dropped", "trial", "if not rounded:", "if True:", NEAREST),
    # Words
    Mutant("word 0 read as x", "trial", "x = words[2 * trial + 1] >> _HALF", "x = words[2 * trial] >> _HALF"),
    Mutant("word 1 read as word 2", "trial", "words[at + _ONE], words[at + _TWO]", "words[at + _ONE], words[at + _ONE]"),
    Mutant("the bits of word 2 not used", "trial", "+ ((more >> _HALF) << gap)", ""),
    Mutant("a word skipped after each trial", "trial", "used = _TWO", "used = _THREE"),
    Mutant("word 2 used again", "trial", "used = _THREE\n", "used = _TWO\n"),
    Mutant("marks used after the words have moved", "trial", "            if used == _THREE:\n                break\n", ""),
    Mutant("a trial begun with two words", "trial", "(count - at - _ONE) >> _ONE", "(count - at) >> _ONE"),
    Mutant("three words left unused", "trial", "at + _THREE > count", "at + _THREE >= count"),
    Mutant("a value lost", "trial", "values[cell] += (", "values[cell] = ("),
]  # fmt: skip


CHOICE_MUTANTS = [
    Mutant(name, "choose", old, new)
    for name, old, new in [
        # The band
        ("a band without the number of candidates", "+ np.uint64(count) + _TWO\n    band_high = (high >> _BAND_RIGHT) + np.uint64(band_low < np.uint64(count) + _TWO)", "+ _TWO\n    band_high = (high >> _BAND_RIGHT) + np.uint64(band_low < _TWO)"),
        ("a band of half its width", "    band_high, band_low = _left(band_high, band_low, _ONE)\n", ""),
        ("a band of fewer bits", "BAND_BITS = 56\n", "BAND_BITS = 58\n"),
        ("the band's carry dropped", " + np.uint64(band_low < np.uint64(count) + _TWO)", ""),
        ("what one word leaves open forgotten", "reach = high + _TWO", "reach = _ZERO"),
        ("two less left open", "reach = high + _TWO", "reach = high"),
        # Weights
        ("exponents end at 100", "np.uint64(whole > _GONE)\n", "np.uint64(whole > np.uint64(100))\n"),
        ("exponents beyond a word wrap", "np.uint64(whole_high > _ZERO) | np.uint64(whole > _GONE)", "np.uint64(whole > _GONE)"),
        ("what is too light counts in full", "return high * there, low * there", "return high, low"),
        ("a fraction of half its size", "fraction = low << (_WORD - shift)", "fraction = low << (_WORD - shift) >> _ONE"),
        ("a fraction of a long shift lost", "_, fraction = _right(high, low, shift - _WORD)", "fraction = _ZERO"),
        ("a coefficient one too large", "0x3D7F7BFF058B1D50", "0x3D7F7BFF058B1D51"),
        ("a sign of the series", "SERIES[k] - high_word", "SERIES[k] + high_word"),
        ("a series cut short", "for k in range(SERIES.size - 2, -1, -1)", "for k in range(SERIES.size - 6, -1, -1)"),
        ("weights not lifted", "length * part, lift)", "length * part, _ZERO)"),
        ("the low word of a weight lost", "high_word(length, part), length * part, lift", "high_word(length, part), _ZERO, lift"),
        ("a far shift as a near one", "    far = by >> np.uint64(6)\n", "    far = _ZERO\n"),
        ("scores taken without their sign", "        gap = best - (np.uint64(scores[i]) ^ _SIGN)\n", "        gap = best - np.uint64(scores[i])\n"),
        ("a candidate of no length is the best", "(np.uint64(scores[i]) ^ _SIGN) * there)", "(np.uint64(scores[i]) ^ _SIGN))"),
        # Carries
        ("the carry of a sum dropped", "add_high + np.uint64(low < add_low)", "add_high"),
        ("the carry of U total dropped", "high_word(word, high) + np.uint64(at_low < part)", "high_word(word, high)"),
        ("the carry of the end's band dropped", "at_high + band_high + np.uint64(end_low < band_low)", "at_high + band_high"),
        ("the carry of the end dropped", "    end_high += np.uint64(end_low < reach)\n", ""),
        ("the carry of a sum's band dropped", "sum_high + band_high + np.uint64(top_low < band_low)", "sum_high + band_high"),
        ("a borrow forgotten", " | np.uint64(high - other_high < borrow)", ""),
        # Choosing
        ("a tie taken as decided", "tie = np.uint64(surely != perhaps)", "tie = _ZERO"),
        ("one of no length after the last is the last", "last = max(last, np.uint64(i) * there)", "last = np.uint64(i)"),
        ("the last may be passed as well", "perhaps += met & before", "perhaps += met"),
    ]
]  # fmt: skip


FLIP_MUTANTS = [
    Mutant(name, "flip", old, new)
    for name, old, new in [
        ("a band of half its width", "BAND = 256\n", "BAND = 128\n"),
        ("no band below", "low = (chance - _BAND) * np.uint64(chance > _BAND)", "low = chance"),
        ("a band below that wraps", "low = (chance - _BAND) * np.uint64(chance > _BAND)", "low = chance - _BAND"),
        ("no band above", "high = chance + _BAND", "high = chance"),
        ("a band above that wraps", "never = np.uint64(high < _BAND)", "never = _ZERO"),
        ("tails at every word", "tails = np.uint64(word >= high) * (_ONE - never)", "tails = _ONE"),
        ("tails one too late", "np.uint64(word >= high)", "np.uint64(word > high)"),
        ("heads one too late", "heads = np.uint64(word < low)", "heads = np.uint64(word <= low)"),
        ("an open coin is tails", "_OPEN * (_ONE - heads) * (_ONE - tails)", "_ZERO"),
        ("every tail is open", "* (_ONE - heads) * (_ONE - tails)", "* (_ONE - heads)"),
        ("far gaps as near ones", ">> (whole & _TOP)) * near", ">> (whole & _TOP))"),
        ("near gaps as far ones", "near = np.uint64(whole < _WORD)", "near = np.uint64(whole < _TOP)"),
        ("the whole part lost", "(power(fraction) >> (whole & _TOP))", "power(fraction)"),
        ("the fraction lost", "power(fraction) >>", "power(_ZERO) >>"),
        ("scores taken without their sign", "exponent(best - (np.uint64(scores[i]) ^ _SIGN), rate", "exponent(best - np.uint64(scores[i]), rate"),
        ("the best of all but by magnitude", "best = max(best, np.uint64(scores[i]) ^ _SIGN)", "best = max(best, np.uint64(scores[i]))"),
        ("one word for all", "word = words[i]", "word = words[0]"),
    ]
]  # fmt: skip


def high_word(a: np.uint64, b: np.uint64) -> np.uint64:
    """`privlab.kernels.wide.high_word` in plain Python."""
    return np.uint64(int(a) * int(b) >> 64)


def edition(module: str = "", old: str = "", new: str = "") -> dict[str, ModuleType]:
    """The samplers' modules as plain Python, with one text of one of them replaced."""
    made: dict[str, ModuleType] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", 1)
        wide = ModuleType("privlab.kernels.wide")
        vars(wide)["high_word"] = high_word
        patch.setitem(sys.modules, wide.__name__, wide)
        for name, source in SOURCES.items():
            if name == module:
                assert source.count(old) == 1, f"{old!r} is {source.count(old)} times in {name}"
                source = source.replace(old, new)
            made[name] = ModuleType(f"privlab.kernels.{name}")
            patch.setitem(sys.modules, made[name].__name__, made[name])
            patch.setattr(privlab.kernels, name, made[name])
            exec(compile(source, name, "exec"), made[name].__dict__)  # noqa: S102
    vars(made["trial"])["_BLOCK"] = np.uint64(BLOCK)
    return made


def as_case(case: Case, made: dict[str, ModuleType]) -> Case:
    """The law with its parts taken from an edition."""
    module = made["gaussian" if case.name == GAUSSIAN else "laplace"]
    letter = "Z" if case.name == GAUSSIAN else "V"
    kernel = getattr(module, case.kernel.__name__)

    def wraps(*arguments: Any) -> Any:
        with np.errstate(over="ignore"):  # NumPy warns of wrapping, which is what is meant
            return kernel(*arguments)

    parts = {"table": f"{letter}_TABLE", "halves": f"{letter}_HALVES"}
    return replace(
        case, kernel=wraps, **{field: getattr(module, name) for field, name in parts.items()}
    )


def first_objection(case: Case, made: dict[str, ModuleType]) -> str | None:
    """The first check that fails on this edition, or None."""
    changed = as_case(case, made)
    checks: list[tuple[str, Callable[[], None]]] = [
        *((f"{n} words", partial(words_run_out, changed, n)) for n in range(8)),
        ("tables", partial(tables, changed)),
        ("series", partial(check_series, made["trial"])),
        *((f"twin at {scale}", partial(twin_agrees, changed, scale)) for scale in SCALES),
        *((f"vector at {scale}", partial(trials_in_order, changed, scale)) for scale in SCALES),
        *((f"definition at {scale}", partial(by_definition, changed, scale)) for scale in SCALES),
    ]
    for name, check in checks:
        try:
            check()
        except AssertionError:
            return name
    return None


def check_series(made: ModuleType) -> None:
    """As in ``test_trial.py``, of an edition."""
    assert list(map(int, made.HALF_SERIES)) == series(32)
    assert list(map(int, made.FULL_SERIES)) == series(64)


def objection_to_choice(made: ModuleType) -> str | None:
    """The first check of choices that fails on this edition, or None."""

    def wraps(*arguments: Any) -> Any:
        with np.errstate(over="ignore"):
            return made.choose_index(*arguments)

    epsilons = [test_choose.EPSILONS[at] for at in (0, 4, 5)]
    checks = {
        **{f"sums at {e}": partial(test_choose.test_the_sums_are_those_of_the_twin, e, wraps) for e in epsilons},
        **{f"close: {name}": partial(slips_show, name, wraps) for name in test_choose.CLOSE if name != "3000 light"},
        "band": partial(test_choose.test_the_band_ends_where_the_twin_says, weighty=True, choose_index=wraps),
        **{f"twin at {e}": partial(test_choose.test_the_twin_agrees_word_for_word, e, wraps) for e in epsilons},
    }  # fmt: skip
    for name, check in checks.items():
        try:
            check()
        except AssertionError:
            return name
    return None


def test_nothing_is_found_in_the_choice_as_it_is() -> None:
    """The same checks, on the source with nothing replaced."""
    assert objection_to_choice(edition()["choose"]) is None


@pytest.mark.parametrize("mutant", CHOICE_MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_of_the_choice_is_caught(mutant: Mutant) -> None:
    """By at least one check."""
    made = edition(mutant.module, mutant.old, mutant.new)
    assert objection_to_choice(made["choose"]) is not None


def objection_to_flips(made: ModuleType) -> str | None:
    """The first check of coins that fails on this edition, or None."""

    def wraps(*arguments: Any) -> Any:
        with np.errstate(over="ignore"):
            return made.flip_coins(*arguments)

    for epsilon in test_flip.EPSILONS:
        for check in (
            test_flip.check_twin,
            test_flip.check_definition,
        ):
            try:
                check(epsilon, wraps)
            except AssertionError:
                return f"{check.__name__} at {epsilon}"
    return None


def test_nothing_is_found_in_the_coins_as_they_are() -> None:
    """The same checks, on the source with nothing replaced."""
    assert objection_to_flips(edition()["flip"]) is None


@pytest.mark.parametrize("mutant", FLIP_MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_of_the_coins_is_caught(mutant: Mutant) -> None:
    """By at least one check."""
    made = edition(mutant.module, mutant.old, mutant.new)
    assert objection_to_flips(made["flip"]) is not None


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_nothing_is_found_in_the_samplers_as_they_are(case: Case) -> None:
    """The same checks, on the source with nothing replaced."""
    assert first_objection(case, edition()) is None


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_is_caught(mutant: Mutant) -> None:
    """In each law it changes, by at least one check."""
    made = edition(mutant.module, mutant.old, mutant.new)
    for case in CASES:
        if case.name in mutant.laws:
            assert first_objection(case, made) is not None, case.name


def test_each_sampler_has_mutants_of_its_own() -> None:
    """More than thirty each."""
    for case in CASES:
        assert sum(case.name in mutant.laws for mutant in MUTANTS) > 30


def test_a_mutant_whose_line_is_gone_is_not_counted() -> None:
    """Nor one whose text is there twice."""
    with pytest.raises(AssertionError, match="is 0 times in trial"):
        edition("trial", "no such line", "")
    with pytest.raises(AssertionError, match="times in trial"):
        edition("trial", "_ONE", "_TWO")
