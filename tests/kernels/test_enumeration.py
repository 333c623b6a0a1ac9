"""Every word of a small width: the law of a trial, proved by counting.

The kernel is compiled for words of which only w bits are known and run on all
of them.  Each outcome's share of decided words can then be compared with its
exact probability: what is decided may not exceed it, and what is decided or
undecided may not fall short of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
import pytest
from flint import arb, ctx, fmpz
from numpy.typing import NDArray

from privlab.kernels import gaussian, laplace, trial

U = np.uint64
MOST = 64
"""Sizes counted one by one."""

_compile: Any = nb.njit(error_model="numpy")


Scale = tuple[Any, Any]


@trial.inlined
def _gaussian(width: U, cells: Any, scale: Scale, words: Any) -> Any:
    return gaussian.rounded_gaussian(width, cells, U(0), scale[0], scale[1], words, U(0))


@trial.inlined
def _discrete(width: U, cells: Any, scale: Scale, words: Any) -> Any:
    return laplace.laplace(trial.DOWN, width, cells, U(0), scale[0], scale[1], words, U(0))


@trial.inlined
def _rounded(width: U, cells: Any, scale: Scale, words: Any) -> Any:
    return laplace.laplace(trial.NEAREST, width, cells, U(0), scale[0], scale[1], words, U(0))


@_compile
def _first(word: U, half: U) -> U:
    """Word 0 of 2 * half bits, each field's bits moved to its top."""
    gap = U(32) - half
    u, rest = word >> (half + U(1)), word & ((U(1) << (half + U(1))) - U(1))
    sign, a = rest >> half, rest & ((U(1) << half) - U(1))
    return (u << (gap + U(33))) | (sign << U(32)) | (a << gap)


@_compile
def _third(word: U, half: U) -> U:
    """Word 2, likewise."""
    gap = U(32) - half
    return ((word >> half) << (gap + U(32))) | ((word & ((U(1) << half) - U(1))) << gap)


@trial.inlined
def _count(run: Any, width: U, scale: Scale, sizes: NDArray[np.int64]) -> Any:
    """Fill sizes with how many triples of words give each; (dropped, undecided, by two)."""
    half = width >> U(1)
    all_words = U(1) << width
    words = np.zeros(3, np.uint64)
    cells = np.zeros(1, np.uint64)
    dropped, undecided, by_two = U(0), U(0), U(0)
    for w0 in range(all_words):
        words[0] = _first(U(w0), half)
        for x in range(all_words):
            words[1] = U(x) << (U(64) - width)
            w2 = U(0)
            while w2 < all_words:
                words[2] = _third(w2, half)
                cells[0] = U(0)
                status, _, at = run(width, cells, scale, words)
                weight = U(1)
                if status != U(trial.TIE) and at == U(2):  # the third word was not read
                    weight = all_words
                    by_two += weight
                if status == U(trial.TIE):
                    undecided += weight
                elif status == U(trial.OK):
                    sizes[np.int64(cells[0]) + MOST] += np.int64(weight)
                else:
                    dropped += weight
                w2 += weight
    return dropped, undecided, by_two


@trial.inlined
def _count_judged(
    half_chance: Any,
    full_chance: Any,
    halved: NDArray[np.uint32],
    table: NDArray[np.uint64],
    rounded: bool,
    width: U,
    scale: Scale,
    sizes: NDArray[np.int64],
) -> Any:
    """The same count from the kernel's two judges, without the loop around them."""
    half = width >> U(1)
    all_words = U(1) << width
    words = np.zeros(3, np.uint64)
    work = np.zeros((3, 1), np.uint32)
    marks = np.zeros(1, np.uint64)
    dropped, undecided, by_two = U(0), U(0), U(0)
    for w0 in range(all_words):
        words[0] = _first(U(w0), half)
        negative = (words[0] >> U(32)) & U(1)
        for x in range(all_words):
            words[1] = U(x) << (U(64) - width)
            trial.judge_halves(half_chance, halved, width, words, 1, work, marks)
            kept = (marks[0] >> U(8)) & U(1)
            size, unsure = trial.scaled(
                marks[0] & U(255), words[1], scale[0], scale[1], rounded, U(1) << (U(64) - width)
            )
            two = (marks[0] >> U(9)) | (kept & unsure) == U(0)
            weight = all_words if two else U(1)
            w2 = U(0)
            while w2 < all_words:
                outcome = U(1) - kept
                if two:
                    by_two += weight
                else:
                    words[2] = _third(w2, half)
                    outcome, size = trial.judge(
                        full_chance, table, width, words, U(0), scale[0], scale[1], rounded
                    )
                if outcome == U(trial.TIE):
                    undecided += weight
                elif outcome == U(1) or (not rounded and size == U(0) and negative == U(1)):
                    dropped += weight
                else:
                    signed = -np.int64(size) if negative else np.int64(size)
                    sizes[signed + MOST] += np.int64(weight)
                w2 += weight
    return dropped, undecided, by_two


@_compile
def _gaussian_counted(width: U, scale: Scale, sizes: NDArray[np.int64]) -> Any:
    return _count(_gaussian, width, scale, sizes)


@_compile
def _discrete_counted(width: U, scale: Scale, sizes: NDArray[np.int64]) -> Any:
    return _count(_discrete, width, scale, sizes)


@_compile
def _rounded_counted(width: U, scale: Scale, sizes: NDArray[np.int64]) -> Any:
    return _count(_rounded, width, scale, sizes)


@_compile
def _gaussian_judged(rounded: bool, width: U, scale: Scale, sizes: NDArray[np.int64]) -> Any:
    return _count_judged(
        gaussian.half_chance,
        gaussian.full_chance,
        gaussian.Z_HALVES,
        gaussian.Z_TABLE,
        rounded,
        width,
        scale,
        sizes,
    )


@_compile
def _laplace_judged(rounded: bool, width: U, scale: Scale, sizes: NDArray[np.int64]) -> Any:
    return _count_judged(
        laplace.half_chance,
        laplace.full_chance,
        laplace.V_HALVES,
        laplace.V_TABLE,
        rounded,
        width,
        scale,
        sizes,
    )


def gaussian_mass(least: arb, most: arb) -> arb:
    """P(a trial is kept with least <= y < most), sign aside."""
    total = sum(((-arb(k * k) / 16).exp() for k in range(400)), arb(0))
    total += (-arb(400 * 400) / 16).exp().union(arb(0))
    return 2 * arb.pi().sqrt() * ((most / 4).erf() - (least / 4).erf()) / total


def laplace_mass(least: arb, most: arb) -> arb:
    """The same of the exponential of mean 2."""
    return 2 * (1 - (arb(-1) / 2).exp()) * ((-least / 2).exp() - (-most / 2).exp())


@dataclass(frozen=True)
class Law:
    """A kernel on words of any width, its judges, and its exact mass before signs."""

    kernel: Any
    judges: Any
    mass: Callable[[arb, arb], arb]
    step_bits: int
    rounded: bool


LAWS = {
    "rounded-gaussian": Law(_gaussian_counted, _gaussian_judged, gaussian_mass, 0, rounded=True),
    "discrete-laplace": Law(_discrete_counted, _laplace_judged, laplace_mass, 1, rounded=False),
    "rounded-laplace": Law(_rounded_counted, _laplace_judged, laplace_mass, 1, rounded=True),
}


def signed_masses(law: str, multiplier: int, shift: int) -> dict[int | str, arb]:
    """The exact probability of every outcome of one trial up to MOST, and of being dropped."""
    mass, rounded = LAWS[law].mass, LAWS[law].rounded
    per_step = fmpz(2) ** (shift + LAWS[law].step_bits) / arb(multiplier)
    lift = arb(1) / 2 if rounded else arb(0)
    masses: dict[int | str, arb] = {}
    for size in range(MOST):
        least = (size - lift if size else arb(0)) * per_step
        side = mass(least, (size + 1 - lift) * per_step) / 2
        masses[size] = side
        if size or rounded:
            masses[-size] = masses.get(-size, arb(0)) + side
    kept = mass(arb(0), arb(10_000))
    masses["dropped"] = 1 - kept + (0 if rounded else masses[0])
    return masses


Count = tuple[int, int, int, list[int]]


def counted(law: str, scale: tuple[int, int], width: int) -> Count:
    """Dropped, undecided, decided by two words, and every size from -MOST: by the kernel."""
    sizes = np.zeros(2 * MOST, np.int64)
    found = LAWS[law].kernel(U(width), (U(scale[0]), U(scale[1])), sizes)
    return *map(int, found), sizes.tolist()


def judged(law: str, scale: tuple[int, int], width: int) -> Count:
    """The same by its judges, which is faster."""
    sizes = np.zeros(2 * MOST, np.int64)
    pair = U(scale[0]), U(scale[1] + LAWS[law].step_bits)
    found = LAWS[law].judges(LAWS[law].rounded, U(width), pair, sizes)
    return *map(int, found), sizes.tolist()


def check(law: str, scale: tuple[int, int], width: int, count: Count) -> tuple[float, float]:
    """The bounds for every outcome; the shares left open, by three words and by two."""
    dropped, undecided, by_two, sizes = count
    total = 1 << (3 * width)
    assert sum(sizes) + dropped + undecided == total
    decided: dict[int | str, int] = {"dropped": dropped}
    decided.update((at - MOST, n) for at, n in enumerate(sizes))
    assert decided.pop(-MOST) == 0
    with ctx.workprec(3000):
        for outcome, mass in signed_masses(law, *scale).items():
            assert decided[outcome] <= mass * total, outcome
            assert mass * total <= decided[outcome] + undecided, outcome
    return undecided / total, 1 - by_two / total


UNDECIDED = {6: 0.30, 8: 0.10, 10: 0.04}
"""Of all triples of a width, more than any law and scale below leaves open."""

SCALES = [(1, 0), (5, 3)]

every_law_and_scale = pytest.mark.parametrize(
    ("law", "scale"), [(law, scale) for law in LAWS for scale in SCALES]
)


@every_law_and_scale
def test_what_is_decided_is_at_most_the_law_and_with_the_undecided_at_least(
    law: str, scale: tuple[int, int]
) -> None:
    """For every outcome of a trial, over all 2^18 triples of six-bit words."""
    count = counted(law, scale, 6)
    undecided, _ = check(law, scale, 6, count)
    assert 0 < undecided < UNDECIDED[6]
    assert judged(law, scale, 6) == count


@every_law_and_scale
def test_more_bits_decide_more(law: str, scale: tuple[int, int]) -> None:
    """The same over all 2^24 triples of eight-bit words."""
    undecided, by_two = check(law, scale, 8, judged(law, scale, 8))
    assert 0 < undecided < UNDECIDED[8]
    assert by_two < 0.7


@pytest.mark.slow
@every_law_and_scale
def test_ten_bits_decide_nearly_all(law: str, scale: tuple[int, int]) -> None:
    """The same over all 2^30 triples of ten-bit words."""
    undecided, by_two = check(law, scale, 10, judged(law, scale, 10))
    assert 0 < undecided < UNDECIDED[10]
    assert by_two < 0.5
